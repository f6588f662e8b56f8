//! Connections accepted in a second: the server takes each one, closes it, and takes the next.
//!
//! The client keeps some in the backlog, so that the server never waits for one, and sees each of them closed. A connection costs the client
//! more than the server, so that rates are close together: CPU time an accept is what compares.

mod servers;

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Duration;

use crate::clock::{CpuClock, Elapsed, Stopwatch, ns_each};
use crate::report::Better;
use crate::server::{Cpus, Load, Serve, Server};
use crate::session::{Against, Column, Session};
use crate::suite::Bench;

pub(crate) const BENCH: Bench = Bench {
    name: "accept",
    about: "connections accepted and closed, one after the other",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 7,
    seconds: 0.5,
    quick_seconds: 0.05,
    turn_seconds: |_, seconds| 1.1 * seconds + 0.1,
};

const YARDSTICK: &str = "bare";
pub(crate) const SERVERS: [(&str, Serve); 7] = [
    (YARDSTICK, servers::bare),
    ("ours", servers::ours),
    ("ours-multishot", servers::ours_multishot),
    ("tokio", servers::tokio),
    ("monoio", servers::monoio),
    ("glommio", servers::glommio),
    ("compio", servers::compio),
];
/// Fewer than any backlog holds.
const WAITING: usize = 32;
/// A server is told beforehand how many will come: so many for each second of the round.
const CONNECTIONS_PER_S: f64 = 20_000.0;

struct Measured {
    each: Elapsed,
    connections: usize,
}

fn names() -> Vec<&'static str> {
    SERVERS.iter().map(|(name, _)| *name).collect()
}

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let cpus = Cpus::choose()?;
    let batches = (session.length().as_secs_f64() * CONNECTIONS_PER_S) as usize / WAITING;
    let (warm_up, batches) = (batches.div_ceil(10), batches.max(1));
    let load = Load::new((warm_up + batches) * WAITING, 8);
    session.say(&format!(
        "{} rounds of {} connections, {cpus}",
        session.rounds(),
        batches * WAITING
    ));
    let rounds = session.take_turns("", &SERVERS, |name, _| {
        cpus.measure(format!("accept/{name}"), load, move |server| {
            measure(server, warm_up, batches)
        })
    });
    let against = Against::Runtime(YARDSTICK);
    let rate = |round: &Measured| Some(1e9 / ns_each(round.each.wall, round.connections));
    session.record(
        &rounds,
        Column {
            figure: "accepts",
            unit: "1/s",
            better: Better::More,
            against,
            of: &rate,
        },
    );
    let cpu = |round: &Measured| Some(ns_each(round.each.cpu, round.connections) / 1e3);
    session.record(
        &rounds,
        Column {
            figure: "CPU time an accept",
            unit: "us",
            better: Better::Less,
            against,
            of: &cpu,
        },
    );
    Ok(())
}

fn measure(server: &Server, warm_up: usize, batches: usize) -> io::Result<Measured> {
    let clock = CpuClock::of_process(server.process())?;
    for _ in 0..warm_up {
        batch(server)?;
    }
    let (stopwatch, before) = (Stopwatch::start(), clock.now()?);
    for _ in 0..batches {
        batch(server)?;
    }
    let (wall, cpu) = (stopwatch.stop().wall, clock.now()? - before);
    Ok(Measured {
        each: Elapsed { wall, cpu },
        connections: batches * WAITING,
    })
}

/// Connects some, and sees each of them closed.
fn batch(server: &Server) -> io::Result<()> {
    let streams: io::Result<Vec<_>> = (0..WAITING)
        .map(|_| TcpStream::connect(server.address))
        .collect();
    for mut stream in streams? {
        // Closed with a reset, which leaves nothing behind that would use the ports up.
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
        if stream.read(&mut [0])? != 0 {
            return Err(io::Error::other("nobody was to write anything"));
        }
    }
    Ok(())
}
