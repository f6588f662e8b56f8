//! Doing nothing: what two cores cost while there is no work, and how soon they are quiet again after some.
//!
//! A thread of this bench sleeps beside the runtime and reads the CPU clocks of its two threads and the kernel's counts
//! of their context switches: before and after the long sleep, and then each millisecond after a burst of calls. What the
//! threads do meanwhile is nobody's word but the kernel's. The file of a runtime says how it is started and what a call is.

mod ours;
mod report;
mod threads;
mod tokio;

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use futures::channel::oneshot;

use crate::machine;
use crate::options::Options;
use crate::report::{Spread, progress};
use threads::Thread;

const THREADS: usize = 2;
const IDLE: Duration = Duration::from_secs(10);
/// Between the start and what is measured, and between two bursts.
const SETTLE: Duration = Duration::from_millis(100);
const BURSTS: usize = 9;
const BURST_CALLS: u64 = 10_000;
const STEP: Duration = Duration::from_millis(1);
/// A step is quiet if no thread ran for more than this share of it: twice what ours spins for at most ...
const QUIET_SHARE: f64 = 0.1;
/// ... and quiet is what stays so for as many steps.
const QUIET_STEPS: usize = 10;
/// No runtime looks out for so long.
const QUIET_LIMIT: Duration = Duration::from_secs(2);

/// A runtime with nothing to do.
struct Running {
    /// Those that run its tasks.
    threads: [Thread; THREADS],
    /// Starts so many calls, one after the other, and sends the time when the last one is answered.
    burst: Box<dyn Fn(u64, mpsc::Sender<Instant>)>,
    end: oneshot::Sender<()>,
    host: thread::JoinHandle<io::Result<()>>,
}

/// One round of one runtime.
struct Measured {
    /// Of one CPU, for each thread.
    cpu_percent: [f64; THREADS],
    /// Voluntary context switches, for each thread.
    switches_per_s: [f64; THREADS],
    /// From the end of a burst to the first step that is quiet; the median of the bursts.
    quiet_after_ms: f64,
    /// CPU time of both threads from the first look after a burst until they had been quiet; the median of the bursts.
    cpu_after_us: f64,
}

type Start = fn() -> io::Result<Running>;

const RUNTIMES: [(&str, Start); 2] = [("ours", ours::start), ("tokio", tokio::start)];

pub(crate) fn names() -> Vec<&'static str> {
    RUNTIMES.iter().map(|(name, _)| *name).collect()
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    options.check_only(&names()).map_err(io::Error::other)?;
    if machine::cpus()?.len() < THREADS {
        return Err(io::Error::other("the idle bench needs two CPUs"));
    }
    let runtimes: Vec<_> = RUNTIMES
        .into_iter()
        .filter(|(name, _)| options.wants(name))
        .collect();
    let (rounds, length) = (options.rounds_or(3), options.round_or(IDLE));
    println!(
        "idle: {rounds} rounds of {length:?}, two cores each, then {BURSTS} bursts of {BURST_CALLS} calls"
    );
    let mut measured: Vec<Vec<Measured>> = runtimes.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..runtimes.len() {
            let runtime = (round + turn) % runtimes.len();
            let (name, start) = runtimes[runtime];
            progress(&format!("round {} of {rounds}: {name}", round + 1));
            let result = start().and_then(|running| running.measure(length));
            measured[runtime]
                .push(result.map_err(|error| io::Error::other(format!("{name}: {error}")))?);
        }
    }
    progress("");
    let names: Vec<&str> = runtimes.iter().map(|(name, _)| *name).collect();
    report::report(&names, &measured, options)
}

impl Running {
    fn measure(self, length: Duration) -> io::Result<Measured> {
        thread::sleep(SETTLE);
        let (start, before) = (Instant::now(), threads::read(&self.threads)?);
        thread::sleep(length);
        let (seconds, after) = (start.elapsed().as_secs_f64(), threads::read(&self.threads)?);
        let each = |of: fn(&threads::Used) -> f64| {
            std::array::from_fn(|thread| (of(&after[thread]) - of(&before[thread])) / seconds)
        };
        let mut bursts = Vec::new();
        for _ in 0..BURSTS {
            bursts.push(self.quiet_after_burst()?);
            thread::sleep(SETTLE);
        }
        let median = |of: fn(&(Duration, Duration)) -> f64| {
            Spread::of(&bursts.iter().map(of).collect::<Vec<_>>()).median
        };
        let measured = Measured {
            cpu_percent: each(|used| used.cpu.as_secs_f64() * 100.0),
            switches_per_s: each(|used| used.switches as f64),
            quiet_after_ms: median(|(quiet, _)| quiet.as_secs_f64() * 1e3),
            cpu_after_us: median(|(_, cpu)| cpu.as_secs_f64() * 1e6),
        };
        // Whoever waits for it is told by the drop as well.
        drop(self.end);
        self.host.join().expect("the runtime does not panic")?;
        Ok(measured)
    }

    /// How long after the last answer the threads were quiet, and what CPU time they took from the first look on.
    fn quiet_after_burst(&self) -> io::Result<(Duration, Duration)> {
        let (sender, ended) = mpsc::channel();
        let idle = threads::cpu(&self.threads)?;
        (self.burst)(BURST_CALLS, sender);
        let ended: Instant = ended.recv().map_err(io::Error::other)?;
        let first = threads::cpu(&self.threads)?;
        if idle.iter().sum::<Duration>() == first.iter().sum() {
            return Err(io::Error::other(
                "a burst took no CPU time: these are the wrong threads",
            ));
        }
        let (mut before, mut step_start) = (first, Instant::now());
        let (mut quiet_since, mut quiet_steps) = (step_start, 0);
        while quiet_steps < QUIET_STEPS {
            thread::sleep(STEP);
            let (cpu, now) = (threads::cpu(&self.threads)?, Instant::now());
            let limit = (now - step_start).mul_f64(QUIET_SHARE);
            if cpu
                .iter()
                .zip(before)
                .all(|(now, then)| *now - then <= limit)
            {
                quiet_steps += 1;
            } else {
                (quiet_since, quiet_steps) = (now, 0);
            }
            if now - ended > QUIET_LIMIT {
                return Err(io::Error::other(format!("not quiet after {QUIET_LIMIT:?}")));
            }
            (before, step_start) = (cpu, now);
        }
        let taken = before.iter().sum::<Duration>() - first.iter().sum();
        Ok((quiet_since - ended, taken))
    }
}
