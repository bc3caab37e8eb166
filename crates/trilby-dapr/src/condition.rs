//! Routing rules of a subscription: CEL expressions on a CloudEvents envelope.
//!
//! As daprd 1.18 does it (cel-go, the standard library and its macros): the only variable is
//! `event`, the whole envelope, of which JSON numbers are doubles. `event.data.count > 10` is well,
//! since comparisons are across number types, and `event.data.count + 1` is an error, since
//! arithmetic is not: `event.data.count + 1.0`, or `int(event.data.count) + 1`. `event.data` is
//! whatever JSON the envelope has there, also a text; an envelope with `data_base64` has no `data`.
//! A member that is not there is an error, unless `has(event.data.count)` is asked first, or the
//! other side of `||` or `&&` decides.
//!
//! What differs from daprd:
//!
//! | What                                         | daprd            | here                   |
//! |----------------------------------------------|------------------|------------------------|
//! | a variable other than `event`                | error each time  | refused by `parse`     |
//! | a function that there is not                 | hangs            | refused by `parse`     |
//! | `timestamp`, `duration`, protobuf messages   | work             | refused by `parse`     |
//! | a written pattern of `matches` that is wrong | error each time  | refused by `parse`     |
//! | the syntax of `matches`                      | RE2              | crate `regex`, close   |
//! | `1 == "a"`, `1 == 1.0`, `type == "x"`        | refused          | compared by value      |
//! | other operators on literals of wrong types   | refused          | error each time        |
//! | `string` of a double such as a million       | `1e+06`          | `1000000`              |
//! | the length of a rule                         | 100,000          | 8 KiB                  |
//! | how deep it is nested                        | 250              | 64                     |
//! | its work for an event                        | without bound    | bounded, then an error |
//!
//! The bound on the work is against events, which anyone may publish; a rule is its operator's. One
//! that builds lists of lists with `map` in `map` can still take much memory.

mod check;
mod envelope;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};
use std::thread;

use cel::common::ast::IdedExpr;
use cel::parser::Parser;
use cel::{Context, Env, ExecutionError, ParseErrors};
use serde_json::{Map, Value};

use self::envelope::Envelope;

/// A rule is a line that someone wrote.
const TEXT_BYTES_MAX: usize = 8 << 10;

/// The parser recurses, with a text for it nearly once per byte; this is many times what that took.
const PARSER_STACK_BYTES: usize = 32 << 20;

/// The longest part of a rule that a message repeats, in characters.
const EXCERPT_CHARS_MAX: usize = 60;

/// CEL's standard library. Optional values are an extension that daprd does not switch on.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::default().with_optional_support(false).with_stdlib();
    environment.set_error_on_duplicate_map_keys(false);
    Arc::new(environment)
});

/// When a routing rule applies.
///
/// Cheap to clone. Two are equal when their texts are.
#[derive(Clone)]
pub struct Condition {
    inner: Arc<Inner>,
}

struct Inner {
    text: String,
    /// `None` for a rule without a condition.
    expression: Option<IdedExpr>,
}

/// Why a routing rule cannot be read, or cannot be told for an event. One line, without any of the
/// event's values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConditionError {
    /// The text is longer than any sensible rule.
    #[error("a rule may have {TEXT_BYTES_MAX} bytes; this has {bytes}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The expression is nested too deeply to be evaluated safely.
    #[error(
        "the rule `{rule}` is nested more than {} levels deep; make it simpler",
        check::NESTING_MAX
    )]
    TooDeep {
        /// How the rule begins.
        rule: String,
    },
    /// The text is not CEL.
    #[error("the rule is not valid at line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// The rule names something other than the event.
    #[error("a rule knows only `event`, as in `event.type` or `event.data`, not `{name}`")]
    UnknownVariable {
        /// The name.
        name: String,
    },
    /// The rule calls what is no function of CEL's standard library.
    #[error("a rule cannot call `{name}`; it may call {}", check::CALLABLE.join(", "))]
    UnknownFunction {
        /// The name.
        name: String,
    },
    /// The rule is well, but gives no answer for this event.
    #[error("the rule `{rule}` cannot be told for this event: {reason}")]
    Evaluation {
        /// How the rule begins.
        rule: String,
        /// What the event lacks, or has in another type.
        reason: String,
    },
    /// Deciding for this event is more work than a rule may be.
    #[error("the rule `{rule}` is too much work for this event; ask less of its lists and texts")]
    TooMuchWork {
        /// How the rule begins.
        rule: String,
    },
}

