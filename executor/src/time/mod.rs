//! Time on a core: sleeping, time limits and intervals.
//!
//! Timers wait in a wheel on the core; none is a kernel timer. A timer never fires early; how late depends on what the core is doing, at best some
//! microseconds.
//!
//! | to do something | |
//! |---|---|
//! | once, later | [`sleep`](sleep()), [`sleep_until`] |
//! | again and again | [`interval`](interval()), [`interval_at`]: a loop over [`tick`](Interval::tick), or a stream |
//! | at another time than was planned (to re-arm a timer) | [`Sleep::reset`], [`Interval::reset`] and its like |
//! | unless it takes too long | [`timeout`](timeout()), [`timeout_at`] |
//!
//! # Time in tests
//! The clock is [`Instant::now`]: real, monotonic time, unless a test [pauses](pause) it. Then it stands still, and jumps to the next timer as soon as there
//! is nothing else to do. A test that sleeps for hours ends at once, and always in the same way:
//!
//! ```
//! use executor::time::{Duration, Instant, sleep, timeout};
//!
//! #[executor::test(start_paused = true)]
//! async fn gives_up_after_a_day() {
//!     let start = Instant::now();
//!     let day = Duration::from_secs(86_400);
//!     assert!(timeout(day, std::future::pending::<()>()).await.is_err());
//!     assert_eq!(start.elapsed(), day);
//! }
//! # fn main() {}
//! ```

#![forbid(unsafe_code)]

mod instant;
mod interval;
mod paused;
mod sleep;
mod timeout;

pub use instant::Instant;
pub use interval::{Interval, MissedTickBehavior, Tick, interval, interval_at};
pub use paused::{advance, is_paused, pause, resume};
pub use sleep::{Sleep, sleep, sleep_until};
pub use std::time::Duration;
pub use timeout::{Elapsed, Timeout, timeout, timeout_at};

/// What stands for "never" where an instant would be beyond what the clock can count: about 30 years from now.
fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(86_400 * 365 * 30)
}

/// The instant after `duration`, or as good as never.
fn after(start: Instant, duration: Duration) -> Instant {
    start.checked_add(duration).unwrap_or_else(far_future)
}
