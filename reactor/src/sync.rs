//! The atomics the wake protocol is made of: the standard library's, or loom's under `--cfg modelled`, so that the very same code is
//! what the models explore.

#[cfg(modelled)]
pub(crate) use crate::modelled::left_out;
#[cfg(modelled)]
pub(crate) use loom::sync::atomic::{AtomicU32, Ordering, fence};
#[cfg(not(modelled))]
pub(crate) use std::sync::atomic::{AtomicU32, Ordering, fence};

/// Nothing is left out but in models.
#[cfg(not(modelled))]
#[inline(always)]
pub(crate) const fn left_out(_: &str) -> bool {
    false
}
