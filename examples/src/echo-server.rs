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
use std::io;
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
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Binds a listener for each core, serves on all of them until told to stop, and prints the totals.
async fn run<S>(options: options::Options, stopped: S) -> io::Result<()>
where
    S: Future<Output = ()> + Clone + Send + Unpin + 'static,
{
    let cores = executor::cores();
    let mut listeners = vec![TcpListener::bind(options.listen)?];
    let address = listeners[0].local_addr()?;
    for _ in 1..cores {
        listeners.push(TcpListener::bind(address)?);
    }
    println!(
        "listening on {address} on {cores} core{}",
        if cores == 1 { "" } else { "s" }
    );
    if options.verbose {
        executor::spawn(report()).detach();
    }
    let mut servers = Vec::new();
    for (core, listener) in listeners.into_iter().enumerate() {
        let stopped = stopped.clone();
        let listener = listener.into_std().expect("nothing is in flight on it");
        servers.push(executor::spawn_on_with(core, move || {
            serve(listener.into(), stopped)
        }));
    }
    for server in servers {
        server.await.map_err(io::Error::other)??;
    }
    finish().await;
    let (accepted, bytes) = (ACCEPTED.load(Relaxed), BYTES.load(Relaxed));
    println!("served {accepted} connections, {bytes} bytes");
    Ok(())
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
                executor::spawn(connection(stream)).detach();
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

async fn connection(stream: TcpStream) {
    let mut bytes = 0;
    // A peer that resets the connection ends it; that is nobody's fault.
    let _: io::Result<()> = echo(&stream, &mut bytes).await;
    drop(stream);
    BYTES.fetch_add(bytes, Relaxed);
    CLOSED.fetch_add(1, Relaxed);
}

async fn echo(stream: &TcpStream, bytes: &mut u64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let BufResult(count, filled) = stream.read(buffer).await;
        if count? == 0 {
            return Ok(());
        }
        let BufResult(written, filled) = stream.write_all(filled).await;
        written?;
        *bytes += filled.len() as u64;
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
        let accepted = ACCEPTED.load(Relaxed);
        println!(
            "{} connections open, {accepted} accepted",
            accepted - CLOSED.load(Relaxed)
        );
    }
}
