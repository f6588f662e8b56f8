//! The thread that says when a core does not come round: one for each runtime.
//!
//! Twice a second it looks at what each core has written of its [`progress`](super::progress). While none is busy it sleeps without a limit, so an
//! idle process uses no CPU; a core that wakes up and finds that it sleeps rouses it. That costs a core one load each time it wakes up, and
//! a system call at most once a second.
//!
//! | `sleeps` | set by                                     | means                                                                 |
//! |----------|--------------------------------------------|-----------------------------------------------------------------------|
//! | false    | a core that wakes up; the watchdog, if one is busy | it looks again after [`TICK`]                                 |
//! | true     | the watchdog, when none is busy            | it looks once more after `TICK`; if none is busy still, it sleeps     |
//!
//! No fence is needed: a core may write that it runs and still read `false`, but when the watchdog looks once more, half a second after it has written
//! `true`, it sees what the core wrote.

use super::RuntimeShared;
use super::progress::Doing;
use reactor::log;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(500);
/// Looks at a core, after the first, that find it where it was. Two, so that a machine that stood still for a time is not taken for a core that did.
const STILL_LOOKS: u32 = 2;

/// What the cores and the thread share. Relaxed throughout: see above.
pub(crate) struct Watchdog {
    sleeps: AtomicBool,
    ends: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Watchdog {
    pub(super) fn new() -> Self {
        Self {
            sleeps: AtomicBool::new(false),
            ends: AtomicBool::new(false),
            thread: OnceLock::new(),
        }
    }

    /// Core: has slept, or begins its loop or its end.
    #[inline]
    pub(super) fn rouse(&self) {
        if self.sleeps.load(Ordering::Relaxed) {
            self.rouse_sleeping();
        }
    }

    #[cold]
    fn rouse_sleeping(&self) {
        if self.sleeps.swap(false, Ordering::Relaxed) {
            self.unpark();
        }
    }

    /// Its thread is to end.
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
        let _ = self.thread.set(thread::current());
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
                if watched.look(doing) {
                    let (core, future) = (core.index(), doing.future());
                    log!(
                        warn,
                        target: "executor::stall",
                        core,
                        future,
                        "a core is stuck for a second: it {doing}. Its other tasks, its timers and its I/O wait"
                    );
                }
            }
            if any_busy {
                self.sleeps.store(false, Ordering::Relaxed);
                thread::park_timeout(TICK);
            } else if self.sleeps.swap(true, Ordering::Relaxed) {
                thread::park();
            } else {
                thread::park_timeout(TICK);
            }
        }
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
    fn look(&mut self, doing: Doing) -> bool {
        if doing.is_busy() && doing.is_still(&self.last) {
            self.still_looks = self.still_looks.saturating_add(1);
        } else {
            self.still_looks = 0;
        }
        self.last = doing;
        self.still_looks == STILL_LOOKS
    }
}

#[cfg(all(test, not(modelled)))]
mod tests {
    use super::super::progress::{Phase, Progress};
    use super::*;
    use reactor::park::State;

    fn looks(progress: &Progress, watched: &mut Watched, state: State, count: usize) -> Vec<bool> {
        let look = |_| watched.look(progress.read(state));
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
