//! The loop: each phase bounded, and blocking only when every source of work was looked at after saying so.

use super::Core;
use super::counters::Ended;
use super::outbox::Outboxes;
use super::progress::Phase;
use crate::stats::Wakes;
use crate::task::{Header, Polled, TaskRef};
use reactor::budget;
use reactor::park::Look;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

/// Messages taken from each inbox in a turn: a storm from one core leaves room for the others, for timers and for I/O.
const INBOX_BATCH: usize = 256;
/// Polls in a turn. With `RUN_TIME` it bounds how long a completion, a timer or a message waits behind tasks that are ready.
const RUN_POLLS: usize = 128;
/// Time in a turn, from its eighth poll on, after which no further eight are started: a turn with one task to run, as a remote call makes
/// many, does not read the clock for it.
const RUN_TIME: Duration = Duration::from_micros(500);
/// The clock costs about as much as a few small polls.
const POLLS_PER_CLOCK: usize = 8;

/// Panics of tasks, wakers and drops are contained, so one that gets to the loop is the ring's, or a bug of ours. The core's tasks would never
/// run again, and the others would wait for it at their end: better no process than one that hangs.
pub(super) struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        eprintln!("the executor cannot go on: a core's loop has panicked, as printed above");
        std::process::abort();
    }
}

impl Core {
    /// Turns the loop until `is_done` says so, asked after each time tasks ran. Does not unwind: a panic in it ends the process.
    ///
    /// In a child that a task has forked, it returns as soon as that task's poll does: what else is ready is the parent's to run.
    pub(crate) fn run_until(&self, is_done: impl Fn() -> bool) {
        let abort = AbortOnUnwind;
        self.enter(Phase::Turning);
        budget::limited(|| self.turn_until(is_done));
        if self.is_here() {
            self.tell();
            // The loop may not go on for a long time: nothing waits in it that others are waiting for.
            self.reactor.turn();
            self.publish_all();
            self.enter(Phase::Outside);
        }
        std::mem::forget(abort);
    }

    fn turn_until(&self, is_done: impl Fn() -> bool) {
        // A task may fork, or a waker. What is unsent then is not the child's to send; and another
        // core may have held the lock of a ring's overflow, which nobody gives back there.
        while self.is_here() {
            self.drain_inboxes();
            self.run_ready();
            self.shared.progress().came_round();
            if !self.is_here() {
                return;
            }
            self.publish();
            if is_done() {
                return;
            }
            self.timers.fire();
            if !self.is_here() {
                return;
            }
            if self.run_queue.borrow().is_empty() {
                self.publish_all();
                self.park();
            } else {
                self.reactor.turn();
            }
            self.tell();
        }
    }

    fn drain_inboxes(&self) {
        for receiver in self.receivers.borrow_mut().iter_mut() {
            receiver.take(INBOX_BATCH, |header| {
                // SAFETY: the sender gave the ring a reference, and the ring gave it to us.
                self.receive(unsafe { TaskRef::from_raw(header) });
            });
        }
        // Popping from an empty queue costs a fence; looking does not.
        if self.shared.foreign_is_empty() {
            return;
        }
        for _ in 0..INBOX_BATCH {
            match self.shared.take_foreign() {
                Some(task) => self.receive(task),
                None => break,
            }
        }
    }

    /// Runs what is ready now, within the budget. What becomes ready meanwhile is behind it in the queue.
    fn run_ready(&self) {
        let mut deadline = None;
        let origin = self.origin;
        for polls in 1..=RUN_POLLS {
            let Some(header) = self.run_queue.borrow_mut().pop_front() else {
                return;
            };
            // SAFETY: a task in the run queue is in the table, which holds a reference.
            unsafe { self.run(header) };
            if !origin.is_here() {
                return;
            }
            if polls % POLLS_PER_CLOCK == 0 {
                let now = Instant::now();
                if now >= *deadline.get_or_insert(now + RUN_TIME) {
                    return;
                }
            }
        }
    }

    /// # Safety
    /// The table holds a reference to the task, which is not being polled.
    #[inline]
    unsafe fn run(&self, header: NonNull<Header>) {
        // SAFETY: passed on to the caller; it is borrowed from the table.
        let task = ManuallyDrop::new(unsafe { TaskRef::from_raw(header) });
        let header = task.header();
        let slot = header.linked_slot();
        header.dequeue();
        let polled = if header.is_complete() {
            Polled::Complete
        } else {
            self.shared.progress().begin(&task);
            budget::renew();
            // SAFETY: this is the task's core, between polls.
            unsafe { task.run() }
        };
        match polled {
            Polled::Pending => {}
            Polled::Released => {
                // Its reference is gone already.
                std::mem::forget(self.tasks.borrow_mut().remove(slot));
            }
            Polled::Awaited(core) => {
                // The joiner's header is in its core's cache, and stays there: only the outcome travels.
                debug_assert!(!self.is_closing.get(), "the rings get their last look");
                let task = self.tasks.borrow_mut().remove(slot);
                self.send(core, task);
            }
            // If it woke itself while it completed it is in the queue again, and is released when it comes out.
            Polled::Complete if header.is_queued() => {}
            Polled::Complete => {
                let task = self.tasks.borrow_mut().remove(slot);
                // May run foreign code: nothing is borrowed.
                drop(task);
            }
        }
    }

    /// What was counted since the last time, as events. Whoever gets them may start tasks and wake them: nothing is borrowed, and the loop comes
    /// round before it sleeps.
    fn tell(&self) {
        if tracing::level_enabled!(tracing::Level::TRACE) {
            let stats = self.shared.stats();
            let before = self.told.replace(stats);
            let core = self.index();
            stats.tell_since(&before, core);
        }
    }

