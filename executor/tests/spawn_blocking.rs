//! Work that blocks: on which threads it runs and how many, what becomes of it when it is aborted or panics, and how the pool ends.

mod common;

use common::{Drops, Token, block_on, on_thread, run, start, start_with, until};
use executor::{Builder, JoinHandle, spawn, spawn_blocking, spawn_future_on, spawn_on, unpinned};
use rustix::thread::sched_getaffinity;
use std::cell::RefCell;
use std::collections::HashSet;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A closure that waits until the sender goes, and says when it has begun.
fn waits() -> (Sender<()>, Receiver<()>, impl FnOnce() + Send) {
    let (go, gone) = channel::<()>();
    let (begin, begun) = channel();
    let closure = move || {
        begin.send(()).unwrap();
        let _ = gone.recv();
    };
    (go, begun, closure)
}

/// A runtime of one core, built so.
fn start_one(builder: Builder) -> common::Watched {
    start_with(builder, 1).expect("one CPU")
}

/// The closure blocks its thread until a task of the core that waits for it has run: so it is on another, which has a name and all CPUs.
#[test]
fn a_closure_has_a_thread_of_its_own() {
    let before = sched_getaffinity(None).unwrap();
    run(1, async move {
        let (go, gone) = channel();
        let blocked = spawn_blocking(move || {
            gone.recv().unwrap();
            let name = thread::current().name().map(str::to_owned);
            (name, sched_getaffinity(None).unwrap())
        });
        spawn(async move { go.send(()).unwrap() }).await.unwrap();
        let (name, mask) = blocked.await.unwrap();
        assert_eq!(name.as_deref(), Some("blocking-1"));
        assert_eq!(sched_getaffinity(None).unwrap().count(), 1);
        assert_eq!(mask, before);
    });
}

/// From both cores and a thread, awaited where it was started, on the other core, and on the thread: each gets its answer, and is woken for it.
#[test]
fn it_can_be_awaited_anywhere() {
    let Some(runtime) = start(2) else { return };
    let handle = runtime.handle();
    let from_thread = thread::spawn(move || block_on(handle.spawn_blocking(|| 1)).unwrap());
    runtime.block_on(async {
        for core in 0..2 {
            let here = spawn_on(core, async || spawn_blocking(|| 2).await.unwrap());
            assert_eq!(here.await.unwrap(), 2);
        }
        let (go, begun, closure) = waits();
        let blocked = spawn_blocking(closure);
        let elsewhere = spawn_future_on(1, blocked);
        until(|| begun.try_recv().is_ok()).await;
        assert!(!elsewhere.is_finished());
        drop(go);
        elsewhere.await.unwrap().unwrap();
    });
    assert_eq!(from_thread.join().unwrap(), 1);
}

/// A panic is told to who waits, and its thread takes the next closure.
#[test]
fn a_panic_reaches_the_handle() {
    let runtime = start_one(Builder::new().blocking_threads_max(1));
    runtime.block_on(async {
        let panicked = spawn_blocking(|| panic!("on purpose"));
        assert!(panicked.await.unwrap_err().is_panic());
        let name = spawn_blocking(|| thread::current().name().map(str::to_owned));
        assert_eq!(name.await.unwrap().as_deref(), Some("blocking-1"));
    });
}

/// The one thread is busy when the second closure is aborted, and by another thread the third: they never run, and are dropped. Aborted when it
/// runs, the first goes on.
#[test]
fn abort_cancels_what_has_not_begun() {
    let runtime = start_one(Builder::new().blocking_threads_max(1));
    runtime.block_on(async {
        let (go, begun, closure) = waits();
        let first = spawn_blocking(move || {
            closure();
            5
        });
        let drops = Drops::new();
        let token = drops.token();
        let second = spawn_blocking(move || {
            drop(token);
            unreachable!("it was aborted")
        });
        let third = spawn_blocking(|| unreachable!("it was aborted"));
        until(|| begun.try_recv().is_ok()).await;
        second.abort();
        let third: JoinHandle<()> = on_thread(move || {
            third.abort();
            third
        })
        .await;
        first.abort();
        drop(go);
        assert_eq!(first.await.unwrap(), 5);
        let error: Result<(), _> = second.await;
        assert!(error.unwrap_err().is_cancelled());
        assert_eq!(drops.count(), 1);
        assert!(third.await.unwrap_err().is_cancelled());
        // The thread is as good as before.
        assert_eq!(spawn_blocking(|| 6).await.unwrap(), 6);
    });
}

