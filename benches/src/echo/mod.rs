//! Echo throughput: connections in a closed loop, one request in flight on each.
//!
//! The server is a process of its own on the first CPU, so that its CPU clock counts nothing else; this process is the
//! client, on the second CPU, and the same one for every server. Rounds are interleaved and their order rotates, and a
//! server lives for one round only: none of them starts with what another left behind.

mod bare;
mod client;
mod monoio;
mod ours;
mod report;
mod tokio;

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::machine;
use crate::options::{Load, Options};
use crate::report::progress;
use client::Measured;

const ROUND: Duration = Duration::from_secs(1);
const WARM_UP: Duration = Duration::from_millis(250);
/// For a server to end once its connections have: far more than any needs.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Called by a server once, with the address it listens at.
type Announce = fn(SocketAddr) -> io::Result<()>;
type Server = fn(Load, Announce) -> io::Result<()>;

const SERVERS: [(&str, Server); 5] = [
    (report::YARDSTICK, bare::serve),
    (report::SPINNING, bare::serve_spinning),
    ("ours", ours::serve),
    ("tokio", tokio::serve),
    ("monoio", monoio::serve),
];

pub(crate) fn names() -> Vec<&'static str> {
    SERVERS.iter().map(|(name, _)| *name).collect()
}

/// `serve NAME`: the server's side, in the process that `round` started. Pinned already, by inheritance.
pub(crate) fn serve(name: &str, options: &Options) -> io::Result<()> {
    // A server whose client was interrupted would wait for its connections for ever.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let (_, server) = SERVERS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or(io::ErrorKind::NotFound)?;
    server(options.load, |address| writeln!(io::stdout(), "{address}"))
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    options.check_only(&names()).map_err(io::Error::other)?;
    let [server_cpu, client_cpu, ..] = machine::cpus()?[..] else {
        return Err(io::Error::other(
            "the echo bench needs two CPUs: one for the server, one for the client",
        ));
    };
    let servers: Vec<&str> = names()
        .into_iter()
        .filter(|name| options.wants(name))
        .collect();
    let rounds = options.rounds_or(9);
    let length = options.round_or(ROUND);
    println!(
        "echo: {} connections of {} bytes, {rounds} rounds of {:?}, server on CPU {server_cpu}, client on {client_cpu}",
        options.load.connections, options.load.size_bytes, length
    );
    let mut measured = vec![Vec::with_capacity(rounds); servers.len()];
    for round in 0..rounds {
        for turn in 0..servers.len() {
            let server = (round + turn) % servers.len();
            progress(&format!(
                "round {} of {rounds}: {}",
                round + 1,
                servers[server]
            ));
            machine::pin(server_cpu)?;
            let mut process = start(servers[server], options)?;
            machine::pin(client_cpu)?;
            let result = measure(&mut process, options.load, length)
                .and_then(|result| end(&mut process).map(|()| result));
            let failed = |error| io::Error::other(format!("{}: {error}", servers[server]));
            measured[server].push(
                result
                    .inspect_err(|_| drop(process.kill()))
                    .map_err(failed)?,
            );
        }
    }
    progress("");
    report::report(&servers, &measured, options)
}

fn start(server: &str, options: &Options) -> io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(["serve", server])
        .args(["--connections", &options.load.connections.to_string()])
        .args(["--size", &options.load.size_bytes.to_string()])
        .stdout(Stdio::piped())
        .spawn()
}

fn measure(process: &mut Child, load: Load, length: Duration) -> io::Result<Measured> {
    let output = process.stdout.take().expect("the server's output is piped");
    let mut address = String::new();
    BufReader::new(output).read_line(&mut address)?;
    let address: SocketAddr = address
        .trim()
        .parse()
        .map_err(|_| io::Error::other("the server did not start"))?;
    client::run(address, load, process.id(), WARM_UP, length)
}

/// Every connection is closed: the server has to return by itself, and happily.
fn end(process: &mut Child) -> io::Result<()> {
    let limit = Instant::now() + END_LIMIT;
    loop {
        match process.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => {
                return Err(io::Error::other(format!("the server ended with {status}")));
            }
            None if Instant::now() > limit => {
                return Err(io::Error::other("the server did not end"));
            }
            None => std::thread::yield_now(),
        }
    }
}
