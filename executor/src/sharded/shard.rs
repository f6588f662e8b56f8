//! A shard, on its core: how it is made, found, and ended.

use super::Inner;
use crate::core::context;
use crate::local::{Key, OwnedKey};
use crate::sync::{Event, Gate};
use reactor::contain_panic;
use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::{Arc, Weak};

/// What is in a core's table.
pub(super) struct Shard<T> {
    pub(super) value: Rc<T>,
    /// Closures whose futures are under way.
    pub(super) gate: Rc<Gate>,
    /// Whether somebody stops it, and may go on when it is closed.
    is_stopping: Cell<bool>,
    gone: Rc<Event>,
    /// No other value gets this number while one of these is there.
    _key: Arc<OwnedKey>,
}

/// This core's shard, if it has one.
#[inline]
#[track_caller]
pub(super) fn find<T: 'static>(key: Key) -> Option<Rc<Shard<T>>> {
    context::expect("a Sharded", |core| core.locals().get(key))
}

/// Takes this core's shard out of the table; what is dropped, is dropped by the caller.
fn take<T: 'static>(key: Key) -> Option<Rc<T>> {
    context::with(|core| core?.locals().take(key))
}

/// Makes this core's shard, unless nobody is left who wants it.
pub(super) fn place<T: 'static>(make: impl FnOnce() -> T, key: Arc<OwnedKey>, owner: Weak<Inner>) {
    let number = key.get();
    context::expect("Sharded::new", |core| {
        let shard = || Shard {
            value: Rc::new(make()),
            gate: Rc::new(Gate::new()),
            is_stopping: Cell::new(false),
            gone: Rc::new(Event::new()),
            _key: key,
        };
        let made = core.locals().make(number, shard);
        made.expect("the key is new, and a core that runs tasks is not closing");
    });
    if owner.strong_count() == 0 {
        // The word to drop it may have been here already; if not, it finds nothing.
        drop(take::<Shard<T>>(number));
    }
}

/// Lets the calls that are under way end, then runs `end`, then drops the shard; if somebody does so already, waits for that.
pub(super) async fn stop_here<T, C, F>(key: Key, end: C)
where
    T: 'static,
    C: FnOnce(Rc<T>) -> F,
    F: Future<Output = ()>,
{
    /// Takes the shard out, also if its end panics or is cancelled.
    struct Removal<T: 'static>(Key, PhantomData<T>);

    impl<T: 'static> Drop for Removal<T> {
        fn drop(&mut self) {
            contain_panic("dropping a shard", || drop(take::<Shard<T>>(self.0)));
        }
    }

    let Some(shard) = find::<T>(key) else {
        return;
    };
    if shard.is_stopping.replace(true) {
        let gone = Rc::clone(&shard.gone);
        drop(shard);
        return gone.wait().await;
    }
    let _removal = Removal::<T>(key, PhantomData);
    let (value, gate) = (Rc::clone(&shard.value), Rc::clone(&shard.gate));
    drop(shard);
    gate.close().await;
    end(value).await;
}

impl<T> Drop for Shard<T> {
    fn drop(&mut self) {
        // The value follows at once, before any task can be woken.
        self.gone.set();
    }
}
