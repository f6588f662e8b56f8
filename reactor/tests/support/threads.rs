//! Doing something to a thread that is asleep in the kernel: seen to be asleep, so that nothing has to sleep and hope.

use super::{Core, PATIENCE};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// The calling thread, as the kernel numbers it.
pub(crate) fn thread_id() -> libc::pid_t {
    // SAFETY: takes nothing, touches nothing.
    unsafe { libc::gettid() }
}

/// Whether `thread` of this process sleeps inside `io_uring_enter`.
fn is_blocked_in_enter(thread: libc::pid_t) -> bool {
    // Says "running", or the system call in which the thread sleeps.
    fs::read_to_string(format!("/proc/self/task/{thread}/syscall"))
        .expect("the thread lives, and /proc shows a process its own threads")
        .starts_with(&format!("{} ", libc::SYS_io_uring_enter))
}

/// Spins, then lets others run: the machine may have fewer cores than a test has threads.
pub(crate) fn spin_until(mut condition: impl FnMut() -> bool) {
    for turn in 0u32.. {
        if condition() {
            return;
        }
        if turn % 1_000 == 999 {
            thread::yield_now();
        }
        std::hint::spin_loop();
    }
}

impl Core {
    /// Waits, and calls `act` on another thread when this one is asleep in it. Returns how many completions the wait says came.
    ///
    /// # Panics
    /// If the wait is over before that.
    pub(crate) fn wait_until_acted(
        &self,
        limit: Option<Duration>,
        act: impl FnOnce() + Send,
    ) -> usize {
        let owner = thread_id();
        let has_returned = AtomicBool::new(false);
        thread::scope(|scope| {
            let actor = scope.spawn(|| {
                let deadline = Instant::now() + PATIENCE;
                while !is_blocked_in_enter(owner) {
                    // Relaxed: says nothing about anything else.
                    if has_returned.load(Ordering::Relaxed) || Instant::now() > deadline {
                        return false;
                    }
                    thread::yield_now();
                }
                act();
                true
            });
            let completions = self.reactor.wait(limit);
            has_returned.store(true, Ordering::Relaxed);
            let acted = actor.join().expect("acting does not fail");
            assert!(acted, "a wait of at most {limit:?} was over at once");
            completions
        })
    }
}
