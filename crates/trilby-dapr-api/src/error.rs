//! Why the API cannot be served.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the API cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The port is taken, or the address is not of this machine.
    #[error("cannot listen on {address} for Dapr's API: {source}; port 0 takes a free one")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// A Unix socket cannot be made.
    #[error("cannot listen on the socket `{path}` for Dapr's API: {source}")]
    Socket {
        /// The socket's file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Another process serves there.
    #[error("`{path}` is served by another process; use another folder or app id")]
    SocketInUse {
        /// The socket's file.
        path: PathBuf,
    },
    /// The socket's name is that of a file of another kind, which is left alone.
    #[error("`{path}` is there, and is no socket; remove it or use another folder")]
    NoSocket {
        /// The file.
        path: PathBuf,
    },
}
