//! The time-stamp counter, in which both instructions count their deadlines.
//!
//! Used for how long to wait and nothing else: a wait that is a little too long or short does no harm, so a measured rate is good
//! enough, and no timer depends on it.

use std::arch::x86_64::{__cpuid, _rdtsc};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long the rate is measured: the clocks' resolution of some 25 ns makes an error below one in a thousand of it.
const MEASURED: Duration = Duration::from_micros(50);
/// Readings of both clocks at either end.
const TRIES: u32 = 5;
/// The rate is a fixed-point number with this many binary places.
const FRACTION_BITS: u32 = 16;

/// A counter that runs at one rate, and that rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    ticks_per_ns: u64,
}

impl Clock {
    /// `None` where the counter changes its rate or stops with the processor's (no "invariant TSC", CPUID 8000_0007 EDX bit 8).
    pub(super) fn detect() -> Option<Self> {
        static CLOCK: OnceLock<Option<Clock>> = OnceLock::new();
        *CLOCK.get_or_init(|| {
            let has_invariant =
                __cpuid(0x8000_0000).eax >= 0x8000_0007 && __cpuid(0x8000_0007).edx & 1 << 8 != 0;
            has_invariant.then(Self::measure)
        })
    }

    fn measure() -> Self {
        let (start, first) = read_both(now, Instant::now);
        while start.elapsed() < MEASURED {
            std::hint::spin_loop();
        }
        let (end, last) = read_both(now, Instant::now);
        let ticks = u128::from(last.wrapping_sub(first));
        let elapsed_ns = end.duration_since(start).as_nanos();
        Self {
            ticks_per_ns: u64::try_from((ticks << FRACTION_BITS) / elapsed_ns)
                .expect("fewer than 2^48 ticks a nanosecond"),
        }
    }

    /// How many ticks `duration` is, at most `u64::MAX`.
    pub(super) fn ticks(self, duration: Duration) -> u64 {
        let ticks = duration
            .as_nanos()
            .saturating_mul(u128::from(self.ticks_per_ns))
            >> FRACTION_BITS;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}

/// Both clocks at one moment: of several readings the one for which the counter went on least meanwhile. Whoever is preempted between the two has one of them
/// much later than the other.
fn read_both(now: impl Fn() -> u64, time: impl Fn() -> Instant) -> (Instant, u64) {
    let read = |_| {
        let (before, time) = (now(), time());
        (now().wrapping_sub(before), time, before)
    };
    let (_, time, ticks) = (0..TRIES)
        .map(read)
        .min_by_key(|(taken, ..)| *taken)
        .expect("there are tries");
    (time, ticks)
}

/// The counter.
#[inline]
pub(super) fn now() -> u64 {
    // SAFETY: every x86-64 processor has it; Linux leaves it enabled for user space unless a thread forbids it for itself (PR_SET_TSC).
    unsafe { _rdtsc() }
}

#[cfg(all(test, not(modelled)))]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Each reading takes 25 ns, but in all readings but one the thread is preempted, for a millisecond each time: the two clocks that are chosen
    /// belong together.
    #[test]
    fn preemption_does_not_part_the_clocks() {
        for undisturbed in 0..TRIES {
            let (passed_ns, calls) = (Cell::new(0), Cell::new(0));
            let read = || {
                // Three calls make a reading.
                let reading = calls.replace(calls.get() + 1) / 3;
                let takes_ns = if reading == undisturbed {
                    25
                } else {
                    1_000_000
                };
                passed_ns.replace(passed_ns.get() + takes_ns) + takes_ns
            };
            let epoch = Instant::now();
            let (time, ticks) = read_both(read, || epoch + Duration::from_nanos(read()));
            let apart = time - epoch - Duration::from_nanos(ticks);
            assert_eq!(apart, Duration::from_nanos(25), "{undisturbed}");
        }
    }
}
