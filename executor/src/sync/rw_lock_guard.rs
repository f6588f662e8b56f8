//! The guards of a lock for readers and writers.

use super::guarded::{Exclusive, Lock, Shared, TurnsOf, guard_traits};
use super::{Permit, RwLock, Semaphore};

/// The right to read the value of a [`RwLock`], or a part of it. **Dropped**, it makes room for a writer, if it was the last.
#[must_use = "a lock is unlocked at once if its guard is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    value: Shared<Permit<&'a Semaphore>, T>,
}

/// The right to change the value of a [`RwLock`]. **Dropped**, it lets the next ones in.
#[must_use = "a lock is unlocked at once if its guard is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    value: Exclusive<Permit<&'a Semaphore>, T, true>,
}

/// The right to change a part of the value of a [`RwLock`]: what [`RwLockWriteGuard::map`] makes. It cannot be downgraded.
#[must_use = "a lock is unlocked at once if its guard is dropped"]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    value: Exclusive<Permit<&'a Semaphore>, T, false>,
}

/// The right to read the value of a [`RwLock`], which it keeps alive, or a part `U` of the value. As [`RwLockReadGuard`].
#[must_use = "a lock is unlocked at once if its guard is dropped"]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T> {
    value: Shared<Permit<TurnsOf<RwLock<T>>>, U>,
}

/// The right to change the value of a [`RwLock`], which it keeps alive. As [`RwLockWriteGuard`].
#[must_use = "a lock is unlocked at once if its guard is dropped"]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    value: Exclusive<Permit<TurnsOf<RwLock<T>>>, T, true>,
}

/// The right to change a part of the value of a [`RwLock`], which it keeps alive: what [`OwnedRwLockWriteGuard::map`] makes.
#[must_use = "a lock is unlocked at once if its guard is dropped"]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized> {
    value: Exclusive<Permit<TurnsOf<RwLock<T>>>, U, false>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    pub(super) fn new(lock: &'a RwLock<T>, turn: Permit<&'a Semaphore>) -> Self {
        let value = Shared::new(lock.guarded(), turn);
        Self { value }
    }

    /// A guard of a part of the value; the lock stays taken. Called as `RwLockReadGuard::map(guard, |value| &value.part)`.
    pub fn map<U: ?Sized>(this: Self, part: impl FnOnce(&T) -> &U) -> RwLockReadGuard<'a, U> {
        let value = this.value.map(part);
        RwLockReadGuard { value }
    }

    /// The same for a part that there may be.
    ///
    /// # Errors
    /// The guard itself, if `part` returns `None`.
    pub fn try_map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<RwLockReadGuard<'a, U>, Self> {
        match this.value.try_map(part) {
            Ok(value) => Ok(RwLockReadGuard { value }),
            Err(value) => Err(Self { value }),
        }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    pub(super) fn new(lock: &'a RwLock<T>, turn: Permit<&'a Semaphore>) -> Self {
        let value = Exclusive::new(lock.guarded(), turn);
        Self { value }
    }

    /// A guard of a part of the value; the lock stays taken. Called as `RwLockWriteGuard::map(guard, |value| &mut value.part)`.
    pub fn map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> RwLockMappedWriteGuard<'a, U> {
        let value = this.value.map(part);
        RwLockMappedWriteGuard { value }
    }

    /// The same for a part that there may be.
    ///
    /// # Errors
    /// The guard itself, if `part` returns `None`.
    pub fn try_map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<RwLockMappedWriteGuard<'a, U>, Self> {
        match this.value.try_map(part) {
            Ok(value) => Ok(RwLockMappedWriteGuard { value }),
            Err(value) => Err(Self { value }),
        }
    }

    /// Becomes a reader, without letting another writer in between: `write` futures that wait now come later, and readers that were first in the
    /// queue come in.
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        let value = self.value.downgrade();
        RwLockReadGuard { value }
    }
}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    /// A guard of a part of the value; the lock stays taken. Called as `RwLockMappedWriteGuard::map(guard, |value| &mut value.part)`.
    pub fn map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> RwLockMappedWriteGuard<'a, U> {
        let value = this.value.map(part);
        RwLockMappedWriteGuard { value }
    }

    /// The same for a part that there may be.
    ///
    /// # Errors
    /// The guard itself, if `part` returns `None`.
    pub fn try_map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<RwLockMappedWriteGuard<'a, U>, Self> {
        match this.value.try_map(part) {
            Ok(value) => Ok(RwLockMappedWriteGuard { value }),
            Err(value) => Err(Self { value }),
        }
    }
}

