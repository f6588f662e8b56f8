//! Which CPUs this process may use, and pinning a thread to one of them.
//!
//! core_affinity lists and pins; what it cannot do, giving a thread its former set of CPUs back, is rustix's.

use core_affinity::CoreId;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPUs in this thread's affinity mask, in ascending order. A mask may have holes, and a container's usually has.
pub(super) fn allowed() -> Vec<usize> {
    let mut cpus: Vec<usize> = core_affinity::get_core_ids()
        .unwrap_or_default()
        .into_iter()
        .map(|core| core.id)
        .collect();
    cpus.sort_unstable();
    cpus
}

/// Pins the calling thread for good; false if the system refuses.
pub(super) fn pin(cpu: usize) -> bool {
    core_affinity::set_for_current(CoreId { id: cpu })
}

/// Pins the calling thread to one CPU until it is dropped, which gives it its former set back.
pub(super) struct Pinned {
    before: Option<CpuSet>,
}

impl Pinned {
    /// If the CPU was taken out of the mask since the runtime was built, the thread stays where it is, and a warning is logged.
    pub(super) fn to(cpu: usize) -> Self {
        let before = sched_getaffinity(None).ok();
        if before.is_none() || !pin(cpu) {
            tracing::warn!(cpu, "core 0 could not be pinned to its CPU");
            return Self { before: None };
        }
        Self { before }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = &self.before
            && let Err(error) = sched_setaffinity(None, before)
        {
            tracing::warn!(%error, "a thread that had been core 0 stays pinned");
        }
    }
}
