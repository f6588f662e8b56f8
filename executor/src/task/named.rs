//! Tasks that were given a name: a cell with the name behind everything else, and a table of its own, by which polls and drops say whose they are.
//!
//! The other tasks know nothing of it, and pay nothing.

use super::cell::{self, allocate_as};
use super::header::{Header, Polled, TaskRef, Vtable};
use super::join::JoinHandle;
use crate::core::{CoreShared, context};
use std::any::type_name;
use std::future::Future;
use std::ptr::NonNull;
use std::sync::Arc;

/// As [`allocate`](super::allocate), with a name.
///
/// # Safety
/// As for that.
pub(crate) unsafe fn allocate_named<F: Future>(
    core: Arc<CoreShared>,
    travels: bool,
    future: F,
    name: Arc<str>,
) -> (TaskRef, JoinHandle<F::Output>) {
    // SAFETY: passed on to the caller; the table is that of these types.
    unsafe { allocate_as(vtable::<F>(), core, travels, future, name) }
}

fn vtable<F: Future>() -> &'static Vtable {
    &Vtable {
        poll: poll::<F>,
        cancel: cancel::<F>,
        take_outcome: cell::take_outcome::<F>,
        drop_outcome: cell::drop_outcome::<F>,
        free: cell::free::<F, Arc<str>>,
        future_name: type_name::<F>,
        name: name::<F>,
    }
}

unsafe fn name<F: Future>(header: NonNull<Header>) -> Option<Arc<str>> {
    // SAFETY: the vtable is made for these cells, and the caller has a reference.
    Some(Arc::clone(unsafe { cell::name::<F, Arc<str>>(header) }))
}

unsafe fn poll<F: Future>(header: NonNull<Header>) -> Polled {
    // SAFETY: as for `name`, and for the rest passed on to the caller.
    unsafe {
        let _shown = Shown::new::<F>(header);
        cell::poll::<F>(header)
    }
}

unsafe fn cancel<F: Future>(header: NonNull<Header>) {
    // SAFETY: as for `poll`.
    unsafe {
        let _shown = Shown::new::<F>(header);
        cell::cancel::<F>(header);
    }
}

/// While it lives, the core of the task says whom it polls or drops; then it says again what it
/// said before. It may outlive the cell.
struct Shown {
    core: Arc<CoreShared>,
    before: Option<Arc<str>>,
}

impl Shown {
    /// # Safety
    /// The caller has a reference to the cell at `header`, a `TaskCell<F, Arc<str>>`.
    unsafe fn new<F: Future>(header: NonNull<Header>) -> Option<Self> {
        // SAFETY: passed on to the caller.
        let (core, name) = unsafe { (header.as_ref().core(), cell::name::<F, Arc<str>>(header)) };
        // A task that never got to its core is dropped elsewhere: that is not what its core does.
        let is_here = context::with(|current| current.is_some_and(|current| current.is(core)));
        is_here.then(|| Self {
            before: core.show_task(Some(Arc::clone(name))),
            core: Arc::clone(core),
        })
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.core.show_task(self.before.take());
    }
}
