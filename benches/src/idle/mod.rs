//! Doing nothing: what two cores cost while there is no work, and how soon they are quiet again after some.
//!
//! A thread of this bench sleeps beside the runtime and reads the CPU clocks of its two threads and the kernel's counts
//! of their context switches: before and after the long sleep, and then each millisecond after a burst of calls. What the
//! threads do meanwhile is nobody's word but the kernel's. The file of a runtime says how it is started and what a call is.

mod ours;
mod pairs;
mod threads;
mod tokio;

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use futures::channel::oneshot;

use crate::machine;
use crate::report::{Better, Spread};
use crate::session::{Against, Column, Session};
use crate::suite::Bench;
use threads::Thread;

pub(crate) const BENCH: Bench = Bench {
    name: "idle",
    about: "CPU time and context switches of two cores with nothing to do, and after a burst",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 3,
    seconds: 10.0,
    quick_seconds: 0.3,
    turn_seconds: |_, seconds| seconds + 1.5,
};

const THREADS: usize = 2;
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

const RUNTIMES: [(&str, Start); 5] = [
    ("ours", ours::start),
    ("tokio", tokio::start),
    ("monoio", pairs::monoio),
    ("glommio", pairs::glommio),
    ("compio", pairs::compio),
];

fn names() -> Vec<&'static str> {
    RUNTIMES.iter().map(|(name, _)| *name).collect()
}

/// No ratios: next to nothing through next to nothing says nothing.
fn run(session: &mut Session<'_>) -> io::Result<()> {
    machine::two_cpus()?;
    let length = session.length();
    session.say(&format!(
        "{} rounds of {length:?}, two cores each, then {BURSTS} bursts of {BURST_CALLS} calls; CPU is a share of one",
        session.rounds()
    ));
    let rounds = session.take_turns("", &RUNTIMES, |_, start| {
        start().and_then(|running| running.measure(length))
    });
    type Of = fn(&Measured) -> f64;
    let columns: [(&str, &str, Of); 6] = [
        ("CPU of core 0", "%", |round| round.cpu_percent[0]),
        ("CPU of core 1", "%", |round| round.cpu_percent[1]),
        ("switches of core 0", "1/s", |round| round.switches_per_s[0]),
        ("switches of core 1", "1/s", |round| round.switches_per_s[1]),
        ("quiet after a burst", "ms", |round| round.quiet_after_ms),
        ("CPU time after a burst", "us", |round| round.cpu_after_us),
    ];
    for (figure, unit, of) in columns {
        let of = &|round: &Measured| Some(of(round));
        let (better, against) = (Better::Less, Against::Nobody);
        session.record(
            &rounds,
            Column {
                figure,
                unit,
                better,
                against,
                of,
            },
        );
    }
    Ok(())
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
