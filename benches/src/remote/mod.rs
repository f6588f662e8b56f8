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
mod tokio;
mod workload;

use std::io;
use std::time::Duration;

use crate::machine;
use crate::report::Better;
use crate::session::{Against, Column, OURS, Session};
use crate::suite::Bench;
use workload::{Many, Measured, One};

pub(crate) const BENCH: Bench = Bench {
    name: "remote",
    about: "a call from one core to the other and its answer",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 11,
    seconds: 0.1,
    quick_seconds: 0.05,
    turn_seconds: |_, seconds| 3.0 * seconds,
};

const LINE: &str = "line";
/// Ours, to a value of the other core.
const CALL_ON: &str = "ours-call_on";
const EVENTFD: &str = "eventfd";
/// `line` never sleeps: if its two threads had less than this share of two CPUs, someone else had the rest.
const QUIET: f64 = 0.97;

/// The CPU that asks, and the one that answers.
#[derive(Clone, Copy)]
struct Cpus {
    caller: usize,
    callee: usize,
}

/// Called on a fresh thread, which may run on every CPU and is the caller or starts it.
type Measure = fn(Cpus, Duration) -> io::Result<Measured>;

const RUNTIMES: [(&str, Measure); 9] = [
    (LINE, floor::line),
    (EVENTFD, floor::eventfds),
    (OURS, ours::measure),
    (CALL_ON, ours::measure_call_on),
    ("tokio", tokio::measure),
    ("monoio", monoio::measure),
    ("glommio", glommio::blocking),
    ("glommio-spin", glommio::spinning),
    ("compio", compio::measure),
];

fn names() -> Vec<&'static str> {
    RUNTIMES.iter().map(|(name, _)| *name).collect()
}

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let [caller, callee] = machine::two_cpus()?;
    let length = session.length();
    session.say(&format!(
        "{} rounds, {length:?} for each part of one; CPU {caller} asks, CPU {callee} answers; CPU time is that of both threads",
        session.rounds()
    ));
    let rounds = session.take_turns("", &RUNTIMES, |_, measure| {
        machine::on_fresh_thread(move || measure(Cpus { caller, callee }, length))
    });
    type OfOne = fn(&One) -> f64;
    let one: [(_, _, OfOne); 4] = [
        ("one in flight, mean", Better::Less, |one| one.mean_ns),
        ("one in flight: CPU time", Better::Neither, |one| one.cpu_ns),
        ("one in flight, p99", Better::Less, |one| {
            one.latencies.ns_at(0.99)
        }),
        ("one in flight, p50", Better::Less, |one| {
            one.latencies.ns_at(0.5)
        }),
    ];
    for (figure, better, of) in one {
        let against = Against::Runtime(LINE);
        let of = &|round: &Measured| Some(of(&round.one) / 1e3);
        session.record(
            &rounds,
            Column {
                figure,
                unit: "us",
                better,
                against,
                of,
            },
        );
    }
    session.add_distributions(&rounds, 1e3, |round| Some(round.one.latencies.histogram()));
    type OfMany = fn(&Many) -> f64;
    let many: [(_, _, _, OfMany); 2] = [
        (
            "256 in flight, each",
            Better::Less,
            Against::BestPeer(&[CALL_ON]),
            |many| many.each_ns,
        ),
        (
            "256 in flight, CPU time of each",
            Better::Less,
            Against::BestPeer(&[CALL_ON]),
            |many| many.cpu_ns,
        ),
    ];
    for (figure, better, against, of) in many {
        let of = &|round: &Measured| round.many.as_ref().map(of);
        session.record(
            &rounds,
            Column {
                figure,
                unit: "ns",
                better,
                against,
                of,
            },
        );
    }
    let line = rounds.runtimes.iter().find(|(name, _)| *name == LINE);
    if let Some((_, rounds)) = line {
        let had = |round: &&Measured| round.one.cpu_ns / round.one.mean_ns / 2.0;
        let disturbed = rounds.iter().filter(|round| had(round) < QUIET).count();
        if disturbed > 0 {
            session.say(&format!(
                "The machine was not quiet: someone else ran on these CPUs in {disturbed} of {} rounds.",
                rounds.len()
            ));
        }
    }
    Ok(())
}
