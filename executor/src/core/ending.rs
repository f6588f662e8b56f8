//! The two flags of an end: that a runtime stops, and that a core takes nothing in any more. Each is set once, and never cleared.
//!
//! | flag        | who sets it does after that       | who reads it did before that                              | so that                                       |
//! |-------------|-----------------------------------|-----------------------------------------------------------|-----------------------------------------------|
//! | [`Stopping`] | rings every core                 | a core: said by its state word that it watches or blocks  | no core sleeps through it                     |
//! | [`Closed`]  | looks into its queue, and settles | a sender: pushed into that queue                          | what was pushed is settled by one of the two  |
//!
//! On either side a `SeqCst` fence stands between: so one of them sees the other. `loom_tests.rs` explores both, and fails without the fences.

use crate::primitives::{AtomicBool, Ordering, left_out};
use reactor::park::publish_fence;

/// Whether a runtime is to stop.
pub(super) struct Stopping(AtomicBool);

impl Stopping {
    pub(super) fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// From now on it stops. Every core is to be rung after this.
    pub(super) fn begin(&self) {
        // Relaxed: ordered by the fence, which pairs with the ones in `ParkState::block` and `monitor`.
        self.0.store(true, Ordering::Relaxed);
        if !left_out("stop fence") {
            publish_fence();
        }
    }

    #[inline]
    pub(super) fn has_begun(&self) -> bool {
        // Relaxed: the fence in `begin` orders it against the cores' state words.
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether a core has stopped taking messages in.
pub(super) struct Closed(AtomicBool);

impl Closed {
    pub(super) fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Owner: from now on senders settle what they push. What they pushed before is to be settled after this.
    pub(super) fn set(&self) {
        // Release: pairs with the Acquire in `is_set`.
        self.0.store(true, Ordering::Release);
        if !left_out("close fence") {
            publish_fence();
        }
    }

    /// Sender: to be asked after the push and `publish_fence`, which pairs with the one in `set`: either we see the flag here, or the owner's
    /// last look into the queue sees the push.
    pub(super) fn is_set(&self) -> bool {
        // Acquire: if we see it, we see as well which tasks the core has linked.
        self.0.load(Ordering::Acquire)
    }
}
