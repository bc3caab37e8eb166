use super::*;

impl Engine {
    /// An engine of which each module may have `instances_max` instances at once.
    pub(crate) fn pooled(instances_max: usize) -> Self {
        let settings = EngineSettings { memory_bytes_max: 1 << 20, instances_max, cache: None };
        let inner = wasmtime::Engine::new(&config(Some(&settings))).expect("has room");
        Self::ticking(inner, None).expect("has a thread")
    }

    /// The engine of a machine that cannot reserve a pool.
    pub(crate) fn on_demand() -> Self {
        let inner = wasmtime::Engine::new(&config(None)).expect("runs here");
        Self::ticking(inner, None).expect("has a thread")
    }
}

fn refused(engine: &Engine, content: &[u8]) -> Option<String> {
    engine.compile(content).err().map(|error| error.to_string())
}

#[test]
fn what_no_instance_can_hold_is_refused_at_load() {
    let shapes = [
        ("(module (memory 1) (table 200000 funcref) (table 1 funcref))", None),
        ("(module (table 200001 funcref))", Some("200001")),
        ("(module (table 1 funcref) (table 1 funcref) (table 1 funcref))", Some("3")),
        ("(module (memory 1) (memory 1))", Some("2")),
    ];
    for engine in [Engine::pooled(1), Engine::on_demand()] {
        for (wat, needle) in shapes {
            let error = refused(&engine, wat.as_bytes());
            let told = error.as_ref().map(|text| {
                let needle = needle.unwrap_or("nothing");
                text.contains("(1 memory, 2 tables of 200000 elements)") && text.contains(needle)
            });
            assert_eq!(told, needle.map(|_| true), "{wat}: {error:?}");
        }
    }
}

#[test]
fn a_memory_that_begins_beyond_every_limit_is_told_apart() {
    let engine = Engine::pooled(1);
    let error = engine.compile(b"(module (memory 17))").err();
    assert!(matches!(error, Some(Error::TooLarge(_))), "{error:?}");
    let module = engine.compile(b"(module (memory 16))").expect("fits");
    assert_eq!(module.memory_bytes_min(), 1 << 20);
    assert!(!module.cached);
}

#[test]
fn what_is_not_a_core_module_is_refused() {
    let engine = Engine::pooled(1);
    for (content, needle) in [
        (&b"\0asm\x0d\0\x01\0"[..], "component"),
        (b"\0asm\x01\0\0\0\xff", "not a valid WebAssembly module"),
        (b"(module (func (export \"f\") (result i32)))", "type mismatch"),
        (b"\xff\xfe", "neither a binary module nor WebAssembly text"),
    ] {
        let error = refused(&engine, content).unwrap_or_default();
        assert!(error.contains(needle), "{error}");
    }
}

#[test]
fn imports_are_listed_with_their_modules() {
    let engine = Engine::pooled(1);
    let wat = b"(module (import \"b\" \"x\" (func)) (import \"a\" \"x\" (func)) \
        (import \"b\" \"y\" (func)))";
    let module = engine.compile(wat).expect("valid");
    let expected = [("b", "x"), ("a", "x"), ("b", "y")].map(|(m, n)| (m.into(), n.into()));
    assert_eq!(module.imports(), expected);
    assert_eq!(module.memory_bytes_min(), 0);
}
