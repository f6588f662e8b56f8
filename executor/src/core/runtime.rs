//! What all cores and handles of one runtime share: who the cores are, whether they shall stop, and the threads for what blocks.

use super::clock::Clock;
use super::ending::Stopping;
use super::meeting::Meeting;
use super::progress::Phase;
use super::shared::{CoreShared, RuntimeId};
use super::stillness::Stillness;
use super::watchdog::Watchdog;
use crate::blocking::{Limits, Pool};
use crate::runtime::affinity::Affinity;
use crate::stats::CoreStats;
use reactor::{Capabilities, KernelWake, Origin, log};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// One runtime, for its cores and handles.
pub(crate) struct RuntimeShared {
    origin: Origin,
    cores: Box<[Arc<CoreShared>]>,
    /// The one that core 0 is while it blocks on something.
    main_thread: ThreadId,
    /// The CPU behind each core.
    cpus: Box<[usize]>,
    capabilities: Capabilities,
    /// That of the thread that built the runtime. Threads and processes that are started on a core should have it.
    affinity: Option<Affinity>,
    blocking: Arc<Pool>,
    clock: Arc<Clock>,
    /// Used while the clock is paused.
    stillness: Stillness,
    /// Where all cores meet when their tasks are gone, before any ring is given up, and before they are gone themselves.
    last_meetings: Meeting,
    stopping: Stopping,
    watchdog: Watchdog,
}

impl RuntimeShared {
    /// A runtime with a core for each of `cpus`, woken by the one of `wakes` in the same place.
    pub(crate) fn new(
        cpus: Box<[usize]>,
        wakes: Vec<KernelWake>,
        capabilities: Capabilities,
        affinity: Option<Affinity>,
        blocking: Limits,
        starts_paused: bool,
    ) -> Self {
        debug_assert_eq!(cpus.len(), wakes.len());
        let id = next_id();
        let core = |(index, wake)| Arc::new(CoreShared::new(id, index, Arc::new(wake)));
        let cores: Box<[_]> = wakes.into_iter().enumerate().map(core).collect();
        let clock = Arc::new(Clock::new(starts_paused));
        let when_free = Box::new({
            let (clock, core) = (Arc::clone(&clock), Arc::clone(&cores[0]));
            move || {
                if clock.is_paused() {
                    // Any core will do: if all of them are idle, it finds that time may jump.
                    let _ = core.ring();
                }
            }
        });
        Self {
            origin: Origin::here(),
            main_thread: thread::current().id(),
            stillness: Stillness::new(cores.len()),
            clock,
            blocking: Arc::new(Pool::new(blocking, affinity, when_free)),
            cores,
            last_meetings: Meeting::new(cpus.len()),
            cpus,
            capabilities,
            affinity,
            stopping: Stopping::new(),
            watchdog: Watchdog::new(),
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

    /// The thread that core 0 is.
    pub(crate) fn main_thread(&self) -> ThreadId {
        self.main_thread
    }

    pub(crate) fn cpus(&self) -> &[usize] {
        &self.cpus
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// `None` if the system did not tell.
    pub(crate) fn affinity(&self) -> Option<&Affinity> {
        self.affinity.as_ref()
    }

    pub(crate) fn blocking(&self) -> &Arc<Pool> {
        &self.blocking
    }

    #[inline]
    pub(crate) fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    pub(super) fn stillness(&self) -> &Stillness {
        &self.stillness
    }

    #[inline]
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.has_begun()
    }

    pub(crate) fn watchdog(&self) -> &Watchdog {
        &self.watchdog
    }

    /// Waits until every core of the runtime has come here. If that takes long, says which have not, and why. In a forked child, where no other core
    /// is, it does not wait.
    pub(super) fn meet(&self) {
        if self.origin.is_here() {
            self.last_meetings
                .wait(|waited| self.tell_who_is_missing(waited));
        }
    }

    fn tell_who_is_missing(&self, waited: Duration) {
        for core in &self.cores {
            let doing = core.doing();
            if doing.phase == Phase::Meeting {
                continue;
            }
            let (core, future, task) = (core.index(), doing.future(), doing.task());
            log!(
                warn,
                target: "executor::shutdown",
                core,
                future,
                task,
                ?waited,
                "the shutdown of a runtime waits for a core that {doing}"
            );
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
