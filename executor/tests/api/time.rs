//! Timers: never early, in order, gone when dropped; limits and intervals.

use crate::common;

use common::{Random, block_on, modes, on_thread, run, settle, start, start_with, until};
use executor::time::{
    Duration, Elapsed, Instant, MissedTickBehavior, Sleep, interval, interval_at, sleep,
    sleep_until, timeout, timeout_at,
};
use executor::{Builder, IdlePolicy, spawn, spawn_on, yield_now};
use futures::future::{join_all, poll_immediate};
use std::cell::RefCell;
use std::future::{Future, pending, poll_fn, ready};
use std::panic::catch_unwind;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

const MILLISECOND: Duration = Duration::from_millis(1);

/// Keeps the core from turning, as a task that computes for too long does.
fn block_the_core(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// A deadline that is past, or now, is ready at the first poll; so is a sleep of no time.
#[test]
fn a_deadline_in_the_past_is_ready_at_once() {
    run(1, async {
        let now = Instant::now();
        let deadlines = [
            now,
            now - MILLISECOND,
            now.checked_sub(Duration::from_secs(5)).unwrap_or(now),
        ];
        for deadline in deadlines {
            assert!(poll_immediate(sleep_until(deadline)).await.is_some());
        }
        assert!(poll_immediate(sleep(Duration::ZERO)).await.is_some());
    });
}

/// Ten thousand sleeps end at one instant: they are woken in the order in which they began to wait, none before its time.
#[test]
fn ten_thousand_on_one_tick_fire_in_order() {
    const SLEEPS: usize = 10_000;
    run(1, async {
        let order = Rc::new(RefCell::new(Vec::new()));
        let deadline = Instant::now() + Duration::from_millis(500);
        for number in 0..SLEEPS {
            let order = Rc::clone(&order);
            spawn(async move {
                sleep_until(deadline).await;
                assert!(Instant::now() >= deadline);
                order.borrow_mut().push(number);
            })
            .detach();
        }
        until(|| order.borrow().len() == SLEEPS).await;
        assert_eq!(*order.borrow(), Vec::from_iter(0..SLEEPS));
    });
}

/// More timers than a turn fires are due at once, on a core that has nothing else to do, and only
/// the waker of the last makes a task ready: it is reached all the same, in every mode.
#[test]
fn an_idle_core_fires_more_timers_than_a_turn_does() {
    const SLEEPS: usize = 3_000;
    struct Countdown {
        left: AtomicUsize,
        main: Waker,
    }
    impl Wake for Countdown {
        fn wake(self: Arc<Self>) {
            if self.left.fetch_sub(1, SeqCst) == 1 {
                self.main.wake_by_ref();
            }
        }
    }
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let main = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
            let left = AtomicUsize::new(SLEEPS);
            let countdown = Arc::new(Countdown { left, main });
            let waker = Waker::from(Arc::clone(&countdown));
            let mut context = Context::from_waker(&waker);
            let deadline = Instant::now() + 50 * MILLISECOND;
            let mut sleeps: Vec<_> = (0..SLEEPS)
                .map(|_| Box::pin(sleep_until(deadline)))
                .collect();
            for sleep in &mut sleeps {
                if sleep.as_mut().poll(&mut context).is_ready() {
                    // This took long: its time is past.
                    waker.wake_by_ref();
                }
            }
            let is_over = || countdown.left.load(SeqCst) == 0;
            poll_fn(|_| {
                if is_over() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        });
    }
}

/// A thousand deadlines within 20 ms, set in a random order: they fire in their own.
#[test]
fn different_deadlines_fire_in_their_order() {
    run(1, async {
        let mut random = Random::new(3);
        let start = Instant::now();
        let order = Rc::new(RefCell::new(Vec::new()));
        let mut expected: Vec<_> = (0..1000)
            .map(|_| {
                start
                    + Duration::from_millis(500)
                    + Duration::from_nanos(random.below(20_000_000) as u64)
            })
            .collect();
        for deadline in expected.clone() {
            let order = Rc::clone(&order);
            spawn(async move {
                sleep_until(deadline).await;
                order.borrow_mut().push(deadline);
            })
            .detach();
        }
        until(|| order.borrow().len() == expected.len()).await;
        expected.sort();
        assert_eq!(*order.borrow(), expected);
    });
}

/// A sleeping task is aborted by another: its timer goes, and a later one on the same core still fires.
#[test]
fn another_task_cancels_a_sleep() {
    run(1, async {
        let sleeping = spawn(sleep(Duration::from_secs(3600)));
        let other = spawn(sleep(2 * MILLISECOND));
        settle().await;
        sleeping.abort();
        assert!(sleeping.await.unwrap_err().is_cancelled());
        other.await.unwrap();
    });
}

