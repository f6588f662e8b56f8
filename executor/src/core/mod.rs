//! One core: its tasks, its run queue, its inboxes and outboxes, its timers and its reactor. Lives on one thread and never leaves it.
//!
//! [`run_loop`] turns it; [`context`] finds it; [`shared`] is what others see of it.

mod clock;
pub(crate) mod context;
mod counters;
mod cpu_share;
mod ending;
mod homecoming;
mod idle;
pub(crate) mod locals;
mod meeting;
mod outbox;
pub(crate) mod pair_ring;
mod paused;
pub(crate) mod prefetch;
mod progress;
mod run_loop;
mod runtime;
mod shared;
mod shutdown;
pub(crate) mod spares;
mod stillness;
mod timers;
mod watchdog;

#[cfg(test)]
mod locals_tests;
#[cfg(all(test, modelled))]
mod loom_tests;

pub(crate) use clock::{Clock, WrongMode};
pub(crate) use cpu_share::PinnedCore;
pub(crate) use runtime::RuntimeShared;
pub(crate) use shared::CoreShared;
pub(crate) use timers::Timers;

use crate::idle::IdlePolicy;
use crate::stats::CoreStats;
use crate::task::{Header, Id, JoinHandle, TaskRef, allocate, allocate_named};
use idle::Idle;
use locals::Locals;
use outbox::Outboxes;
use pair_ring::{Receiver, Sender};
use progress::Phase;
use reactor::monitor::Monitor;
use reactor::{Origin, Reactor};
use slab::Slab;
use spares::Spares;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

/// One direction of every pair this core is part of, by the other core's number; `None` for itself.
pub(crate) struct Wiring {
    pub(crate) senders: Vec<Option<Sender<Header>>>,
    pub(crate) receivers: Vec<Receiver<Header>>,
}

/// One core, for itself.
pub(crate) struct Core {
    origin: Origin,
    shared: Arc<CoreShared>,
    runtime: Arc<RuntimeShared>,
    reactor: Rc<Reactor>,
    /// Every task that was linked here and not released. Holds the reference by which the run queue's pointers are good.
    tasks: RefCell<Slab<TaskRef>>,
    run_queue: RefCell<VecDeque<NonNull<Header>>>,
    receivers: RefCell<Vec<Receiver<Header>>>,
    outboxes: RefCell<Outboxes>,
    timers: Rc<Timers>,
    locals: Locals,
    spares: Spares,
    idle: Idle,
    /// How to watch the header line, if that is possible and wanted.
    monitor: Option<Monitor>,
    is_closing: Cell<bool>,
    /// What tracing was told of the counters.
    told: Cell<CoreStats>,
}

impl Core {
    pub(crate) fn new(
        shared: Arc<CoreShared>,
        runtime: Arc<RuntimeShared>,
        reactor: Reactor,
        wiring: Wiring,
        policy: IdlePolicy,
        monitor: Option<Monitor>,
    ) -> Self {
        let doorbell = monitor.and_then(|_| reactor.doorbell());
        let monitor = monitor.filter(|_| doorbell.is_some());
        if let Some(doorbell) = doorbell {
            shared.set_doorbell(doorbell);
        }
        // An older kernel does not tell.
        if let Ok(max) = reactor.file_workers_max() {
            shared.counters().set_file_workers_max(max);
        }
        let cores = runtime.cores().len();
        let cpu = runtime.cpus()[shared.index()];
        let outboxes = Outboxes::new(runtime.cores(), wiring.senders);
        let timers = Timers::new(Arc::clone(runtime.clock()));
        Self {
            origin: Origin::here(),
            shared,
            runtime,
            reactor: Rc::new(reactor),
            tasks: RefCell::new(Slab::new()),
            run_queue: RefCell::new(VecDeque::new()),
            receivers: RefCell::new(wiring.receivers),
            outboxes: RefCell::new(outboxes),
            timers: Rc::new(timers),
            locals: Locals::default(),
            spares: Spares::new(cores),
            idle: Idle::new(policy, cpu, monitor.is_some()),
            monitor,
            is_closing: Cell::new(false),
            told: Cell::default(),
        }
    }

    /// Whether this is the process that it was made in. In a forked child it is a copy that nobody turns, and that must not touch what it shares
    /// with the original: what reaches that asks first.
    #[inline]
    pub(crate) fn is_here(&self) -> bool {
        self.origin.is_here()
    }

    /// # Panics
    /// In a forked child, saying that `what` cannot be used there.
    #[inline]
    #[track_caller]
    pub(crate) fn expect_here(&self, what: &str) {
        self.origin.expect_here(what);
    }

    pub(crate) fn index(&self) -> usize {
        self.shared.index()
    }

