//! Drops what a task's cell holds when another drop asks for it: the outcome that a join handle did not take, the future of a task that will
//! not run.
//!
//! What is dropped may hold such handles in turn, or spawn where nothing runs any more. If each of these drops ran inside of the one before, a
//! long chain would overflow the stack. So on each thread at most [`DEPTH_MAX`] run inside of each other, in their natural order. What comes
//! deeper waits until the outermost has ended, which then drops it: before it returns, on the same thread.

use super::header::{Header, TaskRef};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ptr::{self, NonNull};

/// Deep enough for what people nest by hand, and a small part of a stack.
const DEPTH_MAX: usize = 16;

/// Drops a part of the cell at this address, and lets no panic out.
type DropPart = unsafe fn(NonNull<Header>);

thread_local! {
    /// That of the outermost call on this thread, while there is one.
    static CHAIN: Cell<*const Chain> = const { Cell::new(ptr::null()) };
}

#[derive(Default)]
struct Chain {
    /// How many calls run inside of the outermost one.
    depth: Cell<usize>,
    waiting: RefCell<VecDeque<(TaskRef, DropPart)>>,
}

/// Puts the thread's chain aside: while this lives, drops make a chain of their own, which has ended when the outermost of them returns. For who enters a
/// core from inside of a drop, so that what the core's tasks drop is dropped there.
pub(crate) struct Aside(*const Chain);

impl Aside {
    pub(crate) fn new() -> Self {
        Self(CHAIN.replace(ptr::null()))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        CHAIN.set(self.0);
    }
}

/// Calls `drop_part` with the task's cell: now, or, from deep inside of another such call, before the outermost of them returns.
///
/// # Safety
/// `drop_part` may be called once, on this thread, for as long as `task`, or a clone of it, is there.
pub(super) unsafe fn dispose(task: &TaskRef, drop_part: DropPart) {
    // SAFETY: set below only, and unset before the chain goes.
    let Some(chain) = (unsafe { CHAIN.get().as_ref() }) else {
        // SAFETY: passed on to the caller.
        return unsafe { begin(task, drop_part) };
    };
    let depth = chain.depth.get();
    if depth == DEPTH_MAX {
        let mut waiting = chain.waiting.borrow_mut();
        return waiting.push_back((task.clone(), drop_part));
    }
    chain.depth.set(depth + 1);
    // SAFETY: passed on to the caller.
    unsafe { drop_part(task.as_raw()) };
    chain.depth.set(depth);
}

/// # Safety
/// As for [`dispose`]; there is no chain on this thread.
unsafe fn begin(task: &TaskRef, drop_part: DropPart) {
    /// Unsets the chain before it goes, whatever happens.
    struct Ended;

    impl Drop for Ended {
        fn drop(&mut self) {
            CHAIN.set(ptr::null());
        }
    }

    let chain = Chain::default();
    let _ended = Ended;
    CHAIN.set(&raw const chain);
    // SAFETY: passed on to the caller.
    unsafe { drop_part(task.as_raw()) };
    let next = || chain.waiting.borrow_mut().pop_front();
    while let Some((task, drop_part)) = next() {
        // SAFETY: by the word of the caller who left it here.
        unsafe { drop_part(task.as_raw()) };
    }
}
