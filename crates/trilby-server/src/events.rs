//! Dapr's deliveries as CGI requests: the event's data on standard input, its attributes in the
//! environment.

use std::borrow::Cow;

use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use trilby_dapr::event::Event;

pub use crate::dapr_app::{binding_path, topic_path};

use crate::body::{RequestBody, request_body};
use crate::outcome::Outcome;

/// Environment variables beyond those of CGI.
pub(crate) type Variables = Vec<(Cow<'static, str>, Cow<'static, str>)>;

const TRIGGER: &str = "TRILBY_TRIGGER";

pub(crate) fn http_variables() -> Variables {
    vec![(TRIGGER.into(), "http".into())]
}

pub(crate) fn binding_variables(name: &str) -> Variables {
    vec![(TRIGGER.into(), "binding".into()), ("BINDING_NAME".into(), name.to_owned().into())]
}

/// Takes a CloudEvents envelope apart: the data becomes the body. A body that is no envelope
/// stays as it is, so that raw payloads reach the guest too.
pub(crate) async fn unwrap(
    request: Request<RequestBody>,
    body_bytes_max: usize,
) -> Result<(Request<RequestBody>, Variables), Outcome> {
    let (mut head, body) = request.into_parts();
    let body = match Limited::new(body, body_bytes_max).collect().await {
        Ok(whole) => whole.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Outcome::BodyTooLarge),
        Err(_) => return Err(Outcome::BodyBrokenOff),
    };
    let mut variables = vec![(TRIGGER.into(), "topic".into())];
    let body = match Event::parse(&body) {
        Ok(event) => {
            let content_type = event.data_content_type.as_deref().unwrap_or("text/plain");
            match HeaderValue::from_str(content_type) {
                Ok(value) => head.headers.insert(header::CONTENT_TYPE, value),
                Err(_) => head.headers.remove(header::CONTENT_TYPE),
            };
            let data = event.data.clone();
            variables.extend(attributes(event));
            data
        }
        Err(_) => body,
    };
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Ok((Request::from_parts(head, request_body(body)), variables))
}

fn attributes(event: Event) -> impl Iterator<Item = (Cow<'static, str>, Cow<'static, str>)> {
    let attributes = [
        ("CE_ID", Some(event.id)),
        ("CE_SOURCE", Some(event.source)),
        ("CE_TYPE", Some(event.event_type)),
        ("CE_SPECVERSION", Some(event.spec_version)),
        ("CE_SUBJECT", event.subject),
        ("CE_TIME", event.time),
        ("CE_TOPIC", Some(event.topic)),
        ("CE_PUBSUBNAME", Some(event.pubsub)),
    ];
    attributes
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        // WASI strings end at a NUL; an attribute that has one is not a sensible attribute.
        .filter(|(_, value)| !value.is_empty() && !value.contains('\0'))
        .map(|(name, value)| (Cow::Borrowed(name), Cow::Owned(value)))
}
