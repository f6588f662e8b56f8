//! The part of a task cell that does not depend on the future's type, and the counted reference to it.

use super::Id;
use super::disposal::dispose;
use super::notification::Notification;
use super::state::State;
use crate::core::spares::Place;
use crate::core::{CoreShared, context};
use std::cell::Cell;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

/// `Header::slot` of a task that its core has not seen yet.
const UNLINKED: u32 = u32::MAX;

/// What depends on the future's type. All take the cell's address.
pub(crate) struct Vtable {
    /// Polls the future.
    pub(super) poll: unsafe fn(NonNull<Header>) -> Polled,
    /// Drops the future and completes the task as cancelled.
    pub(super) cancel: unsafe fn(NonNull<Header>),
    /// Moves the outcome to the given place, an `Option<Result<T, JoinError>>`.
    pub(super) take_outcome: unsafe fn(NonNull<Header>, *mut ()),
    /// Drops the outcome.
    pub(super) drop_outcome: unsafe fn(NonNull<Header>),
    /// Frees the cell.
    pub(super) free: unsafe fn(NonNull<Header>),
    /// Names the future's type.
    pub(super) future_name: fn() -> &'static str,
    /// The name that the task was given, if any.
    pub(super) name: unsafe fn(NonNull<Header>) -> Option<Arc<str>>,
}

impl Vtable {
    /// The future's type, for people.
    pub(crate) fn future_name(&self) -> &'static str {
        (self.future_name)()
    }
}

/// How a poll went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Polled {
    /// The task waits, or is queued again.
    Pending,
    /// The task is complete.
    Complete,
    /// The task is complete, and the core's reference is gone with it: the cell must not be touched any more.
    Released,
    /// The task is complete, and a task of the core of this number waits for it: the core's reference is to be sent there.
    Awaited(usize),
}

/// The first field of every task cell.
pub(crate) struct Header {
    pub(super) vtable: &'static Vtable,
    pub(super) state: State,
    notification: Notification,
    core: Arc<CoreShared>,
    /// What its memory is for.
    place: Place,
    /// Whether the task is in its core's run queue. The core's alone.
    queued: Cell<bool>,
    /// The task's place in its core's table. Written by the core before the first poll, then never again.
    slot: Cell<u32>,
}

impl Header {
    /// For a cell with two references: the core's (or, if it is made for another, that of the message that brings the task there) and the join handle's.
    pub(super) fn new(vtable: &'static Vtable, core: Arc<CoreShared>, place: Place) -> Self {
        Self {
            vtable,
            state: State::new(),
            notification: Notification::new(place == Place::Abroad),
            core,
            place,
            queued: Cell::new(false),
            slot: Cell::new(UNLINKED),
        }
    }

    pub(crate) fn core(&self) -> &Arc<CoreShared> {
        &self.core
    }

    #[inline]
    pub(crate) fn vtable(&self) -> &'static Vtable {
        self.vtable
    }

    /// What is left in a cell that is being freed: the reference to its core, and what its memory is for.
    pub(super) fn into_parts(self) -> (Arc<CoreShared>, Place) {
        (self.core, self.place)
    }

    #[inline]
    pub(crate) fn is_complete(&self) -> bool {
        self.state.is_complete()
    }

    /// Any thread: the task shall be cancelled when its core next looks at it. To be followed by a wake.
    pub(super) fn abort(&self) {
        self.notification.abort();
    }

    /// Any thread but the task's core: whether it is the one that has to send the task to its core.
    pub(crate) fn notify(&self) -> bool {
        self.notification.begin()
    }

    /// Core: the message has arrived; the next wake has to send another.
    pub(crate) fn unnotify(&self) {
        self.notification.end();
    }

    /// Core: marks the task as queued; false if it was, if there is nothing left to run, or if the task is not in the table yet: then the
    /// message that brings it is on its way, and is all the wake it needs.
    #[inline]
    pub(crate) fn enqueue(&self) -> bool {
        !self.is_complete() && self.slot.get() != UNLINKED && !self.queued.replace(true)
    }

    /// Core: the task has left the run queue.
    #[inline]
    pub(crate) fn dequeue(&self) {
        self.queued.set(false);
    }

    /// Core: whether the run queue has it.
    #[inline]
    pub(crate) fn is_queued(&self) -> bool {
        self.queued.get()
    }

    /// Core: the task's place in the table. Whoever gets a message with the task may ask, too, whether it has one.
    #[inline]
    pub(crate) fn slot(&self) -> Option<usize> {
        let slot = self.slot.get();
        (slot != UNLINKED).then_some(slot as usize)
    }

    /// Core: the place of a task that is in the table. (Of another it is a place that no table has.)
    #[inline]
    pub(crate) fn linked_slot(&self) -> usize {
        debug_assert_ne!(self.slot.get(), UNLINKED, "the task is linked");
        self.slot.get() as usize
    }

    /// Core, once, before the first poll.
    pub(crate) fn link(&self, slot: usize) {
        let slot = u32::try_from(slot)
            .ok()
            .filter(|slot| *slot != UNLINKED)
            .expect("fewer than 2^32 - 1 tasks on one core");
        self.slot.set(slot);
    }
}

