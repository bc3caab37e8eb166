//! Which layer of an artifact is the module.

use serde::Deserialize;

use crate::{Digest, Error, Reference};

/// The largest manifest that is read: 4 MiB, which registries keep to as well (OCI distribution
/// spec, pushing manifests).
pub(crate) const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The media types of a module: WAGI's, and that of today's tools (CNCF Wasm OCI artifact).
const MODULE_TYPES: [&str; 2] = ["application/vnd.wasm.content.layer.v1+wasm", "application/wasm"];
/// How many media types a message names.
const TYPES_SHOWN_MAX: usize = 8;

/// What a manifest leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Selected {
    /// The layer that is the module.
    Layer(Layer),
    /// The manifest to read next: this one is an index.
    Manifest(Digest),
}

/// The layer that is the module.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) size_bytes: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u32,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    architecture: String,
}

/// Picks the module out of the manifest, or the next manifest out of an index.
pub(crate) fn select(reference: &Reference, bytes: &[u8]) -> Result<Selected, Error> {
    let unusable = |problem: String| Error::Manifest { reference: reference.to_string(), problem };
    let document: Document =
        serde_json::from_slice(bytes).map_err(|error| unusable(error.to_string()))?;
    if document.schema_version != 2 {
        return Err(unusable(format!("schema version {} is not 2", document.schema_version)));
    }
    match (document.layers, document.manifests) {
        // One digest would mean two things to two readers (CVE-2021-41190).
        (Some(_), Some(_)) => Err(unusable("it has both `layers` and `manifests`".to_owned())),
        (Some(layers), None) => module(reference, layers).map(Selected::Layer),
        (None, Some(manifests)) => index(reference, manifests).map(Selected::Manifest),
        (None, None) => Err(unusable("it has no `layers`".to_owned())),
    }
}

fn module(reference: &Reference, layers: Vec<Descriptor>) -> Result<Layer, Error> {
    let found = media_types(&layers);
    let layer = layers
        .into_iter()
        .find(|layer| MODULE_TYPES.contains(&layer.media_type.as_str()))
        .ok_or_else(|| Error::NoModule { reference: reference.to_string(), found })?;
    let digest = digest(reference, &layer.digest)?;
    Ok(Layer { digest, media_type: layer.media_type, size_bytes: layer.size })
}

/// The manifest for Wasm in an index; without platforms the only one.
fn index(reference: &Reference, manifests: Vec<Descriptor>) -> Result<Digest, Error> {
    let is_wasm = |entry: &&Descriptor| {
        entry.platform.as_ref().is_some_and(|platform| platform.architecture == "wasm")
    };
    let entry = match manifests.as_slice() {
        [only] if only.platform.is_none() => Some(only),
        entries => entries.iter().find(is_wasm),
    };
    let entry = entry.ok_or_else(|| Error::Manifest {
        reference: reference.to_string(),
        problem: "it is an index in which nothing has the architecture `wasm`".to_owned(),
    })?;
    digest(reference, &entry.digest)
}

fn digest(reference: &Reference, text: &str) -> Result<Digest, Error> {
    Digest::parse(text).ok_or_else(|| Error::Manifest {
        reference: reference.to_string(),
        problem: format!("`{}` is not a SHA-256 digest", one_line(text)),
    })
}

fn media_types(layers: &[Descriptor]) -> String {
    if layers.is_empty() {
        return "no layers".to_owned();
    }
    let shown = layers.iter().take(TYPES_SHOWN_MAX);
    let mut text = shown
        .map(|layer| format!("`{}`", one_line(&layer.media_type)))
        .collect::<Vec<_>>()
        .join(", ");
    if layers.len() > TYPES_SHOWN_MAX {
        text.push_str(&format!(" and {} more", layers.len() - TYPES_SHOWN_MAX));
    }
    text
}

