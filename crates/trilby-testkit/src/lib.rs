//! Real parts for tests: the `trilby` binary, daprd and its control plane, Redis, and an HTTP client.
//!
//! A test starts with a [`World`]: an application served by `trilby` against one [`Backend`]. The
//! world starts the parts below it in the order in which they need each other, waits on
//! conditions, and ends what it started when it is dropped. [`Client`] talks HTTP/1.1 or HTTP/2 to
//! it, always on 127.0.0.1.
//!
//! Where the parts are: `TRILBY_TEST_BIN`, `TRILBY_TEST_DAPRD`, `TRILBY_TEST_SCHEDULER`,
//! `TRILBY_TEST_PLACEMENT` and `TRILBY_TEST_REDIS` name the programs; `cargo xtask test` sets them.
//! What needs a program that is not named is left out, with a line that says so; with `CI` set it
//! is an error instead.

mod backend;
mod client;
mod components;
mod control_plane;
mod daprd;
mod process;
mod redis;
mod trilby;
mod wait;
mod world;

pub use backend::{Backend, leave_out};
pub use client::{Answer, Client};
pub use components::Components;
pub use control_plane::{ControlPlane, ControlPlaneAddress};
pub use daprd::{AppProtocol, Daprd, DaprdOptions};
pub use process::{Process, free_port};
pub use redis::Redis;
pub use trilby::{Launch, Trilby, repository};
pub use wait::until;
pub use world::{Api, Options, World, app_id};
