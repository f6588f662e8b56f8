//! The senders of an unbounded channel.

use super::channel::Channel;
use super::error::SendError;
use super::sender::{Closed, sender_traits};
use std::fmt;
use std::rc::Rc;

/// Sends values into an unbounded channel, without waiting. Clone it for more senders; when the last one is **dropped**, the receiver gets what is in
/// the channel, and then its end.
pub struct UnboundedSender<T> {
    channel: Rc<Channel<T>>,
}

impl<T> UnboundedSender<T> {
    pub(super) fn new(channel: Rc<Channel<T>>) -> Self {
        Self { channel }
    }

    /// Sends the value.
    ///
    /// # Errors
    /// [`SendError`] with the value, if the receiver has gone or has closed the channel.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.channel.push_unbounded(value)
    }

    /// Waits until the receiver has gone or has closed the channel.
    pub fn closed(&self) -> Closed<'_> {
        Closed(self.channel.closed.wait())
    }

    /// Whether the receiver has gone or has closed the channel.
    pub fn is_closed(&self) -> bool {
        self.channel.is_closed()
    }

    /// Whether the two send into one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.channel, &other.channel)
    }

    /// A sender that does not keep the channel open.
    pub fn downgrade(&self) -> WeakUnboundedSender<T> {
        WeakUnboundedSender::new(&self.channel)
    }

    /// How many senders there are, without the weak ones.
    pub fn strong_count(&self) -> usize {
        self.channel.senders.get()
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.channel.weak_senders.get()
    }
}

/// A sender that does not keep the channel open: once all [`UnboundedSender`]s are dropped, the receiver gets the end.
pub struct WeakUnboundedSender<T> {
    channel: Rc<Channel<T>>,
}

impl<T> WeakUnboundedSender<T> {
    fn new(channel: &Rc<Channel<T>>) -> Self {
        channel.weak_senders.set(channel.weak_senders.get() + 1);
        let channel = Rc::clone(channel);
        Self { channel }
    }

    /// A sender, if there still is one.
    pub fn upgrade(&self) -> Option<UnboundedSender<T>> {
        if self.channel.senders.get() == 0 {
            return None;
        }
        self.channel.add_sender();
        Some(UnboundedSender::new(Rc::clone(&self.channel)))
    }
}

sender_traits!(UnboundedSender, WeakUnboundedSender);