/// A counted reference to a task.
pub(crate) struct TaskRef(NonNull<Header>);

// SAFETY: what a reference can reach from a thread that is not the task's core is atomic, or ordered by the message that carries
// it (see the table in `cell`). The methods for the core alone say so.
unsafe impl Send for TaskRef {}

impl TaskRef {
    /// # Safety
    /// `header` is the start of a live cell, and the caller gives one reference away.
    pub(crate) unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self(header)
    }

    /// The address, with the reference; to be made a `TaskRef` again.
    pub(crate) fn into_raw(self) -> NonNull<Header> {
        let header = self.0;
        std::mem::forget(self);
        header
    }

    /// The address, without a reference.
    pub(crate) fn as_raw(&self) -> NonNull<Header> {
        self.0
    }

    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: we hold a reference, so the cell lives.
        unsafe { self.0.as_ref() }
    }

    /// The name that the task was given, if any.
    pub(super) fn name(&self) -> Option<Arc<str>> {
        // SAFETY: we hold a reference, so the cell lives.
        unsafe { (self.header().vtable.name)(self.0) }
    }

    /// The task, as a handle to it shows it.
    pub(super) fn describe(&self, formatter: &mut fmt::Formatter<'_>, handle: &str) -> fmt::Result {
        let mut shown = formatter.debug_struct(handle);
        shown.field("id", &Id::of(self.0));
        if let Some(name) = self.name() {
            shown.field("name", &name);
        }
        shown
            .field("core", &self.header().core().index())
            .field("is_finished", &self.header().is_complete())
            .finish_non_exhaustive()
    }

    /// Polls the task, or cancels it if that was asked for.
    ///
    /// # Safety
    /// Only on the task's core, not from inside its own poll, and not after it completed; or on any thread, if it may be polled there and this is the
    /// message that carries it, which then goes nowhere else. The reference must be the table's, or that message's; after
    /// [`Polled::Released`] it must be forgotten, after [`Polled::Awaited`] be sent to that core, once.
    #[inline]
    pub(crate) unsafe fn run(&self) -> Polled {
        let header = self.header();
        if header.notification.is_aborted() {
            // SAFETY: passed on to the caller.
            unsafe { self.cancel() };
            return Polled::Complete;
        }
        // SAFETY: passed on to the caller.
        unsafe { (header.vtable.poll)(self.0) }
    }

    /// Drops the future and completes the task as cancelled.
    ///
    /// # Safety
    /// As for [`run`](Self::run).
    pub(crate) unsafe fn cancel(&self) {
        // SAFETY: passed on to the caller.
        unsafe { (self.header().vtable.cancel)(self.0) };
    }

    /// The same for a task that was never linked, on any thread. From deep inside of other drops it comes a little later: see
    /// [`disposal`](super::disposal).
    ///
    /// # Safety
    /// This is the message that carries the task, which then goes nowhere else; the future may be dropped on this thread.
    pub(crate) unsafe fn cancel_unrun(&self) {
        // SAFETY: nobody else has the stage, nor will, by the word of the caller.
        unsafe { dispose(self, cancel_inside) };
    }

    /// Any thread: the task is cancelled when its core next looks at it, which is soon.
    pub(super) fn abort(&self) {
        self.header().abort();
        self.wake();
    }

    /// Any thread: makes the task run.
    #[inline]
    pub(crate) fn wake(&self) {
        context::schedule(self);
    }

    /// Once, after [`Polled::Awaited`], by the core that it named, when the task has come there, or by who finds that it will not get there: wakes
    /// the task that waits for this one, and drops its waker.
    #[inline]
    pub(crate) fn wake_joiner(&self) {
        self.header().state.wake();
    }

    /// # Safety
    /// The caller has a reference to the cell at `header`, and does not give it away.
    #[inline]
    pub(super) unsafe fn borrow<T>(header: NonNull<Header>, call: impl FnOnce(&Self) -> T) -> T {
        call(&std::mem::ManuallyDrop::new(Self(header)))
    }
}

/// As [`TaskRef::cancel`], inside of whatever this thread does. On the task's core, that task is
/// the current one meanwhile.
///
/// # Safety
/// As for [`TaskRef::cancel_unrun`], and the caller has a reference to the cell.
unsafe fn cancel_inside(header: NonNull<Header>) {
    // SAFETY: passed on to the caller.
    let call = |task: &TaskRef| unsafe { task.cancel() };
    // SAFETY: the caller keeps its reference.
    unsafe {
        TaskRef::borrow(header, |task| {
            context::with(|core| match core {
                Some(core) if core.is(task.header().core()) => core.inside_of(task, || call(task)),
                _ => call(task),
            });
        });
    }
}

impl Clone for TaskRef {
    #[inline]
    fn clone(&self) -> Self {
        self.header().state.retain();
        Self(self.0)
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        if self.header().state.release() {
            // SAFETY: nobody else has a reference.
            unsafe { (self.header().vtable.free)(self.0) };
        }
    }
}
