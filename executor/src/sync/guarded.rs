//! A value that is used in turns: what [`Mutex`](super::Mutex) and [`RwLock`](super::RwLock) are made of, and all unsafe code of theirs.
//!
//! The turns are permits of a semaphore that nobody else reaches. A reader has one of them, a writer has all. What is used is reached by a
//! pointer, so that the owner of a turn can keep the lock alive by an `Rc` beside it. A turn ends when its permit is dropped, and each
//! pointer here is in one struct with its permit.

use super::{Permit, Semaphore};
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::rc::Rc;

/// A reader takes one of these permits, a writer all of them.
pub(super) const ALL: usize = Semaphore::MAX_PERMITS;

pub(super) struct Guarded<T: ?Sized> {
    turns: Semaphore,
    value: UnsafeCell<T>,
}

impl<T> Guarded<T> {
    pub(super) const fn new(value: T) -> Self {
        Self {
            turns: Semaphore::new(ALL),
            value: UnsafeCell::new(value),
        }
    }

    pub(super) fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Guarded<T> {
    pub(super) fn turns(&self) -> &Semaphore {
        &self.turns
    }

    pub(super) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    fn pointer(&self) -> NonNull<T> {
        NonNull::new(self.value.get()).expect("a reference's field has an address")
    }
}

/// A lock that an `Rc` can keep alive.
pub(super) trait Lock {
    type Value: ?Sized;

    fn guarded(&self) -> &Guarded<Self::Value>;
}

/// The turns of a lock, which it keeps alive.
pub(super) struct TurnsOf<L: ?Sized>(pub(super) Rc<L>);

impl<L: ?Sized> Clone for TurnsOf<L> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<L: Lock + ?Sized> Deref for TurnsOf<L> {
    type Target = Semaphore;

    fn deref(&self) -> &Semaphore {
        self.0.guarded().turns()
    }
}

/// A writer's turn, `K`, and what it may use: the value itself, if `WHOLE`, or a part of it.
pub(super) struct Exclusive<K, U: ?Sized, const WHOLE: bool> {
    value: NonNull<U>,
    turn: K,
    /// As `&mut U`, which nothing that lives shorter or longer may replace.
    invariant: PhantomData<*mut U>,
}

/// A reader's turn, `K`, and what it may use.
pub(super) struct Shared<K, U: ?Sized> {
    value: NonNull<U>,
    turn: K,
}

impl<'a, T: ?Sized> Exclusive<Permit<&'a Semaphore>, T, true> {
    pub(super) fn new(lock: &'a Guarded<T>, turn: Permit<&'a Semaphore>) -> Self {
        check(&turn, &lock.turns, ALL);
        Self::of(turn, lock.pointer())
    }
}

impl<L: Lock + ?Sized> Exclusive<Permit<TurnsOf<L>>, L::Value, true> {
    pub(super) fn owned(turn: Permit<TurnsOf<L>>) -> Self {
        check(&turn, turn.semaphore(), ALL);
        let value = turn.semaphore().0.guarded().pointer();
        Self::of(turn, value)
    }
}

impl<'a, T: ?Sized> Shared<Permit<&'a Semaphore>, T> {
    pub(super) fn new(lock: &'a Guarded<T>, turn: Permit<&'a Semaphore>) -> Self {
        check(&turn, &lock.turns, 1);
        let value = lock.pointer();
        Self { value, turn }
    }
}

impl<L: Lock + ?Sized> Shared<Permit<TurnsOf<L>>, L::Value> {
    pub(super) fn owned(turn: Permit<TurnsOf<L>>) -> Self {
        check(&turn, turn.semaphore(), 1);
        let value = turn.semaphore().0.guarded().pointer();
        Self { value, turn }
    }
}

/// What the unsafe code relies on: this is a turn at that lock, a reader's or a writer's.
fn check<S: Deref<Target = Semaphore>>(turn: &Permit<S>, turns: &Semaphore, permits: usize) {
    assert!(std::ptr::eq(&**turn.semaphore(), turns));
    assert_eq!(turn.num_permits(), permits);
}

impl<K, U: ?Sized, const WHOLE: bool> Exclusive<K, U, WHOLE> {
    fn of(turn: K, value: NonNull<U>) -> Self {
        let invariant = PhantomData;
        Self {
            value,
            turn,
            invariant,
        }
    }

