//! A topic's events over a stream (`SubscribeTopicEventsAlpha1`).

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{FuturesUnordered, poll_fn};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tonic::Streaming;
use trilby_dapr::delivery::{self, Verdict};
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::subscription::Subscription;
use trilby_dapr::{Code, Error, Result};

use super::keeper::{End, Keeper};
use super::{Shared, route};
use runtime::subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as Sent;
use runtime::subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as Received;
use runtime::topic_event_response::TopicEventResponseStatus as Status;

/// Events of one stream that are with the app at once. Further ones wait in the sidecar.
const IN_FLIGHT_MAX: usize = 16;

/// How long the sidecar may take to open a stream: its broker may be slow.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the sidecar may take to read an outcome.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// daprd looks for an outcome and for the end of the stream in no order: the end comes this much
/// later than the last outcome.
const END_AFTER_REPLY: Duration = Duration::from_millis(100);

/// How long the sidecar may take to end the stream after we did.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

type Message = runtime::SubscribeTopicEventsRequestAlpha1;
type Events = Streaming<runtime::SubscribeTopicEventsResponseAlpha1>;

pub(super) async fn run(shared: Arc<Shared>, subscription: Subscription) {
    let what = format!("the subscription to {}/{}", subscription.pubsub, subscription.topic);
    let mut keeper = Keeper::new(what);
    let subscription = Arc::new(subscription);
    // Beyond one session: what a broken one left in flight counts for the next.
    let places = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    loop {
        let end = match open(&shared, &subscription).await {
            Opened::Closing => End::Drained,
            Opened::Failed(error) => End::of_opening(error),
            Opened::Open(events, replies) => {
                keeper.opened();
                let session = Session {
                    shared: Arc::clone(&shared),
                    subscription: Arc::clone(&subscription),
                    places: Arc::clone(&places),
                    replies,
                    in_flight: FuturesUnordered::new(),
                };
                session.run(events, &mut keeper).await
            }
        };
        if !keeper.wait(end, &shared.closing).await {
            return;
        }
    }
}

enum Opened {
    Open(Events, mpsc::Sender<Message>),
    Failed(Error),
    Closing,
}

async fn open(shared: &Shared, subscription: &Subscription) -> Opened {
    let (replies, mut outgoing) = mpsc::channel(IN_FLIGHT_MAX + 1);
    let initial = runtime::SubscribeTopicEventsRequestInitialAlpha1 {
        pubsub_name: subscription.pubsub.clone(),
        topic: subscription.topic.clone(),
        metadata: subscription.metadata.clone().into_iter().collect(),
        dead_letter_topic: subscription.dead_letter_topic.clone(),
    };
    let initial =
        Message { subscribe_topic_events_request_type: Some(Sent::InitialRequest(initial)) };
    let opening = async {
        let _ = replies.send(initial).await;
        let messages = poll_fn(move |cx| outgoing.poll_recv(cx));
        let request = shared.link.stream(None, messages);
        let mut client = shared.link.client();
        let answer = client.subscribe_topic_events_alpha1(request).await;
        let mut events = answer.map_err(|status| shared.link.error(&status))?.into_inner();
        // daprd's first message says that it has subscribed.
        match next(shared, &mut events).await? {
            Received::InitialResponse(_) => Ok(events),
            Received::EventMessage(_) => {
                Err(Error::new(Code::Internal, "an event came before the stream was open"))
            }
        }
    };
    let opening = timeout(OPEN_TIMEOUT, opening);
    match shared.closing.run_until_cancelled(opening).await {
        None => Opened::Closing,
        Some(Ok(Ok(events))) => Opened::Open(events, replies),
        Some(Ok(Err(error))) => Opened::Failed(error),
        Some(Err(_)) => Opened::Failed(Error::deadline("opening a subscription")),
    }
}

async fn next(shared: &Shared, events: &mut Events) -> Result<Received> {
    loop {
        let message = events.message().await.map_err(|status| shared.link.error(&status))?;
        let ended = || Error::new(Code::Unavailable, "the Dapr sidecar ended the stream");
        let message = message.ok_or_else(ended)?;
        if let Some(received) = message.subscribe_topic_events_response_type {
            return Ok(received);
        }
    }
}

/// An open stream.
struct Session {
    shared: Arc<Shared>,
    subscription: Arc<Subscription>,
    places: Arc<Semaphore>,
    replies: mpsc::Sender<Message>,
    /// Outcomes to be; `None` of a delivery that was broken off.
    in_flight: FuturesUnordered<oneshot::Receiver<Message>>,
}