impl<T: ?Sized> OwnedRwLockReadGuard<T> {
    pub(super) fn new(turn: Permit<TurnsOf<RwLock<T>>>) -> Self {
        let value = Shared::owned(turn);
        Self { value }
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    /// A guard of a part of the value; the lock stays taken. Called as `OwnedRwLockReadGuard::map(guard, |value| &value.part)`.
    pub fn map<V: ?Sized>(this: Self, part: impl FnOnce(&U) -> &V) -> OwnedRwLockReadGuard<T, V> {
        let value = this.value.map(part);
        OwnedRwLockReadGuard { value }
    }

    /// The same for a part that there may be.
    ///
    /// # Errors
    /// The guard itself, if `part` returns `None`.
    pub fn try_map<V: ?Sized>(
        this: Self,
        part: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<OwnedRwLockReadGuard<T, V>, Self> {
        match this.value.try_map(part) {
            Ok(value) => Ok(OwnedRwLockReadGuard { value }),
            Err(value) => Err(Self { value }),
        }
    }
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    pub(super) fn new(turn: Permit<TurnsOf<RwLock<T>>>) -> Self {
        let value = Exclusive::owned(turn);
        Self { value }
    }

    /// A guard of a part of the value; the lock stays taken. Called as `OwnedRwLockWriteGuard::map(guard, |value| &mut value.part)`.
    pub fn map<V: ?Sized>(
        this: Self,
        part: impl FnOnce(&mut T) -> &mut V,
    ) -> OwnedRwLockMappedWriteGuard<T, V> {
        let value = this.value.map(part);
        OwnedRwLockMappedWriteGuard { value }
    }

    /// The same for a part that there may be.
    ///
    /// # Errors
    /// The guard itself, if `part` returns `None`.
    pub fn try_map<V: ?Sized>(
        this: Self,
        part: impl FnOnce(&mut T) -> Option<&mut V>,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self> {
        match this.value.try_map(part) {
            Ok(value) => Ok(OwnedRwLockMappedWriteGuard { value }),
            Err(value) => Err(Self { value }),
        }
    }

    /// Becomes a reader, without letting another writer in between: `write` futures that wait now come later, and readers that were first in the
    /// queue come in.
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        let value = self.value.downgrade();
        OwnedRwLockReadGuard { value }
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    /// A guard of a part of the value; the lock stays taken. Called as `OwnedRwLockMappedWriteGuard::map(guard, |value| &mut value.part)`.
    pub fn map<V: ?Sized>(
        this: Self,
        part: impl FnOnce(&mut U) -> &mut V,
    ) -> OwnedRwLockMappedWriteGuard<T, V> {
        let value = this.value.map(part);
        OwnedRwLockMappedWriteGuard { value }
    }

    /// The same for a part that there may be.
    ///
    /// # Errors
    /// The guard itself, if `part` returns `None`.
    pub fn try_map<V: ?Sized>(
        this: Self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self> {
        match this.value.try_map(part) {
            Ok(value) => Ok(OwnedRwLockMappedWriteGuard { value }),
            Err(value) => Err(Self { value }),
        }
    }
}

guard_traits!(['a, T: ?Sized] RwLockReadGuard<'a, T> => T);
guard_traits!(mut ['a, T: ?Sized] RwLockWriteGuard<'a, T> => T);
guard_traits!(mut ['a, T: ?Sized] RwLockMappedWriteGuard<'a, T> => T);
guard_traits!([T: ?Sized, U: ?Sized] OwnedRwLockReadGuard<T, U> => U);
guard_traits!(mut [T: ?Sized] OwnedRwLockWriteGuard<T> => T);
guard_traits!(mut [T: ?Sized, U: ?Sized] OwnedRwLockMappedWriteGuard<T, U> => U);
