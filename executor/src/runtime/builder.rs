//! What can be chosen about a runtime before it starts.

use super::affinity::Affinity;
use super::cpus;
use super::start::{self, Plan};
use super::{Runtime, StartError};
use crate::blocking::Limits;
use crate::core::context;
use crate::idle::IdlePolicy;
use reactor::monitor::Monitor;
use reactor::{Capabilities, FILE_WORKERS_MAX, Feature};
use std::time::Duration;

/// Chooses how a [`Runtime`] is built.
///
/// # Examples
/// ```
/// let runtime = executor::Builder::new().cores(1).build()?;
/// runtime.block_on(async { println!("on core {}", executor::current_core()) });
/// # Ok::<(), executor::StartError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder {
    cores: Option<usize>,
    idle: Option<IdlePolicy>,
    is_unpinned: bool,
    masked: Vec<Feature>,
    blocking: Limits,
    start_paused: bool,
    file_workers_max: Option<usize>,
}

impl Builder {
    /// One core for each CPU in the affinity mask of the calling thread, each pinned to its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many cores. They take the first CPUs of the affinity mask, in ascending order.
    #[must_use]
    pub fn cores(mut self, cores: usize) -> Self {
        self.cores = Some(cores);
        self
    }

    /// Whether each core's thread is pinned to its CPU (it is, unless told otherwise). Cores that are not pinned block at once when they
    /// have nothing to do, unless [`idle`](Self::idle) says otherwise.
    ///
    /// A thread or process that is started from a pinned core inherits its one CPU: start it inside of [`unpinned`](crate::unpinned).
    #[must_use]
    pub fn pin(mut self, pin: bool) -> Self {
        self.is_unpinned = !pin;
        self
    }

    /// What a core does when it has nothing to do, before it blocks. [`IdlePolicy::balanced`] by default, as long as it is pinned and no core of
    /// another runtime in this process is pinned to the same CPU: then it blocks at once. A policy chosen here holds regardless.
    #[must_use]
    pub fn idle(mut self, policy: IdlePolicy) -> Self {
        self.idle = Some(policy);
        self
    }

    /// Does without an optional feature of the kernel, as if it were older: to try what happens there, or to step around a bug.
    #[must_use]
    pub fn without(mut self, feature: Feature) -> Self {
        self.masked.push(feature);
        self
    }

    /// How many threads [`spawn_blocking`](crate::spawn_blocking) may have at once; further closures wait their turn. 512 by default: threads
    /// that wait in the kernel cost little more than their stacks, and with few of them closures that wait for each other would wait for ever. Closures that
    /// compute are better served by as many as there are CPUs.
    ///
    /// # Panics
    /// If it is 0.
    #[must_use]
    pub fn blocking_threads_max(mut self, threads: usize) -> Self {
        assert!(
            threads > 0,
            "with no threads no blocking closure would ever run"
        );
        self.blocking.threads_max = threads;
        self
    }

    /// How long a thread of [`spawn_blocking`](crate::spawn_blocking) that has nothing to do stays: 10 s by default.
    #[must_use]
    pub fn blocking_keep_alive(mut self, duration: Duration) -> Self {
        self.blocking.keep_alive = duration;
        self
    }

    /// How long the drop of the runtime waits for closures of [`spawn_blocking`](crate::spawn_blocking) that are running: 1 s by default, enough for
    /// most to finish what they write, and not for a program that ends to seem stuck. After that they are left to themselves, and end with the
    /// process at the latest; a warning is logged.
    #[must_use]
    pub fn blocking_shutdown(mut self, limit: Duration) -> Self {
        self.blocking.shutdown = limit;
        self
    }

    /// How many worker threads of the kernel each core's operations on files and paths may use: 16 by default, on every core.
    ///
    /// What the kernel cannot do without blocking (opening and creating files, syncing them, changing names, reads and writes that a
    /// file system has no other way for) it gives to these threads (io-wq's "bounded" workers); further operations wait their turn. 16 keep a disk
    /// busy; more help where each operation takes long, as on a network file system. They are threads of this process, named `iou-wrk-…`, and are
    /// started when they are needed. Operations that may wait without end, such as opening a named pipe or reading a terminal, do not count: they
    /// get further threads.
    ///
    /// The limit belongs to the core's thread. It replaces one that another user of io_uring has set for that thread
    /// (`IORING_REGISTER_IOWQ_MAX_WORKERS`), each time [`block_on`](Runtime::block_on) is called. Before Linux 5.15 the kernel chooses it
    /// ([`Feature::WorkerLimits`]). [`CoreStats::file_workers_max`](crate::CoreStats::file_workers_max) tells what it is.
    ///
    /// # Panics
    /// If it is 0.
    #[doc(alias = "iowq_max_workers")]
    #[must_use]
    pub fn file_workers_max(mut self, workers: usize) -> Self {
        assert!(
            workers > 0,
            "without workers no operation on a file would end"
        );
        self.file_workers_max = Some(workers);
        self
    }

    /// Whether the runtime's clock is paused from the start, for tests: see [`time::pause`](crate::time::pause).
    ///
    /// # Examples
    /// ```
    /// use executor::time::{Duration, sleep};
    ///
    /// let runtime = executor::Builder::new().cores(1).start_paused(true).build()?;
    /// // Takes no time.
    /// runtime.block_on(sleep(Duration::from_secs(3600)));
    /// # Ok::<(), executor::StartError>(())
    /// ```
    #[must_use]
    pub fn start_paused(mut self, start_paused: bool) -> Self {
        self.start_paused = start_paused;
        self
    }

    /// Starts the runtime: makes the rings, starts a thread for each core but core 0, and pins them.
    ///
    /// # Errors
    /// [`StartError`] says what is wrong and what to do. Nothing is left running then.
    pub fn build(self) -> Result<Runtime, StartError> {
        if context::is_core() {
            return Err(StartError::InsideRuntime);
        }
        cpus::leave_forked_core();
        let allowed = cpus::allowed();
        if allowed.is_empty() {
            return Err(StartError::NoCpus);
        }
        let cores = self.cores.unwrap_or(allowed.len());
        if cores == 0 {
            return Err(StartError::NoCores);
        }
        if cores > allowed.len() {
            return Err(StartError::NotEnoughCpus {
                asked: cores,
                allowed,
            });
        }
        let capabilities = self
            .masked
            .iter()
            .fold(Capabilities::probe()?, |capabilities, feature| {
                capabilities.without(*feature)
            });
        // A core without a CPU of its own may share it with whoever has the work it waits for.
        let default = if self.is_unpinned {
            IdlePolicy::block()
        } else {
            IdlePolicy::balanced().giving_way()
        };
        start::start(Plan {
            cpus: allowed[..cores].into(),
            pin: !self.is_unpinned,
            idle: self.idle.unwrap_or(default),
            monitor: Monitor::detect(),
            capabilities,
            affinity: Affinity::read().ok(),
            blocking: self.blocking,
            start_paused: self.start_paused,
            file_workers_max: self.file_workers_max.map_or(FILE_WORKERS_MAX, |workers| {
                u32::try_from(workers).unwrap_or(u32::MAX)
            }),
        })
    }
}
