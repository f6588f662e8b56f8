//! What the kernel knows of a thread of this process: how long it has run, and how often it chose to stop.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::thread::Pid;

use super::THREADS;
use crate::clock::CpuClock;

pub(super) struct Thread {
    number: Pid,
    clock: CpuClock,
}

/// Since the thread began.
pub(super) struct Used {
    pub(super) cpu: Duration,
    /// Voluntary ones: it had nothing to do. Being put off for someone else is not counted.
    pub(super) switches: u64,
}

impl Thread {
    pub(super) fn of(number: Pid) -> Self {
        let clock = CpuClock::of_thread(number);
        Thread { number, clock }
    }

    fn switches(&self) -> io::Result<u64> {
        let path = format!("/proc/self/task/{}/status", self.number.as_raw_nonzero());
        let text = fs::read_to_string(path)?;
        let mut lines = text.lines();
        let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count
            .and_then(|count| count.trim().parse().ok())
            .ok_or_else(|| io::Error::other("the kernel does not count context switches"))
    }
}

pub(super) fn read(threads: &[Thread]) -> io::Result<Vec<Used>> {
    let read = |thread: &Thread| {
        Ok(Used {
            cpu: thread.clock.now()?,
            switches: thread.switches()?,
        })
    };
    threads.iter().map(read).collect()
}

/// CPU time alone: a system call for each, and no file.
pub(super) fn cpu(threads: &[Thread; THREADS]) -> io::Result<[Duration; THREADS]> {
    let [first, second] = threads;
    Ok([first.clock.now()?, second.clock.now()?])
}
