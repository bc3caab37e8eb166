//! The API over the embedded runtime, through a client of gRPC and one of HTTP.

mod apps;
mod grpc;
mod http_api;
mod streams;
mod world;
