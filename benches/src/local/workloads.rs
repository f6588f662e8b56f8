//! The workloads, written once for every runtime.
//!
//! All of it runs in one task, because that is where a program spawns, sleeps and yields; the future given to
//! `block_on` may be treated differently. Anything a runtime puts off is charged to it: each batch of timers ends with
//! a turn of the loop inside the measured time.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::clock::{Elapsed, Stopwatch};

/// What a runtime is asked for. `run` starts it on the calling thread, and runs the future as a task of its own.
pub(crate) trait Runtime: 'static {
    fn run<F>(future: F) -> io::Result<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static;

    /// Starts a task; the future returned is its join.
    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + 'static
    where
        F: Future + 'static,
        F::Output: 'static;

    fn yield_now() -> impl Future<Output = ()> + 'static;

    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static;
}

/// What one operation cost in one round.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) figure: &'static str,
    pub(crate) wall_ns: f64,
    pub(crate) cpu_ns: f64,
}

impl Cost {
    fn of(figure: &'static str, elapsed: Elapsed, operations: usize) -> Self {
        let each = |time: Duration| time.as_secs_f64() * 1e9 / operations as f64;
        Cost {
            figure,
            wall_ns: each(elapsed.wall),
            cpu_ns: each(elapsed.cpu),
        }
    }
}

/// One round of one runtime: every workload, in a runtime of its own.
pub(crate) fn workloads<R: Runtime>() -> io::Result<Vec<Cost>> {
    let mut costs = vec![
        R::run(spawn_and_join::<R>())?,
        R::run(spawn_many::<R>())?,
        R::run(yield_among::<R, _>(
            "yield, one of 100 tasks that do",
            R::yield_now,
        ))?,
        R::run(yield_among::<R, WakeSelf>(
            "wake oneself, one of 100 tasks that do",
            WakeSelf::default,
        ))?,
    ];
    costs.extend(R::run(timers::<R>())?);
    Ok(costs)
}

async fn spawn_and_join<R: Runtime>() -> Cost {
    const TASKS: usize = 50_000;
    let stopwatch = Stopwatch::start();
    for number in 0..TASKS {
        assert_eq!(R::spawn(async move { number }).await, number);
    }
    Cost::of("spawn and join, one at a time", stopwatch.stop(), TASKS)
}

async fn spawn_many<R: Runtime>() -> Cost {
    const TASKS: usize = 1_000;
    const BATCHES: usize = 50;
    let mut joins = Vec::with_capacity(TASKS);
    let stopwatch = Stopwatch::start();
    for _ in 0..BATCHES {
        joins.extend((0..TASKS).map(|number| R::spawn(async move { number })));
        let mut sum = 0;
        for join in joins.drain(..) {
            sum += join.await;
        }
        assert_eq!(sum, TASKS * (TASKS - 1) / 2);
    }
    Cost::of(
        "spawn 1,000, then join all (each)",
        stopwatch.stop(),
        TASKS * BATCHES,
    )
}

async fn yield_among<R: Runtime, Y: Future + 'static>(
    figure: &'static str,
    one: fn() -> Y,
) -> Cost {
    const TASKS: usize = 100;
    const EACH: usize = 1_000;
    let task = |_| {
        R::spawn(async move {
            for _ in 0..EACH {
                one().await;
            }
        })
    };
    let stopwatch = Stopwatch::start();
    let joins: Vec<_> = (0..TASKS).map(task).collect();
    for join in joins {
        join.await;
    }
    Cost::of(figure, stopwatch.stop(), TASKS * EACH)
}

/// What a future does that is ready again at once, without the runtime's own `yield_now`, which may do more (or less):
/// tokio's goes through its I/O driver, and monoio has none.
#[derive(Default)]
pub(crate) struct WakeSelf {
    woken: bool,
}

impl Future for WakeSelf {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.woken, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Two figures: to create a sleep and poll it once, and to drop it, with very many others pending.
async fn timers<R: Runtime>() -> [Cost; 2] {
    const BATCH: usize = 1_000;
    const BATCHES: usize = 50;
    let _pending = pending_timers::<R, _>(R::sleep).await;
    let mut durations = Durations(0x2545_f491_4f6c_dd1d);
    let mut batch = slots(BATCH);
    let (mut inserting, mut dropping) = (Elapsed::default(), Elapsed::default());
    for _ in 0..BATCHES {
        let stopwatch = Stopwatch::start();
        insert::<R, _>(&mut batch, &mut durations, R::sleep).await;
        inserting += stopwatch.stop();
        let stopwatch = Stopwatch::start();
        batch.iter_mut().for_each(|slot| slot.set(None));
        R::yield_now().await;
        dropping += stopwatch.stop();
    }
    [
        Cost::of(
            "timer: create and poll once, 100,000 pending",
            inserting,
            BATCH * BATCHES,
        ),
        Cost::of("timer: drop, 100,000 pending", dropping, BATCH * BATCHES),
    ]
}

/// A hundred thousand sleeps, by a hundred tasks: glommio counts to 32,767 wakers of one task, and then panics.
async fn pending_timers<R: Runtime, S: Future<Output = ()> + 'static>(
    sleep: fn(Duration) -> S,
) -> Vec<Vec<Slot<S>>> {
    const TASKS: u64 = 100;
    const EACH: usize = 1_000;
    let mut pending = Vec::new();
    for task in 1..=TASKS {
        let inserting = async move {
            let (mut slots, mut durations) = (slots(EACH), Durations(task << 32));
            insert::<R, S>(&mut slots, &mut durations, sleep).await;
            slots
        };
        pending.push(R::spawn(inserting).await);
    }
    pending
}

type Slot<S> = Pin<Box<Option<S>>>;

/// Places for sleeps, allocated before anything is measured.
fn slots<S>(count: usize) -> Vec<Slot<S>> {
    (0..count).map(|_| Box::pin(None)).collect()
}

async fn insert<R: Runtime, S: Future<Output = ()>>(
    slots: &mut [Slot<S>],
    durations: &mut Durations,
    sleep: fn(Duration) -> S,
) {
    poll_fn(|context| {
        for slot in slots.iter_mut() {
            slot.set(Some(sleep(durations.next())));
            let sleep = slot
                .as_mut()
                .as_pin_mut()
                .expect("it has just been put there");
            assert!(
                sleep.poll(context).is_pending(),
                "a sleep of a second or more was over at once"
            );
        }
        Poll::Ready(())
    })
    .await;
    R::yield_now().await;
}

/// From 1 to 60 seconds, to the nanosecond, the same ones for everybody (xorshift).
struct Durations(u64);

impl Durations {
    fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_nanos(1_000_000_000 + self.0 % 59_000_000_000)
    }
}
