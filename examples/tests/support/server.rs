//! A server in a process of its own, the echo server mostly, and what the kernel tells about it.

use super::process::{Ended, Process};
use rustix::process::Signal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

/// The binary of an example, which cargo builds next to its tests.
pub(crate) fn binary(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this binary has a path");
    let profile = test.ancestors().nth(2).expect("it is in target/*/deps");
    let binary = profile.join("examples").join(example);
    assert!(
        binary.exists(),
        "there is no {}: run `cargo build --examples -p examples`, with --release if this test was built so",
        binary.display()
    );
    binary
}

/// A command that starts the echo server on a free port of the loopback interface.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("echo-server"));
    command.args(["--listen", "127.0.0.1:0"]).args(arguments);
    command
}

/// A server that has said where it listens.
pub(crate) struct Server {
    process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) cores: usize,
}

impl Server {
    /// Starts it and takes the first line on its stdout, which must be exactly as promised.
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        let process = Process::start(command);
        let line = process.line();
        let (address, cores) =
            parse(&line).unwrap_or_else(|| panic!("the first line is not as promised: {line:?}"));
        Self {
            process,
            address,
            cores,
        }
    }

    /// Starts it on two cores, or on one if this process may not use more.
    #[track_caller]
    pub(crate) fn on_two_cores() -> Self {
        let available = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = available.min(2).to_string();
        Self::start(&mut command(&["--cores", &cores]))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for it to end; it must succeed and print one line more. Returns the numbers in that line: connections and bytes.
    #[track_caller]
    pub(crate) fn end(self) -> (usize, usize) {
        let ended: Ended = self.process.end();
        assert!(ended.status.success(), "it failed: {ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
        let [totals] = &ended.lines[..] else {
            panic!("one line of totals was expected: {ended:?}");
        };
        let numbers: Vec<usize> = totals
            .split(|character: char| !character.is_ascii_digit())
            .filter_map(|digits| digits.parse().ok())
            .collect();
        match numbers[..] {
            [connections, bytes] => (connections, bytes),
            _ => panic!("two numbers were expected: {totals:?}"),
        }
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> usize {
        self.descriptors_below(usize::MAX)
    }

    /// How many of them have a number below `limit`: those that `RLIMIT_NOFILE` counts. Some that the test inherited may lie above.
    pub(crate) fn descriptors_below(&self, limit: usize) -> usize {
        let entries = std::fs::read_dir(format!("/proc/{}/fd", self.process.id()));
        entries
            .expect("the server runs")
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|&descriptor: &usize| descriptor < limit)
            .count()
    }

    /// How much memory it occupies, in KiB.
    pub(crate) fn resident_kib(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))
            .expect("the server runs");
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"))
            .and_then(|number| number.trim().parse().ok())
            .unwrap_or_else(|| panic!("no VmRSS in {status}"))
    }
}

/// Reads `listening on ADDRESS on N cores`, with `1 core` for one.
fn parse(line: &str) -> Option<(SocketAddr, usize)> {
    let (address, cores) = line.strip_prefix("listening on ")?.split_once(" on ")?;
    let (count, unit) = cores.split_once(' ')?;
    let count = count.parse().ok()?;
    let expected = if count == 1 { "core" } else { "cores" };
    (unit == expected).then_some((address.parse().ok()?, count))
}