impl Session {
    async fn run(mut self, mut events: Events, keeper: &mut Keeper) -> End {
        let mut place: Option<OwnedSemaphorePermit> = None;
        loop {
            let closing = self.shared.closing.clone();
            let places = Arc::clone(&self.places);
            let has_place = place.is_some();
            tokio::select! {
                biased;
                () = closing.cancelled() => return self.drain(events).await,
                Some(outcome) = self.in_flight.next() => {
                    let Ok(reply) = outcome else { continue };
                    if let Err(error) = self.reply(reply).await {
                        return End::Broken(error);
                    }
                    keeper.settled();
                }
                Ok(permit) = places.acquire_owned(), if !has_place => place = Some(permit),
                received = next(&self.shared, &mut events), if has_place => match received {
                    Ok(Received::EventMessage(event)) => {
                        if let Some(place) = place.take() {
                            self.deliver(event, place);
                        }
                    }
                    Ok(Received::InitialResponse(_)) => {}
                    Err(error) => return End::Broken(error),
                },
            }
        }
    }

    /// Starts a delivery. It outlives the stream: a guest is not broken off because daprd restarts.
    fn deliver(&self, event: runtime::TopicEventRequest, place: OwnedSemaphorePermit) {
        let (settled, outcome) = oneshot::channel();
        self.in_flight.push(outcome);
        let (shared, subscription) = (Arc::clone(&self.shared), Arc::clone(&self.subscription));
        self.shared.spawn(async move {
            let verdict = delivered(&shared, &subscription, &event).await;
            // Without the stream, nobody asks: the broker gives the event again.
            let _ = settled.send(reply(event.id, verdict));
            drop(place);
        });
    }

    async fn reply(&self, reply: Message) -> Result<()> {
        let late = || Error::deadline("telling the Dapr sidecar an event's outcome");
        match timeout(REPLY_TIMEOUT, self.replies.send(reply)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Error::new(Code::Unavailable, "the Dapr sidecar ended the stream")),
            Err(_) => Err(late()),
        }
    }

    /// Tells the outcomes of what is in flight, then ends the stream and waits for the sidecar to
    /// end it too. Events that come meanwhile stay without an outcome.
    async fn drain(mut self, mut events: Events) -> End {
        let mut has_replied = false;
        while let Some(outcome) = self.in_flight.next().await {
            let Ok(reply) = outcome else { continue };
            if self.reply(reply).await.is_err() {
                return End::Drained;
            }
            has_replied = true;
        }
        if has_replied {
            sleep(END_AFTER_REPLY).await;
        }
        drop(self.replies);
        let ended = async { while let Ok(Some(_)) = events.message().await {} };
        // A stream that the sidecar does not end is reset.
        let _ = timeout(CLOSE_TIMEOUT, ended).await;
        End::Drained
    }
}

async fn delivered(
    shared: &Shared,
    subscription: &Subscription,
    event: &runtime::TopicEventRequest,
) -> Verdict {
    let envelope = delivery::envelope(event);
    let target = match route::target(subscription, &envelope) {
        Ok(Some(target)) => target,
        // As on daprd's app channel: what nobody wants is a dead letter, or else done with.
        Ok(None) if subscription.dead_letter_topic.is_some() => return Verdict::Drop,
        Ok(None) => return Verdict::Ack,
        Err(error) => {
            let Subscription { pubsub, topic, .. } = subscription;
            tracing::warn!(pubsub, topic, id = event.id, "an event has no route: {error}");
            let has_dead_letters = subscription.dead_letter_topic.is_some();
            return if has_dead_letters { Verdict::Drop } else { Verdict::Retry };
        }
    };
    let request = route::request(subscription, target, event, envelope);
    match shared.deliver(request, target.deadline).await {
        Some(answer) => route::verdict(subscription, &event.id, &answer),
        None => Verdict::Retry,
    }
}

fn reply(event_id: String, verdict: Verdict) -> Message {
    let status = match verdict {
        Verdict::Ack => Status::Success,
        Verdict::Retry => Status::Retry,
        Verdict::Drop => Status::Drop,
    };
    let processed = runtime::SubscribeTopicEventsRequestProcessedAlpha1 {
        id: event_id,
        status: Some(runtime::TopicEventResponse { status: status.into() }),
    };
    Message { subscribe_topic_events_request_type: Some(Sent::EventProcessed(processed)) }
}