    pub(crate) fn runtime(&self) -> &Arc<RuntimeShared> {
        &self.runtime
    }

    pub(crate) fn reactor(&self) -> &Rc<Reactor> {
        &self.reactor
    }

    pub(crate) fn timers(&self) -> &Rc<Timers> {
        &self.timers
    }

    pub(crate) fn locals(&self) -> &Locals {
        &self.locals
    }

    /// The task whose future this core is polling or dropping.
    pub(crate) fn current_task(&self) -> Option<Id> {
        self.shared.progress().current_task()
    }

    /// Calls `call`, which drops the future of this task, inside of whatever this core does.
    pub(crate) fn inside_of(&self, task: &TaskRef, call: impl FnOnce()) {
        let _inside = self.shared.progress().begin_inside(task);
        call();
    }

    /// Says what this core is doing, to the other cores and to the watchdog.
    fn enter(&self, phase: Phase) {
        self.shared.progress().enter(phase);
        self.runtime.watchdog().rouse();
    }

    #[inline]
    pub(crate) fn is(&self, core: &Arc<CoreShared>) -> bool {
        Arc::ptr_eq(&self.shared, core)
    }

    /// Whether this core may send to that one through a pair ring. Not while it shuts down: then the rings get their last look.
    fn is_peer_of(&self, core: &CoreShared) -> bool {
        self.shared.number_for(core).is_some() && !self.is_closing.get()
    }

    /// Starts a task on this core. If the core is shutting down, the task is cancelled at once.
    pub(crate) fn spawn<F: Future + 'static>(&self, future: F) -> JoinHandle<F::Output> {
        // SAFETY: it stays on this thread, and borrows nothing.
        unsafe { self.spawn_unchecked(future) }
    }

    /// # Safety
    /// What the future and its output borrow outlives the task's completion.
    pub(crate) unsafe fn spawn_unchecked<F: Future>(&self, future: F) -> JoinHandle<F::Output> {
        // SAFETY: it stays on this thread; the rest is passed on to the caller.
        let (task, handle) = unsafe { allocate(self.reference_to(&self.shared), false, future) };
        self.admit(task);
        handle
    }

    /// As [`spawn`](Self::spawn), with a name.
    pub(crate) fn spawn_named<F: Future + 'static>(
        &self,
        future: F,
        name: Arc<str>,
    ) -> JoinHandle<F::Output> {
        let core = self.reference_to(&self.shared);
        // SAFETY: it stays on this thread, and borrows nothing.
        let (task, handle) = unsafe { allocate_named(core, false, future, name) };
        self.admit(task);
        handle
    }

    #[inline]
    pub(crate) fn spares(&self) -> &Spares {
        &self.spares
    }

    /// A reference to `core`, for a task of it that is made here.
    #[inline]
    pub(crate) fn reference_to(&self, core: &Arc<CoreShared>) -> Arc<CoreShared> {
        let spare = if self.shared.is_of_same_runtime(core) {
            self.spares.take_reference(core.index())
        } else {
            None
        };
        spare.unwrap_or_else(|| Arc::clone(core))
    }

    /// A task that was freed on this core had this reference to its own.
    #[inline]
    pub(crate) fn give_reference(&self, reference: Arc<CoreShared>) {
        if self.shared.is_of_same_runtime(&reference) {
            self.spares.give_reference(reference);
        }
    }

    /// Links a task that was made for this core and has not been here before, and queues it.
    #[inline]
    pub(crate) fn admit(&self, task: TaskRef) {
        if self.is_closing.get() {
            // Its cancel may have to wait (see `disposal`). Until then nobody else may take an abort of it for the message that brings it here, and
            // cancel it as well.
            let _ = task.header().notify();
            self.shared.settle(task);
            return;
        }
        let mut tasks = self.tasks.borrow_mut();
        let entry = tasks.vacant_entry();
        task.header().link(entry.key());
        self.enqueue(&task);
        entry.insert(task);
    }

    /// Queues a task of this core, unless it is queued or complete.
    #[inline]
    fn enqueue(&self, task: &TaskRef) {
        if task.header().enqueue() {
            self.run_queue.borrow_mut().push_back(task.as_raw());
        }
    }

    /// A message has come in: a new task, a wake, or a task of another core that has completed.
    fn receive(&self, task: TaskRef) {
        if !self.is(task.header().core()) {
            task.wake_joiner();
            return;
        }
        task.header().unnotify();
        match task.header().slot() {
            None => self.admit(task),
            Some(_) => self.enqueue(&task),
        }
    }

    /// Sends a message to another core of the runtime, the one of this number, at the end of this turn.
    fn send(&self, core: usize, task: TaskRef) {
        self.outboxes.borrow_mut().push(core, task);
    }
}
