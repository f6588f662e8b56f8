//! Echo under a given load: requests go out by a schedule, whatever the server does, and a latency counts from when its request was due.
//!
//! A closed loop slows its clients down with the server, and so leaves out what those would have waited who did not come: the
//! coordinated omission. Here everybody gets the same load, and a server that stops for a millisecond pays for all that was due in it.

use std::io;

use super::client::Pace;
use super::{SERVERS, SPINNING, YARDSTICK, drive, names};
use crate::report::Better;
use crate::server::{Cpus, Load};
use crate::session::{Against, Column, Session};
use crate::suite::Bench;

const LOAD: Load = Load::new(64, 64);
/// Of what the bare loop does when it is asked as fast as it answers.
const SHARE: f64 = 0.5;

pub(crate) const BENCH: Bench = Bench {
    name: "load",
    about: "echo at a given rate, half of what the bare loop can do: latencies from when each request was due",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 7,
    seconds: 1.0,
    quick_seconds: 0.1,
    turn_seconds: |_, seconds| seconds + 0.2,
};

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let (cpus, length) = (Cpus::choose()?, session.length());
    let requests_per_s = match session.options.rate {
        Some(rate) => rate as f64,
        None => {
            let bare = drive(YARDSTICK, cpus, LOAD, Pace::Closed, length)?;
            (bare.requests_per_s() * SHARE).round()
        }
    };
    let rounds = session.rounds();
    session.say(&format!(
        "{LOAD} at {requests_per_s} requests/s, {rounds} rounds of {length:?}, {cpus}"
    ));
    let pace = Pace::Scheduled { requests_per_s };
    let rounds = session.take_turns("", &SERVERS, |name, _| {
        drive(name, cpus, LOAD, pace, length)
    });
    let done = |round: &super::Measured| Some(round.requests_per_s() / requests_per_s * 100.0);
    session.record(
        &rounds,
        Column {
            figure: "answered, of what was asked",
            unit: "%",
            better: Better::More,
            against: Against::Nobody,
            of: &done,
        },
    );
    session.record(
        &rounds,
        Column {
            figure: "CPU time a request",
            unit: "us",
            better: Better::Less,
            against: Against::Runtime(YARDSTICK),
            of: &|round| Some(round.server_cpu_us()),
        },
    );
    for (point, share) in [("p99.9", 0.999), ("p99", 0.99), ("p50", 0.5)] {
        session.record(
            &rounds,
            Column {
                figure: &format!("latency, {point}"),
                unit: "us",
                better: Better::Less,
                against: Against::Runtime(SPINNING),
                of: &|round| Some(round.latencies.us_at(share)),
            },
        );
    }
    session.add_distributions(&rounds, 1e3, |round| Some(round.latencies.histogram()));
    Ok(())
}
