//! What the models of this crate, and of those that build on it, share: a cache line with a monitor on it, and the steps of a protocol that a model
//! asks to do without. Under `--cfg modelled` only.

use loom::sync::Notify;
use loom::sync::atomic::{AtomicUsize, Ordering};

/// Whether a model asks to do without one step of a protocol, to see that it fails then: `LEFT_OUT="block look"` in the environment.
pub fn left_out(step: &str) -> bool {
    std::env::var("LEFT_OUT").is_ok_and(|name| name == step)
}

/// A cache line and a monitor on it. A store to the line is what the hardware sees, in order with the stores before it; the version stands for
/// that. It ends a wait if it came after the arming.
#[derive(Debug)]
pub struct Line {
    version: AtomicUsize,
    stored: Notify,
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

impl Line {
    /// A line that nobody has stored to.
    pub fn new() -> Self {
        Self {
            version: AtomicUsize::new(0),
            stored: Notify::new(),
        }
    }

    /// A store to it.
    pub fn store(&self) {
        self.version.fetch_add(1, Ordering::Release);
        self.stored.notify();
    }

    /// The version that the next wait compares with. Ordered like a load.
    pub fn arm(&self) -> usize {
        self.version.load(Ordering::Acquire)
    }

    /// Until somebody has stored to it since it was `armed`.
    pub fn wait(&self, armed: usize) {
        while self.version.load(Ordering::Acquire) == armed {
            self.stored.wait();
        }
    }
}
