//! Memory for an idle connection: the servers of the echo bench, and a client that asks each connection once and then nothing more.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::{kilobytes, resident_bytes};
use crate::echo;
use crate::report::Better;
use crate::server::{Cpus, Load, Server};
use crate::session::{Against, Column, Session};
use crate::suite::Bench;

pub(crate) const BENCH: Bench = Bench {
    name: "memory",
    about: "memory of a server for each of 10,000 connections that are idle, and of the kernel",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 3,
    // As many connections as there are, whatever the time.
    seconds: 2.0,
    quick_seconds: 0.2,
    turn_seconds: |_, seconds| seconds,
};

const CONNECTIONS: usize = 10_000;
const QUICK_CONNECTIONS: usize = 1_000;
const SIZE_BYTES: usize = 64;

struct Measured {
    process_bytes: f64,
    kernel_bytes: f64,
}

fn names() -> Vec<&'static str> {
    echo::SERVERS.iter().map(|(name, _)| *name).collect()
}

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let cpus = Cpus::choose()?;
    let connections = if session.options.quick {
        QUICK_CONNECTIONS
    } else {
        CONNECTIONS
    };
    session.say(&format!(
        "{} rounds of {connections} connections",
        session.rounds()
    ));
    let load = Load::new(connections, SIZE_BYTES);
    let rounds = session.take_turns("", &echo::SERVERS, |name, _| {
        cpus.measure(format!("echo/{name}"), load, move |server| {
            measure(server, load)
        })
    });
    let process = |round: &Measured| Some(round.process_bytes);
    let against = Against::BestPeer(&echo::NO_PEERS);
    session.record(
        &rounds,
        Column {
            figure: "an idle connection",
            unit: "B",
            better: Better::Less,
            against,
            of: &process,
        },
    );
    // Of the whole machine, both ends of the connection, and whatever else was going on.
    let kernel = |round: &Measured| Some(round.kernel_bytes);
    session.record(
        &rounds,
        Column {
            figure: "an idle connection: kernel, both ends",
            unit: "B",
            better: Better::Neither,
            against: Against::Nobody,
            of: &kernel,
        },
    );
    Ok(())
}

fn measure(server: &Server, load: Load) -> io::Result<Measured> {
    let process = server.process().to_string();
    let kernel = || kilobytes("/proc/meminfo", "Slab:");
    let (process_before, kernel_before) = (resident_bytes(&process)?, kernel()?);
    let mut streams = Vec::with_capacity(load.connections);
    let mut answer = [0; SIZE_BYTES];
    for number in 0..load.connections {
        let mut stream = TcpStream::connect(server.address)?;
        let question = [number as u8; SIZE_BYTES];
        stream.write_all(&question)?;
        stream.read_exact(&mut answer)?;
        if answer != question {
            return Err(io::Error::other("what came back is not what was sent"));
        }
        streams.push(stream);
    }
    let each = |before: u64, after: u64| (after as f64 - before as f64) / load.connections as f64;
    Ok(Measured {
        process_bytes: each(process_before, resident_bytes(&process)?),
        kernel_bytes: each(kernel_before, kernel()?),
    })
}
