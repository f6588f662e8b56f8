//! Telling one waiting task, or all of them, that something happened.

use futures_core::FusedFuture;
use reactor::budget;
use reactor::waiters::{Left, Place, Waiters};
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// By whom a waiter was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It alone, as the first: it uses this up, or passes it on to the first.
    One,
    /// It alone, as the last: it uses this up, or passes it on to the last.
    Last,
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

    /// Wakes the one that has waited for the shortest time; otherwise as [`notify_one`](Self::notify_one). For a pool in which the worker that ran last, whose
    /// data is in the cache, is to run again.
    pub fn notify_last(&self) {
        if !self.waiters.grant_last(Told::Last) {
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
        NotifiedBy::new(self)
    }

    /// The same with a future that keeps the `Notify` alive and borrows nothing: to be moved into a task or kept in a struct.
    pub fn notified_owned(self: Rc<Self>) -> OwnedNotified {
        NotifiedBy::new(self)
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

/// The future of [`Notify::notified`].
pub type Notified<'a> = NotifiedBy<&'a Notify>;

/// The future of [`Notify::notified_owned`].
pub type OwnedNotified = NotifiedBy<Rc<Notify>>;

/// Waits for a [`Notify`]. `N` is how that is reached: `&Notify` or `Rc<Notify>`.
///
/// **Dropped** when [`notify_one`](Notify::notify_one) had chosen it, it passes that on: to the next, or back into store.
#[must_use = "futures do nothing unless polled"]
pub struct NotifiedBy<N: Deref<Target = Notify>> {
    notify: N,
    round: u64,
    place: Place,
    /// It has been told.
    is_done: bool,
    /// A poll has said so.
    has_yielded: bool,
}

impl<N: Deref<Target = Notify>> NotifiedBy<N> {
    fn new(notify: N) -> Self {
        let round = notify.rounds.get();
        Self {
            notify,
            round,
            place: None,
            is_done: false,
            has_yielded: false,
        }
    }

    /// Enters the queue for [`notify_one`](Notify::notify_one) without being polled. True if it has been told already: it will be ready at its
    /// next poll, and does not pass that on if it is dropped.
    ///
    /// # Examples
    /// ```
    /// use executor::sync::Notify;
    /// use std::pin::pin;
    /// # #[executor::main(cores = 1)]
    /// # async fn main() {
    /// let notify = Notify::new();
    /// let mut notified = pin!(notify.notified());
    /// assert!(!notified.as_mut().enable());
    /// // This one is not stored: `notified` is in the queue.
    /// notify.notify_one();
    /// notified.await;
    /// # }
    /// ```
    pub fn enable(mut self: Pin<&mut Self>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        self.is_done || budget::unlimited(|| self.poll_told(&mut context).is_ready())
    }

    fn poll_told(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let (notify, is_first) = (&*self.notify, self.place.is_none());
        let told = if is_first && self.round != notify.rounds.get() {
            Some(Told::All)
        } else if is_first && notify.is_stored.take() {
            Some(Told::One)
        } else {
            None
        };
        let polled = match told {
            Some(told) => notify.waiters.grant_at_once(&mut self.place, told, context),
            None => notify.waiters.wait(&mut self.place, (), context),
        };
        self.is_done = polled.is_ready();
        polled.map(|_| ())
    }
}

// What it holds is moved, never pinned.
impl<N: Deref<Target = Notify>> Unpin for NotifiedBy<N> {}

impl<N: Deref<Target = Notify>> Future for NotifiedBy<N> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let polled = if self.is_done {
            budget::spend(context)
        } else {
            self.poll_told(context)
        };
        self.has_yielded = polled.is_ready();
        polled
    }
}

impl<N: Deref<Target = Notify>> FusedFuture for NotifiedBy<N> {
    fn is_terminated(&self) -> bool {
        self.has_yielded
    }
}

impl<N: Deref<Target = Notify>> Drop for NotifiedBy<N> {
    fn drop(&mut self) {
        match self.notify.waiters.leave(&mut self.place) {
            Left::Granted(Told::One) => self.notify.notify_one(),
            Left::Granted(Told::Last) => self.notify.notify_last(),
            Left::Granted(Told::All) | Left::Waiting | Left::Nothing => {}
        }
    }
}

impl<N: Deref<Target = Notify>> fmt::Debug for NotifiedBy<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Notified")
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}
