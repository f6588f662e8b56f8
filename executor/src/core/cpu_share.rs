//! How many cores of this process are pinned to each CPU, over all its runtimes: a core that is not alone on its CPU keeps it from the other while it
//! spins or watches, and the other may have the very work it looks out for.
//!
//! Counted by whoever pins a core's thread, for as long as that is so; read by each core when it has nothing to do, since who comes later cannot be known
//! before. Of other processes, and of threads that are no cores, nothing is known here.

use rustix::thread::CpuSet;
use std::sync::atomic::{AtomicU32, Ordering};

static PINNED: [AtomicU32; CpuSet::MAX_CPU] = [const { AtomicU32::new(0) }; CpuSet::MAX_CPU];

/// A core is pinned to this CPU as long as this lives.
pub(crate) struct PinnedCore(&'static AtomicU32);

impl PinnedCore {
    pub(crate) fn to(cpu: usize) -> Self {
        let count = &PINNED[cpu];
        // Relaxed, here and below: a count that orders nothing. Who sees it late spins once more.
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for PinnedCore {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether more than one core is pinned to it.
#[inline]
pub(super) fn is_shared(cpu: usize) -> bool {
    PINNED[cpu].load(Ordering::Relaxed) > 1
}
