//! What comes by itself: events, changes of configuration; and jobs.
//!
//! The crate has no function for a streaming subscription, but the client that is generated from
//! Dapr's definitions.

use anyhow::{Context, Result, bail};
use dapr::client::JobBuilder;
use dapr::dapr::proto::runtime::v1::topic_event_response::TopicEventResponseStatus as Status;
use dapr::dapr::proto::runtime::v1::{
    SubscribeTopicEventsRequestAlpha1, SubscribeTopicEventsRequestInitialAlpha1,
    SubscribeTopicEventsRequestProcessedAlpha1, SubscribeTopicEventsResponseAlpha1,
    TopicEventRequest, TopicEventResponse, subscribe_topic_events_request_alpha1 as request,
    subscribe_topic_events_response_alpha1 as response,
};
use prost_types::Any;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::{Client, PATIENCE, fails, generated, same, variable};

use request::SubscribeTopicEventsRequestType as ToDapr;
use response::SubscribeTopicEventsResponseType as FromDapr;

/// A streaming subscription.
struct Subscription {
    requests: mpsc::Sender<SubscribeTopicEventsRequestAlpha1>,
    responses: Streaming<SubscribeTopicEventsResponseAlpha1>,
}

impl Subscription {
    async fn open(topic: &str) -> Result<Self> {
        let mut client = generated().await?;
        let (requests, queue) = mpsc::channel(8);
        let initial = SubscribeTopicEventsRequestInitialAlpha1 {
            pubsub_name: "pubsub".to_owned(),
            topic: topic.to_owned(),
            ..Default::default()
        };
        let request = ToDapr::InitialRequest(initial);
        requests.send(request_of(request)).await?;
        let responses = client.subscribe_topic_events_alpha1(ReceiverStream::new(queue)).await?;
        let mut subscription = Self { requests, responses: responses.into_inner() };
        match subscription.receive().await? {
            FromDapr::InitialResponse(_) => Ok(subscription),
            other => bail!("it begins with {other:?}"),
        }
    }

    async fn receive(&mut self) -> Result<FromDapr> {
        let response = timeout(PATIENCE, self.responses.message()).await.context("nothing came")?;
        let response = response?.context("the stream has ended")?;
        response.subscribe_topic_events_response_type.context("an empty message")
    }

    async fn event(&mut self) -> Result<TopicEventRequest> {
        match self.receive().await? {
            FromDapr::EventMessage(event) => Ok(event),
            other => bail!("no event: {other:?}"),
        }
    }

    async fn answer(&self, id: String, status: Status) -> Result<()> {
        let status = Some(TopicEventResponse { status: status.into() });
        let processed = SubscribeTopicEventsRequestProcessedAlpha1 { id, status };
        let request = ToDapr::EventProcessed(processed);
        Ok(self.requests.send(request_of(request)).await?)
    }
}

fn request_of(request: ToDapr) -> SubscribeTopicEventsRequestAlpha1 {
    SubscribeTopicEventsRequestAlpha1 { subscribe_topic_events_request_type: Some(request) }
}

pub(crate) async fn publish_and_subscribe(client: &mut Client) -> Result<()> {
    let mut orders = Subscription::open("orders").await?;
    let order = br#"{"id":7}"#;
    client.publish_event("pubsub", "orders", "application/json", order.to_vec(), None).await?;
    let event = orders.event().await?;
    same((&*event.data, &*event.data_content_type), (order.as_slice(), "application/json"))?;
    let source = variable("APP_ID")?;
    same([&*event.topic, &event.pubsub_name, &event.source], ["orders", "pubsub", &source])?;
    same([&*event.r#type, &event.spec_version], ["com.dapr.event.sent", "1.0"])?;
    orders.answer(event.id, Status::Success).await?;
    client.publish_event("pubsub", "orders", "text/plain", b"plain".to_vec(), None).await?;
    let event = orders.event().await?;
    same(&*event.data, b"plain")?;
    orders.answer(event.id, Status::Success).await?;
    let unknown = client.publish_event("nowhere", "t", "text/plain", Vec::new(), None).await;
    fails(unknown, "InvalidArgument")
}

/// An event that is wanted again comes again.
pub(crate) async fn subscribe_again(client: &mut Client) -> Result<()> {
    let mut batches = Subscription::open("batches").await?;
    // `pubsub.in-memory` of daprd keeps its publisher until its events are done.
    let ((), seen) = tokio::try_join!(publish_two(client), refuse_one(&mut batches))?;
    same(seen, ["one", "one", "two"].map(|data| data.as_bytes().to_vec()).to_vec())
}

async fn publish_two(client: &mut Client) -> Result<()> {
    for data in ["one", "two"] {
        client.publish_event("pubsub", "batches", "text/plain", data.into(), None).await?;
    }
    Ok(())
}

/// Wants the first event again, and tells the data of all, sorted.
async fn refuse_one(batches: &mut Subscription) -> Result<Vec<Vec<u8>>> {
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let event = batches.event().await?;
        let again = event.data == b"one" && !seen.contains(&event.data);
        let status = if again { Status::Retry } else { Status::Success };
        batches.answer(event.id, status).await?;
        seen.push(event.data);
    }
    seen.sort();
    Ok(seen)
}

#[expect(clippy::print_stdout, reason = "whoever runs the program waits for it")]
pub(crate) async fn configuration(client: &mut Client) -> Result<()> {
    let items = client.get_configuration("configuration", vec!["color", "missing"], None).await?;
    let items: Vec<_> = items.items.into_iter().map(|(key, i)| (key, i.value, i.version)).collect();
    same(items, vec![("color".to_owned(), "red".to_owned(), "1".to_owned())])?;
    let mut changes = client.subscribe_configuration("configuration", vec!["color"], None).await?;
    let first = timeout(PATIENCE, changes.message()).await?.context("nothing came")?;
    let id = first.context("the stream has ended")?.id;
    // Whoever runs this sets the color to blue now.
    println!("waiting for blue");
    loop {
        let change = timeout(PATIENCE, changes.message()).await?.context("nothing came")?;
        let change = change.context("the stream has ended")?;
        if change.items.get("color").is_some_and(|item| item.value == "blue") {
            break;
        }
    }
    same(client.unsubscribe_configuration("configuration", &id).await?.ok, true)
}

pub(crate) async fn jobs(client: &mut Client) -> Result<()> {
    let data = Any { type_url: "type.googleapis.com/test".to_owned(), value: b"work".to_vec() };
    let job = JobBuilder::new("later").with_schedule("@every 1h").with_repeats(3).with_data(data);
    client.schedule_job(job.build(), None).await?;
    let job = client.get_job("later").await?.job.context("no job")?;
    same(
        (&*job.name, job.schedule.as_deref(), job.repeats),
        ("later", Some("@every 1h"), Some(3)),
    )?;
    same(&*job.data.context("no data")?.value, b"work")?;
    client.delete_job("later").await?;
    fails(client.get_job("later").await, "Internal")
}
