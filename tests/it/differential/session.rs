//! One client of one API: its connections, what it remembers, and how answers are told.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::Method;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};
use trilby_dapr::proto::runtime::v1::dapr_client::DaprClient;
use trilby_testkit::{Answer, Client};

use super::normal;
use super::subscription::Subscription;
use super::watch::Watch;

/// The longest that one call may take. It bounds a failing test.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What one case does at one API.
pub(super) struct Session {
    pub(super) client: Client,
    channel: Channel,
    /// A word of the case's own.
    word: String,
    token: Option<String>,
    /// What a step keeps for later ones, such as an ETag.
    kept: HashMap<String, Bytes>,
    pub(super) subscriptions: HashMap<String, Subscription>,
    pub(super) watch: Option<Watch>,
}

impl Session {
    /// A session at an API of these addresses.
    pub(super) fn new(api: &trilby_testkit::Api, word: String) -> Result<Self> {
        let channel = Endpoint::from_shared(format!("http://{}", api.grpc))?.connect_lazy();
        Ok(Self {
            client: Client::new(&format!("http://{}", api.http)),
            channel,
            word,
            token: None,
            kept: HashMap::new(),
            subscriptions: HashMap::new(),
            watch: None,
        })
    }

    /// Shows this `dapr-api-token` from now on.
    pub(super) fn show_token(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    /// The text with the case's own word and with what was kept: `@name` alone is its value.
    pub(super) fn fill(&self, text: &str) -> String {
        if let Some(kept) = text.strip_prefix('@').and_then(|name| self.kept.get(name)) {
            return String::from_utf8_lossy(kept).into_owned();
        }
        normal::fill(text, &self.word)
    }

    /// The same for data, which may be any bytes.
    pub(super) fn fill_bytes(&self, data: &Bytes) -> Bytes {
        match std::str::from_utf8(data) {
            Ok(text) => match text.strip_prefix('@').and_then(|name| self.kept.get(name)) {
                Some(kept) => kept.clone(),
                None => normal::fill(text, &self.word).into(),
            },
            Err(_) => data.clone(),
        }
    }

    pub(super) fn keep(&mut self, name: &str, value: Bytes) {
        self.kept.insert(name.to_owned(), value);
    }

    pub(super) fn kept(&self, name: &str) -> Option<Bytes> {
        self.kept.get(name).cloned()
    }

    pub(super) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(super) fn dapr(&self) -> DaprClient<Channel> {
        DaprClient::new(self.channel.clone())
    }

    /// A gRPC request with the session's token.
    pub(super) fn request<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        request.set_timeout(PATIENCE);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("dapr-api-token", token.parse()?);
        }
        Ok(request)
    }

    /// Sends an HTTP request with the session's token. The path must be filled already.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let token = self.token.as_deref().map(|token| ("dapr-api-token", token));
        let headers: Vec<_> = headers.iter().copied().chain(token).collect();
        let body = body.into();
        let sent = self.client.send(method.clone(), path, &headers, body);
        let answer = tokio::time::timeout(PATIENCE, sent).await;
        answer.context("no answer in time")?.with_context(|| format!("{method} {path}"))
    }
}

/// What of a body means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// Each byte.
    Exact,
    /// JSON: not its white space, nor the order of members.
    Json,
    /// JSON, of which the order of lists means nothing either.
    AnyOrder,
}

/// An HTTP answer as a line: its status, the headers that mean something, its body.
pub(super) fn told(answer: &Answer, body: Body) -> String {
    let mut line = answer.status.as_u16().to_string();
    let mut headers: Vec<_> = answer.headers.iter().filter(|(name, _)| matters(name)).collect();
    headers.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in headers {
        let value = if name == "etag" { "<etag>".into() } else { normal::shown(value.as_bytes()) };
        line.push_str(&format!(" [{name}: {value}]"));
    }
    let is_error = answer.status.is_client_error() || answer.status.is_server_error();
    let body = match body {
        Body::Exact if !is_error => normal::shown(&answer.body),
        Body::AnyOrder => normal::json(&answer.body, true),
        Body::Exact | Body::Json => normal::json(&answer.body, false),
    };
    if body.is_empty() { line } else { format!("{line} {body}") }
}

fn matters(name: &http::HeaderName) -> bool {
    matches!(name.as_str(), "content-type" | "etag" | "location" | "allow")
        || name.as_str().starts_with("metadata.")
        || name.as_str().starts_with("dapr-")
}

/// A gRPC answer as a line: what `show` makes of the message, or code, message and details.
pub(super) fn answered<T>(
    answer: Result<Response<T>, Status>,
    show: impl FnOnce(T) -> String,
) -> String {
    match answer {
        Ok(response) => {
            let shown = show(response.into_inner());
            if shown.is_empty() { "OK".to_owned() } else { format!("OK {shown}") }
        }
        Err(status) => failed(&status),
    }
}

/// A failure: code, message, and the details of `google.rpc`.
pub(super) fn failed(status: &Status) -> String {
    let code = format!("{:?}", status.code());
    let details = details(&status.get_error_details());
    format!("{code} {:?}{details}", status.message())
}

fn details(details: &ErrorDetails) -> String {
    let mut text = String::new();
    if let Some(info) = details.error_info() {
        let metadata = normal::map(&info.metadata);
        text.push_str(&format!(" [ErrorInfo {} {} {metadata}]", info.reason, info.domain));
    }
    if let Some(resource) = details.resource_info() {
        text.push_str(&format!(
            " [ResourceInfo {} {:?} owner={:?} {:?}]",
            resource.resource_type, resource.resource_name, resource.owner, resource.description
        ));
    }
    if let Some(request) = details.bad_request() {
        for violation in &request.field_violations {
            text.push_str(&format!(" [BadRequest {}: {}]", violation.field, violation.description));
        }
    }
    if let Some(help) = details.help() {
        text.push_str(&format!(" [Help {} links]", help.links.len()));
    }
    text
}
