//! How a task's core and its join handle agree on who has the outcome, and whom to wake.
//!
//! | bit        | meaning                                          | set by                    | cleared by                |
//! |------------|--------------------------------------------------|---------------------------|---------------------------|
//! | `COMPLETE` | the outcome is there; the core is done           | the core, once            | nobody                    |
//! | `HANDLE`   | the join handle exists                           | creation                  | the handle's drop, once   |
//! | `WAKER`    | the waker's place is filled, and the core may read it | the handle           | the handle, to replace it |
//!
//! Before `COMPLETE` the waker's place belongs to the handle while `WAKER` is clear, and to nobody for writing while it is set. After
//! `COMPLETE` nobody writes it; it is dropped with the cell. The outcome belongs to the handle if `HANDLE` was set when `COMPLETE`
//! was, else to the core.
//!
//! Cannot happen: the core and the handle both think the outcome theirs; the handle is registered and not woken.

use crate::sync::{AtomicU32, Ordering, UnsafeCell};
use std::task::Waker;

const COMPLETE: u32 = 1;
const HANDLE: u32 = 2;
const WAKER: u32 = 4;

/// What the core learns when it completes a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Completed {
    /// The handle is gone: the outcome is the core's to drop.
    Unwanted,
    /// The handle will come for the outcome by itself.
    Wanted,
    /// The handle waits: call [`Handshake::wake`].
    Awaited,
}

pub(super) struct Handshake {
    bits: AtomicU32,
    waker: UnsafeCell<Option<Waker>>,
}

// SAFETY: the waker's place is written only by the one join handle, and only while the bits give it to the handle; the core reads
// it only once `COMPLETE` has taken that right away. loom checks it in `loom_tests`.
unsafe impl Sync for Handshake {}

impl Handshake {
    pub(super) fn new() -> Self {
        Self {
            bits: AtomicU32::new(HANDLE),
            waker: UnsafeCell::new(None),
        }
    }

    /// Anyone: whether the outcome is there. If so, everything the core did before is visible.
    #[inline]
    pub(super) fn is_complete(&self) -> bool {
        // Acquire: pairs with the Release in `complete`.
        self.bits.load(Ordering::Acquire) & COMPLETE != 0
    }

    /// Core, once, after it wrote the outcome.
    #[inline]
    pub(super) fn complete(&self) -> Completed {
        // Release: the outcome is visible to who sees the bit. Acquire: the waker's place is, to us, if WAKER is set.
        let before = self.bits.fetch_or(COMPLETE, Ordering::AcqRel);
        debug_assert_eq!(before & COMPLETE, 0, "a task completes once");
        if before & HANDLE == 0 {
            Completed::Unwanted
        } else if before & WAKER != 0 {
            Completed::Awaited
        } else {
            Completed::Wanted
        }
    }

    /// Core, after [`complete`](Self::complete) said `Awaited`.
    pub(super) fn wake(&self) {
        self.waker.with(|waker| {
            // SAFETY: COMPLETE is set, so the handle no longer writes here; others may only read as well.
            if let Some(waker) = unsafe { &*waker } {
                waker.wake_by_ref();
            }
        });
    }

    /// Handle: whether the outcome is there; if not, `waker` will be woken when it is.
    pub(super) fn poll(&self, waker: &Waker) -> bool {
        // Acquire: as in `is_complete`.
        let bits = self.bits.load(Ordering::Acquire);
        if bits & COMPLETE != 0 {
            return true;
        }
        if bits & WAKER != 0 {
            let same = self.waker.with(|current| {
                // SAFETY: while WAKER is set nobody writes the place, and only we could clear it.
                let current = unsafe { &*current };
                current
                    .as_ref()
                    .is_some_and(|current| current.will_wake(waker))
            });
            if same {
                return false;
            }
            // Acquire: the outcome, if it has just come. Nothing of ours is published by taking the place back.
            let before = self.bits.fetch_and(!WAKER, Ordering::Acquire);
            if before & COMPLETE != 0 {
                return true;
            }
        }
        let waker = waker.clone();
        // SAFETY: WAKER is clear and COMPLETE was, so should the core complete now it will not look here: the place is ours.
        let replaced = self
            .waker
            .with_mut(|place| unsafe { (*place).replace(waker) });
        // Release: the waker is visible to the core that sees the bit. Acquire: the outcome, if the core was first.
        let before = self.bits.fetch_or(WAKER, Ordering::AcqRel);
        drop(replaced);
        before & COMPLETE != 0
    }

    /// Handle, in its drop. Returns whether the outcome is there, and so the handle's to drop.
    pub(super) fn close(&self) -> bool {
        if self.is_complete() {
            return true;
        }
        // Acquire: the outcome, if it has just come. Release: what the handle did is before the core's drop of the outcome.
        self.bits.fetch_and(!HANDLE, Ordering::AcqRel) & COMPLETE != 0
    }
}
