//! Whether a message that brings a task to its core is on its way: so that there is one at most, and none too few.

use crate::primitives::{AtomicBool, Ordering};

/// Set by the remote thread that sends the message, or from the start where the task itself has to travel; cleared by the core that receives it.
pub(super) struct Notification(AtomicBool);

impl Notification {
    pub(super) fn new(is_on_its_way: bool) -> Self {
        Self(AtomicBool::new(is_on_its_way))
    }

    /// Remote thread: whether it is the one that has to send.
    #[must_use]
    pub(super) fn begin(&self) -> bool {
        // AcqRel: if a message is under way already, the core's `end` after it sees all that we did before.
        !self.0.swap(true, Ordering::AcqRel)
    }

    /// Core, on receiving the message and before polling: the next wake has to send another.
    pub(super) fn end(&self) {
        // A swap, not a store: it must read what the last waker wrote, for that is what makes its data visible to the coming poll.
        self.0.swap(false, Ordering::AcqRel);
    }
}
