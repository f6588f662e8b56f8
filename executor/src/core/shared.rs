//! What the rest of the world sees of a core: its state word, its foreign queue and its kernel wake.
//!
//! Reference-counted by every task of the core, and so by every waker: it outlives the core's thread, and a task that is sent to a core
//! that has gone is cancelled on the sender's thread.

use super::counters::Counters;
use super::ending::Closed;
use super::homecoming::Homecoming;
use super::progress::{Doing, Progress};
use crate::stats::CoreStats;
use crate::task::TaskRef;
use crossbeam_queue::SegQueue;
use crossbeam_utils::CachePadded;
use reactor::doorbell::Doorbell;
use reactor::park::{ParkState, Wake, publish_fence};
use reactor::{KernelWake, Origin};
use std::ptr;
use std::sync::{Arc, OnceLock};

/// Names one runtime of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RuntimeId(pub(crate) u64);

/// One core, for everybody else.
pub(crate) struct CoreShared {
    origin: Origin,
    runtime: RuntimeId,
    index: usize,
    /// On a line of its own: read by others after each batch they send.
    state: CachePadded<ParkState>,
    foreign: SegQueue<TaskRef>,
    /// Set once, when the core stops taking tasks in.
    closed: Closed,
    homecoming: Homecoming,
    wake: Arc<KernelWake>,
    /// Set before the core is first `Monitoring`, if it can be.
    doorbell: OnceLock<Doorbell>,
    /// On lines of their own: the core writes them all the time.
    counters: CachePadded<Counters>,
    /// Likewise.
    progress: CachePadded<Progress>,
}

impl CoreShared {
    pub(crate) fn new(runtime: RuntimeId, index: usize, wake: Arc<KernelWake>) -> Self {
        Self {
            origin: Origin::here(),
            runtime,
            index,
            state: CachePadded::new(ParkState::new()),
            foreign: SegQueue::new(),
            closed: Closed::new(),
            homecoming: Homecoming::new(),
            wake,
            doorbell: OnceLock::new(),
            counters: CachePadded::default(),
            progress: CachePadded::default(),
        }
    }

    /// The process that it was made in.
    #[inline]
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// This core's number, for `other`, if that is another core of the same runtime.
    #[inline]
    pub(crate) fn number_for(&self, other: &Self) -> Option<usize> {
        let is_peer = self.is_of_same_runtime(other) && self.index != other.index;
        is_peer.then_some(self.index)
    }

    #[inline]
    pub(super) fn is_of_same_runtime(&self, other: &Self) -> bool {
        self.runtime == other.runtime
    }

    pub(super) fn state(&self) -> &ParkState {
        &self.state
    }

    pub(crate) fn kernel_wake(&self) -> &Arc<KernelWake> {
        &self.wake
    }

    pub(crate) fn homecoming(&self) -> &Homecoming {
        &self.homecoming
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    #[inline]
    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Core: before and after each poll or drop of the future of a task that has a name. Returns
    /// the name that was shown before.
    pub(crate) fn show_task(&self, name: Option<Arc<str>>) -> Option<Arc<str>> {
        // In a forked child nobody looks, and the watchdog may have held the lock.
        if !self.origin.is_here() {
            return None;
        }
        self.progress.show(name)
    }

    /// What it is doing now.
    pub(super) fn doing(&self) -> Doing {
        self.progress.read(self.state.get())
    }

    /// What it has counted, and what it is doing now.
    pub(super) fn stats(&self) -> CoreStats {
        self.counters.read(self.state.get())
    }

    /// Owner, before its loop begins: how it is woken while it watches its line.
    pub(super) fn set_doorbell(&self, doorbell: Doorbell) {
        self.doorbell
            .set(doorbell)
            .expect("a core has one ring, and sets its doorbell once");
    }

    /// Wakes the core if it sleeps. To be called after a push and `publish_fence`. Returns what it took.
    #[inline]
    pub(crate) fn ring(&self) -> Wake {
        let wake = self.state.ring();
        match wake {
            Wake::Nothing => {}
            Wake::Store => self
                .doorbell
                .get()
                .expect("a core has a doorbell before it watches")
                .ring(),
            Wake::Kernel => self.wake.wake(),
        }
        wake
    }

    /// Sends a task from any thread, and returns what it took to tell the core. If that has closed, the task is settled here and now.
    pub(super) fn inject(&self, task: TaskRef) -> Option<Wake> {
        if !self.origin.is_here() {
            // A forked child: nobody is there to take it, and a push of another thread's that the fork cut in half would never end.
            std::mem::forget(task);
            return None;
        }
        self.foreign.push(task);
        publish_fence();
        if self.closed.is_set() {
            self.settle_foreign();
            None
        } else {
            Some(self.ring())
        }
    }

    /// Owner: the oldest task that came through the foreign queue.
    pub(super) fn take_foreign(&self) -> Option<TaskRef> {
        self.foreign.pop()
    }

    /// Whether the foreign queue is empty, and no push into it is half done.
    pub(super) fn foreign_is_empty(&self) -> bool {
        self.foreign.is_empty()
    }

    /// Owner: from now on nothing is taken in. What is in the queue, or will be, is settled.
    pub(super) fn close(&self) {
        self.closed.set();
        self.settle_foreign();
    }

    /// For a core that has closed: cancels the tasks that never reached it, and forgets the wakes of those that did.
    fn settle_foreign(&self) {
        while let Some(task) = self.foreign.pop() {
            self.settle(task);
        }
    }

    /// A message for this core, which has closed, or is just closing.
    pub(super) fn settle(&self, task: TaskRef) {
        if !ptr::eq(self, &raw const **task.header().core()) {
            // Another core's, which has completed. Who waits for it was ended here, or will be; what is left to do is to drop its waker.
            task.wake_joiner();
        } else if task.header().slot().is_none() {
            // SAFETY: it was never linked, and this is the message that carries it: nobody has polled it, and whoever sent it made sure
            // that it may be dropped on any thread.
            unsafe { task.cancel_unrun() };
        }
        // A linked task is its core's to end, and was ended or is about to be.
    }
}
