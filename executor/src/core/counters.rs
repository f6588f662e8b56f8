//! The counters behind [`CoreStats`]: written by one core, read by anyone.

use crate::stats::{CoreStats, Waits, Wakes};
use crossbeam_utils::CachePadded;
use reactor::park::{State, Wake};
use std::sync::atomic::{AtomicU64, Ordering};

/// A count with one writer: an increment is a plain load and store. Relaxed throughout: it orders nothing.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    /// The one writer.
    #[inline]
    fn add(&self, more: u64) {
        let count = self.0.load(Ordering::Relaxed);
        self.0.store(count.wrapping_add(more), Ordering::Relaxed);
    }

    /// The one writer.
    fn set(&self, count: u64) {
        self.0.store(count, Ordering::Relaxed);
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
    fn read(&self) -> Wakes {
        Wakes {
            nothing: self.nothing.get(),
            store: self.store.get(),
            kernel: self.kernel.get(),
        }
    }
}

/// What ended a wait. Of several, the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Message,
    Completion,
    Timer,
    Nothing,
}

/// One way of waiting, by what ended it.
#[derive(Default)]
pub(super) struct WaitCounts {
    message: Count,
    completion: Count,
    timer: Count,
    nothing: Count,
}

impl WaitCounts {
    #[inline]
    pub(super) fn add(&self, ended: Ended) {
        let count = match ended {
            Ended::Message => &self.message,
            Ended::Completion => &self.completion,
            Ended::Timer => &self.timer,
            Ended::Nothing => &self.nothing,
        };
        count.add(1);
    }

    fn read(&self) -> Waits {
        let (message, completion, timer) =
            (self.message.get(), self.completion.get(), self.timer.get());
        Waits {
            begun: message + completion + timer + self.nothing.get(),
            message,
            completion,
            timer,
        }
    }
}

/// One core's counts. All but `foreign` have the core as their only writer, who writes them at each publishing and each wait; `foreign` is on lines of
/// its own, which other threads write and the core does not.
#[derive(Default)]
pub(super) struct Counters {
    sent: WakeCounts,
    foreign: CachePadded<WakeCounts>,
    pub(super) spun: WaitCounts,
    pub(super) monitored: WaitCounts,
    pub(super) blocked: WaitCounts,
    block_given_up: Count,
    /// Not counted, but set when the core is made.
    file_workers_max: Count,
}

impl Counters {
    /// This core told others.
    #[inline]
    pub(super) fn sent(&self, wakes: Wakes) {
        self.sent.nothing.add(wakes.nothing);
        self.sent.store.add(wakes.store);
        self.sent.kernel.add(wakes.kernel);
    }

    /// A foreign thread told this core.
    pub(super) fn foreign(&self, wake: Wake) {
        let count = match wake {
            Wake::Nothing => &self.foreign.nothing,
            Wake::Store => &self.foreign.store,
            Wake::Kernel => &self.foreign.kernel,
        };
        count.add_shared();
    }

    pub(super) fn block_given_up(&self) {
        self.block_given_up.add(1);
    }

    pub(super) fn set_file_workers_max(&self, max: u32) {
        self.file_workers_max.set(u64::from(max));
    }

    /// All of it, with the state that the core is in.
    pub(super) fn read(&self, state: State) -> CoreStats {
        CoreStats {
            state,
            sent: self.sent.read(),
            foreign: self.foreign.read(),
            spun: self.spun.read(),
            monitored: self.monitored.read(),
            blocked: self.blocked.read(),
            block_given_up: self.block_given_up.get(),
            file_workers_max: self.file_workers_max.get() as usize,
        }
    }
}
