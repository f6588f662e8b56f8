//! A task's state word: its reference count, and how its core and its join handle agree on who has the outcome and whom to wake.
//!
//! | bits       | meaning                                               | set by                 | cleared by              |
//! |------------|-------------------------------------------------------|------------------------|-------------------------|
//! | `COMPLETE` | the outcome is there; the core is done                | the core, once         | nobody                  |
//! | `HANDLE`   | the join handle exists                                | creation               | the handle's drop, once |
//! | `WAKER`    | there is a waker in its place, for the core to use    | the handle             | the handle, to replace or drop it |
//! | `JOINER`   | with `WAKER`: the core whose task the waker wakes, plus one; 0 if it is not known | the handle | the handle, as above |
//! | the rest   | how many references there are                         | who clones one         | who drops one           |
//!
//! The outcome belongs to the handle if `HANDLE` was set when `COMPLETE` was, else to the core.
//!
//! The waker's place has no tag of its own; these bits say whose the waker in it is:
//!
//! | when                                          | the waker is                                | the place may be    |
//! |-----------------------------------------------|---------------------------------------------|---------------------|
//! | `WAKER` clear, `COMPLETE` not set             | not there                                   | written by the handle |
//! | `WAKER` set, `COMPLETE` not set               | the handle's, which clears `WAKER` to take it | read by both        |
//! | `WAKER` was set when `COMPLETE` was           | whose who [wakes](State::wake): it moves the waker out by reading it, uses it up, and that drops it | read by both |
//! | the handle set `WAKER` after `COMPLETE`       | the handle's, which takes it back at once   | read and written by the handle |
//!
//! So a waker does not outlive its use, and a cell that is freed holds none. The bytes of a waker that was moved out stay where they are: a
//! handle that is just comparing them with another waker's reads what was there, and only numbers.
//!
//! Cannot happen: the core and the handle both think the outcome theirs, or the waker; the handle is registered and not woken; a waker is
//! left that nobody will drop; the cell is freed with an outcome in it, or by two.

use crate::primitives::{AtomicU64, Ordering, UnsafeCell, fence};
use reactor::contain_panic;
use std::mem::MaybeUninit;
use std::task::Waker;

const COMPLETE: u64 = 1;
const HANDLE: u64 = 2;
const WAKER: u64 = 4;
const REFERENCE: u64 = 8;
const JOINER_SHIFT: u32 = 48;
const JOINER: u64 = !0 << JOINER_SHIFT;

/// More references than this are a leak in a loop; the process ends before the count could reach the bits above it.
const REFERENCES_MAX: u64 = 1 << 44;

fn references(word: u64) -> u64 {
    (word & !JOINER) / REFERENCE
}

/// The joiner's bits for a core of this number. A core that they cannot name is not known.
fn joiner(core: Option<usize>) -> u64 {
    let number = core.map_or(0, |core| core as u64 + 1);
    if number > JOINER >> JOINER_SHIFT {
        return 0;
    }
    number << JOINER_SHIFT
}

/// What the core learns when it completes a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Completed {
    /// The handle is gone: the outcome is the core's to drop.
    Unwanted,
    /// The handle waits: see to it that [`State::wake`] is called, once, here, or by the core of this number: the waker is for a task of that
    /// one.
    Awaited(Option<usize>),
    /// The handle will come for the outcome by itself.
    Wanted,
    /// The same, and the core's reference was given up with the same stroke: it must not touch the task again.
    WantedAndReleased,
}

pub(super) struct State {
    word: AtomicU64,
    waker: UnsafeCell<MaybeUninit<Waker>>,
}

// SAFETY: the waker's place is written only by the one join handle, and only while the bits give it to the handle; the core reads
// it only once `COMPLETE` has taken that right away. One of them at a time owns the waker, as the table says. loom checks both in
// `loom_tests`.
unsafe impl Sync for State {}

