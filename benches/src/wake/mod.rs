//! Waking a core: from the call of `spawn_on` to the first poll of the task, by whether the core blocks, spins or watches
//! its cache line, and by whether a thread or another core of the runtime calls.
//!
//! Whoever wakes keeps its CPU busy for some time before each call: long enough for the core to have gone to where it is
//! to be woken from. Each way is a runtime of its own, on a fresh thread; the ways take turns. The runtime's own counts of
//! how it told the core say whether the core was there: they stand beside each figure. Two rings without a runtime show what the kernel takes.

mod channel;
mod mark;
mod means;
mod ours;
mod rings;
mod tokio;

use std::io;
use std::time::{Duration, Instant};

use crate::latency::Latencies;
use crate::machine;
use crate::report::Better;
use crate::session::{Against, Column, Session};
use crate::suite::Bench;
use means::Means;

pub(crate) const BENCH: Bench = Bench {
    name: "wake",
    about: "how soon a core that blocks, spins or watches begins with a task sent to it",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 9,
    seconds: 0.2,
    quick_seconds: 0.1,
    turn_seconds: |_, seconds| seconds + 0.01,
};

const THREAD_MONITORING: &str = "thread-monitoring";
const CORE_MONITORING: &str = "core-monitoring";
const TOKIO: &str = "tokio";
const TOLD: [&str; 3] = ["nothing", "a store", "the kernel"];
/// Before each call. A core that does not spin blocks within a few microseconds.
const GAP: Duration = Duration::from_micros(200);

/// The CPU of whoever wakes, and that of the core that is woken.
#[derive(Clone, Copy)]
struct Cpus {
    waker: usize,
    woken: usize,
}

/// One round of one way.
struct Measured {
    latencies: Latencies,
    /// How often ours told the core by nothing, by a store, and by the kernel; the others do not say.
    told: Option<[u64; 3]>,
}

/// Called on a fresh thread, which may run on every CPU.
type Measure = fn(Cpus, Duration) -> io::Result<Measured>;

const WAYS: [(&str, Measure); 12] = [
    ("thread-blocked", ours::thread_wakes_blocked),
    ("thread-spinning", ours::thread_wakes_spinning),
    (THREAD_MONITORING, ours::thread_wakes_monitoring),
    ("core-blocked", ours::core_wakes_blocked),
    ("core-spinning", ours::core_wakes_spinning),
    (CORE_MONITORING, ours::core_wakes_monitoring),
    ("ring-eventfd", rings::by_eventfd),
    ("ring-message", rings::by_message),
    (TOKIO, tokio::thread_wakes),
    ("monoio", channel::monoio),
    ("glommio", channel::glommio),
    ("compio", channel::compio),
];

fn names() -> Vec<&'static str> {
    WAYS.iter().map(|(name, _)| *name).collect()
}

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let [waker, woken] = machine::two_cpus()?;
    let (means, length) = (Means::find()?, session.length());
    session.say(&format!(
        "{} rounds of {length:?}, {GAP:?} between two calls; CPU {waker} wakes, CPU {woken} is woken\n{means}",
        session.rounds()
    ));
    let mut ways = WAYS.to_vec();
    if !means.can_monitor() {
        ways.retain(|(name, _)| ![THREAD_MONITORING, CORE_MONITORING].contains(name));
        session.say(&format!(
            "Skipped: {THREAD_MONITORING}, {CORE_MONITORING}. No core watches its line here, see above."
        ));
    }
    let rounds = session.take_turns("", &ways, |_, measure| {
        machine::on_fresh_thread(move || measure(Cpus { waker, woken }, length))
    });
    for (figure, share) in [("p99", 0.99), ("p50", 0.5)] {
        session.record(
            &rounds,
            Column {
                figure,
                unit: "us",
                better: Better::Less,
                against: Against::Runtime(TOKIO),
                of: &|round| Some(round.latencies.us_at(share)),
            },
        );
    }
    session.add_distributions(&rounds, 1e3, |round| Some(round.latencies.histogram()));
    // What the core was told with, in shares of the calls: whether it was where its row says.
    for (means, by) in TOLD.into_iter().enumerate() {
        let share = |round: &Measured| {
            let told = round.told?;
            Some(told[means] as f64 / told.iter().sum::<u64>().max(1) as f64 * 100.0)
        };
        session.record(
            &rounds,
            Column {
                figure: &format!("told by {by}"),
                unit: "%",
                better: Better::Neither,
                against: Against::Nobody,
                of: &share,
            },
        );
    }
    Ok(())
}

/// Keeps this thread and its CPU busy until the core has had the time to go where it is to be.
fn let_it_idle() {
    let start = Instant::now();
    while start.elapsed() < GAP {
        std::hint::spin_loop();
    }
}
