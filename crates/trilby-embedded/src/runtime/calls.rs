//! What a call of a component says when its policy ends it: daprd's words for the block, around
//! those of Go for the reason.

use trilby_dapr::configuration::GetConfiguration;
use trilby_dapr::conversation::Converse;
use trilby_dapr::crypto::{Decrypt, Encrypt};
use trilby_dapr::lock::{TryLock, Unlock};
use trilby_dapr::messaging::{InvokeBinding, Publish, PublishBulk};
use trilby_dapr::secret::{GetSecret, GetSecrets};
use trilby_dapr::state::{
    DeleteState, DeleteStates, GetState, GetStates, SaveState, TransactState,
};
use trilby_dapr::{Code, Error};

use crate::conversation::refusals as conversation;
use crate::crypto::refusals as crypto;
use crate::refusals;
use crate::resiliency::{Fault, Stop};

/// A request to a component.
pub(super) trait ComponentCall {
    /// The component's name.
    fn component(&self) -> &str;

    /// The error of a call that the component did not end by itself.
    fn stopped(&self, stop: &Stop<Error>) -> Error;
}

/// What an error of a component means to a policy. daprd looks at a request before the policy: what
/// is wrong with it says nothing about the component. A lost race would be lost again.
pub(super) fn fault(error: &Error) -> Fault {
    if error.is_conflict() {
        return Fault::Lasting;
    }
    match error.code {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => Fault::OfTheCall,
        Code::Aborted => Fault::Lasting,
        Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => Fault::Passing,
    }
}

macro_rules! component_calls {
    ($($request:ident . $component:ident: |$this:ident, $why:ident| $error:expr;)*) => {$(
        impl ComponentCall for $request {
            fn component(&self) -> &str {
                &self.$component
            }

            fn stopped(&self, stop: &Stop<Error>) -> Error {
                let ($this, $why) = (self, stop.reason());
                $error
            }
        }
    )*};
}

component_calls! {
    GetState.store: |this, why| refusals::state_get(&this.key, &this.store, why);
    SaveState.store: |this, why| refusals::state_save(Code::Internal, &this.store, why);
    DeleteState.store: |this, why| refusals::state_delete(Code::Internal, &this.key, why);
    DeleteStates.store: |this, why| refusals::states_delete(Code::Internal, &this.store, why);
    TransactState.store: |_this, why| refusals::state_transaction(Code::Internal, why);
    Publish.pubsub: |this, why| refusals::publish(&this.topic, &this.pubsub, why);
    PublishBulk.pubsub: |this, why| refusals::publish(&this.topic, &this.pubsub, why);
    InvokeBinding.binding: |this, why| refusals::output_binding(&this.binding, why);
    GetSecret.store: |this, why| refusals::secret(&this.key, &this.store, why);
    GetSecrets.store: |this, why| refusals::secrets(&this.store, why);
    GetConfiguration.store: |this, why| refusals::configuration(&this.keys, &this.store, why);
    TryLock.store: |_this, why| refusals::try_lock(why);
    Unlock.store: |_this, why| refusals::unlock(why);
    Encrypt.component: |_this, why| crypto::operation(why);
    Decrypt.component: |_this, why| crypto::operation(why);
    Converse.component: |this, why| conversation::failed(&this.component, why);
}

/// daprd hands on what stopped it as it is, and gRPC makes a status of that.
impl ComponentCall for GetStates {
    fn component(&self) -> &str {
        &self.store
    }

    fn stopped(&self, stop: &Stop<Error>) -> Error {
        let is_late = matches!(stop, Stop::TimedOut);
        let code = if is_late { Code::DeadlineExceeded } else { Code::Unknown };
        Error::new(code, stop.reason())
    }
}
