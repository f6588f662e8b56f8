//! The guards of a mutex.

use super::guarded::{Exclusive, Lock, TurnsOf, guard_traits};
use super::{Mutex, Permit, Semaphore};

/// The right to use a [`Mutex`]'s value, or a part of it. **Dropped**, it lets the next one in.
#[must_use = "a mutex is unlocked at once if its guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    value: Exclusive<Permit<&'a Semaphore>, T, false>,
}

/// The right to use the value of a [`Mutex`], which it keeps alive, or a part `U` of the value. **Dropped**, it lets the next one in.
#[must_use = "a mutex is unlocked at once if its guard is dropped"]
pub struct OwnedMutexGuard<T: ?Sized, U: ?Sized = T> {
    value: Exclusive<Permit<TurnsOf<Mutex<T>>>, U, false>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn new(mutex: &'a Mutex<T>, turn: Permit<&'a Semaphore>) -> Self {
        let value = Exclusive::new(mutex.guarded(), turn);
        Self {
            value: value.map(|value| value),
        }
    }

    /// A guard of a part of the value; the mutex stays locked. Called as `MutexGuard::map(guard, |value| &mut value.part)`.
    pub fn map<U: ?Sized>(this: Self, part: impl FnOnce(&mut T) -> &mut U) -> MutexGuard<'a, U> {
        let value = this.value.map(part);
        MutexGuard { value }
    }

    /// The same for a part that there may be.
    ///
    /// # Errors
    /// The guard itself, if `part` returns `None`.
    pub fn try_map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MutexGuard<'a, U>, Self> {
        match this.value.try_map(part) {
            Ok(value) => Ok(MutexGuard { value }),
            Err(value) => Err(Self { value }),
        }
    }
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    pub(super) fn new(turn: Permit<TurnsOf<Mutex<T>>>) -> Self {
        Self {
            value: Exclusive::owned(turn).map(|value| value),
        }
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMutexGuard<T, U> {
    /// A guard of a part of the value; the mutex stays locked. Called as `OwnedMutexGuard::map(guard, |value| &mut value.part)`.
    pub fn map<V: ?Sized>(
        this: Self,
        part: impl FnOnce(&mut U) -> &mut V,
    ) -> OwnedMutexGuard<T, V> {
        let value = this.value.map(part);
        OwnedMutexGuard { value }
    }

    /// The same for a part that there may be.
    ///
    /// # Errors
    /// The guard itself, if `part` returns `None`.
    pub fn try_map<V: ?Sized>(
        this: Self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<OwnedMutexGuard<T, V>, Self> {
        match this.value.try_map(part) {
            Ok(value) => Ok(OwnedMutexGuard { value }),
            Err(value) => Err(Self { value }),
        }
    }
}

guard_traits!(mut ['a, T: ?Sized] MutexGuard<'a, T> => T);
guard_traits!(mut [T: ?Sized, U: ?Sized] OwnedMutexGuard<T, U> => U);
