//! Tasks that wait for each other.

use futures_core::FusedFuture;
use reactor::waiters::{Left, Place, Waiters};
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Lets tasks of this core go on when a number of them have come to the same point. It can be used again at once: the next round begins when one is
/// complete.
///
/// # Examples
/// ```
/// use executor::sync::Barrier;
/// use std::rc::Rc;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let barrier = Rc::new(Barrier::new(3));
/// let tasks = [(); 3].map(|()| {
///     let barrier = Rc::clone(&barrier);
///     executor::spawn(async move { barrier.wait().await.is_leader() })
/// });
/// let mut leaders = 0;
/// for task in tasks {
///     leaders += usize::from(task.await.unwrap());
/// }
/// assert_eq!(leaders, 1);
/// # }
/// ```
pub struct Barrier {
    count: usize,
    /// How many of this round have come.
    arrived: Cell<usize>,
    waiters: Waiters<(), BarrierWaitResult>,
}

impl Barrier {
    /// For rounds of `count` tasks; 0 is the same as 1.
    pub const fn new(count: usize) -> Self {
        Self {
            count,
            arrived: Cell::new(0),
            waiters: Waiters::new(),
        }
    }

    /// Waits until as many have come as a round has. For cancellation see [`BarrierWait`].
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait {
            barrier: self,
            place: None,
            is_done: false,
        }
    }

    /// One more has come. True if it is the last of this round; then the others go on.
    fn arrive(&self) -> bool {
        let arrived = self.arrived.get() + 1;
        let is_last = arrived >= self.count;
        self.arrived.set(if is_last { 0 } else { arrived });
        if is_last {
            self.waiters
                .grant_all(BarrierWaitResult { is_leader: false });
        }
        is_last
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Barrier")
            .field("count", &self.count)
            .field("arrived", &self.arrived.get())
            .finish_non_exhaustive()
    }
}

/// Says whether one was the last to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    is_leader: bool,
}

impl BarrierWaitResult {
    /// True for one of each round, the last to come.
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}

/// The future of [`Barrier::wait`].
///
/// It has come when it is first polled. **Dropped** before its round is complete, it has not come: another one is needed.
#[must_use = "futures do nothing unless polled"]
pub struct BarrierWait<'a> {
    barrier: &'a Barrier,
    place: Place,
    is_done: bool,
}

impl Future for BarrierWait<'_> {
    type Output = BarrierWaitResult;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<BarrierWaitResult> {
        let barrier = self.barrier;
        let polled = if self.place.is_none() && barrier.arrive() {
            let leader = BarrierWaitResult { is_leader: true };
            barrier
                .waiters
                .grant_at_once(&mut self.place, leader, context)
        } else {
            barrier.waiters.wait(&mut self.place, (), context)
        };
        self.is_done = polled.is_ready();
        polled
    }
}

impl FusedFuture for BarrierWait<'_> {
    fn is_terminated(&self) -> bool {
        self.is_done
    }
}

impl Drop for BarrierWait<'_> {
    fn drop(&mut self) {
        let arrived = &self.barrier.arrived;
        if self.barrier.waiters.leave(&mut self.place) == Left::Waiting {
            arrived.set(arrived.get() - 1);
        }
    }
}

impl fmt::Debug for BarrierWait<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BarrierWait")
            .field("barrier", self.barrier)
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}
