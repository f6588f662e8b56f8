//! Memory: what a server keeps for each connection that does nothing, and a runtime for each task that waits.
//!
//! In a process of its own each time, by what the kernel says is resident: the difference through the number. Ten thousand connections that
//! have had one answer and wait for the next question, and a hundred thousand tasks that wait for ever.

mod connections;
mod tasks;

pub(crate) use connections::BENCH as CONNECTIONS;
pub(crate) use tasks::{BENCH as TASKS, serve as serve_tasks, tell as tell_of_tasks};

use std::fs;
use std::io;

/// Of a process, in bytes: what is resident, without what files would give back.
fn resident_bytes(process: &str) -> io::Result<u64> {
    kilobytes(&format!("/proc/{process}/status"), "RssAnon:")
}

/// One line of the kernel's, that ends in kB.
fn kilobytes(path: &str, key: &str) -> io::Result<u64> {
    let text = fs::read_to_string(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    match number {
        Some(number) => Ok(number * 1024),
        None => Err(io::Error::other(format!("{path} does not say {key}"))),
    }
}
