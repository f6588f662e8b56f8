//! The senders of a bounded channel.

use super::channel::Channel;
use super::error::TrySendError;
use super::permit::{OwnedPermit, Permit, Reserve, ReserveOwned, SendValue};
use crate::sync::Wait;
use futures_core::FusedFuture;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Sends values into a bounded channel. Clone it for more senders; when the last one is **dropped**, the receiver gets what is in the channel, and
/// then its end.
pub struct Sender<T> {
    pub(super) channel: Rc<Channel<T>>,
}

impl<T> Sender<T> {
    pub(super) fn new(channel: Rc<Channel<T>>) -> Self {
        Self { channel }
    }

    /// Waits for a free slot, and sends the value. For cancellation see [`SendValue`]: a value whose `send` is dropped is lost with it;
    /// [`reserve`](Self::reserve) avoids that.
    ///
    /// # Errors
    /// [`SendError`](super::error::SendError) with the value, if the receiver has gone or has closed the channel.
    pub fn send(&self, value: T) -> SendValue<'_, T> {
        SendValue::new(self.reserve(), value)
    }

    /// Sends the value, if there is a free slot and no sender waits for one.
    ///
    /// # Errors
    /// [`TrySendError`] with the value otherwise.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.channel.try_push(value)
    }

    /// Waits for a free slot, and reserves it. For cancellation see [`Reserve`].
    ///
    /// # Errors
    /// [`SendError`](super::error::SendError), if the receiver has gone or has closed the channel.
    ///
    /// # Examples
    /// ```
    /// use executor::sync::mpsc;
    /// # #[executor::main(cores = 1)]
    /// # async fn main() {
    /// let (sender, mut receiver) = mpsc::channel(1);
    /// let permit = sender.reserve().await.unwrap();
    /// assert!(sender.try_send(2).is_err());
    /// permit.send(1);
    /// assert_eq!(receiver.recv().await, Some(1));
    /// # }
    /// ```
    pub fn reserve(&self) -> Reserve<'_, T> {
        Reserve::new(&self.channel)
    }

    /// The same with a permit that has the sender in it and borrows nothing.
    ///
    /// # Errors
    /// As for [`reserve`](Self::reserve). The sender is dropped then.
    pub fn reserve_owned(self) -> ReserveOwned<T> {
        ReserveOwned::new(self)
    }

    /// Reserves a slot, if one is free and no sender waits for one.
    ///
    /// # Errors
    /// [`TrySendError`] otherwise.
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        Permit::try_new(&self.channel)
    }

    /// The same with a permit that has the sender in it and borrows nothing.
    ///
    /// # Errors
    /// [`TrySendError`] with the sender otherwise.
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        OwnedPermit::try_new(self)
    }

    /// Waits until the receiver has gone or has closed the channel.
    pub fn closed(&self) -> Closed<'_> {
        Closed(self.channel.closed.wait())
    }

    /// Whether the receiver has gone or has closed the channel.
    pub fn is_closed(&self) -> bool {
        self.channel.is_closed()
    }

    /// How many slots are free now.
    pub fn capacity(&self) -> usize {
        self.channel.slots().available_permits()
    }

    /// How many slots the channel has.
    pub fn max_capacity(&self) -> usize {
        self.channel.max_capacity()
    }

    /// Whether the two send into one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.channel, &other.channel)
    }

    /// A sender that does not keep the channel open.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender::new(&self.channel)
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

/// A sender that does not keep the channel open: once all [`Sender`]s are dropped, the receiver gets the end.
pub struct WeakSender<T> {
    channel: Rc<Channel<T>>,
}

impl<T> WeakSender<T> {
    fn new(channel: &Rc<Channel<T>>) -> Self {
        channel.weak_senders.set(channel.weak_senders.get() + 1);
        let channel = Rc::clone(channel);
        Self { channel }
    }

    /// A sender, if there still is one.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        if self.channel.senders.get() == 0 {
            return None;
        }
        self.channel.add_sender();
        Some(Sender::new(Rc::clone(&self.channel)))
    }
}

/// What the kinds of senders implement alike.
macro_rules! sender_traits {
    ($sender:ident, $weak:ident) => {
        impl<T> Clone for $sender<T> {
            fn clone(&self) -> Self {
                self.channel.add_sender();
                Self::new(Rc::clone(&self.channel))
            }
        }

        impl<T> Drop for $sender<T> {
            fn drop(&mut self) {
                self.channel.remove_sender();
            }
        }

        impl<T> fmt::Debug for $sender<T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .debug_struct(stringify!($sender))
                    .field("queued", &self.channel.len())
                    .field("is_closed", &self.is_closed())
                    .finish_non_exhaustive()
            }
        }

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                Self::new(&self.channel)
            }
        }

        impl<T> Drop for $weak<T> {
            fn drop(&mut self) {
                let count = &self.channel.weak_senders;
                count.set(count.get() - 1);
            }
        }

        impl<T> fmt::Debug for $weak<T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .debug_struct(stringify!($weak))
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(super) use sender_traits;

sender_traits!(Sender, WeakSender);

/// The future of [`Sender::closed`] and [`UnboundedSender::closed`](super::UnboundedSender::closed). **Dropped**, it waits no more.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Closed<'a>(pub(super) Wait<'a>);

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
