//! A future that is ready when its time has come.

use super::{Duration, Instant, after};
use crate::core::{Timers, context as current};
use reactor::timer::TimerKey;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Waits for `duration`.
///
/// **Dropping** the future takes the timer out. Works on a core; the future is bound to the one that first polls it, so to sleep in
/// a task on another core, make it there: [`spawn_on_with`](crate::spawn_on_with).
///
/// # Examples
/// ```
/// use executor::time::{Duration, Instant, sleep};
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let start = Instant::now();
/// sleep(Duration::from_millis(2)).await;
/// assert!(start.elapsed() >= Duration::from_millis(2));
/// # }
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(after(Instant::now(), duration))
}

/// Waits until `deadline`; one that is past is ready at once.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        deadline,
        timer: None,
    }
}

/// The future of [`sleep`] and [`sleep_until`].
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    deadline: Instant,
    /// Where it waits, once it was polled: a core's own wheel, which is why it cannot be sent to another core.
    timer: Option<(Rc<Timers>, TimerKey)>,
}

impl Sleep {
    /// When it is ready.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the time has come.
    pub fn is_elapsed(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Makes it ready at another time; it may be used again after it was ready.
    pub fn reset(&mut self, deadline: Instant) {
        self.take_out();
        self.deadline = deadline;
    }

    fn take_out(&mut self) {
        if let Some((timers, key)) = self.timer.take() {
            timers.cancel(key);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    /// # Panics
    /// Outside of a runtime.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.is_elapsed() {
            self.take_out();
            return Poll::Ready(());
        }
        let is_set = self
            .timer
            .as_ref()
            .is_some_and(|(timers, key)| timers.update(*key, context.waker()));
        if !is_set {
            let timers = current::expect("a timer", |core| Rc::clone(core.timers()));
            let key = timers.insert(self.deadline, context.waker().clone());
            self.timer = Some((timers, key));
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.take_out();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sleep")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
