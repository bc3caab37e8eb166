//! The generated service: each rpc in one place of its own block's.

use std::sync::Arc;

use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming, async_trait};
use trilby_dapr::proto::common::v1::InvokeResponse;
use trilby_dapr::proto::runtime::v1::dapr_server::Dapr;
use trilby_dapr::proto::runtime::v1::*;

use super::{
    actors, configuration, conversation, crypto, invoke, jobs, lock, messaging, metadata, secrets,
    state, topics,
};
use crate::api::Shared;

/// The rpcs over what every call can reach.
pub(super) struct Rpcs(pub(super) Arc<Shared>);

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl Dapr for Rpcs {
    async fn invoke_service(
        &self,
        request: Request<InvokeServiceRequest>,
    ) -> Answer<InvokeResponse> {
        invoke::call(&self.0, request).await
    }

    async fn get_state(&self, request: Request<GetStateRequest>) -> Answer<GetStateResponse> {
        state::get(&self.0, request).await.map(Response::new)
    }

    async fn get_bulk_state(
        &self,
        request: Request<GetBulkStateRequest>,
    ) -> Answer<GetBulkStateResponse> {
        state::get_many(&self.0, request).await.map(Response::new)
    }

    async fn save_state(&self, request: Request<SaveStateRequest>) -> Answer<()> {
        state::save(&self.0, request).await.map(Response::new)
    }

    async fn query_state_alpha1(
        &self,
        request: Request<QueryStateRequest>,
    ) -> Answer<QueryStateResponse> {
        state::query(&self.0, request).await.map(Response::new)
    }

    async fn delete_state(&self, request: Request<DeleteStateRequest>) -> Answer<()> {
        state::delete(&self.0, request).await.map(Response::new)
    }

    async fn delete_bulk_state(&self, request: Request<DeleteBulkStateRequest>) -> Answer<()> {
        state::delete_many(&self.0, request).await.map(Response::new)
    }

    async fn execute_state_transaction(
        &self,
        request: Request<ExecuteStateTransactionRequest>,
    ) -> Answer<()> {
        state::transact(&self.0, request).await.map(Response::new)
    }

    async fn publish_event(&self, request: Request<PublishEventRequest>) -> Answer<()> {
        messaging::publish(&self.0, request).await.map(Response::new)
    }

    async fn bulk_publish_event(
        &self,
        request: Request<BulkPublishRequest>,
    ) -> Answer<BulkPublishResponse> {
        messaging::publish_many(&self.0, request).await.map(Response::new)
    }

    async fn invoke_binding(
        &self,
        request: Request<InvokeBindingRequest>,
    ) -> Answer<InvokeBindingResponse> {
        messaging::invoke_binding(&self.0, request).await.map(Response::new)
    }

    async fn get_secret(&self, request: Request<GetSecretRequest>) -> Answer<GetSecretResponse> {
        secrets::get(&self.0, request).await.map(Response::new)
    }

    async fn get_bulk_secret(
        &self,
        request: Request<GetBulkSecretRequest>,
    ) -> Answer<GetBulkSecretResponse> {
        secrets::get_all(&self.0, request).await.map(Response::new)
    }

    async fn register_actor_timer(
        &self,
        request: Request<RegisterActorTimerRequest>,
    ) -> Answer<()> {
        actors::register_timer(&self.0, request).await.map(Response::new)
    }

    async fn unregister_actor_timer(
        &self,
        request: Request<UnregisterActorTimerRequest>,
    ) -> Answer<()> {
        actors::unregister_timer(&self.0, request).await.map(Response::new)
    }

    async fn register_actor_reminder(
        &self,
        request: Request<RegisterActorReminderRequest>,
    ) -> Answer<()> {
        actors::register_reminder(&self.0, request).await.map(Response::new)
    }

    async fn unregister_actor_reminder(
        &self,
        request: Request<UnregisterActorReminderRequest>,
    ) -> Answer<()> {
        actors::unregister_reminder(&self.0, request).await.map(Response::new)
    }

    async fn unregister_actor_reminders_by_type(
        &self,
        request: Request<UnregisterActorRemindersByTypeRequest>,
    ) -> Answer<UnregisterActorRemindersByTypeResponse> {
        actors::unregister_reminders(&self.0, request).await.map(Response::new)
    }

    async fn list_actor_reminders(
        &self,
        request: Request<ListActorRemindersRequest>,
    ) -> Answer<ListActorRemindersResponse> {
        actors::list_reminders(&self.0, request).await.map(Response::new)
    }

    async fn get_actor_state(
        &self,
        request: Request<GetActorStateRequest>,
    ) -> Answer<GetActorStateResponse> {
        actors::get_state(&self.0, request).await.map(Response::new)
    }

    async fn get_actor_reminder(
        &self,
        request: Request<GetActorReminderRequest>,
    ) -> Answer<GetActorReminderResponse> {
        actors::get_reminder(&self.0, request).await.map(Response::new)
    }

    async fn execute_actor_state_transaction(
        &self,
        request: Request<ExecuteActorStateTransactionRequest>,
    ) -> Answer<()> {
        actors::transact(&self.0, request).await.map(Response::new)
    }

    async fn invoke_actor(
        &self,
        request: Request<InvokeActorRequest>,
    ) -> Answer<InvokeActorResponse> {
        actors::invoke(&self.0, request).await.map(Response::new)
    }

    async fn get_configuration(
        &self,
        request: Request<GetConfigurationRequest>,
    ) -> Answer<GetConfigurationResponse> {
        configuration::get(&self.0, request).await.map(Response::new)
    }

    async fn unsubscribe_configuration(
        &self,
        request: Request<UnsubscribeConfigurationRequest>,
    ) -> Answer<UnsubscribeConfigurationResponse> {
        configuration::unsubscribe(&self.0, request).map(Response::new)
    }

    async fn try_lock_alpha1(&self, request: Request<TryLockRequest>) -> Answer<TryLockResponse> {
        lock::try_lock(&self.0, request).await.map(Response::new)
    }

    async fn unlock_alpha1(&self, request: Request<UnlockRequest>) -> Answer<UnlockResponse> {
        lock::unlock(&self.0, request).await.map(Response::new)
    }

    async fn get_metadata(
        &self,
        request: Request<GetMetadataRequest>,
    ) -> Answer<GetMetadataResponse> {
        metadata::get(&self.0, request).await.map(Response::new)
    }

    async fn set_metadata(&self, request: Request<SetMetadataRequest>) -> Answer<()> {
        metadata::set(&self.0, request).await.map(Response::new)
    }

    async fn shutdown(&self, request: Request<ShutdownRequest>) -> Answer<()> {
        metadata::shutdown(&self.0, request).await.map(Response::new)
    }

    async fn schedule_job(
        &self,
        request: Request<ScheduleJobRequest>,
    ) -> Answer<ScheduleJobResponse> {
        jobs::schedule(&self.0, request).await.map(Response::new)
    }

    async fn get_job(&self, request: Request<GetJobRequest>) -> Answer<GetJobResponse> {
        jobs::get(&self.0, request).await.map(Response::new)
    }

    async fn delete_job(&self, request: Request<DeleteJobRequest>) -> Answer<DeleteJobResponse> {
        jobs::delete(&self.0, request).await.map(Response::new)
    }

    async fn delete_jobs_by_prefix(
        &self,
        request: Request<DeleteJobsByPrefixRequest>,
    ) -> Answer<DeleteJobsByPrefixResponse> {
        jobs::delete_by_prefix(&self.0, request).await.map(Response::new)
    }

    async fn list_jobs(&self, request: Request<ListJobsRequest>) -> Answer<ListJobsResponse> {
        jobs::list(&self.0, request).await.map(Response::new)
    }

    async fn converse_alpha2(
        &self,
        request: Request<ConversationRequestAlpha2>,
    ) -> Answer<ConversationResponseAlpha2> {
        conversation::converse(&self.0, request).await.map(Response::new)
    }

    async fn subscribe_topic_events_alpha1(
        &self,
        request: Request<Streaming<SubscribeTopicEventsRequestAlpha1>>,
    ) -> Answer<BoxStream<SubscribeTopicEventsResponseAlpha1>> {
        topics::subscribe(&self.0, request).await.map(Response::new)
    }

    async fn subscribe_configuration(
        &self,
        request: Request<SubscribeConfigurationRequest>,
    ) -> Answer<BoxStream<SubscribeConfigurationResponse>> {
        configuration::subscribe(&self.0, request).await.map(Response::new)
    }

    async fn encrypt_alpha1(
        &self,
        request: Request<Streaming<EncryptRequest>>,
    ) -> Answer<BoxStream<EncryptResponse>> {
        crypto::encrypt(&self.0, request).await.map(Response::new)
    }

    async fn decrypt_alpha1(
        &self,
        request: Request<Streaming<DecryptRequest>>,
    ) -> Answer<BoxStream<DecryptResponse>> {
        crypto::decrypt(&self.0, request).await.map(Response::new)
    }
}
