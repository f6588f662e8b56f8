//! What can be chosen about a runtime before it starts.

use super::affinity::Affinity;
use super::cpus;
use super::error::{RING_ENTRIES, STACK_BYTES};
use super::start::{self, Plan};
use super::threads::Threads;
use super::{Runtime, StartError};
use crate::blocking::Limits;
use crate::core::context;
use crate::idle::IdlePolicy;
use reactor::monitor::Monitor;
use reactor::{Capabilities, FILE_WORKERS_MAX, Feature};
use std::sync::Arc;
use std::time::Duration;

/// How long the drop of a runtime waits for blocking closures.
const BLOCKING_SHUTDOWN: Duration = Duration::from_secs(1);

/// Chooses how a [`Runtime`] is built.
///
/// # Examples
/// ```
/// let runtime = executor::Builder::new().cores(1).build()?;
/// runtime.block_on(async { println!("on core {}", executor::current_core()) });
/// # Ok::<(), executor::StartError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder starts nothing before `build`"]
pub struct Builder {
    cores: Option<usize>,
    idle: Option<IdlePolicy>,
    is_unpinned: bool,
    masked: Vec<Feature>,
    cpus: Option<Vec<usize>>,
    blocking: Limits,
    start_paused: bool,
    blocking_shutdown: Option<Duration>,
    file_workers_max: Option<usize>,
    ring_entries: Option<usize>,
    threads: Threads,
}

impl Builder {
    /// One core for each CPU in the affinity mask of the calling thread, each pinned to its own.
    #[doc(alias("new_multi_thread", "new_current_thread"))]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many cores. They take the first CPUs of the affinity mask, in ascending order.
    #[doc(alias = "worker_threads")]
    pub fn cores(mut self, cores: usize) -> Self {
        self.cores = Some(cores);
        self
    }

    /// A core for each of these CPUs, in this order; each must be in the affinity mask of the thread that builds the runtime, and be named once. Where
    /// [`cores`](Self::cores) is given as well, it must be their number.
    ///
    /// Cores that are [not pinned](Self::pin) run wherever the mask allows; then only the number of CPUs matters.
    ///
    /// # Examples
    /// ```no_run
    /// // CPUs 2 and 3, and no others.
    /// let runtime = executor::Builder::new().cpus(&[2, 3]).build()?;
    /// # Ok::<(), executor::StartError>(())
    /// ```
    pub fn cpus(mut self, cpus: &[usize]) -> Self {
        self.cpus = Some(cpus.to_vec());
        self
    }

    /// Whether each core's thread is pinned to its CPU (it is, unless told otherwise). Cores that are not pinned block at once when they
    /// have nothing to do, unless [`idle`](Self::idle) says otherwise.
    ///
    /// A thread or process that is started from a pinned core inherits its one CPU: start it inside of [`unpinned`](crate::unpinned).
    pub fn pin(mut self, pin: bool) -> Self {
        self.is_unpinned = !pin;
        self
    }

    /// What a core does when it has nothing to do, before it blocks. [`IdlePolicy::balanced`] by default, as long as it is pinned and no core of
    /// another runtime in this process is pinned to the same CPU: then it blocks at once. A policy chosen here holds regardless.
    pub fn idle(mut self, policy: IdlePolicy) -> Self {
        self.idle = Some(policy);
        self
    }

    /// Does without an optional feature of the kernel, as if it were older: to try what happens there, or to step around a bug.
    pub fn without(mut self, feature: Feature) -> Self {
        self.masked.push(feature);
        self
    }

    /// How many threads [`spawn_blocking`](crate::spawn_blocking) may have at once; further closures wait their turn. 512 by default: threads
    /// that wait in the kernel cost little more than their stacks, and with few of them closures that wait for each other would wait for ever. Closures that
    /// compute are better served by as many as there are CPUs. 0 is an error of
    /// [`build`](Self::build).
    #[doc(alias = "max_blocking_threads")]
    pub fn blocking_threads_max(mut self, threads: usize) -> Self {
        self.blocking.threads_max = threads;
        self
    }

    /// How long a thread of [`spawn_blocking`](crate::spawn_blocking) that has nothing to do stays: 10 s by default.
    pub fn blocking_keep_alive(mut self, duration: Duration) -> Self {
        self.blocking.keep_alive = duration;
        self
    }

