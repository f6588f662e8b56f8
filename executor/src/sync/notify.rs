//! Telling one waiting task, or all of them, that something happened.

use reactor::budget;
use reactor::waiters::{Left, Place, Waiters};
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// By whom a waiter was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It alone: it uses this up, or passes it on.
    One,
    /// With all others.
    All,
}

/// Tells waiting tasks of this core that something happened; what it was they look up themselves. As tokio's.
///
/// [`notify_one`](Self::notify_one) is never lost: with nobody there, the next one that waits does not wait.
/// [`notify_waiters`](Self::notify_waiters) reaches those that are there, and leaves nothing behind. A state that lasts is an
/// [`Event`](super::Event).
///
/// # Examples
/// ```
/// use executor::sync::Notify;
/// use std::{cell::RefCell, collections::VecDeque, rc::Rc};
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let queue = Rc::new((RefCell::new(VecDeque::new()), Notify::new()));
/// let consumer = executor::spawn({
///     let queue = Rc::clone(&queue);
///     async move {
///         loop {
///             if let Some(number) = queue.0.borrow_mut().pop_front() {
///                 return number;
///             }
///             queue.1.notified().await;
///         }
///     }
/// });
/// queue.0.borrow_mut().push_back(7);
/// queue.1.notify_one();
/// assert_eq!(consumer.await.unwrap(), 7);
/// # }
/// ```
#[derive(Default)]
pub struct Notify {
    /// Whether `notify_one` found nobody.
    is_stored: Cell<bool>,
    /// How often all were told. A [`Notified`] that was made before need not have been polled to be among them.
    rounds: Cell<u64>,
    waiters: Waiters<(), Told>,
}

impl Notify {
    /// With nothing stored.
    pub const fn new() -> Self {
        Self {
            is_stored: Cell::new(false),
            rounds: Cell::new(0),
            waiters: Waiters::new(),
        }
    }

    /// Wakes the one that has waited longest. If nobody waits, the next one will not have to; however often this was called meanwhile, one will not.
    pub fn notify_one(&self) {
        if !self.waiters.grant_first(Told::One) {
            self.is_stored.set(true);
        }
    }

    /// Wakes all that wait, and every [`Notified`] that was made before.
    pub fn notify_waiters(&self) {
        self.rounds.set(self.rounds.get().wrapping_add(1));
        self.waiters.grant_all(Told::All);
    }

    /// Waits to be told. It is in the queue for [`notify_one`](Self::notify_one) from its first poll on, and counts for
    /// [`notify_waiters`](Self::notify_waiters) from this call on.
    pub fn notified(&self) -> Notified<'_> {
        Notified {
            notify: self,
            round: self.rounds.get(),
            place: None,
            is_done: false,
        }
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Notify")
            .field("is_stored", &self.is_stored.get())
            .finish_non_exhaustive()
    }
}

/// The future of [`Notify::notified`]. **Dropped** when [`notify_one`](Notify::notify_one) had chosen it, it passes that on: to the next, or
/// back into store.
#[must_use = "futures do nothing unless polled"]
pub struct Notified<'a> {
    notify: &'a Notify,
    round: u64,
    place: Place,
    is_done: bool,
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.is_done {
            return budget::spend(context);
        }
        let (notify, is_first) = (this.notify, this.place.is_none());
        let told = if is_first && this.round != notify.rounds.get() {
            Some(Told::All)
        } else if is_first && notify.is_stored.take() {
            Some(Told::One)
        } else {
            None
        };
        let polled = match told {
            Some(told) => notify.waiters.grant_at_once(&mut this.place, told, context),
            None => notify.waiters.wait(&mut this.place, (), context),
        };
        this.is_done = polled.is_ready();
        polled.map(|_| ())
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        if self.notify.waiters.leave(&mut self.place) == Left::Granted(Told::One) {
            self.notify.notify_one();
        }
    }
}

impl fmt::Debug for Notified<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Notified")
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}
