//! The task cell: a future, its outcome, and everything a waker or a join handle needs to reach it from any thread.
//!
//! One heap block holds it all. Who may touch which part:
//!
//! | part                   | who                                                        | when                                                     |
//! |------------------------|------------------------------------------------------------|----------------------------------------------------------|
//! | `stage` with a future  | the task's core; before it got there, the thread that sends it | until completion                                    |
//! | `stage` with an outcome| the join handle; the core, if the handle went first         | after completion ([`state`](super::state) decides)                   |
//! | `queued`, `slot`       | the task's core                                             | always; written last before the first poll, as for `slot` |
//! | `notification`, `aborted`  | anyone                                                      | always                                                   |
//! | `state`                | anyone who holds one                                        | always                                                   |
//!
//! References are held by: the core's task table from linking to completion (a task in the run queue is in the table, so the run
//! queue holds none), each message on its way to a core, each waker, and the join handle. When the last goes, there is neither
//! future nor outcome nor waker in the cell any more: so it may go on any thread, and freeing it frees nothing else. What may run deep is the drop
//! of what a cell holds, by whoever drops its handle: [`disposal`](super::disposal) bounds that.
//!
//! A [`BlockingTask`](super::BlockingTask) never gets to its core: the thread that has it does what would be the core's. Its `queued` and `slot` are never written, so
//! whoever wakes it may read them.
//!
//! A crate's cell (async-task) was not used: its every wake and poll is an atomic read-modify-write, because a task may be anywhere.
//! Here a task never leaves its core, so a wake on that core is two plain stores (see `benches`, `local`).
//!
//! This file has the cell with the future in it, and what the [`Vtable`] points to.

use super::Id;
use super::header::{Header, Polled, TaskRef, Vtable};
use super::join::JoinHandle;
use super::join_error::JoinError;
use super::state::Completed;
use super::waker;
use crate::core::spares::{Place, give_block, take_block};
use crate::core::{Core, CoreShared, context};
use reactor::contain_panic;
use std::alloc::Layout;
use std::any::type_name;
use std::cell::UnsafeCell;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

enum Stage<F: Future> {
    Pending(F),
    Done(Result<F::Output, JoinError>),
    Empty,
}

/// One heap block. `repr(C)`: the header is at its start, and pointers to the one are pointers to the other. The name (see [`named`](super::named))
/// comes last, so that header and stage are where they are without one.
#[repr(C)]
struct TaskCell<F: Future, N = ()> {
    header: Header,
    stage: UnsafeCell<Stage<F>>,
    name: N,
}

/// Makes a task for `core`, which has not seen it yet, and its join handle. If it `travels`, it has to be sent to the core at once.
///
/// # Safety
/// Whoever polls or drops the future on another thread than this one vouches that it may go there. Whatever the future and its
/// output borrow outlives the task's completion.
pub(crate) unsafe fn allocate<F: Future>(
    core: Arc<CoreShared>,
    travels: bool,
    future: F,
) -> (TaskRef, JoinHandle<F::Output>) {
    // SAFETY: passed on to the caller; the table is that of these types.
    unsafe { allocate_as(vtable::<F>(), core, travels, future, ()) }
}

/// The same with a name and a table.
///
/// # Safety
/// As for [`allocate`]. The table is for a `TaskCell<F, N>`.
#[inline]
pub(super) unsafe fn allocate_as<F: Future, N>(
    vtable: &'static Vtable,
    core: Arc<CoreShared>,
    travels: bool,
    future: F,
    name: N,
) -> (TaskRef, JoinHandle<F::Output>) {
    let place = if travels { Place::Abroad } else { Place::Home };
    let layout = Layout::new::<TaskCell<F, N>>();
    let memory = context::with(|current| take_block(current.map(Core::spares), place, layout));
    let cell = memory.cast::<TaskCell<F, N>>();
    // SAFETY: the block is fresh, and large and aligned enough for the cell.
    unsafe {
        cell.write(TaskCell {
            header: Header::new(vtable, core, place),
            stage: UnsafeCell::new(Stage::Pending(future)),
            name,
        });
    }
    let header = cell.cast::<Header>();
    // SAFETY: the cell is alive and has two references: one for each.
    unsafe {
        (
            TaskRef::from_raw(header),
            JoinHandle::new(TaskRef::from_raw(header)),
        )
    }
}

