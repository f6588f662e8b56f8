//! Blocking work there and back: a task has a closure run on the runtime's pool of threads, and waits for its answer; one at a time.
//!
//! Nothing is pinned but what a runtime pins itself, which of all of them is ours only: a pool's threads would inherit it.

use std::io;
use std::time::{Duration, Instant};

use monoio::blocking::DefaultThreadPool;

use crate::latency::Latencies;
use crate::machine;
use crate::peers;
use crate::report::Better;
use crate::session::{Against, Column, Session};
use crate::suite::Bench;

pub(crate) const BENCH: Bench = Bench {
    name: "blocking",
    about: "a closure to the pool for blocking work and its answer",
    runtimes: names,
    run,
    is_of_all: true,
    rounds: 7,
    seconds: 0.2,
    quick_seconds: 0.05,
    turn_seconds: |_, seconds| 1.2 * seconds,
};

type Measure = fn(Duration) -> io::Result<Latencies>;

const RUNTIMES: [(&str, Measure); 5] = [
    ("ours", ours),
    ("tokio", tokio),
    ("monoio", monoio),
    ("glommio", glommio),
    ("compio", compio),
];
const WARM_UP_CALLS: u64 = 1_000;
const POOL_THREADS: usize = 2;

fn names() -> Vec<&'static str> {
    RUNTIMES.iter().map(|(name, _)| *name).collect()
}

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let length = session.length();
    session.say(&format!("{} rounds of {length:?}", session.rounds()));
    let rounds = session.take_turns("", &RUNTIMES, |_, measure| {
        machine::on_fresh_thread(move || measure(length))
    });
    for (figure, share) in [("there and back, p99", 0.99), ("there and back, p50", 0.5)] {
        session.record(
            &rounds,
            Column {
                figure,
                unit: "us",
                better: Better::Less,
                against: Against::BestPeer(&[]),
                of: &|latencies| Some(latencies.us_at(share)),
            },
        );
    }
    session.add_distributions(&rounds, 1e3, |latencies| Some(latencies.histogram()));
    Ok(())
}

/// Every answer is checked.
async fn time<F: Future<Output = u64>>(length: Duration, call: impl Fn(u64) -> F) -> Latencies {
    for x in 0..WARM_UP_CALLS {
        assert_eq!(call(x).await, x + 1);
    }
    let (mut latencies, start) = (Latencies::new(), Instant::now());
    let mut before = start;
    while before - start < length {
        let x = latencies.len() as u64;
        assert_eq!(call(x).await, x + 1);
        let now = Instant::now();
        latencies.record(now - before);
        before = now;
    }
    latencies
}

fn ours(length: Duration) -> io::Result<Latencies> {
    let runtime = executor::Builder::new()
        .cores(1)
        .build()
        .map_err(io::Error::other)?;
    let call = |x| async move {
        executor::spawn_blocking(move || x + 1)
            .await
            .expect("it does not panic")
    };
    let timed = runtime.block_on(async move { executor::spawn(time(length, call)).await });
    timed.map_err(io::Error::other)
}

fn tokio(length: Duration) -> io::Result<Latencies> {
    let call = |x| async move {
        tokio::task::spawn_blocking(move || x + 1)
            .await
            .expect("it does not panic")
    };
    let timed = peers::tokio()?.block_on(async { tokio::spawn(time(length, call)).await });
    timed.map_err(io::Error::other)
}

/// It has no pool of its own accord.
fn monoio(length: Duration) -> io::Result<Latencies> {
    let mut runtime = monoio::RuntimeBuilder::<monoio::IoUringDriver>::new()
        .attach_thread_pool(Box::new(DefaultThreadPool::new(POOL_THREADS)))
        .build()?;
    let call = |x| async move {
        monoio::spawn_blocking(move || x + 1)
            .await
            .expect("it does not panic")
    };
    Ok(runtime.block_on(async { monoio::spawn(time(length, call)).await }))
}

fn glommio(length: Duration) -> io::Result<Latencies> {
    let call = |x| async move { glommio::executor().spawn_blocking(move || x + 1).await };
    Ok(peers::glommio()?.run(async move { glommio::spawn_local(time(length, call)).await }))
}

fn compio(length: Duration) -> io::Result<Latencies> {
    let call = |x| async move {
        let answer = compio::runtime::spawn_blocking(move || x + 1);
        answer.await.expect("it does not panic")
    };
    Ok(peers::compio()?.block_on(async {
        let timed = compio::runtime::spawn(time(length, call));
        timed.await.expect("no answer is wrong")
    }))
}
