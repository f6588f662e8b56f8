//! The state word: how a core says whether it must be woken, and how others find out. It knows no io_uring and no queue.
//!
//! | state        | the owner is                                              | a remote thread does, after its push                          |
//! |--------------|-----------------------------------------------------------|---------------------------------------------------------------|
//! | `Running`    | working, or spinning and looking at everything            | nothing: the push is enough                                   |
//! | `Monitoring` | watching the header line, or between arming and looking   | one plain store to the doorbell                               |
//! | `Blocked`    | in `io_uring_enter`, waiting, or about to be              | compare-exchange to `Running`; the winner wakes by the kernel |
//!
//! ```text
//!                monitor                 block    
//!   Running ───────────────► Monitoring ──────────► Blocked
//!    ▲ ▲ ▲       resume          │                   │  │
//!    │ │ └───────────────────────┘      resume       │  │      block also leads from Running
//!    │ └─────────────────────────────────────────────┘  │      to Blocked, where nothing can be watched
//!    └──────────────────────────────────────────────────┘
//!                  ring (remote, the one that wins)
//! ```
//! All but `ring` are the owner's. Cannot happen: a remote thread moves `Running` or `Monitoring`; anyone but the owner moves to
//! `Monitoring` or `Blocked`; two remote threads both win one `Blocked`.
//!
//! **Entering a state.** The two sides are Dekker's: the owner stores its state and then looks at the queues, the remote thread stores
//! to a queue and then looks at the state. A `SeqCst` fence between the store and the look on *both* sides makes it impossible that
//! each misses the other's store. So the owner must look at everything after that, each time.
//!
//! **Watching.** The owner arms the monitor, looks at everything, and waits; in that order, each time. A push that the look misses is
//! after it, so the doorbell's store, which is after the push, is after the arming, and ends the wait. That holds for as many rounds as the
//! owner stays in `Monitoring`, without another fence.
//!
//! **Late ringers.** A remote thread that saw `Monitoring` may store to the doorbell when the owner is `Blocked` already, where no store
//! wakes it. Then its fence was before the owner's in `block` (else it had seen `Blocked`), so the look that follows
//! `block` sees its push. And a kernel wake for an earlier block only makes a later one return early.

use crate::sync::{AtomicU32, Ordering, fence, left_out};
use std::fmt;
use std::time::Duration;

const RUNNING: u32 = 0;
const MONITORING: u32 = 1;
const BLOCKED: u32 = 2;

/// One core's state word. Keep it on a cache line of its own: remote threads read it after each batch they publish.
#[derive(Debug)]
pub struct ParkState {
    word: AtomicU32,
}

/// What the state word says that the owner is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It works, or looks out for work by spinning.
    #[default]
    Running,
    /// It watches its cache line.
    Monitoring,
    /// It waits in the kernel, or is about to.
    Blocked,
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Running => "running",
            Self::Monitoring => "monitoring",
            Self::Blocked => "blocked",
        })
    }
}

/// What the thread that rang must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a core that is not woken as it needs may sleep for ever"]
pub enum Wake {
    /// The owner is awake, or somebody else is waking it.
    Nothing,
    /// Ring the core's doorbell.
    Store,
    /// This thread won the right, and has the duty, to make the kernel wake.
    Kernel,
}

/// What the owner finds when it looks at everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// There is something to do.
    Work,
    /// There is nothing; wait for this long at most.
    Nothing(Duration),
    /// There is nothing, and no time left to wait for it in this way.
    GiveUp,
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

    /// Owner: watches, until there is work (true; the state is `Running`) or it gives up (false; the state is `Monitoring`, and
    /// [`block`](Self::block) must follow). `look` is called each time after `arm` and before `wait`, and looks at every source of work;
    /// `wait` ends when the armed line is stored to, and may end at any time.
    pub fn monitor(
        &self,
        mut arm: impl FnMut(),
        mut look: impl FnMut() -> Look,
        mut wait: impl FnMut(Duration),
    ) -> bool {
        // Relaxed: the fence orders it. A remote thread that sees `Monitoring` needs nothing else from us.
        self.word.store(MONITORING, Ordering::Relaxed);
        // Pairs with the fence in `publish_fence`: either our first look sees the push, or the pusher's load sees our state.
        if !left_out("monitor fence") {
            fence(Ordering::SeqCst);
        }
        loop {
            let looks_too_early = left_out("arming before the look").then(&mut look);
            arm();
            let looked = match looks_too_early.unwrap_or_else(&mut look) {
                Look::Work if left_out("monitor look") => Look::Nothing(Duration::MAX),
                looked => looked,
            };
            match looked {
                Look::Work => break,
                Look::Nothing(limit) => wait(limit),
                Look::GiveUp => return false,
            }
        }
        self.resume();
        true
    }

    /// Owner: says that it blocks, looks at every source of work once more, and if there is none, waits: until the kernel wake, or anything else
    /// that `wait` waits for. Whether it waited. The state is `Running` afterwards.
    pub fn block(&self, look: impl FnOnce() -> bool, wait: impl FnOnce()) -> bool {
        // Relaxed, and the fence: as in `monitor`.
        self.word.store(BLOCKED, Ordering::Relaxed);
        if !left_out("block fence") {
            fence(Ordering::SeqCst);
        }
        let has_work = look() && !left_out("block look");
        if !has_work {
            wait();
        }
        self.resume();
        !has_work
    }

    /// Owner: back to `Running`, whatever the reason. A remote thread may have moved the word already.
    fn resume(&self) {
        // Relaxed: nothing is published with it. The data is in the queues, which have their own orderings.
        self.word.store(RUNNING, Ordering::Relaxed);
    }

    /// Remote: finds out whether the owner must be woken. Call it after the push and after [`publish_fence`].
    #[inline]
    pub fn ring(&self) -> Wake {
        // Relaxed: ordered after our push by `publish_fence`.
        match self.word.load(Ordering::Relaxed) {
            RUNNING => return Wake::Nothing,
            MONITORING => return Wake::Store,
            _ => {}
        }
        if left_out("exchange") {
            self.word.store(RUNNING, Ordering::Relaxed);
            return Wake::Kernel;
        }
        // Of all who saw `Blocked`, one wakes. Relaxed: the wake itself goes through the kernel, which orders it.
        match self
            .word
            .compare_exchange(BLOCKED, RUNNING, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => Wake::Kernel,
            // The owner has resumed, and looks at everything before it sleeps again; or another makes the wake. If it has come as far
            // as `Monitoring` by now, it looked after that, and our push was before.
            Err(_) => Wake::Nothing,
        }
    }

    /// What it is at this moment, for whoever watches the watchers.
    pub fn get(&self) -> State {
        // Relaxed: a snapshot.
        match self.word.load(Ordering::Relaxed) {
            RUNNING => State::Running,
            MONITORING => State::Monitoring,
            _ => State::Blocked,
        }
    }
}

/// Remote: to be called once between publishing, to however many cores, and [`ParkState::ring`]ing them.
#[inline]
pub fn publish_fence() {
    // Pairs with the fences in `ParkState::monitor` and `block`.
    if !left_out("publish fence") {
        fence(Ordering::SeqCst);
    }
}
