//! UDP there and back: one datagram of 64 bytes in flight, answered by a server on the other CPU.

mod servers;

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use crate::latency::Latencies;
use crate::report::Better;
use crate::server::{Cpus, Load, Serve, Server};
use crate::session::{Against, Column, Session};
use crate::suite::Bench;

pub(crate) const BENCH: Bench = Bench {
    name: "udp",
    about: "a UDP datagram of 64 bytes there and back",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 7,
    seconds: 0.3,
    quick_seconds: 0.05,
    turn_seconds: |_, seconds| 1.2 * seconds + 0.1,
};

const YARDSTICK: &str = "blocking";
pub(crate) const SERVERS: [(&str, Serve); 6] = [
    (YARDSTICK, servers::blocking),
    ("ours", servers::ours),
    ("tokio", servers::tokio),
    ("monoio", servers::monoio),
    ("glommio", servers::glommio),
    ("compio", servers::compio),
];
const SIZE_BYTES: usize = 64;
/// A datagram of this length ends the server.
const END_BYTES: usize = 1;
const WARM_UP: usize = 200;
/// One that is not answered by then is lost: on the loopback none is, but for a server that has stopped.
const LOST_AFTER: Duration = Duration::from_secs(5);

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
        cpus.measure(format!("udp/{name}"), load, move |server| {
            measure(server, length)
        })
    });
    for (figure, share) in [("there and back, p99", 0.99), ("there and back, p50", 0.5)] {
        session.record(
            &rounds,
            Column {
                figure,
                unit: "us",
                better: Better::Less,
                against: Against::Runtime(YARDSTICK),
                of: &|latencies: &Latencies| Some(latencies.us_at(share)),
            },
        );
    }
    session.add_distributions(&rounds, 1e3, |latencies| Some(latencies.histogram()));
    Ok(())
}

/// The client never sleeps: its own wake-up is not what is measured.
fn measure(server: &Server, length: Duration) -> io::Result<Latencies> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(server.address)?;
    socket.set_nonblocking(true)?;
    let mut sequence = 0u64;
    for _ in 0..WARM_UP {
        ask(&socket, &mut sequence)?;
    }
    let (mut latencies, start) = (Latencies::new(), Instant::now());
    let mut before = start;
    while before - start < length {
        ask(&socket, &mut sequence)?;
        let now = Instant::now();
        latencies.record(now - before);
        before = now;
    }
    socket.send(&[0; END_BYTES])?;
    Ok(latencies)
}

fn ask(socket: &UdpSocket, sequence: &mut u64) -> io::Result<()> {
    *sequence += 1;
    let mut question = [0; SIZE_BYTES];
    for bytes in question.chunks_mut(8) {
        bytes.copy_from_slice(&sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    }
    socket.send(&question)?;
    let (asked, mut answer) = (Instant::now(), [0; SIZE_BYTES + 1]);
    loop {
        match socket.recv(&mut answer) {
            Ok(count) if answer[..count] == question => return Ok(()),
            Ok(_) => return Err(io::Error::other("what came back is not what was sent")),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Err(_) if asked.elapsed() > LOST_AFTER => {
                return Err(io::Error::other("a datagram was not answered"));
            }
            Err(_) => std::hint::spin_loop(),
        }
    }
}