/// Text of a registry, fit for a message: short, and without what would move a terminal's cursor.
pub(crate) fn one_line(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    let mut line: String =
        text.trim().chars().take(CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().chars().nth(CHARS_MAX).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAGI: &str = "application/vnd.wasm.content.layer.v1+wasm";

    fn reference() -> Reference {
        Reference::parse("ghcr.io/acme/hello:1").unwrap()
    }

    fn descriptor(media_type: &str, content: &str, more: &str) -> String {
        let digest = Digest::of(content.as_bytes());
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":7{more}}}"#)
    }

    fn image(layers: &[String]) -> String {
        format!(r#"{{"schemaVersion":2,"layers":[{}]}}"#, layers.join(","))
    }

    fn image_index(entries: &[String]) -> String {
        format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","))
    }

    fn platform(architecture: &str) -> String {
        format!(r#","platform":{{"os":"linux","architecture":"{architecture}"}}"#)
    }

    #[test]
    fn the_first_layer_that_is_a_module_is_taken() {
        let tar = descriptor("application/vnd.oci.image.layer.v1.tar+gzip", "tar", "");
        let first = descriptor("application/wasm", "first", "");
        let second = descriptor(WAGI, "second", "");
        for (layers, content, media_type) in [
            (vec![first.clone()], "first", "application/wasm"),
            (vec![second.clone()], "second", WAGI),
            (vec![tar.clone(), first.clone(), second.clone()], "first", "application/wasm"),
            (vec![tar, second, first], "second", WAGI),
        ] {
            let layer = Layer {
                digest: Digest::of(content.as_bytes()),
                media_type: media_type.to_owned(),
                size_bytes: 7,
            };
            let selected = select(&reference(), image(&layers).as_bytes()).unwrap();
            assert_eq!(selected, Selected::Layer(layer));
        }
    }

    #[test]
    fn an_index_leads_to_its_manifest_for_wasm() {
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let amd64 = descriptor(kind, "amd64", &platform("amd64"));
        let wasm = descriptor(kind, "wasm", &platform("wasm"));
        for (entries, content) in
            [(vec![amd64, wasm], "wasm"), (vec![descriptor(kind, "only", "")], "only")]
        {
            let selected = select(&reference(), image_index(&entries).as_bytes()).unwrap();
            assert_eq!(selected, Selected::Manifest(Digest::of(content.as_bytes())));
        }
    }

    #[test]
    fn what_holds_no_module_is_refused_with_what_it_holds() {
        let tar = descriptor("application/tar", "tar", "");
        let amd64 = descriptor("m", "a", &platform("amd64"));
        let sha512 =
            format!(r#"{{"mediaType":"{WAGI}","digest":"sha512:{}","size":7}}"#, "0".repeat(128));
        let negative = descriptor(WAGI, "x", "").replace(":7", ":-7");
        let both = format!(r#"{{"schemaVersion":2,"layers":[{tar}],"manifests":[{amd64}]}}"#);
        for (text, part) in [
            (image(&[]), "it has no layers"),
            (image(std::slice::from_ref(&tar)), "it has `application/tar`, and a module is"),
            (image(&vec![tar; 10]), "and 2 more"),
            (image(&[sha512]), "is not a SHA-256 digest"),
            (image(&[negative]), "-7"),
            (image_index(&[amd64]), "architecture `wasm`"),
            (image_index(&[]), "architecture `wasm`"),
            (both, "both `layers` and `manifests`"),
            (r#"{"schemaVersion":1,"layers":[]}"#.to_owned(), "schema version 1"),
            (r#"{"schemaVersion":2}"#.to_owned(), "no `layers`"),
            ("<html>".to_owned(), "expected value"),
        ] {
            let message = select(&reference(), text.as_bytes()).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn a_line_of_a_registry_is_short_and_without_controls() {
        assert_eq!(one_line(" a\nb\u{1b}[2J "), "a b [2J");
        assert_eq!(one_line(&"x".repeat(300)).chars().count(), 201);
    }
}
