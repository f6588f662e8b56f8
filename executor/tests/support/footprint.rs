//! What a process holds: to see that something which ended, or never came to be, left nothing behind.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// A thread that was joined may show up in /proc a moment longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What this process holds of what a runtime is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footprint {
    threads: usize,
    descriptors: usize,
    ring_mappings: usize,
}

impl Footprint {
    pub(crate) fn now() -> Self {
        let count = |directory| fs::read_dir(directory).unwrap().count();
        let mappings = fs::read_to_string("/proc/self/maps").unwrap();
        Self {
            threads: count("/proc/self/task"),
            descriptors: count("/proc/self/fd"),
            ring_mappings: mappings.matches("[io_uring]").count(),
        }
    }

    /// Waits until the process holds no more than this again.
    ///
    /// # Panics
    /// If it goes on holding more.
    #[track_caller]
    pub(crate) fn assert_restored(&self) {
        let start = Instant::now();
        loop {
            let now = Self::now();
            if now == *self {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "left behind: {self:?} became {now:?}"
            );
            thread::yield_now();
        }
    }
}
