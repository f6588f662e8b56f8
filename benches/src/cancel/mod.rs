//! Getting rid of many operations at once: so many tasks wait for a few descriptors to be ready, and then the runtime ends, or they are aborted.
//!
//! There is nobody to compare with but oneself with fewer operations: an operation should cost the same however many there are.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use executor::io::AsyncFd;
use executor::{Builder, JoinHandle, spawn, yield_now};
use rustix::event::{EventfdFlags, eventfd};

use crate::machine;
use crate::report::Better;
use crate::session::{Against, Column, Session};
use crate::suite::Bench;

pub(crate) const BENCH: Bench = Bench {
    name: "cancel",
    about: "10,000 to 100,000 operations in flight, cancelled at once",
    runtimes: || RUNTIMES.map(|(name, ())| name).into(),
    run,
    is_of_all: true,
    rounds: 5,
    // As many operations as there are, whatever the time.
    seconds: 2.0,
    quick_seconds: 2.0,
    turn_seconds: |_, seconds| seconds,
};

const RUNTIMES: [(&str, ()); 1] = [("ours", ())];
const DESCRIPTORS: usize = 500;

/// How they end.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// The runtime is dropped.
    Shutdown,
    /// Their tasks are aborted, the oldest first, in one poll.
    Abort,
}

const FIGURES: [(&str, Way, usize); 8] = [
    ("shutdown, 10,000", Way::Shutdown, 10_000),
    ("shutdown, 20,000", Way::Shutdown, 20_000),
    ("shutdown, 50,000", Way::Shutdown, 50_000),
    ("shutdown, 100,000", Way::Shutdown, 100_000),
    ("aborted, 10,000", Way::Abort, 10_000),
    ("aborted, 20,000", Way::Abort, 20_000),
    ("aborted, 50,000", Way::Abort, 50_000),
    ("aborted, 100,000", Way::Abort, 100_000),
];

fn run(session: &mut Session<'_>) -> io::Result<()> {
    let rounds = session.take_turns("", &RUNTIMES, |_, ()| {
        machine::on_fresh_thread(|| {
            let time = |(_, way, count)| time(way, count);
            FIGURES
                .into_iter()
                .map(time)
                .collect::<io::Result<Vec<_>>>()
        })
    });
    for (number, (figure, _, count)) in FIGURES.into_iter().enumerate() {
        session.record(
            &rounds,
            Column {
                figure,
                unit: "us",
                better: Better::Less,
                against: Against::BestPeer(&[]),
                of: &|times| Some(times[number].as_secs_f64() * 1e6 / count as f64),
            },
        );
    }
    Ok(())
}

/// From the decision that they end until the last has let go of its descriptor.
fn time(way: Way, count: usize) -> io::Result<Duration> {
    let builder = Builder::new().cores(1);
    let runtime = builder.build().map_err(io::Error::other)?;
    let (descriptors, tasks) = runtime.block_on(begin(count))?;
    let start = Instant::now();
    if way == Way::Abort {
        runtime.block_on(async {
            tasks.iter().for_each(JoinHandle::abort);
            // Each operation in flight holds its descriptor.
            while descriptors.iter().any(|file| Rc::strong_count(file) > 1) {
                yield_now().await;
            }
        });
        return Ok(start.elapsed());
    }
    drop(runtime);
    let left = descriptors.iter().filter(|file| Rc::strong_count(file) > 1);
    match left.count() {
        0 => Ok(start.elapsed()),
        left => Err(io::Error::other(format!(
            "{left} descriptors were left in use"
        ))),
    }
}

type Begun = (Vec<Rc<AsyncFd<std::os::fd::OwnedFd>>>, Vec<JoinHandle<()>>);

/// Starts the tasks, and returns when all their operations are with the kernel.
async fn begin(count: usize) -> io::Result<Begun> {
    let event = |_| Ok(Rc::new(AsyncFd::new(eventfd(0, EventfdFlags::NONBLOCK)?)));
    let descriptors: Vec<_> = (0..DESCRIPTORS).map(event).collect::<io::Result<_>>()?;
    let polled = Rc::new(Cell::new(0));
    let wait = |number: usize| {
        let file = Rc::clone(&descriptors[number % DESCRIPTORS]);
        let polled = Rc::clone(&polled);
        spawn(async move {
            polled.set(polled.get() + 1);
            // It never is.
            let _ = file.readable().await;
        })
    };
    let tasks = (0..count).map(wait).collect();
    while polled.get() < count {
        yield_now().await;
    }
    // Those of the last turn are submitted before this is polled again in another one.
    for _ in 0..1_000 {
        yield_now().await;
    }
    Ok((descriptors, tasks))
}
