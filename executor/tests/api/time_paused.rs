//! Paused time: it stands while there is something to do, jumps to the next timer of any core when there is nothing, and can be moved on by hand.

use crate::common;
use crate::scratch;

use common::{Watched, block_on, cpus_allowed, modes, pair, settle, start_with, until};
use executor::fs::{File, OpenOptions};
use executor::net::{TcpListener, TcpStream};
use executor::time::{
    self, Duration, Instant, MissedTickBehavior, advance, interval, interval_at, pause, resume,
    sleep, sleep_until, timeout,
};
use executor::{Builder, CoreState, Handle, spawn, spawn_blocking, spawn_on, yield_now};
use futures::FutureExt;
use futures::future::{FusedFuture, join, join_all, poll_immediate};
use futures::stream::{FusedStream, StreamExt};
use scratch::Scratch;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// What happened, on whatever core, in the order in which it did.
type Log<T> = Arc<Mutex<Vec<T>>>;

/// A runtime whose time is paused from the start.
fn start_paused(cores: usize) -> Option<Watched> {
    start_with(Builder::new().start_paused(true), cores)
}

/// On a thread that is no core: until this core blocks.
fn wait_until_blocked(handle: &Handle, core: usize) {
    while handle.stats()[core].state != CoreState::Blocked {
        thread::yield_now();
    }
}

/// A test sleeps for an hour, a thousand times. It takes no time, and the clock shows all of it.
#[executor::test(start_paused = true)]
async fn sleeping_for_hours_takes_no_time() {
    let start = Instant::now();
    for hours in 1..=1_000 {
        sleep(HOUR).await;
        assert_eq!(start.elapsed(), hours * HOUR);
    }
}

