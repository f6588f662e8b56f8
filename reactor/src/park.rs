//! The state word: how a core says whether it must be woken, and how others find out. It knows no io_uring and no queue.
//!
//! | state     | the owner is                                   | a remote thread does, after its push                        |
//! |-----------|------------------------------------------------|-------------------------------------------------------------|
//! | `Running` | working, or spinning and looking at everything | nothing: the push is enough                                 |
//! | `Blocked` | in `io_uring_enter`, waiting, or about to be   | compare-exchange to `Running`; the winner wakes by the kernel |
//!
//! ```text
//!              begin_block (owner)
//!   Running ──────────────────────────► Blocked
//!      ▲ ▲        resume (owner)          │ │
//!      │ └────────────────────────────────┘ │
//!      └────────────────────────────────────┘
//!                 ring (remote, the one that wins)
//! ```
//! Cannot happen: a remote thread moves `Running` to anything; anyone but the owner moves to `Blocked`; two remote threads both
//! win one `Blocked`. A third state, `Monitoring`, in which the owner waits on a cache line and a plain store wakes it, goes
//! between the two; a core that has no monitor instruction never enters it, and none does yet.
//!
//! The two sides are Dekker's: the owner stores its state and then looks at the queues, the remote thread stores to a queue and
//! then looks at the state. A `SeqCst` fence between the store and the look on *both* sides makes it impossible that each misses
//! the other's store. So the owner must look at everything after [`ParkState::begin_block`] and before it waits.

use crate::sync::{AtomicU32, Ordering, fence};

const RUNNING: u32 = 0;
const BLOCKED: u32 = 2;

/// One core's state word. Keep it on a cache line of its own: remote threads read it after each batch they publish.
#[derive(Debug)]
pub struct ParkState {
    word: AtomicU32,
}

/// What the thread that rang must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a core that needs a kernel wake sleeps until it gets one"]
pub enum Wake {
    /// The owner is awake, or somebody else is waking it.
    Nothing,
    /// This thread won the right, and has the duty, to make the kernel wake.
    Kernel,
}

impl Default for ParkState {
    fn default() -> Self {
        Self::new()
    }
}

impl ParkState {
    /// A core begins `Running`.
    pub fn new() -> Self {
        Self {
            word: AtomicU32::new(RUNNING),
        }
    }

    /// Owner: `Running` → `Blocked`. The owner must now look at every source of work once more and either wait or
    /// [`resume`](Self::resume).
    pub fn begin_block(&self) {
        // Relaxed: the fence orders it. A remote thread that sees `Blocked` needs nothing else from us.
        self.word.store(BLOCKED, Ordering::Relaxed);
        // Pairs with the fence in `publish_fence`: either our look after this sees the push, or the pusher's load sees `Blocked`.
        fence(Ordering::SeqCst);
    }

    /// Owner: back to `Running`, whatever the reason. A remote thread may have moved the word already.
    pub fn resume(&self) {
        // Relaxed: nothing is published with it. The data is in the queues, which have their own orderings.
        self.word.store(RUNNING, Ordering::Relaxed);
    }

    /// Remote: finds out whether the owner must be woken. Call it after the push and after [`publish_fence`].
    #[inline]
    pub fn ring(&self) -> Wake {
        // Relaxed: ordered after our push by `publish_fence`.
        if self.word.load(Ordering::Relaxed) != BLOCKED {
            return Wake::Nothing;
        }
        // Of all who saw `Blocked`, one wakes. Relaxed: the wake itself goes through the kernel, which orders it.
        match self
            .word
            .compare_exchange(BLOCKED, RUNNING, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => Wake::Kernel,
            Err(_) => Wake::Nothing,
        }
    }
}

/// Remote: to be called once between publishing, to however many cores, and [`ParkState::ring`]ing them.
#[inline]
pub fn publish_fence() {
    // Pairs with the fence in `ParkState::begin_block`.
    fence(Ordering::SeqCst);
}
