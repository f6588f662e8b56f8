//! The senders.

use super::Receiver;
use super::channel::Channel;
use super::error::SendError;
use std::fmt;
use std::rc::Rc;

/// Sends values to all receivers. Clone it for more senders; when the last one is **dropped**, the receivers get what they have not had, and then the
/// end.
pub struct Sender<T> {
    channel: Rc<Channel<T>>,
}

impl<T> Sender<T> {
    pub(super) fn new(channel: Rc<Channel<T>>) -> Self {
        Self { channel }
    }

    /// Sends the value, without waiting, and says how many receivers there are. If the channel is full, the oldest value is overwritten.
    ///
    /// # Errors
    /// [`SendError`] with the value, if there is no receiver now.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        self.channel.send(value).map_err(SendError)
    }

    /// A receiver of what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(Rc::clone(&self.channel))
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.channel.receivers()
    }

    /// How many values are kept because some receiver has not had them.
    pub fn len(&self) -> usize {
        self.channel.len()
    }

    /// Whether all receivers have had everything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the two send to the same receivers.
    pub fn same_channel(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.channel, &other.channel)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        let senders = &self.channel.senders;
        senders.set(senders.get() + 1);
        Self::new(Rc::clone(&self.channel))
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

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sender")
            .field("receivers", &self.receiver_count())
            .field("queued", &self.len())
            .finish_non_exhaustive()
    }
}
