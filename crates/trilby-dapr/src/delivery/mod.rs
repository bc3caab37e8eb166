//! Deliveries as HTTP requests in the form of daprd's HTTP app channel, and what their answers
//! mean: one form and one table, whatever brings the event.

mod bulk;
mod topic_event;
mod verdict;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use percent_encoding::{
    AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode,
};
use serde_json::json;

pub use bulk::{BulkEntry, BulkEvents};
pub use topic_event::{envelope, json_of};
pub use verdict::Verdict;

use crate::configuration::ConfigurationItem;
use crate::jobs::JobData;

/// The media type of a CloudEvent in JSON.
pub const CLOUD_EVENT: &str = "application/cloudevents+json";

/// What cannot stand in the path of a URL (RFC 3986, section 3.3), but for `%`, which a text that is
/// encoded already has.
pub const NOT_IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What cannot stand in one segment of it.
pub const NOT_IN_SEGMENT: &AsciiSet = &NOT_IN_PATH.add(b'/').add(b'%');

/// Below this path come jobs: `/job/NAME`.
const JOBS: &str = "/job/";

/// Below this path come changes of configuration: `/configuration/STORE/KEY`.
const CONFIGURATION: &str = "/configuration/";

/// The path of a delivery. It is one of ours, or was looked at when it was read: one that is none
/// becomes `/`.
#[must_use]
pub fn path(text: &str) -> Uri {
    text.parse().unwrap_or_else(|_| Uri::from_static("/"))
}

/// A delivery with a body of a media type, which stands for any that `headers` have.
#[must_use]
pub fn post(
    path: Uri,
    headers: HeaderMap,
    content_type: &'static str,
    body: Bytes,
) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path;
    *request.headers_mut() = headers;
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    request
}

/// A job that is due. As daprd does, every job's data is called JSON.
#[must_use]
pub fn job(name: &str, data: Option<&JobData>) -> Request<Bytes> {
    let body = match data {
        Some(data) => data.bytes().clone(),
        None => Bytes::new(),
    };
    let path = path(&format!("{JOBS}{}", encoded(name)));
    post(path, HeaderMap::new(), "application/json", body)
}

/// The job that a path is for.
#[must_use]
pub fn job_of(path: &str) -> Option<String> {
    decoded(path.strip_prefix(JOBS)?)
}

/// A change of configuration: the new value, which is empty when the key was deleted.
#[must_use]
pub fn configuration(store: &str, key: &str, item: &ConfigurationItem) -> Request<Bytes> {
    let path = path(&format!("{CONFIGURATION}{}/{}", encoded(store), encoded(key)));
    let item = json!({
        "value": item.value, "version": item.version, "metadata": item.metadata
    });
    let body = json!({ "id": "", "items": { key: item } }).to_string();
    post(path, HeaderMap::new(), "application/json", body.into())
}

/// The store and the key that a path is for.
#[must_use]
pub fn configuration_of(path: &str) -> Option<(String, String)> {
    let (store, key) = path.strip_prefix(CONFIGURATION)?.split_once('/')?;
    Some((decoded(store)?, decoded(key)?))
}

fn encoded(name: &str) -> impl std::fmt::Display {
    utf8_percent_encode(name, NON_ALPHANUMERIC)
}

fn decoded(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    (!text.is_empty()).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_back_to_names() {
        for name in ["nightly", "a b/ü%2F#?"] {
            let request = job(name, None);
            assert_eq!(job_of(request.uri().path()).as_deref(), Some(name));
            let request = configuration("s/1", name, &ConfigurationItem::default());
            let names = Some(("s/1".to_owned(), name.to_owned()));
            assert_eq!(configuration_of(request.uri().path()), names);
        }
        for path in ["/job/", "/jobs/a", "/configuration/a", "/configuration//b"] {
            assert_eq!((job_of(path), configuration_of(path)), (None, None), "{path}");
        }
    }

    #[test]
    fn a_change_is_told_as_daprd_does() {
        let item = ConfigurationItem { value: "1".into(), version: "2".into(), ..<_>::default() };
        let expected = r#"{"id":"","items":{"k":{"metadata":{},"value":"1","version":"2"}}}"#;
        assert_eq!(configuration("s", "k", &item).into_body(), expected);
    }
}
