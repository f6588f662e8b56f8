//! Waiting for a store to a cache line: which instruction there is for it, as a value.
//!
//! [`Monitor::detect`] asks the processor once; holding a [`Monitor`] is the proof that its instructions exist here, and nobody asks
//! again. This module is the instructions alone: [`crate::park`] has the protocol that makes a wait safe, and its caller the policy of
//! how long to wait.
//!
//! | instruction | processors | how it ends |
//! |---|---|---|
//! | UMONITOR/UMWAIT (WAITPKG) | Intel Tremont, Alder Lake, Sapphire Rapids and later | a store to the line, an interrupt, the deadline, the system's limit, or nothing |
//! | MONITORX/MWAITX | AMD Excavator, Zen and later | the same, without a system's limit |
//!
//! On aarch64, LDXR with WFE would be the third; it is not written yet, and [`Monitor::detect`] says `None` there.
//!
//! A wait may end for no reason, so it always stands in a loop; and it is armed before the sources of work are looked at, never
//! after.

#[cfg(all(target_arch = "x86_64", emulate_waitpkg))]
mod emulation;
#[cfg(target_arch = "x86_64")]
mod mwaitx;
#[cfg(target_arch = "x86_64")]
mod tsc;
#[cfg(target_arch = "x86_64")]
mod waitpkg;

use std::fmt;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// The instructions by which this processor can wait for a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Monitor(Kind);

#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Waitpkg(waitpkg::Waitpkg),
    Mwaitx(mwaitx::Mwaitx),
}

/// No processor of this kind has any.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {}

#[cfg(target_arch = "x86_64")]
impl Monitor {
    /// What this processor has, if anything. Hypervisors often hide it. Costs some microseconds: ask once.
    pub fn detect() -> Option<Self> {
        let clock = tsc::Clock::detect()?;
        if let Some(waitpkg) = waitpkg::Waitpkg::detect(clock) {
            return Some(Self(Kind::Waitpkg(waitpkg)));
        }
        mwaitx::Mwaitx::detect(clock).map(|mwaitx| Self(Kind::Mwaitx(mwaitx)))
    }

    /// Begins to watch the cache line of `word`: a store to it from now on ends the next [`wait`](Self::wait), or keeps it from
    /// beginning. Ordered like a load.
    #[inline]
    pub fn arm(self, word: &AtomicU32) {
        match self.0 {
            Kind::Waitpkg(waitpkg) => waitpkg.arm(word),
            Kind::Mwaitx(mwaitx) => mwaitx.arm(word),
        }
    }

    /// Waits for a store to the armed line, at most for `limit`. May end at any time, for no reason.
    #[inline]
    pub fn wait(self, limit: Duration) {
        match self.0 {
            Kind::Waitpkg(waitpkg) => waitpkg.wait(limit),
            Kind::Mwaitx(mwaitx) => mwaitx.wait(limit),
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Monitor {
    /// Nothing, on this kind of processor.
    pub fn detect() -> Option<Self> {
        None
    }

    /// Never called: there is no value of this type.
    pub fn arm(self, _: &AtomicU32) {
        match self.0 {}
    }

    /// Never called: there is no value of this type.
    pub fn wait(self, _: Duration) {
        match self.0 {}
    }
}

impl fmt::Display for Monitor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(target_arch = "x86_64")]
        match self.0 {
            Kind::Waitpkg(_) => formatter.write_str("UMONITOR/UMWAIT"),
            Kind::Mwaitx(_) => formatter.write_str("MONITORX/MWAITX"),
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = formatter;
            match self.0 {}
        }
    }
}
