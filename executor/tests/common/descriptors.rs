//! Counting this process's descriptors, and running out of them.

use super::Watchdog;
use std::fs::File;
use std::process::Command;
use std::{env, fs};

/// How many descriptors this process has open.
pub(crate) fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd")
        .expect("there is a /proc")
        .count()
}

/// Names the variable by which a test knows that it has a process to itself: it is set to its name.
const ALONE: &str = "EXECUTOR_TEST_ALONE";

/// Runs a test in a process of its own, where no other test opens descriptors: for those that count
/// them, or have none left. To be called first, with a closure of that very test, whose name is
/// found from the closure's. True in that process; else it has ended, and succeeded.
pub(crate) fn is_alone(here: impl Fn()) -> bool {
    let closure = std::any::type_name_of_val(&here);
    let test = closure
        .trim_end_matches("::{{closure}}")
        .split_once("::")
        .expect("a closure's name begins with its crate's")
        .1;
    if env::var_os(ALONE).is_some_and(|name| name == test) {
        return true;
    }
    let _watchdog = Watchdog::new(|| "its process is still running".to_owned());
    let child = Command::new(env::current_exe().expect("it has a path"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ALONE, test)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        said.contains("running 1 test"),
        "no test is called {test:?}: {said}"
    );
    let text = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{text}{said}");
    false
}

/// The rest of this test runs in a process of its own: see [`is_alone`].
#[allow(unused_macros, reason = "each test file uses its own part of this")]
macro_rules! alone {
    () => {
        if !crate::common::descriptors::is_alone(|| ()) {
            return;
        }
    };
}
#[allow(unused_imports, reason = "each test file uses its own part of this")]
pub(crate) use alone;

/// Leaves this process no descriptor; those that are returned, closed, are there again.
pub(crate) fn exhaust() -> Vec<File> {
    let limit = rustix::process::Rlimit {
        current: Some(64),
        maximum: Some(64),
    };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit)
        .expect("fewer are allowed");
    let mut taken = Vec::new();
    let refused = loop {
        match File::open("/dev/null") {
            Ok(file) => taken.push(file),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.raw_os_error(), Some(libc::EMFILE));
    taken
}