impl State {
    /// Two references: the core's (or the message that brings the task there) and the join handle's.
    pub(super) fn new() -> Self {
        Self {
            word: AtomicU64::new(HANDLE | (2 * REFERENCE)),
            waker: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Anyone with a reference: one more.
    #[inline]
    pub(super) fn retain(&self) {
        // Relaxed: the cell cannot go away while the caller has a reference, and nothing else is ordered by the count.
        let before = self.word.fetch_add(REFERENCE, Ordering::Relaxed);
        if references(before) > REFERENCES_MAX {
            std::process::abort();
        }
    }

    /// Anyone with a reference gives it up; true if it was the last, and the cell must be freed.
    #[inline]
    #[must_use]
    pub(super) fn release(&self) -> bool {
        let is_last = |word| references(word) == 1;
        // The last holder needs no read-modify-write: nobody is left who could clone. Acquire: pairs with the Release below.
        if is_last(self.word.load(Ordering::Acquire)) {
            return true;
        }
        // Release: what this holder did is before the cell is freed.
        if !is_last(self.word.fetch_sub(REFERENCE, Ordering::Release)) {
            return false;
        }
        // Acquire: pairs with the Release of the others.
        fence(Ordering::Acquire);
        true
    }

    /// Anyone: whether the outcome is there. If so, everything the core did before is visible.
    #[inline]
    pub(super) fn is_complete(&self) -> bool {
        // Acquire: pairs with the Release in `complete`.
        self.word.load(Ordering::Acquire) & COMPLETE != 0
    }

    /// Core, once, after it wrote the outcome. If `may_release`, and nothing is left for the core to do, its reference goes as well.
    #[inline]
    pub(super) fn complete(&self, may_release: bool) -> Completed {
        // Relaxed: only a guess for the exchange.
        let before = self.word.load(Ordering::Relaxed);
        debug_assert_eq!(before & COMPLETE, 0, "a task completes once");
        if may_release && before & (HANDLE | WAKER) == HANDLE {
            // The common case in one stroke. Release: the outcome, and all that the core did with the cell, is visible to the handle.
            // No Acquire: there is no waker for us to look at.
            let after = (before | COMPLETE) - REFERENCE;
            let exchanged =
                self.word
                    .compare_exchange(before, after, Ordering::Release, Ordering::Relaxed);
            if exchanged.is_ok() {
                return Completed::WantedAndReleased;
            }
        }
        // Release: as above. Acquire: the waker's place is visible to us, if WAKER is set.
        let before = self.word.fetch_or(COMPLETE, Ordering::AcqRel);
        if before & HANDLE == 0 {
            Completed::Unwanted
        } else if before & WAKER != 0 {
            let joiner = before >> JOINER_SHIFT;
            Completed::Awaited(joiner.checked_sub(1).map(|core| core as usize))
        } else {
            Completed::Wanted
        }
    }

    /// Once, after [`complete`](Self::complete) said `Awaited`: by the core, or by the one that it named and sent the task to. Uses the waker
    /// up.
    pub(super) fn wake(&self) {
        // SAFETY: COMPLETE was set while WAKER was: the waker is ours, and nobody writes its place any more.
        unsafe { self.take_waker() }.wake();
    }

    /// Moves the waker out of its place, whose bytes stay as they are.
    ///
    /// # Safety
    /// By the table above the waker is there and the caller's, who takes it once; and nobody writes the place meanwhile.
    unsafe fn take_waker(&self) -> Waker {
        // SAFETY: it is there, and the caller's, who does not use the place as if it were there again.
        self.waker
            .with(|place| unsafe { (*place).assume_init_read() })
    }

    /// Handle: whether the outcome is there; if not, `waker` will be woken when it is. `core` is the core whose task it wakes, if that is known
    /// and another than the task's.
    #[inline]
    pub(super) fn poll(&self, waker: &Waker, core: impl FnOnce() -> Option<usize>) -> bool {
        // Acquire: as in `is_complete`.
        let word = self.word.load(Ordering::Acquire);
        if word & COMPLETE != 0 {
            return true;
        }
        let mut replaced = None;
        if word & WAKER != 0 {
            let same = self.waker.with(|current| {
                // SAFETY: we set WAKER, so the place was written, and only we could write it again. Should the core have moved the waker out
                // meanwhile, its bytes are still there, and `will_wake` compares no more than them. If they are equal, it is the same waker:
                // it was alive when we saw that the task was not complete, and `waker` was as well.
                let current = unsafe { (*current).assume_init_ref() };
                current.will_wake(waker)
            });
            if same {
                return false;
            }
            // Acquire: the outcome, if it has just come. Nothing of ours is published by taking the waker back.
            let before = self.word.fetch_and(!(WAKER | JOINER), Ordering::Acquire);
            if before & COMPLETE != 0 {
                return true;
            }
            // SAFETY: WAKER was set and COMPLETE was not, so it is ours; should the core complete now it will not look here.
            replaced = Some(unsafe { self.take_waker() });
        }
        let waker = waker.clone();
        // SAFETY: WAKER is clear and COMPLETE was, so should the core complete now it will not look here: the place is ours, and empty.
        self.waker.with_mut(|place| unsafe {
            (*place).write(waker);
        });
        // Release: the waker is visible to the core that sees the bit. Acquire: the outcome, if the core was first.
        let before = self.word.fetch_or(WAKER | joiner(core()), Ordering::AcqRel);
        let is_complete = before & COMPLETE != 0;
        // SAFETY: if the core was first it saw no waker: it is still ours.
        let unneeded = is_complete.then(|| unsafe { self.take_waker() });
        drop((replaced, unneeded));
        is_complete
    }

    /// Handle, in its drop. Returns whether the outcome is there, and so the handle's to drop.
    #[inline]
    pub(super) fn close(&self) -> bool {
        if self.is_complete() {
            return true;
        }
        // Acquire: the outcome, if it has just come. Release: what the handle did is before the core's drop of the outcome.
        let before = self
            .word
            .fetch_and(!(HANDLE | WAKER | JOINER), Ordering::AcqRel);
        if before & COMPLETE != 0 {
            return true;
        }
        if before & WAKER != 0 {
            // SAFETY: it was there, and the core will see that nobody waits, and not look here.
            let waker = unsafe { self.take_waker() };
            contain_panic("dropping the waker of a join handle", || drop(waker));
        }
        false
    }
}
