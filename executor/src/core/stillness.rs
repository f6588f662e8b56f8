//! How the cores of a runtime find out together that nothing is left to do, so that paused time may jump. Only used while time is paused.
//!
//! Time may jump when no core has a task to run, no message is under way between cores, nothing that ends by itself is in flight, and whatever
//! the last thing that ran has caused was looked for on every core: bytes written to a socket are the peer's to read *before* its time limit.
//!
//! So cores look in rounds. A core that has run something begins a new round ([`Stillness::begin_round`]). A core looks at its ring and its inboxes
//! ([`Stillness::begin_look`]), says by its state word that it blocks, looks at its inboxes once more, and then settles
//! ([`Stillness::settle`]) with the round in which it began to look. If every core has settled with the current round, time jumps.
//! If every core has settled, but some in an earlier round, these are rung to look again. Whoever settles last decides.
//!
//! | a core is | entered by | means |
//! |---|---|---|
//! | `Busy` | `begin_look`; a jump, for the cores that have a timer due | it runs, or looks. Time stands |
//! | `Idle` | `settle`, while its state word is `Blocked` | it found nothing; see below |
//!
//! **Why no message is missed.** Before a core settles it has published what it had to send, and has rung the receivers. Ringing moves
//! the receiver's word away from `Blocked`. The decision is made under the same lock as settling, so it sees these words, and waits unless
//! every one is `Blocked`. A receiver says `Busy` again under the lock before it blocks anew, so its word and its settling are of one look.
//! The threads of `spawn_blocking` wake the task that waits for a closure before they count as free; the decision asks for them first, and reads the
//! words after that.
//!
//! **Why no completion is missed.** A round begins after the last core has run something. Each core enters the kernel and reaps after that,
//! or it could not settle with that round. What comes later was caused by nothing that ran on a core: it is from outside.
//!
//! **Why a jump comes.** Whatever changes one of the conditions rings a core that then settles: a message its receiver, an operation's completion
//! its core, a thread that is free again core 0.

use crate::primitives::{Mutex, MutexGuard, left_out};
use std::sync::PoisonError;

/// What the cores of a paused runtime know of each other.
pub(super) struct Stillness(Mutex<State>);

struct State {
    /// Counts the times that a core had run something before it found nothing to do.
    round: u64,
    cores: Box<[Standing]>,
}

#[derive(Clone, Copy)]
enum Standing {
    Busy,
    Idle(Idle),
}

/// What a core found when it looked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    /// That in which it began to look.
    pub(super) round: u64,
    /// When its next timer is due.
    pub(super) deadline_ns: Option<u64>,
    /// Whether it has something in flight that ends by itself.
    pub(super) holds_time: bool,
}

/// What a core that has settled does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Verdict {
    /// Wait until it is rung, or something completes.
    Wait,
    /// Look again: another core has run something since.
    LookAgain,
    /// Go on: time has jumped.
    Jumped,
}

/// The rest of the runtime, for who decides.
pub(super) trait Surroundings {
    /// Whether threads that work for the runtime are at it.
    fn hold_time(&self) -> bool;
    /// Whether the state word of a core says that it blocks.
    fn is_blocked(&self, core: usize) -> bool;
    /// Wakes a core that blocks.
    fn ring(&self, core: usize);
    /// Moves the clock on to this deadline; false if it does not move that far.
    fn jump_to(&self, deadline_ns: u64) -> bool;
}

impl Stillness {
    pub(super) fn new(cores: usize) -> Self {
        Self(Mutex::new(State {
            round: 0,
            cores: vec![Standing::Busy; cores].into(),
        }))
    }

    /// A core has nothing to do any more, and may have run something before.
    pub(super) fn begin_round(&self) {
        if !left_out("round") {
            self.lock().round += 1;
        }
    }

    /// A core is about to look for something to do. Returns the round to settle with.
    pub(super) fn begin_look(&self, core: usize) -> u64 {
        let mut state = self.lock();
        if !left_out("busy look") {
            state.cores[core] = Standing::Busy;
        }
        state.round
    }

    /// A core has looked, and found nothing. Its state word says that it blocks, and it has looked at its inboxes since.
    pub(super) fn settle(
        &self,
        core: usize,
        idle: Idle,
        surroundings: &impl Surroundings,
    ) -> Verdict {
        let mut state = self.lock();
        if idle.round != state.round {
            return Verdict::LookAgain;
        }
        state.cores[core] = Standing::Idle(idle);
        let Some(all) = state.all_idle() else {
            return Verdict::Wait;
        };
        if all.holds_time || surroundings.hold_time() {
            return Verdict::Wait;
        }
        let cores = 0..state.cores.len();
        if !left_out("word check") && !cores.clone().all(|core| surroundings.is_blocked(core)) {
            return Verdict::Wait;
        }
        if all.round != state.round {
            let round = state.round;
            for other in cores.filter(|other| state.cores[*other].is_before(round)) {
                surroundings.ring(other);
            }
            return Verdict::Wait;
        }
        state.jump(core, all.deadline_ns, surroundings)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// If every core is idle: the earliest round and deadline, and whether any holds time.
    fn all_idle(&self) -> Option<Idle> {
        let mut all: Option<Idle> = None;
        for standing in &self.cores {
            let Standing::Idle(idle) = *standing else {
                return None;
            };
            let so_far = all.unwrap_or(idle);
            all = Some(Idle {
                round: so_far.round.min(idle.round),
                deadline_ns: [so_far.deadline_ns, idle.deadline_ns]
                    .into_iter()
                    .flatten()
                    .min(),
                holds_time: so_far.holds_time || idle.holds_time,
            });
        }
        all
    }

    /// Lets `core`, which decides, and every core with a timer that is due by then go on.
    fn jump(
        &mut self,
        core: usize,
        deadline_ns: Option<u64>,
        surroundings: &impl Surroundings,
    ) -> Verdict {
        let Some(now_ns) = deadline_ns.filter(|deadline_ns| surroundings.jump_to(*deadline_ns))
        else {
            return Verdict::Wait;
        };
        for (other, standing) in self.cores.iter_mut().enumerate() {
            if other == core {
                *standing = Standing::Busy;
            } else if standing.is_due(now_ns) {
                *standing = Standing::Busy;
                surroundings.ring(other);
            }
        }
        Verdict::Jumped
    }
}

impl Standing {
    fn is_before(self, round: u64) -> bool {
        matches!(self, Self::Idle(idle) if idle.round < round)
    }

    fn is_due(self, now_ns: u64) -> bool {
        matches!(self, Self::Idle(idle) if idle.deadline_ns.is_some_and(|deadline_ns| deadline_ns <= now_ns))
    }
}

#[cfg(all(test, modelled))]
mod loom_tests;
