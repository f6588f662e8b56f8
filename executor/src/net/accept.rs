//! Waiting for one connection.

use super::prompt_lane::PromptLane;
use futures_core::FusedFuture;
use reactor::operation::{self, Accepted, InTurn};
use socket2::SockAddr;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Makes the stream and the address that users get of what the kernel gave.
pub(super) type Make<S, A> = fn((OwnedFd, SockAddr)) -> io::Result<(S, A)>;

/// The future of accepting a connection. It yields the connection and the peer's address. `S` is [`TcpStream`](super::TcpStream), or
/// [`UnixStream`](super::UnixStream) with a [`std::os::unix::net::SocketAddr`] as `A`.
///
/// It does not borrow the listener, and keeps its address in use. **Dropped**, it is cancelled, and no connection is lost: one that was already
/// accepted goes to the next accept.
#[must_use = "futures do nothing unless polled"]
pub struct Accept<S, A = SocketAddr> {
    accept: InTurn<operation::Accept>,
    make: Make<S, A>,
    // Until it is ready, and dropped after the operation, which has the descriptor.
    inbound: Option<PromptLane<Accepted>>,
}

impl<S, A> Accept<S, A> {
    pub(super) fn new(
        accept: InTurn<operation::Accept>,
        inbound: PromptLane<Accepted>,
        make: Make<S, A>,
    ) -> Self {
        Self {
            accept,
            make,
            inbound: Some(inbound),
        }
    }

    /// Asks the kernel to give the accept up, and returns the future, to be awaited again. It is then ready soon: with a connection that was accepted
    /// before the cancel reached it, or with the error `ECANCELED` ([`raw_os_error`](io::Error::raw_os_error)). So a server that stops
    /// accepting loses no connection.
    ///
    /// An accept that was never polled has not begun, and does not begin.
    pub fn cancel(self) -> Self {
        Self {
            accept: self.accept.cancel(),
            ..self
        }
    }
}

impl<S, A> Future for Accept<S, A> {
    type Output = io::Result<(S, A)>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let accepted = ready!(Pin::new(&mut self.accept).poll(context));
        self.inbound = None;
        Poll::Ready(accepted.and_then(self.make))
    }
}

impl<S, A> FusedFuture for Accept<S, A> {
    fn is_terminated(&self) -> bool {
        self.accept.is_over()
    }
}

impl<S, A> fmt::Debug for Accept<S, A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Accept").finish_non_exhaustive()
    }
}
