//! Models of the state word: every interleaving of its owner and those who ring it.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p reactor --test loom_park`
#![cfg(loom)]

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Notify};
use loom::thread;
use reactor::park::{ParkState, Wake, publish_fence};

/// A queue as weak as can be: a count that the remote side publishes with Release and the owner looks at with Acquire, and a kernel
/// that remembers one wake, as an eventfd does.
#[derive(Default)]
struct Core {
    state: ParkState,
    pushed: AtomicUsize,
    kernel: Kernel,
}

struct Kernel {
    wake: Notify,
    wakes: AtomicUsize,
}

impl Default for Kernel {
    fn default() -> Self {
        Self {
            wake: Notify::new(),
            wakes: AtomicUsize::new(0),
        }
    }
}

impl Core {
    fn push_and_ring(&self) {
        self.pushed.fetch_add(1, Ordering::Release);
        publish_fence();
        if self.state.ring() == Wake::Kernel {
            self.kernel.wakes.fetch_add(1, Ordering::Relaxed);
            self.kernel.wake.notify();
        }
    }

    /// Sleeps as the protocol has it until `wanted` pushes were seen. A lost wake is a deadlock, which loom reports.
    fn wait_for(&self, wanted: usize) {
        while self.pushed.load(Ordering::Acquire) < wanted {
            self.state.begin_block();
            if self.pushed.load(Ordering::Acquire) < wanted {
                self.kernel.wake.wait();
            }
            self.state.resume();
        }
    }
}

/// A push at any moment of the owner's first park is not lost.
#[test]
fn push_is_seen_or_wakes() {
    loom::model(|| {
        let core = Arc::new(Core::default());
        let remote = thread::spawn({
            let core = Arc::clone(&core);
            move || core.push_and_ring()
        });
        core.wait_for(1);
        remote.join().unwrap();
    });
}

/// Two ring one sleeping core: both pushes are seen, and no more than one kernel wake is made for one sleep.
#[test]
fn two_ringers_make_one_kernel_wake() {
    loom::model(|| {
        let core = Arc::new(Core::default());
        core.state.begin_block();
        let remotes = [(); 2].map(|()| {
            let core = Arc::clone(&core);
            thread::spawn(move || core.push_and_ring())
        });
        for remote in remotes {
            remote.join().unwrap();
        }
        assert_eq!(core.kernel.wakes.load(Ordering::Relaxed), 1);
        core.wait_for(2);
    });
}

/// The owner parks, is woken and parks again while another pushes twice: a wake meant for the first park that comes late does no harm,
/// and none of the second is lost.
#[test]
fn late_ring_of_an_earlier_park_is_harmless() {
    loom::model(|| {
        let core = Arc::new(Core::default());
        let remote = thread::spawn({
            let core = Arc::clone(&core);
            move || {
                core.push_and_ring();
                core.push_and_ring();
            }
        });
        core.wait_for(1);
        core.wait_for(2);
        remote.join().unwrap();
    });
}

/// A core that gave its block up is `Running` again: ringing it needs nothing.
#[test]
fn block_given_up_restores_the_state() {
    loom::model(|| {
        let state = ParkState::new();
        assert_eq!(state.ring(), Wake::Nothing);
        state.begin_block();
        state.resume();
        assert_eq!(state.ring(), Wake::Nothing);
        state.begin_block();
        assert_eq!(state.ring(), Wake::Kernel);
        assert_eq!(state.ring(), Wake::Nothing);
    });
}
