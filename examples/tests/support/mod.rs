//! What the tests of the examples share: a child process on a leash, a tape of known bytes, and clients that check every byte.
//!
//! Plain threads and sockets, nothing of the executor: what a peer would see. Every wait has a deadline and says what it awaited.
#![allow(dead_code, reason = "each test file uses its own part of it")]

pub(crate) mod batch;
pub(crate) mod client;
pub(crate) mod exchange;
pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod tape;

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

/// How long anything may take that a test only waits for. Generous, as the machine may be busy; reaching it is a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Looks at `condition` until it holds; fails the test, saying `what` was awaited and what was seen last, after [`PATIENCE`].
#[track_caller]
pub(crate) fn until<T: std::fmt::Debug>(
    what: &str,
    mut look: impl FnMut() -> T,
    condition: impl Fn(&T) -> bool,
) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = look();
        if condition(&seen) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "waited {PATIENCE:?} for {what}; last seen: {seen:?}"
        );
        // Only so that looking leaves the processor to those who are looked at.
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs `work` on a thread for each of `inputs`, and returns what each returned. A panic in one is a panic here, after all have ended.
pub(crate) fn on_threads<T: Send, R: Send>(
    inputs: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = inputs
            .into_iter()
            .map(|input| scope.spawn(move || work(input)))
            .collect();
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        results
            .into_iter()
            .map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Gives a read that has run into its timeout, which the kernel calls EAGAIN, an error that says `what` was awaited.
pub(crate) fn awaited<T>(what: &str, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => io::Error::new(
            ErrorKind::TimedOut,
            format!("waited {PATIENCE:?} for {what}"),
        ),
        _ => error,
    })
}
