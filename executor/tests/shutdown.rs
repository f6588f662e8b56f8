//! The end of a runtime: everything is dropped once and where it belongs, every handle gets an answer, and nobody is waited for.

mod common;

use common::{Drops, Token, block_on, cpus_allowed, settle, start, start_with, thread_of};
use executor::io::AsyncFd;
use executor::time::{Duration, sleep};
use executor::{Builder, Handle, IdlePolicy, JoinHandle, spawn, spawn_on, yield_now};
use rustix::event::{EventfdFlags, eventfd};
use std::future::pending;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

/// Tasks are pending on all cores when the runtime goes: each future is dropped once, on its core's thread; the handles say cancelled.
#[test]
fn pending_tasks_are_dropped_on_their_cores() {
    let Some(runtime) = start(2) else { return };
    let drops = [Drops::new(), Drops::new()];
    let (threads, tasks) = runtime.block_on(async {
        let mut tasks = Vec::new();
        for index in 0..200 {
            let token = drops[index % 2].token();
            let task = spawn_on(index % 2, async move || {
                let _held = token;
                if index % 3 == 0 {
                    sleep(Duration::from_secs(3600)).await;
                }
                pending::<()>().await;
            });
            tasks.push(task);
        }
        ([thread_of(0).await, thread_of(1).await], tasks)
    });
    drop(runtime);
    for (drops, thread) in std::iter::zip(drops, threads) {
        assert_eq!(drops.threads(), [thread; 100]);
    }
    for task in tasks {
        assert!(block_on(task).unwrap_err().is_cancelled());
    }
}

/// Main returns while tasks on both cores are busy, waiting for each other, and sleeping: the runtime does not wait for them.
#[test]
fn main_returns_while_others_work() {
    let drops = Drops::new();
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for core in 0..2 {
            let [busy, joining, asleep] = [drops.token(), drops.token(), drops.token()];
            let busy = spawn_on(core, async move || {
                let _held = busy;
                loop {
                    yield_now().await;
                }
            });
            spawn_on(1 - core, async move || {
                let _held = joining;
                let outcome: Result<(), _> = busy.await;
                drop(outcome);
            })
            .detach();
            spawn_on(core, || async move {
                let _held = asleep;
                sleep(Duration::MAX).await;
            })
            .detach();
        }
    });
    drop(runtime);
    assert_eq!(drops.count(), 6);
}

/// Main panics: the others stop, what they held is dropped, and the panic comes out with its payload.
#[test]
fn main_panics_and_the_others_stop() {
    for cores in 1..=cpus_allowed().min(2) {
        let drops = Drops::new();
        let payload = catch_unwind(AssertUnwindSafe(|| {
            let runtime = start(cores).expect("as many CPUs as there are");
            runtime.block_on(async {
                for core in 0..cores {
                    let token = drops.token();
                    spawn_on(core, async move || {
                        let _held = token;
                        loop {
                            yield_now().await;
                        }
                    })
                    .detach();
                }
                yield_now().await;
                panic_any(5)
            })
        }));
        assert_eq!(*payload.unwrap_err().downcast::<i32>().unwrap(), 5);
        assert_eq!(drops.count(), cores);
    }
}

/// Tasks whose first poll would come after the end: sent to a core that never turned, they are dropped unpolled, and cancelled.
#[test]
fn tasks_that_never_ran_are_cancelled() {
    let runtime = start(1).expect("one CPU");
    let drops = Drops::new();
    let handle = runtime.handle();
    let unpolled = |drops: &Drops| {
        let token = drops.token();
        async move {
            let _held = token;
            unreachable!("the core never turns")
        }
    };
    let tasks: Vec<JoinHandle<()>> = (0..100)
        .map(|_| handle.spawn_future_on(0, unpolled(&drops)))
        .collect();
    drop(runtime);
    assert_eq!(drops.threads(), [thread::current().id(); 100]);
    for task in tasks {
        assert!(block_on(task).unwrap_err().is_cancelled());
    }
}

/// A handle is used when the runtime is gone, here and on a thread: the future is dropped where that was found out, and the join
/// handle says cancelled at once.
#[test]
fn a_handle_that_outlives_its_runtime_gets_cancelled() {
    let cores = cpus_allowed().min(2);
    let runtime = start(cores).expect("as many CPUs as there are");
    let handle = runtime.handle();
    drop(runtime);
    let send = move |handle: Handle| {
        for core in 0..cores {
            let drops = Drops::new();
            let (future, closure) = (drops.token(), drops.token());
            let task = handle.spawn_on(core, async move || drop(future));
            assert!(task.is_finished());
            assert_eq!(drops.threads(), [thread::current().id()]);
            assert!(block_on(task).unwrap_err().is_cancelled());
            let task = handle.spawn_on(core, async move || drop(closure));
            assert!(block_on(task).unwrap_err().is_cancelled());
            assert_eq!(drops.threads(), [thread::current().id(); 2]);
        }
    };
    assert_eq!(handle.cores(), cores);
    send(handle.clone());
    thread::spawn(move || send(handle)).join().unwrap();
}