    /// The turn goes on with a part of the value, or of something that the value leads to.
    pub(super) fn map<V: ?Sized>(
        mut self,
        part: impl FnOnce(&mut U) -> &mut V,
    ) -> Exclusive<K, V, false> {
        let value = NonNull::from(part(&mut self));
        Exclusive::of(self.turn, value)
    }

    /// The same, if there is that part.
    pub(super) fn try_map<V: ?Sized>(
        mut self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<Exclusive<K, V, false>, Self> {
        match part(&mut self).map(NonNull::from) {
            Some(value) => Ok(Exclusive::of(self.turn, value)),
            None => Err(self),
        }
    }
}

impl<S: Deref<Target = Semaphore> + Clone, U: ?Sized> Exclusive<Permit<S>, U, true> {
    /// The writer becomes a reader; others may read as well from now on. Only with the whole value: a writer may have gone through a cell of
    /// the value to a part of it, which a reader of the whole could change.
    pub(super) fn downgrade(mut self) -> Shared<Permit<S>, U> {
        let others = self.turn.split(ALL - 1);
        let reading = Shared {
            value: self.value,
            turn: self.turn,
        };
        drop(others);
        reading
    }
}

impl<K, U: ?Sized> Shared<K, U> {
    /// The turn goes on with a part of the value, or of something that the value leads to.
    pub(super) fn map<V: ?Sized>(self, part: impl FnOnce(&U) -> &V) -> Shared<K, V> {
        let value = NonNull::from(part(&self));
        let turn = self.turn;
        Shared { value, turn }
    }

    /// The same, if there is that part.
    pub(super) fn try_map<V: ?Sized>(
        self,
        part: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<Shared<K, V>, Self> {
        match part(&self).map(NonNull::from) {
            Some(value) => Ok(Shared {
                value,
                turn: self.turn,
            }),
            None => Err(self),
        }
    }
}

impl<K, U: ?Sized, const WHOLE: bool> Deref for Exclusive<K, U, WHOLE> {
    type Target = U;

    fn deref(&self) -> &U {
        // SAFETY: the turn keeps the lock alive, by a borrow or an `Rc`, and is there: it has all permits, so there is no other turn. The
        // pointer is to the value or was derived from a `&mut` of it that this struct had to itself. Nobody but this struct uses it.
        unsafe { self.value.as_ref() }
    }
}

impl<K, U: ?Sized, const WHOLE: bool> DerefMut for Exclusive<K, U, WHOLE> {
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: as in `deref`; and `self` is borrowed uniquely, so that there is one reference at a time.
        unsafe { self.value.as_mut() }
    }
}

impl<K, U: ?Sized> Deref for Shared<K, U> {
    type Target = U;

    fn deref(&self) -> &U {
        // SAFETY: the turn keeps the lock alive, by a borrow or an `Rc`, and has a permit: so nobody has all of them, and there are only
        // readers. The pointer is to the value or to what a reader's `&` leads to.
        unsafe { self.value.as_ref() }
    }
}

/// What all guards implement alike: they show what they guard.
macro_rules! guard_traits {
    (mut [$($parameters:tt)*] $guard:ty => $value:ty) => {
        guard_traits!([$($parameters)*] $guard => $value);

        impl<$($parameters)*> std::ops::DerefMut for $guard {
            fn deref_mut(&mut self) -> &mut $value {
                &mut self.value
            }
        }
    };
    ([$($parameters:tt)*] $guard:ty => $value:ty) => {
        impl<$($parameters)*> std::ops::Deref for $guard {
            type Target = $value;

            fn deref(&self) -> &$value {
                &self.value
            }
        }

        impl<$($parameters)*> std::fmt::Debug for $guard
        where
            $value: std::fmt::Debug,
        {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(formatter)
            }
        }

        impl<$($parameters)*> std::fmt::Display for $guard
        where
            $value: std::fmt::Display,
        {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(formatter)
            }
        }
    };
}

pub(super) use guard_traits;
