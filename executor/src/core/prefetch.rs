//! Asking for a cache line before it is written, so that it comes once, with the right to write, and not first to be read.

use std::ptr::NonNull;

/// A hint; does nothing where there is none.
#[inline(always)]
pub(crate) fn prefetch_for_write<T>(address: NonNull<T>) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing and never faults. Processors without PREFETCHW treat it as a no-op.
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(address.as_ptr().cast::<i8>().cast_const()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