fn vtable<F: Future>() -> &'static Vtable {
    &Vtable {
        poll: poll::<F>,
        cancel: cancel::<F>,
        take_outcome: take_outcome::<F>,
        drop_outcome: drop_outcome::<F>,
        free: free::<F, ()>,
        future_name: type_name::<F>,
        name: |_| None,
    }
}

/// # Safety
/// `header` is the start of a live `TaskCell<F>`, named or not, and by the table above the caller has the stage for itself while it uses it.
unsafe fn stage<'a, F: Future>(header: NonNull<Header>) -> &'a mut Stage<F> {
    // SAFETY: passed on to the caller.
    unsafe { &mut *header.cast::<TaskCell<F>>().as_ref().stage.get() }
}

#[inline]
pub(super) unsafe fn poll<F: Future>(header: NonNull<Header>) -> Polled {
    // The waker borrows the reference of the table; clones of it count.
    // SAFETY: the vtable is made for these pointers, and the cell outlives this call.
    let waker = ManuallyDrop::new(unsafe { Waker::from_raw(waker::raw(header)) });
    let mut context = Context::from_waker(&waker);
    let mut output = None;
    let polled = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the core alone has the stage before completion, and it does not poll recursively.
        let stage = unsafe { stage::<F>(header) };
        let Stage::Pending(future) = stage else {
            unreachable!("a complete task is not polled")
        };
        // SAFETY: the future lives in its heap block until it is dropped in place.
        if let Poll::Ready(ready) = unsafe { Pin::new_unchecked(future) }.poll(&mut context) {
            output = Some(ready);
            *stage = Stage::Empty;
        }
    }));
    let outcome = match (polled, output) {
        (Ok(()), None) => return Polled::Pending,
        (Ok(()), Some(output)) => Ok(output),
        (Err(payload), output) => {
            // It panicked in its poll, or, with the output given, in its drop.
            contain_panic("dropping a task's output", || drop(output));
            // The first panic is the outcome; another, in the drop of what is left, was printed by the panic hook.
            // SAFETY: the core has the stage.
            let another = unsafe { drop_future::<F>(header) };
            contain_panic("dropping the panic of a task's drop", || drop(another));
            Err(JoinError::panicked(Id::of(header), payload))
        }
    };
    // If it woke itself it is in the run queue, which relies on the table's reference.
    // SAFETY: the caller has a reference.
    let may_release = !unsafe { header.as_ref() }.is_queued();
    // SAFETY: the stage is empty, and ours until now.
    unsafe { finish::<F>(header, outcome, may_release) }
}

#[inline]
pub(super) unsafe fn cancel<F: Future>(header: NonNull<Header>) {
    // SAFETY: the caller has the stage.
    let panicked = unsafe { drop_future::<F>(header) };
    let outcome = Err(panicked.unwrap_or(JoinError::cancelled(Id::of(header))));
    // SAFETY: the stage is empty, and ours until now.
    let _ = unsafe { finish::<F>(header, outcome, false) };
}

/// Empties the stage. A panic in the future's drop is returned.
unsafe fn drop_future<F: Future>(header: NonNull<Header>) -> Option<JoinError> {
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller has the stage.
        unsafe { *stage::<F>(header) = Stage::Empty };
    }));
    dropped
        .err()
        .map(|payload| JoinError::panicked(Id::of(header), payload))
}

