//! Intel's user-mode monitor: UMONITOR and UMWAIT (CPUID leaf 7, ECX bit 5; Intel SDM volume 2B).
//!
//! UMWAIT takes a deadline in ticks of the time-stamp counter, in EDX:EAX, and ends at the system's own limit if that is earlier
//! (100,000 ticks unless /sys/devices/system/cpu/umwait_control/max_time says otherwise). Bit 0 of its operand asks for the light state C0.1,
//! which is left faster than C0.2; other bits fault.

use super::tsc::{self, Clock};
use std::arch::asm;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// C0.1: what is waited for comes within microseconds, so leaving fast is worth more than saving a little more.
const LIGHT_STATE: u32 = 1;

/// The proof that the processor has WAITPKG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waitpkg {
    clock: Clock,
}

impl Waitpkg {
    pub(super) fn detect(clock: Clock) -> Option<Self> {
        #[cfg(emulate_waitpkg)]
        {
            super::emulation::install();
            Some(Self { clock })
        }
        #[cfg(not(emulate_waitpkg))]
        {
            use std::arch::x86_64::{__cpuid, __cpuid_count};
            let has_leaf = __cpuid(0).eax >= 7;
            let has_waitpkg = has_leaf && __cpuid_count(7, 0).ecx & 1 << 5 != 0;
            has_waitpkg.then_some(Self { clock })
        }
    }

    #[inline]
    pub(super) fn arm(self, word: &AtomicU32) {
        // SAFETY: holding a `Waitpkg` proves that the instruction exists. It reads the line of a live word. Not `nomem`, so that no
        // access is moved across it.
        unsafe {
            asm!("umonitor {0}", in(reg) word.as_ptr(), options(nostack, preserves_flags));
        }
    }

    #[inline]
    pub(super) fn wait(self, limit: Duration) {
        let deadline = tsc::now().saturating_add(self.clock.ticks(limit));
        // SAFETY: holding a `Waitpkg` proves that the instruction exists. It changes the flags, and no memory of ours; not `nomem`, since
        // what ends it is a store by another.
        unsafe {
            asm!(
                "umwait {0:e}",
                in(reg) LIGHT_STATE,
                in("eax") deadline as u32,
                in("edx") (deadline >> 32) as u32,
                options(nostack),
            );
        }
    }
}
