//! mini-redis, one of the examples, beside a real redis-server: both on the first CPU, in turn, and redis-benchmark on the second one.
//!
//! The example is the binary in `target/release/examples`; the other two come from `PATH`, that is, from packages. What is not there is
//! named, and the bench skipped.

mod programs;

use std::io;

use crate::report::Better;
use crate::server::Cpus;
use crate::session::{Against, Column, Session};
use crate::suite::Bench;
use programs::{Program, Programs, Rates};

pub(crate) const BENCH: Bench = Bench {
    name: "redis",
    about: "the example mini-redis beside a redis-server: redis-benchmark with 50 connections, pipelines of 1 and of 16",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 5,
    seconds: 1.0,
    quick_seconds: 0.1,
    turn_seconds: |_, seconds| 4.0 * seconds + 0.3,
};

const REFERENCE: &str = "redis-server";
const SERVERS: [(&str, Program); 2] = [(REFERENCE, Program::Redis), ("ours", Program::MiniRedis)];
const PIPELINES: [usize; 2] = [1, 16];

fn names() -> Vec<&'static str> {
    SERVERS.iter().map(|(name, _)| *name).collect()
}

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let programs = match Programs::find()? {
        Ok(programs) => programs,
        Err(missing) => {
            session.say(&format!("Skipped: {missing}."));
            return Ok(());
        }
    };
    let (cpus, length) = (Cpus::choose()?, session.length());
    session.say(&format!(
        "{} rounds, about {length:?} for each of four figures, {cpus}",
        session.rounds()
    ));
    let rounds = session.take_turns("", &SERVERS, |_, program| {
        programs.measure(program, cpus, length, &PIPELINES)
    });
    for (place, pipeline) in PIPELINES.into_iter().enumerate() {
        type Of = fn(&Rates) -> f64;
        let columns: [(&str, &str, Better, Of); 4] = [
            ("SET", "1/s", Better::More, |rates| rates.set_per_s),
            ("GET", "1/s", Better::More, |rates| rates.get_per_s),
            ("GET, p50", "ms", Better::Less, |rates| rates.get_p50_ms),
            ("GET, p99", "ms", Better::Less, |rates| rates.get_p99_ms),
        ];
        for (figure, unit, better, of) in columns {
            session.record(
                &rounds,
                Column {
                    figure: &format!("pipeline of {pipeline}: {figure}"),
                    unit,
                    better,
                    against: Against::Runtime(REFERENCE),
                    of: &|rates: &Vec<Rates>| Some(of(&rates[place])),
                },
            );
        }
    }
    Ok(())
}