/// Three threads at most, and twelve closures: never more run at once, three do, and they begin in their order.
#[test]
fn the_pool_is_bounded_and_in_order() {
    const THREADS: usize = 3;
    let runtime = start_one(Builder::new().blocking_threads_max(THREADS));
    runtime.block_on(async {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (barrier, order) = (
            Arc::new(Barrier::new(THREADS)),
            Arc::new(Mutex::new(Vec::new())),
        );
        let tasks = (0..4 * THREADS).map(|number| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            let (barrier, order) = (Arc::clone(&barrier), Arc::clone(&order));
            spawn_blocking(move || {
                order.lock().unwrap().push(number / THREADS);
                most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                // Three have to be here at once, or this would hang.
                barrier.wait();
                running.fetch_sub(1, SeqCst);
                thread::current().id()
            })
        });
        let mut threads = HashSet::new();
        for task in Vec::from_iter(tasks) {
            threads.insert(task.await.unwrap());
        }
        assert!(most.load(SeqCst) <= THREADS && threads.len() <= THREADS);
        let order = order.lock().unwrap();
        assert!(order.is_sorted(), "{order:?}");
    });
}

/// One closure after the other is run by one thread: a free one is used before another is started.
#[test]
fn free_threads_are_used_again() {
    run(1, async {
        let mut threads = HashSet::new();
        for _ in 0..200 {
            threads.insert(spawn_blocking(|| thread::current().id()).await.unwrap());
        }
        // One that has just answered may not be back in time.
        assert!(
            threads.len() < 20,
            "{} threads for 200 closures",
            threads.len()
        );
    });
}

thread_local! {
    static HELD_BY_THREAD: RefCell<Option<Token>> = const { RefCell::new(None) };
}

/// A thread with nothing to do leaves after its time, which its thread-locals tell; and another is started when there is work again.
#[test]
fn idle_threads_leave() {
    let keep_alive = Duration::from_millis(1);
    let runtime = start_one(Builder::new().blocking_keep_alive(keep_alive));
    runtime.block_on(async {
        let drops = Drops::new();
        for left in 1..=3 {
            let token = drops.token();
            let thread = spawn_blocking(move || {
                HELD_BY_THREAD.set(Some(token));
                thread::current().id()
            });
            let thread = thread.await.unwrap();
            until(|| drops.count() == left).await;
            assert_eq!(drops.threads().last(), Some(&thread));
        }
    });
}

/// The handle is dropped before the closure ends: it ends all the same, and its result is dropped on its thread.
#[test]
fn a_result_nobody_wants_is_dropped_on_its_thread() {
    run(1, async {
        let drops = Drops::new();
        let token = drops.token();
        let (go, begun, closure) = waits();
        let (tell, told) = channel();
        let blocked = spawn_blocking(move || {
            tell.send(thread::current().id()).unwrap();
            closure();
            token
        });
        until(|| begun.try_recv().is_ok()).await;
        drop(blocked);
        drop(go);
        until(|| drops.count() == 1).await;
        assert_eq!(drops.threads(), [told.recv().unwrap()]);
    });
}

/// The runtime goes while one closure runs and others wait: these are cancelled without having run, the running one is waited for.
#[test]
fn the_end_cancels_what_waits_and_waits_for_what_runs() {
    let builder = Builder::new()
        .blocking_threads_max(1)
        .blocking_shutdown(Duration::from_secs(50));
    let runtime = start_one(builder);
    let (drops, is_done) = (Drops::new(), Arc::new(AtomicBool::new(false)));
    let waiting: Vec<JoinHandle<()>> = runtime.block_on(async {
        let (go, begun, closure) = waits();
        spawn_blocking({
            let is_done = Arc::clone(&is_done);
            move || {
                closure();
                is_done.store(true, SeqCst);
            }
        })
        .detach();
        until(|| begun.try_recv().is_ok()).await;
        // It goes on when the tasks are dropped.
        spawn(async move {
            let _held = go;
            pending::<()>().await;
        })
        .detach();
        (0..10)
            .map(|_| {
                let token = drops.token();
                spawn_blocking(move || {
                    drop(token);
                    unreachable!("the runtime ends")
                })
            })
            .collect()
    });
    let handle = runtime.handle();
    drop(runtime);
    assert!(is_done.load(SeqCst));
    assert_eq!(drops.threads(), [thread::current().id(); 10]);
    for task in waiting {
        assert!(block_on(task).unwrap_err().is_cancelled());
    }
    let late = handle.spawn_blocking(|| unreachable!("the runtime has gone"));
    let late: Result<(), _> = block_on(late);
    assert!(late.unwrap_err().is_cancelled());
}

/// A closure does not end while the runtime does: the drop returns at its limit, and the closure's result still reaches its handle.
#[test]
fn a_closure_that_does_not_end_holds_nothing_up() {
    for limit in [Duration::ZERO, Duration::from_millis(20)] {
        let runtime = start_one(Builder::new().blocking_shutdown(limit));
        let (go, blocked) = runtime.block_on(async {
            let (go, begun, closure) = waits();
            let blocked = spawn_blocking(move || {
                closure();
                5
            });
            until(|| begun.try_recv().is_ok()).await;
            (go, blocked)
        });
        let start = Instant::now();
        drop(runtime);
        // The watchdog sees to the other bound.
        assert!(start.elapsed() >= limit);
        assert!(!blocked.is_finished());
        drop(go);
        assert_eq!(block_on(blocked).unwrap(), 5);
    }
}

