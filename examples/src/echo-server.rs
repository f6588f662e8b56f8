//! Sends back what it receives, on every core. Stop it with Ctrl-C.
//!
//! ```sh
//! cargo run --release --example echo-server -- [--listen ADDR] [--cores N] [--verbose]
//! ```

mod options;

use executor::buf::BufResult;
use executor::net::{TcpListener, TcpStream};
use executor::time::{Duration, Instant, interval, sleep};
use futures::channel::oneshot;
use futures::future::{Either, FutureExt, select};
use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counted at both ends of a connection only: on the hot path nothing is shared between cores.
static ACCEPTED: AtomicU64 = AtomicU64::new(0);
static CLOSED: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

fn main() -> ExitCode {
    let options = options::parse_or_exit();
    // Ctrl-C arrives on a thread of its own; it completes a future that every core waits for.
    let (stop, stopped) = oneshot::channel::<()>();
    let mut stop = Some(stop);
    let handler = ctrlc::set_handler(move || drop(stop.take()));
    handler.expect("no other handler is set");
    let builder = options
        .cores
        .into_iter()
        .fold(executor::Builder::new(), |builder, cores| {
            builder.cores(cores)
        });
    let result = builder
        .build()
        .map_err(io::Error::other)
        .and_then(|runtime| runtime.block_on(run(options, stopped.map(|_| ()).shared())));
    // The runtime is gone, and with it every connection that was still open: what they did is counted.
    match result {
        Ok(()) => {
            let (accepted, bytes) = (ACCEPTED.load(Relaxed), BYTES.load(Relaxed));
            say(format_args!("served {accepted} connections, {bytes} bytes"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line; nobody may be reading, which is no reason to stop serving.
fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Binds a listener for each core, serves on all of them until told to stop, and prints the totals.
async fn run<S>(options: options::Options, stopped: S) -> io::Result<()>
where
    S: Future<Output = ()> + Clone + Send + Unpin + 'static,
{
    let cores = executor::cores();
    let mut listeners = vec![bind(options.listen)?];
    let address = listeners[0].local_addr()?;
    for _ in 1..cores {
        listeners.push(bind(address)?);
    }
    let s = if cores == 1 { "" } else { "s" };
    say(format_args!("listening on {address} on {cores} core{s}"));
    if options.verbose {
        executor::spawn(report()).detach();
    }
    let mut servers = Vec::new();
    for (core, listener) in listeners.into_iter().enumerate() {
        let stopped = stopped.clone();
        let listener = listener.into_std().expect("nothing is in flight on it");
        let server = executor::spawn_on_with(core, move || serve(listener.into(), stopped));
        servers.push(server);
    }
    for server in servers {
        server.await.map_err(io::Error::other)??;
    }
    finish().await;
    Ok(())
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let name = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    TcpListener::bind(address).map_err(name)
}

/// Accepts on one core until told to stop.
async fn serve<S: Future<Output = ()> + Unpin>(
    listener: TcpListener,
    mut stopped: S,
) -> io::Result<()> {
    loop {
        match select(pin!(listener.accept()), &mut stopped).await {
            Either::Left((Ok((stream, _)), _)) => {
                ACCEPTED.fetch_add(1, Relaxed);
                executor::spawn(echo(stream, Tally::default())).detach();
            }
            // Out of descriptors, most likely: connections wait in the backlog until some are closed.
            Either::Left((Err(error), _)) => {
                eprintln!("accept: {error}; trying again");
                sleep(Duration::from_millis(50)).await;
            }
            Either::Right(_) => return Ok(()),
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

/// Open connections get a second to end by themselves; those that do not are closed.
async fn finish() {
    let deadline = Instant::now() + Duration::from_secs(1);
    while CLOSED.load(Relaxed) < ACCEPTED.load(Relaxed) && Instant::now() < deadline {
        sleep(Duration::from_millis(10)).await;
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
