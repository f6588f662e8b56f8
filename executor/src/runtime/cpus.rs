//! Which CPUs this process may use, and pinning a thread to one of them.
//!
//! core_affinity lists and pins; giving a thread its former affinity back is `affinity`'s.

use super::StartError;
use super::affinity::Affinity;
use crate::core::PinnedCore;
use crate::core::context;
use core_affinity::CoreId;

/// The CPUs in this thread's affinity mask, in ascending order. A mask may have holes, and a container's usually has.
fn allowed() -> Vec<usize> {
    let mut cpus: Vec<usize> = core_affinity::get_core_ids()
        .unwrap_or_default()
        .into_iter()
        .map(|core| core.id)
        .collect();
    cpus.sort_unstable();
    cpus
}

/// The CPUs of the cores: so many of those in the mask, or those that were named.
///
/// # Errors
/// If they cannot be had, or make no sense.
pub(super) fn choose(
    cores: Option<usize>,
    named: Option<Vec<usize>>,
) -> Result<Vec<usize>, StartError> {
    let mut allowed = allowed();
    if allowed.is_empty() {
        return Err(StartError::NoCpus);
    }
    let Some(named) = named else {
        let asked = cores.unwrap_or(allowed.len());
        if asked > allowed.len() {
            return Err(StartError::NotEnoughCpus { asked, allowed });
        }
        allowed.truncate(asked);
        return if asked == 0 {
            Err(StartError::NoCores)
        } else {
            Ok(allowed)
        };
    };
    let cores = cores.unwrap_or(named.len());
    if cores == 0 {
        return Err(StartError::NoCores);
    }
    if cores != named.len() {
        return Err(StartError::CpusForCores { cores, cpus: named });
    }
    for (index, &cpu) in named.iter().enumerate() {
        if !allowed.contains(&cpu) {
            return Err(StartError::CpuNotAllowed { cpu, allowed });
        }
        if named[..index].contains(&cpu) {
            return Err(StartError::CpuTwice(cpu));
        }
    }
    Ok(named)
}

/// Pins the calling thread for good; `None` if the system refuses. Keep what it returns as long as the thread is a core.
pub(super) fn pin(cpu: usize) -> Option<PinnedCore> {
    core_affinity::set_for_current(CoreId { id: cpu }).then(|| PinnedCore::to(cpu))
}

/// If this is a forked child, and its thread was a core of the parent's, the thread may use all CPUs again that the parent's runtime was built with.
pub(super) fn leave_forked_core() {
    let affinity = context::with(|core| {
        let core = core.filter(|core| !core.is_here())?;
        core.runtime().affinity().copied()
    });
    if let Some(affinity) = affinity
        && let Err(error) = affinity.apply()
    {
        reactor::log!(warn, %error, "a thread of a forked child stays pinned to the CPU of its parent's core");
    }
}

/// Gives the calling thread another affinity until it is dropped, which gives it its former one back; unless somebody else has changed it meanwhile.
pub(super) struct Masked {
    /// What it was, and what was given.
    change: Option<(Affinity, Affinity)>,
    /// If the thread is a core meanwhile.
    _core: Option<PinnedCore>,
}

impl Masked {
    /// Pinned to one CPU. If the cpuset does not have that CPU any more, the thread stays where it is, and a warning is logged.
    pub(super) fn pin(cpu: usize) -> Self {
        let before = Affinity::read().ok();
        let core = before.and_then(|_| pin(cpu));
        if core.is_none() {
            reactor::log!(warn, cpu, "core 0 could not be pinned to its CPU");
        }
        Self {
            change: before
                .filter(|_| core.is_some())
                .map(|before| (before, Affinity::pinned(cpu))),
            _core: core,
        }
    }

    fn with(affinity: &Affinity) -> Self {
        let change = Affinity::read().and_then(|before| Ok((before, affinity.apply()?)));
        if let Err(error) = &change {
            reactor::log!(warn, %error, "a core could not be unpinned");
        }
        Self {
            change: change.ok(),
            _core: None,
        }
    }
}

impl Drop for Masked {
    fn drop(&mut self) {
        if let Some((before, given)) = &self.change
            && let Err(error) = before.restore(given)
        {
            reactor::log!(warn, %error, "a thread's affinity mask could not be restored");
        }
    }
}

/// Calls `call` while this core is not pinned to its CPU: it has the affinity mask of the thread that built the runtime. If that thread could use its
/// whole cpuset, it is the whole cpuset of today.
///
/// Threads and processes inherit the mask of the thread that starts them, which on a core is one CPU, where they would be in the core's way. So start
/// them in here, thread pools of libraries included. (Work that blocks needs no thread of yours: see
/// [`spawn_blocking`](crate::spawn_blocking).) It costs some system calls. Outside of a runtime it only calls.
///
/// # Panics
/// If `call` does; the core is pinned again, as it is if `call` returns. Only if `call` itself has changed the thread's affinity mask, that stays.
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
    let affinity = context::with(|core| core?.runtime().affinity().copied());
    let _unpinned = affinity.as_ref().map(Masked::with);
    call()
}