/// Cores and a thread keep starting closures while the runtime goes, again and again: each handle is answered, and each closure dropped. Tasks do
/// not live to see theirs cancelled.
#[test]
fn every_handle_is_answered_at_the_end() {
    for _ in 0..30 {
        let Some(runtime) = start(2) else { return };
        let (drops, started) = (Drops::new(), Arc::new(AtomicUsize::new(0)));
        let (stop, refused) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let starting = thread::spawn({
            let (handle, drops) = (runtime.handle(), drops.clone());
            let (started, stop) = (Arc::clone(&started), Arc::clone(&stop));
            move || {
                while !stop.load(SeqCst) {
                    let token = drops.token();
                    started.fetch_add(1, SeqCst);
                    let answer = block_on(handle.spawn_blocking(move || drop(token)));
                    assert!(answer.map_or_else(|error| error.is_cancelled(), |()| true));
                }
            }
        });
        runtime.block_on(async {
            for core in 0..2 {
                let (drops, started) = (drops.clone(), Arc::clone(&started));
                let refused = Arc::clone(&refused);
                spawn_on(core, async move || {
                    loop {
                        let token = drops.token();
                        started.fetch_add(1, SeqCst);
                        let answer = spawn_blocking(move || drop(token)).await;
                        refused.fetch_or(answer.is_err(), SeqCst);
                    }
                })
                .detach();
            }
            until(|| started.load(SeqCst) > 20).await;
        });
        drop(runtime);
        stop.store(true, SeqCst);
        starting.join().unwrap();
        assert_eq!(drops.count(), started.load(SeqCst));
        assert!(!refused.load(SeqCst));
    }
}

/// A thread that a core starts may be on that core's CPU alone; inside of `unpinned` it has all; and the core is pinned again afterwards, panics included.
#[test]
fn unpinned_threads_have_all_cpus() {
    let all = sched_getaffinity(None).unwrap();
    let mask = || sched_getaffinity(None).unwrap();
    let started = move || thread::spawn(mask).join().unwrap();
    assert_eq!(unpinned(started), all);
    run(1, async move {
        let one = mask();
        assert_eq!(one.count(), 1);
        assert_eq!(started(), one);
        assert_eq!(unpinned(started), all);
        assert_eq!(mask(), one);
        let panics = || unpinned(|| panic!("on purpose"));
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(mask(), one);
    });
}

/// Inside a closure, and in one that it starts, the runtime is there: its handle, its number of cores, its counts, and ways to send work to its
/// cores, whatever thread of the pool it is.
#[test]
fn a_closure_reaches_its_runtime() {
    let Some(runtime) = start(2) else { return };
    let from_inside = || {
        assert_eq!(executor::Handle::current().cores(), 2);
        assert_eq!((executor::cores(), executor::cpus().len()), (2, 2));
        assert_eq!(executor::stats().len(), 2);
        let there = spawn_on(1, async || executor::current_core());
        let made_there = executor::spawn_on(1, async || {
            spawn(async { executor::current_core() }).await.unwrap()
        });
        let handle = executor::Handle::current();
        let by_handle = handle.spawn_on(1, async || executor::current_core());
        [there, made_there, by_handle].map(|task| block_on(task).unwrap())
    };
    runtime.block_on(async {
        assert_eq!(spawn_blocking(from_inside).await.unwrap(), [1; 3]);
        let nested = spawn_blocking(move || block_on(spawn_blocking(from_inside)).unwrap());
        assert_eq!(nested.await.unwrap(), [1; 3]);
    });
    let from_thread = runtime.handle().spawn_blocking(from_inside);
    assert_eq!(runtime.block_on(from_thread).unwrap(), [1; 3]);
}

/// What needs a core panics inside a closure, and says what to write instead; the thread goes on, and afterwards, with no closure, has no runtime.
#[test]
fn what_needs_a_core_panics_in_a_closure() {
    fn panic_of(call: fn()) -> String {
        let error = block_on(executor::Handle::current().spawn_blocking(call)).unwrap_err();
        error.to_string()
    }
    run(1, async {
        let texts = spawn_blocking(|| {
            [
                ("spawn was used", panic_of(|| spawn(async {}).detach())),
                (
                    "current_core was used",
                    panic_of(|| {
                        let _unused = executor::current_core();
                    }),
                ),
                (
                    "BufPool::new was used",
                    panic_of(|| {
                        let options = executor::net::PoolOptions {
                            count: 1,
                            buffer_bytes: 64,
                            filling: executor::net::Filling::Whole,
                        };
                        drop(executor::net::BufPool::new(options));
                    }),
                ),
                (
                    "interval was used",
                    panic_of(|| block_on(executor::time::sleep(Duration::from_secs(1)))),
                ),
            ]
        });
        for (what, text) in texts.await.unwrap() {
            assert!(text.contains(what), "{text}");
            assert!(text.contains("inside of spawn_blocking"), "{text}");
            assert!(text.contains("executor::spawn_on"), "{text}");
            assert!(text.contains("executor::spawn_on"), "{text}");
        }
    });
}