    /// How long the drop of the runtime waits for closures of [`spawn_blocking`](crate::spawn_blocking) that are running: 1 s by default, enough for
    /// most to finish what they write, and not for a program that ends to seem stuck. After that they are left to themselves, and end with the
    /// process at the latest; a warning is logged.
    pub fn blocking_shutdown(mut self, limit: Duration) -> Self {
        self.blocking_shutdown = Some(limit);
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
    /// 0 is an error of [`build`](Self::build).
    #[doc(alias = "iowq_max_workers")]
    pub fn file_workers_max(mut self, workers: usize) -> Self {
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
    pub fn start_paused(mut self, start_paused: bool) -> Self {
        self.start_paused = start_paused;
        self
    }

    /// Entries of each core's submission queue, from 8 to 4,096; rounded up to a power of two. The completion queue is sixteen times as long. 256 by default.
    /// Another number is an error of [`build`](Self::build).
    ///
    /// What finds no place in the queues waits in memory, and nothing is lost. Longer queues serve a core that starts more than so many operations in a turn of
    /// its loop, or gets more than sixteen times as many completions in one: it makes fewer system calls then. They cost 64 bytes an entry and 16 bytes a
    /// completion, which the kernel locks in memory; where there is less, it gives fewer.
    #[doc(alias = "ring_size")]
    pub fn ring_entries(mut self, entries: usize) -> Self {
        self.ring_entries = Some(entries);
        self
    }

    /// Names the threads of cores `prefix-1`, `prefix-2` and so on; `core-1` and so on by default. Core 0 is the thread that builds the runtime, and keeps
    /// its name. Linux shows the first 15 bytes.
    pub fn thread_name(self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.thread_name_fn(move |core| format!("{prefix}-{core}"))
    }

    /// Names the threads of cores by what the closure returns for the core's number. It is called on the thread that builds the runtime, for each core but
    /// core 0.
    pub fn thread_name_fn(
        mut self,
        name: impl Fn(usize) -> String + Send + Sync + 'static,
    ) -> Self {
        self.threads.name = Some(Arc::new(name));
        self
    }

    /// The size of the stacks of cores, and of threads of
    /// [`spawn_blocking`](crate::spawn_blocking), in bytes. That of [`std::thread`] by default.
    /// Core 0 is the thread that builds the runtime, and keeps its stack.
    ///
    /// Less than the system's minimum (`PTHREAD_STACK_MIN`: 16 KiB on x86-64, 128 KiB on aarch64)
    /// is an error of [`build`](Self::build), which says the minimum. That is enough for a thread,
    /// but not for much of what runs on it: a stack that overflows ends the process.
    pub fn thread_stack_size(mut self, bytes: usize) -> Self {
        self.threads.stack_bytes = Some(bytes);
        self.blocking.stack_bytes = Some(bytes);
        self
    }

    /// Calls `hook` on each core's thread, with the core's number, before the core runs anything: to set up what belongs to a thread, such as a logger, or
    /// the context of another runtime. For core 0 it is called in [`build`](Self::build), on the calling thread. `build` returns when all have been called.
    ///
    /// The thread is not yet the core: [`spawn`](crate::spawn()) and its like panic. A panic of the hook is the error of `build`.
    ///
    /// Hooks that would be called whenever a core begins to wait, or ends (tokio's `on_thread_park`), do not exist: they would make every wake up slower.
    /// [`stats`](crate::stats()) tells how cores wait.
    ///
    /// # Examples
    /// ```
    /// let runtime = executor::Builder::new()
    ///     .cores(1)
    ///     .on_thread_start(|core| println!("core {core} starts"))
    ///     .on_thread_stop(|core| println!("core {core} has stopped"))
    ///     .build()?;
    /// # Ok::<(), executor::StartError>(())
    /// ```
    pub fn on_thread_start(mut self, hook: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.threads.on_start = Some(Arc::new(hook));
        self
    }

    /// Calls `hook` on each core's thread, with the core's number, when nothing is left of the core: its tasks, values and ring have gone. For core 0 it is
    /// called in the drop of the [`Runtime`]. A panic of it is logged, and has no other effect.
    ///
    /// If the runtime does not start, it is called for each core for which that of [`on_thread_start`](Self::on_thread_start) has returned. In a
    /// [forked child](Runtime#forked-children) it is not called.
    pub fn on_thread_stop(mut self, hook: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.threads.on_stop = Some(Arc::new(hook));
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
        self.check_threads()?;
        let ring_entries = self.ring_entries.map(checked_entries).transpose()?;
        let cpus = cpus::choose(self.cores, self.cpus)?;
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
            cpus: cpus.into(),
            pin: !self.is_unpinned,
            idle: self.idle.unwrap_or(default),
            monitor: Monitor::detect(),
            capabilities,
            affinity: Affinity::read().ok(),
            blocking: self.blocking,
            start_paused: self.start_paused,
            blocking_shutdown: self.blocking_shutdown.unwrap_or(BLOCKING_SHUTDOWN),
            ring_entries,
            threads: self.threads,
            file_workers_max: self.file_workers_max.map_or(FILE_WORKERS_MAX, |workers| {
                u32::try_from(workers).unwrap_or(u32::MAX)
            }),
        })
    }

    fn check_threads(&self) -> Result<(), StartError> {
        if self.blocking.threads_max == 0 {
            return Err(StartError::NoBlockingThreads);
        }
        if self.file_workers_max == Some(0) {
            return Err(StartError::NoFileWorkers);
        }
        match self.threads.stack_bytes {
            Some(asked) if !STACK_BYTES.contains(&asked) => {
                Err(StartError::ThreadStackSize { asked })
            }
            _ => Ok(()),
        }
    }
}

fn checked_entries(asked: usize) -> Result<u32, StartError> {
    let entries = u32::try_from(asked).ok();
    entries
        .filter(|_| RING_ENTRIES.contains(&asked))
        .ok_or(StartError::RingEntries { asked })
}
