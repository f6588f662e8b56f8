//! The echo server's command line: what it asks for, and how the program answers.

use executor::{Builder, Runtime};
use lexopt::prelude::*;
use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

const USAGE: &str = "usage: echo-server [--listen ADDR] [--cores N] [--verbose]

  --listen ADDR  where to listen, 127.0.0.1:7000 if not given; port 0 picks a free one
  --cores N      how many cores to serve on; all that the process may use if not given
  --verbose      print every second the number of connections, and how the cores slept and were woken";

/// What the command line asks for.
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) cores: Option<usize>,
    pub(crate) verbose: bool,
}

impl Options {
    pub(crate) fn runtime(&self) -> io::Result<Runtime> {
        let builder = self.cores.into_iter().fold(Builder::new(), Builder::cores);
        builder.build().map_err(io::Error::other)
    }
}

/// Prints a line; nobody may be reading, which is no reason to stop serving.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// How the program ends.
pub(crate) fn end_with(result: io::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

/// Reads the command line; `--help` and mistakes end the process.
pub(crate) fn parse_or_exit() -> Options {
    parse().unwrap_or_else(|error| {
        eprintln!("error: {error}\n\n{USAGE}");
        std::process::exit(2)
    })
}

fn parse() -> Result<Options, lexopt::Error> {
    let mut options = Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 7000)),
        cores: None,
        verbose: false,
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("listen") => options.listen = arguments.value()?.parse()?,
            Long("cores") => options.cores = Some(arguments.value()?.parse()?),
            Short('v') | Long("verbose") => options.verbose = true,
            Short('h') | Long("help") => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(options)
}
