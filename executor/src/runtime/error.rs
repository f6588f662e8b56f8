//! Why a runtime did not start. Each text says what to do.

use reactor::SetupError;
use std::{error, fmt, io};

/// Why a runtime did not start.
#[derive(Debug)]
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
                "zero cores were asked for; a runtime has at least one"
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
                        ". Raise the limits on processes and threads (ulimit -u, or TasksMax= of a service), or ask for fewer cores",
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
