//! Types of this crate in the wire form of [`proto`](crate::proto), and back, for whoever speaks it on
//! either side.

pub mod any;
pub mod invoke;
pub mod jobs;
pub mod raw;
