//! Slots of a bounded channel: waiting for one, having one, and sending into it.

use super::Sender;
use super::channel::Channel;
use super::error::{SendError, TrySendError};
use crate::sync::{Acquire, Semaphore, TryAcquireError};
use futures_core::FusedFuture;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// A slot of a channel that is reserved, made by [`Sender::reserve`]. **Dropped**, the slot is free again.
#[must_use = "a slot is free again if its permit is dropped"]
pub struct Permit<'a, T> {
    channel: &'a Channel<T>,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn try_new(channel: &'a Channel<T>) -> Result<Self, TrySendError<()>> {
        match channel.slots().try_take(1) {
            Ok(()) => Ok(Self { channel }),
            Err(TryAcquireError::NoPermits) => Err(TrySendError::Full(())),
            Err(TryAcquireError::Closed) => Err(TrySendError::Closed(())),
        }
    }

    /// Sends the value into the slot, also if the receiver has closed the channel meanwhile. If the receiver has gone, the value is dropped.
    pub fn send(self, value: T) {
        self.channel.push(value);
        std::mem::forget(self);
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.channel.release_slot();
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// A slot of a channel that is reserved, with a sender in it; made by [`Sender::reserve_owned`]. **Dropped**, the slot is free again, and the sender
/// is dropped.
#[must_use = "a slot is free again if its permit is dropped"]
pub struct OwnedPermit<T> {
    /// `None` when the slot was used or released.
    sender: Option<Sender<T>>,
}

impl<T> OwnedPermit<T> {
    pub(super) fn try_new(sender: Sender<T>) -> Result<Self, TrySendError<Sender<T>>> {
        match sender.channel.slots().try_take(1) {
            Ok(()) => Ok(Self {
                sender: Some(sender),
            }),
            Err(TryAcquireError::NoPermits) => Err(TrySendError::Full(sender)),
            Err(TryAcquireError::Closed) => Err(TrySendError::Closed(sender)),
        }
    }

    /// Sends the value into the slot, also if the receiver has closed the channel meanwhile. If the receiver has gone, the value is dropped. Gives
    /// the sender back.
    pub fn send(mut self, value: T) -> Sender<T> {
        let sender = self.sender.take().expect("the slot is reserved");
        sender.channel.push(value);
        sender
    }

    /// Gives the slot back, and the sender.
    pub fn release(mut self) -> Sender<T> {
        let sender = self.sender.take().expect("the slot is reserved");
        sender.channel.release_slot();
        sender
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(sender) = &self.sender {
            sender.channel.release_slot();
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OwnedPermit")
            .finish_non_exhaustive()
    }
}

/// The future of [`Sender::reserve`].
///
/// It enters the queue when it is first polled. **Dropped** before it is ready, it leaves the queue; a slot that it had been granted by then goes to the
/// next.
#[must_use = "futures do nothing unless polled"]
pub struct Reserve<'a, T> {
    channel: &'a Channel<T>,
    /// `None` only while this is dropped.
    slot: Option<Acquire<&'a Semaphore>>,
}

impl<'a, T> Reserve<'a, T> {
    pub(super) fn new(channel: &'a Channel<T>) -> Self {
        Self {
            channel,
            slot: Some(channel.slots().acquire()),
        }
    }
}

impl<'a, T> Future for Reserve<'a, T> {
    type Output = Result<Permit<'a, T>, SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let channel = self.channel;
        let reserved = ready!(poll_slot(&mut self.slot, context));
        Poll::Ready(reserved.map(|()| Permit { channel }))
    }
}

/// Waits for a slot, which is the caller's then.
fn poll_slot<S: Deref<Target = Semaphore>>(
    slot: &mut Option<Acquire<S>>,
    context: &mut Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    let acquire = slot.as_mut().expect("it is not being dropped");
    let acquired = ready!(Pin::new(acquire).poll(context));
    Poll::Ready(match acquired {
        Ok(permit) => {
            permit.forget();
            Ok(())
        }
        Err(_) => Err(SendError(())),
    })
}

impl<T> FusedFuture for Reserve<'_, T> {
    fn is_terminated(&self) -> bool {
        self.slot.as_ref().is_none_or(FusedFuture::is_terminated)
    }
}

impl<T> Drop for Reserve<'_, T> {
    fn drop(&mut self) {
        self.slot = None;
        self.channel.wake_at_end();
    }
}

impl<T> fmt::Debug for Reserve<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reserve").finish_non_exhaustive()
    }
}

/// The free slots of a channel, which it keeps alive.
struct SlotsOf<T>(Rc<Channel<T>>);

impl<T> Deref for SlotsOf<T> {
    type Target = Semaphore;

    fn deref(&self) -> &Semaphore {
        self.0.slots()
    }
}

/// The future of [`Sender::reserve_owned`]. Cancellation as for [`Reserve`]; the sender is dropped with it.
#[must_use = "futures do nothing unless polled"]
pub struct ReserveOwned<T> {
    /// `None` when it is done.
    sender: Option<Sender<T>>,
    /// `None` only while this is dropped.
    slot: Option<Acquire<SlotsOf<T>>>,
}

impl<T> ReserveOwned<T> {
    pub(super) fn new(sender: Sender<T>) -> Self {
        let slots = SlotsOf(Rc::clone(&sender.channel));
        Self {
            sender: Some(sender),
            slot: Some(Acquire::new(slots, 1)),
        }
    }
}

impl<T> Future for ReserveOwned<T> {
    type Output = Result<OwnedPermit<T>, SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let reserved = ready!(poll_slot(&mut self.slot, context));
        let sender = self.sender.take();
        Poll::Ready(reserved.map(|()| OwnedPermit { sender }))
    }
}

impl<T> FusedFuture for ReserveOwned<T> {
    fn is_terminated(&self) -> bool {
        self.sender.is_none()
    }
}

impl<T> Drop for ReserveOwned<T> {
    fn drop(&mut self) {
        self.slot = None;
        if let Some(sender) = &self.sender {
            sender.channel.wake_at_end();
        }
    }
}

impl<T> fmt::Debug for ReserveOwned<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ReserveOwned")
            .finish_non_exhaustive()
    }
}

/// The future of [`Sender::send`]. Cancellation as for [`Reserve`]; **dropped** before it is ready, it drops the value, which was not sent.
#[must_use = "futures do nothing unless polled"]
pub struct SendValue<'a, T> {
    slot: Reserve<'a, T>,
    /// `None` when it is done.
    value: Option<T>,
}

impl<'a, T> SendValue<'a, T> {
    pub(super) fn new(slot: Reserve<'a, T>, value: T) -> Self {
        let value = Some(value);
        Self { slot, value }
    }
}

// The value is moved, never pinned.
impl<T> Unpin for SendValue<'_, T> {}

impl<T> Future for SendValue<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let reserved = ready!(Pin::new(&mut self.slot).poll(context));
        let value = self.value.take().expect("it was not ready before");
        Poll::Ready(match reserved {
            Ok(permit) => {
                permit.send(value);
                Ok(())
            }
            Err(_) => Err(SendError(value)),
        })
    }
}

impl<T> FusedFuture for SendValue<'_, T> {
    fn is_terminated(&self) -> bool {
        self.value.is_none()
    }
}

impl<T> fmt::Debug for SendValue<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SendValue").finish_non_exhaustive()
    }
}
