//! Memory for a task: a hundred thousand of them that wait for ever, each with one word of its own, in a process that tells how much it grew.

use std::future::pending;
use std::hint::black_box;
use std::io;
use std::process::Command;

use super::resident_bytes;
use crate::local::{self, Runtime};
use crate::report::Better;
use crate::session::{Against, Column, Session};
use crate::suite::Bench;

pub(crate) const BENCH: Bench = Bench {
    name: "tasks",
    about: "memory for each of 100,000 tasks that wait",
    runtimes: local::names,
    run,
    is_of_all: true,
    rounds: 3,
    // As many tasks as there are, whatever the time.
    seconds: 0.2,
    quick_seconds: 0.2,
    turn_seconds: |_, seconds| seconds,
};

const TASKS: usize = 100_000;

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let rounds = session.take_turns("", &local::RUNTIMES, |name, _| ask(name));
    session.record(
        &rounds,
        Column {
            figure: "a task that waits",
            unit: "B",
            better: Better::Less,
            against: Against::BestPeer(&[]),
            of: &|bytes| Some(*bytes),
        },
    );
    Ok(())
}

/// Starts the process that tells.
fn ask(runtime: &str) -> io::Result<f64> {
    let mut process = Command::new(std::env::current_exe()?);
    let output = process
        .args(["--serve", &format!("tasks/{runtime}")])
        .output()?;
    let told = String::from_utf8_lossy(&output.stdout).trim().parse();
    told.map_err(|_| io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// `--serve tasks/NAME`: the process that tells.
pub(crate) fn serve(runtime: &str) -> io::Result<()> {
    let runtime = local::RUNTIMES.iter().find(|(name, _)| *name == runtime);
    let (_, how) = runtime.ok_or(io::ErrorKind::NotFound)?;
    (how.tell_of_tasks)()
}

/// Prints the bytes for each task, and ends the process: whoever waits for its tasks at its end would wait for ever.
pub(crate) fn tell<R: Runtime>() -> io::Result<()> {
    R::run(async {
        // The places for them are not what is measured.
        let mut joins: Vec<_> = (0..TASKS).map(|_| None).collect();
        let before = resident_bytes("self")?;
        for (number, join) in joins.iter_mut().enumerate() {
            *join = Some(R::spawn(async move {
                pending::<()>().await;
                black_box(number)
            }));
        }
        // Once this one has run, all those before it have.
        R::spawn(async {}).await;
        let grown = resident_bytes("self")? - before;
        println!("{}", grown as f64 / TASKS as f64);
        std::process::exit(0)
    })?
}
