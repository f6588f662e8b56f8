//! File reads, past the page cache: 4 KiB at random places of one file with 32 of them in flight, and 1 MiB after 1 MiB with 4; beside fio with
//! its io_uring engine.
//!
//! The file is made for it, where this program is: a temporary directory may be in memory, which O_DIRECT is not for. Each block begins with
//! its number, and every read is checked.

mod file;
mod fio;
mod readers;

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::clock::{Elapsed, ns_each};
use crate::machine;
use crate::report::Better;
use crate::session::{Against, Column, OURS, Session};
use crate::suite::Bench;
use file::{Blocks, Order, Workload};

pub(crate) const BENCH: Bench = Bench {
    name: "files",
    about: "reads with O_DIRECT, 4 KiB at random and 1 MiB in order, beside fio where it is installed",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 5,
    seconds: 1.0,
    quick_seconds: 0.1,
    turn_seconds: |_, seconds| WORKLOADS.len() as f64 * (seconds + 0.3),
};

const WORKLOADS: [Workload; 2] = [
    Workload {
        name: "random 4 KiB",
        order: Order::Random,
        bytes: 4 << 10,
        in_flight: 32,
    },
    Workload {
        name: "sequential 1 MiB",
        order: Order::Sequential,
        bytes: 1 << 20,
        in_flight: 4,
    },
];

const FIO: &str = "fio";

struct Measured {
    reads: u64,
    elapsed: Elapsed,
}

type Measure = fn(&Path, Workload, Duration) -> io::Result<Measured>;

const READERS: [(&str, Measure); 7] = [
    (FIO, fio::measure),
    (OURS, readers::ours),
    ("ours-registered", readers::ours_registered),
    ("tokio", readers::tokio),
    ("monoio", readers::monoio),
    ("glommio", readers::glommio),
    ("compio", readers::compio),
];

fn names() -> Vec<&'static str> {
    READERS.iter().map(|(name, _)| *name).collect()
}

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let cpu = *machine::cpus()?.first().ok_or(io::ErrorKind::NotFound)?;
    let (blocks, length) = (Blocks::create()?, session.length());
    session.say(&format!(
        "{} rounds of {length:?} on CPU {cpu}, {}",
        session.rounds(),
        blocks.path().display()
    ));
    let mut readers = READERS.to_vec();
    if !fio::is_installed() {
        readers.retain(|(name, _)| *name != FIO);
        session.say("Skipped: fio is not installed (Debian's fio).");
    }
    let against = Against::Runtime(if fio::is_installed() { FIO } else { "glommio" });
    session.in_parts(WORKLOADS.len());
    for workload in WORKLOADS {
        let rounds = session.take_turns(workload.name, &readers, |_, measure| {
            let path = blocks.path().to_owned();
            machine::on_fresh_thread(move || {
                machine::pin(cpu).and_then(|()| measure(&path, workload, length))
            })
        });
        let rate = |round: &Measured| round.reads as f64 / round.elapsed.wall.as_secs_f64();
        let (unit, scale) = match workload.order {
            Order::Random => ("1/s", 1.0),
            Order::Sequential => ("MB/s", workload.bytes as f64 / 1e6),
        };
        session.record(
            &rounds,
            Column {
                figure: &format!("{} reads", workload.name),
                unit,
                better: Better::More,
                against,
                of: &|round| Some(rate(round) * scale),
            },
        );
        session.record(
            &rounds,
            Column {
                figure: &format!("CPU time of {} reads", workload.name),
                unit: "us",
                better: Better::Less,
                against,
                of: &|round| Some(ns_each(round.elapsed.cpu, round.reads as usize) / 1e3),
            },
        );
    }
    Ok(())
}
