//! Local costs: what one core pays to spawn, to yield and to keep timers. Nothing leaves the process.
//!
//! Every runtime runs the same code (`workloads.rs`), on a fresh thread pinned to the same CPU, in interleaved rounds
//! whose order rotates. The file of a runtime says only how it is started and what its functions are called.

mod compio;
mod glommio;
mod monoio;
mod ours;
mod tokio;
mod workloads;

use std::io;

use crate::machine;
use crate::memory::tell_of_tasks;
use crate::report::Better;
use crate::session::{Against, Column, OURS, Session};
use crate::suite::Bench;
use workloads::{Cost, workloads};

pub(crate) use workloads::Runtime;

pub(crate) const BENCH: Bench = Bench {
    name: "local",
    about: "what spawning, yielding and timers cost on one core",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 15,
    // The workloads are of a fixed size.
    seconds: 0.15,
    quick_seconds: 0.15,
    turn_seconds: |_, seconds| seconds,
};

/// What is measured of a runtime: its costs, here, and a task's memory, in the bench of that.
#[derive(Clone, Copy)]
pub(crate) struct How {
    workloads: fn() -> io::Result<Vec<Cost>>,
    pub(crate) tell_of_tasks: fn() -> io::Result<()>,
}

pub(crate) const RUNTIMES: [(&str, How); 6] = [
    (OURS, How::of::<ours::Ours>()),
    ("tokio-localset", How::of::<tokio::LocalSet>()),
    ("tokio-localruntime", How::of::<tokio::LocalRuntime>()),
    ("monoio", How::of::<monoio::Monoio>()),
    ("glommio", How::of::<glommio::Glommio>()),
    ("compio", How::of::<compio::Compio>()),
];

impl How {
    const fn of<R: Runtime>() -> Self {
        How {
            workloads: workloads::<R>,
            tell_of_tasks: tell_of_tasks::<R>,
        }
    }
}

pub(crate) fn names() -> Vec<&'static str> {
    RUNTIMES.iter().map(|(name, _)| *name).collect()
}

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let cpu = *machine::cpus()?.first().ok_or(io::ErrorKind::NotFound)?;
    session.say(&format!("{} rounds on CPU {cpu}", session.rounds()));
    let rounds = session.take_turns("", &RUNTIMES, |_, how| {
        machine::on_fresh_thread(move || machine::pin(cpu).and_then(|()| (how.workloads)()))
    });
    // All of them have the same workloads, in the same order.
    let first = rounds.runtimes.iter().flat_map(|(_, rounds)| rounds).next();
    let figures: Vec<_> = first
        .into_iter()
        .flatten()
        .map(|cost| cost.figure)
        .collect();
    for (workload, figure) in figures.into_iter().enumerate() {
        type Of = fn(&Cost) -> f64;
        let columns: [(_, _, _, Of); 2] = [
            ("", Better::Less, Against::BestPeer(&[]), |cost| {
                cost.wall_ns
            }),
            // Where it differs something waited, or was waited for.
            (": CPU time", Better::Neither, Against::Nobody, |cost| {
                cost.cpu_ns
            }),
        ];
        for (kind, better, against, of) in columns {
            let column = Column {
                figure: &format!("{figure}{kind}"),
                unit: "ns",
                better,
                against,
                of: &|costs: &Vec<Cost>| Some(of(&costs[workload])),
            };
            session.record(&rounds, column);
        }
    }
    Ok(())
}
