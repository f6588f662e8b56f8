//! A server in a process of its own: how a bench starts it on its CPU, hears where it listens, and sees that it ends happily.

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::options::Options;
use crate::{accept, bulk, echo, machine, memory, udp};

/// For a server to end once its connections have: far more than any needs.
const END_LIMIT: Duration = Duration::from_secs(10);

/// What is asked of a server.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// The server accepts exactly this many, and returns when all of them are closed.
    pub(crate) connections: usize,
    pub(crate) size_bytes: usize,
}

/// Called by a server once, with the address it listens at.
pub(crate) type Announce = fn(SocketAddr) -> io::Result<()>;
pub(crate) type Serve = fn(Load, Announce) -> io::Result<()>;

/// The CPU of the server, and that of its client.
#[derive(Clone, Copy)]
pub(crate) struct Cpus {
    pub(crate) server: usize,
    pub(crate) client: usize,
}

pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

/// `--serve BENCH/NAME`: the server's side, in the process that a round started. Pinned already, by inheritance.
pub(crate) fn serve(name: &str, options: &Options) -> io::Result<()> {
    // A server whose client was interrupted would wait for its connections for ever.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let (bench, runtime) = name.split_once('/').ok_or(io::ErrorKind::NotFound)?;
    let servers: &[(&str, Serve)] = match bench {
        "echo" => &echo::SERVERS,
        "accept" => &accept::SERVERS,
        "bulk" => &bulk::SERVERS,
        "udp" => &udp::SERVERS,
        "tasks" => return memory::serve_tasks(runtime),
        _ => return Err(io::ErrorKind::NotFound.into()),
    };
    let server = servers.iter().find(|(known, _)| *known == runtime);
    let (_, server) = server.ok_or(io::ErrorKind::NotFound)?;
    let (&[connections], &[size_bytes]) = (&options.connections[..], &options.size[..]) else {
        return Err(io::Error::other("a server serves one load"));
    };
    let load = Load {
        connections,
        size_bytes,
    };
    server(load, |address| writeln!(io::stdout(), "{address}"))
}

impl Cpus {
    pub(crate) fn choose() -> io::Result<Self> {
        let [server, client] = machine::two_cpus()?;
        Ok(Cpus { server, client })
    }

    /// Starts a server on its CPU, lets `drive` do with it what it likes, on a fresh thread on the client's CPU, and sees that it ends by
    /// itself after that.
    pub(crate) fn measure<R: Send + 'static>(
        self,
        server: String,
        load: Load,
        drive: impl FnOnce(&Server) -> io::Result<R> + Send + 'static,
    ) -> io::Result<R> {
        machine::on_fresh_thread(move || {
            machine::pin(self.server)?;
            let mut server = Server::start(&server, load)?;
            machine::pin(self.client)?;
            let result = drive(&server).and_then(|result| server.end().map(|()| result));
            if result.is_err() {
                // It may have ended by itself; and its error is not what is to be told.
                let _ = server.process.kill();
                let _ = server.process.wait();
            }
            result
        })
    }
}

impl std::fmt::Display for Cpus {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "server on CPU {}, client on CPU {}",
            self.server, self.client
        )
    }
}

impl Server {
    fn start(server: &str, load: Load) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--serve", server])
            .args(["--connections", &load.connections.to_string()])
            .args(["--size", &load.size_bytes.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().expect("the server's output is piped");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        match line.trim().parse() {
            Ok(address) => Ok(Server { process, address }),
            Err(_) => {
                let _ = process.kill();
                let status = process.wait()?;
                Err(io::Error::other(format!(
                    "the server did not start: {status}"
                )))
            }
        }
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    /// Every connection is closed: the server has to return by itself, and happily.
    fn end(&mut self) -> io::Result<()> {
        let limit = Instant::now() + END_LIMIT;
        loop {
            match self.process.try_wait()? {
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
}

impl Load {
    pub(crate) const fn new(connections: usize, size_bytes: usize) -> Self {
        Load {
            connections,
            size_bytes,
        }
    }
}

impl std::fmt::Display for Load {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Load {
            connections,
            size_bytes,
        } = self;
        match size_bytes {
            4096.. if size_bytes % 1024 == 0 => {
                write!(formatter, "{connections} × {} KiB", size_bytes / 1024)
            }
            _ => write!(formatter, "{connections} × {size_bytes} B"),
        }
    }
}
