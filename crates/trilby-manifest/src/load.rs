//! From a path to an [`App`]: which file it is, what is in it, and which format that has.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::findings::{Findings, Problem, shown};
use crate::names::app_id_from;
use crate::reader::Reader;
use crate::source::Source;
use crate::{
    App, Error, Part, Place, Precedence, Target, Trigger, limits, modules_toml, route, trilby_toml,
};

/// The most that is read of a manifest.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

const TRILBY_TOML: &str = "trilby.toml";
const MODULES_TOML: &str = "modules.toml";

/// A loaded application, and what its author should know although it works.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The application.
    pub app: App,
    /// One line each; those about a place begin with `file:line:column`.
    pub warnings: Vec<String>,
    /// The manifest's text; `None` for a single module.
    pub(crate) source: Option<Source>,
}

impl Loaded {
    /// An error about a part of a route that was found later than here, as this crate reports its
    /// own: with file, line and excerpt. When the route does not have that part, it points to the
    /// route.
    ///
    /// `title` says what is wrong, and `help` what to write instead.
    #[must_use]
    pub fn report(&self, place: &Place, part: Part, title: &str, help: Option<&str>) -> String {
        let Some(source) = &self.source else {
            let file = shown(&self.app.file.to_string_lossy());
            let help = help.map_or_else(String::new, |help| format!("\n  = help: {help}"));
            return format!("error: {file}: {title}{help}");
        };
        let span = place.parts.get(&part).or_else(|| place.parts.get(&Part::Route)).cloned();
        let span = span.unwrap_or_else(|| source.line_span(place.line));
        let mut problem = Problem::new(span, title);
        problem.help = help.map(str::to_owned);
        source.render(&problem)
    }
}

/// A manifest that is TOML, on its way to an [`App`].
pub(crate) struct Document<'a> {
    pub(crate) source: &'a Source,
    pub(crate) table: Reader<'a>,
    pub(crate) file: &'a Path,
    /// The manifest's folder; never the empty path, which some system calls refuse.
    pub(crate) root: &'a Path,
}

impl Document<'_> {
    /// The name of the manifest's folder; empty where there is none, as at `/`.
    pub(crate) fn folder_name(&self) -> String {
        folder_name(self.root)
    }
}

/// Loads an application from `path`:
///
/// - a folder with `trilby.toml`, or else with WAGI's `modules.toml`;
/// - a `.toml` file, which is in WAGI's format if it has `[[module]]`;
/// - a `.wasm` or `.wat` file, which then answers every path, within the default limits and
///   without any grant.
///
/// No module is opened, and none is built.
///
/// # Errors
///
/// [`Error::Invalid`] reports everything that is wrong with a manifest. The other errors are about
/// a file that is missing, or is none that can be loaded.
pub fn load(path: &Path) -> Result<Loaded, Error> {
    let read_error = |reason| Error::Read { path: path.to_owned(), reason };
    let metadata = path.metadata().map_err(read_error)?;
    if metadata.is_dir() {
        return load_folder(path);
    }
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match extension.to_str() {
        Some("toml") if metadata.is_file() => load_manifest(path, Vec::new()),
        Some("wasm" | "wat") if metadata.is_file() => Ok(single_module(path)),
        _ => Err(Error::UnknownKind { path: path.to_owned() }),
    }
}

fn load_folder(folder: &Path) -> Result<Loaded, Error> {
    // Messages about the working directory's manifest name it without a `./`.
    let prefix = if folder == Path::new(".") { Path::new("") } else { folder };
    let (ours, wagis) = (prefix.join(TRILBY_TOML), prefix.join(MODULES_TOML));
    match (ours.exists(), wagis.exists()) {
        (true, true) => {
            let warning = format!("{} is not used: {TRILBY_TOML} goes first", wagis.display());
            load_manifest(&ours, vec![warning])
        }
        (true, false) => load_manifest(&ours, Vec::new()),
        (false, true) => load_manifest(&wagis, Vec::new()),
        (false, false) => Err(Error::NoManifest { path: folder.to_owned() }),
    }
}

fn load_manifest(file: &Path, mut warnings: Vec<String>) -> Result<Loaded, Error> {
    let source = Source::new(file.to_string_lossy(), read_text(file)?);
    let mut found = Findings::default();
    let app = read_app(&source, file, &mut found);
    match app {
        Some(app) if found.error_count() == 0 => {
            warnings.extend(found.warning_lines(&source));
            Ok(Loaded { app, warnings, source: Some(source) })
        }
        _ => Err(Error::Invalid { count: found.error_count(), report: found.report(&source) }),
    }
}

fn read_app(source: &Source, file: &Path, found: &mut Findings) -> Option<App> {
    let (table, errors) = DeTable::parse_recoverable(source.text());
    if !errors.is_empty() {
        refuse_syntax(&errors, source, found);
        return None;
    }
    let table = Reader::new("the manifest", table.get_ref(), 0..0);
    let root = folder_of(file);
    let document = Document { source, table, file, root: &root };
    Some(if is_wagi(&document) {
        modules_toml::read(&document, found)
    } else {
        trilby_toml::read(&document, found)
    })
}

/// Reports syntax errors, one a line: the parser goes on after an error, and finds more in the
/// rest of a line that it did not understand.
fn refuse_syntax(errors: &[toml::de::Error], source: &Source, found: &mut Findings) {
    let mut spans: Vec<_> = errors.iter().map(|e| (e.span().unwrap_or_default(), e)).collect();
    spans.sort_by_key(|(span, _)| span.start);
    spans.dedup_by_key(|(span, _)| source.line(span.start));
    for (span, error) in spans {
        found.error(Problem::new(span, format!("invalid TOML: {}", error.message())));
    }
}

/// WAGI's format is known by its `[[module]]`; a `modules.toml` without any is one by its name.
fn is_wagi(document: &Document<'_>) -> bool {
    let has = |name| document.table.get(name).is_some();
    match document.table.get("module") {
        Some(field) => field.is_array() || is_named_modules_toml(document.file),
        None => is_named_modules_toml(document.file) && !has("version") && !has("route"),
    }
}

fn is_named_modules_toml(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == MODULES_TOML)
}

fn read_text(file: &Path) -> Result<String, Error> {
    let read_error = |reason| Error::Read { path: file.to_owned(), reason };
    let mut bytes = Vec::new();
    // One byte more than may be, to tell too large from just large enough.
    let opened = File::open(file).map_err(read_error)?;
    opened.take(MANIFEST_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(read_error)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > MANIFEST_BYTES_MAX) {
        return Err(Error::TooLarge { path: file.to_owned(), bytes_max: MANIFEST_BYTES_MAX });
    }
    String::from_utf8(bytes).map_err(|error| {
        let bad_at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes());
        Error::NotText { position: Source::new(file.to_string_lossy(), text).position(bad_at) }
    })
}

fn single_module(module: &Path) -> Loaded {
    let trigger = Trigger::Http { path: "/...".to_owned(), methods: Vec::new(), host: None };
    let route = route::bare(trigger, Target::Module(module.to_owned()), Place::default());
    let app = App {
        file: module.to_owned(),
        root: folder_of(module),
        name: app_id_from(&module.file_stem().unwrap_or_default().to_string_lossy()),
        precedence: Precedence::LongestMatch,
        routes: vec![route],
        server: limits::standard().into_server(),
        components: None,
        apps: BTreeMap::new(),
    };
    Loaded { app, warnings: Vec::new(), source: None }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn folder_name(folder: &Path) -> String {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
