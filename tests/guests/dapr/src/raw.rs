//! The imports as they are.

use trilby_guest::{Code, Error, raw};

use crate::{Answer, Failure, Imports, Outcome, Query};

/// What an import is called with.
#[derive(Debug)]
pub struct Arguments {
    /// The first target.
    pub a: Vec<u8>,
    /// The second target.
    pub b: Vec<u8>,
    /// The third target.
    pub c: Vec<u8>,
    /// The option lines.
    pub options: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

impl Arguments {
    fn read(query: &Query) -> Result<Self, Failure> {
        let filled = |name: &str| -> Result<Vec<u8>, Failure> {
            let mut bytes = query.bytes(name).unwrap_or_default().to_vec();
            fill(&mut bytes, query.parse(&format!("{name}-len"))?);
            Ok(bytes)
        };
        let mut body = query.body().to_vec();
        fill(&mut body, query.parse("len")?);
        let [a, b, c, options] = ["a", "b", "c", "options"].map(filled);
        Ok(Self { a: a?, b: b?, c: c?, options: options?, body })
    }
}

fn fill(bytes: &mut Vec<u8>, length: Option<usize>) {
    bytes.resize(length.unwrap_or(0).max(bytes.len()), b'x');
}

/// Calls an import, and tells its answer or its error.
pub(crate) fn call(function: &str, query: &Query, imports: Imports) -> Option<Outcome> {
    let arguments = match Arguments::read(query) {
        Ok(arguments) => arguments,
        Err(failure) => return Some(Err(failure)),
    };
    Some(report(imports(function, &arguments)?))
}

fn report(result: i32) -> Outcome {
    let handle = match result {
        ..0 => return Err(failure(result)),
        0 => return Ok(Answer::default().plain_header("X-Result", "0")),
        handle => handle,
    };
    let mut block = vec![0; 64 * 1024];
    let length = length(raw::headers(handle, &mut block))?.min(block.len());
    let body = read(handle)?;
    raw::close(handle);
    let mut answer = Answer::from(body).plain_header("X-Result", "handle");
    for line in String::from_utf8_lossy(&block[..length]).lines() {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        answer = answer.header(name, value);
    }
    Ok(answer)
}

fn read(handle: i32) -> Result<Vec<u8>, Failure> {
    // No power of two, so that the host's pieces and these do not match.
    let (mut all, mut piece) = (Vec::new(), vec![0; 1000]);
    loop {
        match length(raw::read(handle, &mut piece))? {
            0 => return Ok(all),
            count => all.extend_from_slice(&piece[..count]),
        }
    }
}

fn length(result: i32) -> Result<usize, Failure> {
    usize::try_from(result).map_err(|_| failure(result))
}

/// The code is the result's, whatever the text says; the text must name the same.
fn failure(result: i32) -> Failure {
    let mut text = vec![0; 64 * 1024];
    let length = usize::try_from(raw::error(&mut text)).unwrap_or(0).min(text.len());
    let text = String::from_utf8_lossy(&text[..length]).into_owned();
    let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let field = |name: &str| {
        let found = head.lines().filter_map(|line| line.split_once(": "));
        found.filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).next()
    };
    let code = Code::from_result(result);
    let (number, name) = (field("code"), field("name"));
    if number != Some(result.unsigned_abs().to_string()) || name.as_deref() != Some(code.name()) {
        return Failure::asked(format!("result {result}, but the error's text is {text:?}"));
    }
    let mut error = Error::new(code, message.trim_end());
    error.reason = field("reason");
    Failure::Call(error)
}

/// Calls an import, then takes steps on its handle.
pub(crate) fn steps(function: &str, query: &Query, imports: Imports) -> Option<Outcome> {
    let arguments = match Arguments::read(query) {
        Ok(arguments) => arguments,
        Err(failure) => return Some(Err(failure)),
    };
    let steps = query.get("steps").unwrap_or_default();
    let mut handle = imports(function, &arguments)?;
    if handle < 0 {
        return Some(Err(failure(handle)));
    }
    let mut report = String::new();
    for step in steps.split(';').filter(|step| !step.is_empty()) {
        let call = || imports(function, &arguments).unwrap_or_default();
        match take(step, &mut handle, call) {
            Some((result, text)) => report.push_str(&format!("{step} = {result}{text}\n")),
            None => return Some(Err(Failure::asked(format!("no step {step:?}")))),
        }
    }
    Some(Ok(report.into()))
}

/// The step's result, and what it filled a buffer with.
fn take(step: &str, handle: &mut i32, call: impl Fn() -> i32) -> Option<(i32, String)> {
    let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
    let number = |text: &str| text.parse::<usize>().ok();
    let plain = |result| (result, String::new());
    Some(match word {
        "size" => plain(raw::size(*handle)),
        "end" => plain(raw::end(*handle)),
        "close" => plain(raw::close(*handle)),
        "read" => buffer(number(rest)?, |buf| raw::read(*handle, buf)),
        "headers" => buffer(number(rest)?, |buf| raw::headers(*handle, buf)),
        "error" => buffer(number(rest)?, raw::error),
        "header" => {
            let (cap, name) = rest.split_once(' ')?;
            buffer(number(cap)?, |buf| raw::header(*handle, name, buf))
        }
        "write" => plain(raw::write(*handle, rest)),
        "fill" => plain(raw::write(*handle, vec![b'x'; number(rest)?])),
        "use" => {
            *handle = rest.parse().ok()?;
            plain(*handle)
        }
        "again" => {
            *handle = call();
            plain((*handle).min(1))
        }
        "times" => {
            let results: Vec<i32> = (0..number(rest)?).map(|_| call()).collect();
            let got = results.iter().filter(|result| **result > 0).count();
            (results.last().map_or(0, |last| (*last).min(1)), format!(" got {got}"))
        }
        _ => return None,
    })
}

fn buffer(cap: usize, import: impl FnOnce(&mut [u8]) -> i32) -> (i32, String) {
    let mut buf = vec![0; cap];
    let result = import(&mut buf);
    let filled = usize::try_from(result).unwrap_or(0).min(cap);
    (result, format!(" {}", String::from_utf8_lossy(&buf[..filled])))
}
