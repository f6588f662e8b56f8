//! Models of the jump of paused time: it comes, and nothing is overtaken by it. A jump that never comes is a deadlock, which loom reports.

use super::{Idle, Stillness, Surroundings, Verdict};
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use loom::sync::{Arc, Notify};
use loom::thread;
use reactor::park::{ParkState, State, Wake, publish_fence};

const DEADLINE_NS: u64 = 5;

struct Core {
    state: ParkState,
    kernel: Notify,
    /// In its inbox.
    has_message: AtomicBool,
    /// To be reaped. Nobody wakes the core for it: that is how late the kernel may be.
    has_completion: AtomicBool,
}

/// Two cores, each with a timer that is due at the same time.
struct Runtime {
    stillness: Stillness,
    cores: [Core; 2],
    thread_is_busy: AtomicBool,
    now_ns: AtomicU64,
}

impl Runtime {
    fn new(thread_is_busy: bool) -> Arc<Self> {
        let core = || Core {
            state: ParkState::new(),
            kernel: Notify::new(),
            has_message: AtomicBool::new(false),
            has_completion: AtomicBool::new(false),
        };
        Arc::new(Self {
            stillness: Stillness::new(2),
            cores: [core(), core()],
            thread_is_busy: AtomicBool::new(thread_is_busy),
            now_ns: AtomicU64::new(0),
        })
    }

    fn send(&self, core: usize) {
        self.cores[core].has_message.store(true, Ordering::Release);
        publish_fence();
        self.ring(core);
    }

    fn has_message(&self, core: usize) -> bool {
        self.cores[core].has_message.load(Ordering::Acquire)
    }

    fn has_jumped(&self) -> bool {
        self.now_ns.load(Ordering::Relaxed) >= DEADLINE_NS
    }

    /// The life of a core, until its timer is due.
    fn run(&self, core: usize) {
        while !self.has_jumped() {
            self.park(core);
            // What it was sent, and what it has reaped, it deals with.
            self.cores[core].has_message.store(false, Ordering::Relaxed);
        }
    }

    /// As `Core::park_paused`.
    fn park(&self, core: usize) {
        self.stillness.begin_round();
        loop {
            let round = self.stillness.begin_look(core);
            let Core { has_completion, .. } = &self.cores[core];
            let has_reaped = has_completion.swap(false, Ordering::Relaxed);
            if has_reaped || self.has_message(core) || self.has_jumped() {
                return;
            }
            let idle = Idle {
                round,
                deadline_ns: Some(DEADLINE_NS),
                holds_time: false,
            };
            let mut verdict = Verdict::Wait;
            let has_settled = self.cores[core].state.block(
                || self.has_message(core),
                || {
                    verdict = self.stillness.settle(core, idle, self);
                    if verdict == Verdict::Wait {
                        self.cores[core].kernel.wait();
                    }
                },
            );
            if !has_settled || verdict == Verdict::Jumped {
                return;
            }
        }
    }
}

impl Surroundings for Runtime {
    fn hold_time(&self) -> bool {
        self.thread_is_busy.load(Ordering::Acquire)
    }

    fn is_blocked(&self, core: usize) -> bool {
        self.cores[core].state.get() == State::Blocked
    }

    fn ring(&self, core: usize) {
        if self.cores[core].state.ring() == Wake::Kernel {
            self.cores[core].kernel.notify();
        }
    }

    fn jump_to(&self, deadline_ns: u64) -> bool {
        for core in &self.cores {
            let (message, completion) = (&core.has_message, &core.has_completion);
            assert!(!message.load(Ordering::Relaxed), "a message is under way");
            assert!(
                !completion.load(Ordering::Relaxed),
                "a completion was not reaped"
            );
        }
        self.now_ns.store(deadline_ns, Ordering::Relaxed);
        true
    }
}

/// What a core does before it has nothing to do, while the other has nothing to do already: it has dealt with that before time jumps.
fn time_jumps_after(work: fn(&Runtime)) {
    loom::model(move || {
        let runtime = Runtime::new(false);
        let other = thread::spawn({
            let runtime = Arc::clone(&runtime);
            move || runtime.run(1)
        });
        work(&runtime);
        runtime.run(0);
        other.join().unwrap();
    });
}

/// A core sends the other a message.
#[test]
fn time_jumps_after_a_message_was_received() {
    time_jumps_after(|runtime| runtime.send(1));
}

/// A core writes to a socket that the other reads.
#[test]
fn time_jumps_after_a_completion_was_reaped() {
    time_jumps_after(|runtime| {
        runtime.cores[1]
            .has_completion
            .store(true, Ordering::Relaxed);
    });
}

/// A thread for blocking work has a closure, wakes the task of a core that waits for it, and is free.
fn time_jumps_after_a_thread_has_woken(core: usize) {
    // Three threads: a third preemption would take minutes.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(move || {
        let runtime = Runtime::new(true);
        let other = thread::spawn({
            let runtime = Arc::clone(&runtime);
            move || runtime.run(1)
        });
        let blocking = thread::spawn({
            let runtime = Arc::clone(&runtime);
            move || {
                runtime.send(core);
                runtime.thread_is_busy.store(false, Ordering::Release);
                publish_fence();
                runtime.ring(0);
            }
        });
        runtime.run(0);
        other.join().unwrap();
        blocking.join().unwrap();
    });
}

/// Core 0, which is also the one to be told that the thread is free.
#[test]
fn time_jumps_after_a_thread_has_woken_core_0() {
    time_jumps_after_a_thread_has_woken(0);
}

/// Another core.
#[test]
fn time_jumps_after_a_thread_has_woken_core_1() {
    time_jumps_after_a_thread_has_woken(1);
}