/// With nothing to wait for but tasks that are ready, the clock stands.
#[executor::test(start_paused = true)]
async fn time_stands_while_tasks_are_ready() {
    let start = Instant::now();
    let nap = spawn(sleep(MILLISECOND));
    for _ in 0..10_000 {
        yield_now().await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(!nap.is_finished());
}

/// In every way that a core may sleep and be told of completions: timers of two cores fire in the order of their deadlines, and what each wakes on the
/// other core is done before the next does.
#[test]
fn timers_of_all_cores_fire_in_the_order_of_their_deadlines() {
    const SLEEPS: u32 = 100;
    for (mode, builder) in modes() {
        let Some(runtime) = start_with(builder.start_paused(true), 2) else {
            return;
        };
        let log: Log<(u32, bool, Duration)> = Log::default();
        runtime.block_on(async {
            let start = Instant::now();
            let tasks = (0..SLEEPS).map(|number| {
                let (here, there) = (number as usize % 2, (number as usize + 1) % 2);
                let log = Arc::clone(&log);
                spawn_on(here, async move || {
                    // Nearer deadlines are not first in any order that the tasks have.
                    sleep_until(start + (number * 37 % SLEEPS) * HOUR).await;
                    let number = number * 37 % SLEEPS;
                    log.lock().unwrap().push((number, false, start.elapsed()));
                    let caused = spawn_on(there, async move || {
                        log.lock().unwrap().push((number, true, start.elapsed()));
                    });
                    caused.await.unwrap();
                })
            });
            for task in join_all(tasks).await {
                task.unwrap();
            }
        });
        let expected: Vec<_> = (0..SLEEPS)
            .flat_map(|number| {
                [
                    (number, false, number * HOUR),
                    (number, true, number * HOUR),
                ]
            })
            .collect();
        assert_eq!(*log.lock().unwrap(), expected, "{mode}");
    }
}

/// Intervals of different periods on two cores: all ticks come in order, and none is missed.
#[test]
fn intervals_of_two_cores_tick_in_order() {
    let Some(runtime) = start_paused(2) else {
        return;
    };
    let log: Log<u64> = Log::default();
    runtime.block_on(async {
        let start = Instant::now();
        let tickers = [(0, 3, 70), (1, 7, 30)].map(|(core, period, ticks)| {
            let log = Arc::clone(&log);
            spawn_on(core, async move || {
                let period = Duration::from_secs(period);
                let mut interval = interval_at(start + period, period);
                for _ in 0..ticks {
                    let due = interval.tick().await;
                    assert_eq!(due, Instant::now());
                    log.lock().unwrap().push((due - start).as_secs());
                }
            })
        });
        for ticker in join_all(tickers).await {
            ticker.unwrap();
        }
    });
    let mut expected: Vec<u64> = (1..=70)
        .map(|n| n * 3)
        .chain((1..=30).map(|n| n * 7))
        .collect();
    expected.sort_unstable();
    assert_eq!(*log.lock().unwrap(), expected);
}

/// A read of a socket that never comes does not hold time: its limit does.
#[executor::test(start_paused = true)]
async fn a_time_limit_ends_a_read_that_never_comes() {
    let (stream, _peer) = pair().await;
    let start = Instant::now();
    assert!(timeout(HOUR, stream.read(vec![0; 8])).await.is_err());
    assert_eq!(start.elapsed(), HOUR);
}

/// Reads are given up by their limits, again and again, and the peer writes after each: the next read has the bytes within a nanosecond, though the one that
/// was given up had to be cancelled first.
#[executor::test(start_paused = true)]
async fn a_read_that_was_given_up_holds_up_no_later_one() {
    let (stream, peer) = pair().await;
    for byte in 0..100 {
        assert!(timeout(HOUR, stream.read(vec![0; 8])).await.is_err());
        peer.write(vec![byte]).await.0.unwrap();
        let read = timeout(Duration::from_nanos(1), stream.read(Vec::with_capacity(8))).await;
        let (count, bytes) = read.expect("the byte is there").unwrap();
        assert_eq!((count, &bytes[..]), (1, &[byte][..]));
    }
}

/// A named pipe is opened that nobody opens at its other end: work of a worker thread, but not work that ends by itself.
#[executor::test(start_paused = true)]
async fn a_time_limit_ends_an_open_that_waits_for_another_process() {
    let scratch = Scratch::on_disk("paused-fifo");
    let path = scratch.path("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .expect("a named pipe can be made");
    let mut options = OpenOptions::new();
    let open = options.write(true).open(path);
    assert!(timeout(HOUR, open).await.is_err());
}

/// One core writes to the other after an hour, which has just a nanosecond more to read it: the bytes are there in time, each time.
#[test]
fn what_was_written_is_read_before_time_jumps() {
    const ROUNDS: usize = 300;
    let Some(runtime) = start_paused(cpus_allowed().min(2)) else {
        return;
    };
    runtime.block_on(async {
        let last = executor::cores() - 1;
        let (address_sender, address) = futures::channel::oneshot::channel();
        let start = Instant::now();
        let reader = spawn_on(last, async move || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            address_sender.send(listener.local_addr().unwrap()).unwrap();
            let (far, _) = listener.accept().await.unwrap();
            for round in 1..=ROUNDS {
                let limit = start + HOUR * round as u32 + Duration::from_nanos(1);
                let read = time::timeout_at(limit, far.read(vec![0; 1])).await;
                assert_eq!(read.expect("it is in time").0.unwrap(), 1, "{round}");
            }
        });
        let near = TcpStream::connect(address.await.unwrap()).await.unwrap();
        for round in 1..=ROUNDS {
            sleep_until(start + HOUR * round as u32).await;
            near.write(vec![1]).await.0.unwrap();
        }
        reader.await.unwrap();
    });
}

/// A closure blocks a thread until its core has nothing left to do but to wait for it: a timer of an hour does not fire meanwhile, and fires afterwards.
#[test]
fn a_blocking_closure_holds_time() {
    let Some(runtime) = start_paused(1) else {
        return;
    };
    let handle = runtime.handle();
    runtime.block_on(async {
        let start = Instant::now();
        let nap = spawn(sleep(HOUR));
        let closure = spawn_blocking(move || {
            wait_until_blocked(&handle, 0);
            Instant::now()
        });
        assert_eq!(closure.await.unwrap(), start, "it reads the same clock");
        assert_eq!(start.elapsed(), Duration::ZERO);
        nap.await.unwrap();
        assert_eq!(start.elapsed(), HOUR);
    });
}

/// Closures end while every core waits, again and again, and nobody awaits them: time goes on when the thread is free.
#[test]
fn time_goes_on_when_a_closure_has_ended_that_nobody_awaits() {
    for cores in [1, 2] {
        let Some(runtime) = start_paused(cores) else {
            return;
        };
        let handle = runtime.handle();
        runtime.block_on(async {
            for _ in 0..100 {
                let handle = handle.clone();
                drop(spawn_blocking(move || wait_until_blocked(&handle, 0)));
                sleep(HOUR).await;
            }
        });
    }
}

/// Files are written and synced, which a worker thread of the kernel does: a time limit of a nanosecond holds.
#[test]
fn work_on_files_holds_time() {
    let Some(runtime) = start_paused(1) else {
        return;
    };
    runtime.block_on(async {
        let scratch = Scratch::on_disk("paused");
        let start = Instant::now();
        let work = async {
            for number in 0..20 {
                let path = scratch.path(&number.to_string());
                let file = File::create_new(&path).await.unwrap();
                file.write_at(vec![7; 100_000], 0).await.0.unwrap();
                file.sync_all().await.unwrap();
                executor::fs::remove_file(path).await.unwrap();
            }
        };
        let limited = timeout(Duration::from_nanos(1), work).await;
        limited.expect("time stands while the kernel works");
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

/// No timer waits, and a task waits for a thread: the clock stands, and the thread's message is heard. A timer as good as never counts as none.
#[test]
fn without_timers_the_clock_stands_and_cores_wait() {
    let Some(runtime) = start_paused(cpus_allowed().min(2)) else {
        return;
    };
    let handle = runtime.handle();
    let (sender, receiver) = async_channel::bounded::<()>(1);
    let thread = thread::spawn(move || {
        for core in 0..handle.cores() {
            wait_until_blocked(&handle, core);
        }
        sender.try_send(()).unwrap();
    });
    runtime.block_on(async {
        let start = Instant::now();
        let never = spawn(sleep(Duration::MAX));
        receiver.recv().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(!never.is_finished());
    });
    thread.join().unwrap();
}

/// A core sleeps for an hour of real time when another pauses the clock: the hour is over at once.
#[test]
fn a_pause_reaches_cores_that_sleep() {
    for (mode, builder) in modes() {
        let Some(runtime) = start_with(builder, 2) else {
            return;
        };
        let handle = runtime.handle();
        runtime.block_on(async {
            let start = Instant::now();
            let nap = spawn_on(1, async || sleep(HOUR).await);
            until(|| handle.stats()[1].state != CoreState::Running).await;
            pause();
            assert!(time::is_paused());
            nap.await.unwrap();
            let slept = start.elapsed();
            assert!(slept >= HOUR && slept < 2 * HOUR, "{mode}: {slept:?}");
        });
    }
}

/// Time is resumed while another core waits for a jump, and paused again, many times: the timer fires in real time, counted from where the clock stood.
#[test]
fn resumed_time_goes_on_from_where_it_stood() {
    let Some(runtime) = start_paused(2) else {
        return;
    };
    let handle = runtime.handle();
    runtime.block_on(async {
        for _ in 0..20 {
            let start = Instant::now();
            sleep(HOUR).await;
            let nap = spawn_on(1, async || {
                sleep(MILLISECOND).await;
                Instant::now()
            });
            // This task is ready all the while: no jump.
            until(|| handle.stats()[1].state == CoreState::Blocked).await;
            settle().await;
            assert_eq!(start.elapsed(), HOUR);
            let really = std::time::Instant::now();
            resume();
            assert!(!time::is_paused());
            let woken = nap.await.unwrap();
            assert!(really.elapsed() >= MILLISECOND);
            assert!(woken - start >= HOUR + MILLISECOND);
            pause();
            assert!(Instant::now() >= woken);
        }
    });
}

/// By hand the clock moves whatever else goes on, from deadline to deadline, on all cores: a task that sleeps a second five times is woken five times, at the
/// right times.
#[test]
fn an_advance_fires_what_is_due_in_order() {
    let Some(runtime) = start_paused(cpus_allowed().min(2)) else {
        return;
    };
    let log: Log<(usize, Duration)> = Log::default();
    runtime.block_on(async {
        let start = Instant::now();
        let last = executor::cores() - 1;
        let sleepers = [(0, 2), (last, 3)].map(|(core, seconds)| {
            let log = Arc::clone(&log);
            spawn_on(core, async move || {
                for _ in 0..5 {
                    sleep(seconds * SECOND).await;
                    log.lock()
                        .unwrap()
                        .push((seconds as usize, start.elapsed()));
                }
            })
        });
        // So that they have begun to sleep.
        advance(Duration::ZERO).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        advance(7 * SECOND).await;
        assert_eq!(start.elapsed(), 7 * SECOND);
        let expected = [(2, 2), (3, 3), (2, 4), (2, 6), (3, 6)];
        let expected = expected.map(|(sleeper, seconds)| (sleeper, seconds * SECOND));
        let mut seen = log.lock().unwrap().clone();
        // At the same time either may be the first.
        seen.sort_unstable_by_key(|(sleeper, elapsed)| (*elapsed, *sleeper));
        assert_eq!(seen, expected);
        join_all(sleepers).await;
        assert_eq!(start.elapsed(), 15 * SECOND);
    });
}

/// A task of core 1 is ready all the time. Core 0 blocks, with a timer: the clock stands, and jumps
/// when that task has ended. It is moved by hand while another such task is there, and fires what
/// is due on both cores.
#[test]
fn a_core_that_never_rests_holds_time_but_not_an_advance() {
    let Some(runtime) = start_paused(2) else {
        return;
    };
    let handle = runtime.handle();
    runtime.block_on(async {
        let start = Instant::now();
        let nap = spawn(sleep(HOUR));
        let asked = handle.clone();
        let restless = spawn_on(1, async move || {
            until(|| asked.stats()[0].state == CoreState::Blocked).await;
            settle().await;
            start.elapsed()
        });
        assert_eq!(restless.await.unwrap(), Duration::ZERO);
        nap.await.unwrap();
        assert_eq!(start.elapsed(), HOUR);

        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let restless = spawn_on(1, async move || {
            while !stopped.load(SeqCst) {
                yield_now().await;
            }
        });
        let naps = [0, 1].map(|core| spawn_on(core, async || sleep(HOUR).await));
        advance(Duration::ZERO).await;
        advance(HOUR).await;
        for nap in naps {
            nap.await.unwrap();
        }
        assert_eq!(start.elapsed(), 2 * HOUR);
        stop.store(true, SeqCst);
        restless.await.unwrap();
    });
}

/// Core 1 moves the clock while core 0 is outside of `block_on`: it waits for core 0, whose timers
/// have to be fired as well, and goes on in the next `block_on`.
#[test]
fn an_advance_waits_for_a_core_that_is_outside_of_block_on() {
    let Some(runtime) = start_paused(2) else {
        return;
    };
    let handle = runtime.handle();
    let now = || block_on(handle.spawn_on(1, async || Instant::now())).unwrap();
    let start = now();
    let mut napping = None;
    runtime.block_on(async {
        napping = Some(spawn(sleep(HOUR)));
        yield_now().await;
    });
    let advanced = handle.spawn_on(1, async || {
        advance(2 * HOUR).await;
        Instant::now()
    });
    wait_until_blocked(&handle, 1);
    assert_eq!(now(), start);
    assert!(!advanced.is_finished());
    runtime.block_on(async {
        assert_eq!(advanced.await.unwrap(), start + 2 * HOUR);
        let nap = napping.expect("it was started");
        assert!(nap.is_finished());
        nap.await.unwrap();
    });
}

/// More timers than a turn wakes are due within one advance, and one task waits for them all: it has seen them all when the advance returns.
#[executor::test(start_paused = true)]
async fn an_advance_fires_ten_thousand_timers() {
    const TIMERS: u64 = 10_000;
    let naps = (0..TIMERS).map(|number| sleep(Duration::from_millis(5_000 + number % 2)));
    let all = spawn(join_all(naps.collect::<Vec<_>>()));
    advance(5 * SECOND).await;
    assert!(!all.is_finished());
    advance(MILLISECOND).await;
    assert!(all.is_finished());
}

/// What is wrong with a call is said where it is made.
#[test]
fn misuse_panics() {
    let Some(runtime) = start_with(Builder::new(), 1) else {
        return;
    };
    runtime.block_on(async {
        assert!(catch_unwind(resume).is_err());
        let advance_of_real_time = AssertUnwindSafe(advance(SECOND)).catch_unwind();
        assert!(advance_of_real_time.await.is_err());
        pause();
        assert!(catch_unwind(pause).is_err());
        resume();
    });
    assert!(catch_unwind(pause).is_err(), "not on a core");
}

/// Runtimes have clocks of their own, and a thread that is no core has the real one.
#[test]
fn each_runtime_has_its_own_clock() {
    let (Some(paused), Some(real)) = (start_paused(1), start_with(Builder::new(), 1)) else {
        return;
    };
    let before = Instant::now();
    let stands = paused.block_on(async {
        sleep(HOUR).await;
        Instant::now()
    });
    assert!(stands > before);
    assert!(real.block_on(async { before.elapsed() }) < HOUR);
    assert!(before.elapsed() < HOUR);
    assert!(Instant::from(std::time::Instant::now()) >= before);
    assert!(paused.block_on(async { Instant::now() }) == stands);
}

/// The runtime ends while cores wait for a jump that never comes.
#[test]
fn a_paused_runtime_ends() {
    let Some(runtime) = start_paused(2) else {
        return;
    };
    let handle = runtime.handle();
    let waits = handle.spawn_on(1, async || {
        let (stream, _peer) = pair().await;
        let _ = stream.read(vec![0; 1]).await;
    });
    wait_until_blocked(&handle, 1);
    drop(runtime);
    assert!(block_on(waits).unwrap_err().is_cancelled());
}

/// An interval begins anew at four different times, and is exact about each.
#[executor::test(start_paused = true)]
async fn an_interval_is_reset() {
    let start = Instant::now();
    let mut ticks = interval(10 * SECOND);
    assert_eq!(ticks.tick().await, start);
    sleep(SECOND).await;
    ticks.reset();
    assert_eq!(ticks.tick().await - start, 11 * SECOND);
    ticks.reset_after(3 * SECOND);
    assert_eq!(ticks.tick().await - start, 14 * SECOND);
    ticks.reset_at(start + 16 * SECOND);
    assert_eq!(ticks.tick().await - start, 16 * SECOND);
    assert_eq!(ticks.tick().await - start, 26 * SECOND);
    sleep(SECOND).await;
    ticks.reset_immediately();
    assert_eq!(ticks.tick().await - start, 27 * SECOND);
    assert_eq!(ticks.tick().await - start, 37 * SECOND);
    assert_eq!(start.elapsed(), 37 * SECOND);
}

/// As a stream an interval ticks as it does by hand, missed ticks included, and has no end.
#[executor::test(start_paused = true)]
async fn an_interval_is_a_stream() {
    let start = Instant::now();
    let mut ticks = interval(SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    assert_eq!(ticks.missed_tick_behavior(), MissedTickBehavior::Skip);
    assert_eq!(ticks.next().await, Some(start));
    advance(2 * SECOND + SECOND / 2).await;
    let due: Vec<_> = ticks
        .by_ref()
        .take(3)
        .map(|due| due - start)
        .collect()
        .await;
    assert_eq!(due, [SECOND, 3 * SECOND, 4 * SECOND]);
    assert!(!ticks.is_terminated());
}

/// A `select!` in a loop asks each future whether it is over: a sleep is, once it was ready, until it is reset; a timeout is, whichever way it ended.
#[executor::test(start_paused = true)]
async fn sleeps_and_timeouts_say_that_they_are_over() {
    let mut nap = sleep(SECOND);
    assert!(!nap.is_terminated());
    (&mut nap).await;
    assert!(nap.is_terminated());
    nap.reset(Instant::now() + SECOND);
    assert!(!nap.is_terminated());

    let mut late = Box::pin(timeout(SECOND, pending::<()>().fuse()));
    assert!(!late.is_terminated());
    assert!(late.as_mut().await.is_err());
    assert!(late.is_terminated());

    let mut in_time = Box::pin(timeout(SECOND, async {}.fuse()));
    assert!(in_time.as_mut().await.is_ok());
    assert!(in_time.is_terminated());
}

/// An instant converts to the standard library's and back, and counts like it.
#[executor::test(start_paused = true)]
async fn an_instant_counts_like_the_standard_one() {
    let start = Instant::now();
    let std: std::time::Instant = start.into();
    assert_eq!(Instant::from(std), start);
    assert_eq!((start + SECOND).into_std(), std + SECOND);
    assert_eq!(Instant::from_std(std - SECOND), start - SECOND);
    assert_eq!(start.checked_add(Duration::MAX), None);
    assert_eq!((start - SECOND).checked_duration_since(start), None);
    assert_eq!((start - SECOND).duration_since(start), Duration::ZERO);
    let (_, slept) = join(sleep(SECOND), async { poll_immediate(sleep(SECOND)).await }).await;
    assert_eq!((slept, start.elapsed()), (None, SECOND));
}

/// A channel from a core to a thread and back does not deadlock with paused time: a thread waits for what a timer sends.
#[executor::test(start_paused = true)]
async fn a_thread_hears_of_a_jump() {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || receiver.recv().unwrap());
    sleep(HOUR).await;
    sender.send(Instant::now()).unwrap();
    assert_eq!(thread.join().unwrap(), Instant::now());
}
