//! Counting this process's descriptors, and running out of them.

use super::Watchdog;
use std::fs::File;
use std::process::Command;
use std::sync::{Mutex, MutexGuard};
use std::{env, fs};

/// Tests that count descriptors, or open many, run one at a time.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// How many descriptors this process has open.
pub(crate) fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd")
        .expect("there is a /proc")
        .count()
}

/// Names the variable by which a test knows that it is the child it started.
const CHILD: &str = "EXECUTOR_TEST_CHILD";

/// Whether this is the child process of a test, which may change what belongs to the process. If not, it is started and must succeed.
pub(crate) fn is_child(test: &str) -> bool {
    if env::var_os(CHILD).is_some() {
        return true;
    }
    let _alone = alone();
    let _watchdog = Watchdog::new(|| "the child process is still running".to_owned());
    let child = Command::new(env::current_exe().expect("it has a path"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{text}");
    false
}

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
