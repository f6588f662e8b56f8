//! A waker that drops something of its thread's: what a task does that gives up a future because another has completed.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Wake, Waker};

thread_local! {
    /// A waker is `Send`, and what it drops is not.
    static VICTIM: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

struct Dropper;

impl Wake for Dropper {
    fn wake(self: Arc<Self>) {
        let victim = VICTIM.take();
        assert!(victim.is_some(), "woken once, on the thread that set it");
    }
}

/// A waker for this thread that drops `victim`.
pub(crate) fn dropping_waker(victim: impl Any) -> Waker {
    VICTIM.set(Some(Box::new(victim)));
    Waker::from(Arc::new(Dropper))
}
