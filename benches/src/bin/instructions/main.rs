//! Instructions of the hot paths, counted by valgrind: steady where times are not, so that CI can hold them to a bound.
//!
//! ```sh
//! cargo run --release -p benches --bin instructions              # counts, and compares with benches/instructions.txt
//! cargo run --release -p benches --bin instructions -- --write   # writes what it has counted there
//! ```
//!
//! Each path runs so often and twice as often, each time in a process of its own under callgrind; the difference through the number is one
//! turn of it, without start and end. It counts user space: what the kernel does for a read is not in it, nor what a miss of the cache costs.
//!
//! Fails when a path takes over 5 % more than its bound. Where one takes over 5 % less, the bound is to follow it: that is said, no more.

mod paths;

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};

use paths::PATHS;

const BOUNDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.txt");
const TURNS: u64 = 10_000;
const MARGIN: f64 = 0.05;
/// What comes before the count in callgrind's report.
const COUNT: &str = "Collected : ";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        [] => compare(),
        ["--write"] => write(),
        // Under valgrind.
        ["--path", name, turns] => walk(name, turns).map(|()| true),
        _ => Err(io::Error::other("usage: instructions [--write]")),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

fn walk(name: &str, turns: &str) -> io::Result<()> {
    let path = PATHS.iter().find(|(known, _)| *known == name);
    let (_, path) = path.ok_or(io::ErrorKind::NotFound)?;
    paths::walk(*path, turns.parse().map_err(io::Error::other)?)
}

/// False if a path has become longer than its bound allows.
fn compare() -> io::Result<bool> {
    let bounds = fs::read_to_string(BOUNDS)?;
    let mut is_within = true;
    println!("{:20} {:>9} {:>9}", "path", "counted", "bound");
    for (name, _) in PATHS {
        let bound = bound(&bounds, name)?;
        let counted = count(name)?;
        let change = counted / bound - 1.0;
        let verdict = match change {
            change if change > MARGIN => "too many",
            change if change < -MARGIN => "fewer: lower the bound (--write)",
            _ => "",
        };
        is_within &= change <= MARGIN;
        println!(
            "{name:20} {counted:>9.0} {bound:>9.0} {:>+7.1} %  {verdict}",
            change * 100.0
        );
    }
    Ok(is_within)
}

fn write() -> io::Result<bool> {
    let mut text = String::from(
        "# Instructions in user space for one turn of each path: src/bin/instructions/. CI fails beyond +5 %.\n",
    );
    for (name, _) in PATHS {
        text += &format!("{name}: {:.0}\n", count(name)?);
    }
    print!("{text}");
    fs::write(BOUNDS, text)?;
    Ok(true)
}

fn bound(bounds: &str, name: &str) -> io::Result<f64> {
    let of = |line: &str| {
        line.strip_prefix(name)?
            .strip_prefix(':')?
            .trim()
            .parse()
            .ok()
    };
    let found = bounds.lines().find_map(of);
    found.ok_or_else(|| io::Error::other(format!("{BOUNDS} does not say {name}")))
}

/// Of one turn.
fn count(name: &str) -> io::Result<f64> {
    let (once, twice) = (collect(name, TURNS)?, collect(name, 2 * TURNS)?);
    Ok((twice as f64 - once as f64) / TURNS as f64)
}

/// Of a whole process.
fn collect(name: &str, turns: u64) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(Path::new(&std::env::current_exe()?))
        .args(["--path", name, &turns.to_string()])
        .output()
        .map_err(|error| io::Error::other(format!("valgrind: {error}")))?;
    let report = String::from_utf8_lossy(&output.stderr);
    let count = report
        .lines()
        .find_map(|line| line.split_once(COUNT)?.1.trim().parse().ok());
    match count {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(io::Error::other(format!(
            "{name} under valgrind: {}\n{report}",
            output.status
        ))),
    }
}
