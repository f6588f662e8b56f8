//! The counters behind [`CoreStats`]: written by one core, read by anyone.

use crate::stats::{CoreStats, Waits, Wakes};
use reactor::park::Wake;
use std::sync::atomic::{AtomicU64, Ordering};

/// A count with one writer: an increment is a plain load and store. Relaxed throughout: it orders nothing.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    /// The one writer.
    #[inline]
    fn add(&self) {
        let count = self.0.load(Ordering::Relaxed);
        self.0.store(count.wrapping_add(1), Ordering::Relaxed);
    }

    /// One of several writers.
    fn add_shared(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
struct WakeCounts {
    nothing: Count,
    store: Count,
    kernel: Count,
}

impl WakeCounts {
    #[inline]
    fn of(&self, wake: Wake) -> &Count {
        match wake {
            Wake::Nothing => &self.nothing,
            Wake::Store => &self.store,
            Wake::Kernel => &self.kernel,
        }
    }

    fn read(&self) -> Wakes {
        Wakes {
            nothing: self.nothing.get(),
            store: self.store.get(),
            kernel: self.kernel.get(),
        }
    }
}

/// One way of waiting.
#[derive(Default)]
pub(super) struct WaitCounts {
    begun: Count,
    found_work: Count,
}

impl WaitCounts {
    pub(super) fn add(&self, found_work: bool) {
        self.begun.add();
        if found_work {
            self.found_work.add();
        }
    }

    fn read(&self) -> Waits {
        Waits {
            begun: self.begun.get(),
            found_work: self.found_work.get(),
        }
    }
}

/// One core's counts. All but `foreign` have the core as their only writer.
#[derive(Default)]
pub(super) struct Counters {
    sent: WakeCounts,
    foreign: WakeCounts,
    pub(super) spun: WaitCounts,
    pub(super) monitored: WaitCounts,
    pub(super) blocked: WaitCounts,
    block_given_up: Count,
}

impl Counters {
    /// This core woke another.
    #[inline]
    pub(super) fn sent(&self, wake: Wake) {
        self.sent.of(wake).add();
    }

    /// A foreign thread woke this core.
    pub(super) fn foreign(&self, wake: Wake) {
        self.foreign.of(wake).add_shared();
    }

    pub(super) fn block_given_up(&self) {
        self.block_given_up.add();
    }

    pub(super) fn read(&self) -> CoreStats {
        CoreStats {
            sent: self.sent.read(),
            foreign: self.foreign.read(),
            spun: self.spun.read(),
            monitored: self.monitored.read(),
            blocked: self.blocked.read(),
            block_given_up: self.block_given_up.get(),
        }
    }
}
