//! What it costs to read and write by the traits of `futures::io` rather than by owned buffers: two tasks of one core, between them two
//! pipes, and in some ways an adapter at each end.
//!
//! Each round is a runtime of its own, with one core, on a fresh thread pinned to the first CPU; the ways take turns.

mod ways;

use std::io;

use crate::clock::{Stopwatch, ns_each};
use crate::machine;
use crate::options::Options;
use crate::report::{Figure, JsonLines, Spread, progress};
use ways::{Adapted, AndBack, Buffered, End, Owned, connection};

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

pub(crate) fn names() -> Vec<&'static str> {
    WAYS.iter().map(|(name, _)| *name).collect()
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    options.check_only(&names()).map_err(io::Error::other)?;
    let cpu = *machine::cpus()?.first().ok_or(io::ErrorKind::NotFound)?;
    let ways: Vec<_> = WAYS
        .into_iter()
        .filter(|(name, _)| options.wants(name))
        .collect();
    let rounds = options.rounds_or(11);
    println!(
        "adapter: {rounds} rounds on CPU {cpu}, ns of CPU time for each message, median (least..most)"
    );
    let mut measured = vec![Vec::with_capacity(rounds); ways.len()];
    for round in 0..rounds {
        for turn in 0..ways.len() {
            let way = (round + turn) % ways.len();
            let (name, measure) = ways[way];
            progress(&format!("round {} of {rounds}: {name}", round + 1));
            let thread = std::thread::spawn(move || machine::pin(cpu).and_then(|()| measure()));
            let figures = thread
                .join()
                .map_err(|_| io::Error::other(format!("{name} panicked")))?;
            measured[way].push(figures?);
        }
    }
    progress("");
    let names: Vec<&str> = ways.iter().map(|(name, _)| *name).collect();
    report(&names, &measured, options)
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

/// `measured[way][round]` holds the figures in their one order.
fn report(ways: &[&str], measured: &[Vec<Vec<f64>>], options: &Options) -> io::Result<()> {
    let mut json = JsonLines::create(options.json.as_deref())?;
    let owned = ways.iter().position(|name| *name == OWNED);
    for (number, (figure, ..)) in FIGURES.into_iter().enumerate() {
        let samples = |way: usize| -> Vec<f64> {
            measured[way]
                .iter()
                .map(|figures| figures[number])
                .collect()
        };
        println!("\n{figure}");
        for (way, name) in ways.iter().enumerate() {
            let ours = samples(way);
            let base = owned.filter(|owned| *owned != way).map(samples);
            let mut line = format!("    {name:20} {:>30.0}", Spread::of(&ours));
            if let Some(base) = &base {
                let ratio = Spread::of_ratios(&ours, base);
                line += &format!("  {ratio:.2} of {OWNED}");
            }
            println!("{line}");
            json.write(&Figure {
                bench: "adapter",
                figure,
                runtime: name,
                unit: "ns",
                samples: &ours,
                ratio: base.as_ref().map(|base| (OWNED, &base[..])),
            })?;
        }
    }
    json.finish()
}
