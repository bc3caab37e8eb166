//! From a path to an [`App`]: which file it is, what is in it, and which format that has.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::findings::{Findings, Problem};
use crate::names::app_id_from;
use crate::reader::Reader;
use crate::source::Source;
use crate::{
    App, Error, Grants, Place, Precedence, Route, Trigger, limits, modules_toml, trilby_toml,
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
            Ok(Loaded { app, warnings })
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
    let route = Route {
        trigger: Trigger::Http { path: "/...".to_owned() },
        module: module.to_owned(),
        build: None,
        entrypoint: "_start".to_owned(),
        argv: None,
        env: BTreeMap::new(),
        volumes: Vec::new(),
        grants: Grants::default(),
        limits: limits::standard(),
        place: Place::default(),
    };
    let app = App {
        file: module.to_owned(),
        root: folder_of(module),
        name: app_id_from(&module.file_stem().unwrap_or_default().to_string_lossy()),
        precedence: Precedence::LongestMatch,
        routes: vec![route],
        components: None,
    };
    Loaded { app, warnings: Vec::new() }
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
mod tests {

    use super::*;
    use crate::testing::{Folder, report};

    const OURS: &str = "version = 1\n[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n";
    const WAGIS: &str = "[[module]]\nroute = \"/\"\nmodule = \"a.wasm\"\n";

    #[test]
    fn a_folders_own_manifest_goes_first() {
        let folder = Folder::new().with("modules.toml", WAGIS);
        let loaded = folder.load("").expect("valid");
        assert_eq!(loaded.app.precedence, Precedence::FirstMatch);
        assert_eq!(loaded.warnings, [""; 0]);
        let folder = folder.with("trilby.toml", OURS);
        let loaded = folder.load("").expect("valid");
        assert_eq!(loaded.app.file, folder.path().join("trilby.toml"));
        assert_eq!(loaded.app.root, folder.path());
        let warnings: Vec<_> = loaded.warnings.iter().map(|w| folder.relative(w)).collect();
        assert_eq!(warnings, ["modules.toml is not used: trilby.toml goes first"]);
    }

    #[test]
    fn a_manifest_of_any_name_is_known_by_its_content() {
        let folder = Folder::new().with("x.toml", OURS).with("y.toml", WAGIS);
        let precedence = |path| folder.load(path).expect("valid").app.precedence;
        assert_eq!(precedence("x.toml"), Precedence::LongestMatch);
        assert_eq!(precedence("y.toml"), Precedence::FirstMatch);
        let folder = Folder::new().with("modules.toml", OURS);
        assert_eq!(folder.load("").expect("valid").app.precedence, Precedence::LongestMatch);
    }

    #[test]
    fn a_module_alone_answers_everything() {
        let folder = Folder::new().with("My App.WAT", "");
        let Loaded { app, warnings } = folder.load("My App.WAT").expect("valid");
        assert_eq!(warnings, [""; 0]);
        assert_eq!(app.name, "My-App");
        assert_eq!(app.file, folder.path().join("My App.WAT"));
        assert_eq!(app.root, folder.path());
        assert_eq!(app.components, None);
        let [route] = app.routes.as_slice() else { panic!("one route") };
        assert_eq!(route.trigger, Trigger::Http { path: "/...".into() });
        assert_eq!(route.module, app.file);
        assert_eq!(route.entrypoint, "_start");
        assert_eq!(route.limits, limits::standard());
        assert!(route.grants.is_empty() && route.volumes.is_empty() && route.env.is_empty());
    }

    #[test]
    fn the_root_is_never_the_empty_path() {
        for (file, root) in [("a.toml", "."), ("b/a.toml", "b"), ("/a.toml", "/"), ("", ".")] {
            assert_eq!(folder_of(Path::new(file)), PathBuf::from(root), "{file}");
        }
    }

    #[test]
    fn what_cannot_be_loaded_is_told_why() {
        let folder = Folder::new().with("x.txt", "").with("big.toml", &"#\n".repeat(600_000));
        std::fs::write(folder.path().join("bad.toml"), b"a = 1\n\xc3\xa9 = \xff")
            .expect("can write");
        for (path, expected) in [
            ("none", "cannot read none: No such file or directory (os error 2)"),
            ("x.txt", "x.txt is neither a manifest (`.toml`) nor a module (`.wasm`, `.wat`)"),
            (
                "data",
                "data has neither `trilby.toml` nor `modules.toml`; name another folder, a \
                 manifest, or a `.wasm` or `.wat` file",
            ),
            (
                "big.toml",
                "big.toml is larger than 1048576 bytes, the most that a manifest may have",
            ),
            ("bad.toml", "bad.toml:2:5: this is not UTF-8, which TOML must be"),
        ] {
            assert_eq!(folder.report(path), expected);
        }
    }

    #[test]
    fn syntax_errors_are_shown_one_a_line() {
        let text = "version = \n[[route]]\npath = /a\nmodule = 'a.wasm'\nmodule = 'b.wasm'\n";
        insta::assert_snapshot!(report(text), @r"
        error: invalid TOML: string values must be quoted, expected literal string
         --> trilby.toml:1:11
          |
        1 | version = 
          |           ^

        error: invalid TOML: string values must be quoted, expected literal string
         --> trilby.toml:3:8
          |
        3 | path = /a
          |        ^^

        error: invalid TOML: duplicate key
         --> trilby.toml:5:1
          |
        5 | module = 'b.wasm'
          | ^^^^^^
        ");
    }

    #[test]
    fn the_count_is_that_of_the_report() {
        let folder = Folder::new().with("trilby.toml", "version = 1\nx = 1\ny = 2\n");
        match folder.load("") {
            Err(Error::Invalid { report, count }) => {
                assert_eq!(count, 3);
                assert_eq!(report.matches("error: ").count(), 3, "{report}");
            }
            other => panic!("{other:?}"),
        }
    }
}
