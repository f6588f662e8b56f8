//! How many descriptors this process has open. Tests that ask run one at a time.

use std::sync::{Mutex, MutexGuard};

/// To be held by a test for as long as it counts, and by those that would be counted.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub(crate) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd")
        .expect("there is a /proc")
        .count()
}
