//! The rpcs that are served, by name.

/// One rpc of the service.
#[derive(Debug)]
pub(super) struct Rpc {
    /// Its name.
    name: &'static str,
    /// The rpc that answers it: an older name has the messages of its successor.
    pub(super) served_by: &'static str,
    /// Its group in Dapr's `Configuration`.
    pub(super) group: &'static str,
    /// Its version there.
    pub(super) version: &'static str,
    /// Whether it may last.
    pub(super) is_stream: bool,
}

const fn rpc(group: &'static str, version: &'static str, name: &'static str) -> Rpc {
    Rpc { name, served_by: name, group, version, is_stream: false }
}

const fn older(group: &'static str, name: &'static str, served_by: &'static str) -> Rpc {
    Rpc { name, served_by, group, version: "v1alpha1", is_stream: false }
}

const fn stream(rpc: Rpc) -> Rpc {
    Rpc { is_stream: true, ..rpc }
}

/// All rpcs. Those that daprd has and that are not here are not known to the service either, which
/// says UNIMPLEMENTED: workflows, `Subtle` cryptography and the hosting of actors over a stream.
const RPCS: &[Rpc] = &[
    rpc("invoke", "v1", "InvokeService"),
    rpc("state", "v1", "GetState"),
    rpc("state", "v1", "GetBulkState"),
    rpc("state", "v1", "SaveState"),
    rpc("state", "v1", "DeleteState"),
    rpc("state", "v1", "DeleteBulkState"),
    rpc("state", "v1", "ExecuteStateTransaction"),
    rpc("state", "v1alpha1", "QueryStateAlpha1"),
    rpc("publish", "v1", "PublishEvent"),
    rpc("publish", "v1", "BulkPublishEvent"),
    older("publish", "BulkPublishEventAlpha1", "BulkPublishEvent"),
    stream(rpc("subscribe", "v1alpha1", "SubscribeTopicEventsAlpha1")),
    rpc("bindings", "v1", "InvokeBinding"),
    rpc("secrets", "v1", "GetSecret"),
    rpc("secrets", "v1", "GetBulkSecret"),
    rpc("actors", "v1", "RegisterActorTimer"),
    rpc("actors", "v1", "UnregisterActorTimer"),
    rpc("actors", "v1", "RegisterActorReminder"),
    rpc("actors", "v1", "UnregisterActorReminder"),
    rpc("actors", "v1", "UnregisterActorRemindersByType"),
    rpc("actors", "v1", "ListActorReminders"),
    rpc("actors", "v1", "GetActorState"),
    rpc("actors", "v1", "GetActorReminder"),
    rpc("actors", "v1", "ExecuteActorStateTransaction"),
    rpc("actors", "v1", "InvokeActor"),
    rpc("configuration", "v1", "GetConfiguration"),
    older("configuration", "GetConfigurationAlpha1", "GetConfiguration"),
    stream(rpc("configuration", "v1", "SubscribeConfiguration")),
    stream(older("configuration", "SubscribeConfigurationAlpha1", "SubscribeConfiguration")),
    rpc("configuration", "v1", "UnsubscribeConfiguration"),
    older("configuration", "UnsubscribeConfigurationAlpha1", "UnsubscribeConfiguration"),
    rpc("lock", "v1alpha1", "TryLockAlpha1"),
    rpc("unlock", "v1alpha1", "UnlockAlpha1"),
    stream(rpc("crypto", "v1alpha1", "EncryptAlpha1")),
    stream(rpc("crypto", "v1alpha1", "DecryptAlpha1")),
    rpc("metadata", "v1", "GetMetadata"),
    rpc("metadata", "v1", "SetMetadata"),
    rpc("shutdown", "v1", "Shutdown"),
    rpc("jobs", "v1", "ScheduleJob"),
    older("jobs", "ScheduleJobAlpha1", "ScheduleJob"),
    rpc("jobs", "v1", "GetJob"),
    older("jobs", "GetJobAlpha1", "GetJob"),
    rpc("jobs", "v1", "DeleteJob"),
    older("jobs", "DeleteJobAlpha1", "DeleteJob"),
    rpc("jobs", "v1", "DeleteJobsByPrefix"),
    older("jobs", "DeleteJobsByPrefixAlpha1", "DeleteJobsByPrefix"),
    rpc("jobs", "v1", "ListJobs"),
    older("jobs", "ListJobsAlpha1", "ListJobs"),
    rpc("conversation", "v1alpha2", "ConverseAlpha2"),
    rpc("conversation", "v1alpha1", "ConverseAlpha1"),
    rpc("subtlecrypto", "v1alpha1", "SubtleGetKeyAlpha1"),
    rpc("subtlecrypto", "v1alpha1", "SubtleEncryptAlpha1"),
    rpc("subtlecrypto", "v1alpha1", "SubtleDecryptAlpha1"),
    rpc("subtlecrypto", "v1alpha1", "SubtleWrapKeyAlpha1"),
    rpc("subtlecrypto", "v1alpha1", "SubtleUnwrapKeyAlpha1"),
    rpc("subtlecrypto", "v1alpha1", "SubtleSignAlpha1"),
    rpc("subtlecrypto", "v1alpha1", "SubtleVerifyAlpha1"),
    stream(rpc("actors", "v1alpha1", "SubscribeActorEventsAlpha1")),
    rpc("workflows", "v1beta1", "StartWorkflowBeta1"),
    rpc("workflows", "v1beta1", "GetWorkflowBeta1"),
    rpc("workflows", "v1beta1", "PurgeWorkflowBeta1"),
    rpc("workflows", "v1beta1", "TerminateWorkflowBeta1"),
    rpc("workflows", "v1beta1", "PauseWorkflowBeta1"),
    rpc("workflows", "v1beta1", "ResumeWorkflowBeta1"),
    rpc("workflows", "v1beta1", "RaiseEventWorkflowBeta1"),
    rpc("workflows", "v1alpha1", "StartWorkflowAlpha1"),
    rpc("workflows", "v1alpha1", "GetWorkflowAlpha1"),
    rpc("workflows", "v1alpha1", "PurgeWorkflowAlpha1"),
    rpc("workflows", "v1alpha1", "TerminateWorkflowAlpha1"),
    rpc("workflows", "v1alpha1", "PauseWorkflowAlpha1"),
    rpc("workflows", "v1alpha1", "ResumeWorkflowAlpha1"),
    rpc("workflows", "v1alpha1", "RaiseEventWorkflowAlpha1"),
];

/// The rpc of a name.
pub(super) fn find(name: &str) -> Option<&'static Rpc> {
    RPCS.iter().find(|rpc| rpc.name == name)
}
