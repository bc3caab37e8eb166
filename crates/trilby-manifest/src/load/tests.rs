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
    let Loaded { app, warnings, .. } = folder.load("My App.WAT").expect("valid");
    assert_eq!(warnings, [""; 0]);
    assert_eq!(app.name, "My-App");
    assert_eq!(app.file, folder.path().join("My App.WAT"));
    assert_eq!(app.root, folder.path());
    assert_eq!(app.components, None);
    let [route] = app.routes.as_slice() else { panic!("one route") };
    let trigger = Trigger::Http { path: "/...".into(), methods: vec![], host: None };
    assert_eq!(route.trigger, trigger);
    assert_eq!(route.target, Target::Module(app.file.clone()));
    assert_eq!(route.entrypoint, "_start");
    assert_eq!((route.limits.clone(), route.origins.clone()), limits::standard().of_route());
    assert_eq!(app.server, limits::standard().into_server());
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
    std::fs::write(folder.path().join("bad.toml"), b"a = 1\n\xc3\xa9 = \xff").expect("can write");
    for (path, expected) in [
        ("none", "cannot read none: No such file or directory (os error 2)"),
        ("x.txt", "x.txt is neither a manifest (`.toml`) nor a module (`.wasm`, `.wat`)"),
        (
            "data",
            "data has neither `trilby.toml` nor `modules.toml`; name another folder, a \
             manifest, or a `.wasm` or `.wat` file",
        ),
        ("big.toml", "big.toml is larger than 1048576 bytes, the most that a manifest may have"),
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

#[test]
fn later_stages_report_as_this_one_does() {
    let text = "version = 1\n\n[[route]]\npath = \"/\"\nmodule = \"a.wasm\"\n";
    let folder = Folder::new().with("trilby.toml", text);
    let loaded = folder.load("").expect("valid");
    let place = &loaded.app.routes[0].place;
    let show = |place, part, help| {
        folder.relative(&loaded.report(place, part, "it is not a module", help))
    };
    insta::assert_snapshot!(show(place, Part::Module, Some("build it")), @r#"
    error: it is not a module
     --> trilby.toml:5:10
      |
    5 | module = "a.wasm"
      |          ^^^^^^^^
      |
      = help: build it
    "#);
    insta::assert_snapshot!(show(place, Part::Grants, None), @r"
    error: it is not a module
     --> trilby.toml:3:1
      |
    3 | [[route]]
      | ^^^^^^^^^
    ");
    let bare = Place { line: 4, ..Place::default() };
    let report = show(&bare, Part::Grants, None);
    assert!(report.contains("--> trilby.toml:4:1\n"), "{report}");
}

#[test]
fn a_single_module_is_reported_by_its_name() {
    let folder = Folder::new();
    let loaded = folder.load("a.wasm").expect("valid");
    let place = &loaded.app.routes[0].place;
    let report = loaded.report(place, Part::Module, "it is not a module", Some("build it"));
    let expected = "error: a.wasm: it is not a module\n  = help: build it";
    assert_eq!(folder.relative(&report), expected);
}
