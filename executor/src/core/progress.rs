//! What a core is doing, as a few words: written by the core, read by those who wait for it (`meeting`) and by the `watchdog`.
//!
//! | word     | the core writes it                                             | it says                                         |
//! |----------|----------------------------------------------------------------|-------------------------------------------------|
//! | `phase`  | when its loop begins or ends, and at each step of its shutdown | the [`Phase`]                                   |
//! | `rounds` | once a turn, while it spins, and after each drop of a task     | that it has come round, if it is another number |
//! | `future` | before each poll or drop; null when it comes round             | which future is being polled or dropped         |
//! | `task`   | before each poll or drop                                       | with `future`: the address of that task. Nobody reads what is there |
//! | `name`   | before and after each poll or drop of a task that has a name   | the name; behind a lock, which only such tasks take |
//!
//! A task that comes when the core closes is dropped inside of another's drop: `future`, `task` and
//! `name` are put back afterwards.
//!
//! They order nothing and are read as a snapshot of a moment, so all accesses are relaxed. The core is the one writer: what it writes are plain
//! stores, to a line that only the watchdog reads, twice a second at most.

use crate::task::{Header, Id, TaskRef, Vtable};
use reactor::park::State;
use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where a core is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Its thread is not in its loop: not yet, no more, or core 0 between two `block_on`s.
    Outside,
    /// In its loop.
    Turning,
    /// Shutting down: drops its tasks.
    DroppingTasks,
    /// Shutting down: drops the values that live on it.
    DroppingValues,
    /// Shutting down: waits for the kernel to give operations back.
    Reaping,
    /// Shutting down: waits for the other cores.
    Meeting,
}

impl Phase {
    const ALL: [Self; 6] = [
        Self::Outside,
        Self::Turning,
        Self::DroppingTasks,
        Self::DroppingValues,
        Self::Reaping,
        Self::Meeting,
    ];
}

/// One core's progress.
pub(super) struct Progress {
    phase: AtomicU8,
    rounds: AtomicU64,
    future: AtomicPtr<Vtable>,
    task: AtomicPtr<Header>,
    name: Mutex<Option<Arc<str>>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            phase: AtomicU8::new(Phase::Outside as u8),
            rounds: AtomicU64::new(0),
            future: AtomicPtr::new(ptr::null_mut()),
            task: AtomicPtr::new(ptr::null_mut()),
            name: Mutex::default(),
        }
    }
}

impl Progress {
    /// Core: enters a phase; no future is being polled or dropped.
    pub(super) fn enter(&self, phase: Phase) {
        self.future.store(ptr::null_mut(), Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Core: is about to poll or drop the future of this task.
    #[inline]
    pub(super) fn begin(&self, task: &TaskRef) {
        let future = ptr::from_ref(task.header().vtable()).cast_mut();
        self.future.store(future, Ordering::Relaxed);
        self.task.store(task.as_raw().as_ptr(), Ordering::Relaxed);
    }

    /// Core: the task whose future it is polling or dropping.
    pub(super) fn current_task(&self) -> Option<Id> {
        if self.future.load(Ordering::Relaxed).is_null() {
            return None;
        }
        Id::from_address(self.task.load(Ordering::Relaxed).addr())
    }

    /// Core: drops the future of this task, maybe inside of a poll or drop of another's, as long as
    /// the guard lives.
    pub(super) fn begin_inside(&self, task: &TaskRef) -> Inside<'_> {
        let inside = Inside {
            progress: self,
            future: self.future.load(Ordering::Relaxed),
            task: self.task.load(Ordering::Relaxed),
        };
        self.begin(task);
        inside
    }

    /// Core: before and after it polls or drops the future of a task that has a name. Returns the
    /// name that it showed before, for the call afterwards.
    pub(super) fn show(&self, name: Option<Arc<str>>) -> Option<Arc<str>> {
        std::mem::replace(&mut *self.lock_name(), name)
    }

    fn lock_name(&self) -> std::sync::MutexGuard<'_, Option<Arc<str>>> {
        self.name.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Core: has come round, or on; no future is being polled or dropped.
    #[inline]
    pub(super) fn came_round(&self) {
        self.future.store(ptr::null_mut(), Ordering::Relaxed);
        let rounds = self.rounds.load(Ordering::Relaxed);
        self.rounds.store(rounds.wrapping_add(1), Ordering::Relaxed);
    }

    /// Anyone: what the core, which said this of its sleep, is doing.
    pub(super) fn read(&self, state: State) -> Doing {
        let future = self.future.load(Ordering::Relaxed);
        Doing {
            phase: Phase::ALL[usize::from(self.phase.load(Ordering::Relaxed))],
            rounds: self.rounds.load(Ordering::Relaxed),
            // SAFETY: what `begin` stores are `'static` references, to what never changes.
            future: unsafe { future.as_ref() },
            name: self.lock_name().clone(),
            sleeps: state != State::Running,
        }
    }
}

/// Another task's future is being dropped. Afterwards the core says again what it said before.
#[must_use]
pub(super) struct Inside<'a> {
    progress: &'a Progress,
    future: *mut Vtable,
    task: *mut Header,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.progress.future.store(self.future, Ordering::Relaxed);
        self.progress.task.store(self.task, Ordering::Relaxed);
    }
}

/// What a core is doing.
#[derive(Clone)]
pub(super) struct Doing {
    pub(super) phase: Phase,
    rounds: u64,
    future: Option<&'static Vtable>,
    name: Option<Arc<str>>,
    /// In its loop: it watches its line or blocks in the kernel.
    sleeps: bool,
}

impl Doing {
    /// The type of the future that is being polled or dropped.
    pub(super) fn future(&self) -> Option<&'static str> {
        self.future.map(Vtable::future_name)
    }

    /// The name of the task whose future that is, if it has one.
    pub(super) fn task(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it should get on with what it is doing.
    pub(super) fn is_busy(&self) -> bool {
        match self.phase {
            Phase::Turning => !self.sleeps,
            Phase::DroppingTasks | Phase::DroppingValues => true,
            // The reactor has a limit, and says itself what it waits for; so do those who meet.
            Phase::Outside | Phase::Reaping | Phase::Meeting => false,
        }
    }

    /// Whether nothing has moved from `earlier` to now.
    pub(super) fn is_still(&self, earlier: &Self) -> bool {
        let place = |doing: &Self| doing.future.map(ptr::from_ref);
        self.phase == earlier.phase
            && self.rounds == earlier.rounds
            && place(self) == place(earlier)
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match (self.phase, self.future) {
            (Phase::Turning, Some(_)) => "has not returned from the poll of a future",
            (Phase::Turning, None) => "has not come round, and runs no task",
            (Phase::DroppingTasks, Some(_)) => "has not returned from the drop of a future",
            (Phase::DroppingTasks, None) => "drops its tasks",
            (Phase::DroppingValues, _) => "drops its own values",
            (Phase::Reaping, _) => "waits for the kernel to give operations back",
            (Phase::Outside | Phase::Meeting, _) => "is about to shut down",
        })
    }
}
