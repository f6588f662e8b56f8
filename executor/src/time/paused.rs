//! Time under the control of a test.

use super::{Duration, after};
use crate::core::{WrongMode, context};
use crate::{spawn_on, yield_now};

/// Stops the clock of this runtime, for tests.
///
/// [`Instant::now`](super::Instant::now) stands still on every core. Whenever nothing is left to do, the clock **jumps** to the deadline of the earliest timer of
/// any core. What that timer wakes runs to its end, and so does whatever it wakes on other cores, before the clock jumps again: so timers of different
/// cores take effect in the order of their deadlines. Most tests pause their time from the start: `#[executor::test(start_paused = true)]`, or
/// [`Builder::start_paused`](crate::Builder::start_paused).
///
/// The clock does **not** jump while
///
/// - a task is ready to run, on any core, or a message between two cores is under way;
/// - a closure of [`spawn_blocking`](crate::spawn_blocking) runs or waits for a thread (names are looked up by one, directories are read);
/// - an operation of [`fs`](crate::fs) on a file or path is in flight;
/// - core 0 is outside of [`block_on`](crate::Runtime::block_on).
///
/// It does jump while tasks wait for something from outside: a socket, a pipe, a signal, a program, a thread. Such a wait can take for ever, so a time limit
/// around it has to come. Data that is there already is delivered first: what one task of this runtime has written to a socket is read by another
/// before the clock jumps. For what takes real time (a client in a thread, a program), [`resume`] first, or hold the clock by a `spawn_blocking` that
/// waits for it.
///
/// If no timer waits, the clock stands, and the cores wait as they do in real time. A timer 20 years ahead counts as none: as good as never is
/// never.
///
/// Limits that are not timers of tasks stay in real time: how long a shutdown waits, when a stuck core is logged, how long a thread of
/// `spawn_blocking` stays.
///
/// # Panics
/// If the clock is paused already, and when not called on a core.
///
/// # Examples
/// ```
/// use executor::time::{self, Duration, Instant, sleep};
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// time::pause();
/// let start = Instant::now();
/// sleep(Duration::from_secs(3600)).await;
/// assert_eq!(start.elapsed(), Duration::from_secs(3600));
/// # }
/// ```
#[track_caller]
pub fn pause() {
    let paused = context::expect("time::pause", |core| core.runtime().pause());
    assert!(
        paused.is_ok(),
        "time::pause was called while time is paused"
    );
}

/// Lets the clock of this runtime go on in real time, from where it stands.
///
/// # Panics
/// If the clock is not paused, and when not called on a core.
#[track_caller]
pub fn resume() {
    let resumed = context::expect("time::resume", |core| core.runtime().resume());
    if resumed.is_err() {
        refuse("time::resume");
    }
}

/// Whether the clock of this runtime is [paused](pause).
///
/// # Panics
/// When not called on a core.
#[track_caller]
pub fn is_paused() -> bool {
    context::expect("time::is_paused", |core| core.runtime().clock().is_paused())
}

/// Moves the paused clock of this runtime on by `duration`, whatever else goes on.
///
/// The clock goes from deadline to deadline, over all cores. At each, the timers that are due fire, and the tasks that they wake are
/// polled once before it goes on: a task that sleeps a second five times is woken five times by an `advance` of five seconds. For tasks that need more
/// polls between two sleeps, `sleep(duration).await` is the better choice: it lets everything run to its end at each deadline.
///
/// It goes through all cores at each deadline, and waits for each to come round. A task that is
/// always ready does not hold it up. A core that is stuck in a poll does; and so does core 0 while
/// it is outside of [`block_on`](crate::Runtime::block_on): an `advance` on another core goes on
/// when the next `block_on` begins, and the clock stands until then. So it does if `block_on`
/// returns while a task of core 0 is in the middle of an `advance`.
///
/// **Dropped** early, it has moved the clock by a part of `duration`.
///
/// # Panics
/// If the clock is not paused, or is resumed meanwhile, and when not polled on a core.
///
/// # Examples
/// ```
/// use executor::time::{self, Duration, sleep};
/// # #[executor::main(cores = 1, start_paused = true)]
/// # async fn main() {
/// let nap = executor::spawn(sleep(Duration::from_secs(60)));
/// executor::yield_now().await;
/// time::advance(Duration::from_secs(59)).await;
/// assert!(!nap.is_finished());
/// time::advance(Duration::from_secs(1)).await;
/// assert!(nap.is_finished());
/// # }
/// ```
pub async fn advance(duration: Duration) {
    let clock = context::expect("time::advance", |core| core.runtime().clock().clone());
    if !clock.is_paused() {
        refuse("time::advance");
    }
    let target = after(clock.now().into(), duration).into_std();
    let target_ns = clock.ns_since_epoch(target);
    loop {
        let next_ns = fire_everywhere().await.unwrap_or(u64::MAX);
        if clock.now_ns() >= target_ns {
            return;
        }
        if let Err(WrongMode) = clock.move_to(next_ns.min(target_ns)) {
            refuse("time::advance");
        }
    }
}

/// On each core, wakes all that is due, and lets it be polled. Returns the deadline of the next timer of any core.
async fn fire_everywhere() -> Option<u64> {
    let (here, cores) = context::expect("time::advance", |core| {
        (core.index(), core.runtime().cores().len())
    });
    let mut next_ns = fire_here().await;
    for core in (0..cores).filter(|core| *core != here) {
        // A core that is shutting down has no timers.
        let there_ns = spawn_on(core, fire_here).await.ok().flatten();
        next_ns = [next_ns, there_ns].into_iter().flatten().min();
    }
    next_ns
}

async fn fire_here() -> Option<u64> {
    context::expect("time::advance", |core| core.timers().fire_all());
    yield_now().await;
    // What was woken may have set timers that are due already.
    context::expect("time::advance", |core| core.timers().next_deadline_ns())
}

#[track_caller]
fn refuse(what: &str) -> ! {
    panic!("{what} was called while time is not paused; pause it first: time::pause()");
}
