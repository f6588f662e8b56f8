//! Short forms for the statics of cores that are cells. The names are those of
//! `std::thread::LocalKey`.

use super::CoreLocal;
use std::cell::{Cell, RefCell};

impl<T: 'static> CoreLocal<Cell<T>> {
    /// A copy of this core's value.
    ///
    /// # Panics
    /// As for [`with`](Self::with).
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Changes this core's value. It is made first, if this is its first use.
    ///
    /// # Panics
    /// As for [`with`](Self::with).
    #[track_caller]
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    /// Takes this core's value, and leaves the default.
    ///
    /// # Panics
    /// As for [`with`](Self::with).
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Changes this core's value, and returns what it was.
    ///
    /// # Panics
    /// As for [`with`](Self::with).
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> CoreLocal<RefCell<T>> {
    /// Calls `call` with this core's value. The value is borrowed for no longer than the call, so
    /// not across an `.await`.
    ///
    /// # Panics
    /// As for [`with`](Self::with), and if the value is borrowed mutably, by a call that this one
    /// is inside of.
    #[track_caller]
    pub fn with_borrow<R>(&'static self, call: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| call(&cell.borrow()))
    }

    /// Calls `call` with this core's value, to change it. The value is borrowed for no longer than
    /// the call, so not across an `.await`.
    ///
    /// # Panics
    /// As for [`with`](Self::with), and if the value is borrowed, by a call that this one is inside
    /// of.
    #[track_caller]
    pub fn with_borrow_mut<R>(&'static self, call: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| call(&mut cell.borrow_mut()))
    }

    /// Takes this core's value, and leaves the default.
    ///
    /// # Panics
    /// As for [`with_borrow_mut`](Self::with_borrow_mut).
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Changes this core's value, and returns what it was.
    ///
    /// # Panics
    /// As for [`with_borrow_mut`](Self::with_borrow_mut).
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}
