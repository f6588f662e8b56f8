//! The echo server's options.

use lexopt::prelude::*;
use std::net::SocketAddr;

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
