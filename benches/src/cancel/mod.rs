//! Getting rid of many operations at once: so many tasks wait for a few descriptors to be ready, and then the runtime ends, or they are aborted.
//!
//! There is nobody to compare with but oneself with fewer operations: an operation should cost the same however many there are.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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

/// An eventfd that tells when it is dropped. An operation in flight holds its own.
struct Event {
    eventfd: OwnedFd,
    left: Rc<Cell<usize>>,
}

impl Event {
    fn new(left: &Rc<Cell<usize>>) -> io::Result<Self> {
        let eventfd = eventfd(0, EventfdFlags::NONBLOCK)?;
        left.set(left.get() + 1);
        Ok(Self {
            eventfd,
            left: Rc::clone(left),
        })
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.eventfd.as_fd()
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        self.left.set(self.left.get() - 1);
    }
}

/// From the decision that they end until the last has let go of its descriptor.
fn time(way: Way, count: usize) -> io::Result<Duration> {
    let builder = Builder::new().cores(1);
    let runtime = builder.build().map_err(io::Error::other)?;
    let left = Rc::new(Cell::new(0));
    let tasks = runtime.block_on(begin(count, &left))?;
    let start = Instant::now();
    if way == Way::Abort {
        runtime.block_on(async {
            tasks.iter().for_each(JoinHandle::abort);
            while left.get() > 0 {
                yield_now().await;
            }
        });
        return Ok(start.elapsed());
    }
    drop(runtime);
    match left.get() {
        0 => Ok(start.elapsed()),
        left => Err(io::Error::other(format!(
            "{left} descriptors were left in use"
        ))),
    }
}

/// Starts the tasks, and returns when all their operations are with the kernel.
async fn begin(count: usize, left: &Rc<Cell<usize>>) -> io::Result<Vec<JoinHandle<()>>> {
    let event = |_| Ok(Rc::new(AsyncFd::new(Event::new(left)?)));
    let events: Vec<_> = (0..DESCRIPTORS).map(event).collect::<io::Result<_>>()?;
    let wait = |number: usize| {
        let event = Rc::clone(&events[number % DESCRIPTORS]);
        spawn(async move {
            // It never is.
            let _ = event.readable().await;
        })
    };
    let tasks = (0..count).map(wait).collect();
    // Each has been polled once when this is polled again, and a turn of 128 polls submits what it began.
    for _ in 0..2 * 128 {
        yield_now().await;
    }
    Ok(tasks)
}
