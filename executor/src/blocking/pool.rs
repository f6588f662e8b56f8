//! The threads for what blocks: started when nobody is free, up to a limit, and gone when they had nothing to do for a while.
//!
//! A mutex guards the queue and the counts together, so no push is missed by a thread that is about to wait or to leave. It is held for a few
//! instructions, and never while foreign code runs.

use crate::runtime::affinity::Affinity;
use crate::task::BlockingTask;
use reactor::patience::Patience;
use reactor::{Origin, end_child};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, mem, thread};

/// What can be chosen about a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) threads_max: usize,
    /// How long a thread waits for work.
    pub(crate) keep_alive: Duration,
    /// Of each thread's stack; the standard library's default if it is not chosen.
    pub(crate) stack_bytes: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            threads_max: 512,
            keep_alive: Duration::from_secs(10),
            stack_bytes: None,
        }
    }
}

/// The pool of one runtime, for its cores, its handles and its threads.
pub(crate) struct Pool {
    origin: Origin,
    limits: Limits,
    /// That of its threads. They inherit another if a core starts them.
    affinity: Option<Affinity>,
    state: Mutex<State>,
    /// A thread was called, or shall leave.
    called: Condvar,
    /// The last thread has left.
    empty: Condvar,
    /// Called when a thread has nothing to do any more, or was not to be had.
    when_free: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<BlockingTask>,
    /// Threads that were started and have not left.
    threads: usize,
    /// Those of them that wait and were not called.
    idle: usize,
    /// Calls that no thread has heard yet.
    calls: usize,
    /// For their names.
    started: usize,
    phase: Phase,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// No closure begins any more. They stay in the queue, so that those who wait for them do not see them end before they end themselves.
    Closing,
    /// What comes is cancelled at once.
    Closed,
}

impl Pool {
    /// `when_free` is called, by whatever thread, when [`is_busy`](Self::is_busy) may have become false. It must not ask that: the state is locked.
    pub(crate) fn new(
        limits: Limits,
        affinity: Option<Affinity>,
        when_free: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        Self {
            origin: Origin::here(),
            limits,
            affinity,
            state: Mutex::default(),
            called: Condvar::new(),
            empty: Condvar::new(),
            when_free,
        }
    }

    /// Whether closures run or wait for a thread, as far as anybody can tell: of a thread that has just been started or called it is not known yet.
    pub(crate) fn is_busy(&self) -> bool {
        let state = self.lock();
        !state.queue.is_empty() || state.threads > state.idle
    }

    /// Any thread: has the task run by one of the pool's.
    ///
    /// # Errors
    /// If there is no thread and none can be started; then the task is cancelled.
    pub(crate) fn push(self: &Arc<Self>, task: BlockingTask) -> io::Result<()> {
        let mut state = self.lock();
        if state.phase == Phase::Closed {
            drop(state);
            drop(task);
            return Ok(());
        }
        state.queue.push_back(task);
        if state.phase == Phase::Closing || !state.needs_thread(self.limits.threads_max) {
            self.called.notify_one();
            return Ok(());
        }
        state.threads += 1;
        state.started += 1;
        let mut thread = thread::Builder::new().name(format!("blocking-{}", state.started));
        drop(state);
        if let Some(bytes) = self.limits.stack_bytes {
            thread = thread.stack_size(bytes);
        }
        let pool = Arc::clone(self);
        let started = thread.spawn(move || pool.work());
        started
            .map(drop)
            .or_else(|error| self.do_without_thread(error))
    }

    /// A thread that was counted could not be started.
    fn do_without_thread(&self, error: io::Error) -> io::Result<()> {
        let mut state = self.lock();
        state.threads -= 1;
        if state.threads > 0 {
            drop(state);
            reactor::log!(warn, %error, "no further thread for blocking work could be started");
            return Ok(());
        }
        let nobodys = mem::take(&mut state.queue);
        self.empty.notify_all();
        drop(state);
        drop(nobodys);
        (self.when_free)();
        Err(error)
    }

    /// The life of a thread.
    fn work(&self) {
        if let Some(affinity) = &self.affinity
            && let Err(error) = affinity.apply()
        {
            reactor::log!(warn, %error, "a thread for blocking work could not be given its affinity mask");
        }
        let mut state = self.lock();
        while state.phase == Phase::Open {
            if let Some(task) = state.queue.pop_front() {
                drop(state);
                task.run();
                if !self.origin.is_here() {
                    // The closure has forked, and this is the child: the others are not there, and one may have held the lock.
                    end_child();
                }
                state = self.lock();
                continue;
            }
            state.idle += 1;
            (self.when_free)();
            let is_uncalled = |state: &mut State| state.calls == 0 && state.phase == Phase::Open;
            let waited = self
                .called
                .wait_timeout_while(state, self.limits.keep_alive, is_uncalled);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.calls == 0 {
                state.idle -= 1;
                break;
            }
            // Whoever called has counted it out of the idle ones.
            state.calls -= 1;
        }
        state.threads -= 1;
        if state.threads == 0 {
            self.empty.notify_all();
        }
    }

    /// No further closure begins; those that run have this long from now on.
    pub(crate) fn close(&self, limit: Duration) -> Closing<'_> {
        self.lock().phase = Phase::Closing;
        self.called.notify_all();
        Closing {
            pool: self,
            start: Instant::now(),
            limit,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// After a push: whether a thread has to be started. If one is free, it is counted as called, and has to be.
    fn needs_thread(&mut self, threads_max: usize) -> bool {
        if self.idle > 0 {
            self.idle -= 1;
            self.calls += 1;
            return false;
        }
        self.threads < threads_max
    }
}

/// A pool that is coming to its end.
#[must_use = "what it has left is waiting to be cancelled"]
pub(crate) struct Closing<'a> {
    pool: &'a Pool,
    start: Instant,
    limit: Duration,
}

impl Closing<'_> {
    /// Cancels what has not begun, on this thread, and waits for what has, as long as the limits allow.
    pub(crate) fn finish(self) {
        let mut state = self.pool.lock();
        state.phase = Phase::Closed;
        let cancelled = mem::take(&mut state.queue);
        drop(state);
        drop(cancelled);
        let mut patience = Patience::new();
        loop {
            let left = self.limit.saturating_sub(self.start.elapsed());
            let threads = self.wait(left.min(patience.left()));
            if threads == 0 {
                return;
            }
            if left.is_zero() {
                reactor::log!(
                    warn,
                    target: "executor::shutdown",
                    threads,
                    "blocking closures still run, and are left to themselves"
                );
                return;
            }
            if let Some(waited) = patience.ran_out() {
                reactor::log!(
                    warn,
                    target: "executor::shutdown",
                    threads,
                    ?waited,
                    "the shutdown of a runtime waits for blocking closures"
                );
            }
        }
    }

    /// Waits for the threads to leave; returns how many have not.
    fn wait(&self, limit: Duration) -> usize {
        let waited = self
            .pool
            .empty
            .wait_timeout_while(self.pool.lock(), limit, |state| state.threads > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.threads
    }
}
