//! The receivers.

use super::channel::{Channel, Ref};
use super::error::RecvError;
use futures_core::stream::FusedStream;
use futures_core::{FusedFuture, Stream};
use reactor::budget;
use reactor::waiters::Place;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// Looks at the value and waits for changes; also a [`Stream`] of the values, cloned, from the next change on.
///
/// It remembers which value it has seen: by [`borrow_and_update`](Self::borrow_and_update), [`changed`](Self::changed),
/// [`wait_for`](Self::wait_for) and as a stream. A clone has seen the same.
pub struct Receiver<T> {
    channel: Rc<Channel<T>>,
    /// The version of the value that it has seen.
    seen: u64,
    /// It stays in the queue if a future of it is dropped; all that wait are woken together, so it stands in nobody's way.
    place: Place,
    /// It has said that the value does not change any more.
    has_ended: bool,
}

impl<T> Receiver<T> {
    pub(super) fn new(channel: Rc<Channel<T>>, seen: u64) -> Self {
        channel.add_receiver();
        Self {
            channel,
            seen,
            place: None,
            has_ended: false,
        }
    }

    /// A look at the value, which does not count as seen by it.
    pub fn borrow(&self) -> Ref<'_, T> {
        self.channel.look(self.seen)
    }

    /// A look at the value, which counts as seen from now on.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let seen = std::mem::replace(&mut self.seen, self.channel.version.get());
        self.channel.look(seen)
    }

    /// Whether the value was not seen yet.
    ///
    /// # Errors
    /// [`RecvError`], if all senders have been dropped.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        if self.channel.is_over() {
            return Err(RecvError(()));
        }
        Ok(self.is_unseen())
    }

    /// Counts the current value as not seen.
    pub fn mark_changed(&mut self) {
        // No version that comes is equal to it.
        self.seen = u64::MAX;
    }

    /// Counts the current value as seen.
    pub fn mark_unchanged(&mut self) {
        self.seen = self.channel.version.get();
    }

    /// Waits until there is a value that was not seen, and counts it as seen.
    ///
    /// **Dropped**, the future loses nothing: a change that it has not told of is there for the next.
    ///
    /// # Errors
    /// [`RecvError`], if all senders have been dropped, and their last value was seen.
    pub fn changed(&mut self) -> Changed<'_, T> {
        Changed { receiver: self }
    }

    /// Waits until `condition` holds for the value, and counts that as seen. It looks at the current value first, and then at each that it sees
    /// after a change.
    ///
    /// **Dropped**, the future loses nothing; values that did not meet the condition count as seen.
    ///
    /// # Errors
    /// [`RecvError`], if all senders have been dropped, and the condition does not hold for their last value.
    ///
    /// # Examples
    /// ```
    /// use executor::sync::watch;
    /// # #[executor::main(cores = 1)]
    /// # async fn main() {
    /// let (sender, mut receiver) = watch::channel(0);
    /// executor::spawn(async move {
    ///     for number in 1..=10 {
    ///         sender.send_replace(number);
    ///         executor::yield_now().await;
    ///     }
    /// })
    /// .detach();
    /// assert_eq!(*receiver.wait_for(|number| *number > 4).await.unwrap(), 5);
    /// # }
    /// ```
    pub fn wait_for<F: FnMut(&T) -> bool>(&mut self, condition: F) -> WaitFor<'_, T, F> {
        WaitFor {
            receiver: Some(self),
            condition,
            has_looked: false,
        }
    }

    /// Whether the two are of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.channel, &other.channel)
    }

    fn is_unseen(&self) -> bool {
        self.channel.version.get() != self.seen
    }

    fn poll_changed(&mut self, context: &mut Context<'_>) -> Poll<Result<(), RecvError>> {
        budget::limit(context, |context| {
            loop {
                if self.is_unseen() {
                    self.mark_unchanged();
                    return Poll::Ready(Ok(()));
                }
                if self.channel.is_over() {
                    self.has_ended = true;
                    return Poll::Ready(Err(RecvError(())));
                }
                ready!(self.channel.waiting.wait(&mut self.place, (), context));
            }
        })
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self::new(Rc::clone(&self.channel), self.seen)
    }
}

impl<T: Clone> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let changed = ready!(self.poll_changed(context));
        Poll::Ready(changed.ok().map(|()| self.borrow().clone()))
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
        self.channel.remove_receiver();
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Receiver")
            .field("value", &self.channel.value)
            .field("is_unseen", &self.is_unseen())
            .finish_non_exhaustive()
    }
}

/// The future of [`Receiver::changed`]. **Dropped**, it loses nothing.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Changed<'a, T> {
    receiver: &'a mut Receiver<T>,
}

impl<T> Future for Changed<'_, T> {
    type Output = Result<(), RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.receiver.poll_changed(context)
    }
}

/// Terminated once it has said that the value does not change any more. Until then the future can be polled on for the next change.
impl<T> FusedFuture for Changed<'_, T> {
    fn is_terminated(&self) -> bool {
        self.receiver.has_ended
    }
}

/// The future of [`Receiver::wait_for`]. **Dropped**, it loses nothing; values that did not meet the condition count as seen.
#[must_use = "futures do nothing unless polled"]
pub struct WaitFor<'a, T, F> {
    /// `None` when it is done.
    receiver: Option<&'a mut Receiver<T>>,
    condition: F,
    /// It has looked at the value that was there when it began.
    has_looked: bool,
}

// The condition is called, never pinned.
impl<T, F> Unpin for WaitFor<'_, T, F> {}

impl<'a, T, F: FnMut(&T) -> bool> Future for WaitFor<'a, T, F> {
    type Output = Result<Ref<'a, T>, RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            let receiver = this.receiver.as_mut().expect("polled after it was ready");
            let mut has_changed = receiver.is_unseen();
            if this.has_looked {
                if ready!(receiver.poll_changed(context)).is_err() {
                    this.receiver = None;
                    return Poll::Ready(Err(RecvError(())));
                }
                has_changed = true;
            } else {
                ready!(budget::spend(context));
                receiver.mark_unchanged();
                this.has_looked = true;
            }
            if (this.condition)(&receiver.channel.value.borrow()) {
                let receiver = this.receiver.take().expect("just used");
                let value = receiver.channel.value.borrow();
                return Poll::Ready(Ok(Ref::new(value, has_changed)));
            }
        }
    }
}

impl<T, F: FnMut(&T) -> bool> FusedFuture for WaitFor<'_, T, F> {
    fn is_terminated(&self) -> bool {
        self.receiver.is_none()
    }
}

impl<T: fmt::Debug, F> fmt::Debug for WaitFor<'_, T, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WaitFor")
            .field("receiver", &self.receiver)
            .finish_non_exhaustive()
    }
}
