//! Deliveries as CGI requests: the event's data on standard input, its attributes in the
//! environment.

mod bulk;
mod cloud_event;
mod configuration;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use trilby_manifest::{TopicOptions, Trigger as RouteTrigger};

pub use crate::dapr_app::paths::{binding_path, topic_path};

use crate::body::{RequestBody, request_body};
use crate::dapr_app::answers::Meaning;
use crate::entry::Entry;
use crate::outcome::Outcome;
use crate::run::Trigger;

/// Environment variables beyond those of CGI.
pub(crate) type Variables = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// A request in the form that its guest gets.
pub(crate) struct Opened {
    pub(crate) request: Request<RequestBody>,
    pub(crate) variables: Variables,
    /// What the guest's answer is to whoever brought the request.
    pub(crate) meaning: Meaning,
}

/// A request of a client, in which there is nothing to open.
pub(crate) fn http(request: Request<RequestBody>) -> Opened {
    Opened { request, variables: variables("http", &[]), meaning: Meaning::Itself }
}

/// Opens what starts a guest of `entry`.
pub(crate) async fn open(
    request: Request<RequestBody>,
    trigger: &Trigger,
    entry: &Entry,
) -> Result<Opened, Outcome> {
    let body_bytes_max = entry.route.limits.body_in_bytes_max;
    let plain = |request, variables, meaning| Ok(Opened { request, variables, meaning });
    match trigger {
        Trigger::Http { .. } => Ok(http(request)),
        Trigger::Binding(name) => {
            plain(request, variables("binding", &[("BINDING_NAME", name)]), Meaning::Itself)
        }
        Trigger::Job(name) => {
            plain(request, variables("job", &[("JOB_NAME", name)]), Meaning::Verdict)
        }
        Trigger::Topic => {
            let (mut head, body) = whole(request, body_bytes_max).await?;
            let opened = topic(&mut head.headers, body, topic_options(entry));
            let Topic { body, attributes, meaning } = opened;
            let mut all = variables("topic", &[]);
            all.extend(attributes);
            plain(with_body(head, body), all, meaning)
        }
        Trigger::Configuration(store, key) => {
            let (mut head, body) = whole(request, body_bytes_max).await?;
            let change = configuration::read(&body, key)?;
            let names = [
                ("CONFIGURATION_STORE", store.as_str()),
                ("CONFIGURATION_KEY", key.as_str()),
                ("CONFIGURATION_VERSION", change.version.as_str()),
            ];
            set_content_type(&mut head.headers, "text/plain; charset=utf-8");
            let all = variables("configuration", &names);
            plain(with_body(head, change.value.into()), all, Meaning::Itself)
        }
    }
}

/// A topic event for its guest.
struct Topic {
    body: Bytes,
    attributes: Variables,
    meaning: Meaning,
}

/// Takes an event's envelope apart: the data becomes the body, unless the route wants the envelope.
/// A body that is none stays as it is, so that every payload reaches the guest. Several events stay
/// together.
fn topic(headers: &mut HeaderMap, body: Bytes, options: &TopicOptions) -> Topic {
    if options.bulk.is_some()
        && let Some(bulk) = bulk::read(&body)
    {
        let attributes = bulk.variables();
        return Topic { body, attributes, meaning: Meaning::EachOf(bulk.entry_ids()) };
    }
    let Some(event) = cloud_event::read(&body) else {
        return Topic { body, attributes: Variables::new(), meaning: Meaning::Itself };
    };
    event.trace(headers);
    set_content_type(headers, event.content_type(options.envelope));
    let body = if options.envelope { body } else { event.data() };
    Topic { body, attributes: event.variables(), meaning: Meaning::Itself }
}

fn topic_options(entry: &Entry) -> &TopicOptions {
    const NONE: &TopicOptions = &TopicOptions {
        condition: None,
        dead_letter_topic: None,
        bulk: None,
        raw_payload: false,
        envelope: false,
    };
    match &entry.route.trigger {
        RouteTrigger::Topic { options, .. } => options,
        _ => NONE,
    }
}

/// Reads a body to its end.
async fn whole(
    request: Request<RequestBody>,
    body_bytes_max: usize,
) -> Result<(http::request::Parts, Bytes), Outcome> {
    let (head, body) = request.into_parts();
    match Limited::new(body, body_bytes_max).collect().await {
        Ok(whole) => Ok((head, whole.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Err(Outcome::BodyTooLarge),
        Err(_) => Err(Outcome::BodyBrokenOff),
    }
}

fn with_body(mut head: http::request::Parts, body: Bytes) -> Request<RequestBody> {
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Request::from_parts(head, request_body(body))
}

fn set_content_type(headers: &mut HeaderMap, content_type: &str) {
    match HeaderValue::from_str(content_type) {
        Ok(value) => headers.insert(header::CONTENT_TYPE, value),
        Err(_) => headers.remove(header::CONTENT_TYPE),
    };
}

/// The trigger and what names it. A name that is empty says nothing, and one with a NUL cannot be
/// told: WASI strings end there.
fn variables(trigger: &'static str, names: &[(&'static str, &str)]) -> Variables {
    let names = names.iter().filter(|(_, value)| !value.is_empty() && !value.contains('\0'));
    let names = names.map(|&(name, value)| (name.into(), value.to_owned().into()));
    std::iter::once(("TRILBY_TRIGGER".into(), trigger.into())).chain(names).collect()
}
