//! The wire form of Dapr's API, generated from `proto/`, which is written from the names and field
//! numbers of Dapr 1.18. It leaves out workflows, MCP, the `Subtle` cryptography and the hosting of
//! actors, and rpcs that have a stable successor; what is not listed there is ignored on the wire,
//! as protobuf allows. Types of `google.protobuf` are those of [`prost_types`].

/// Messages shared by the API and the app channel (`dapr.proto.common.v1`).
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::or_fun_call,
    clippy::use_self,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod common {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("dapr.proto.common.v1");
    }
}

/// The services of the runtime and of the app, and their messages (`dapr.proto.runtime.v1`).
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::or_fun_call,
    clippy::use_self,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod runtime {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("dapr.proto.runtime.v1");
    }
}
