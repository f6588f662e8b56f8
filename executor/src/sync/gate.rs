//! Ending what has begun, and beginning nothing new.

use super::{Event, Wait};
use futures_core::FusedFuture;
use std::cell::Cell;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::{error, fmt};

/// Counts who is inside, refuses newcomers once it is being closed, and says when the last has left: for an orderly end of anything that has
/// work in progress. As Seastar's gate.
///
/// # Examples
/// ```
/// use executor::sync::Gate;
/// use std::rc::Rc;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let requests = Rc::new(Gate::new());
/// let inside = requests.clone().enter_owned().unwrap();
/// executor::spawn(async move {
///     executor::yield_now().await;
///     drop(inside);
/// })
/// .detach();
/// requests.close().await;
/// assert!(requests.enter().is_err());
/// # }
/// ```
#[derive(Default)]
pub struct Gate {
    inside: Cell<usize>,
    is_closed: Cell<bool>,
    /// Set once it is closed and nobody is inside.
    drained: Event,
}

impl Gate {
    /// Open, with nobody inside.
    pub const fn new() -> Self {
        Self {
            inside: Cell::new(0),
            is_closed: Cell::new(false),
            drained: Event::new(),
        }
    }

    /// Goes in, until the guard is dropped.
    ///
    /// # Errors
    /// [`GateClosed`], if somebody has begun to close the gate.
    pub fn enter(&self) -> Result<Entered<&Self>, GateClosed> {
        Entered::new(self)
    }

    /// The same with a guard that keeps the gate alive and borrows nothing: to be moved into a task.
    ///
    /// # Errors
    /// As for [`enter`](Self::enter).
    pub fn enter_owned(self: Rc<Self>) -> Result<Entered<Rc<Self>>, GateClosed> {
        Entered::new(self)
    }

    /// Refuses newcomers from its first poll on, and waits until all guards were dropped. Any number may wait for that. For cancellation see
    /// [`Close`].
    pub fn close(&self) -> Close<'_> {
        Close {
            gate: self,
            drained: self.drained.wait(),
        }
    }

    /// Whether somebody has begun to close it.
    pub fn is_closed(&self) -> bool {
        self.is_closed.get()
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.inside.get()
    }

    fn tell_if_drained(&self) {
        if self.is_closed() && self.inside() == 0 {
            self.drained.set();
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Gate")
            .field("inside", &self.inside())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// The [`Gate`] is being closed, or is closed: nobody goes in any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateClosed;

impl fmt::Display for GateClosed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the gate is closed")
    }
}

impl error::Error for GateClosed {}

/// The future of [`Gate::close`]. **Dropped** after its first poll, it waits no more; the gate stays closed.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Close<'a> {
    gate: &'a Gate,
    drained: Wait<'a>,
}

impl Future for Close<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.gate.is_closed.set(true);
        self.gate.tell_if_drained();
        Pin::new(&mut self.drained).poll(context)
    }
}

impl FusedFuture for Close<'_> {
    fn is_terminated(&self) -> bool {
        self.drained.is_terminated()
    }
}

/// Says that one is inside a [`Gate`], `G` being how that is reached: `&Gate` or `Rc<Gate>`. **Dropped**, one is outside.
#[must_use = "one is inside as long as the guard lives"]
pub struct Entered<G: Deref<Target = Gate>> {
    gate: G,
}

impl<G: Deref<Target = Gate>> Entered<G> {
    fn new(gate: G) -> Result<Self, GateClosed> {
        if gate.is_closed() {
            return Err(GateClosed);
        }
        gate.inside.set(gate.inside() + 1);
        Ok(Self { gate })
    }
}

impl<G: Deref<Target = Gate>> Drop for Entered<G> {
    fn drop(&mut self) {
        self.gate.inside.set(self.gate.inside() - 1);
        self.gate.tell_if_drained();
    }
}

impl<G: Deref<Target = Gate>> fmt::Debug for Entered<G> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Entered").finish_non_exhaustive()
    }
}
