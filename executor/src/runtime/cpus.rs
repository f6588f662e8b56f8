//! Which CPUs this process may use, and pinning a thread to one of them.
//!
//! core_affinity lists and pins; what it cannot do, giving a thread its former set of CPUs back, is rustix's.

use crate::core::PinnedCore;
use crate::core::context;
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

/// Pins the calling thread for good; `None` if the system refuses. Keep what it returns as long as the thread is a core.
pub(super) fn pin(cpu: usize) -> Option<PinnedCore> {
    core_affinity::set_for_current(CoreId { id: cpu }).then(|| PinnedCore::to(cpu))
}

/// The calling thread's affinity mask.
pub(super) fn mask() -> Option<CpuSet> {
    sched_getaffinity(None).ok()
}

/// Gives the calling thread this mask for good.
pub(crate) fn set_mask(mask: &CpuSet) {
    if let Err(error) = sched_setaffinity(None, mask) {
        tracing::warn!(%error, "a thread could not be given the affinity mask its runtime was built with");
    }
}

/// If this is a forked child, and its thread was a core of the parent's, the thread may use all CPUs again that the parent's runtime was built with.
pub(super) fn leave_forked_core() {
    let mask = context::with(|core| {
        core.filter(|core| !core.is_here())?
            .runtime()
            .mask()
            .copied()
    });
    if let Some(mask) = mask {
        set_mask(&mask);
    }
}

/// Gives the calling thread another affinity mask until it is dropped, which gives it its former one back.
pub(super) struct Masked {
    before: Option<CpuSet>,
    /// If that is the mask of a core: it counts as long as the thread is one.
    _core: Option<PinnedCore>,
}

impl Masked {
    /// Pinned to one CPU. If that was taken out of the mask since the runtime was built, the thread stays where it is, and a warning is logged.
    pub(super) fn pin(cpu: usize) -> Self {
        let mut before = mask();
        let core = before.as_ref().and_then(|_| pin(cpu));
        if core.is_none() {
            tracing::warn!(cpu, "core 0 could not be pinned to its CPU");
            before = None;
        }
        Self {
            before,
            _core: core,
        }
    }

    fn with(mask: &CpuSet) -> Self {
        let before = self::mask();
        if before.is_some() {
            set_mask(mask);
        }
        Self {
            before,
            _core: None,
        }
    }
}

impl Drop for Masked {
    fn drop(&mut self) {
        if let Some(before) = &self.before
            && let Err(error) = sched_setaffinity(None, before)
        {
            tracing::warn!(%error, "a thread's affinity mask could not be restored");
        }
    }
}

/// Calls `call` while this core is not pinned to its CPU: it has the affinity mask that the thread had which built the runtime.
///
/// Threads and processes inherit the mask of the thread that starts them, which on a core is one CPU, where they would be in the core's way. So start
/// them in here, thread pools of libraries included. (Work that blocks needs no thread of yours: see
/// [`spawn_blocking`](crate::spawn_blocking).) It costs some system calls. Outside of a runtime it only calls.
///
/// # Panics
/// If `call` does; the core is pinned again.
///
/// # Examples
/// ```
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let thread = executor::unpinned(|| std::thread::spawn(|| std::thread::available_parallelism()));
/// # drop(thread);
/// # }
/// ```
pub fn unpinned<T>(call: impl FnOnce() -> T) -> T {
    let mask = context::with(|core| core?.runtime().mask().copied());
    let _masked = mask.as_ref().map(Masked::with);
    call()
}
