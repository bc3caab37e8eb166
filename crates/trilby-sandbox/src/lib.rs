//! A sandbox of its own for every request, from a module compiled and linked once.
//!
//! In the order of a module's life: an [`Engine`] is made once per process from
//! [`EngineSettings`]; it turns a module's bytes into a [`Module`], through the compilation cache;
//! a [`Linked`] holds the host functions and turns the module into a [`Program`] (import
//! resolution happens here, once); each request hands the program a [`Job`] and drives the
//! future of [`Program::run`] to an [`Ending`], reading the guest's output from a [`pipe`].
//!
//! This crate knows WASI and wasmtime, not HTTP and not Dapr: host functions come in as a linker
//! hook, and their per-request state is the `H` of [`State`].
//!
//! # Cancel safety
//!
//! Dropping the future of [`Program::run`] ends the guest at once, wherever it is, and gives its
//! memory back to the pool. A host call under way is dropped with it.

mod cache;
mod ending;
mod engine;
mod error;
mod input;
mod job;
mod metered;
pub mod pipe;
mod program;
mod resources;
mod stderr;
mod text;
mod wasi;

pub use cache::Cache;
pub use engine::{Engine, EngineSettings, Module};
pub use error::Error;
pub use input::{Input, InputError};
pub use job::{Ending, Job, RunLimits, Volume};
pub use program::{Linked, Program, State};
pub use stderr::LineSink;