/// A sleep is polled by a waker of ours and dropped, or moved, before its time: its timer lets go of the waker there and then.
#[test]
fn a_dropped_sleep_leaves_no_timer() {
    struct Nobody;
    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {
            panic!("the sleep it waited for is gone");
        }
    }
    run(1, async {
        let nobody = Arc::new(Nobody);
        let waker = Waker::from(Arc::clone(&nobody));
        let mut context = Context::from_waker(&waker);
        let mut dropped: Vec<_> = (0..100).map(|_| sleep(Duration::from_secs(3600))).collect();
        for sleep in &mut dropped {
            assert!(pin!(sleep).poll(&mut context).is_pending());
        }
        assert!(Arc::strong_count(&nobody) > 100);
        let mut moved = dropped.pop().expect("not empty");
        drop(dropped);
        moved.reset(Instant::now());
        moved.await;
        assert_eq!(Arc::strong_count(&nobody), 2, "one here, one in `waker`");
    });
}

/// Sleeps for the longest times there are wait, beside ones that are over soon, also on a core that blocks in the kernel meanwhile.
#[test]
fn the_far_future_waits() {
    const YEAR_S: u64 = 86_400 * 365;
    let runtime = start_with(Builder::new().idle(IdlePolicy::block()), 1).expect("one CPU");
    runtime.block_on(async {
        let far = [
            Duration::MAX,
            Duration::from_secs(u64::MAX),
            Duration::from_secs(i64::MAX as u64 / 2),
            Duration::from_secs(600 * YEAR_S),
            Duration::from_secs(300 * YEAR_S),
            Duration::from_secs(30 * YEAR_S),
        ];
        let far: Vec<_> = far.map(|duration| spawn(sleep(duration))).into();
        for _ in 0..5 {
            sleep(MILLISECOND).await;
        }
        assert_eq!(timeout(Duration::MAX, ready(1)).await, Ok(1));
        assert!(far.iter().all(|far| !far.is_finished()));
        far.iter().for_each(|far| far.abort());
    });
}

/// A hundred thousand sleeps are pending at once; two thirds are dropped before their time, and all the others are ready in theirs.
#[test]
fn a_hundred_thousand_pending() {
    run(1, async {
        let mut random = Random::new(5);
        let mut context = Context::from_waker(Waker::noop());
        let mut sleeps = Vec::new();
        for _ in 0..100_000 {
            let mut sleep = sleep(Duration::from_micros(1000 + random.below(300_000) as u64));
            let _ = pin!(&mut sleep).poll(&mut context);
            sleeps.push(sleep);
        }
        let mut index = 0;
        sleeps.retain(|_| {
            index += 1;
            index % 3 == 0
        });
        let last = sleeps.iter().map(Sleep::deadline).max().expect("not empty");
        join_all(sleeps).await;
        assert!(Instant::now() >= last);
    });
}

/// A sleep is moved: later, earlier, after it was ready, and before its first poll.
#[test]
fn a_sleep_can_be_reset() {
    run(1, async {
        let mut sleep = sleep(Duration::from_secs(3600));
        assert!(poll_immediate(&mut sleep).await.is_none());
        let soon = Instant::now() + MILLISECOND;
        sleep.reset(soon);
        assert_eq!(sleep.deadline(), soon);
        (&mut sleep).await;
        assert!(Instant::now() >= soon && sleep.is_elapsed());
        for _ in 0..3 {
            let again = Instant::now() + MILLISECOND;
            sleep.reset(again);
            (&mut sleep).await;
            assert!(Instant::now() >= again);
        }
        // Again, should this thread be held up for so long in between.
        while poll_immediate(&mut sleep).await.is_some() {
            sleep.reset(Instant::now() + MILLISECOND);
        }
        sleep.reset(Instant::now() + Duration::from_secs(3600));
        let waiting = timeout(5 * MILLISECOND, sleep).await;
        assert!(waiting.is_err(), "the earlier deadline is forgotten");
    });
}

/// A limit and the end of what it limits fall together, a few thousand times: there is exactly one outcome, and it is true.
#[test]
fn timeout_races_completion() {
    run(1, async {
        let mut outcomes = [0; 2];
        for round in 0..2000 {
            let limit = Duration::from_micros(50 + round % 20);
            let task = spawn(async move {
                sleep(Duration::from_micros(60)).await;
                round
            });
            let start = Instant::now();
            match timeout(limit, task).await {
                Ok(output) => {
                    assert_eq!(output.unwrap(), round);
                    assert!(start.elapsed() >= Duration::from_micros(60));
                    outcomes[0] += 1;
                }
                Err(elapsed) => {
                    assert!(start.elapsed() >= limit);
                    assert_eq!(elapsed.to_string(), "the time limit was reached");
                    outcomes[1] += 1;
                }
            }
        }
        println!("{outcomes:?} completed, elapsed");
    });
}

/// What is ready at once is never too late; what never is, is; the future can be had back; the error is an I/O error if wanted.
#[test]
fn timeouts() {
    run(1, async {
        let past = Instant::now() - MILLISECOND;
        assert_eq!(timeout_at(past, ready(1)).await, Ok(1));
        let elapsed: Elapsed = timeout_at(past, pending::<()>()).await.unwrap_err();
        assert_eq!(
            std::io::Error::from(elapsed).kind(),
            std::io::ErrorKind::TimedOut
        );
        let mut limited = timeout(Duration::from_secs(3600), spawn(async { settle().await }));
        assert!(poll_immediate(&mut limited).await.is_none());
        limited.into_inner().await.unwrap();
    });
}

