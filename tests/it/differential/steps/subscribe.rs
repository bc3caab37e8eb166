//! Subscriptions, and the events that they bring. Both protocols use a gRPC stream.

use anyhow::{Context, Result};
use async_trait::async_trait;
use prost::Message as _;
use trilby_dapr::proto::runtime::v1::topic_event_response::TopicEventResponseStatus as Verdict;
use trilby_dapr::proto::runtime::v1::{
    SubscribeTopicEventsRequestInitialAlpha1, TopicEventRequest,
};

use super::{Pairs, filled};
use crate::differential::case::Step;
use crate::differential::normal::shown;
use crate::differential::session::Session;
use crate::differential::subscription::Subscription;

/// Subscribes to a topic.
pub(in crate::differential) struct Subscribe {
    pubsub: &'static str,
    topic: &'static str,
    metadata: Pairs,
    dead_letter: Option<&'static str>,
    first: Verdict,
}

pub(in crate::differential) fn subscribe(pubsub: &'static str, topic: &'static str) -> Subscribe {
    Subscribe { pubsub, topic, metadata: Pairs::new(), dead_letter: None, first: Verdict::Success }
}

impl Subscribe {
    pub(in crate::differential) fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(in crate::differential) fn dead_letter(mut self, topic: &'static str) -> Self {
        self.dead_letter = Some(topic);
        self
    }

    /// The first event gets this answer; the others are acknowledged.
    pub(in crate::differential) fn answering(mut self, verdict: Verdict) -> Self {
        self.first = verdict;
        self
    }
}

#[async_trait]
impl Step for Subscribe {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let initial = SubscribeTopicEventsRequestInitialAlpha1 {
            pubsub_name: self.pubsub.to_owned(),
            topic: session.fill(self.topic),
            metadata: filled(session, &self.metadata),
            dead_letter_topic: self.dead_letter.map(|topic| session.fill(topic)),
        };
        Ok(match Subscription::open(session, initial, self.first).await? {
            Ok(subscription) => {
                session.subscriptions.insert(self.topic.to_owned(), subscription);
                "subscribed".to_owned()
            }
            Err(refused) => format!("subscribe: {refused}"),
        })
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        self.http(session).await
    }
}

/// Takes the next events of a topic; their order means nothing.
pub(in crate::differential) struct Events {
    topic: &'static str,
    count: usize,
}

pub(in crate::differential) fn events(topic: &'static str, count: usize) -> Events {
    Events { topic, count }
}

#[async_trait]
impl Step for Events {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let subscription = session.subscriptions.get_mut(self.topic).context("no subscription")?;
        let mut lines = Vec::new();
        for _ in 0..self.count {
            lines.push(told(&subscription.event().await?));
        }
        // Ids are made up, as a rule, and would sort at random.
        lines.sort_by_key(|line| line.split_once(" source=").map(|(_, rest)| rest.to_owned()));
        Ok(lines.join("\n"))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        self.http(session).await
    }
}

/// Takes the next event of either topic, and tells of which it is.
pub(in crate::differential) struct NextOf([&'static str; 2]);

pub(in crate::differential) fn next_of(topics: [&'static str; 2]) -> NextOf {
    NextOf(topics)
}

#[async_trait]
impl Step for NextOf {
    async fn http(&self, session: &mut Session) -> Result<String> {
        let [one, other] = session.subscriptions.get_disjoint_mut(self.0);
        let (one, other) = (one.context("no subscription")?, other.context("no subscription")?);
        let [first, second] = self.0;
        let (topic, event) = tokio::select! {
            event = one.event() => (first, event?),
            event = other.event() => (second, event?),
        };
        Ok(format!("of {topic}: {}", told(&event)))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        self.http(session).await
    }
}

fn told(event: &TopicEventRequest) -> String {
    // The project's own subset of the protocol has them as the bytes of a `Struct`.
    let extensions = prost_types::Struct::decode(event.extensions.clone()).unwrap_or_default();
    let extensions = extensions.fields.iter();
    let mut extensions: Vec<_> =
        extensions.map(|(name, value)| format!("{name}={}", value_of(value))).collect();
    extensions.sort();
    format!(
        "event: id={:?} source={:?} type={:?} spec={:?} content-type={:?} topic={:?} pubsub={:?} \
         path={:?} extensions={{{}}} {}",
        event.id,
        event.source,
        event.r#type,
        event.spec_version,
        event.data_content_type,
        event.topic,
        event.pubsub_name,
        event.path,
        extensions.join(", "),
        shown(&event.data)
    )
}

fn value_of(value: &prost_types::Value) -> String {
    use prost_types::value::Kind;
    match &value.kind {
        Some(Kind::StringValue(text)) => format!("{text:?}"),
        Some(Kind::NumberValue(number)) => number.to_string(),
        Some(Kind::BoolValue(flag)) => flag.to_string(),
        Some(Kind::NullValue(_)) | None => "null".to_owned(),
        Some(Kind::ListValue(list)) => format!("{} values", list.values.len()),
        Some(Kind::StructValue(members)) => format!("{} members", members.fields.len()),
    }
}
