//! The programs of the redis bench: where they are, and one round of one server.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::machine;
use crate::server::Cpus;

const CONNECTIONS: usize = 50;
/// To answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(10);
/// What decides how many requests are made for a given time; roughly what either server does, for each request in a pipeline.
const REQUESTS_PER_S: f64 = 60_000.0;
/// A pipeline saves so much at most.
const PIPELINE_GAIN: usize = 6;

#[derive(Clone, Copy)]
pub(super) enum Program {
    Redis,
    MiniRedis,
}

pub(super) struct Programs {
    redis: PathBuf,
    mini_redis: PathBuf,
    benchmark: PathBuf,
}

/// As redis-benchmark reports them.
#[derive(Clone, Copy, Default)]
pub(super) struct Rates {
    pub(super) set_per_s: f64,
    pub(super) get_per_s: f64,
    pub(super) get_p50_ms: f64,
    pub(super) get_p99_ms: f64,
}

impl Programs {
    /// Or what is missing, and how to get it.
    pub(super) fn find() -> io::Result<Result<Self, String>> {
        let here = env::current_exe()?;
        let folder = here.parent().expect("a program is in a folder");
        let mini_redis = folder.join("examples/mini-redis");
        if !mini_redis.exists() {
            let build = "cargo build --release --example mini-redis";
            return Ok(Err(format!(
                "{} is not there ({build})",
                mini_redis.display()
            )));
        }
        let missing =
            |name| format!("{name} is not installed (Debian's redis-server and redis-tools)");
        let find = |name| in_path(name).ok_or_else(|| missing(name));
        Ok(find("redis-server").and_then(|redis| {
            find("redis-benchmark").map(|benchmark| Programs {
                redis,
                mini_redis,
                benchmark,
            })
        }))
    }

    /// Starts the server on its CPU, and measures it once for each pipeline.
    pub(super) fn measure(
        &self,
        program: Program,
        cpus: Cpus,
        length: Duration,
        pipelines: &[usize],
    ) -> io::Result<Vec<Rates>> {
        // Scoped, for the pinning ends with its thread.
        std::thread::scope(|scope| {
            let measuring = scope.spawn(|| {
                machine::pin(cpus.server)?;
                let (mut server, port) = self.start(program)?;
                machine::pin(cpus.client)?;
                let mut rates = pipelines
                    .iter()
                    .map(|&pipeline| self.benchmark(port, pipeline, length));
                let rates = rates.by_ref().collect();
                server.kill()?;
                server.wait()?;
                rates
            });
            measuring
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("it panicked")))
        })
    }

    fn start(&self, program: Program) -> io::Result<(Child, u16)> {
        match program {
            Program::MiniRedis => {
                let mut command = Command::new(&self.mini_redis);
                let mut server = command.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn()?;
                let output = server.stdout.take().expect("it is piped");
                let mut line = String::new();
                BufReader::new(output).read_line(&mut line)?;
                let port = line
                    .split_whitespace()
                    .find_map(|word| word.strip_prefix("127.0.0.1:")?.parse().ok());
                match port {
                    Some(port) => Ok((server, port)),
                    None => Err(io::Error::other(format!("mini-redis says {line:?}"))),
                }
            }
            Program::Redis => {
                // It cannot choose one itself.
                let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
                    .local_addr()?
                    .port();
                let mut command = Command::new(&self.redis);
                command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
                // A cache, as the example is one; nothing is written to disk.
                command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
                let server = command.stdout(Stdio::null()).spawn()?;
                wait_for(port)?;
                Ok((server, port))
            }
        }
    }

    fn benchmark(&self, port: u16, pipeline: usize, length: Duration) -> io::Result<Rates> {
        let per_s = REQUESTS_PER_S * pipeline.min(PIPELINE_GAIN) as f64;
        let requests = (length.as_secs_f64() * per_s) as usize;
        let output = Command::new(&self.benchmark)
            .args(["-p", &port.to_string(), "-c", &CONNECTIONS.to_string()])
            .args([
                "-P",
                &pipeline.to_string(),
                "-n",
                &requests.max(1000).to_string(),
            ])
            .args(["-t", "set,get", "--csv"])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        parse(&text).ok_or_else(|| io::Error::other(format!("redis-benchmark says {text:?}")))
    }
}

/// Columns: test, rate, and the latencies mean, least, p50, p95, p99, most.
fn parse(text: &str) -> Option<Rates> {
    let row = |test: &str| -> Option<Vec<f64>> {
        let mut lines = text.lines().map(|line| line.replace('"', ""));
        let line = lines.find(|line| line.starts_with(test))?;
        line.split(',')
            .skip(1)
            .map(|cell| cell.parse().ok())
            .collect()
    };
    let (set, get) = (row("SET,")?, row("GET,")?);
    Some(Rates {
        set_per_s: *set.first()?,
        get_per_s: *get.first()?,
        get_p50_ms: *get.get(3)?,
        get_p99_ms: *get.get(5)?,
    })
}

fn wait_for(port: u16) -> io::Result<()> {
    let limit = Instant::now() + START_LIMIT;
    loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > limit => return Err(error),
            Err(_) => std::thread::yield_now(),
        }
    }
}

fn in_path(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut folders = env::split_paths(&path);
    folders.find_map(|folder| Some(folder.join(name.as_ref())).filter(|file| file.is_file()))
}

#[cfg(test)]
mod tests {
    /// What redis-benchmark 7 writes with `--csv`.
    #[test]
    fn its_rates_are_read() {
        let text = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"\n\
            \"SET\",\"100.00\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"\n\"GET\",\"200.00\",\"1\",\"2\",\"0.3\",\"4\",\"0.5\",\"6\"\n";
        let rates = super::parse(text).expect("it is complete");
        assert_eq!(
            [
                rates.set_per_s,
                rates.get_per_s,
                rates.get_p50_ms,
                rates.get_p99_ms
            ],
            [100.0, 200.0, 0.3, 0.5]
        );
        assert!(super::parse("Could not connect").is_none());
    }
}
