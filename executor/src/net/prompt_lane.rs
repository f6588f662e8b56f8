//! A lane of a socket whose address others may want as soon as it is dropped: of a listener, or a datagram socket.
//!
//! An operation in flight keeps its descriptor open, also when it was dropped, until the kernel has taken up the cancel. Usually that is at the end of
//! the core's turn. Whoever holds the lane last does not wait for it, so that an address is free when its socket has been dropped.

use crate::core::context;
use reactor::Lane;
use std::fmt;
use std::rc::Rc;

pub(super) struct PromptLane<T>(Rc<Lane<T>>);

impl<T> PromptLane<T> {
    pub(super) fn new() -> Self {
        Self(Lane::new())
    }

    pub(super) fn lane(&self) -> &Rc<Lane<T>> {
        &self.0
    }
}

impl<T> Clone for PromptLane<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> fmt::Debug for PromptLane<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<T> Drop for PromptLane<T> {
    /// To be dropped after the descriptor beside it.
    fn drop(&mut self) {
        if self.0.has_orphan() && self.0.is_abandoned() {
            // Outside of a runtime it is closed when the core goes on.
            context::with(|core| {
                if let Some(core) = core {
                    core.reactor().hurry();
                }
            });
        }
    }
}
