//! The thread that says when a core does not come round: one for each runtime.
//!
//! Every half second it looks at what each core has written of its [`progress`](super::progress). When all of them have slept for a while it sleeps
//! without a limit, so an idle process uses no CPU; the next core that wakes up rouses it. That costs a core one load each time it wakes up, and a
//! system call at most once a second.
//!
//! | state    | entered by                                                  | the thread                      | a core that wakes up             |
//! |----------|-------------------------------------------------------------|---------------------------------|----------------------------------|
//! | `AWAKE`  | a core that wakes up; the thread, when it finds a core busy | looks again after [`TICK`]      | does nothing                     |
//! | `DROWSY` | the thread, when it finds none busy                         | looks again after `TICK`        | makes it `AWAKE`                 |
//! | `ASLEEP` | the thread, when it finds none busy for the second time     | sleeps until that has changed   | makes it `AWAKE`, and unparks it |
//!
//! All accesses are relaxed, and no fence is needed. A core writes that it is busy and may still read `AWAKE` after the thread has written `DROWSY`; but the
//! thread looks once more before it sleeps, and half a second later it sees what the core wrote. (That is an argument about time, which a model does not
//! have.)

use super::RuntimeShared;
use super::progress::Doing;
use reactor::log;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(500);
/// Looks at a core, after the first, that find it where it was. Two, so that a machine that stood still for a time is not taken for a core that did.
const STILL_LOOKS: u32 = 2;

const AWAKE: u8 = 0;
const DROWSY: u8 = 1;
const ASLEEP: u8 = 2;

/// What the cores and the thread share.
pub(crate) struct Watchdog {
    state: AtomicU8,
    ends: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Watchdog {
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU8::new(AWAKE),
            ends: AtomicBool::new(false),
            thread: OnceLock::new(),
        }
    }

    /// Core: has slept, or begins its loop or its end.
    #[inline]
    pub(super) fn rouse(&self) {
        if self.state.load(Ordering::Relaxed) != AWAKE {
            self.rouse_now();
        }
    }

    #[cold]
    fn rouse_now(&self) {
        if self.state.swap(AWAKE, Ordering::Relaxed) == ASLEEP {
            self.unpark();
        }
    }

    /// Whoever has started the thread, before anybody can end it: this is the one.
    pub(crate) fn is_thread(&self, thread: &Thread) {
        self.thread.get_or_init(|| thread.clone());
    }

    /// The thread is to end.
    pub(crate) fn end(&self) {
        self.ends.store(true, Ordering::Relaxed);
        self.unpark();
    }

    fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// The life of the thread.
    pub(crate) fn watch(&self, runtime: &RuntimeShared) {
        self.is_thread(&thread::current());
        let cores = runtime.cores();
        let mut watched: Vec<Watched> = cores
            .iter()
            .map(|core| Watched::new(core.doing()))
            .collect();
        while !self.ends.load(Ordering::Relaxed) {
            let mut any_busy = false;
            for (core, watched) in cores.iter().zip(&mut watched) {
                let doing = core.doing();
                any_busy |= doing.is_busy();
                if watched.look(&doing) {
                    let (core, future, task) = (core.index(), doing.future(), doing.task());
                    log!(
                        warn,
                        target: "executor::stall",
                        core,
                        future,
                        task,
                        "a core is stuck for a second: it {doing}. Its other tasks, its timers and its I/O wait"
                    );
                }
            }
            self.rest(any_busy);
        }
    }

    /// The thread: until it is to look again.
    fn rest(&self, any_busy: bool) {
        if any_busy {
            self.state.store(AWAKE, Ordering::Relaxed);
        } else if self.move_on(AWAKE, DROWSY) {
            // It looks once more.
        } else if self.move_on(DROWSY, ASLEEP) {
            while self.state.load(Ordering::Relaxed) == ASLEEP && !self.ends.load(Ordering::Relaxed)
            {
                thread::park();
            }
        }
        if !self.ends.load(Ordering::Relaxed) {
            thread::park_timeout(TICK);
        }
    }

    /// False if the state was another.
    fn move_on(&self, from: u8, to: u8) -> bool {
        self.state
            .compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

/// What is known of one core.
struct Watched {
    last: Doing,
    still_looks: u32,
}

impl Watched {
    fn new(doing: Doing) -> Self {
        Self {
            last: doing,
            still_looks: 0,
        }
    }

    /// Takes note of what the core is doing; whether that is to be told: once each time it is stuck.
    fn look(&mut self, doing: &Doing) -> bool {
        if doing.is_busy() && doing.is_still(&self.last) {
            self.still_looks = self.still_looks.saturating_add(1);
        } else {
            self.still_looks = 0;
        }
        self.last = doing.clone();
        self.still_looks == STILL_LOOKS
    }
}

#[cfg(all(test, not(modelled)))]
mod tests {
    use super::super::progress::{Phase, Progress};
    use super::*;
    use reactor::park::State;

    fn looks(progress: &Progress, watched: &mut Watched, state: State, count: usize) -> Vec<bool> {
        let look = |_| watched.look(&progress.read(state));
        (0..count).map(look).collect()
    }

    /// A core stands still for long, comes round, and stands still again: it is told once each time.
    #[test]
    fn each_stall_is_told_once() {
        let progress = Progress::default();
        progress.enter(Phase::Turning);
        let mut watched = Watched::new(progress.read(State::Running));
        for _ in 0..2 {
            progress.came_round();
            assert_eq!(
                looks(&progress, &mut watched, State::Running, 6),
                [false, false, true, false, false, false]
            );
        }
    }

    /// It sleeps in the kernel, watches its line, or is in no loop.
    #[test]
    fn a_core_that_sleeps_is_not_stuck() {
        let progress = Progress::default();
        let mut watched = Watched::new(progress.read(State::Running));
        assert_eq!(
            looks(&progress, &mut watched, State::Running, 4),
            [false; 4]
        );
        progress.enter(Phase::Turning);
        for state in [State::Blocked, State::Monitoring] {
            assert_eq!(looks(&progress, &mut watched, state, 4), [false; 4]);
        }
    }
}
