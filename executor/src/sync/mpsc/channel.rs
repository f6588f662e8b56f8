//! What the senders and the receiver of a channel share: the queue, and who waits for what.
//!
//! A bounded channel has a semaphore with a permit for each free slot; a sender that waits, waits there. A slot is in one of three states:
//! free (a permit is available), reserved (a permit is out, or granted to a sender that has not run since), or full (a value is in
//! the queue). The channel is at its end when no slot is full or reserved, and nobody can reserve one any more.

use super::error::{SendError, TryRecvError, TrySendError};
use crate::sync::waker_slot::WakerSlot;
use crate::sync::{Event, Semaphore, TryAcquireError};
use reactor::budget;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::{Context, Poll};

pub(super) struct Channel<T> {
    queue: RefCell<VecDeque<T>>,
    receiver: WakerSlot,
    /// How many senders there are, without the weak ones.
    pub(super) senders: Cell<usize>,
    /// How many weak senders there are.
    pub(super) weak_senders: Cell<usize>,
    /// Set when the receiver has gone or has closed the channel.
    pub(super) closed: Event,
    /// The receiver has gone: a value that is sent into a slot reserved before is dropped.
    has_no_receiver: Cell<bool>,
    /// The free slots and how many slots there are; `None` if the channel is unbounded.
    bound: Option<(Semaphore, usize)>,
}

impl<T> Channel<T> {
    /// With one sender.
    pub(super) fn new(slots: Option<usize>) -> Self {
        Self {
            queue: RefCell::default(),
            receiver: WakerSlot::default(),
            senders: Cell::new(1),
            weak_senders: Cell::new(0),
            closed: Event::new(),
            has_no_receiver: Cell::new(false),
            bound: slots.map(|slots| (Semaphore::new(slots), slots)),
        }
    }

    /// The free slots of a bounded channel.
    pub(super) fn slots(&self) -> &Semaphore {
        &self.bound.as_ref().expect("the channel is bounded").0
    }

    /// How many slots a bounded channel has.
    pub(super) fn max_capacity(&self) -> usize {
        self.bound.as_ref().expect("the channel is bounded").1
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_set()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    /// Puts a value into a slot that was reserved, or into a channel without slots.
    pub(super) fn push(&self, value: T) {
        if self.has_no_receiver.get() {
            return;
        }
        self.queue.borrow_mut().push_back(value);
        self.receiver.wake();
    }

    /// A slot that was reserved is free again.
    pub(super) fn release_slot(&self) {
        self.slots().add_permits(1);
        self.wake_at_end();
    }

    /// A reserved slot may have been given back: if it was the last, the receiver has to know.
    pub(super) fn wake_at_end(&self) {
        if self.is_at_end() {
            self.receiver.wake();
        }
    }

    pub(super) fn push_unbounded(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        self.push(value);
        Ok(())
    }

    pub(super) fn try_push(&self, value: T) -> Result<(), TrySendError<T>> {
        match self.slots().try_take(1) {
            Ok(()) => {
                self.push(value);
                Ok(())
            }
            Err(TryAcquireError::NoPermits) => Err(TrySendError::Full(value)),
            Err(TryAcquireError::Closed) => Err(TrySendError::Closed(value)),
        }
    }

    /// The oldest value; its slot is free then.
    fn pop(&self) -> Option<T> {
        let value = self.queue.borrow_mut().pop_front()?;
        if let Some((slots, _)) = &self.bound {
            slots.add_permits(1);
        }
        Some(value)
    }

    /// Whether nothing is in the channel, and nothing comes any more.
    fn is_at_end(&self) -> bool {
        if self.len() > 0 {
            return false;
        }
        if self.senders.get() == 0 {
            return true;
        }
        let reserved = match &self.bound {
            Some((slots, count)) => count - slots.available_permits(),
            None => 0,
        };
        self.is_closed() && reserved == 0
    }

    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        match self.pop() {
            Some(value) => Ok(value),
            None if self.is_at_end() => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    pub(super) fn poll_recv(&self, context: &mut Context<'_>) -> Poll<Option<T>> {
        budget::limit(context, |context| match self.try_recv() {
            Ok(value) => Poll::Ready(Some(value)),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => {
                self.receiver.register(context.waker());
                Poll::Pending
            }
        })
    }

    /// Waits for a value, then takes up to `limit` of those that are there.
    pub(super) fn poll_recv_many(
        &self,
        context: &mut Context<'_>,
        values: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        if limit == 0 {
            return Poll::Ready(0);
        }
        self.poll_recv(context).map(|first| {
            let before = values.len();
            values.extend(first);
            while values.len() > before && values.len() - before < limit {
                let Some(value) = self.pop() else { break };
                values.push(value);
            }
            values.len() - before
        })
    }

    /// Nothing more can be sent, except into slots that are reserved.
    pub(super) fn close(&self) {
        if let Some((slots, _)) = &self.bound {
            slots.close();
        }
        self.closed.set();
        self.wake_at_end();
    }

    /// The receiver goes: what is in the channel is dropped.
    pub(super) fn end(&self) {
        self.has_no_receiver.set(true);
        self.close();
        while let Some(value) = self.pop() {
            drop(value);
        }
    }

    pub(super) fn add_sender(&self) {
        self.senders.set(self.senders.get() + 1);
    }

    pub(super) fn remove_sender(&self) {
        self.senders.set(self.senders.get() - 1);
        if self.senders.get() == 0 {
            self.receiver.wake();
        }
    }
}
