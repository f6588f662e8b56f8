//! A flag that can be waited for.

use futures_core::FusedFuture;
use reactor::waiters::{Place, Waiters};
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A flag of this core: while it is set nobody waits for it; while it is not, everybody does.
///
/// What [`Notify`](super::Notify) lacks is that the state lasts: any number of tasks, whenever they come, find it set.
///
/// # Examples
/// ```
/// use executor::sync::Event;
/// use std::rc::Rc;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let is_ready = Rc::new(Event::new());
/// let waiting = executor::spawn({
///     let is_ready = Rc::clone(&is_ready);
///     async move { is_ready.wait().await }
/// });
/// is_ready.set();
/// waiting.await.unwrap();
/// is_ready.wait().await;
/// # }
/// ```
#[derive(Default)]
pub struct Event {
    is_set: Cell<bool>,
    waiters: Waiters<(), ()>,
}

impl Event {
    /// Not set.
    pub const fn new() -> Self {
        Self {
            is_set: Cell::new(false),
            waiters: Waiters::new(),
        }
    }

    /// Sets it, and lets everybody who waits go on: also those that are polled only when it was reset again.
    pub fn set(&self) {
        self.is_set.set(true);
        self.waiters.grant_all(());
    }

    /// From now on one waits for it again.
    pub fn reset(&self) {
        self.is_set.set(false);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.is_set.get()
    }

    /// Waits until it is set. For cancellation see [`Wait`].
    pub fn wait(&self) -> Wait<'_> {
        Wait {
            event: self,
            place: None,
            is_done: false,
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Event")
            .field("is_set", &self.is_set())
            .finish_non_exhaustive()
    }
}

/// The future of [`Event::wait`]. **Dropped**, it waits no more, and nobody else is concerned.
#[must_use = "futures do nothing unless polled"]
pub struct Wait<'a> {
    event: &'a Event,
    place: Place,
    is_done: bool,
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let event = self.event;
        let polled = if self.place.is_none() && event.is_set() {
            event.waiters.grant_at_once(&mut self.place, (), context)
        } else {
            event.waiters.wait(&mut self.place, (), context)
        };
        self.is_done = polled.is_ready();
        polled
    }
}

impl FusedFuture for Wait<'_> {
    fn is_terminated(&self) -> bool {
        self.is_done
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        // All are told at once: there is nothing to pass on.
        let _ = self.event.waiters.leave(&mut self.place);
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Wait")
            .field("event", self.event)
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}
