//! From an app in WAGI's `modules.toml` to the text of a `trilby.toml` that serves the same.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::argv::unknown_placeholders;
use crate::findings::shown;
use crate::limits::HTTP_CALLS_MAX;
use crate::{
    AllowedHost, App, Loaded, Origin, Precedence, Route, Target, cover, modules_toml, paths, target,
};

/// WAGI's arguments when an entry names none.
const WAGI_ARGV: &str = "${SCRIPT_NAME} ${ARGS}";

/// A `trilby.toml`, made of a `modules.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The text of the manifest. Its place is the folder of the `modules.toml`.
    pub text: String,
    /// What is not as it was, one line each; the text says it in comments.
    pub notes: Vec<String>,
}

/// Why a `modules.toml` has no equal `trilby.toml`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The app is a single module, or has a `trilby.toml` already.
    #[error("{} is not WAGI's: only a `modules.toml` can be migrated", file.display())]
    NotWagi {
        /// The file that the app was read from.
        file: PathBuf,
    },
    /// A segment of a route begins with `:`, which makes it a parameter in a `trilby.toml`.
    #[error(
        "route `{route}` on line {line} has the segment `{segment}`, which would be a parameter \
         in a `trilby.toml`; rename it, or keep the `modules.toml`"
    )]
    Parameter {
        /// The route.
        route: String,
        /// The segment.
        segment: String,
        /// The line of its entry.
        line: usize,
    },
    /// A route that a `trilby.toml` refuses.
    #[error("route `{route}` on line {line} {problem}: {help}; or keep the `modules.toml`")]
    Path {
        /// The route.
        route: String,
        /// The line of its entry.
        line: usize,
        /// What is wrong with it there.
        problem: String,
        /// What would be right.
        help: String,
    },
    /// A template of arguments that a `trilby.toml` refuses.
    #[error(
        "the `argv` of route `{route}` on line {line} has `${{{placeholder}}}`, which WAGI passes on \
         as it stands and a `trilby.toml` refuses; take it out first"
    )]
    Placeholder {
        /// The route.
        route: String,
        /// The line of its entry.
        line: usize,
        /// The placeholder's name.
        placeholder: String,
    },
    /// A path of the host that is not text, and so cannot stand in a manifest.
    #[error("{} is not UTF-8, so no manifest can name it; move the app to another folder", path.display())]
    NotText {
        /// The path.
        path: PathBuf,
    },
}

/// Writes a `trilby.toml` that serves the same as the `modules.toml` that `loaded` was read from.
///
/// The longest match wins there, instead of the first. Entries that WAGI never reaches, as an
/// earlier one matches all that they do, are left out; among the rest an earlier match is never the
/// shorter one, so that the same entry answers each path as before. What a module adds itself
/// (`_routes`) must be among the routes already: only running it tells.
///
/// # Errors
/// When something cannot be said in a `trilby.toml`.
pub fn migrate(loaded: &Loaded) -> Result<Migrated, MigrateError> {
    let app = &loaded.app;
    if app.precedence != Precedence::FirstMatch {
        return Err(MigrateError::NotWagi { file: app.file.clone() });
    }
    let file = app.file.file_name().unwrap_or_default().to_string_lossy();
    let mut writer = Writer { app, text: String::new(), notes: Vec::new() };
    writer.comment(&format!("Made from WAGI's {}.", shown(&file)));
    writer.line("version = 1");
    writer.line(&format!("name = {}", quoted(&app.name)));
    if app.root.join("components").is_dir() {
        writer.line("");
        writer.note("The folder `components` was not read before: now it is Dapr's");
    }
    let entries: Vec<_> =
        app.routes.iter().filter_map(|route| Some((route, modules_toml::path(route)?))).collect();
    let covering = cover::covering(entries.iter().map(|(_, path)| *path));
    for ((route, path), earlier) in entries.iter().zip(covering) {
        writer.line("");
        match earlier.and_then(|earlier| entries.get(earlier)) {
            Some((_, first)) => {
                let (path, first) = (shown(path), shown(first));
                let why = format!("it was never reached, as `{first}` came first");
                writer.note(&format!(
                    "Route `{path}` (line {}) is left out: {why}",
                    route.place.line
                ));
            }
            None => writer.route(route, path)?,
        }
    }
    Ok(Migrated { text: writer.text, notes: writer.notes })
}

struct Writer<'a> {
    app: &'a App,
    text: String,
    notes: Vec<String>,
}