/// Stores the outcome in the empty stage, and tells whoever waits for it. If `may_release`, the caller's reference may be given up
/// or sent away as well.
unsafe fn finish<F: Future>(
    header: NonNull<Header>,
    outcome: Result<F::Output, JoinError>,
    may_release: bool,
) -> Polled {
    // SAFETY: the caller has the stage, and it is empty: there is nothing to drop.
    unsafe { std::ptr::write(stage::<F>(header), Stage::Done(outcome)) };
    // SAFETY: the caller has a reference.
    let state = unsafe { &header.as_ref().state };
    match state.complete(may_release) {
        Completed::WantedAndReleased => return Polled::Released,
        Completed::Wanted => {}
        Completed::Awaited(Some(core)) if may_release => return Polled::Awaited(core),
        Completed::Awaited(_) => contain_panic("the waker of a join handle", || state.wake()),
        // SAFETY: the outcome was given to us.
        Completed::Unwanted => unsafe { drop_outcome::<F>(header) },
    }
    Polled::Complete
}

pub(super) unsafe fn take_outcome<F: Future>(header: NonNull<Header>, place: *mut ()) {
    // SAFETY: the state gave the outcome to the caller.
    let stage = unsafe { stage::<F>(header) };
    if let Stage::Done(outcome) = stage {
        // Not the whole stage, which is as large as the future was.
        // SAFETY: the outcome is moved out, and the stage overwritten without dropping it.
        let outcome = unsafe {
            let outcome = std::ptr::read(outcome);
            std::ptr::write(stage, Stage::Empty);
            outcome
        };
        // SAFETY: the caller says that `place` is one of these.
        unsafe { *place.cast::<Option<Result<F::Output, JoinError>>>() = Some(outcome) };
    }
}

pub(super) unsafe fn drop_outcome<F: Future>(header: NonNull<Header>) {
    // SAFETY: the state gave the outcome to the caller.
    contain_panic("dropping a task's output", || unsafe {
        *stage::<F>(header) = Stage::Empty;
    });
}

/// The name of a `TaskCell<F, N>`, which the caller has a reference to.
pub(super) unsafe fn name<'a, F: Future + 'a, N>(header: NonNull<Header>) -> &'a N {
    // SAFETY: passed on to the caller. A name is written when the cell is made, and then never again.
    unsafe { &(*header.cast::<TaskCell<F, N>>().as_ptr()).name }
}

pub(super) unsafe fn free<F: Future, N>(header: NonNull<Header>) {
    // The stage is empty by now (see above), and so is the waker's place (see `state`): no foreign code runs here, and no other cell is freed.
    // SAFETY: the caller had the last reference, and the cell is not used again.
    let (core, place) = unsafe {
        (&raw mut (*header.cast::<TaskCell<F, N>>().as_ptr()).name).drop_in_place();
        header.read()
    }
    .into_parts();
    context::with(|current| {
        // SAFETY: the block was taken for this cell, which has been moved out.
        unsafe {
            give_block(
                current.map(Core::spares),
                place,
                Layout::new::<TaskCell<F, N>>(),
                header.cast(),
            );
        }
        if let Some(current) = current {
            current.give_reference(core);
        }
    });
}

/// A closure that makes a future, as a future: it calls the closure when it is first polled.
///
/// Until then it holds the closure alone, so it may go wherever the closure may.
pub(crate) enum Closure<C, F> {
    New(Option<C>),
    Made(F),
}

impl<C: FnOnce() -> F, F: Future> Closure<C, F> {
    pub(crate) fn new(closure: C) -> Self {
        Self::New(Some(closure))
    }
}

impl<C: FnOnce() -> F, F: Future> Future for Closure<C, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the closure is moved out before anything is pinned, and the future never moves once it is in place.
        let this = unsafe { self.get_unchecked_mut() };
        if let Self::New(closure) = this {
            let closure = closure
                .take()
                .expect("a task whose closure panicked is not polled again");
            let future = closure();
            *this = Self::Made(future);
        }
        let Self::Made(future) = this else {
            unreachable!("just made")
        };
        // SAFETY: it stays in its place until it is dropped there.
        unsafe { Pin::new_unchecked(future) }.poll(context)
    }
}