impl Condition {
    /// Reads a rule. One that is empty, or only white space, applies to every event (Dapr).
    ///
    /// # Errors
    ///
    /// When the text is not CEL, names anything but `event`, or is too long or too deep.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        let text = text.trim();
        if text.len() > TEXT_BYTES_MAX {
            return Err(ConditionError::TooLong { bytes: text.len() });
        }
        let expression = if text.is_empty() { None } else { Some(read(text)?) };
        Ok(Self { inner: Arc::new(Inner { text: text.to_owned(), expression }) })
    }

    /// The rule as it was written, without the white space around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// Whether the rule applies to the event with this envelope.
    ///
    /// # Errors
    ///
    /// When the rule asks for a member that the envelope lacks, or has in another type; when its
    /// result is neither true nor false; when it is too much work.
    pub fn matches(&self, envelope: &Map<String, Value>) -> Result<bool, ConditionError> {
        let Some(expression) = &self.inner.expression else {
            return Ok(true);
        };
        // A defect of the interpreter, met by a rule that passed all checks, must not end a
        // delivery for good.
        catch_unwind(AssertUnwindSafe(|| self.evaluate(expression, envelope))).unwrap_or_else(
            |_| Err(self.untold("the interpreter has a defect; write it otherwise")),
        )
    }

    /// Where an event goes: to the first rule that applies, else to `default`, else nowhere.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be told ends the search, as in daprd: the rules after it, and
    /// `default`, are not asked. daprd then sends the event to the dead-letter topic if there is
    /// one, and else tries it again.
    pub fn route<'a, T>(
        rules: impl IntoIterator<Item = (&'a Self, &'a T)>,
        default: Option<&'a T>,
        envelope: &Map<String, Value>,
    ) -> Result<Option<&'a T>, ConditionError> {
        for (condition, target) in rules {
            if condition.matches(envelope)? {
                return Ok(Some(target));
            }
        }
        Ok(default)
    }

    fn evaluate(
        &self,
        expression: &IdedExpr,
        envelope: &Map<String, Value>,
    ) -> Result<bool, ConditionError> {
        let envelope = Envelope::new(envelope);
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.set_variable_resolver(&envelope);
        match cel::Value::resolve(expression, &context) {
            Ok(cel::Value::Bool(applies)) => Ok(applies),
            Ok(other) => {
                let found = other.type_of();
                Err(self.untold(&format!("its result is of type {found}, not true or false")))
            }
            Err(_) if envelope.is_exhausted() => {
                Err(ConditionError::TooMuchWork { rule: excerpt(&self.inner.text) })
            }
            Err(error) => Err(self.untold(&self.reason(&error))),
        }
    }

    fn untold(&self, reason: &str) -> ConditionError {
        ConditionError::Evaluation { rule: excerpt(&self.inner.text), reason: reason.to_owned() }
    }

    /// The reason in words that give away no value of the event.
    fn reason(&self, error: &ExecutionError) -> String {
        match error {
            ExecutionError::NoSuchKey(key) if self.inner.text.contains(key.as_str()) => {
                format!("it has no `{key}`; ask `has(...)` first")
            }
            ExecutionError::NoSuchKey(_) => "a map lacks a key".to_owned(),
            ExecutionError::NoSuchOverload(overload) => {
                let function = overload.function();
                let types = overload.argument_types().join(", ");
                format!("`{function}` does not go with the types ({types})")
            }
            ExecutionError::UnexpectedType { got, want } => {
                format!("it has the type {got} where {want} is needed")
            }
            ExecutionError::IndexOutOfBounds(_) => "a list has no such index".to_owned(),
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                "it divides by zero".to_owned()
            }
            ExecutionError::Overflow(..) => "a number is too large".to_owned(),
            ExecutionError::FunctionError { function, .. } => {
                format!("`{function}` cannot work on what it was given")
            }
            _ => "an operator does not go with the types it was given".to_owned(),
        }
    }
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Condition").field(&self.inner.text).finish()
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.inner.text == other.inner.text
    }
}

impl Eq for Condition {}

/// Parses and checks on a thread of its own: the stack is as large as the worst text needs, and
/// panics end there.
fn read(text: &str) -> Result<IdedExpr, ConditionError> {
    let read = || {
        let expression = Parser::new().parse(text).map_err(|errors| syntax(&errors, text))?;
        check::check(expression, text)
    };
    thread::scope(|scope| {
        let parser =
            thread::Builder::new().stack_size(PARSER_STACK_BYTES).spawn_scoped(scope, read);
        parser.ok().and_then(|parser| parser.join().ok())
    })
    .unwrap_or_else(|| Err(invalid(1, 1, "it cannot be read; write it otherwise")))
}

fn syntax(errors: &ParseErrors, text: &str) -> ConditionError {
    let Some(first) = errors.errors.first() else {
        return invalid(1, 1, "it cannot be read");
    };
    if first.msg.contains("Recursion limit") {
        return ConditionError::TooDeep { rule: excerpt(text) };
    }
    // After this come the names of all tokens that could be there.
    let message = first.msg.split(" expecting ").next().unwrap_or_default();
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let place = |place| usize::try_from(place).unwrap_or_default().max(1);
    invalid(place(first.pos.0), place(first.pos.1), message)
}

fn invalid(line: usize, column: usize, message: &str) -> ConditionError {
    ConditionError::Syntax { line, column, message: excerpt(message) }
}

/// The beginning of a text, on one line.
fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXCERPT_CHARS_MAX) {
        None => line,
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
    }
}
