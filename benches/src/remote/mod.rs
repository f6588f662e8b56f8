//! A call to the other core and its answer: two threads on two CPUs, one asks for `x + 1`, the other one answers.
//!
//! Once with a single call in flight, which is latency, and once with 256, which is cost. The runtimes take turns within
//! a round, between two yardsticks that are no runtimes: a cache line handed over and back, below which nobody can get,
//! and two threads that block on eventfds. The file of a runtime says how it is started, what a call is there, and
//! nothing else; what is done with the calls is in `workload.rs`, once for all.

mod compio;
mod floor;
mod glommio;
mod monoio;
mod ours;
mod report;
mod tokio;
mod workload;

use std::io;
use std::time::Duration;

use crate::machine;
use crate::options::Options;
use crate::report::progress;
use workload::Measured;

const PART: Duration = Duration::from_millis(100);

/// The CPU that asks, and the one that answers.
#[derive(Clone, Copy)]
struct Cpus {
    caller: usize,
    callee: usize,
}

/// Called on a fresh thread, which may run on every CPU and is the caller or starts it.
type Measure = fn(Cpus, Duration) -> io::Result<Measured>;

const RUNTIMES: [(&str, Measure); 8] = [
    (report::LINE, floor::line),
    (report::EVENTFD, floor::eventfds),
    (report::OURS, ours::measure),
    ("tokio", tokio::measure),
    ("monoio", monoio::measure),
    ("glommio", glommio::blocking),
    ("glommio-spin", glommio::spinning),
    ("compio", compio::measure),
];

pub(crate) fn names() -> Vec<&'static str> {
    RUNTIMES.iter().map(|(name, _)| *name).collect()
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    options.check_only(&names()).map_err(io::Error::other)?;
    let [caller, callee, ..] = machine::cpus()?[..] else {
        return Err(io::Error::other("the remote bench needs two CPUs"));
    };
    let runtimes: Vec<_> = RUNTIMES
        .into_iter()
        .filter(|(name, _)| options.wants(name))
        .collect();
    let (rounds, length) = (options.rounds_or(11), options.round_or(PART));
    println!(
        "remote: {rounds} rounds, {length:?} for each part of one; CPU {caller} asks, CPU {callee} answers"
    );
    let mut measured = vec![Vec::with_capacity(rounds); runtimes.len()];
    for round in 0..rounds {
        for turn in 0..runtimes.len() {
            let runtime = (round + turn) % runtimes.len();
            let (name, measure) = runtimes[runtime];
            progress(&format!("round {} of {rounds}: {name}", round + 1));
            let thread = std::thread::spawn(move || measure(Cpus { caller, callee }, length));
            let result = thread
                .join()
                .map_err(|_| io::Error::other(format!("{name} panicked")))?;
            measured[runtime]
                .push(result.map_err(|error| io::Error::other(format!("{name}: {error}")))?);
        }
    }
    progress("");
    let names: Vec<&str> = runtimes.iter().map(|(name, _)| *name).collect();
    report::report(&names, &measured, options)
}