/// The first tick is due at the start, the next ones a period after each other, and none comes early.
#[test]
fn an_interval_ticks_on_schedule() {
    run(1, async {
        let start = Instant::now() + MILLISECOND;
        let mut ticks = interval_at(start, 2 * MILLISECOND);
        for number in 0..5 {
            let due = ticks.tick().await;
            assert_eq!(due, start + number * 2 * MILLISECOND);
            assert!(Instant::now() >= due);
        }
        // A tick that is not waited for to the end is not lost.
        let tick = match poll_immediate(ticks.tick()).await {
            None => ticks.tick().await,
            Some(late) => late,
        };
        assert_eq!(tick, start + 10 * MILLISECOND);
        let now = Instant::now();
        ticks.reset();
        assert!(ticks.tick().await >= now + 2 * MILLISECOND);
        assert!(interval(MILLISECOND).tick().await <= Instant::now());
        assert!(catch_unwind(|| interval(Duration::ZERO)).is_err());
    });
}

/// The core is held up for more than three periods, with each way to go on after that.
#[test]
fn missed_ticks() {
    run(1, async {
        let period = 10 * MILLISECOND;
        for behavior in [
            MissedTickBehavior::Burst,
            MissedTickBehavior::Delay,
            MissedTickBehavior::Skip,
        ] {
            let (start, mut ticks) = loop {
                let start = Instant::now();
                let mut ticks = interval_at(start, period);
                ticks.set_missed_tick_behavior(behavior);
                assert_eq!(ticks.tick().await, start);
                // Again, should this tick have been late by so much already.
                if start.elapsed() < period {
                    break (start, ticks);
                }
            };
            block_the_core(3 * period + period / 2);
            let before = Instant::now();
            assert_eq!(ticks.tick().await, start + period, "it comes late");
            let after = Instant::now();
            let next = ticks.tick().await;
            match behavior {
                MissedTickBehavior::Burst => {
                    assert_eq!(next, start + 2 * period);
                    assert_eq!(ticks.tick().await, start + 3 * period);
                }
                MissedTickBehavior::Delay => {
                    assert!(next >= before + period && next <= after + period);
                }
                MissedTickBehavior::Skip => {
                    assert!(next > before && next <= after + period);
                    assert_eq!(
                        (next - start).as_nanos() % period.as_nanos(),
                        0,
                        "it is on the schedule"
                    );
                }
            }
        }
    });
}

/// Sleeps wait in a runtime that goes; they are dropped later, outside and inside of another runtime whose timers have the same
/// places in their wheel: those still fire.
#[test]
fn a_sleep_that_outlives_its_runtime_cancels_nobody_elses() {
    let leave = || {
        let runtime = start(1).expect("one CPU");
        let mut sleeps: Vec<Sleep> = (0..10).map(|_| sleep(Duration::from_secs(3600))).collect();
        runtime.block_on(async {
            for sleep in &mut sleeps {
                assert!(poll_immediate(sleep).await.is_none());
            }
        });
        sleeps
    };
    let (first, mut second) = (leave(), leave());
    drop(first);
    run(1, async {
        let others: Vec<_> = (0..10).map(|_| spawn(sleep(MILLISECOND))).collect();
        settle().await;
        // Moved here, one of them works here.
        let mut kept = second.pop().expect("not empty");
        drop(second);
        kept.reset(Instant::now() + MILLISECOND);
        kept.await;
        for other in others {
            other.await.unwrap();
        }
    });
}

/// On two cores that do not spin, sleeps wake them from the kernel, each for its own timers, while the other sleeps for long.
#[test]
fn a_sleep_wakes_a_core_from_the_kernel() {
    let Some(runtime) = start_with(Builder::new().idle(IdlePolicy::block()), 2) else {
        return;
    };
    runtime.block_on(async {
        for core in [0, 1, 0, 1] {
            let task = spawn_on(core, async || {
                for _ in 0..20 {
                    let deadline = Instant::now() + Duration::from_micros(300);
                    sleep_until(deadline).await;
                    assert!(Instant::now() >= deadline);
                }
            });
            task.await.unwrap();
        }
        // A wake in the middle of a long sleep does not disturb it.
        let start = Instant::now();
        let long = spawn(sleep(20 * MILLISECOND));
        on_thread(|| {}).await;
        yield_now().await;
        long.await.unwrap();
        assert!(start.elapsed() >= 20 * MILLISECOND);
    });
}

/// A sleep is made on a thread that has no core, and awaited on one.
#[test]
fn a_sleep_belongs_to_where_it_is_first_polled() {
    let early = sleep(MILLISECOND);
    let text = thread::spawn(|| catch_unwind(|| block_on(sleep(MILLISECOND))).unwrap_err());
    let text = text.join().unwrap().downcast::<String>().expect("a text");
    assert!(
        text.starts_with("a sleep, timeout or interval was used outside of a runtime"),
        "{text}"
    );
    run(1, early);
}
