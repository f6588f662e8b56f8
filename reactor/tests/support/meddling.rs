//! A waker that does something to what its thread has: what a task does that gives up a future because another has completed.

use std::any::Any;
use std::cell::RefCell;
use std::ptr;
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

thread_local! {
    /// A waker is `Send`, and what it calls is not.
    static CALL: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

struct Caller;

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        let call = CALL.take();
        call.expect("woken once, on the thread that set it")();
    }
}

/// A waker for this thread that calls `call`.
pub(crate) fn calling_waker(call: impl FnOnce() + 'static) -> Waker {
    CALL.set(Some(Box::new(call)));
    Waker::from(Arc::new(Caller))
}

/// A waker for this thread that drops `victim`.
pub(crate) fn dropping_waker(victim: impl Any) -> Waker {
    calling_waker(|| drop(victim))
}

/// A waker for this thread that calls `call` when it is first cloned, and does nothing else.
pub(crate) fn cloning_waker(call: impl FnOnce() + 'static) -> Waker {
    static METHODS: RawWakerVTable = RawWakerVTable::new(clone, |_| {}, |_| {}, |_| {});
    fn clone(_: *const ()) -> RawWaker {
        if let Some(call) = CALL.take() {
            call();
        }
        RawWaker::new(ptr::null(), &METHODS)
    }
    CALL.set(Some(Box::new(call)));
    // SAFETY: there is no data, and none of the methods looks for any; on another thread there is nothing to call.
    unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &METHODS)) }
}
