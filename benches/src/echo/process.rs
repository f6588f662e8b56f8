//! One round of one server: a process of its own, from its start to its end.

use std::fmt;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Load;
use super::client::{self, Measured, Pace};
use crate::machine;

const WARM_UP: Duration = Duration::from_millis(250);
/// A warm-up is not longer than what it is for.
const WARM_UP_SHARE: f64 = 0.5;
/// For a server to end once its connections have: far more than any needs.
const END_LIMIT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy)]
pub(super) struct Cpus {
    server: usize,
    client: usize,
}

impl Cpus {
    pub(super) fn choose() -> io::Result<Self> {
        let [server, client] = machine::two_cpus()?;
        Ok(Cpus { server, client })
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "server on CPU {}, client on CPU {}",
            self.server, self.client
        )
    }
}

/// Starts the server, measures it from a thread on the client's CPU, and sees that it ends happily.
pub(super) fn measure(
    server: &'static str,
    cpus: Cpus,
    load: Load,
    pace: Pace,
    length: Duration,
) -> io::Result<Measured> {
    machine::on_fresh_thread(move || {
        machine::pin(cpus.server)?;
        let mut process = start(server, load)?;
        machine::pin(cpus.client)?;
        let measured = drive(&mut process, load, pace, length)
            .and_then(|measured| end(&mut process).map(|()| measured));
        if measured.is_err() {
            // It may have ended by itself; and its error is not what is to be told.
            let _ = process.kill();
            let _ = process.wait();
        }
        measured
    })
}

fn start(server: &str, load: Load) -> io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(["--serve", server])
        .args(["--connections", &load.connections.to_string()])
        .args(["--size", &load.size_bytes.to_string()])
        .stdout(Stdio::piped())
        .spawn()
}

fn drive(process: &mut Child, load: Load, pace: Pace, length: Duration) -> io::Result<Measured> {
    let output = process.stdout.take().expect("the server's output is piped");
    let mut address = String::new();
    BufReader::new(output).read_line(&mut address)?;
    let address: SocketAddr = address
        .trim()
        .parse()
        .map_err(|_| io::Error::other("the server did not start"))?;
    let warm_up = WARM_UP.min(length.mul_f64(WARM_UP_SHARE));
    client::run(address, load, pace, process.id(), warm_up, length)
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
