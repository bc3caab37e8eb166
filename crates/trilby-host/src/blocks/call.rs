//! `dapr_v1.call`: any unary rpc that has no function of its own.

use trilby_dapr::runtime::Call as Request;
use trilby_dapr::{Error, Metadata};
use trilby_sandbox::State;
use wasmtime::Linker;

use crate::access::typed_rpc;
use crate::answer::Answer;
use crate::operation::{Ask, BodyCall, Imports};
use crate::options::METADATA;
use crate::{Host, shown};

/// Rpcs that have functions of their own, each with the grant that covers it.
const TYPED: &[(&str, &str)] = &[
    ("InvokeService", "invoke"),
    ("GetState", "state-read"),
    ("GetBulkState", "state-read"),
    ("SaveState", "state-write"),
    ("DeleteState", "state-write"),
    ("DeleteBulkState", "state-write"),
    ("ExecuteStateTransaction", "state-write"),
    ("QueryStateAlpha1", "state-query"),
    ("PublishEvent", "publish"),
    ("BulkPublishEvent", "publish"),
    ("BulkPublishEventAlpha1", "publish"),
    ("InvokeBinding", "bindings"),
    ("GetSecret", "secrets"),
    ("GetBulkSecret", "secrets"),
    ("GetConfiguration", "configuration"),
    ("GetConfigurationAlpha1", "configuration"),
    ("TryLockAlpha1", "lock"),
    ("UnlockAlpha1", "lock"),
    ("ScheduleJob", "jobs"),
    ("ScheduleJobAlpha1", "jobs"),
    ("GetJob", "jobs"),
    ("GetJobAlpha1", "jobs"),
    ("DeleteJob", "jobs"),
    ("DeleteJobAlpha1", "jobs"),
    ("ListJobs", "jobs"),
    ("ListJobsAlpha1", "jobs"),
    ("EncryptAlpha1", "encrypt"),
    ("DecryptAlpha1", "decrypt"),
    ("ConverseAlpha1", "conversation"),
    ("ConverseAlpha2", "conversation"),
    ("InvokeActor", "actors"),
    ("GetActorState", "actors"),
    ("ExecuteActorStateTransaction", "actors"),
    ("RegisterActorReminder", "actors"),
    ("GetActorReminder", "actors"),
    ("UnregisterActorReminder", "actors"),
    ("RegisterActorTimer", "actors"),
    ("UnregisterActorTimer", "actors"),
    ("GetMetadata", "metadata"),
    ("SetMetadata", "metadata"),
];

/// Rpcs that stream, and have no function of their own: events come as requests.
const STREAMING: &[&str] = &[
    "SubscribeTopicEventsAlpha1",
    "SubscribeActorEventsAlpha1",
    "SubscribeConfiguration",
    "SubscribeConfigurationAlpha1",
];

/// The rpcs that `dapr_v1.call` refuses because they have functions of their own in the guest ABI,
/// each with the name of the grant that covers it. A `call` grant for one of them is of no use.
#[must_use]
pub fn typed_rpcs() -> &'static [(&'static str, &'static str)] {
    TYPED
}

pub(super) fn link(linker: &mut Linker<State<Host>>) -> wasmtime::Result<()> {
    Imports::of(linker, "dapr_v1").add("call", &[METADATA], call)
}

async fn call(ask: Ask, call: BodyCall<1>) -> Result<Answer, Error> {
    let BodyCall { names: [rpc], options, body: request } = call;
    check(&rpc)?;
    check_metadata(&options.metadata)?;
    ask.access.call(&rpc)?;
    let request = Request { rpc, request, metadata: options.metadata };
    let answer = ask.blocks.call(&ask.cx, request).await?;
    Ok(Answer::new(Vec::new(), answer))
}

fn check(rpc: &str) -> Result<(), Error> {
    if let Some((_, grant)) = TYPED.iter().find(|(typed, _)| *typed == rpc) {
        return Err(typed_rpc(rpc, grant));
    }
    if STREAMING.contains(&rpc) {
        let message = format!("the rpc `{rpc}` streams; what it brings comes as requests");
        return Err(Error::unimplemented(message).with_reason("TRILBY_STREAMING_RPC"));
    }
    // It becomes a part of a path.
    if !rpc.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(Error::invalid(format!("`{}` is not the name of an rpc", shown(rpc))));
    }
    Ok(())
}

/// gRPC metadata that would make another call of this one, or belongs to the host.
fn check_metadata(metadata: &Metadata) -> Result<(), Error> {
    const REFUSED_PREFIXES: [&str; 5] = ["dapr-", "grpc-", "traceparent", "tracestate", ":"];
    let is_refused = |name: &&String| {
        let name = name.to_ascii_lowercase();
        REFUSED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    match metadata.keys().find(is_refused) {
        None => Ok(()),
        Some(name) => {
            Err(Error::invalid(format!("the metadata `{}` is for the host to set", shown(name))))
        }
    }
}

#[cfg(test)]
mod tests {
    use trilby_dapr::Code;

    use super::*;

    #[test]
    fn rpcs_with_functions_and_streams_are_told() {
        for (rpc, grant) in typed_rpcs() {
            let error = check(rpc).expect_err(rpc);
            assert_eq!(error.code, Code::PermissionDenied);
            assert!(error.message.contains(&format!("a grant of `{grant}`")), "{error}");
        }
        for rpc in STREAMING {
            assert_eq!(check(rpc).map_err(|e| e.code), Err(Code::Unimplemented), "{rpc}");
        }
        for rpc in ["ListActorReminders", "Shutdown", "DeleteJobsByPrefix", "Unheard_Of2"] {
            assert_eq!(check(rpc), Ok(()), "{rpc}");
        }
        for rpc in ["../GetState", "a/b", "GetState ", "Gët"] {
            assert_eq!(check(rpc).map_err(|e| e.code), Err(Code::InvalidArgument), "{rpc}");
        }
    }

    #[test]
    fn metadata_of_the_host_is_refused() {
        let of = |name: &str| check_metadata(&Metadata::from([(name.to_owned(), "x".to_owned())]));
        for name in ["dapr-app-id", "Dapr-Api-Token", "grpc-timeout", "traceparent", ":path"] {
            assert_eq!(of(name).map_err(|e| e.code), Err(Code::InvalidArgument), "{name}");
        }
        assert_eq!(of("x-mine"), Ok(()));
    }
}
