//! Ending what has begun, and beginning nothing new.

use super::{Closed, Event};
use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

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
    /// [`Closed`], if somebody has begun to close the gate.
    pub fn enter(&self) -> Result<Entered<&Self>, Closed> {
        Entered::new(self)
    }

    /// The same with a guard that keeps the gate alive and borrows nothing: to be moved into a task.
    ///
    /// # Errors
    /// As for [`enter`](Self::enter).
    pub fn enter_owned(self: Rc<Self>) -> Result<Entered<Rc<Self>>, Closed> {
        Entered::new(self)
    }

    /// Refuses newcomers from its first poll on, and waits until all guards were dropped. Any number may wait for that. **Dropped**, it
    /// waits no more; the gate stays closed.
    pub async fn close(&self) {
        self.is_closed.set(true);
        self.tell_if_drained();
        self.drained.wait().await;
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

/// Says that one is inside a [`Gate`], `G` being how that is reached: `&Gate` or `Rc<Gate>`. **Dropped**, one is outside.
#[must_use = "one is inside as long as the guard lives"]
pub struct Entered<G: Deref<Target = Gate>> {
    gate: G,
}

impl<G: Deref<Target = Gate>> Entered<G> {
    fn new(gate: G) -> Result<Self, Closed> {
        if gate.is_closed() {
            return Err(Closed);
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
