//! A streaming subscription, held open by a case.

use anyhow::{Context, Result, bail};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use trilby_dapr::proto::runtime::v1;
use trilby_dapr::proto::runtime::v1::topic_event_response::TopicEventResponseStatus as Verdict;
use trilby_dapr::proto::runtime::v1::{
    SubscribeTopicEventsRequestAlpha1, SubscribeTopicEventsRequestInitialAlpha1,
    SubscribeTopicEventsRequestProcessedAlpha1, SubscribeTopicEventsResponseAlpha1,
    TopicEventRequest, TopicEventResponse,
};

use super::session::{PATIENCE, Session, failed};

use v1::subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as Asked;
use v1::subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as Answered;

/// Events as they come. Each is answered at once, since daprd's in-memory topics take no event
/// while another one waits for its answer.
pub(super) struct Subscription {
    events: mpsc::Receiver<Result<TopicEventRequest, String>>,
    task: JoinHandle<()>,
}

/// How many events may wait to be looked at.
const EVENTS_MAX: usize = 64;

impl Subscription {
    /// Opens the stream and waits until the API says that it is a subscription; else its refusal.
    /// The first event gets this answer, the others are acknowledged.
    pub(super) async fn open(
        session: &Session,
        initial: SubscribeTopicEventsRequestInitialAlpha1,
        first: Verdict,
    ) -> Result<Result<Self, String>> {
        let (sender, receiver) = mpsc::channel(EVENTS_MAX);
        sender.send(request(Asked::InitialRequest(initial))).await?;
        let mut request = session.request(ReceiverStream::new(receiver))?;
        // A subscription has no end of its own.
        request.metadata_mut().remove("grpc-timeout");
        let mut dapr = session.dapr();
        let answer = dapr.subscribe_topic_events_alpha1(request);
        let mut stream = match timeout(PATIENCE, answer).await.context("no answer in time")? {
            Ok(response) => response.into_inner(),
            Err(status) => return Ok(Err(failed(&status))),
        };
        let message = timeout(PATIENCE, next(&mut stream)).await.context("no message in time")?;
        match message {
            Ok(Some(Answered::InitialResponse(_))) => {}
            Ok(other) => bail!("not an initial response: {other:?}"),
            Err(status) => return Ok(Err(failed(&status))),
        }
        let (taken, events) = mpsc::channel(EVENTS_MAX);
        let task = tokio::spawn(take(stream, sender, taken, first));
        Ok(Ok(Self { events, task }))
    }

    /// The next event.
    pub(super) async fn event(&mut self) -> Result<TopicEventRequest> {
        let event = timeout(PATIENCE, self.events.recv()).await.context("no event in time")?;
        match event.context("the stream ended")? {
            Ok(event) => Ok(event),
            Err(ended) => bail!("the stream ended: {ended}"),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers each event and passes it on, until the stream or the case ends.
async fn take(
    mut stream: Streaming<SubscribeTopicEventsResponseAlpha1>,
    answers: mpsc::Sender<SubscribeTopicEventsRequestAlpha1>,
    taken: mpsc::Sender<Result<TopicEventRequest, String>>,
    first: Verdict,
) {
    let mut verdict = first;
    loop {
        let event = match next(&mut stream).await {
            Ok(Some(Answered::EventMessage(event))) => event,
            other => {
                // The case may have ended before the stream.
                let _ = taken.send(Err(format!("{other:?}"))).await;
                return;
            }
        };
        let status = Some(TopicEventResponse { status: verdict.into() });
        let id = event.id.clone();
        let processed = SubscribeTopicEventsRequestProcessedAlpha1 { id, status };
        let answer = request(Asked::EventProcessed(processed));
        if answers.send(answer).await.is_err() || taken.send(Ok(event)).await.is_err() {
            return;
        }
        verdict = Verdict::Success;
    }
}

fn request(asked: Asked) -> SubscribeTopicEventsRequestAlpha1 {
    SubscribeTopicEventsRequestAlpha1 { subscribe_topic_events_request_type: Some(asked) }
}

async fn next(
    stream: &mut Streaming<SubscribeTopicEventsResponseAlpha1>,
) -> Result<Option<Answered>, Status> {
    let message = stream.message().await?;
    Ok(message.and_then(|message| message.subscribe_topic_events_response_type))
}
