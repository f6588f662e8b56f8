//! Which tasks of a set have ended, in the order in which they did.
//!
//! A handle gets a waker with its key when it is put into the set. Whoever completes the task, on
//! whatever thread, wakes that once, and so puts the key at the end of the queue. The set takes
//! keys out. Nobody looks at a handle whose task has not ended.

use crossbeam_queue::SegQueue;
use futures_util::task::AtomicWaker;
use std::sync::Arc;
use std::task::{Wake, Waker};

#[derive(Default)]
pub(super) struct Ended {
    keys: SegQueue<usize>,
    /// Whoever waits for the set.
    joiner: AtomicWaker,
}

impl Ended {
    /// The waker for the handle with this key.
    pub(super) fn waker(self: &Arc<Self>, key: usize) -> Waker {
        Waker::from(Arc::new(Member {
            ended: Arc::clone(self),
            key,
        }))
    }

    /// The task with this key has ended.
    pub(super) fn push(&self, key: usize) {
        self.keys.push(key);
        self.joiner.wake();
    }

    /// The key of the task that ended first of those that are still here.
    pub(super) fn pop(&self) -> Option<usize> {
        self.keys.pop()
    }

    /// Whether a task has ended. If not, `waker` will be woken when one does.
    pub(super) fn poll(&self, waker: &Waker) -> bool {
        if !self.keys.is_empty() {
            return true;
        }
        self.joiner.register(waker);
        // Again: one may have ended before the waker was in its place.
        !self.keys.is_empty()
    }
}

struct Member {
    ended: Arc<Ended>,
    key: usize,
}

impl Wake for Member {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ended.push(self.key);
    }
}
