//! Statics of which each core has its own.

use super::Key;
use crate::core::context;
use crate::core::locals::NoValue;
use std::fmt;
use std::sync::OnceLock;

/// Declares statics of which each core of each runtime has its own: [`CoreLocal`]s.
///
/// # Examples
/// ```
/// use std::cell::Cell;
///
/// executor::core_local! {
///     /// How many requests this core has served.
///     static SERVED: Cell<u64> = Cell::new(0);
/// }
///
/// # #[executor::main]
/// # async fn main() {
/// SERVED.set(SERVED.get() + 1);
/// let last = executor::cores() - 1;
/// let there = executor::spawn_on(last, async || { SERVED.get() });
/// assert_eq!(there.await.unwrap(), u64::from(last == 0));
/// # }
/// ```
#[macro_export]
macro_rules! core_local {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $value:expr);* $(;)?) => {
        $(
            $(#[$attribute])*
            $visibility static $name: $crate::CoreLocal<$type> = $crate::CoreLocal::new(|| $value);
        )*
    };
}

/// A static of which each core has its own, made there when it is first used. Declared by [`core_local!`](crate::core_local).
///
/// It belongs to the core of one runtime, and not to its thread: a second runtime on the same threads has its own values. It need be neither
/// `Send` nor `Sync`. **Dropped**, on its core, are the values when the runtime shuts down, after the core's tasks, the youngest first; a
/// destructor may use those that are older, sockets included, but spawn nothing.
///
/// A `Cell` is read and changed by [`get`](Self::get) and [`set`](Self::set), a `RefCell` by
/// [`with_borrow`](Self::with_borrow) and [`with_borrow_mut`](Self::with_borrow_mut).
pub struct CoreLocal<T: 'static> {
    key: OnceLock<Key>,
    make: fn() -> T,
}

impl<T: 'static> CoreLocal<T> {
    /// What [`core_local!`](crate::core_local) expands to. `make` makes a core's value.
    #[doc(hidden)]
    pub const fn new(make: fn() -> T) -> Self {
        Self {
            key: OnceLock::new(),
            make,
        }
    }

    /// Calls `call` with this core's value. It may use this and other values as well.
    ///
    /// # Panics
    /// Outside of a runtime; while this value is being made, by what it needs; and during the core's shutdown, if it was not made before or is
    /// gone already. If making it panics, so does this, and the next call tries again.
    #[track_caller]
    pub fn with<R>(&'static self, call: impl FnOnce(&T) -> R) -> R {
        let value = context::expect("CoreLocal::with", |core| {
            let key = *self.key.get_or_init(Key::new);
            core.locals().get_or_make(key, self.make)
        });
        match value {
            Ok(value) => call(&value),
            Err(NoValue::Making) => panic!("a CoreLocal was used by what makes its value"),
            Err(NoValue::Closing) => {
                panic!("a CoreLocal was used when its core was shutting down, and it was not there")
            }
        }
    }
}

impl<T: 'static> fmt::Debug for CoreLocal<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CoreLocal").finish_non_exhaustive()
    }
}
