//! Which core, if any, the current thread is.
//!
//! Set while a core's loop or its shutdown runs, by [`enter`]; everything that works "on the current core" starts here.

use super::Core;
use super::prefetch::prefetch_for_write;
use crate::task::TaskRef;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

thread_local! {
    static CURRENT: Cell<*const Core> = const { Cell::new(ptr::null()) };
}

/// While it lives, the thread is the core it was made with. Restores what was before.
#[must_use]
pub(crate) struct Entered<'a> {
    before: *const Core,
    core: PhantomData<&'a Core>,
}

/// Makes the current thread `core`'s.
pub(crate) fn enter(core: &Core) -> Entered<'_> {
    Entered {
        before: CURRENT.replace(core),
        core: PhantomData,
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

/// Calls `call` with the core this thread is, if it is one. Also `None` while the thread ends and its locals are gone.
#[inline]
pub(crate) fn with<T>(call: impl FnOnce(Option<&Core>) -> T) -> T {
    let current = CURRENT.try_with(Cell::get).unwrap_or(ptr::null());
    // SAFETY: set by `enter` only, and unset before the borrow it was made with ends.
    call(unsafe { current.as_ref() })
}

/// Whether this thread is a core. Not in a forked child: there nothing is left of the core that called fork.
pub(crate) fn is_core() -> bool {
    with(|core| core.is_some_and(Core::is_here))
}

/// Calls `call` with the current core.
///
/// # Panics
/// Outside of a runtime, and in a forked child, saying that `what` needs one.
#[inline]
#[track_caller]
pub(crate) fn expect<T>(what: &str, call: impl FnOnce(&Core) -> T) -> T {
    with(|core| match core {
        Some(core) => {
            core.expect_here(what);
            call(core)
        }
        None => panic!(
            "{what} was called outside of a runtime: it works on a core only, inside of #[executor::main], \
             Runtime::block_on or a spawned task"
        ),
    })
}

/// Makes a task run on its core, from whatever thread this is.
#[inline]
pub(crate) fn schedule(task: &TaskRef) {
    // Whichever way it goes the header is written; on another core's task it is in that core's cache.
    prefetch_for_write(task.as_raw());
    with(|current| {
        let home = task.header().core();
        match current {
            Some(core) if core.is(home) => core.enqueue(task),
            _ => {
                if !task.header().is_complete() && task.header().notify() {
                    send(current, task.clone());
                }
            }
        }
    });
}

/// Sends a message to a task's core: through the pair ring if this thread is a core of the same runtime, else through the foreign
/// queue.
pub(crate) fn send(current: Option<&Core>, task: TaskRef) {
    match current {
        Some(core) if core.is_peer_of(task.header().core()) => {
            core.send(task.header().core().index(), task);
        }
        _ => {
            let home = Arc::clone(task.header().core());
            if let Some(wake) = home.inject(task) {
                home.counters().foreign(wake);
            }
        }
    }
}
