//! AMD's user-mode monitor: MONITORX and MWAITX (CPUID 8000_0001, ECX bit 29; AMD64 manual volume 3).
//!
//! MWAITX waits a number of ticks of the time-stamp counter, 32 bits in EBX, if bit 1 of ECX says that there is a limit: forgetting that
//! bit waits for ever, and so does a limit of 0. EAX is the hint for the state, 0 for the light C1.

use super::tsc::Clock;
use std::arch::asm;
use std::arch::x86_64::__cpuid;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// EBX holds a limit.
const HAS_LIMIT: u32 = 1 << 1;
/// AMD numbers the states from C1 in bits 7 to 4, less one: 0xf is C0, which is left fastest; 0 is C1.
const LIGHT_STATE: u32 = 0;

/// The proof that the processor has MONITORX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mwaitx {
    clock: Clock,
}

impl Mwaitx {
    pub(super) fn detect(clock: Clock) -> Option<Self> {
        let has_leaf = __cpuid(0x8000_0000).eax >= 0x8000_0001;
        let has_monitorx = has_leaf && __cpuid(0x8000_0001).ecx & 1 << 29 != 0;
        has_monitorx.then_some(Self { clock })
    }

    #[inline]
    pub(super) fn arm(self, word: &AtomicU32) {
        // SAFETY: holding a `Mwaitx` proves that the instruction exists. It reads the line of a live word; ECX and EDX, its extensions
        // and hints, must be zero. Not `nomem`, so that no access is moved across it.
        unsafe {
            asm!(
                "monitorx",
                in("rax") word.as_ptr(),
                in("ecx") 0,
                in("edx") 0,
                options(nostack, preserves_flags),
            );
        }
    }

    #[inline]
    pub(super) fn wait(self, limit: Duration) {
        // At least one: 0 would be no limit at all.
        let ticks = u32::try_from(self.clock.ticks(limit).max(1)).unwrap_or(u32::MAX);
        // SAFETY: holding a `Mwaitx` proves that the instruction exists. LLVM keeps rbx for itself, so it is exchanged by hand and
        // restored. Not `nomem`, since what ends it is a store by another.
        unsafe {
            asm!(
                "xchg {limit:r}, rbx",
                "mwaitx",
                "mov rbx, {limit:r}",
                limit = inout(reg) u64::from(ticks) => _,
                in("eax") LIGHT_STATE,
                in("ecx") HAS_LIMIT,
                options(nostack),
            );
        }
    }
}
