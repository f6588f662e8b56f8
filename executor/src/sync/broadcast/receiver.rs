//! The receivers.

use super::channel::Channel;
use super::error::{RecvError, TryRecvError};
use futures_core::stream::FusedStream;
use futures_core::{FusedFuture, Stream};
use reactor::budget;
use reactor::waiters::Place;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// Receives all values that are sent after it was made; also a [`Stream`] of them, in which the only error is
/// [`Lagged`](RecvError::Lagged). It cannot be cloned, since it would be unclear what the clone gets: see [`resubscribe`](Self::resubscribe).
pub struct Receiver<T> {
    channel: Rc<Channel<T>>,
    /// The number of the value that it gets next.
    next: u64,
    /// It stays in the queue if a future of it is dropped; all that wait are woken together, so it stands in nobody's way.
    place: Place,
    /// It has said that there is nothing more.
    has_ended: bool,
}

impl<T> Receiver<T> {
    pub(super) fn new(channel: Rc<Channel<T>>) -> Self {
        let next = channel.add_receiver();
        Self {
            channel,
            next,
            place: None,
            has_ended: false,
        }
    }

    /// A receiver of what is sent from now on.
    #[must_use]
    pub fn resubscribe(&self) -> Self {
        Self::new(Rc::clone(&self.channel))
    }

    /// How many values it has not had, with those that were overwritten.
    pub fn len(&self) -> usize {
        self.channel.len_from(self.next)
    }

    /// Whether it has had everything that was sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether all senders have been dropped. There may be values that it has not had.
    pub fn is_closed(&self) -> bool {
        self.channel.senders.get() == 0
    }

    /// Whether the two receive from one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.channel, &other.channel)
    }
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next value, and clones it.
    ///
    /// **Dropped**, the future loses nothing.
    ///
    /// # Errors
    /// [`RecvError`]: values were missed, or nothing comes any more.
    pub fn recv(&mut self) -> Recv<'_, T> {
        Recv { receiver: self }
    }

    /// A clone of the next value, if there is one now.
    ///
    /// # Errors
    /// [`TryRecvError`] otherwise.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let value = self.channel.try_recv(&mut self.next)?;
        // The last receiver has it to itself.
        Ok(Rc::try_unwrap(value).unwrap_or_else(|value| (*value).clone()))
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        budget::limit(context, |context| {
            loop {
                let error = match self.try_recv() {
                    Ok(value) => return Poll::Ready(Ok(value)),
                    Err(TryRecvError::Closed) => RecvError::Closed,
                    Err(TryRecvError::Lagged(missed)) => RecvError::Lagged(missed),
                    Err(TryRecvError::Empty) => {
                        ready!(self.channel.waiting.wait(&mut self.place, (), context));
                        continue;
                    }
                };
                self.has_ended = error == RecvError::Closed;
                return Poll::Ready(Err(error));
            }
        })
    }
}

impl<T: Clone> Stream for Receiver<T> {
    type Item = Result<T, RecvError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let received = ready!(self.poll_recv(context));
        let is_end = received
            .as_ref()
            .is_err_and(|error| *error == RecvError::Closed);
        Poll::Ready((!is_end).then_some(received))
    }
}

impl<T: Clone> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.has_ended
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // All that wait are woken together: there is nothing to pass on.
        let _ = self.channel.waiting.leave(&mut self.place);
        self.channel.remove_receiver(self.next);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Receiver")
            .field("queued", &self.len())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// The future of [`Receiver::recv`]. **Dropped**, it loses nothing.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Recv<'a, T> {
    receiver: &'a mut Receiver<T>,
}

impl<T: Clone> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.receiver.poll_recv(context)
    }
}

/// Terminated once the channel has said that nothing comes any more. Until then the future can be polled on for the next value.
impl<T: Clone> FusedFuture for Recv<'_, T> {
    fn is_terminated(&self) -> bool {
        self.receiver.has_ended
    }
}
