//! How the cores of a runtime slept and were woken, counted.

#![forbid(unsafe_code)]

use crate::core::context;
use reactor::log;
use reactor::park::{State as CoreState, Wake};
use std::fmt;

/// What one core did since it started. Counted by the core for itself, so reading it disturbs nobody; it may lag by a moment.
///
/// If somebody listens, `tracing` events of level `TRACE` tell the same: at the end of each turn of its loop, a core tells what it has counted
/// since the last, with its number. Their target is `executor::idle` for how it waited, and `executor::wake` for what waking took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoreStats {
    /// What it said last that it was doing. What it counts of a wait it counts when that is over; this tells of one that is not.
    pub state: CoreState,
    /// Times this core told another that it had sent something.
    pub sent: Wakes,
    /// Times threads that are no core of this runtime, or one that is shutting down, told this core so.
    pub foreign: Wakes,
    /// Times it looked out for work by spinning.
    pub spun: Waits,
    /// Times it watched its cache line. Always zero without a monitor instruction.
    pub monitored: Waits,
    /// Times it blocked in the kernel.
    pub blocked: Waits,
    /// Times it was about to block, and found at the last look that work had come.
    pub block_given_up: u64,
    /// How many of the kernel's worker threads its operations on files may use (see
    /// [`Builder::file_workers_max`](crate::Builder::file_workers_max)). It is not a count. Zero before Linux 5.15, where the kernel does not tell.
    pub file_workers_max: usize,
}

/// What it took to tell a core that it has work, each batch of messages counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wakes {
    /// Nothing: it was awake.
    pub nothing: u64,
    /// A store to its cache line.
    pub store: u64,
    /// A system call.
    pub kernel: u64,
}

impl CoreStats {
    /// What has come since `before`, as events of the core of this number.
    pub(crate) fn tell_since(&self, before: &Self, core: usize) {
        self.spun.tell_since(before.spun, core, "spun");
        self.monitored
            .tell_since(before.monitored, core, "monitored");
        self.blocked.tell_since(before.blocked, core, "blocked");
        let given_up = self.block_given_up - before.block_given_up;
        if given_up > 0 {
            log!(trace, target: "executor::idle", core, times = given_up, "did not block");
        }
        self.sent.tell_since(before.sent, core, "told others");
        self.foreign
            .tell_since(before.foreign, core, "was told by foreign threads");
    }
}

impl Waits {
    fn tell_since(self, before: Self, core: usize, what: &str) {
        let times = self.begun - before.begun;
        let message = self.message - before.message;
        let completion = self.completion - before.completion;
        let timer = self.timer - before.timer;
        if times > 0 {
            log!(trace, target: "executor::idle", core, times, message, completion, timer, "{what}");
        }
    }
}

impl Wakes {
    fn tell_since(self, before: Self, core: usize, what: &str) {
        let nothing = self.nothing - before.nothing;
        let store = self.store - before.store;
        let kernel = self.kernel - before.kernel;
        if nothing + store + kernel > 0 {
            log!(trace, target: "executor::wake", core, nothing, store, kernel, "{what}");
        }
    }

    /// One more.
    #[inline]
    pub(crate) fn count(&mut self, wake: Wake) {
        match wake {
            Wake::Nothing => self.nothing += 1,
            Wake::Store => self.store += 1,
            Wake::Kernel => self.kernel += 1,
        }
    }
}

/// How often a core waited in one way, and what ended that. A wait is counted when it is over, and once: if there was more than one reason, by the first
/// of these. What is left over ended for nothing: its time was up, or there was an interrupt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waits {
    /// How often it waited so.
    pub begun: u64,
    /// How often there was a message, from another core or a thread; also that the runtime stops.
    pub message: u64,
    /// How often an operation had completed; also a kernel wake for a message that had been found before.
    pub completion: u64,
    /// How often a timer was due.
    pub timer: u64,
}

impl Waits {
    /// How often there was something to do.
    pub fn found_work(&self) -> u64 {
        self.message + self.completion + self.timer
    }
}

/// The counts of every core of this runtime, by the core's number.
///
/// # Panics
/// Outside of a runtime; there is [`Handle::stats`](crate::Handle::stats) for other threads.
///
/// # Examples
/// ```
/// # #[executor::main]
/// # async fn main() {
/// let there = executor::cores() - 1;
/// executor::spawn_on(there, async || {}).await.unwrap();
/// for (core, stats) in executor::stats().iter().enumerate() {
///     println!("core {core}: {stats}");
/// }
/// # }
/// ```
#[track_caller]
pub fn stats() -> Vec<CoreStats> {
    context::expect_runtime("stats", |runtime, _| runtime.stats())
}

impl fmt::Display for CoreStats {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}; woke others: {}; woken by foreign threads: {}; spun: {}; monitored: {}; blocked: {}, given up {}; \
             file workers at most: {}",
            self.state,
            self.sent,
            self.foreign,
            self.spun,
            self.monitored,
            self.blocked,
            self.block_given_up,
            self.file_workers_max
        )
    }
}

impl fmt::Display for Wakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} by nothing, {} by a store, {} by the kernel",
            self.nothing, self.store, self.kernel
        )
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} times, {} found work ({} messages, {} completions, {} timers)",
            self.begun,
            self.found_work(),
            self.message,
            self.completion,
            self.timer
        )
    }
}
