//! What it costs to read and write by the traits of `futures::io` rather than by owned buffers: two tasks of one core, between them two
//! pipes, and in some ways an adapter at each end.
//!
//! Each round is a runtime of its own, with one core, on a fresh thread pinned to the first CPU; the ways take turns.

mod ways;

use std::io;

use crate::clock::{Stopwatch, ns_each};
use crate::machine;
use crate::report::Better;
use crate::session::{Against, Column, Session};
use crate::suite::Bench;
use ways::{Adapted, AndBack, Buffered, End, Owned, connection};

pub(crate) const BENCH: Bench = Bench {
    name: "adapter",
    about: "what reading and writing by the traits of futures::io costs, beside owned buffers",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 11,
    // As many messages as there are, whatever the time.
    seconds: 0.35,
    quick_seconds: 0.35,
    turn_seconds: |_, seconds| seconds,
};

/// Whom the others are compared with.
const OWNED: &str = "owned";

/// Sizes of a message, and how many there are in a round.
const FIGURES: [(&str, usize, usize); 3] = [
    ("64 bytes there and back", 64, 20_000),
    ("4 KiB there and back", 4 << 10, 20_000),
    ("64 KiB there and back", 64 << 10, 4_000),
];

/// Nanoseconds of CPU time, the kernel's included, for each message there and back, in the order of `FIGURES`.
type Measure = fn() -> io::Result<Vec<f64>>;

const WAYS: [(&str, Measure); 4] = [
    (OWNED, measure::<Owned>),
    ("buffered", measure::<Buffered>),
    ("to-futures", measure::<Adapted>),
    ("to-futures-and-back", measure::<AndBack>),
];

fn names() -> Vec<&'static str> {
    WAYS.iter().map(|(name, _)| *name).collect()
}

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let cpu = *machine::cpus()?.first().ok_or(io::ErrorKind::NotFound)?;
    session.say(&format!(
        "{} rounds on CPU {cpu}, CPU time",
        session.rounds()
    ));
    let rounds = session.take_turns("", &WAYS, |_, measure| {
        machine::on_fresh_thread(move || machine::pin(cpu).and_then(|()| measure()))
    });
    for (number, (figure, ..)) in FIGURES.into_iter().enumerate() {
        session.record(
            &rounds,
            Column {
                figure,
                unit: "ns",
                better: Better::Less,
                against: Against::Runtime(OWNED),
                of: &|figures: &Vec<f64>| Some(figures[number]),
            },
        );
    }
    Ok(())
}

fn measure<E: End>() -> io::Result<Vec<f64>> {
    let runtime = executor::Builder::new()
        .cores(1)
        .build()
        .map_err(io::Error::other)?;
    runtime.block_on(async {
        let mut figures = Vec::new();
        for (_, size, count) in FIGURES {
            let (near, far) = connection::<E>(size)?;
            let answering = executor::spawn(answer(far, size, count));
            let start = Stopwatch::start();
            ask(near, size, count).await?;
            figures.push(ns_each(start.stop().cpu, count));
            answering.await.map_err(io::Error::other)??;
        }
        Ok(figures)
    })
}

async fn ask<E: End>(mut end: E, size: usize, count: usize) -> io::Result<()> {
    let mut message = vec![7; size];
    for _ in 0..count {
        message = end.send(message).await?;
        message = end.receive(message).await?;
    }
    Ok(())
}

async fn answer<E: End>(mut end: E, size: usize, count: usize) -> io::Result<()> {
    let mut message = vec![0; size];
    for _ in 0..count {
        message = end.receive(message).await?;
        message = end.send(message).await?;
    }
    Ok(())
}
