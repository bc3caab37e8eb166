//! A streaming subscription, held open by a case.

use anyhow::{Context, Result, bail};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use trilby_dapr::proto::runtime::v1::subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as Asked;
use trilby_dapr::proto::runtime::v1::subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as Answered;
use trilby_dapr::proto::runtime::v1::topic_event_response::TopicEventResponseStatus as Verdict;
use trilby_dapr::proto::runtime::v1::{
    SubscribeTopicEventsRequestAlpha1, SubscribeTopicEventsRequestInitialAlpha1,
    SubscribeTopicEventsRequestProcessedAlpha1, SubscribeTopicEventsResponseAlpha1,
    TopicEventRequest, TopicEventResponse,
};

use super::session::{PATIENCE, Session, failed};

/// The stream, and what is answered to the next events.
pub(super) struct Subscription {
    sender: mpsc::Sender<SubscribeTopicEventsRequestAlpha1>,
    events: Streaming<SubscribeTopicEventsResponseAlpha1>,
}

impl Subscription {
    /// Opens the stream and waits until the API says that it is a subscription; else its refusal.
    pub(super) async fn open(
        session: &Session,
        initial: SubscribeTopicEventsRequestInitialAlpha1,
    ) -> Result<Result<Self, String>> {
        let (sender, receiver) = mpsc::channel(16);
        sender.send(request(Asked::InitialRequest(initial))).await?;
        let mut request = session.request(ReceiverStream::new(receiver))?;
        // A subscription has no end of its own.
        request.metadata_mut().remove("grpc-timeout");
        let mut dapr = session.dapr();
        let answer = dapr.subscribe_topic_events_alpha1(request);
        let mut events = match timeout(PATIENCE, answer).await.context("no answer in time")? {
            Ok(response) => response.into_inner(),
            Err(status) => return Ok(Err(failed(&status))),
        };
        match next(&mut events).await? {
            Ok(Some(Answered::InitialResponse(_))) => Ok(Ok(Self { sender, events })),
            Ok(other) => bail!("not an initial response: {other:?}"),
            Err(status) => Ok(Err(failed(&status))),
        }
    }

    /// The next event, which gets this answer.
    pub(super) async fn event(&mut self, verdict: Verdict) -> Result<TopicEventRequest> {
        let event = match next(&mut self.events).await? {
            Ok(Some(Answered::EventMessage(event))) => event,
            other => bail!("not an event: {other:?}"),
        };
        let status = Some(TopicEventResponse { status: verdict.into() });
        let processed = SubscribeTopicEventsRequestProcessedAlpha1 { id: event.id.clone(), status };
        self.sender.send(request(Asked::EventProcessed(processed))).await?;
        Ok(event)
    }
}

fn request(asked: Asked) -> SubscribeTopicEventsRequestAlpha1 {
    SubscribeTopicEventsRequestAlpha1 { subscribe_topic_events_request_type: Some(asked) }
}

async fn next(
    events: &mut Streaming<SubscribeTopicEventsResponseAlpha1>,
) -> Result<Result<Option<Answered>, Status>> {
    let message = timeout(PATIENCE, events.message()).await.context("no message in time")?;
    Ok(match message {
        Ok(Some(message)) => Ok(message.subscribe_topic_events_response_type),
        Ok(None) => Ok(None),
        Err(status) => Err(status),
    })
}
