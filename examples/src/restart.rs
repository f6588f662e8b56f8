//! A server that is started again without losing a connection: a supervisor keeps the listening
//! socket and passes it on, as systemd does. At a hangup it starts a new server, waits until that
//! is ready, and tells the old one to finish. A server that ends by itself is started again, too.
//!
//! ```sh
//! cargo run --release --example restart -- 127.0.0.1:7000 &
//! kill -HUP $!
//! ```

use executor::io::BufReader;
use executor::net::{self, TcpListener, TcpStream};
use executor::process::{Child, Command, Stdio};
use executor::signal::{Signal, SignalKind};
use executor::sync::Gate;
use executor::task::JoinSet;
use executor::time::{Duration, sleep, timeout};
use executor::{JoinHandle, spawn, spawn_on};
use futures::future::{Either, select};
use rustix::process::{Pid, kill_process};
use std::io;
use std::net::TcpListener as StdListener;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::rc::Rc;

/// How long a new server may take until it is ready.
const START_MAX: Duration = Duration::from_secs(10);
/// Before a server is started in place of one that has ended: it may end at once again.
const PAUSE: Duration = Duration::from_millis(200);

#[executor::main]
async fn main() -> io::Result<()> {
    let argument = std::env::args().nth(1);
    match argument.as_deref() {
        Some("serve") => serve().await,
        Some(address) => supervise(StdListener::bind(address)?).await,
        None => Err(io::Error::other("usage: restart ADDRESS")),
    }
}

/// Keeps a server running that has this socket. Ends when all servers have answered their
/// connections.
async fn supervise(listener: StdListener) -> io::Result<()> {
    let mut hangup = Signal::new(SignalKind::HANGUP)?;
    let mut terminate = Signal::new(SignalKind::TERMINATE)?;
    println!("listening on {}", listener.local_addr()?);
    let mut server = start(&listener).await?;
    let mut finishing = JoinSet::new();
    loop {
        let (terminated, hung_up) = (terminate.recv(), hangup.recv());
        let ended = match select(terminated, select(hung_up, pin!(server.wait()))).await {
            Either::Left(_) => break,
            Either::Right((Either::Left(_), _)) => None,
            Either::Right((Either::Right((status, _)), _)) => Some(status?),
        };
        if let Some(status) = ended {
            println!("a server has ended with {status} and is replaced");
            sleep(PAUSE).await;
        }
        match start(&listener).await {
            Ok(next) => drop(finishing.spawn(finish(std::mem::replace(&mut server, next)))),
            // The old one, if it lives, goes on.
            Err(error) => eprintln!("no new server: {error}"),
        }
        while finishing.try_join_next().is_some() {}
    }
    finishing.spawn(finish(server));
    finishing.join_all().await;
    Ok(())
}

/// Starts a server with the socket as its descriptor 3, and waits until it is ready. The shell is
/// there because `LISTEN_PID` has to be the number of the process, which is known only when there
/// is one.
async fn start(listener: &StdListener) -> io::Result<Child> {
    let script = r#"export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" serve 3<&0 0</dev/null"#;
    let mut server = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe()?)
        .stdin(OwnedFd::from(listener.try_clone()?))
        .stdout(Stdio::piped())
        .spawn()?;
    let output = server.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(output).lines();
    let Ok(Ok(Some(line))) = timeout(START_MAX, lines.next_line()).await else {
        server.kill().await?;
        return Err(io::Error::other("it did not become ready, and was killed"));
    };
    println!("{line}");
    // What it says later is passed on: if nobody read it, the server could not go on.
    let pass_on = async move {
        while let Ok(Some(line)) = lines.next_line().await {
            println!("{line}");
        }
    };
    spawn(pass_on).detach();
    Ok(server)
}

/// Tells a server to finish, and waits for its end, so that it does not stay a zombie.
async fn finish(mut server: Child) {
    // None if its end is known already: then the number may be another's.
    let Some(number) = server.id() else {
        return;
    };
    let process = Pid::from_raw(number.cast_signed()).expect("not zero");
    let told = kill_process(process, rustix::process::Signal::TERM);
    match told.map_err(io::Error::from) {
        Ok(()) => match server.wait().await {
            Ok(status) => println!("server {number} has ended with {status}"),
            Err(error) => eprintln!("server {number}: {error}"),
        },
        Err(error) => eprintln!("server {number} cannot be told to finish: {error}"),
    }
}

/// Serves on all cores until it is told to finish.
async fn serve() -> io::Result<()> {
    // For the supervisor. It comes here as well, if it comes from a terminal, and would end this.
    let _hangup = Signal::new(SignalKind::HANGUP)?;
    let sockets = net::listen_fds()?;
    let none = || io::Error::other("no socket was passed on to this process");
    let socket = sockets.first().ok_or_else(none)?;
    let mut servers = Vec::new();
    for core in 0..executor::cores() {
        let listener = socket.try_clone()?;
        let start = async move || -> io::Result<JoinHandle<()>> {
            // From here on the signal does not end the process.
            let terminate = Signal::new(SignalKind::TERMINATE)?;
            Ok(spawn(accept(listener.into_tcp_listener()?, terminate)))
        };
        let server = spawn_on(core, start).await;
        servers.push(server.map_err(io::Error::other)??);
    }
    println!("server {} is ready", std::process::id());
    for server in servers {
        server.await.map_err(io::Error::other)?;
    }
    Ok(())
}

/// Accepts on one core until it is told to finish; waits for the connections that are open, however
/// long they are. A limit on that would go around the last line.
async fn accept(listener: TcpListener, mut terminate: Signal) {
    let connections = Rc::new(Gate::new());
    let welcome = |stream| {
        let inside = Rc::clone(&connections).enter_owned();
        let inside = inside.expect("it is not closed yet");
        spawn(async move {
            // An error is a peer that has gone.
            let _ = answer(stream).await;
            drop(inside);
        })
        .detach();
    };
    loop {
        match select(terminate.recv(), listener.accept()).await {
            Either::Right((Ok((stream, _)), _)) => welcome(stream),
            Either::Right((Err(error), _)) => {
                eprintln!("accept: {error}; trying again");
                sleep(Duration::from_millis(50)).await;
            }
            Either::Left((_, accept)) => {
                // A connection that comes at this moment is this server's: nobody else would answer it.
                if let Ok((stream, _)) = accept.cancel().await {
                    welcome(stream);
                }
                break;
            }
        }
    }
    connections.close().await;
}

/// Waits for a byte, and says which server this is.
async fn answer(stream: TcpStream) -> io::Result<()> {
    stream.read_exact([0; 1]).await.0?;
    stream.write_all(std::process::id().to_string()).await.0
}
