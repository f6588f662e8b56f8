//! A thread's affinity mask, kept so that a thread can be given it later, when the cpuset of its control group may have changed.
//!
//! Called by `cpus` for the threads of cores, and by the pool for its own. What the kernel does, and what can be known from here:
//!
//! - A mask that is set is cut to the cpuset, and refused (`EINVAL`) if nothing is left of it. `sched_getaffinity` gives the cut mask.
//! - When the cpuset changes, Linux 6.2 and later cut the mask that the thread has asked for again (`user_cpus_ptr`), and use the whole cpuset
//!   if nothing is left. Before 6.2 the thread gets the whole cpuset, and what it has asked for is forgotten.
//! - What a thread has asked for cannot be read. But if it may use its whole cpuset, it has not asked for less, and what it should have later
//!   is the whole cpuset of that time. To ask for every CPU gives it that.
//!
//! What stays unknown: a thread may have asked for CPUs outside of its cpuset, or for exactly those in it. The first loses those CPUs, the second
//! follows the cpuset when that grows.

use rustix::io::{Errno, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The affinity of a thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affinity {
    /// What it was when it was read or set.
    mask: CpuSet,
    /// It was the whole cpuset, and is to be the whole cpuset.
    is_whole: bool,
}

impl Affinity {
    /// The calling thread's. To find out whether that is the whole cpuset, the thread gets the whole cpuset for a moment.
    ///
    /// # Errors
    /// Of sched_getaffinity(2). If only the change is refused, the mask counts as one that was asked for.
    pub(super) fn read() -> Result<Self> {
        let mask = sched_getaffinity(None)?;
        let Ok(whole) = use_whole_cpuset() else {
            return Ok(Self {
                mask,
                is_whole: false,
            });
        };
        let is_whole = whole == mask;
        if !is_whole {
            sched_setaffinity(None, &mask)?;
        }
        Ok(Self { mask, is_whole })
    }

    /// That of a thread which is pinned to one CPU.
    pub(super) fn pinned(cpu: usize) -> Self {
        let mut mask = CpuSet::new();
        mask.set(cpu);
        Self {
            mask,
            is_whole: false,
        }
    }

    /// Gives it to the calling thread, as far as the cpuset allows today. Returns what the thread has now.
    ///
    /// # Errors
    /// Of sched_setaffinity(2), as where a sandbox refuses it.
    pub(crate) fn apply(&self) -> Result<Self> {
        if !self.is_whole {
            match sched_setaffinity(None, &self.mask) {
                // The cpuset has none of these CPUs. The kernel would let a thread that had asked for them use all of it.
                Err(Errno::INVAL) => {}
                set => return set.map(|()| *self),
            }
        }
        let mask = use_whole_cpuset()?;
        Ok(Self {
            mask,
            is_whole: self.is_whole,
        })
    }

    /// Gives it back to the calling thread, which was given `given` meanwhile. If somebody has chosen another mask since then, that stays.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply).
    pub(super) fn restore(&self, given: &Self) -> Result<()> {
        let now = sched_getaffinity(None)?;
        if now != given.mask {
            let whole = use_whole_cpuset()?;
            if now != whole {
                return sched_setaffinity(None, &now);
            }
            // The cpuset has changed, and what was given followed it or was no part of it any more. Else: somebody has asked for all of the
            // cpuset, or a kernel before 6.2 has given it, which it would have done with any mask.
            if !given.is_whole && given.is_within(&whole) {
                return Ok(());
            }
        }
        self.apply().map(drop)
    }

    fn is_within(&self, cpus: &CpuSet) -> bool {
        (0..CpuSet::MAX_CPU).all(|cpu| !self.mask.is_set(cpu) || cpus.is_set(cpu))
    }
}

/// Lets the calling thread use its whole cpuset, whatever that is or becomes; returns what it is.
fn use_whole_cpuset() -> Result<CpuSet> {
    let mut every = CpuSet::new();
    for cpu in 0..CpuSet::MAX_CPU {
        every.set(cpu);
    }
    sched_setaffinity(None, &every)?;
    sched_getaffinity(None)
}
