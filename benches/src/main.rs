//! What this project measures of itself, and of whom else: `cargo run --release -p benches -- --help`.
//!
//! `main` reads the command line and hands over; each bench is a folder that knows its runtimes, its rounds and its
//! table. `serve` is not for people: it is how the echo bench starts its servers, each in a process of its own.

mod adapter;
mod clock;
mod echo;
mod idle;
mod latency;
mod local;
mod machine;
mod options;
mod remote;
mod report;
mod stress;
mod wake;

use std::io;
use std::process::ExitCode;

use options::{Command, Options};

fn main() -> ExitCode {
    let options = match Options::from_arguments(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(complaint) => {
            eprintln!("benches: {complaint}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("benches: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    match &options.command {
        Command::Help => println!("{}", options::HELP),
        Command::List => {
            println!("echo   {}", echo::names().join(", "));
            println!("local  {}", local::names().join(", "));
            println!("remote {}", remote::names().join(", "));
            println!("idle   {}", idle::names().join(", "));
            println!("wake   {}", wake::names().join(", "));
            println!("adapter {}", adapter::names().join(", "));
        }
        Command::Echo => {
            println!("{}\n", machine::describe());
            echo::run(options)?;
        }
        Command::Local => {
            println!("{}\n", machine::describe());
            local::run(options)?;
        }
        Command::Remote => {
            println!("{}\n", machine::describe());
            remote::run(options)?;
        }
        Command::Idle => {
            println!("{}\n", machine::describe());
            idle::run(options)?;
        }
        Command::Wake => {
            println!("{}\n", machine::describe());
            wake::run(options)?;
        }
        Command::Adapter => {
            println!("{}\n", machine::describe());
            adapter::run(options)?;
        }
        Command::Stress => {
            println!("{}\n", machine::describe());
            stress::run(options)?;
        }
        Command::Serve { server } => echo::serve(server, options)?,
    }
    Ok(())
}
