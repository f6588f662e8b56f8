//! A watchdog over several actors that work in rounds: one whose round does not end has lost a wake, and the process ends, saying who it was
//! and how the cores slept.
#![allow(dead_code, reason = "each test file uses its own part of it")]

use executor::Handle;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A round takes well below a millisecond; two noisy CPUs and a sanitizer make it a second at most.
const ROUND_LIMIT: Duration = Duration::from_secs(15);
/// How often the actors are looked at.
const INTERVAL: Duration = Duration::from_millis(500);
/// What an actor that has ended has counted to.
const ENDED: u64 = u64::MAX;

/// Watches until it is dropped.
pub(crate) struct RoundWatchdog {
    actors: Arc<Mutex<Vec<Actor>>>,
    _alive: Sender<()>,
}

struct Actor {
    name: String,
    rounds: Arc<AtomicU64>,
    seen: u64,
    since: Instant,
}

/// One actor's rounds. Dropped, it has ended.
pub(crate) struct Rounds(Arc<AtomicU64>);

impl RoundWatchdog {
    /// `what` says what is being tried.
    pub(crate) fn new(what: String, handle: Handle) -> Self {
        let actors = Arc::new(Mutex::new(Vec::new()));
        let (alive, ended) = channel();
        thread::spawn({
            let actors = Arc::clone(&actors);
            move || {
                while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    let mut actors = actors.lock().expect("nothing panics while it is held");
                    if actors.iter_mut().any(Actor::is_stuck) {
                        report(&what, &actors, &handle);
                        std::process::abort();
                    }
                }
            }
        });
        Self {
            actors,
            _alive: alive,
        }
    }

    /// From now on `name` is watched.
    pub(crate) fn actor(&self, name: impl Into<String>) -> Rounds {
        let rounds = Arc::new(AtomicU64::new(0));
        let mut actors = self.actors.lock().expect("nothing panics while it is held");
        actors.push(Actor {
            name: name.into(),
            rounds: Arc::clone(&rounds),
            seen: 0,
            since: Instant::now(),
        });
        Rounds(rounds)
    }
}

impl Actor {
    fn is_stuck(&mut self) -> bool {
        // Relaxed: a count.
        let rounds = self.rounds.load(Ordering::Relaxed);
        if rounds != self.seen {
            (self.seen, self.since) = (rounds, Instant::now());
        }
        rounds != ENDED && self.since.elapsed() > ROUND_LIMIT
    }
}

impl Rounds {
    /// A round is over.
    pub(crate) fn done(&self) {
        // Relaxed: a count.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        // Relaxed: a count.
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        // Relaxed: a count.
        self.0.store(ENDED, Ordering::Relaxed);
    }
}

/// Not by `eprintln`, which the harness keeps for itself until the test has ended.
fn report(what: &str, actors: &[Actor], handle: &Handle) {
    let mut text = format!("\na wake was lost ({what}): no round ends within {ROUND_LIMIT:?}\n");
    for actor in actors {
        let state = match actor.seen {
            ENDED => "has ended".to_owned(),
            rounds => format!("{rounds} rounds, the next for {:?}", actor.since.elapsed()),
        };
        let _ = writeln!(text, "{}: {state}", actor.name);
    }
    for (core, stats) in handle.stats().iter().enumerate() {
        let _ = writeln!(text, "core {core}: {stats}");
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
}