/// Two threads keep starting tasks while the runtime ends, again and again: every handle gets an answer, every future is dropped.
#[test]
fn every_handle_is_answered_when_threads_send_during_the_end() {
    let cores = cpus_allowed().min(2);
    for round in 0..100 {
        let runtime = start(cores).expect("as many CPUs as there are");
        let (sent, stop) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let drops = Drops::new();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (handle, drops) = (runtime.handle(), drops.clone());
                let (sent, stop) = (Arc::clone(&sent), Arc::clone(&stop));
                thread::spawn(move || {
                    let mut tasks = Vec::new();
                    while !stop.load(SeqCst) {
                        let number = sent.fetch_add(1, SeqCst);
                        let token = drops.token();
                        tasks.push(handle.spawn_on(number % cores, async move || {
                            let _held = token;
                            number
                        }));
                    }
                    let answered = tasks.len();
                    for task in tasks {
                        assert!(block_on(task).map_or_else(|error| error.is_cancelled(), |_| true));
                    }
                    answered
                })
            })
            .collect();
        runtime.block_on(common::until(|| sent.load(SeqCst) > round));
        drop(runtime);
        stop.store(true, SeqCst);
        let answered: usize = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum();
        assert_eq!((answered, drops.count()), (sent.load(SeqCst), answered));
    }
}

/// Both cores keep sending tasks to each other, more than their rings hold, while the runtime ends: every handle is answered.
#[test]
fn every_handle_is_answered_when_cores_send_during_the_end() {
    for spin in [Duration::ZERO, Duration::from_micros(20)] {
        let builder = Builder::new().idle(IdlePolicy::block().spin(spin));
        for round in 0..5 {
            let Some(runtime) = start_with(builder.clone(), 2) else {
                return;
            };
            let (drops, tasks) = (Drops::new(), Arc::<std::sync::Mutex<Vec<_>>>::default());
            runtime.block_on(async {
                for core in 0..2 {
                    let (drops, tasks) = (drops.clone(), Arc::clone(&tasks));
                    spawn_on(core, async move || {
                        loop {
                            let sent = (0..600).map(|_| {
                                let token = drops.token();
                                spawn_on(1 - core, async move || drop(token))
                            });
                            let sent: Vec<JoinHandle<()>> = sent.collect();
                            tasks.lock().unwrap().extend(sent);
                            yield_now().await;
                        }
                    })
                    .detach();
                }
                common::until(|| tasks.lock().unwrap().len() > 1000 * round).await;
            });
            drop(runtime);
            let tasks = std::mem::take(&mut *tasks.lock().unwrap());
            assert_eq!(drops.count(), tasks.len());
            for task in tasks {
                assert!(block_on(task).map_or_else(|error| error.is_cancelled(), |()| true));
            }
        }
    }
}

/// Tasks whose drops wake, abort and join each other across cores: the end comes all the same.
#[test]
fn drops_may_wake_others_during_the_end() {
    let Some(runtime) = start(2) else { return };
    let drops = Drops::new();
    runtime.block_on(async {
        for index in 0..500 {
            let (send, receive) = futures::channel::oneshot::channel::<()>();
            let (first, second) = (drops.token(), drops.token());
            let waiting = spawn_on(index % 2, async move || {
                let _held = first;
                let _ = receive.await;
                pending::<()>().await;
            });
            spawn_on((index / 2) % 2, async move || {
                let _held = (send, second, waiting);
                pending::<()>().await;
            })
            .detach();
        }
        spawn(yield_now()).await.unwrap();
    });
    drop(runtime);
    assert_eq!(drops.count(), 1000);
}

/// A descriptor whose drop is counted.
struct Counted(
    OwnedFd,
    #[expect(dead_code, reason = "its drop is counted")] Token,
);

impl AsFd for Counted {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A hundred thousand tasks wait for a few descriptors; those on some of them are aborted, the oldest first, and the runtime ends with the others. Each
/// operation in flight holds its descriptor: none does afterwards. (Cancelled in the order in which they began, so many do not end before the kernel's
/// time is up, and are left behind.)
#[test]
fn a_hundred_thousand_operations_end() {
    const FILES: usize = 100;
    const TASKS: usize = 1_000 * FILES;
    /// The tasks of one file in so many are aborted.
    const ABORTED: usize = 10;
    let runtime = start(1).expect("one CPU");
    let drops = Drops::new();
    runtime.block_on(async {
        let event = || eventfd(0, EventfdFlags::NONBLOCK).expect("a few descriptors");
        let file = |_| Rc::new(AsyncFd::new(Counted(event(), drops.token())));
        let files: Vec<_> = (0..FILES).map(file).collect();
        let waiting = |number: usize| {
            let file = Rc::clone(&files[number % FILES]);
            spawn(async move {
                let ready = file.readable().await;
                ready.expect("nobody makes it ready");
            })
        };
        let mut tasks: Vec<JoinHandle<()>> = (0..TASKS).map(waiting).collect();
        drop(files);
        // Each has been polled once when this is polled again.
        settle().await;
        let aborted = tasks.iter().step_by(ABORTED);
        aborted.for_each(JoinHandle::abort);
        for task in tasks.drain(..).step_by(ABORTED) {
            assert!(task.await.unwrap_err().is_cancelled());
        }
        common::until(|| drops.count() == FILES / ABORTED).await;
        settle().await;
        assert_eq!(drops.count(), FILES / ABORTED);
    });
    drop(runtime);
    assert_eq!(drops.count(), FILES);
}
