//! Looking names up, for those who connect or send by themselves.

use super::ToSocketAddrs;
use super::resolve::found;
use futures_core::FusedFuture;
use reactor::budget::limit;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{fmt, io, vec};

/// Looks up which addresses a host has, in the order of the system's preference.
///
/// The system's resolver, getaddrinfo(3), waits for files and name servers. So it runs on a thread of
/// [`spawn_blocking`](crate::spawn_blocking), and the core goes on. An address needs no lookup, and no thread.
///
/// It begins when the future is first polled. **Dropped**, the lookup goes on to its end on its thread, and its result is dropped.
///
/// # Errors
/// Those of the resolver, with the name in their text; `InvalidInput` if the text is no name with
/// a port, or there is no address; as for [`spawn_blocking`](crate::spawn_blocking) if there is no
/// thread for it.
///
/// # Panics
/// The future panics outside of a runtime.
///
/// # Examples
/// ```
/// use executor::net::lookup_host;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// for address in lookup_host("localhost:80").await? {
///     println!("{address}");
/// }
/// let address = lookup_host(("127.0.0.1", 80)).await?.next();
/// assert_eq!(address, Some(([127, 0, 0, 1], 80).into()));
/// # Ok(())
/// # }
/// ```
pub fn lookup_host(host: impl ToSocketAddrs) -> LookupHost {
    LookupHost(Some(Box::pin(found(host.lookup()))))
}

/// The future of [`lookup_host`]: it yields the addresses, at least one. See there for its drop.
#[must_use = "futures do nothing unless polled"]
pub struct LookupHost(Option<LookingUp>);

type LookingUp = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>>>>;

impl Future for LookupHost {
    type Output = io::Result<vec::IntoIter<SocketAddr>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let lookup = self.0.as_mut();
        let lookup = lookup.expect("a lookup was polled after it was ready");
        let found = ready!(limit(context, |context| lookup.as_mut().poll(context)));
        self.0 = None;
        Poll::Ready(found.map(Vec::into_iter))
    }
}

impl FusedFuture for LookupHost {
    fn is_terminated(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Debug for LookupHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LookupHost").finish_non_exhaustive()
    }
}
