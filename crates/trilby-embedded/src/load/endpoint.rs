//! One YAML document of the kind `HTTPEndpoint`: a server outside Dapr that is invoked like an app.

use std::path::{Path, PathBuf};

use http::Uri;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::Scheme;

use super::document::{From, Item, item};
use super::fields::{Fields, Text, mistake};
use super::node::Node;
use super::resolve::{Context, Owner};
use crate::Error;

/// What the HTTP client says itself.
const OF_THE_CONNECTION: [&str; 5] =
    ["connection", "content-length", "host", "transfer-encoding", "upgrade"];

/// An endpoint as its file describes it, before its references are resolved.
#[derive(Debug)]
pub(crate) struct DeclaredEndpoint {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    /// Where the document begins, from 1.
    pub(crate) line: usize,
    /// The app ids it is for; empty for all.
    pub(crate) scopes: Vec<String>,
    pub(crate) base: Uri,
    headers: Vec<Item>,
    secret_store: Option<Text>,
}

/// An endpoint that can be invoked.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// Its URL; what is invoked comes after its path.
    pub(crate) base: Uri,
    /// What every request has; values may be secret.
    pub(crate) headers: HeaderMap,
}

/// Reads a document of which the kind is known.
pub(super) fn read(file: &Path, node: Node) -> Result<DeclaredEndpoint, Error> {
    let line = node.line;
    let known = ["apiVersion", "kind", "metadata", "spec", "auth", "scopes"];
    let mut top = Fields::open(file, "an HTTP endpoint", node, &known)?;
    top.api_version()?;
    let name = top.name()?.text;
    let scopes = top.scopes()?;
    let secret_store = top.secret_store()?;
    let mut spec = top.needed("spec", &["baseUrl", "headers", "clientTLS"])?;
    if let Some(tls) = spec.take("clientTLS") {
        let message = "the embedded runtime does not have `clientTLS`; it trusts the certificates \
                       that this machine trusts, and a daprd sidecar has the other ones";
        return Err(mistake(file, tls.line, message));
    }
    let base = base(file, spec.required("baseUrl")?)?;
    let headers = spec.list("headers")?.into_iter().map(|node| header(file, node));
    let headers = headers.collect::<Result<_, Error>>()?;
    let file = file.to_owned();
    Ok(DeclaredEndpoint { name, file, line, scopes, base, headers, secret_store })
}

fn base(file: &Path, Text { text, line }: Text) -> Result<Uri, Error> {
    let url = text.parse::<Uri>().ok().filter(|url| {
        let schemes = [Scheme::HTTP, Scheme::HTTPS];
        let is_known = url.scheme().is_some_and(|scheme| schemes.contains(scheme));
        let is_plain = url.authority().is_some_and(|host| !host.as_str().contains('@'));
        is_known && is_plain && url.query().is_none()
    });
    url.ok_or_else(|| {
        let message = format!(
            "`baseUrl` must be `http://host:port/path` or `https://…`, without a user, `?` and \
             `#`; this is `{}`",
            text.split('@').next_back().unwrap_or_default()
        );
        mistake(file, line, message)
    })
}

fn header(file: &Path, node: Node) -> Result<Item, Error> {
    let item = item(file, "a header", node)?;
    let Text { text, line } = &item.name;
    if HeaderName::try_from(text.as_str()).is_err() {
        return Err(mistake(file, *line, format!("`{text}` is no name of a header")));
    }
    if OF_THE_CONNECTION.iter().any(|name| text.eq_ignore_ascii_case(name)) {
        let message = format!("`{text}` is about the connection, and not for a file to set");
        return Err(mistake(file, *line, message));
    }
    if let From::Value(value) = &item.from
        && HeaderValue::try_from(value.as_str()).is_err()
    {
        return Err(mistake(file, *line, format!("the value of `{text}` cannot be a header's")));
    }
    Ok(item)
}

impl DeclaredEndpoint {
    /// The endpoint, with every reference replaced by what it refers to.
    ///
    /// # Errors
    ///
    /// When a secret, its store or an environment variable is missing, or is no header's value.
    pub(crate) fn resolve(&self, context: &Context<'_>) -> Result<Endpoint, Error> {
        let owner = Owner { file: &self.file, secret_store: self.secret_store.as_ref() };
        let mut headers = HeaderMap::new();
        for item in &self.headers {
            let value = owner.value(item, context)?;
            let Text { text, line } = &item.name;
            let header = HeaderName::try_from(text.as_str()).ok();
            let header = header.zip(HeaderValue::try_from(value).ok());
            let Some((name, mut value)) = header else {
                let message = format!("what `{text}` refers to cannot be the value of a header");
                return Err(mistake(&self.file, *line, message));
            };
            value.set_sensitive(!matches!(item.from, From::Value(_)));
            headers.insert(name, value);
        }
        Ok(Endpoint { base: self.base.clone(), headers })
    }
}
