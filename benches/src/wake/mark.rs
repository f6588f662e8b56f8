//! The time at which a task was first polled, told to a thread that is no part of any runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::let_it_idle;
use crate::latency::Latencies;

/// Nobody has been there.
const UNSET: u64 = 0;

pub(super) struct Mark {
    base: Instant,
    /// After `base`, or `UNSET`. The task sets it, the thread that waits for it takes it back.
    ns: AtomicU64,
}

impl Mark {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Mark {
            base: Instant::now(),
            ns: AtomicU64::new(UNSET),
        })
    }

    /// Called by the task, first thing.
    pub(super) fn set(&self) {
        let ns = self.base.elapsed().as_nanos() as u64;
        // Relaxed: the number is the whole message.
        self.ns.store(ns, Ordering::Relaxed);
    }

    fn take(&self) -> Instant {
        loop {
            // Relaxed: see `set`. No task is on its way but the one waited for.
            match self.ns.load(Ordering::Relaxed) {
                UNSET => std::hint::spin_loop(),
                ns => {
                    self.ns.store(UNSET, Ordering::Relaxed);
                    return self.base + Duration::from_nanos(ns);
                }
            }
        }
    }

    /// From before each `wake`, which is to make a task that sets the mark, to when the task did so. This thread is busy all
    /// the time: the answer wakes nobody.
    pub(super) fn time_wakes(
        self: &Arc<Self>,
        length: Duration,
        wake: impl Fn(&Arc<Self>),
    ) -> Latencies {
        let mut latencies = Latencies::new();
        let start = Instant::now();
        while start.elapsed() < length {
            let_it_idle();
            let called = Instant::now();
            wake(self);
            latencies.record(self.take().saturating_duration_since(called));
        }
        latencies
    }
}