    /// Sends what the rings have room for.
    fn publish(&self) {
        self.publish_by(Outboxes::publish);
    }

    /// Sends everything. Before this core may sleep, and so not be there to send it later.
    pub(super) fn publish_all(&self) {
        self.publish_by(Outboxes::publish_all);
    }

    fn publish_by(&self, publish: impl FnOnce(&mut Outboxes) -> Wakes) {
        let mut outboxes = self.outboxes.borrow_mut();
        if !outboxes.is_empty() {
            let wakes = publish(&mut outboxes);
            self.shared.counters().sent(wakes);
        }
    }

    pub(super) fn has_messages(&self) -> bool {
        self.receivers
            .borrow()
            .iter()
            .any(|receiver| !receiver.is_empty())
            || !self.shared.foreign_is_empty()
            || self.runtime.is_stopping()
    }

    /// Nothing to do: spins, watches the header line, and blocks in the kernel, each as long as the policy has it, until there is work.
    fn park(&self) {
        let mut stays_awake = self.idle.stays_awake();
        if stays_awake {
            if self.reactor.turn() > 0 {
                return;
            }
            // A kernel that still asks to be entered, right after an enter that yielded nothing, may mean it or have set its flag a moment
            // too late; looking at that would never end. The blocking enter tells, and returns at once if it was meant.
            stays_awake = !self.reactor.has_work();
        }
        // An answer from another core is there within these looks; the clock would cost it more than they do.
        if stays_awake
            && self.idle.spin_ns() > 0
            && let Some(found) = self.look_about()
        {
            return self.spin_found(found);
        }
        if self.runtime.clock().is_paused() {
            return self.park_paused();
        }
        let start_ns = self.timers.now_ns();
        let spin_end_ns = start_ns.saturating_add(self.idle.spin_ns());
        if stays_awake && let Some(found) = self.spin_until(spin_end_ns) {
            return self.spin_found(found);
        }
        if !(stays_awake && self.monitor_until(spin_end_ns.saturating_add(self.idle.monitor_ns())))
        {
            self.block();
        }
        self.runtime.watchdog().rouse();
        let idle_ns = self.timers.now_ns().saturating_sub(start_ns);
        self.idle.learn(idle_ns);
    }

    /// It was there within the time of a spin: nothing more has to be measured.
    fn spin_found(&self, found: Ended) {
        self.shared.counters().spun.add(found);
        self.idle.learn(0);
    }

    /// Whether there is something to do, but for timers.
    #[inline]
    fn look(&self) -> Option<Ended> {
        if self.has_messages() {
            return Some(Ended::Message);
        }
        self.reactor.has_work().then_some(Ended::Completion)
    }

    /// Looks a few times, until there is something to do.
    fn look_about(&self) -> Option<Ended> {
        /// A clock reading costs as much as a dozen looks, and delays the next one by that.
        const LOOKS_PER_CLOCK: u32 = 16;
        (0..LOOKS_PER_CLOCK).find_map(|_| {
            std::hint::spin_loop();
            self.look()
        })
    }

    /// Until there is something to do; `None` at `end_ns`.
    fn spin_until(&self, end_ns: u64) -> Option<Ended> {
        if self.idle.spin_ns() == 0 {
            return None;
        }
        let timer_ns = self.timers.next_deadline_ns().unwrap_or(u64::MAX);
        loop {
            self.shared.progress().came_round();
            let found = self.look_about();
            if found.is_some() {
                return found;
            }
            let now_ns = self.timers.now_ns();
            if now_ns >= timer_ns {
                return Some(Ended::Timer);
            }
            if now_ns >= end_ns {
                self.shared.counters().spun.add(Ended::Nothing);
                return None;
            }
        }
    }

    /// Watches the header line: true when there is something to do, false at `end_ns`.
    fn monitor_until(&self, end_ns: u64) -> bool {
        let Some(monitor) = self.monitor.filter(|_| self.idle.monitor_ns() > 0) else {
            return false;
        };
        let timer_ns = self.timers.next_deadline_ns().unwrap_or(u64::MAX);
        let mut ended = Ended::Nothing;
        let found_work = self.shared.state().monitor(
            || self.reactor.arm(monitor),
            || {
                if let Some(found) = self.look() {
                    ended = found;
                    return Look::Work;
                }
                let now_ns = self.timers.now_ns();
                if now_ns >= timer_ns {
                    ended = Ended::Timer;
                    return Look::Work;
                }
                match timer_ns.min(end_ns).saturating_sub(now_ns) {
                    0 => Look::GiveUp,
                    left_ns => Look::Nothing(Duration::from_nanos(left_ns)),
                }
            },
            |limit| self.reactor.watch(monitor, limit),
        );
        self.shared.counters().monitored.add(ended);
        found_work
    }

    fn block(&self) {
        let mut completions = 0;
        let waited = self.shared.state().block(
            || self.has_messages(),
            || completions = self.reactor.wait(self.until_next_timer()),
        );
        if waited {
            // A message comes with the completion that is the kernel wake.
            let ended = match self.has_messages() {
                true => Ended::Message,
                false if completions > 0 => Ended::Completion,
                false if self.until_next_timer() == Some(Duration::ZERO) => Ended::Timer,
                false => Ended::Nothing,
            };
            self.shared.counters().blocked.add(ended);
        } else {
            self.shared.counters().block_given_up();
            self.reactor.turn();
        }
    }

    fn until_next_timer(&self) -> Option<Duration> {
        let deadline_ns = self.timers.next_deadline_ns()?;
        let left_ns = deadline_ns.saturating_sub(self.timers.now_ns());
        Some(Duration::from_nanos(left_ns))
    }
}
