//! The yardsticks: what the machine and the kernel take for there and back, without any runtime.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};

use super::Cpus;
use super::workload::{Measured, One};
use crate::clock::Stopwatch;
use crate::latency::Latencies;
use crate::machine;

const WARM_UP: usize = 1_000;
/// Told to the thread that answers, instead of a question.
const END: u64 = u64::MAX;

/// One cache line that both threads write: even is the caller's turn, odd the other's.
#[repr(align(128))]
struct Line(AtomicU64);

/// A cache line handed over and back: the physical limit.
pub(super) fn line(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let line = Line(AtomicU64::new(0));
    let answer = || {
        let mut turn = 1;
        // Acquire and Release: as a message would need them. On x86-64 they are plain loads and stores.
        loop {
            match line.0.load(Ordering::Acquire) {
                END => return,
                now if now == turn => {
                    line.0.store(turn + 1, Ordering::Release);
                    turn += 2;
                }
                _ => std::hint::spin_loop(),
            }
        }
    };
    let mut turn = 0;
    let ask = || {
        line.0.store(turn + 1, Ordering::Release);
        turn += 2;
        while line.0.load(Ordering::Acquire) != turn {
            std::hint::spin_loop();
        }
        Ok(())
    };
    there_and_back(cpus, length, answer, ask, || {
        line.0.store(END, Ordering::Release)
    })
}

/// Two threads that block, each on an eventfd that the other one writes.
pub(super) fn eventfds(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let create = || eventfd(0, EventfdFlags::CLOEXEC);
    let (there, back) = (create()?, create()?);
    // A failure ends the process: the other thread would block for ever.
    let answer = || {
        while take(&there).expect("an eventfd can be read") != END - 1 {
            give(&back, 1).expect("an eventfd can be written");
        }
    };
    let ask = || {
        give(&there, 1)?;
        take(&back).map(drop)
    };
    there_and_back(cpus, length, answer, ask, || {
        give(&there, END - 1).expect("an eventfd can be written");
    })
}

fn give(eventfd: &OwnedFd, count: u64) -> io::Result<()> {
    Ok(rustix::io::write(eventfd, &count.to_ne_bytes()).map(drop)?)
}

fn take(eventfd: &OwnedFd) -> io::Result<u64> {
    let mut count = [0; 8];
    rustix::io::read(eventfd, &mut count)?;
    Ok(u64::from_ne_bytes(count))
}

/// Runs `answer` on the callee's CPU until `end`, and asks from this thread, on the caller's.
fn there_and_back(
    cpus: Cpus,
    length: Duration,
    answer: impl Fn() + Sync,
    mut ask: impl FnMut() -> io::Result<()>,
    end: impl Fn(),
) -> io::Result<Measured> {
    thread::scope(|scope| {
        let callee = scope.spawn(|| machine::pin(cpus.callee).map(|()| answer()));
        let one = machine::pin(cpus.caller).and_then(|()| measure(length, &mut ask));
        end();
        callee.join().expect("the callee does not panic")?;
        Ok(Measured {
            one: one?,
            many: None,
        })
    })
}

fn measure(length: Duration, ask: &mut impl FnMut() -> io::Result<()>) -> io::Result<One> {
    let mut latencies = Latencies::new();
    for _ in 0..WARM_UP {
        ask()?;
    }
    let start = Instant::now();
    let mut before = start;
    while before - start < length {
        ask()?;
        let now = Instant::now();
        latencies.record(now - before);
        before = now;
    }
    let stopwatch = Stopwatch::of_process();
    for _ in 0..latencies.len() {
        ask()?;
    }
    Ok(One::of(latencies, stopwatch))
}
