//! The connections that come to a listener, one after another.

use super::current_reactor;
use super::prompt_lane::PromptLane;
use crate::{Feature, Next};
use futures_core::Stream;
use futures_core::stream::FusedStream;
use reactor::operation::{Accept, Accepted, InTurn, MultishotAccept, StreamInTurn};
use reactor::{Descriptor, Reactor};
use std::future::Future;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::{fmt, io};

/// The stream of a listener's connections; it never ends.
///
/// One submission serves any number of connections (`IORING_OP_ACCEPT` multishot); where the kernel lacks that
/// ([`Feature::MultishotAccept`]), each takes one. Who does not ask for the next is not flooded: with 64 unfetched connections, or what the
/// backlog had at once, accepting pauses, and further ones wait in the backlog.
///
/// While it lives it has the listener for itself: accepts fail with `EBUSY`, or wait. **Dropped**, it loses no connection: those it had
/// accepted and nobody has fetched are what the next accept, or the next such stream, begins with.
///
/// An error is an item, and the stream can be asked again. When descriptors run out (`EMFILE`, `ENFILE`) the connection stays in the
/// backlog: wait until some are free, and go on.
///
/// # Examples
/// ```
/// use executor::net::{TcpListener, TcpStream};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let server = executor::spawn(async move {
///     let mut incoming = listener.incoming();
///     while let Some(stream) = incoming.next().await {
///         executor::spawn(async move { stream?.write_all("hello").await.0 }).detach();
///     }
/// });
/// let stream = TcpStream::connect(address).await?;
/// assert_eq!(&stream.read_exact([0; 5]).await.1, b"hello");
/// # server.abort();
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing unless polled"]
pub struct Incoming<S> {
    reactor: Rc<Reactor>,
    make: fn(OwnedFd) -> S,
    stage: Stage,
    listener: Descriptor,
    // After the stage and the descriptor: see there.
    inbound: PromptLane<Accepted>,
}

enum Stage {
    Idle,
    Multishot(StreamInTurn<MultishotAccept>),
    Single(InTurn<Accept>),
}

impl<S> Incoming<S> {
    #[track_caller]
    pub(super) fn new(
        listener: Descriptor,
        inbound: PromptLane<Accepted>,
        make: fn(OwnedFd) -> S,
    ) -> Self {
        Self {
            reactor: current_reactor("incoming"),
            listener,
            inbound,
            make,
            stage: Stage::Idle,
        }
    }

    /// The next connection: a close-on-exec socket of this core. Always `Some`; an `Option` as streams have it.
    ///
    /// **Dropped** before it is ready, nothing is lost: the next call goes on.
    #[expect(clippy::should_implement_trait, reason = "as for every stream")]
    pub fn next(&mut self) -> Next<'_, Self> {
        Next::new(self)
    }

    fn next_stage(&self) -> Stage {
        let (reactor, inbound) = (Rc::clone(&self.reactor), Rc::clone(self.inbound.lane()));
        if reactor.capabilities().has(Feature::MultishotAccept) {
            let accept = MultishotAccept::new(self.listener.clone());
            return Stage::Multishot(StreamInTurn::new(reactor, inbound, accept));
        }
        let accept = Accept::new(self.listener.clone());
        Stage::Single(InTurn::new(reactor, inbound, accept))
    }
}

impl<S> Stream for Incoming<S> {
    type Item = io::Result<S>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let socket = loop {
            match &mut self.stage {
                Stage::Multishot(stream) => match ready!(stream.poll_next(context)) {
                    Some(socket) => break socket,
                    // It was paused, or the kernel ended it.
                    None => self.stage = Stage::Idle,
                },
                Stage::Single(accept) => {
                    let accepted = ready!(Pin::new(accept).poll(context));
                    self.stage = Stage::Idle;
                    break accepted.map(|(socket, _)| socket);
                }
                Stage::Idle => self.stage = self.next_stage(),
            }
        };
        Poll::Ready(Some(socket.map(self.make)))
    }
}

impl<S> FusedStream for Incoming<S> {
    /// It never ends.
    fn is_terminated(&self) -> bool {
        false
    }
}

impl<S> fmt::Debug for Incoming<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Incoming")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}
