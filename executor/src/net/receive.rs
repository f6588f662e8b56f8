//! Receiving from a stream into the buffers of a pool.

use super::current_reactor;
use crate::Next;
use crate::buf::BufResult;
use futures_core::Stream;
use futures_core::stream::FusedStream;
use reactor::buffers::{BufPool, PoolBuf};
use reactor::operation::{InTurn, KeptBytes, Recv, RecvMulti, StreamInTurn};
use reactor::{Descriptor, Lane, Reactor};
use rustix::io::Errno;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::{fmt, io};

/// What a stream receives, piece by piece, in buffers of a [`BufPool`](super::BufPool). Ends with the peer's end of sending.
///
/// One submission serves any number of pieces (`IORING_OP_RECV` multishot); where the kernel lacks that
/// ([`Feature::MultishotReceive`](crate::Feature)), each piece takes two operations. A pool that has run dry is waited for, and nothing is
/// lost: what would have come stays in the socket. Who does not ask for the next piece is not flooded: after some unfetched pieces, a
/// quarter of the pool at most, receiving pauses, and the sender is slowed down.
///
/// While it lives it has the receiving side of the stream for itself: reads fail with `EBUSY`, or wait for a piece that is under way.
/// **Dropped**, it loses nothing: what had arrived by then, the next read or receive begins with.
///
/// An error is an item, and the stream can be asked again: after `ConnectionReset` it ends.
#[must_use = "a stream does nothing unless polled"]
pub struct Receive {
    reactor: Rc<Reactor>,
    socket: Descriptor,
    inbound: Rc<Lane<KeptBytes>>,
    pool: BufPool,
    stage: Stage,
}

enum Stage {
    Armed(StreamInTurn<RecvMulti>),
    /// The pool has run dry.
    Waiting(Pin<Box<dyn Future<Output = ()>>>),
    /// The kernel does not choose buffers: the next piece.
    ByHand(Pin<Box<dyn Future<Output = io::Result<Option<PoolBuf>>>>>),
    Ended,
}

impl Receive {
    #[track_caller]
    pub(super) fn new(
        socket: Descriptor,
        inbound: Rc<Lane<KeptBytes>>,
        pool: &super::BufPool,
    ) -> Self {
        let mut receive = Self {
            reactor: current_reactor("receive"),
            socket,
            inbound,
            pool: pool.for_this_core("receive"),
            stage: Stage::Ended,
        };
        receive.stage = receive.next_stage();
        receive
    }

    /// The next piece, at least one byte; `None` when the peer has finished sending.
    ///
    /// **Dropped** before it is ready, nothing is lost: the next call goes on.
    #[expect(clippy::should_implement_trait, reason = "as for every stream")]
    pub fn next(&mut self) -> Next<'_, Self> {
        Next::new(self)
    }

    fn next_stage(&self) -> Stage {
        let reactor = Rc::clone(&self.reactor);
        let (socket, inbound, pool) = (
            self.socket.clone(),
            Rc::clone(&self.inbound),
            self.pool.clone(),
        );
        if pool.is_registered() {
            let receive = RecvMulti::new(socket, pool);
            return Stage::Armed(StreamInTurn::new(reactor, inbound, receive));
        }
        Stage::ByHand(Box::pin(receive_by_hand(reactor, socket, inbound, pool)))
    }
}

/// Waits for something to come before it takes a buffer, so that a connection which waits holds none.
async fn receive_by_hand(
    reactor: Rc<Reactor>,
    socket: Descriptor,
    inbound: Rc<Lane<KeptBytes>>,
    pool: BufPool,
) -> io::Result<Option<PoolBuf>> {
    let peek = Recv::peeking(socket.clone(), [0; 1]);
    let BufResult(peeked, _) = InTurn::new(Rc::clone(&reactor), Rc::clone(&inbound), peek).await;
    if peeked? == 0 {
        return Ok(None);
    }
    let buffer = take(&pool).await;
    let receive = Recv::new(socket, buffer);
    let BufResult(received, buffer) = InTurn::new(reactor, inbound, receive).await;
    Ok((received? > 0).then_some(buffer))
}

/// A buffer of a pool that the kernel does not take buffers of.
pub(super) async fn take(pool: &BufPool) -> PoolBuf {
    loop {
        if let Some(buffer) = pool.try_take() {
            return buffer;
        }
        pool.wait_for_free().await;
    }
}

/// The kernel, or the lane, found the pool dry.
pub(super) fn is_dry(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::NOBUFS)
}

/// A future that waits until a receive may find a buffer.
pub(super) fn until_free(pool: &BufPool) -> Pin<Box<dyn Future<Output = ()>>> {
    let pool = pool.clone();
    Box::pin(async move { pool.wait_for_free().await })
}

impl Stream for Receive {
    type Item = io::Result<PoolBuf>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let item = match &mut self.stage {
                Stage::Armed(stream) => match ready!(stream.poll_next(context)) {
                    None => {
                        self.stage = self.next_stage();
                        continue;
                    }
                    Some(Err(error)) if is_dry(&error) => {
                        self.stage = Stage::Waiting(until_free(&self.pool));
                        continue;
                    }
                    Some(item) => item,
                },
                Stage::Waiting(free) => {
                    ready!(free.as_mut().poll(context));
                    self.stage = self.next_stage();
                    continue;
                }
                Stage::ByHand(piece) => {
                    let item = ready!(piece.as_mut().poll(context));
                    self.stage = self.next_stage();
                    item
                }
                Stage::Ended => return Poll::Ready(None),
            };
            if matches!(item, Ok(None)) {
                self.stage = Stage::Ended;
            }
            return Poll::Ready(item.transpose());
        }
    }
}

impl FusedStream for Receive {
    fn is_terminated(&self) -> bool {
        matches!(self.stage, Stage::Ended)
    }
}

impl fmt::Debug for Receive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Receive")
            .field("socket", &self.socket)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
