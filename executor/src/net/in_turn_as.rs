//! An operation in its turn, with its outcome in another form.

use crate::buf::BufResult;
use reactor::operation::{InTurn, Ordered, RecvDatagram, RecvMsg, SendMsg};
use std::fmt;
use std::future::Future;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The future of an operation that waits for its turn, like [`InTurn`], and yields a `T`.
#[must_use = "an operation does nothing unless polled"]
pub struct InTurnAs<O: Ordered, T> {
    in_turn: InTurn<O>,
    form: fn(O::Output) -> T,
}

/// The future of a receive of a datagram into one buffer; it yields a `T`, and the buffer.
pub type Receiving<B, T> = InTurnAs<RecvDatagram<(B,)>, BufResult<T, B>>;

/// The future of a receive of a datagram into several buffers; it yields a `T`, and the buffers.
pub type ReceivingVectored<V, T> = InTurnAs<RecvDatagram<V>, BufResult<T, V>>;

/// The future of a read into several buffers, which yields how many bytes came, and the buffers.
pub type ReadingVectored<V> = InTurnAs<RecvMsg<V>, BufResult<usize, V>>;

/// The future of a send with an address or descriptors, which yields how many bytes went, and the buffer.
pub type Sending<B> = InTurnAs<SendMsg<(B,)>, BufResult<usize, B>>;

/// The future of a read that takes descriptors: it yields how many bytes came, the descriptors, and the buffer.
pub type ReadingDescriptors<B> = InTurnAs<RecvMsg<(B,)>, BufResult<(usize, Vec<OwnedFd>), B>>;

impl<O: Ordered, T> InTurnAs<O, T> {
    pub(super) fn new(in_turn: InTurn<O>, form: fn(O::Output) -> T) -> Self {
        Self { in_turn, form }
    }

    /// Asks the kernel to give the operation up. The same future then yields what became of it, soon: the buffer, and what was
    /// transferred if the operation was done before the cancel got there, or else `ECANCELED`, or `Interrupted`, if a worker thread of the
    /// kernel was waiting in it.
    ///
    /// An operation that was never polled has not begun, and will not.
    pub fn cancel(self) -> Self {
        let in_turn = self.in_turn.cancel();
        Self { in_turn, ..self }
    }
}

impl<O: Ordered, T> Future for InTurnAs<O, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let output = ready!(Pin::new(&mut self.in_turn).poll(context));
        Poll::Ready((self.form)(output))
    }
}

impl<O: Ordered, T> fmt::Debug for InTurnAs<O, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InTurnAs").finish_non_exhaustive()
    }
}
