//! The command line. A word that is not understood is an error, never ignored: a mistyped `--rounds` must not turn into a run of the
//! default length that is then quoted.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Benchmarks of the executor and its peers, in interleaved rounds on one machine. See benches/README.md for what each one says, and does
/// not say.
#[derive(Parser)]
#[command(name = "benches")]
pub(crate) struct Options {
    /// What to measure: names from --list, or all of them by `all`
    #[arg(required_unless_present_any = ["list", "draw", "serve"])]
    pub(crate) benches: Vec<String>,

    /// Say which benches there are, what each is about, whom it measures and how long it takes
    #[arg(long)]
    pub(crate) list: bool,

    /// Few and short rounds: about a minute for all of it, good to see that everything works
    #[arg(long)]
    pub(crate) quick: bool,

    /// Only these runtimes (a ratio needs what it is taken to)
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    only: Vec<String>,

    /// Rounds of each runtime
    #[arg(long, value_name = "N", value_parser = number::<1, 1000>)]
    pub(crate) rounds: Option<usize>,

    /// Length of what is measured of one runtime in one round
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(crate) seconds: Option<Duration>,

    /// echo: connections, each with one request in flight [default: 1,64,1000]
    #[arg(long, value_delimiter = ',', value_name = "N,M", value_parser = number::<1, 1_000_000>)]
    pub(crate) connections: Vec<usize>,

    /// echo: bytes of a request, all of them echoed [default: 64,4096,65536]
    #[arg(long, value_delimiter = ',', value_name = "BYTES", value_parser = number::<8, 1_048_576>)]
    pub(crate) size: Vec<usize>,

    /// load: requests a second, over all connections [default: half of what the bare loop does]
    #[arg(long, value_name = "N", value_parser = number::<100, 10_000_000>)]
    pub(crate) rate: Option<usize>,

    /// Also write each figure as a line of JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Say what has changed since a run with --json
    #[arg(long, value_name = "FILE")]
    pub(crate) compare: Option<PathBuf>,

    /// Also draw charts (SVG) into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) charts: Option<PathBuf>,

    /// Measure nothing: print, compare and draw what a run with --json has written
    #[arg(long, value_name = "FILE", conflicts_with_all = ["benches", "json"])]
    pub(crate) draw: Option<PathBuf>,

    /// Internal: be one server, print the address, end with the last connection
    #[arg(long, hide = true)]
    pub(crate) serve: Option<String>,
}

impl Options {
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

fn number<const LEAST: usize, const MOST: usize>(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (LEAST..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("not a number from {LEAST} to {MOST}")),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(number) if (0.05..=600.0).contains(&number) => Ok(Duration::from_secs_f64(number)),
        _ => Err(String::from("not a number of seconds from 0.05 to 600")),
    }
}
