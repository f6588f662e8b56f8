//! Time on a core: sleeping, time limits and intervals.
//!
//! Timers wait in a wheel on the core (see [`reactor::timer`]); none is a kernel timer. The clock is the standard library's
//! monotonic [`Instant`]. A timer never fires early; how late depends on what the core is doing, at best some microseconds.

#![forbid(unsafe_code)]

mod interval;
mod sleep;
mod timeout;

pub use interval::{Interval, MissedTickBehavior, Tick, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use std::time::{Duration, Instant};
pub use timeout::{Elapsed, Timeout, timeout, timeout_at};

/// What stands for "never" where an instant would be beyond what the clock can count: about 30 years from now.
fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(86_400 * 365 * 30)
}

/// The instant after `duration`, or as good as never.
fn after(start: Instant, duration: Duration) -> Instant {
    start.checked_add(duration).unwrap_or_else(far_future)
}
