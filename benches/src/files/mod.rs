//! File reads: 4 KiB at random places of one file, past the page cache, 32 of them in flight; beside fio with its io_uring engine.
//!
//! The file is made for it, where this program is: a temporary directory may be in memory, which O_DIRECT is not for. Each block begins with
//! its number, and every read is checked.

mod file;
mod fio;
mod readers;

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::machine;
use crate::report::Better;
use crate::session::{Against, Column, OURS, Session};
use crate::suite::Bench;
use file::Blocks;

pub(crate) const BENCH: Bench = Bench {
    name: "files",
    about: "random reads of 4 KiB with O_DIRECT, 32 in flight, beside fio where it is installed",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 5,
    seconds: 1.0,
    quick_seconds: 0.1,
    turn_seconds: |_, seconds| seconds + 0.3,
};

const FIO: &str = "fio";
const BLOCK_BYTES: usize = 4096;
const IN_FLIGHT: usize = 32;

/// Reads a second.
type Measure = fn(&Path, Duration) -> io::Result<f64>;

const READERS: [(&str, Measure); 4] = [
    (FIO, fio::measure),
    (OURS, readers::ours),
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
    let rounds = session.take_turns("", &readers, |_, measure| {
        let path = blocks.path().to_owned();
        machine::on_fresh_thread(move || machine::pin(cpu).and_then(|()| measure(&path, length)))
    });
    session.record(
        &rounds,
        Column {
            figure: "reads",
            unit: "1/s",
            better: Better::More,
            against: Against::Runtime(if fio::is_installed() { FIO } else { "glommio" }),
            of: &|rate| Some(*rate),
        },
    );
    Ok(())
}
