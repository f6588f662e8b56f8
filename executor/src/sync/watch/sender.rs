//! The senders.

use super::channel::{Channel, Ref};
use super::error::SendError;
use super::receiver::Receiver;
use crate::sync::Wait;
use futures_core::FusedFuture;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Changes the value. Clone it for more senders; when the last one is **dropped**, receivers that have seen the last value get a
/// [`RecvError`](super::error::RecvError).
///
/// # Panics
/// All that change the value panic while a [`Ref`] of it lives: somebody holds that across an await.
pub struct Sender<T> {
    channel: Rc<Channel<T>>,
}

impl<T> Sender<T> {
    /// A sender without receivers: they [subscribe](Self::subscribe).
    pub fn new(value: T) -> Self {
        Self {
            channel: Rc::new(Channel::new(value)),
        }
    }

    /// Replaces the value, and wakes the receivers that wait.
    ///
    /// # Errors
    /// [`SendError`] with the value, which does not become the current one, if there is no receiver now. To set it all the same use
    /// [`send_replace`](Self::send_replace).
    ///
    /// # Panics
    /// While a [`Ref`] lives.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        drop(self.send_replace(value));
        Ok(())
    }

    /// Replaces the value, also if there is no receiver, and returns the one before.
    ///
    /// # Panics
    /// While a [`Ref`] lives.
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|current| std::mem::swap(current, &mut value));
        value
    }

    /// Changes the value in place, also if there is no receiver. If `modify` panics, nobody is told.
    ///
    /// # Panics
    /// While a [`Ref`] lives.
    pub fn send_modify(&self, modify: impl FnOnce(&mut T)) {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Changes the value in place, and tells the receivers only if `modify` returns true. Returns the same.
    ///
    /// # Panics
    /// While a [`Ref`] lives.
    ///
    /// # Examples
    /// ```
    /// use executor::sync::watch;
    /// let (sender, receiver) = watch::channel(5);
    /// let at_most = |limit: i32| {
    ///     sender.send_if_modified(|value| {
    ///         let is_less = limit < *value;
    ///         *value = limit.min(*value);
    ///         is_less
    ///     })
    /// };
    /// assert!(!at_most(7));
    /// assert!(at_most(3));
    /// assert_eq!(*receiver.borrow(), 3);
    /// ```
    pub fn send_if_modified(&self, modify: impl FnOnce(&mut T) -> bool) -> bool {
        let is_modified = {
            let mut value = self.channel.value.try_borrow_mut().expect(
                "a watched value cannot be changed while a `Ref` of it lives: drop that before the next await",
            );
            modify(&mut value)
        };
        if is_modified {
            self.channel.tell();
        }
        is_modified
    }

    /// A look at the value.
    pub fn borrow(&self) -> Ref<'_, T> {
        self.channel.look(self.channel.version.get())
    }

    /// A receiver, which counts the current value as seen.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(Rc::clone(&self.channel), self.channel.version.get())
    }

    /// Waits until there is no receiver.
    pub fn closed(&self) -> Closed<'_> {
        Closed(self.channel.closed.wait())
    }

    /// Whether there is no receiver now.
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.channel.receivers()
    }

    /// How many senders there are.
    pub fn sender_count(&self) -> usize {
        self.channel.senders.get()
    }

    /// Whether the two are of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.channel, &other.channel)
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        let channel = Rc::clone(&self.channel);
        channel.senders.set(channel.senders.get() + 1);
        Self { channel }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let senders = &self.channel.senders;
        senders.set(senders.get() - 1);
        if senders.get() == 0 {
            self.channel.waiting.grant_all(());
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sender")
            .field("value", &self.channel.value)
            .field("receivers", &self.receiver_count())
            .finish_non_exhaustive()
    }
}

/// The future of [`Sender::closed`]. **Dropped**, it waits no more.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Closed<'a>(Wait<'a>);

impl Future for Closed<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl FusedFuture for Closed<'_> {
    fn is_terminated(&self) -> bool {
        self.0.is_terminated()
    }
}
