//! Children of fork(2) that call no exec, for tests of what they may do with what they inherit.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A child that is not done by then hangs, and SIGALRM ends it.
const PATIENCE_SECONDS: u32 = 20;

/// A child, for its parent.
#[must_use = "a child is to be waited for"]
pub(crate) struct Forked(libc::pid_t);

/// Forks; `None` in the child, which must end by [`leave`].
pub(crate) fn fork() -> Option<Forked> {
    // SAFETY: the parent's other threads are the harness's, a watchdog's and the runtime's. What the child runs waits for none of them.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "no process is left");
    if pid == 0 {
        // SAFETY: it only sets a timer.
        unsafe { libc::alarm(PATIENCE_SECONDS) };
        return None;
    }
    Some(Forked(pid))
}

/// Ends a child, and says whether it found what it expected.
pub(crate) fn leave(is_right: bool) -> ! {
    // SAFETY: it only ends the process.
    unsafe { libc::_exit(i32::from(!is_right)) }
}

/// Runs `part` in a child, which ends with it, and well if it returns.
pub(crate) fn in_child(part: impl FnOnce()) -> Forked {
    fork().unwrap_or_else(|| leave(catch_unwind(AssertUnwindSafe(part)).is_ok()))
}

/// Whether `call` panics, saying that this is a forked child and what to do.
pub(crate) fn is_refused<T>(call: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(|| drop(call()))).is_err_and(|payload| says_forked(&*payload))
}

/// Whether that is what a panic says.
pub(crate) fn says_forked(payload: &(dyn Any + Send)) -> bool {
    let text = payload.downcast_ref::<String>();
    text.is_some_and(|text| text.contains("this process was forked") && text.contains("_exit"))
}

impl Forked {
    pub(crate) fn pid(&self) -> libc::pid_t {
        self.0
    }

    /// Waits for its end; its status, or the number of the signal that ended it, negative.
    pub(crate) fn status(self) -> i32 {
        let mut status = 0;
        // SAFETY: the place is there.
        let waited = unsafe { libc::waitpid(self.0, &raw mut status, 0) };
        assert_eq!(waited, self.0, "it is a child of ours");
        if libc::WIFEXITED(status) {
            libc::WEXITSTATUS(status)
        } else {
            -libc::WTERMSIG(status)
        }
    }

    /// Waits until it has found what it expected.
    #[track_caller]
    pub(crate) fn ends_well(self) {
        assert_eq!(
            self.status(),
            0,
            "the child failed (-{}: it hung)",
            libc::SIGALRM
        );
    }
}
