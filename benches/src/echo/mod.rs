//! Echo throughput: connections in a closed loop, one request in flight on each; every number of connections with every size.
//!
//! The server is a process of its own on the first CPU, so that its CPU clock counts nothing else; this process is the
//! client, on the second CPU, and the same one for every server. Rounds are interleaved and their order rotates, and a
//! server lives for one round only: none of them starts with what another left behind.

mod bare;
mod client;
mod compio;
mod exchange;
mod glommio;
mod load;
mod monoio;
mod ours;
mod ours_pool;
mod tokio;

use std::io;
use std::time::Duration;

use crate::options::Options;
use crate::report::Better;
use crate::server::{Cpus, Load, Serve};
use crate::session::{Against, Column, Session};
use crate::suite::Bench;
use client::{Measured, Pace};

pub(crate) use load::BENCH as LOAD;

/// What the servers are compared to: how far the kernel alone would go.
const YARDSTICK: &str = "bare";
/// The same for the latency of a single connection, where whoever spins is ahead of whoever sleeps.
const SPINNING: &str = "bare-spin";

/// Ours, by multishot receive.
const POOLED: &str = "ours-pool";
/// No peers, those.
pub(crate) const NO_PEERS: [&str; 3] = [YARDSTICK, SPINNING, POOLED];

const WARM_UP: Duration = Duration::from_millis(250);
/// A warm-up is not longer than this share of what it is for.
const WARM_UP_SHARE: f64 = 0.5;

const CONNECTIONS: [usize; 3] = [1, 64, 1000];
const SIZES_BYTES: [usize; 3] = [64, 4096, 65536];
/// In a quick run: the corners that say most.
const QUICK: [Load; 3] = [Load::new(1, 64), Load::new(64, 64), Load::new(1000, 4096)];
/// Starting a server, the warm-up, and the end, in seconds.
const AROUND: f64 = 0.2;

pub(crate) const BENCH: Bench = Bench {
    name: "echo",
    about: "echo over TCP on the loopback, against a bare io_uring loop: requests a second, CPU time, and latency with one connection",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 7,
    seconds: 0.5,
    quick_seconds: 0.05,
    turn_seconds: |options, seconds| loads(options).len() as f64 * (seconds + AROUND),
};

pub(crate) const SERVERS: [(&str, Serve); 9] = [
    (YARDSTICK, bare::serve),
    (SPINNING, bare::serve_spinning),
    ("ours", ours::serve),
    (POOLED, ours_pool::serve),
    ("tokio", tokio::serve),
    ("monoio", monoio::serve),
    ("glommio", glommio::serve),
    ("glommio-spin", glommio::serve_spinning),
    ("compio", compio::serve),
];

fn names() -> Vec<&'static str> {
    SERVERS.iter().map(|(name, _)| *name).collect()
}

/// Those that the command line asks for, or all.
fn loads(options: &Options) -> Vec<Load> {
    let (mut connections, mut sizes) = (&options.connections[..], &options.size[..]);
    if options.quick && connections.is_empty() && sizes.is_empty() {
        return QUICK.to_vec();
    }
    if connections.is_empty() {
        connections = &CONNECTIONS;
    }
    if sizes.is_empty() {
        sizes = &SIZES_BYTES;
    }
    let of = |&connections| sizes.iter().map(move |&size| Load::new(connections, size));
    connections.iter().flat_map(of).collect()
}

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let cpus = Cpus::choose()?;
    session.say(&format!(
        "{} rounds of {:?}, {cpus}",
        session.rounds(),
        session.length()
    ));
    let loads = loads(session.options);
    session.in_parts(loads.len());
    for load in loads {
        measure(session, cpus, load);
    }
    session.say(
        "\"server CPU\" and \"client CPU\" are the shares in use: with a client near 100 %, only CPU time a request compares.",
    );
    Ok(())
}

fn measure(session: &mut Session<'_>, cpus: Cpus, load: Load) {
    let length = session.length();
    let rounds = session.take_turns(&load.to_string(), &SERVERS, |name, _| {
        drive(name, cpus, load, Pace::Closed, length)
    });
    let against = Against::Runtime(YARDSTICK);
    type Of = fn(&Measured) -> f64;
    let columns: [(&str, &str, Better, Against<'_>, Of); 4] = [
        (
            "requests",
            "1/s",
            Better::More,
            against,
            Measured::requests_per_s,
        ),
        (
            "CPU time a request",
            "us",
            Better::Less,
            against,
            Measured::server_cpu_us,
        ),
        (
            "server CPU",
            "%",
            Better::Neither,
            Against::Nobody,
            Measured::server_busy_percent,
        ),
        (
            "client CPU",
            "%",
            Better::Neither,
            Against::Nobody,
            Measured::client_busy_percent,
        ),
    ];
    for (figure, unit, better, against, of) in columns {
        let figure = &format!("{load}: {figure}");
        let of = &|round: &Measured| Some(of(round));
        session.record(
            &rounds,
            Column {
                figure,
                unit,
                better,
                against,
                of,
            },
        );
    }
    // With more, an answer waits for the client to come round, and that would be measured.
    if load.connections == 1 {
        for (point, share) in [("p99", 0.99), ("p50", 0.5)] {
            session.record(
                &rounds,
                Column {
                    figure: &format!("{load}: latency, {point}"),
                    unit: "us",
                    better: Better::Less,
                    against: Against::Runtime(SPINNING),
                    of: &|round| Some(round.latencies.us_at(share)),
                },
            );
        }
        session.add_distributions(&rounds, 1e3, |round| Some(round.latencies.histogram()));
    }
    let all = rounds.runtimes.iter().flat_map(|(_, rounds)| rounds);
    let (all, disturbed) = (
        all.clone().count(),
        all.filter(|round| round.was_disturbed()).count(),
    );
    if disturbed > 0 {
        session.say(&format!(
            "{load}: the machine was not quiet, someone else ran on the client's CPU in {disturbed} of {all} rounds."
        ));
    }
}

/// One round of one server.
fn drive(
    server: &'static str,
    cpus: Cpus,
    load: Load,
    pace: Pace,
    length: Duration,
) -> io::Result<Measured> {
    cpus.measure(format!("echo/{server}"), load, move |server| {
        let warm_up = WARM_UP.min(length.mul_f64(WARM_UP_SHARE));
        client::run(server, load, pace, warm_up, length)
    })
}
