//! What others tell a task's core of it: that a message which brings it there is on its way, so that there is one at most and none too few;
//! and that it shall end.
//!
//! | flag            | set by                                                              | cleared by                      |
//! |-----------------|---------------------------------------------------------------------|---------------------------------|
//! | `is_on_its_way` | who sends the message; from the start, where the task has to travel | the core that receives it       |
//! | `is_aborted`    | who aborts the task, before it wakes it                             | nobody                          |

use crate::primitives::{AtomicBool, Ordering};

pub(super) struct Notification {
    is_on_its_way: AtomicBool,
    is_aborted: AtomicBool,
}

impl Notification {
    pub(super) fn new(is_on_its_way: bool) -> Self {
        Self {
            is_on_its_way: AtomicBool::new(is_on_its_way),
            is_aborted: AtomicBool::new(false),
        }
    }

    /// Remote thread: whether it is the one that has to send.
    #[must_use]
    pub(super) fn begin(&self) -> bool {
        // AcqRel: if a message is under way already, the core's `end` after it sees all that we did before.
        !self.is_on_its_way.swap(true, Ordering::AcqRel)
    }

    /// Core, on receiving the message and before polling: the next wake has to send another.
    pub(super) fn end(&self) {
        // A swap, not a store: it must read what the last waker wrote, for that is what makes its data visible to the coming poll.
        self.is_on_its_way.swap(false, Ordering::AcqRel);
    }

    /// Any thread: the task shall be cancelled when its core next looks at it. To be followed by a wake.
    pub(super) fn abort(&self) {
        // Release: pairs with the Acquire in `is_aborted`.
        self.is_aborted.store(true, Ordering::Release);
    }

    /// Core: whether the task shall be cancelled.
    pub(super) fn is_aborted(&self) -> bool {
        // Acquire: what the aborter did before is visible to the future's drop, though its message may not have come yet.
        self.is_aborted.load(Ordering::Acquire)
    }
}
