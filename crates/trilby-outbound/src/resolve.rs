//! Names to addresses, with the private ones taken out.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::Semaphore;
use tower::Service;

use crate::policy::Reach;

/// The addresses of a name. It may block.
pub(crate) type Lookup = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

/// How the system resolves names.
pub(crate) fn system(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// Resolves names for connections that may lead to the addresses of one [`Reach`].
#[derive(Clone)]
pub(crate) struct Resolver {
    pub(crate) lookup: Lookup,
    /// Look-ups under way. One that nobody waits for any more still holds its thread, and its
    /// place here.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) reach: Arc<Reach>,
}

/// Why a name led nowhere.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error("all its addresses are private, such as {0}")]
    Private(IpAddr),
    #[error("the name has no address")]
    Nothing,
    #[error("the name cannot be resolved")]
    Lookup(#[source] io::Error),
    #[error("the process is ending")]
    Ending,
}

impl Resolver {
    async fn resolve(self, name: Name) -> Result<vec::IntoIter<SocketAddr>, ResolveError> {
        let found = match name.as_str() {
            // Never asked of a name server (RFC 6761, section 6.3).
            "localhost" => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            _ => self.look_up(name).await?,
        };
        let first = found.first().copied().ok_or(ResolveError::Nothing)?;
        let permitted: Vec<_> = found
            .into_iter()
            .filter(|ip| self.reach.permits(*ip))
            .map(|ip| SocketAddr::new(ip, 0))
            .collect();
        match permitted.is_empty() {
            true => Err(ResolveError::Private(first)),
            false => Ok(permitted.into_iter()),
        }
    }

    async fn look_up(&self, name: Name) -> Result<Vec<IpAddr>, ResolveError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| ResolveError::Ending)?;
        let lookup = Arc::clone(&self.lookup);
        let work = tokio::task::spawn_blocking(move || {
            let found = lookup(name.as_str());
            drop(place);
            found
        });
        work.await.map_err(|_| ResolveError::Ending)?.map_err(ResolveError::Lookup)
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(self.clone().resolve(name))
    }
}
