//! A runtime whose time is paused: how it is paused and resumed, and how its cores wait. Nothing here runs in a program that never pauses its time.

use super::clock::WrongMode;
use super::counters::Ended;
use super::stillness::{Idle, Surroundings, Verdict};
use super::{Core, RuntimeShared};
use reactor::park::{State, publish_fence};
use std::time::Duration;

/// How often a core reaps in one look. Most completions wake a task, and that ends the look.
const REAPS_MAX: usize = 64;

/// A timer that is so far ahead stands for "never": time does not jump to it.
const JUMP_MAX: Duration = Duration::from_secs(86_400 * 365 * 20);

impl RuntimeShared {
    /// Stops the clock. To be called on a core of this runtime.
    ///
    /// # Errors
    /// If it is paused already.
    pub(crate) fn pause(&self) -> Result<(), WrongMode> {
        self.clock().pause()?;
        // The others may sleep until a real time. A task of theirs makes them come round, and see the flag.
        for core in 0..self.cores().len() {
            drop(crate::spawn_on(core, async || {}));
        }
        Ok(())
    }

    /// Lets the clock go on in real time.
    ///
    /// # Errors
    /// If it is not paused.
    pub(crate) fn resume(&self) -> Result<(), WrongMode> {
        self.clock().resume()?;
        // Those that wait for a jump have to wait for a real time instead. The fence pairs with the one in `ParkState::block`: a core that is about to
        // wait sees that there is no pause, when it settles, or we see that it blocks.
        publish_fence();
        for core in self.cores() {
            let _ = core.ring();
        }
        Ok(())
    }
}

impl Surroundings for RuntimeShared {
    fn hold_time(&self) -> bool {
        self.blocking().is_busy()
    }

    fn is_blocked(&self, core: usize) -> bool {
        self.cores()[core].state().get() == State::Blocked
    }

    fn ring(&self, core: usize) {
        let _ = self.cores()[core].ring();
    }

    fn jump_to(&self, deadline_ns: u64) -> bool {
        let clock = self.clock();
        let ahead_ns = deadline_ns.saturating_sub(clock.now_ns());
        Duration::from_nanos(ahead_ns) < JUMP_MAX && clock.move_to(deadline_ns).is_ok()
    }
}

impl Core {
    /// Nothing to do, and time stands: waits for something to do, or for the jump of time to the next timer of any core. Returns early if time is
    /// not paused any more.
    pub(super) fn park_paused(&self) {
        let stillness = self.runtime.stillness();
        stillness.begin_round();
        loop {
            let round = stillness.begin_look(self.index());
            if !self.runtime.clock().is_paused() {
                break;
            }
            self.reap_all();
            if self.has_something() {
                break;
            }
            let mut completions = 0;
            let mut verdict = Verdict::Wait;
            let has_settled = self.shared.state().block(
                || self.has_messages(),
                || {
                    verdict = self.settle(round);
                    if verdict == Verdict::Wait {
                        completions = self.reactor.wait(None);
                    }
                },
            );
            if !has_settled {
                self.shared.counters().block_given_up();
                break;
            }
            let ended = match verdict {
                Verdict::Jumped => Ended::Timer,
                _ if self.has_messages() => Ended::Message,
                _ if completions > 0 => Ended::Completion,
                _ => Ended::Nothing,
            };
            self.shared.counters().blocked.add(ended);
            if verdict == Verdict::Jumped {
                break;
            }
        }
        self.runtime.watchdog().rouse();
    }

    fn settle(&self, round: u64) -> Verdict {
        if !self.runtime.clock().is_paused() {
            return Verdict::LookAgain;
        }
        let idle = Idle {
            round,
            deadline_ns: self.timers.next_deadline_ns(),
            holds_time: self.reactor.has_work_in_flight(),
        };
        let stillness = self.runtime.stillness();
        stillness.settle(self.index(), idle, &*self.runtime)
    }

    /// Reaps what has completed, and what completes at once.
    fn reap_all(&self) {
        self.reap_until_quiet();
        if self.reactor.in_flight() > 0 {
            // What was sent over the loopback may be delivered by a thread of the kernel.
            std::thread::yield_now();
            self.reap_until_quiet();
        }
    }

    fn reap_until_quiet(&self) {
        for _ in 0..REAPS_MAX {
            let completions = self.reactor.wait(Some(Duration::ZERO));
            if completions == 0 || !self.run_queue.borrow().is_empty() {
                return;
            }
        }
    }

    fn has_something(&self) -> bool {
        let is_due = |deadline_ns: u64| deadline_ns <= self.timers.now_ns();
        !self.run_queue.borrow().is_empty()
            || !self.outboxes.borrow().is_empty()
            || self.has_messages()
            || self.timers.next_deadline_ns().is_some_and(is_due)
    }
}
