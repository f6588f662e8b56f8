//! The primitives our protocols are made of: the standard library's, or loom's under `--cfg modelled`, so that the models explore the
//! very code that runs.

#[cfg(modelled)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering, fence},
    sync::{Mutex, MutexGuard},
};
#[cfg(modelled)]
pub(crate) use reactor::modelled::left_out;
#[cfg(not(modelled))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering, fence};
#[cfg(not(modelled))]
pub(crate) use std::sync::{Mutex, MutexGuard};

/// Whether a model asks to do without one step of a protocol. Nothing is left out but in models.
#[cfg(not(modelled))]
#[inline(always)]
pub(crate) const fn left_out(_: &str) -> bool {
    false
}

/// The standard cell with loom's interface: the pointer is only good inside the closure.
#[cfg(not(modelled))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(modelled))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, call: impl FnOnce(*const T) -> R) -> R {
        call(self.0.get())
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, call: impl FnOnce(*mut T) -> R) -> R {
        call(self.0.get())
    }
}
