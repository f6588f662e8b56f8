//! Ticks at regular times.

use super::{Duration, Instant, Sleep, after, sleep_until};
use futures_core::stream::{FusedStream, Stream};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Ticks every `period`, the first time at once.
///
/// # Panics
/// If `period` is zero.
///
/// # Examples
/// ```
/// use executor::time::{Duration, Instant, interval};
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let start = Instant::now();
/// let mut ticks = interval(Duration::from_millis(1));
/// for _ in 0..3 {
///     ticks.tick().await;
/// }
/// assert!(start.elapsed() >= Duration::from_millis(2));
/// # }
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks every `period`, the first time at `start`.
///
/// # Panics
/// If `period` is zero.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval has a period above zero");
    Interval {
        next: sleep_until(start),
        period,
        missed: MissedTickBehavior::default(),
    }
}

/// A tick that comes no later than this is on time: timers and the task's turn take some. The same as tokio's.
const LATE: Duration = Duration::from_millis(5);

/// What an [`Interval`] does when a tick comes more than 5 ms late, because the task or its core was busy elsewhere. The same as tokio's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// All missed ticks come at once, until the schedule is reached again.
    #[default]
    Burst,
    /// One tick comes late, and the next a whole period after it.
    Delay,
    /// One tick comes late, and the next when the schedule has its next.
    Skip,
}

/// Ticks at regular times; made by [`interval`].
///
/// It is also a stream of the times at which the ticks were due, which never ends.
///
/// # Examples
/// ```
/// use executor::time::{Duration, interval};
/// use futures::StreamExt;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let period = Duration::from_millis(1);
/// let ticks: Vec<_> = interval(period).take(3).collect().await;
/// assert_eq!(ticks[2] - ticks[0], 2 * period);
/// # }
/// ```
#[derive(Debug)]
pub struct Interval {
    next: Sleep,
    period: Duration,
    missed: MissedTickBehavior,
}

impl Interval {
    /// Waits for the next tick and returns the time it was due. **Cancel-safe**: dropped, no tick is lost.
    ///
    /// # Panics
    /// When polled outside of a runtime.
    pub fn tick(&mut self) -> Tick<'_> {
        Tick(self)
    }

    /// The same, for those who write their own futures. Panics like [`tick`](Self::tick).
    #[track_caller]
    pub fn poll_tick(&mut self, context: &mut Context<'_>) -> Poll<Instant> {
        ready!(Pin::new(&mut self.next).poll(context));
        let due = self.next.deadline();
        self.next.reset(self.following(due, Instant::now()));
        Poll::Ready(due)
    }

    /// When to tick after the tick that was due at `due` and came at `now`.
    fn following(&self, due: Instant, now: Instant) -> Instant {
        let scheduled = after(due, self.period);
        if now <= after(due, LATE) {
            return scheduled;
        }
        match self.missed {
            MissedTickBehavior::Burst => scheduled,
            MissedTickBehavior::Delay => after(now, self.period),
            MissedTickBehavior::Skip => {
                let late_ns = now.duration_since(due).as_nanos();
                let into_period_ns = late_ns % self.period.as_nanos();
                let rest = self.period
                    - Duration::from_nanos(u64::try_from(into_period_ns).unwrap_or(u64::MAX));
                after(now, rest)
            }
        }
    }

    /// What to do about missed ticks.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }

    /// Begins anew: the next tick comes a whole period from now.
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// Begins anew: the next tick comes at once, and the one after it a whole period later.
    pub fn reset_immediately(&mut self) {
        self.next.reset(Instant::now());
    }

    /// Begins anew: the next tick comes `delay` from now, and the one after it a whole period later.
    pub fn reset_after(&mut self, delay: Duration) {
        self.next.reset(after(Instant::now(), delay));
    }

    /// Begins anew: the next tick comes at `deadline`, and the one after it a whole period later. If `deadline` is past, it comes at once.
    pub fn reset_at(&mut self, deadline: Instant) {
        self.next.reset(deadline);
    }

    /// What is done about missed ticks.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }
}

impl Stream for Interval {
    type Item = Instant;

    /// Panics like [`tick`](Interval::tick).
    #[track_caller]
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_tick(context).map(Some)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl FusedStream for Interval {
    /// It never ends.
    fn is_terminated(&self) -> bool {
        false
    }
}

/// The future of [`Interval::tick`].
///
/// **Dropped** before it is ready, it loses no tick.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Tick<'a>(&'a mut Interval);

impl Future for Tick<'_> {
    type Output = Instant;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Instant> {
        self.0.poll_tick(context)
    }
}
