//! A daprd that notes what it is asked, and answers what it is told.

use std::any::Any;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::codegen::BoxStream;
use tonic::metadata::MetadataMap;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};
use trilby_dapr::proto::runtime::v1 as runtime;
use trilby_dapr::proto::runtime::v1::dapr_server::{Dapr, DaprServer};

use super::sidecar;
use crate::Sidecar;

type Message = Box<dyn Any + Send>;

/// Answers with default messages unless it is told others; never a read of the key `never`.
#[derive(Default)]
pub(super) struct Fake {
    asked: Mutex<VecDeque<(Message, MetadataMap)>>,
    answers: Mutex<VecDeque<Result<Message, Status>>>,
    pub(super) is_silent: Notify,
    /// Streams that were opened.
    pub(super) topics: Mutex<Option<mpsc::UnboundedSender<TopicSession>>>,
    pub(super) watches: Mutex<Option<mpsc::UnboundedSender<WatchSession>>>,
}

/// The server's side of a subscription.
pub(super) struct TopicSession {
    pub(super) initial: runtime::SubscribeTopicEventsRequestInitialAlpha1,
    pub(super) replies: Streaming<runtime::SubscribeTopicEventsRequestAlpha1>,
    pub(super) events: mpsc::Sender<Result<runtime::SubscribeTopicEventsResponseAlpha1, Status>>,
}

/// The server's side of a watch of configuration.
pub(super) struct WatchSession {
    pub(super) request: runtime::SubscribeConfigurationRequest,
    pub(super) changes: mpsc::Sender<Result<runtime::SubscribeConfigurationResponse, Status>>,
}

impl Fake {
    pub(super) fn will(&self, answer: impl Any + Send) {
        self.answers.lock().unwrap().push_back(Ok(Box::new(answer)));
    }

    pub(super) fn will_fail(&self, status: Status) {
        self.answers.lock().unwrap().push_back(Err(status));
    }

    /// The oldest message that was not looked at, and what came with it.
    pub(super) fn asked<T: 'static>(&self) -> (T, MetadataMap) {
        let (message, metadata) = self.asked.lock().unwrap().pop_front().expect("was asked");
        (*message.downcast().expect("the rpc's message"), metadata)
    }

    pub(super) fn failure_is_pending(&self) -> bool {
        !self.answers.lock().unwrap().is_empty()
    }

    fn failure(&self) -> Result<(), Status> {
        let mut answers = self.answers.lock().unwrap();
        match answers.front() {
            Some(Err(_)) => answers.pop_front().map_or(Ok(()), |answer| answer.map(drop)),
            _ => Ok(()),
        }
    }

    fn answer<Q: Send + 'static, A: Default + 'static>(
        &self,
        request: Request<Q>,
    ) -> Result<Response<A>, Status> {
        let (metadata, _, message) = request.into_parts();
        self.asked.lock().unwrap().push_back((Box::new(message), metadata));
        match self.answers.lock().unwrap().pop_front() {
            None => Ok(Response::new(A::default())),
            Some(Ok(answer)) => Ok(Response::new(*answer.downcast().expect("the rpc's answer"))),
            Some(Err(status)) => Err(status),
        }
    }
}

macro_rules! unary {
    ($($rpc:ident($request:ident) -> $reply:ty;)* { $($more:item)* }) => {
        #[tonic::async_trait]
        impl Dapr for Fake {
            $(async fn $rpc(
                &self,
                request: Request<runtime::$request>,
            ) -> Result<Response<$reply>, Status> {
                self.answer(request)
            })*
            $($more)*
        }
    };
}

