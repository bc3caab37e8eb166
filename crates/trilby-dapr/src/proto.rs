//! The wire form of Dapr's API, generated from `proto/`: a subset written from Dapr's field
//! numbers. Fields that are not listed there are ignored on the wire, as protobuf allows.

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

/// The runtime's service and its messages (`dapr.proto.runtime.v1`).
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
