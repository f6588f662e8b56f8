//! One direction of a descriptor, in which operations go one after another, and what those that were dropped have left behind.
//!
//! A future that is dropped leaves its operation to the kernel for a moment longer: the cancel may come too late, and then it has read
//! bytes, or accepted a connection, for nobody. Two rules make dropping it harmless. The next operation of the same direction
//! does not start before that one has ended, so nothing overtakes anything. And what that one brought is kept here, for the next to
//! begin with. [`InTurn`](crate::operation::InTurn) and [`StreamInTurn`](crate::operation::StreamInTurn) are the futures that follow
//! them; sockets, listeners and pipes have a lane for each direction.
//!
//! | holder     | meaning                                          | another operation          |
//! |------------|--------------------------------------------------|----------------------------|
//! | `Nobody`   | free                                             | takes its turn             |
//! | `Future`   | one that is alive, or a one-shot that was dropped | waits for the end of the turn |
//! | `Stream`   | a multishot operation whose stream is alive      | is refused, `EBUSY`: it would wait for as long as that lives |
//! | `Orphan`   | a multishot operation whose stream was dropped   | waits for the end of the turn |

use event_listener::{Event, EventListener, IntoNotification};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Nobody,
    Future,
    Stream,
    Orphan,
}

/// One direction of a descriptor. `T` is what is kept of dropped operations: bytes, datagrams, connections; nothing (`()`) of writes.
pub struct Lane<T> {
    holder: Cell<Holder>,
    turn_over: Event,
    kept: RefCell<VecDeque<T>>,
    /// An error that a dropped operation was told of: the kernel tells it once. It comes after what was kept.
    kept_error: Cell<Option<i32>>,
}

impl<T> Lane<T> {
    /// A lane that nobody is in.
    pub fn new() -> Rc<Self> {
        Rc::new(Self {
            holder: Cell::new(Holder::Nobody),
            turn_over: Event::new(),
            kept: RefCell::default(),
            kept_error: Cell::new(None),
        })
    }

    /// Whether nothing is in flight, and nothing is kept that would be lost with the lane.
    pub fn is_idle(&self) -> bool {
        self.holder.get() == Holder::Nobody
            && self.kept.borrow().is_empty()
            && self.kept_error.get().is_none()
    }

    /// What dropped operations have left, oldest first. Only for whose turn it is.
    pub(crate) fn with_kept<U>(&self, look: impl FnOnce(&mut VecDeque<T>) -> U) -> U {
        look(&mut self.kept.borrow_mut())
    }

    pub(crate) fn take_kept_error(&self) -> Option<i32> {
        self.kept_error.take()
    }

    /// Keeps an error for the next operation. `EINTR` is none: so a read ends that was cancelled while a worker of the kernel was blocked in it.
    pub(crate) fn keep_error(&self, code: i32) {
        if code != libc::EINTR {
            self.kept_error.set(Some(code));
        }
    }
}

impl<T> fmt::Debug for Lane<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Lane")
            .field("holder", &self.holder.get())
            .field("kept", &self.kept.borrow().len())
            .finish_non_exhaustive()
    }
}

/// What there is instead of a turn.
#[must_use]
pub(crate) enum NotNow {
    /// A multishot operation has the lane for itself.
    Busy,
    /// Somebody's turn will end: then this is told.
    Wait(EventListener),
}

/// The right to have an operation in flight in this lane; its drop ends the turn.
pub(crate) struct Turn<T>(Rc<Lane<T>>);

impl<T> Turn<T> {
    /// Takes the turn if nobody has it. `for_stream` says for how long: see the table above.
    pub(crate) fn take(lane: &Rc<Lane<T>>, for_stream: bool) -> Result<Self, NotNow> {
        match lane.holder.get() {
            Holder::Nobody => {
                lane.holder.set(if for_stream {
                    Holder::Stream
                } else {
                    Holder::Future
                });
                Ok(Self(Rc::clone(lane)))
            }
            Holder::Stream => Err(NotNow::Busy),
            Holder::Future | Holder::Orphan => Err(NotNow::Wait(lane.turn_over.listen())),
        }
    }

    pub(crate) fn lane(&self) -> &Lane<T> {
        &self.0
    }
}

impl<T> Drop for Turn<T> {
    fn drop(&mut self) {
        self.0.holder.set(Holder::Nobody);
        // One, the longest waiting; if that gives up, its listener passes it on. Relaxed: all of it is on one thread.
        self.0.turn_over.notify(1.relaxed());
    }
}

/// The stream that has the lane for itself is gone; the kernel may not know yet.
pub(crate) fn stream_dropped<T>(lane: &Lane<T>) {
    if lane.holder.get() == Holder::Stream {
        lane.holder.set(Holder::Orphan);
    }
}

#[cfg(test)]
mod tests;
