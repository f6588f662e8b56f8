//! Waking a core: from the call of `spawn_on` to the first poll of the task, by whether the core blocks, spins or watches
//! its cache line, and by whether a thread or another core of the runtime calls.
//!
//! Whoever wakes keeps its CPU busy for some time before each call: long enough for the core to have gone to where it is
//! to be woken from. Each way is a runtime of its own, on a fresh thread; the ways take turns. The runtime's own counts of
//! how it told the core say whether the core was there: they stand beside each figure. Two rings without a runtime show what the kernel takes.

mod mark;
mod means;
mod ours;
mod report;
mod rings;
mod tokio;

use std::io;
use std::time::{Duration, Instant};

use crate::latency::Summary;
use crate::machine;
use crate::options::Options;
use crate::report::progress;
use means::Means;

const PART: Duration = Duration::from_millis(200);
/// Before each call. A core that does not spin blocks within a few microseconds.
const GAP: Duration = Duration::from_micros(200);
const SAMPLES_MAX: usize = 1 << 14;

/// The CPU of whoever wakes, and that of the core that is woken.
#[derive(Clone, Copy)]
struct Cpus {
    waker: usize,
    woken: usize,
}

/// One round of one way.
struct Measured {
    latency: Summary,
    /// How often ours told the core by nothing, by a store, and by the kernel; the others do not say.
    told: Option<[u64; 3]>,
}

/// Called on a fresh thread, which may run on every CPU.
type Measure = fn(Cpus, Duration) -> io::Result<Measured>;

const WAYS: [(&str, Measure); 9] = [
    ("thread-blocked", ours::thread_wakes_blocked),
    ("thread-spinning", ours::thread_wakes_spinning),
    (report::THREAD_MONITORING, ours::thread_wakes_monitoring),
    ("core-blocked", ours::core_wakes_blocked),
    ("core-spinning", ours::core_wakes_spinning),
    (report::CORE_MONITORING, ours::core_wakes_monitoring),
    ("ring-eventfd", rings::by_eventfd),
    ("ring-message", rings::by_message),
    (report::TOKIO, tokio::thread_wakes),
];

pub(crate) fn names() -> Vec<&'static str> {
    WAYS.iter().map(|(name, _)| *name).collect()
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    options.check_only(&names()).map_err(io::Error::other)?;
    let [waker, woken, ..] = machine::cpus()?[..] else {
        return Err(io::Error::other("the wake bench needs two CPUs"));
    };
    let means = Means::find()?;
    let is_possible = |name: &str| means.can_monitor() || !report::is_monitoring(name);
    let ways: Vec<_> = WAYS
        .into_iter()
        .filter(|(name, _)| options.wants(name) && is_possible(name))
        .collect();
    let (rounds, length) = (options.rounds_or(9), options.round_or(PART));
    println!(
        "wake: {rounds} rounds of {length:?}, {GAP:?} between two calls; CPU {waker} wakes, CPU {woken} is woken\n{means}"
    );
    let mut measured: Vec<Vec<Measured>> = ways.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..ways.len() {
            let way = (round + turn) % ways.len();
            let (name, measure) = ways[way];
            progress(&format!("round {} of {rounds}: {name}", round + 1));
            let thread = std::thread::spawn(move || measure(Cpus { waker, woken }, length));
            let result = thread
                .join()
                .map_err(|_| io::Error::other(format!("{name} panicked")))?;
            measured[way]
                .push(result.map_err(|error| io::Error::other(format!("{name}: {error}")))?);
        }
    }
    progress("");
    let names: Vec<&str> = ways.iter().map(|(name, _)| *name).collect();
    report::report(&names, &measured, &means, options)
}

/// Keeps this thread and its CPU busy until the core has had the time to go where it is to be.
fn let_it_idle() {
    let start = Instant::now();
    while start.elapsed() < GAP {
        std::hint::spin_loop();
    }
}
