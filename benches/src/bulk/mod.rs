//! Bulk transfer: a server writes 64 KiB after 64 KiB into one connection for as long as the client reads, with and without zero-copy.
//!
//! Over the loopback, where zero-copy saves less than it does before a network card, or nothing: the kernel copies what it may not share.

mod servers;

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::clock::CpuClock;
use crate::report::Better;
use crate::server::{Cpus, Load, Serve, Server};
use crate::session::{Against, Column, OURS, Session};
use crate::suite::Bench;

pub(crate) const BENCH: Bench = Bench {
    name: "bulk",
    about: "64 KiB writes into one connection, with and without zero-copy",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 7,
    seconds: 0.5,
    quick_seconds: 0.05,
    turn_seconds: |_, seconds| 1.3 * seconds + 0.1,
};

const ZERO_COPY: &str = "ours-zero-copy";
const YARDSTICK: &str = "blocking";
pub(crate) const SERVERS: [(&str, Serve); 7] = [
    (YARDSTICK, servers::blocking),
    (OURS, servers::ours),
    (ZERO_COPY, servers::ours_zero_copy),
    ("tokio", servers::tokio),
    ("monoio", servers::monoio),
    ("glommio", servers::glommio),
    ("compio", servers::compio),
];
const SIZE_BYTES: usize = 64 << 10;
/// What is sent, over and over.
const PATTERN: u8 = 0xa5;
const WARM_UP_SHARE: f64 = 0.25;

struct Measured {
    bytes: u64,
    wall: Duration,
    cpu: Duration,
}

fn names() -> Vec<&'static str> {
    SERVERS.iter().map(|(name, _)| *name).collect()
}

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let (cpus, length) = (Cpus::choose()?, session.length());
    session.say(&format!(
        "{} rounds of {length:?}, {cpus}",
        session.rounds()
    ));
    let rounds = session.take_turns("", &SERVERS, |name, _| {
        let load = Load::new(1, SIZE_BYTES);
        cpus.measure(format!("bulk/{name}"), load, move |server| {
            measure(server, length)
        })
    });
    let against = Against::Runtime(YARDSTICK);
    let rate = |round: &Measured| Some(round.bytes as f64 / round.wall.as_secs_f64() / 1e6);
    session.record(
        &rounds,
        Column {
            figure: "transferred",
            unit: "MB/s",
            better: Better::More,
            against,
            of: &rate,
        },
    );
    let cpu = |round: &Measured| Some(round.cpu.as_secs_f64() * 1e6 / (round.bytes as f64 / 1e6));
    session.record(
        &rounds,
        Column {
            figure: "CPU time of the sender",
            unit: "us/MB",
            better: Better::Less,
            against,
            of: &cpu,
        },
    );
    Ok(())
}

fn measure(server: &Server, length: Duration) -> io::Result<Measured> {
    let clock = CpuClock::of_process(server.process())?;
    let mut stream = TcpStream::connect(server.address)?;
    let (mut buffer, expected) = (vec![0; SIZE_BYTES], [PATTERN; SIZE_BYTES]);
    let mut read_for = |length: Duration| -> io::Result<(u64, Duration)> {
        let (start, mut bytes) = (Instant::now(), 0);
        while start.elapsed() < length {
            let count = stream.read(&mut buffer)?;
            if count == 0 || buffer[..count] != expected[..count] {
                return Err(io::Error::other("what came is not what was to be sent"));
            }
            bytes += count as u64;
        }
        Ok((bytes, start.elapsed()))
    };
    read_for(length.mul_f64(WARM_UP_SHARE))?;
    let before = clock.now()?;
    let (bytes, wall) = read_for(length)?;
    let cpu = clock.now()? - before;
    Ok(Measured { bytes, wall, cpu })
}
