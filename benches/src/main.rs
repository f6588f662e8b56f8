//! What this project measures of itself, and of whom else: `cargo run --release -p benches -- --help`.
//!
//! `main` reads the command line and hands over; each bench is a folder that knows its runtimes and its figures. `--serve` is not for people:
//! it is how some benches start their servers, each in a process of its own.

mod accept;
mod adapter;
mod blocking;
mod bulk;
mod cancel;
mod clock;
mod echo;
mod files;
mod idle;
mod latency;
mod local;
mod machine;
mod memory;
mod options;
mod peers;
mod questions;
mod redis;
mod remote;
mod report;
mod server;
mod session;
mod stress;
mod suite;
mod udp;
mod wake;

use std::collections::BTreeSet;
use std::io;
use std::process::ExitCode;

use clap::Parser;

use options::Options;
use report::Figure;
use session::Session;
use suite::Bench;

/// Stands for every bench there is.
const ALL: &str = "all";

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("benches: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<ExitCode> {
    if let Some(server) = &options.serve {
        server::serve(server, options)?;
    } else if options.list {
        list(options);
    } else if let Some(path) = &options.draw {
        let figures = report::read(path)?;
        for figures in figures.chunk_by(|one, next| one.bench == next.bench) {
            println!("\n{}", figures[0].bench);
            report::print(figures);
        }
        let old = options.compare.as_deref().map(report::read).transpose()?;
        conclude(options, old, &figures)?;
    } else {
        return measure(options);
    }
    Ok(ExitCode::SUCCESS)
}

fn list(options: &Options) {
    for bench in suite::benches() {
        let (name, seconds) = (bench.name, bench.estimate(options).as_secs());
        println!("{name:9} {} (about {seconds} s)", bench.about);
        println!("          {}", (bench.runtimes)().join(", "));
    }
}

fn measure(options: &Options) -> io::Result<ExitCode> {
    let benches = chosen(options).map_err(io::Error::other)?;
    // Before hours go by, not after.
    let old = options.compare.as_deref().map(report::read).transpose()?;
    machine::raise_descriptor_limit()?;
    println!("{}", machine::describe());
    let mut session = Session::new(options, &benches);
    for bench in &benches {
        let before = session.figures.len();
        session.say(&format!("\n{}: {}", bench.name, bench.about));
        session.run(bench);
        session.clear();
        report::print(&session.figures[before..]);
        // After each: an interrupted run keeps what it has.
        if let Some(path) = &options.json {
            report::write(path, &session.figures)?;
        }
    }
    session.finish();
    conclude(options, old, &session.figures)?;
    for failure in &session.failures {
        eprintln!("failed: {failure}");
    }
    Ok(if session.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is to be done with figures when all are there.
fn conclude(options: &Options, old: Option<Vec<Figure>>, figures: &[Figure]) -> io::Result<()> {
    if let Some(old) = old {
        report::compare(&old, figures);
    }
    if let Some(folder) = &options.charts {
        report::draw(folder, figures)?;
    }
    Ok(())
}

/// The benches that were named, in the order in which they are listed.
fn chosen(options: &Options) -> Result<Vec<Bench>, String> {
    let mut benches = suite::benches();
    let names: Vec<&str> = benches.iter().map(|bench| bench.name).collect();
    let is_known = |name: &&String| *name == ALL || names.contains(&name.as_str());
    if let Some(name) = options.benches.iter().find(|name| !is_known(name)) {
        return Err(format!("{name}: there are {ALL}, {}", names.join(", ")));
    }
    let is_chosen = |bench: &Bench| {
        let mut names = options.benches.iter();
        names.any(|name| name == bench.name || (name == ALL && bench.is_of_all))
    };
    benches.retain(is_chosen);
    let runtimes: BTreeSet<&str> = benches
        .iter()
        .flat_map(|bench| (bench.runtimes)())
        .collect();
    options.check_only(&Vec::from_iter(runtimes))?;
    Ok(benches)
}
