//! Topic events over a stream that the caller opens.

mod event;
mod receiver;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Status, Streaming};
use trilby_dapr::Metadata;
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::subscription::{Subscription, Target};

use self::receiver::Receiver;
use super::configuration::closed;
use super::opened;
use crate::api::Shared;
use crate::backend::Feed;
use crate::fault::{About, Block};

use runtime::subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as Asked;
use runtime::subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as Told;

/// How long the first message may take to come.
const FIRST_WITHIN: Duration = Duration::from_secs(30);

/// How long an event may wait for its answer; it is then brought again.
const EVENT_WITHIN: Duration = Duration::from_secs(60);

/// Events that are on their way to the caller at once.
const EVENTS_MAX: usize = 16;

/// How long the events that were accepted may take to be brought when the process ends.
const DRAIN_WITHIN: Duration = Duration::from_secs(20);

type Answer = runtime::SubscribeTopicEventsResponseAlpha1;

pub(super) async fn subscribe(
    shared: &Arc<Shared>,
    request: Request<Streaming<runtime::SubscribeTopicEventsRequestAlpha1>>,
) -> Result<BoxStream<Answer>, Status> {
    let place = request.extensions().get::<Arc<OwnedSemaphorePermit>>().cloned();
    let (_, mut messages) = opened(request);
    let initial = initial(&mut messages).await?;
    let about = About::new(Block::Pubsub, &initial.pubsub_name).named(&initial.topic);
    let (answers, sent) = mpsc::channel(EVENTS_MAX);
    let wanted = subscription(initial);
    let receiver = Arc::new(Receiver::new(answers.clone(), &wanted.pubsub, &wanted.topic));
    let feed = shared.backend.feeds.subscribe(wanted, Arc::clone(&receiver) as _);
    let feed = feed.map_err(|error| shared.teller().status(&error, &about))?;
    // The caller may be gone, and the subscription over.
    let (gone, over) = (CancellationToken::new(), CancellationToken::new());
    let (is_gone, is_over) = (gone.clone().drop_guard(), over.clone().drop_guard());
    let pump = Pump { messages, receiver, draining: shared.draining.clone(), answers };
    tokio::spawn(async move {
        let _is_over = is_over;
        gone.run_until_cancelled(pump.run(feed)).await;
    });
    let held = (place, is_gone);
    let events = stream::unfold((sent, over, held), |(mut sent, over, held)| async move {
        let answer = tokio::select! {
            biased;
            answer = sent.recv() => answer?,
            () = over.cancelled() => return None,
        };
        Some((answer, (sent, over, held)))
    });
    let first = Told::InitialResponse(runtime::SubscribeTopicEventsResponseInitialAlpha1 {});
    let first = Answer { subscribe_topic_events_response_type: Some(first) };
    Ok(Box::pin(stream::iter([Ok(first)]).chain(events)))
}

/// The caller's half of the stream.
struct Pump {
    messages: Streaming<runtime::SubscribeTopicEventsRequestAlpha1>,
    receiver: Arc<Receiver>,
    draining: CancellationToken,
    answers: mpsc::Sender<Result<Answer, Status>>,
}

impl Pump {
    /// Takes the caller's verdicts until it ends its half. When the process ends, the events that
    /// were accepted are brought first.
    async fn run(mut self, feed: Box<dyn Feed>) {
        let mut feed = Some(feed);
        let mut finishing: Option<BoxFuture<'static, ()>> = None;
        loop {
            tokio::select! {
                message = self.messages.message() => {
                    // A half-close is the end, as with daprd; so is a broken stream.
                    let Ok(Some(message)) = message else { return };
                    if let Some(Asked::EventProcessed(processed)) =
                        message.subscribe_topic_events_request_type
                    {
                        self.receiver.settle(processed);
                    }
                }
                () = self.draining.cancelled(), if feed.is_some() => {
                    finishing = feed.take().map(|feed| feed.finish(DRAIN_WITHIN));
                }
                () = finished(&mut finishing) => {
                    // Nobody is there to be told if it cannot be sent.
                    let _ = self.answers.send(Err(closed())).await;
                    return;
                }
            }
        }
    }
}

/// Waits for the end of a feed; for ever while none ends.
async fn finished(feed: &mut Option<BoxFuture<'static, ()>>) {
    match feed {
        Some(feed) => feed.await,
        None => std::future::pending().await,
    }
}

/// What the caller asks for.
async fn initial(
    messages: &mut Streaming<runtime::SubscribeTopicEventsRequestAlpha1>,
) -> Result<runtime::SubscribeTopicEventsRequestInitialAlpha1, Status> {
    let first = timeout(FIRST_WITHIN, messages.message()).await;
    let first = first.map_err(|_| Status::deadline_exceeded("no initial request came"))??;
    let asked = first.and_then(|first| first.subscribe_topic_events_request_type);
    let Some(Asked::InitialRequest(initial)) = asked else {
        return Err(Status::unknown("initial request is required"));
    };
    if initial.pubsub_name.is_empty() {
        return Err(Status::unknown("pubsubName is required"));
    }
    if initial.topic.is_empty() {
        return Err(Status::unknown("topic is required"));
    }
    Ok(initial)
}

fn subscription(initial: runtime::SubscribeTopicEventsRequestInitialAlpha1) -> Subscription {
    let target = Target { path: "/".to_owned(), deadline: EVENT_WITHIN };
    let metadata: Metadata = initial.metadata.into_iter().collect();
    Subscription {
        pubsub: initial.pubsub_name,
        topic: initial.topic,
        rules: Vec::new(),
        default: Some(target),
        dead_letter_topic: initial.dead_letter_topic.filter(|topic| !topic.is_empty()),
        bulk: None,
        metadata,
    }
}
