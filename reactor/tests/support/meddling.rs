//! A waker that does something to what its thread has: what a task does that gives up a future because another has completed.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Wake, Waker};

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
