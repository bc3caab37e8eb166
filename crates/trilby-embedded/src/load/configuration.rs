//! One YAML document of the kind `Configuration`: settings of the whole runtime.
//!
//! What the embedded runtime does not have is known, and named in the log as without effect. daprd
//! reads this kind from the file of its flag `--config` only.

use std::collections::BTreeMap;
use std::path::Path;

use super::fields::{Fields, Text, list, mistake, text};
use super::node::Node;
use super::types::nearest;
use crate::Error;
use crate::settings::{
    ApiAccess, ApiProtocol, ApiRule, GROUPS, Otel, SecretScope, SecretScopes, Settings, Tracing,
    VERSIONS,
};

const SPEC: [&str; 16] = [
    "accessControl",
    "api",
    "appHttpPipeline",
    "components",
    "features",
    "httpPipeline",
    "logging",
    "metric",
    "metrics",
    "mtls",
    "nameResolution",
    "secrets",
    "tracing",
    "wasm",
    "workflow",
    "workflowAccessPolicies",
];

/// What is read here and has an effect, or says by itself that it has none.
const READ: [&str; 3] = ["api", "secrets", "tracing"];

/// Reads a document of which the kind is known.
pub(super) fn read(file: &Path, node: Node) -> Result<Settings, Error> {
    let line = node.line;
    let known = ["apiVersion", "kind", "metadata", "spec", "scopes"];
    let mut top = Fields::open(file, "a configuration", node, &known)?;
    top.api_version()?;
    let name = top.name()?.text;
    let scopes = top.scopes()?;
    let mut settings =
        Settings { place: Some((name, file.to_owned(), line)), scopes, ..Settings::default() };
    let Some(mut spec) = top.map("spec", &SPEC)? else {
        return Ok(settings);
    };
    let idle = SPEC.iter().filter(|key| !READ.contains(key) && spec.take(key).is_some());
    let idle: Vec<&str> = idle.copied().collect();
    if !idle.is_empty() {
        let (file, keys) = (file.display(), list(&idle));
        tracing::warn!(%file, line, "the embedded runtime does not have {keys}: no effect");
    }
    if let Some(fields) = spec.map("tracing", &["samplingRate", "stdout", "zipkin", "otel"])? {
        settings.tracing = Some(tracing(file, fields)?);
        tracing::info!(file = %file.display(), line, "`tracing` has no effect yet");
    }
    if let Some(mut fields) = spec.map("secrets", &["scopes"])? {
        settings.secrets = secrets(file, fields.list("scopes")?)?;
    }
    if let Some(mut fields) = spec.map("api", &["allowed", "denied"])? {
        settings.api = ApiAccess {
            allowed: rules(file, fields.list("allowed")?)?,
            denied: rules(file, fields.list("denied")?)?,
        };
    }
    Ok(settings)
}

fn tracing(file: &Path, mut fields: Fields<'_>) -> Result<Tracing, Error> {
    let sampling_rate = match fields.text("samplingRate")? {
        None => None,
        Some(Text { text, line }) => {
            let rate = text.parse::<f64>().ok().filter(|rate| (0.0..=1.0).contains(rate));
            let message =
                || format!("`samplingRate` must be a number from 0 to 1; this is `{text}`");
            Some(rate.ok_or_else(|| mistake(file, line, message()))?)
        }
    };
    let zipkin = fields.map("zipkin", &["endpointAddress"])?;
    let zipkin = zipkin.map(|mut zipkin| zipkin.text("endpointAddress")).transpose()?.flatten();
    let known = ["protocol", "endpointAddress", "isSecure", "headers", "timeout"];
    let otel = match fields.map("otel", &known)? {
        None => None,
        Some(mut otel) => Some(Otel {
            endpoint: otel.text("endpointAddress")?.unwrap_or_default().text,
            protocol: otel.text("protocol")?.map(|protocol| protocol.text),
            // daprd's default.
            is_secure: otel.optional_flag("isSecure")?.unwrap_or(true),
        }),
    };
    let stdout = fields.flag("stdout")?;
    Ok(Tracing { sampling_rate, stdout, zipkin: zipkin.map(|address| address.text), otel })
}

fn secrets(file: &Path, nodes: Vec<Node>) -> Result<SecretScopes, Error> {
    let mut scopes: BTreeMap<String, SecretScope> = BTreeMap::new();
    let known = ["storeName", "defaultAccess", "allowedSecrets", "deniedSecrets"];
    for node in nodes {
        let mut fields = Fields::open(file, "a scope of secrets", node, &known)?;
        let store = fields.required("storeName")?;
        let access = fields.text("defaultAccess")?.unwrap_or_default();
        let is_denied_by_default = match access.text.to_ascii_lowercase().as_str() {
            "" | "allow" => false,
            "deny" => true,
            _ => {
                let message =
                    format!("`defaultAccess` must be allow or deny; this is `{}`", access.text);
                return Err(mistake(file, access.line, message));
            }
        };
        let mut names = |key: &str| {
            let names = fields.list(key)?.into_iter();
            names.map(|node| Ok(text(file, key, node)?.text)).collect::<Result<_, Error>>()
        };
        let scope = SecretScope {
            line: store.line,
            is_denied_by_default,
            allowed: names("allowedSecrets")?,
            denied: names("deniedSecrets")?,
        };
        if let Some(first) = scopes.insert(store.text.clone(), scope) {
            let message = format!(
                "the store `{}` has a scope already, on line {}; make one of both",
                store.text, first.line
            );
            return Err(mistake(file, store.line, message));
        }
    }
    Ok(SecretScopes(scopes))
}

fn rules(file: &Path, nodes: Vec<Node>) -> Result<Vec<ApiRule>, Error> {
    nodes.into_iter().map(|node| rule(file, node)).collect()
}

/// What daprd lets pass without effect is a mistake here: whoever denies something means it.
fn rule(file: &Path, node: Node) -> Result<ApiRule, Error> {
    let known = ["name", "version", "protocol"];
    let mut fields = Fields::open(file, "a rule of `api`", node, &known)?;
    let name = fields.required("name")?;
    if !GROUPS.contains(&name.text.as_str()) {
        let hint = nearest(&name.text, &GROUPS).map_or_else(
            || format!("there are {}", list(&GROUPS)),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("there is no API `{}`; {hint}", name.text);
        return Err(mistake(file, name.line, message));
    }
    let version = fields.required("version")?;
    let found =
        VERSIONS.iter().find(|(plain, path)| version.text == *plain || version.text == *path);
    let Some((plain, _)) = found else {
        let all = VERSIONS.map(|(plain, _)| plain);
        let message =
            format!("`version` must be one of {}; this is `{}`", list(&all), version.text);
        return Err(mistake(file, version.line, message));
    };
    let protocol = fields.required("protocol")?;
    let protocol = match protocol.text.to_ascii_lowercase().as_str() {
        "http" => ApiProtocol::Http,
        "grpc" => ApiProtocol::Grpc,
        _ => {
            let message = format!("`protocol` must be http or grpc; this is `{}`", protocol.text);
            return Err(mistake(file, protocol.line, message));
        }
    };
    Ok(ApiRule { name: name.text, version: plain, protocol })
}
