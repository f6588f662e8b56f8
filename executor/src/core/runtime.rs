//! What all cores and handles of one runtime share: who the cores are, whether they shall stop, and the threads for what blocks.

use super::ending::Stopping;
use super::shared::{CoreShared, RuntimeId};
use crate::blocking::Pool;
use crate::stats::CoreStats;
use reactor::{Capabilities, KernelWake, Origin};
use rustix::thread::CpuSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

/// One runtime, for its cores and handles.
pub(crate) struct RuntimeShared {
    origin: Origin,
    cores: Box<[Arc<CoreShared>]>,
    /// The CPU behind each core.
    cpus: Box<[usize]>,
    capabilities: Capabilities,
    /// The affinity mask of the thread that built the runtime: what threads and processes should have that are started on a core.
    mask: Option<CpuSet>,
    blocking: Arc<Pool>,
    /// Where all cores meet when their tasks are gone, before any ring is given up, and before they are gone themselves.
    last_meetings: Barrier,
    stopping: Stopping,
}

impl RuntimeShared {
    /// A runtime with a core for each of `cpus`, woken by the one of `wakes` in the same place.
    pub(crate) fn new(
        cpus: Box<[usize]>,
        wakes: Vec<KernelWake>,
        capabilities: Capabilities,
        mask: Option<CpuSet>,
        blocking: Arc<Pool>,
    ) -> Self {
        debug_assert_eq!(cpus.len(), wakes.len());
        let id = next_id();
        let core = |(index, wake)| Arc::new(CoreShared::new(id, index, Arc::new(wake)));
        Self {
            origin: Origin::here(),
            cores: wakes.into_iter().enumerate().map(core).collect(),
            last_meetings: Barrier::new(cpus.len()),
            cpus,
            capabilities,
            mask,
            blocking,
            stopping: Stopping::new(),
        }
    }

    /// The process that it was made in.
    #[inline]
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn cores(&self) -> &[Arc<CoreShared>] {
        &self.cores
    }

    pub(crate) fn cpus(&self) -> &[usize] {
        &self.cpus
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// `None` if the system did not tell.
    pub(crate) fn mask(&self) -> Option<&CpuSet> {
        self.mask.as_ref()
    }

    pub(crate) fn blocking(&self) -> &Arc<Pool> {
        &self.blocking
    }

    #[inline]
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.has_begun()
    }

    /// Waits until every core of the runtime has come here. In a forked child, where no other core is, it does not wait.
    pub(super) fn meet(&self) {
        if self.origin.is_here() {
            self.last_meetings.wait();
        }
    }

    /// Tells every core to end.
    pub(crate) fn stop(&self) {
        self.stopping.begin();
        for core in &self.cores {
            let _ = core.ring();
        }
    }

    pub(crate) fn stats(&self) -> Vec<CoreStats> {
        self.cores.iter().map(|core| core.stats()).collect()
    }
}

/// A process-wide number for each runtime, so that a core can tell its peers from another runtime's cores.
fn next_id() -> RuntimeId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Relaxed: only uniqueness matters.
    RuntimeId(NEXT.fetch_add(1, Ordering::Relaxed))
}
