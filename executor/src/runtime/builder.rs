//! What can be chosen about a runtime before it starts.

use super::cpus;
use super::start::{self, Plan};
use super::{Runtime, StartError};
use crate::core::context;
use reactor::{Capabilities, Feature};
use std::time::Duration;

/// How long a core that has its CPU to itself looks for work before it blocks, unless told otherwise. Blocking and being woken costs
/// some 30 µs on common machines, so waiting for less than that is cheaper than sleeping when work comes soon.
const SPIN: Duration = Duration::from_micros(20);

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
    spin: Option<Duration>,
    is_unpinned: bool,
    masked: Vec<Feature>,
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

    /// Whether each core's thread is pinned to its CPU (it is, unless told otherwise). Cores that are not pinned do not spin, unless
    /// [`spin`](Self::spin) says so.
    #[must_use]
    pub fn pin(mut self, pin: bool) -> Self {
        self.is_unpinned = !pin;
        self
    }

    /// How long a core with nothing to do looks for work before it blocks in the kernel: 20 µs by default, zero to block at once.
    /// A longer time answers faster, and costs that much CPU time each time the core goes idle.
    #[must_use]
    pub fn spin(mut self, spin: Duration) -> Self {
        self.spin = Some(spin);
        self
    }

    /// Does without an optional feature of the kernel, as if it were older: to try what happens there, or to step around a bug.
    #[must_use]
    pub fn without(mut self, feature: Feature) -> Self {
        self.masked.push(feature);
        self
    }

    /// Starts the runtime: makes the rings, starts a thread for each core but core 0, and pins them.
    ///
    /// # Errors
    /// [`StartError`] says what is wrong and what to do. Nothing is left running then.
    pub fn build(self) -> Result<Runtime, StartError> {
        if context::with(|core| core.is_some()) {
            return Err(StartError::InsideRuntime);
        }
        let allowed = cpus::allowed();
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
        let default_spin = if self.is_unpinned {
            Duration::ZERO
        } else {
            SPIN
        };
        start::start(Plan {
            cpus: allowed[..cores].into(),
            pin: !self.is_unpinned,
            spin: self.spin.unwrap_or(default_spin),
            capabilities,
        })
    }
}
