//! Models of the state word: every interleaving of its owner and those who ring it.
//!
//! `RUSTFLAGS="--cfg modelled" LOOM_MAX_PREEMPTIONS=3 cargo test --release -p corering-reactor --test loom_park`
//!
//! The queue is as weak as can be, so that only the protocol can save a push. Each of its steps can be left out (`LEFT_OUT="block look"`, see
//! `park.rs`); `.ci/run bites` shows that a model fails then.
#![cfg(modelled)]

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Notify};
use loom::thread;
use reactor::modelled::Line;
use reactor::park::{Look, ParkState, Wake, publish_fence};
use std::time::Duration;

/// A core: its state word, a queue that is a count (published with Release, looked at with Acquire), the line it may watch, and a kernel that
/// remembers one wake, as an eventfd does.
struct Core {
    state: ParkState,
    pushed: AtomicUsize,
    line: Line,
    kernel: Notify,
    kernel_wakes: AtomicUsize,
}

impl Core {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: ParkState::new(),
            pushed: AtomicUsize::new(0),
            line: Line::new(),
            kernel: Notify::new(),
            kernel_wakes: AtomicUsize::new(0),
        })
    }

    fn push_and_ring(&self) {
        self.pushed.fetch_add(1, Ordering::Release);
        publish_fence();
        match self.state.ring() {
            Wake::Nothing => {}
            Wake::Store => self.line.store(),
            Wake::Kernel => {
                self.kernel_wakes.fetch_add(1, Ordering::Relaxed);
                self.kernel.notify();
            }
        }
    }

    fn has(&self, wanted: usize) -> bool {
        self.pushed.load(Ordering::Acquire) >= wanted
    }

    /// Blocks until `wanted` pushes were seen. A lost wake is a deadlock, which loom reports.
    fn block_for(&self, wanted: usize) {
        while !self.has(wanted) {
            self.state.block(|| self.has(wanted), || self.kernel.wait());
        }
    }

    /// Watches until `wanted` pushes were seen; gives up after `waits` waits and blocks.
    fn monitor_for(&self, wanted: usize, waits: usize) {
        while !self.has(wanted) {
            let armed = std::cell::Cell::new(0);
            let left = std::cell::Cell::new(waits);
            let found_work = self.state.monitor(
                || armed.set(self.line.arm()),
                || {
                    if self.has(wanted) {
                        Look::Work
                    } else if left.get() == 0 {
                        Look::GiveUp
                    } else {
                        left.set(left.get() - 1);
                        Look::Nothing(Duration::MAX)
                    }
                },
                |_| self.line.wait(armed.get()),
            );
            if !found_work {
                self.state.block(|| self.has(wanted), || self.kernel.wait());
            }
        }
    }
}

fn remote(core: &Arc<Core>, pushes: usize) -> thread::JoinHandle<()> {
    let core = Arc::clone(core);
    thread::spawn(move || {
        for _ in 0..pushes {
            core.push_and_ring();
        }
    })
}

/// A push at any moment of the owner's first block is not lost: before it says so, before it looks, before it waits, while it waits.
#[test]
fn push_is_seen_or_wakes_a_blocking_core() {
    loom::model(|| {
        let core = Core::new();
        let remote = remote(&core, 1);
        core.block_for(1);
        remote.join().unwrap();
    });
}

/// The same of a core that watches and would do so for ever: before arming, between arming and the look, between the look and the wait,
/// and after it.
#[test]
fn push_is_seen_or_ends_the_watching() {
    loom::model(|| {
        let core = Core::new();
        let remote = remote(&core, 1);
        core.monitor_for(1, usize::MAX);
        remote.join().unwrap();
    });
}

/// A core that gives up watching at once, and blocks: a ringer that saw `Monitoring` stores when nothing watches any more.
#[test]
fn ring_while_going_from_monitoring_to_blocked() {
    loom::model(|| {
        let core = Core::new();
        let remote = remote(&core, 1);
        core.monitor_for(1, 0);
        remote.join().unwrap();
    });
}

/// The owner waits for two pushes, and the first ends its wait: the second ends the next, in the same stretch of watching.
#[test]
fn second_push_ends_the_second_wait() {
    loom::model(|| {
        let core = Core::new();
        let remote = remote(&core, 2);
        core.monitor_for(2, usize::MAX);
        remote.join().unwrap();
    });
}

/// What ends a wait for nothing, as the kernel's own stores to the line do, does no harm: the push after it is not lost.
#[test]
fn spurious_end_of_a_wait() {
    loom::model(|| {
        let core = Core::new();
        let remote = thread::spawn({
            let core = Arc::clone(&core);
            move || {
                core.line.store();
                core.push_and_ring();
            }
        });
        core.monitor_for(1, usize::MAX);
        remote.join().unwrap();
    });
}

/// Two ring one blocked core: both pushes are seen, and one kernel wake is made.
#[test]
fn two_ringers_make_one_kernel_wake() {
    loom::model(|| {
        let core = Core::new();
        let wait = || {
            let remotes = [remote(&core, 1), remote(&core, 1)];
            for remote in remotes {
                remote.join().unwrap();
            }
        };
        assert!(core.state.block(|| false, wait));
        let wakes = core.kernel_wakes.load(Ordering::Relaxed);
        assert_eq!(wakes, 1, "one sleep, one wake");
        core.block_for(2);
    });
}

/// The owner blocks, is woken and blocks again while another pushes twice: a wake meant for the first that comes late does no harm, and none
/// of the second is lost.
#[test]
fn late_ring_of_an_earlier_block_is_harmless() {
    loom::model(|| {
        let core = Core::new();
        let remote = remote(&core, 2);
        core.block_for(1);
        core.block_for(2);
        remote.join().unwrap();
    });
}

/// A core that gave its block up, or found work while it watched, is `Running` again: ringing it needs nothing.
#[test]
fn what_was_given_up_restores_the_state() {
    loom::model(|| {
        let state = ParkState::new();
        assert_eq!(state.ring(), Wake::Nothing);
        assert!(!state.block(|| true, || unreachable!("there was work")));
        assert_eq!(state.ring(), Wake::Nothing);
        assert!(state.monitor(|| {}, || Look::Work, |_| unreachable!("there was work")));
        assert_eq!(state.ring(), Wake::Nothing);
        let gave_up = !state.monitor(
            || {},
            || {
                assert_eq!(state.ring(), Wake::Store);
                Look::GiveUp
            },
            |_| {},
        );
        assert!(gave_up);
        assert!(state.block(
            || false,
            || {
                assert_eq!(state.ring(), Wake::Kernel);
                assert_eq!(state.ring(), Wake::Nothing);
            }
        ));
        assert_eq!(state.ring(), Wake::Nothing);
    });
}
