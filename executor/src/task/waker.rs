//! A task's waker: a counted reference with the standard library's face. It may be cloned, used and dropped on any thread, at any
//! time, also when the task, its core and its runtime are long gone.

use super::header::{Header, TaskRef};
use crate::core::CoreShared;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// The raw waker for a reference to `header`.
pub(super) fn raw(header: NonNull<Header>) -> RawWaker {
    RawWaker::new(header.as_ptr().cast_const().cast(), &VTABLE)
}

/// The core of the task that `waker` wakes, if it is one of ours.
#[inline]
pub(super) fn core(waker: &Waker) -> Option<&Arc<CoreShared>> {
    if !ptr::eq(waker.vtable(), &raw const VTABLE) {
        return None;
    }
    // SAFETY: nobody else has the table, so the data came from `raw`; it has a reference as long as it is borrowed.
    Some(unsafe { header(waker.data()).as_ref() }.core())
}

/// From inside of a task's poll, with its waker: the task shall be cancelled as soon as it has returned.
pub(crate) fn cancel_current(waker: &Waker) {
    assert!(
        core(waker).is_some(),
        "polled by something else than a task"
    );
    // SAFETY: it is one of ours, as was just seen, and has a reference as long as it is borrowed.
    unsafe { header(waker.data()).as_ref() }.abort();
    waker.wake_by_ref();
}

/// # Safety
/// `data` came from [`raw`], and carries a reference.
unsafe fn reference(data: *const ()) -> TaskRef {
    // SAFETY: passed on to the caller.
    unsafe { TaskRef::from_raw(header(data)) }
}

/// # Safety
/// `data` came from [`raw`].
unsafe fn header(data: *const ()) -> NonNull<Header> {
    // SAFETY: it was made from a `NonNull`.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast()) }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker being cloned has a reference and keeps it.
    raw(unsafe { TaskRef::borrow(header(data), Clone::clone) }.into_raw())
}

unsafe fn wake(data: *const ()) {
    // SAFETY: the waker gives its reference away.
    unsafe { reference(data) }.wake();
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker has a reference and keeps it.
    unsafe { TaskRef::borrow(header(data), TaskRef::wake) };
}

unsafe fn release(data: *const ()) {
    // SAFETY: the waker gives its reference away.
    drop(unsafe { reference(data) });
}
