//! Runs a part of a test in a process of its own: for what cannot be undone (a seccomp filter), what the other tests would feel (a
//! limit, another user) and what ends the process.
//!
//! The process is the test binary again, told to run that one test; there, [`Child::of`] runs the part and exits.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::any::type_name_of_val;
use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, exit};

/// Set in a child, to the name of its test.
const VARIABLE: &str = "EXECUTOR_TEST_CHILD";
/// A child that is not done by then hangs, and SIGALRM ends it; the longest takes a second.
const PATIENCE_SECONDS: u32 = 20;

/// What a test does in a process of its own.
pub(crate) struct Child {
    test: String,
}

/// How a child ended, and what it said on its standard error, which libtest leaves alone.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stderr: String,
}

impl Child {
    /// To be called first in a test, with a closure of that very test, whose name is found from the closure's. In the child this
    /// does not return: the process exits with status 0, or with 101 if the closure panics.
    pub(crate) fn of(part: impl FnOnce()) -> Self {
        let closure = type_name_of_val(&part);
        let test = closure
            .trim_end_matches("::{{closure}}")
            .split_once("::")
            .expect("a closure's name begins with its crate's")
            .1;
        if env::var_os(VARIABLE).is_some_and(|name| name == test) {
            // SAFETY: it only sets a timer.
            unsafe { libc::alarm(PATIENCE_SECONDS) };
            part();
            exit(0);
        }
        Self {
            test: test.to_owned(),
        }
    }

    /// What starts it, for whoever has a say in its standard streams. On its output, libtest has a few lines of its own.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args([&self.test, "--exact", "--nocapture", "--test-threads=1"])
            .env(VARIABLE, &self.test)
            .env_remove("RUST_BACKTRACE")
            // AddressSanitizer's search for leaks starts a thread, which some of the limits that are tried here forbid.
            .env("ASAN_OPTIONS", "detect_leaks=0");
        command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// If it hangs, or is ended by another signal.
    #[track_caller]
    pub(crate) fn run(&self) -> Ended {
        let output = self.command().output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            stdout.contains("running 1 test"),
            "no test is called {:?}: {stdout}",
            self.test
        );
        match (output.status.code(), output.status.signal()) {
            (Some(status), _) => Ended { status, stderr },
            (None, Some(libc::SIGALRM)) => panic!("the child hangs, having said: {stderr}"),
            (None, signal) => panic!("signal {signal:?} ended the child, which had said: {stderr}"),
        }
    }

    /// Runs it and gives what it said, line by line.
    ///
    /// # Panics
    /// If it does not succeed.
    #[track_caller]
    pub(crate) fn run_well(&self) -> Vec<String> {
        let Ended { status, stderr } = self.run();
        assert_eq!(status, 0, "the child failed: {stderr}");
        stderr.lines().map(str::to_owned).collect()
    }
}
