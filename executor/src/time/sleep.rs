//! A future that is ready when its time has come.

use super::{Duration, Instant, after};
use crate::core::{Timers, context as current};
use futures_core::FusedFuture;
use reactor::budget;
use reactor::timer::TimerKey;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// Waits for `duration`.
///
/// **Dropping** the future takes the timer out. Works on a core; the future is bound to the one that first polls it, so to sleep in
/// a task on another core, make it there: [`spawn_on`](crate::spawn_on).
///
/// # Panics
/// When polled outside of a runtime.
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
    Sleep {
        deadline: after(Instant::now(), duration),
        // Should it have passed by the first poll, the wheel will say so within a turn; the clock need not be read again.
        state: if duration.is_zero() {
            State::Unknown
        } else {
            State::Ahead
        },
    }
}

/// Waits until `deadline`; one that is past is ready at once. Cancellation and panics as for [`sleep`].
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        deadline,
        state: State::Unknown,
    }
}

/// The future of [`sleep`] and [`sleep_until`].
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    deadline: Instant,
    state: State,
}

enum State {
    /// Not polled, and the deadline may be past.
    Unknown,
    /// Not polled, and the deadline was to come when it was made.
    Ahead,
    /// In the wheel of the core that polled it first: why it cannot be sent to another core.
    Waiting(Rc<Timers>, TimerKey),
    /// The time has come.
    Elapsed,
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

    /// Makes it ready at another time, earlier or later: re-arms the timer. It may be used again after it was ready.
    pub fn reset(&mut self, deadline: Instant) {
        self.leave(State::Unknown);
        self.deadline = deadline;
    }

    /// Takes the timer out of the wheel, if it is in one.
    fn leave(&mut self, state: State) {
        if let State::Waiting(timers, key) = std::mem::replace(&mut self.state, state) {
            timers.cancel(key);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (is_elapsed, has_waited) = match &self.state {
            State::Waiting(timers, key) if timers.update(*key, context.waker()) => {
                return Poll::Pending;
            }
            // It has left the wheel: because it is due, or because its runtime has gone.
            State::Waiting(..) => (self.is_elapsed(), true),
            State::Unknown => (self.is_elapsed(), false),
            State::Ahead => (false, false),
            State::Elapsed => (true, false),
        };
        // Were it refused, whoever spends the budget before it in each poll of the task could keep
        // it from being ready for ever. So one that has waited, and has let the others run, takes
        // none; and one that has not waits in the wheel until the next turn.
        if is_elapsed && (has_waited || !budget::is_spent()) {
            if !has_waited {
                ready!(budget::spend(context));
            }
            self.state = State::Elapsed;
            return Poll::Ready(());
        }
        let timers = current::expect("a sleep, timeout or interval", |core| {
            Rc::clone(core.timers())
        });
        let key = timers.insert(self.deadline.into_std(), context.waker().clone());
        self.state = State::Waiting(timers, key);
        Poll::Pending
    }
}

impl FusedFuture for Sleep {
    /// Whether it has been ready. It can be [reset](Sleep::reset).
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Elapsed)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.leave(State::Elapsed);
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