impl Writer<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn comment(&mut self, comment: &str) {
        self.line(&format!("# {comment}"));
    }

    /// A comment that the caller is told, too.
    fn note(&mut self, note: &str) {
        self.comment(&format!("{note}."));
        self.notes.push(note.to_owned());
    }

    fn route(&mut self, route: &Route, path: &str) -> Result<(), MigrateError> {
        refuse(route, path)?;
        self.line("[[route]]");
        self.line(&format!("path = {}", quoted(path)));
        let module = self.module(route)?;
        self.line(&format!("module = {}", quoted(&module)));
        if route.entrypoint != "_start" {
            self.line(&format!("entrypoint = {}", quoted(&route.entrypoint)));
        }
        match &route.argv {
            Some(argv) => self.line(&format!("argv = {}", quoted(argv))),
            None => self.line(&format!(
                "argv = {} # WAGI's default, but for empty arguments",
                quoted(WAGI_ARGV)
            )),
        }
        self.volumes(route)?;
        self.outbound(route);
        Ok(())
    }

    fn module(&self, route: &Route) -> Result<String, MigrateError> {
        Ok(match &route.target {
            Target::Registry(reference) => format!("oci:{reference}"),
            Target::Module(path) | Target::Files(path) => {
                let path = self.relative(path)?;
                // A name with a colon would be taken for a URL.
                if target::scheme(&path).is_some() { format!("./{path}") } else { path }
            }
        })
    }

    fn volumes(&mut self, route: &Route) -> Result<(), MigrateError> {
        let mut items = Vec::new();
        for volume in &route.volumes {
            let host = quoted(&self.relative(&volume.host)?);
            items.push(format!("{} = {{ host = {host}, writable = true }}", quoted(&volume.guest)));
        }
        if !items.is_empty() {
            self.line(&format!("volumes = {{ {} }}", items.join(", ")));
        }
        Ok(())
    }

    fn outbound(&mut self, route: &Route) {
        let hosts: Vec<_> = route.allowed_hosts.iter().flat_map(rules).collect();
        if !hosts.is_empty() {
            let hosts: Vec<_> = hosts.iter().map(|host| quoted(host)).collect();
            self.line(&format!("allowed-hosts = [{}]", hosts.join(", ")));
        }
        if let Some(Origin::Route(_)) = route.origins.get("http-calls") {
            let max = usize::try_from(HTTP_CALLS_MAX).unwrap_or(usize::MAX);
            let calls = route.limits.http_calls_max;
            if calls > max {
                self.note(&format!("`http-calls` was {calls}: {max} is the most that it can be"));
            }
            self.line(&format!("limits = {{ http-calls = {} }}", calls.min(max)));
        }
    }

    /// The path as a manifest in the root's folder names it.
    fn relative(&self, path: &Path) -> Result<String, MigrateError> {
        let not_text = || MigrateError::NotText { path: path.to_owned() };
        let path = match path.strip_prefix(&self.app.root) {
            Ok(inside) if inside == Path::new("") => PathBuf::from("."),
            Ok(inside) => inside.to_owned(),
            // It was found in the working directory, which a `trilby.toml` does not look into.
            Err(_) => std::path::absolute(path).map_err(|_| not_text())?,
        };
        Ok(path.to_str().ok_or_else(not_text)?.to_owned())
    }
}

/// What a `trilby.toml` cannot say.
fn refuse(route: &Route, path: &str) -> Result<(), MigrateError> {
    let line = route.place.line;
    if let Some(segment) = path.split('/').find(|segment| paths::is_parameter(segment)) {
        return Err(MigrateError::Parameter { route: shown(path), segment: shown(segment), line });
    }
    if let Some(paths::Fault { title, help }) = paths::fault(path) {
        return Err(MigrateError::Path { route: shown(path), line, problem: title, help });
    }
    match unknown_placeholders(route.argv.as_deref().unwrap_or_default()).first() {
        None => Ok(()),
        Some(name) => {
            Err(MigrateError::Placeholder { route: shown(path), line, placeholder: shown(name) })
        }
    }
}

/// The rules of `allowed-hosts` for a URL of `allowed_hosts`, of which its path and query have no
/// effect.
fn rules(host: &AllowedHost) -> Vec<String> {
    if host.is_everything() {
        return vec!["http://*:*".to_owned(), "https://*:*".to_owned()];
    }
    let text = host.to_string();
    let start = text.find("://").map_or(0, |at| at + 3);
    let tail = text.get(start..).and_then(|rest| rest.find(['/', '?', '#']));
    let end = tail.map_or(text.len(), |at| start + at);
    vec![text.get(..end).unwrap_or(&text).to_owned()]
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