unary! {
    get_bulk_state(GetBulkStateRequest) -> runtime::GetBulkStateResponse;
    save_state(SaveStateRequest) -> ();
    query_state_alpha1(QueryStateRequest) -> runtime::QueryStateResponse;
    delete_state(DeleteStateRequest) -> ();
    delete_bulk_state(DeleteBulkStateRequest) -> ();
    execute_state_transaction(ExecuteStateTransactionRequest) -> ();
    publish_event(PublishEventRequest) -> ();
    bulk_publish_event(BulkPublishRequest) -> runtime::BulkPublishResponse;
    invoke_binding(InvokeBindingRequest) -> runtime::InvokeBindingResponse;
    get_secret(GetSecretRequest) -> runtime::GetSecretResponse;
    get_bulk_secret(GetBulkSecretRequest) -> runtime::GetBulkSecretResponse;
    get_configuration(GetConfigurationRequest) -> runtime::GetConfigurationResponse;
    try_lock_alpha1(TryLockRequest) -> runtime::TryLockResponse;
    unlock_alpha1(UnlockRequest) -> runtime::UnlockResponse;
    schedule_job(ScheduleJobRequest) -> runtime::ScheduleJobResponse;
    get_job(GetJobRequest) -> runtime::GetJobResponse;
    delete_job(DeleteJobRequest) -> runtime::DeleteJobResponse;
    list_jobs(ListJobsRequest) -> runtime::ListJobsResponse;
    register_actor_timer(RegisterActorTimerRequest) -> ();
    unregister_actor_timer(UnregisterActorTimerRequest) -> ();
    register_actor_reminder(RegisterActorReminderRequest) -> ();
    unregister_actor_reminder(UnregisterActorReminderRequest) -> ();
    get_actor_reminder(GetActorReminderRequest) -> runtime::GetActorReminderResponse;
    get_actor_state(GetActorStateRequest) -> runtime::GetActorStateResponse;
    execute_actor_state_transaction(ExecuteActorStateTransactionRequest) -> ();
    invoke_actor(InvokeActorRequest) -> runtime::InvokeActorResponse;
    get_metadata(GetMetadataRequest) -> runtime::GetMetadataResponse;
    set_metadata(SetMetadataRequest) -> ();
    {
        async fn get_state(
            &self,
            request: Request<runtime::GetStateRequest>,
        ) -> Result<Response<runtime::GetStateResponse>, Status> {
            if request.get_ref().key == "never" {
                self.is_silent.notify_one();
                std::future::pending::<()>().await;
            }
            self.answer(request)
        }

        /// Gives each piece back in capitals, after one that says what was wanted.
        async fn encrypt_alpha1(
            &self,
            request: Request<Streaming<runtime::EncryptRequest>>,
        ) -> Result<Response<BoxStream<runtime::EncryptResponse>>, Status> {
            self.failure()?;
            let mut pieces = request.into_inner();
            let (tell, answer) = mpsc::channel(1);
            tokio::spawn(async move {
                while let Ok(Some(message)) = pieces.message().await {
                    let payload = super::crypto::transformed(message);
                    let done = payload.is_err();
                    let message = payload.map(|payload| runtime::EncryptResponse { payload });
                    if tell.send(message).await.is_err() || done {
                        return;
                    }
                }
            });
            Ok(Response::new(Box::pin(ReceiverStream::new(answer))))
        }

        /// Gives more than anybody reads.
        async fn decrypt_alpha1(
            &self,
            _: Request<Streaming<runtime::DecryptRequest>>,
        ) -> Result<Response<BoxStream<runtime::DecryptResponse>>, Status> {
            let endless = super::crypto::endless();
            Ok(Response::new(Box::pin(endless)))
        }

        async fn subscribe_topic_events_alpha1(
            &self,
            request: Request<Streaming<runtime::SubscribeTopicEventsRequestAlpha1>>,
        ) -> Result<Response<BoxStream<runtime::SubscribeTopicEventsResponseAlpha1>>, Status> {
            use runtime::subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType;
            self.failure()?;
            let mut replies = request.into_inner();
            let first = replies.message().await?.and_then(|m| m.subscribe_topic_events_request_type);
            let Some(SubscribeTopicEventsRequestType::InitialRequest(initial)) = first else {
                return Err(Status::unknown("initial request is required"));
            };
            let (events, answer) = mpsc::channel(64);
            let session = TopicSession { initial, replies, events };
            let topics = self.topics.lock().unwrap().clone().expect("expects subscriptions");
            topics.send(session).map_err(|_| Status::unknown("the test is over"))?;
            Ok(Response::new(Box::pin(ReceiverStream::new(answer))))
        }

        async fn subscribe_configuration(
            &self,
            request: Request<runtime::SubscribeConfigurationRequest>,
        ) -> Result<Response<BoxStream<runtime::SubscribeConfigurationResponse>>, Status> {
            self.failure()?;
            let (changes, answer) = mpsc::channel(64);
            let session = WatchSession { request: request.into_inner(), changes };
            let watches = self.watches.lock().unwrap().clone().expect("expects watches");
            watches.send(session).map_err(|_| Status::unknown("the test is over"))?;
            Ok(Response::new(Box::pin(ReceiverStream::new(answer))))
        }
    }
}

/// Serves on a runtime of its own, which takes all its connections with it when it is dropped.
pub(super) struct Daemon(Option<Runtime>);

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

pub(super) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("free port");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

pub(super) fn serve(listener: TcpListener, fake: Arc<Fake>) -> Daemon {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("can start threads");
    let listener = listener.into_std().expect("a socket");
    runtime.spawn(async move {
        let listener = TcpListener::from_std(listener).expect("a socket");
        // As large as a daprd with a raised `--max-body-size` may answer.
        let service = DaprServer::from_arc(fake).max_decoding_message_size(4 << 20);
        let server = Server::builder().add_service(service);
        server.serve_with_incoming(TcpListenerStream::new(listener)).await.expect("serves");
    });
    Daemon(Some(runtime))
}

/// A fake with a client.
pub(super) async fn pair(more: &[(&str, &str)]) -> (Arc<Fake>, Sidecar, Daemon) {
    let fake = Arc::new(Fake::default());
    let (listener, address) = listen().await;
    let daemon = serve(listener, Arc::clone(&fake));
    let port = address.port().to_string();
    let pairs: Vec<_> = [("DAPR_GRPC_PORT", port.as_str())].iter().chain(more).copied().collect();
    (fake, sidecar(&pairs), daemon)
}
