//! The command line: a command and a few numbers. Parsed by hand, because that is less than a dependency.
//!
//! Only `main` calls this. A word that is not understood is an error, never ignored: a mistyped `--rounds` must not
//! turn into a run of the default length that is then quoted.

use std::path::PathBuf;
use std::time::Duration;

pub(crate) const HELP: &str = "\
Benchmarks of the executor and its peers, in interleaved rounds on one machine.

    cargo run --release -p benches -- COMMAND [OPTION]...

Commands:
    echo     echo throughput over TCP on the loopback, against a bare io_uring loop
    local    what spawning, yielding and timers cost on one core
    remote   a call from one core to the other and its answer
    idle     CPU time and context switches of two cores with nothing to do, and after a burst
    stress   whether a wake is lost: two cores and two threads, around each boundary of the idle protocol
    wake     how soon a core that blocks, spins or watches begins with a task sent to it
    adapter  what reading and writing by the traits of futures::io costs, beside owned buffers

Options:
    --connections N   echo: connections, each with one request in flight      [64]
    --size BYTES      echo: bytes of a request, all of them echoed            [64]
    --seconds S       echo: length of one round, after its warm-up            [1]
                      remote: length of each part of a round                  [0.1]
                      idle: how long a round idles                            [10]
                      wake: length of one round of each way                   [0.2]
                      stress: how long it takes in all                        [120]
    --rounds N        rounds of each runtime [echo 9, local 15, remote 11, idle 3, wake 9, adapter 11]
    --only A,B        only these runtimes (a ratio needs what it is taken to)
    --json PATH       also write each figure as a line of JSON (wake: one line with all; stress: one for each way of waiting)
    --list            the runtimes of each command
    --help            this";

pub(crate) enum Command {
    Help,
    List,
    Echo,
    Local,
    Remote,
    Idle,
    Stress,
    Wake,
    Adapter,
    /// Internal: be one server of the echo bench, print the address, end with the last connection.
    Serve {
        server: String,
    },
}

/// What the echo bench asks of a server.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// The server accepts exactly this many, and returns when all of them are closed.
    pub(crate) connections: usize,
    pub(crate) size_bytes: usize,
}

pub(crate) struct Options {
    pub(crate) command: Command,
    pub(crate) load: Load,
    round: Option<Duration>,
    rounds: Option<usize>,
    only: Vec<String>,
    pub(crate) json: Option<PathBuf>,
}

impl Options {
    pub(crate) fn from_arguments(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Self, String> {
        let mut options = Options {
            command: Command::Help,
            load: Load {
                connections: 64,
                size_bytes: 64,
            },
            round: None,
            rounds: None,
            only: Vec::new(),
            json: None,
        };
        while let Some(word) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "echo" => options.command = Command::Echo,
                "local" => options.command = Command::Local,
                "remote" => options.command = Command::Remote,
                "idle" => options.command = Command::Idle,
                "stress" => options.command = Command::Stress,
                "wake" => options.command = Command::Wake,
                "adapter" => options.command = Command::Adapter,
                "serve" => options.command = Command::Serve { server: value()? },
                "--list" => options.command = Command::List,
                "--help" | "-h" => {
                    options.command = Command::Help;
                    return Ok(options);
                }
                "--connections" => options.load.connections = within(&value()?, 1, 4096)?,
                // An answer has to fit into the client's socket while the client still writes.
                "--size" => options.load.size_bytes = within(&value()?, 8, 32 << 10)?,
                "--rounds" => options.rounds = Some(within(&value()?, 1, 1000)?),
                "--seconds" => options.round = Some(seconds(&value()?)?),
                "--only" => options.only.extend(value()?.split(',').map(String::from)),
                "--json" => options.json = Some(value()?.into()),
                _ => return Err(format!("{word} is not understood")),
            }
        }
        Ok(options)
    }

    pub(crate) fn round_or(&self, default: Duration) -> Duration {
        self.round.unwrap_or(default)
    }

    pub(crate) fn rounds_or(&self, default: usize) -> usize {
        self.rounds.unwrap_or(default)
    }

    pub(crate) fn wants(&self, runtime: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == runtime)
    }

    /// Fails for a name in `--only` that is none of `known`.
    pub(crate) fn check_only(&self, known: &[&str]) -> Result<(), String> {
        match self
            .only
            .iter()
            .find(|name| !known.contains(&name.as_str()))
        {
            Some(name) => Err(format!("--only {name}: there are {}", known.join(", "))),
            None => Ok(()),
        }
    }
}

fn within(text: &str, least: usize, most: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("{text} is not a number from {least} to {most}")),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(number) if (0.05..=600.0).contains(&number) => Ok(Duration::from_secs_f64(number)),
        _ => Err(format!(
            "{text} is not a number of seconds from 0.05 to 600"
        )),
    }
}
