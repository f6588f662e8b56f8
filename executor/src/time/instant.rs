//! A moment of a runtime's clock.

use super::Duration;
use crate::core::{Clock, context};
use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time;

/// A moment of the runtime's monotonic clock, for deadlines and for measuring.
///
/// It is [`std::time::Instant`] with another [`now`](Self::now): in a runtime whose time is [paused](super::pause) it shows that time. Without a pause, and
/// outside of a runtime, the two are the same, and are converted by `From` either way.
///
/// To measure what really passes in a test with paused time, use the standard library's.
///
/// # Examples
/// ```
/// use executor::time::{Duration, Instant, sleep_until};
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let deadline = Instant::now() + Duration::from_millis(2);
/// sleep_until(deadline).await;
/// assert!(Instant::now() >= deadline);
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(time::Instant);

impl Instant {
    /// The present, by the clock of the runtime that this thread is a core of, or whose [blocking closure](crate::spawn_blocking) it runs; on any other
    /// thread real time.
    #[must_use]
    #[inline]
    pub fn now() -> Self {
        if Clock::any_has_departed() {
            Self::now_by_runtime()
        } else {
            Self(time::Instant::now())
        }
    }

    #[cold]
    fn now_by_runtime() -> Self {
        Self(context::with_runtime(|runtime| match runtime {
            Some(runtime) => runtime.clock().now(),
            None => time::Instant::now(),
        }))
    }

    /// The same moment. One of real time does not become one of paused time: it counts as if no time had been skipped.
    #[must_use]
    #[inline]
    pub const fn from_std(instant: time::Instant) -> Self {
        Self(instant)
    }

    /// The same moment, for what takes the standard library's.
    #[must_use]
    #[inline]
    pub const fn into_std(self) -> time::Instant {
        self.0
    }

    /// The time from `earlier` to this; zero if that is later.
    #[must_use]
    pub fn duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// The time from `earlier` to this; `None` if that is later.
    #[must_use]
    pub fn checked_duration_since(&self, earlier: Self) -> Option<Duration> {
        self.0.checked_duration_since(earlier.0)
    }

    /// The time from `earlier` to this; zero if that is later.
    #[must_use]
    pub fn saturating_duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// The time from this until now; zero if this is to come.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    /// The moment `duration` later; `None` if that is beyond what can be counted.
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Self)
    }

    /// The moment `duration` earlier; `None` if that is beyond what can be counted.
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<Self> {
        self.0.checked_sub(duration).map(Self)
    }
}

impl From<time::Instant> for Instant {
    fn from(instant: time::Instant) -> Self {
        Self::from_std(instant)
    }
}

impl From<Instant> for time::Instant {
    fn from(instant: Instant) -> Self {
        instant.into_std()
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// # Panics
    /// If the sum is beyond what can be counted. See [`checked_add`](Instant::checked_add).
    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    /// # Panics
    /// If the difference is beyond what can be counted. See [`checked_sub`](Instant::checked_sub).
    fn sub(self, duration: Duration) -> Self {
        Self(self.0 - duration)
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// The time from `earlier` to this; zero if that is later.
    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
