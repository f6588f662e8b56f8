//! Names for values of which every core may have one, small enough to index a table.

use slab::Slab;
use std::sync::{Mutex, PoisonError};

/// Numbers are few and used again; ids are not for the next four billion keys, so that nobody who comes late with an old key gets at another's
/// values. In six bytes: a call to a [`Sharded`](crate::Sharded) that carries little besides is then one cache line, as it would be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    number: u16,
    /// Halves of 32 bits, for their alignment.
    id: [u16; 2],
}

/// The keys of this process. Locked to make a key and to give it back, never to use one.
struct Keys {
    used: Slab<()>,
    made: u32,
}

static KEYS: Mutex<Keys> = Mutex::new(Keys {
    used: Slab::new(),
    made: 0,
});

impl Keys {
    /// `None` if all numbers are in use.
    fn next(&mut self) -> Option<Key> {
        let number = u16::try_from(self.used.vacant_key()).ok()?;
        self.used.insert(());
        self.made = self.made.wrapping_add(1);
        Some(Key {
            number,
            id: [self.made as u16, (self.made >> 16) as u16],
        })
    }
}

impl Key {
    /// A key of its own, for as long as the process runs.
    ///
    /// # Panics
    /// If there are 65,536 of them.
    pub(crate) fn new() -> Self {
        let key = KEYS.lock().unwrap_or_else(PoisonError::into_inner).next();
        // Only now: a panic hook may use such values as well.
        key.expect("65,536 CoreLocals and Shardeds at once are the limit")
    }

    #[inline]
    pub(crate) fn number(self) -> usize {
        self.number.into()
    }

    #[inline]
    pub(crate) fn id(self) -> u32 {
        u32::from(self.id[0]) | u32::from(self.id[1]) << 16
    }
}

/// A key whose number is used again once this is dropped. Every value that is stored with it has to keep it alive.
#[derive(Debug)]
pub(crate) struct OwnedKey(Key);

impl OwnedKey {
    pub(crate) fn new() -> Self {
        Self(Key::new())
    }

    pub(crate) fn get(&self) -> Key {
        self.0
    }
}

impl Drop for OwnedKey {
    fn drop(&mut self) {
        let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
        keys.used.remove(self.0.number());
    }
}
