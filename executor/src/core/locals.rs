//! The values that live on this core: those of [`CoreLocal`](crate::CoreLocal)s and the shards of [`Sharded`](crate::Sharded)s.
//!
//! A table, indexed by a [`Key`]'s number. Values are made and dropped on the core's thread; they are foreign code, as is what uses them, so
//! nothing is borrowed meanwhile. At shutdown those that are left are dropped in the reverse order of their making, since one may use those
//! that were there before it.

use crate::local::Key;
use reactor::contain_panic;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// One core's values, by their keys.
#[derive(Default)]
pub(crate) struct Locals {
    slots: RefCell<Vec<Slot>>,
    /// How many values were made.
    made: Cell<u64>,
    /// From the end of the core on, no value is made.
    is_closing: Cell<bool>,
}

#[derive(Default)]
enum Slot {
    #[default]
    Empty,
    /// Its constructor runs, or is about to.
    Making,
    Made {
        /// Numbers are used again; ids, in practice, are not.
        id: u32,
        value: Rc<dyn Any>,
        order: u64,
    },
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoValue {
    /// None was made, and from now on none is.
    Closing,
    /// It is being made further up the stack.
    Making,
}

impl Locals {
    /// The value of this key, if there is one.
    #[inline]
    pub(crate) fn get<T: 'static>(&self, key: Key) -> Option<Rc<T>> {
        let value = match self.slots.borrow().get(key.number()) {
            Some(Slot::Made { id, value, .. }) if *id == key.id() => Rc::clone(value),
            _ => return None,
        };
        Some(expect_type(value))
    }

    /// The value of this key; if there is none, it is made.
    #[inline]
    pub(crate) fn get_or_make<T: 'static>(
        &self,
        key: Key,
        make: impl FnOnce() -> T,
    ) -> Result<Rc<T>, NoValue> {
        match self.get(key) {
            Some(value) => Ok(value),
            None => self.make(key, make),
        }
    }

    /// Makes the value of a key that has none. If `make` panics it still has none.
    #[cold]
    pub(crate) fn make<T: 'static>(
        &self,
        key: Key,
        make: impl FnOnce() -> T,
    ) -> Result<Rc<T>, NoValue> {
        if self.is_closing.get() {
            return Err(NoValue::Closing);
        }
        {
            let mut slots = self.slots.borrow_mut();
            if slots.len() <= key.number() {
                slots.resize_with(key.number() + 1, Slot::default);
            }
            match &mut slots[key.number()] {
                slot @ Slot::Empty => *slot = Slot::Making,
                Slot::Making => return Err(NoValue::Making),
                Slot::Made { .. } => {
                    unreachable!("a number is used again when its values are gone")
                }
            }
        }
        let reserved = Reserved { locals: self, key };
        let value = Rc::new(make());
        std::mem::forget(reserved);
        let order = self.made.get();
        self.made.set(order + 1);
        self.slots.borrow_mut()[key.number()] = Slot::Made {
            id: key.id(),
            value: Rc::clone(&value) as Rc<dyn Any>,
            order,
        };
        Ok(value)
    }

    /// Takes the value of this key out, if there is one.
    pub(crate) fn take<T: 'static>(&self, key: Key) -> Option<Rc<T>> {
        self.take_any(key).map(expect_type)
    }

    /// The same, to drop it.
    pub(crate) fn take_any(&self, key: Key) -> Option<Rc<dyn Any>> {
        let mut slots = self.slots.borrow_mut();
        let slot = slots.get_mut(key.number())?;
        match slot {
            Slot::Made { id, value, .. } if *id == key.id() => {
                let value = Rc::clone(value);
                *slot = Slot::Empty;
                Some(value)
            }
            _ => None,
        }
    }

    /// The core's end: drops every value, the youngest first. Those that are left can be used by the destructors of others; none is made.
    pub(super) fn close(&self) {
        self.is_closing.set(true);
        let mut order: Vec<(u64, usize)> = (self.slots.borrow().iter().enumerate())
            .filter_map(|(number, slot)| match slot {
                Slot::Made { order, .. } => Some((*order, number)),
                Slot::Empty | Slot::Making => None,
            })
            .collect();
        order.sort_unstable();
        for (_, number) in order.into_iter().rev() {
            let slot = std::mem::take(&mut self.slots.borrow_mut()[number]);
            contain_panic("dropping a value of a core", || drop(slot));
        }
    }
}

fn expect_type<T: 'static>(value: Rc<dyn Any>) -> Rc<T> {
    value
        .downcast()
        .unwrap_or_else(|_| unreachable!("a key is for values of one type"))
}

/// A slot whose value is being made; emptied again if that panics.
struct Reserved<'a> {
    locals: &'a Locals,
    key: Key,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.locals.slots.borrow_mut()[self.key.number()] = Slot::Empty;
    }
}
