//! Which core the current thread is, if it is one, and which runtime it works for.
//!
//! [`enter`] sets the core while a core's loop or its shutdown runs; everything that works "on the current core" starts here. [`serve`] sets
//! the runtime while a thread of its blocking pool runs a closure. That thread is no core: it can reach cores, and hold nothing of theirs.

use super::prefetch::prefetch_for_write;
use super::{Core, RuntimeShared};
use crate::task::{TaskRef, disposal};
use reactor::refuse_in_child;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

thread_local! {
    static CURRENT: Cell<*const Core> = const { Cell::new(ptr::null()) };
    static SERVED: Cell<*const Arc<RuntimeShared>> = const { Cell::new(ptr::null()) };
}

/// While it lives, the thread is the core it was made with. Restores what was before.
#[must_use]
pub(crate) struct Entered<'a> {
    before: *const Core,
    core: PhantomData<&'a Core>,
    _drops: disposal::Aside,
}

/// Makes the current thread `core`'s.
pub(crate) fn enter(core: &Core) -> Entered<'_> {
    Entered {
        before: CURRENT.replace(core),
        core: PhantomData,
        _drops: disposal::Aside::new(),
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

/// While it lives, the thread runs a blocking closure of the runtime it was made with. Restores what was before.
#[must_use]
pub(crate) struct Serving<'a> {
    before: *const Arc<RuntimeShared>,
    runtime: PhantomData<&'a Arc<RuntimeShared>>,
}

/// Makes the current thread one that works for `runtime`, and is no core of it.
pub(crate) fn serve(runtime: &Arc<RuntimeShared>) -> Serving<'_> {
    Serving {
        before: SERVED.replace(runtime),
        runtime: PhantomData,
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        SERVED.set(self.before);
    }
}

/// Calls `call` with the runtime whose blocking closure this thread runs, if it runs one. Also
/// `None` while the thread ends and its locals are gone.
fn with_served<T>(call: impl FnOnce(Option<&Arc<RuntimeShared>>) -> T) -> T {
    let served = SERVED.try_with(Cell::get).unwrap_or(ptr::null());
    // SAFETY: set by `serve` only, and unset before the borrow it was made with ends.
    call(unsafe { served.as_ref() })
}

/// Whether this thread is a core. Not in a forked child: there nothing is left of the core that called fork.
pub(crate) fn is_core() -> bool {
    with(|core| core.is_some_and(Core::is_here))
}

/// Calls `call` with the current core.
///
/// # Panics
/// If the thread is no core, and in a forked child. The message names `what` and the caller's line; a panic inside of `call` does not.
#[inline]
#[track_caller]
pub(crate) fn expect<T>(what: &str, call: impl FnOnce(&Core) -> T) -> T {
    let called = with(|core| match core {
        Some(core) if core.is_here() => Ok(call(core)),
        core => Err(core.is_some()),
    });
    match called {
        Ok(result) => result,
        Err(true) => refuse_in_child(what),
        Err(false) => no_core(what),
    }
}

/// Calls `call` with the runtime that the thread works for: as one of its cores, which `call` gets as well, or as a thread of its blocking
/// pool.
///
/// # Panics
/// If it works for none, and in a forked child. The message names `what` and the caller's line; a panic inside of `call` does not.
#[inline]
#[track_caller]
pub(crate) fn expect_runtime<T>(
    what: &str,
    call: impl FnOnce(&Arc<RuntimeShared>, Option<&Core>) -> T,
) -> T {
    let found = with(|core| match core {
        Some(core) if core.is_here() => Ok(call(core.runtime(), Some(core))),
        core => Err((call, core.is_some())),
    });
    let call = match found {
        Ok(result) => return result,
        Err((_, true)) => refuse_in_child(what),
        Err((call, false)) => call,
    };
    let called = with_served(|served| match served {
        Some(runtime) if runtime.origin().is_here() => Ok(call(runtime, None)),
        served => Err(served.is_some()),
    });
    match called {
        Ok(result) => result,
        Err(true) => refuse_in_child(what),
        Err(false) => no_core(what),
    }
}

/// Calls `call` with the runtime that the thread works for, if there is one: in any way that [`expect_runtime`] knows.
pub(crate) fn with_runtime<T>(call: impl FnOnce(Option<&Arc<RuntimeShared>>) -> T) -> T {
    with(|core| with_served(|served| call(core.map(Core::runtime).or(served))))
}

/// The runtime that the thread works for, if any, whatever process that belongs to.
pub(crate) fn runtime() -> Option<Arc<RuntimeShared>> {
    with_runtime(|runtime| runtime.map(Arc::clone))
}

#[cold]
#[track_caller]
fn no_core(what: &str) -> ! {
    if with_served(|served| served.is_some()) {
        panic!(
            "{what} was used inside of spawn_blocking: it works on a core only, and this thread is none. Call it on \
             one: executor::spawn_on(core, async move || ...)"
        );
    }
    panic!(
        "{what} was used outside of a runtime: it works on a core only, inside of #[executor::main], Runtime::block_on or a spawned \
         task. From another thread, call it on a core through a Handle (Runtime::handle, Handle::current): \
         handle.spawn_on(core, async move || ...)"
    );
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
