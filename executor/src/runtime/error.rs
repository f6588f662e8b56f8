//! Why a runtime did not start. Each text says what to do.

use reactor::SetupError;
use std::ops::RangeInclusive;
use std::{error, fmt, io};

/// What the stack of a thread may be asked to have, in bytes. The standard library would raise what
/// is less, and the system refuses what is more than half of the address space.
pub(super) const STACK_BYTES: RangeInclusive<usize> = libc::PTHREAD_STACK_MIN..=isize::MAX as usize;

/// What the submission queue may be asked to have. The completion queue is sixteen times as long, and the kernel has 65,536 at most.
pub(super) const RING_ENTRIES: RangeInclusive<usize> = 8..=4096;

/// Why a runtime did not start. The text says what to do; [`Debug`](fmt::Debug) shows it as well,
/// since that is what `unwrap`, and a `main` that returns the error, print.
#[non_exhaustive]
pub enum StartError {
    /// No ring could be made.
    Ring(SetupError),
    /// More cores were asked for than the process has CPUs.
    NotEnoughCpus {
        /// How many cores were asked for.
        asked: usize,
        /// The CPUs in the process's affinity mask.
        allowed: Vec<usize>,
    },
    /// Zero cores were asked for.
    NoCores,
    /// [`Builder::cpus`](crate::Builder::cpus) and [`Builder::cores`](crate::Builder::cores) do not agree.
    CpusForCores {
        /// How many cores were asked for.
        cores: usize,
        /// The CPUs that were asked for.
        cpus: Vec<usize>,
    },
    /// A CPU was asked for that this thread may not use.
    CpuNotAllowed {
        /// The CPU.
        cpu: usize,
        /// The CPUs in the thread's affinity mask.
        allowed: Vec<usize>,
    },
    /// A CPU was asked for twice.
    CpuTwice(usize),
    /// [`Builder::ring_entries`](crate::Builder::ring_entries) is outside of its limits.
    RingEntries {
        /// How many were asked for.
        asked: usize,
    },
    /// [`Builder::thread_stack_size`](crate::Builder::thread_stack_size) is outside of its limits.
    ThreadStackSize {
        /// How many bytes were asked for.
        asked: usize,
    },
    /// [`Builder::blocking_threads_max`](crate::Builder::blocking_threads_max) is zero.
    NoBlockingThreads,
    /// [`Builder::file_workers_max`](crate::Builder::file_workers_max) is zero.
    NoFileWorkers,
    /// The closure of [`Builder::on_thread_start`](crate::Builder::on_thread_start) panicked.
    StartHook {
        /// The number of the core.
        core: usize,
        /// The text of the panic.
        panic: String,
    },
    /// The process's affinity mask could not be read.
    NoCpus,
    /// The calling thread is a core of a runtime already.
    InsideRuntime,
    /// The descriptor by which a core is woken from the kernel could not be made.
    Wake {
        /// The core's number.
        core: usize,
        /// What the system said.
        error: io::Error,
    },
    /// A core's thread could not be started, or not be pinned to its CPU.
    Thread {
        /// The core's number.
        core: usize,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Debug for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StartError({self})")
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ring(error) => error.fmt(formatter),
            Self::NotEnoughCpus { asked, allowed } => write!(
                formatter,
                "{asked} cores were asked for, but this thread may use {} CPU{} only: {allowed:?}. Ask for fewer (`cores = N`), or \
                 widen its affinity mask (taskset, the container's cpuset, or CPUAffinity= of a service)",
                allowed.len(),
                if allowed.len() == 1 { "" } else { "s" },
            ),
            Self::NoCores => write!(
                formatter,
                "zero cores were asked for; a runtime has at least one. Ask for one or more, or leave the number out for one on each CPU"
            ),
            Self::CpusForCores { cores, cpus } => write!(
                formatter,
                "cores were asked for: {cores}; the list of CPUs has {}: {cpus:?}. Name one CPU for each core, or leave `cores` out",
                cpus.len()
            ),
            Self::CpuNotAllowed { cpu, allowed } => write!(
                formatter,
                "CPU {cpu} was asked for, but this thread may use these only: {allowed:?}. Choose among them, or widen the thread's \
                 affinity mask (taskset, the container's cpuset, or CPUAffinity= of a service)"
            ),
            Self::CpuTwice(cpu) => write!(
                formatter,
                "CPU {cpu} was asked for twice. Two cores on one CPU take turns there, and gain nothing: name each CPU once"
            ),
            Self::RingEntries { asked } => write!(
                formatter,
                "{asked} ring entries were asked for. Choose a number from {} to {}",
                RING_ENTRIES.start(),
                RING_ENTRIES.end()
            ),
            Self::ThreadStackSize { asked } => write!(
                formatter,
                "stacks of {asked} bytes were asked for. Choose a size from {} to {} bytes, or leave it out",
                STACK_BYTES.start(),
                STACK_BYTES.end()
            ),
            Self::NoBlockingThreads => write!(
                formatter,
                "zero threads were allowed for `spawn_blocking`: no blocking closure would ever run. Allow one or more, or leave the number \
                 out; threads are started only when they are needed"
            ),
            Self::NoFileWorkers => write!(
                formatter,
                "zero workers were allowed for files: no operation on a file would ever end. Allow one or more, or leave the number out; \
                 workers are started only when they are needed"
            ),
            Self::StartHook { core, panic } => write!(
                formatter,
                "the closure of `on_thread_start` panicked on the thread of core {core}: {panic}"
            ),
            Self::NoCpus => write!(
                formatter,
                "the CPUs this process may use could not be found out (sched_getaffinity): a sandbox refuses it, or the machine has more \
                 CPUs than the 1024 that are understood here"
            ),
            Self::InsideRuntime => write!(
                formatter,
                "a runtime cannot be started or blocked on from inside a runtime: this thread is one of its cores. Use `.await` or \
                 `executor::spawn` here, or start the other runtime on a thread of its own"
            ),
            Self::Wake { core, error } => write!(
                formatter,
                "core {core} cannot be woken: eventfd2 failed: {error}. Allow it in the sandbox's seccomp profile, if there is one"
            ),
            Self::Thread { core, error } => {
                write!(
                    formatter,
                    "the thread of core {core} could not be started: {error}"
                )?;
                if error.kind() == io::ErrorKind::WouldBlock {
                    formatter.write_str(
                        ". Raise the limits on processes and threads (ulimit -u, or TasksMax= of a service), or ask for fewer cores; if stacks \
                         of a size were asked for, there may be no memory for them: ask for smaller ones",
                    )?;
                }
                Ok(())
            }
        }
    }
}

impl error::Error for StartError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            // Their own texts are part of ours.
            Self::Ring(error) => error.source(),
            Self::Thread { error, .. } | Self::Wake { error, .. } => error.source(),
            _ => None,
        }
    }
}

impl From<SetupError> for StartError {
    fn from(error: SetupError) -> Self {
        Self::Ring(error)
    }
}

/// There is no runtime that the calling thread works for. See [`Handle::try_current`](crate::Handle::try_current).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryCurrentError {
    pub(super) is_forked_child: bool,
}

impl TryCurrentError {
    /// Whether there is one, but it is that of the process which forked this one: see [Forked children](crate::Runtime#forked-children).
    pub fn is_forked_child(&self) -> bool {
        self.is_forked_child
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_forked_child {
            "the runtime of this thread belongs to the process that forked this one"
        } else {
            "this thread works for no runtime: it is no core of one, and runs no closure of spawn_blocking"
        })
    }
}

impl error::Error for TryCurrentError {}
