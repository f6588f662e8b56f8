//! The clock of a runtime: real time, until somebody pauses it. All cores of the runtime share it.
//!
//! It counts nanoseconds since the runtime was built. While it is paused it stands still, and is moved on by hand
//! ([`Clock::move_to`]); after that it goes on in real time from where it stands. It never goes back.
//!
//! A runtime that was never paused reads one flag beside the real clock. The flags are relaxed: a core sees a pause because the core that made it
//! sends a message afterwards (`paused.rs`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whether the clock of any runtime in this process was ever paused.
static ANY_HAS_DEPARTED: AtomicBool = AtomicBool::new(false);

/// The clock of one runtime.
pub(crate) struct Clock {
    epoch: Instant,
    is_paused: AtomicBool,
    /// Whether it was ever paused, and so is no longer the real clock.
    has_departed: AtomicBool,
    mode: Mutex<Mode>,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Real,
    Paused { now_ns: u64 },
    Resumed { now_ns: u64, since: Instant },
}

/// The clock is paused already, or it is not paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongMode;

impl Clock {
    pub(super) fn new(starts_paused: bool) -> Self {
        let clock = Self {
            epoch: Instant::now(),
            is_paused: AtomicBool::new(false),
            has_departed: AtomicBool::new(false),
            mode: Mutex::new(Mode::Real),
        };
        if starts_paused {
            clock.pause_at(&mut clock.lock(), 0);
        }
        clock
    }

    /// Whether the clock of any runtime may differ from the real one.
    #[inline]
    pub(crate) fn any_has_departed() -> bool {
        ANY_HAS_DEPARTED.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Relaxed)
    }

    /// Nanoseconds since the epoch.
    #[inline]
    pub(crate) fn now_ns(&self) -> u64 {
        if self.has_departed.load(Ordering::Relaxed) {
            self.lock().now_ns(self.epoch)
        } else {
            self.ns_since_epoch(Instant::now())
        }
    }

    /// The same as an instant: what the real clock would show if it had never been paused.
    pub(crate) fn now(&self) -> Instant {
        self.instant(self.now_ns())
    }

    /// Nanoseconds of `instant`; the far future is cut to 584 years from the epoch.
    #[inline]
    pub(crate) fn ns_since_epoch(&self, instant: Instant) -> u64 {
        nanoseconds(instant.saturating_duration_since(self.epoch))
    }

    fn instant(&self, ns: u64) -> Instant {
        let since_epoch = Duration::from_nanos(ns);
        self.epoch
            .checked_add(since_epoch)
            .expect("Linux counts seconds in 64 bits")
    }

    /// # Errors
    /// If it is paused already.
    pub(super) fn pause(&self) -> Result<(), WrongMode> {
        let mut mode = self.lock();
        if matches!(*mode, Mode::Paused { .. }) {
            return Err(WrongMode);
        }
        let now_ns = mode.now_ns(self.epoch);
        self.pause_at(&mut mode, now_ns);
        Ok(())
    }

    fn pause_at(&self, mode: &mut Mode, now_ns: u64) {
        *mode = Mode::Paused { now_ns };
        ANY_HAS_DEPARTED.store(true, Ordering::Relaxed);
        self.has_departed.store(true, Ordering::Relaxed);
        self.is_paused.store(true, Ordering::Relaxed);
    }

    /// Goes on in real time.
    ///
    /// # Errors
    /// If it is not paused.
    pub(super) fn resume(&self) -> Result<(), WrongMode> {
        let mut mode = self.lock();
        let Mode::Paused { now_ns } = *mode else {
            return Err(WrongMode);
        };
        let since = Instant::now();
        *mode = Mode::Resumed { now_ns, since };
        self.is_paused.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Moves it on while it is paused. A time that is past changes nothing.
    ///
    /// # Errors
    /// If it is not paused.
    pub(crate) fn move_to(&self, target_ns: u64) -> Result<(), WrongMode> {
        match &mut *self.lock() {
            Mode::Paused { now_ns } => *now_ns = target_ns.max(*now_ns),
            Mode::Real | Mode::Resumed { .. } => return Err(WrongMode),
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Mode> {
        self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mode {
    fn now_ns(self, epoch: Instant) -> u64 {
        match self {
            Self::Real => nanoseconds(epoch.elapsed()),
            Self::Paused { now_ns } => now_ns,
            Self::Resumed { now_ns, since } => now_ns.saturating_add(nanoseconds(since.elapsed())),
        }
    }
}

/// At most 584 years.
#[inline]
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(all(test, not(modelled)))]
mod tests {
    use super::*;

    /// Paused, it stands where it was put, and does not go back; resumed, it goes on from there.
    #[test]
    fn stands_while_it_is_paused_and_goes_on_from_there() {
        let clock = Clock::new(true);
        assert_eq!(clock.now_ns(), 0);
        assert_eq!(clock.pause(), Err(WrongMode));
        clock.move_to(5_000_000_000_000).unwrap();
        clock.move_to(7).unwrap();
        assert_eq!(clock.now_ns(), 5_000_000_000_000);
        assert_eq!(clock.ns_since_epoch(clock.now()), 5_000_000_000_000);
        clock.resume().unwrap();
        assert!(clock.now_ns() >= 5_000_000_000_000);
        assert_eq!(clock.resume(), Err(WrongMode));
        assert_eq!(clock.move_to(0), Err(WrongMode));
        clock.pause().unwrap();
        assert!(clock.now_ns() >= 5_000_000_000_000);
    }
}
