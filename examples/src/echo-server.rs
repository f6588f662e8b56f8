//! Sends back what it receives, on every core. Stop it with Ctrl-C.
//!
//! ```sh
//! cargo run --release --example echo-server -- [--listen ADDR] [--cores N] [--verbose]
//! ```

mod options;

use executor::buf::BufResult;
use executor::net::{TcpListener, TcpStream};
use executor::signal::{Signal, SignalKind};
use executor::time::{Duration, Instant, interval, sleep};
use futures::future::select;
use options::{Options, say};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counted at both ends of a connection only: on the hot path nothing is shared between cores.
static ACCEPTED: AtomicU64 = AtomicU64::new(0);
static CLOSED: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

fn main() -> std::process::ExitCode {
    let options = options::parse_or_exit();
    options::end_with(options.runtime().and_then(|runtime| {
        runtime.block_on(run(options))?;
        // With the runtime goes every connection that was still open: what they did is counted.
        drop(runtime);
        let (accepted, bytes) = (ACCEPTED.load(Relaxed), BYTES.load(Relaxed));
        say(format_args!("served {accepted} connections, {bytes} bytes"));
        Ok(())
    }))
}

/// Serves on all cores, with a listener on each, until told to stop.
async fn run(options: Options) -> io::Result<()> {
    let mut interrupt = Signal::new(SignalKind::INTERRUPT)?;
    let mut terminate = Signal::new(SignalKind::TERMINATE)?;
    let listeners = bind(options.listen)?;
    let (address, cores) = (listeners[0].local_addr()?, listeners.len());
    let s = if cores == 1 { "" } else { "s" };
    say(format_args!("listening on {address} on {cores} core{s}"));
    if options.verbose {
        executor::spawn(report()).detach();
    }
    let mut servers = Vec::new();
    for (core, listener) in listeners.into_iter().enumerate() {
        let serve = move || serve(listener.into());
        servers.push(executor::spawn_on(core, serve));
    }
    select(pin!(interrupt.recv()), pin!(terminate.recv())).await;
    for server in servers {
        server.abort();
        // It was told to: that it ended so is no error.
        let _ = server.await;
    }
    // Open connections get a second to end by themselves; those that do not are closed.
    let deadline = Instant::now() + Duration::from_secs(1);
    while CLOSED.load(Relaxed) < ACCEPTED.load(Relaxed) && Instant::now() < deadline {
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// One for each core.
fn bind(address: SocketAddr) -> io::Result<Vec<std::net::TcpListener>> {
    let name = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    TcpListener::bind_all(address).map_err(name)
}

/// Accepts on one core.
async fn serve(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                ACCEPTED.fetch_add(1, Relaxed);
                executor::spawn(echo(stream, Tally::default())).detach();
            }
            // Out of descriptors, most likely: connections wait in the backlog until some are closed.
            Err(error) => {
                eprintln!("accept: {error}; trying again");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Counts a connection when it ends, in whatever way.
#[derive(Default)]
struct Tally {
    bytes: u64,
}

impl Drop for Tally {
    fn drop(&mut self) {
        BYTES.fetch_add(self.bytes, Relaxed);
        CLOSED.fetch_add(1, Relaxed);
    }
}

/// An error is a peer that reset the connection: that ends it, and is nobody's fault.
async fn echo(stream: TcpStream, mut tally: Tally) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let BufResult(count, filled) = stream.read(buffer).await;
        if count? == 0 {
            return Ok(());
        }
        let BufResult(written, filled) = stream.write_all(filled).await;
        written?;
        tally.bytes += filled.len() as u64;
        buffer = filled;
    }
}

async fn report() {
    let mut ticks = interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        // In this order, and even so another core may be in between.
        let closed = CLOSED.load(Relaxed);
        let accepted = ACCEPTED.load(Relaxed);
        let open = accepted.saturating_sub(closed);
        say(format_args!("{open} connections open, {accepted} accepted"));
        for (core, stats) in executor::stats().iter().enumerate() {
            say(format_args!("core {core}: {stats}"));
        }
    }
}
