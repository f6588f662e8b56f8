//! Waking tasks: from inside their poll, late, by the last waker, from many threads, and after everything is gone.

use crate::common;

use common::{Drops, on_thread, run, settle, start, until};
use executor::spawn;
use futures::channel::oneshot;
use futures::task::AtomicWaker;
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;

/// A task wakes itself five times inside one poll: it is polled once more, not five times.
#[test]
fn wakes_during_a_poll_become_one_more_poll() {
    run(1, async {
        let polls = Rc::new(Cell::new(0));
        let task = spawn({
            let polls = Rc::clone(&polls);
            poll_fn(move |context| {
                polls.set(polls.get() + 1);
                if polls.get() == 1 {
                    for _ in 0..5 {
                        context.waker().wake_by_ref();
                    }
                }
                Poll::<()>::Pending
            })
        });
        settle().await;
        assert_eq!(polls.get(), 2);
        task.abort();
    });
}

/// A thread wakes the task while it is being polled, each time after the last message was taken in: no wake is lost.
#[test]
fn a_remote_wake_during_a_poll_is_not_lost() {
    const ROUNDS: usize = 1000;
    run(1, async {
        let (ask, asked) = mpsc::channel::<Waker>();
        let (answer, answered) = mpsc::channel();
        let waking = thread::spawn(move || {
            for waker in asked {
                waker.wake();
                answer.send(()).expect("the task waits");
            }
        });
        let mut round = 0;
        let task = spawn(poll_fn(move |context| {
            if round == ROUNDS {
                return Poll::Ready(());
            }
            round += 1;
            ask.send(context.waker().clone())
                .expect("the thread listens");
            answered.recv().expect("the thread answers");
            Poll::Pending
        }));
        task.await.unwrap();
        on_thread(move || waking.join().expect("it does not panic")).await;
    });
}

/// The waker of a task that has completed is used on its core and on a thread: the task is not polled again.
#[test]
fn a_wake_after_completion_does_nothing() {
    run(1, async {
        let (send, waker) = oneshot::channel();
        let mut send = Some(send);
        let task = spawn(poll_fn(move |context| {
            let send = send.take().expect("polled once");
            send.send(context.waker().clone())
                .expect("main waits for it");
            Poll::Ready(())
        }));
        let waker = waker.await.unwrap();
        until(|| task.is_finished()).await;
        waker.wake_by_ref();
        on_thread({
            let waker = waker.clone();
            move || waker.wake()
        })
        .await;
        settle().await;
        task.await.unwrap();
        waker.wake();
    });
}

/// The one waker there is is used up by `wake`, on the own core, another one and a thread; nobody holds a join handle. The task runs.
#[test]
fn the_last_waker_wakes() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for place in 0..3 {
            let done = Arc::new(AtomicBool::new(false));
            let (send, waker) = oneshot::channel();
            let mut send = Some(send);
            let is_done = Arc::clone(&done);
            spawn(poll_fn(move |context| match send.take() {
                Some(send) => {
                    send.send(context.waker().clone())
                        .expect("main waits for it");
                    Poll::Pending
                }
                None => {
                    is_done.store(true, SeqCst);
                    Poll::Ready(())
                }
            }))
            .detach();
            let waker = waker.await.unwrap();
            match place {
                0 => waker.wake(),
                1 => executor::spawn_on(1, async move || waker.wake())
                    .await
                    .unwrap(),
                _ => on_thread(move || waker.wake()).await,
            }
            until(|| done.load(SeqCst)).await;
        }
    });
}

/// The sender of a channel is dropped on a thread, and with it the last waker of the receiving task: that wakes it.
#[test]
fn dropping_what_holds_the_last_waker_wakes() {
    run(1, async {
        let (sender, receiver) = oneshot::channel::<()>();
        let task = spawn(receiver);
        settle().await;
        on_thread(move || drop(sender)).await;
        assert!(task.await.unwrap().is_err());
    });
}

/// The last waker of a pending task is dropped unused, and nobody joins it: the task stays, and is dropped by the shutdown, once.
#[test]
fn a_task_that_nobody_can_wake_is_dropped_once_at_shutdown() {
    let drops = Drops::new();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let token = drops.token();
        spawn(poll_fn(move |_| {
            let _held = &token;
            Poll::<()>::Pending
        }))
        .detach();
        settle().await;
    });
    assert_eq!(drops.count(), 0);
    drop(runtime);
    assert_eq!(drops.count(), 1);
}

/// A waker is cloned 100,000 times; four threads use half of the clones and drop the others, at the same time. The task is woken,
/// and freed once.
#[test]
fn a_hundred_thousand_wakers() {
    const CLONES: usize = 100_000;
    const THREADS: usize = 4;
    run(1, async {
        let shared = Arc::new((AtomicWaker::new(), AtomicUsize::new(0)));
        let drops = Drops::new();
        let task = spawn({
            let (shared, token) = (Arc::clone(&shared), drops.token());
            poll_fn(move |context| {
                let _held = &token;
                shared.0.register(context.waker());
                match shared.1.load(SeqCst) {
                    THREADS => Poll::Ready(()),
                    _ => Poll::Pending,
                }
            })
        });
        settle().await;
        let waker = shared.0.take().expect("the task was polled");
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let wakers = vec![waker.clone(); CLONES / THREADS];
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let mut last = wakers[0].clone();
                    for (index, waker) in wakers.into_iter().enumerate() {
                        if index % 2 == 0 {
                            waker.wake_by_ref();
                            last = waker;
                        }
                    }
                    shared.1.fetch_add(1, SeqCst);
                    last.wake();
                })
            })
            .collect();
        drop(waker);
        task.await.unwrap();
        on_thread(|| {
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap())
        })
        .await;
        assert_eq!(drops.count(), 1);
    });
}

/// Wakers of tasks on both cores are used, cloned and dropped on two threads long after the runtime has gone.
#[test]
fn wakers_outlive_the_runtime() {
    let Some(runtime) = start(2) else { return };
    let drops = Drops::new();
    let wakers: Vec<Waker> = runtime.block_on(async {
        let mut wakers = Vec::new();
        for index in 0..100 {
            let (send, waker) = oneshot::channel();
            let (mut send, token) = (Some(send), drops.token());
            let pending = poll_fn(move |context| {
                let _held = &token;
                if let Some(send) = send.take() {
                    send.send(context.waker().clone())
                        .expect("main waits for it");
                }
                Poll::<()>::Pending
            });
            executor::spawn_future_on(index % 2, pending).detach();
            wakers.push(waker.await.unwrap());
        }
        wakers
    });
    drop(runtime);
    assert_eq!(drops.count(), 100);
    thread::scope(|scope| {
        for half in wakers.chunks(50) {
            scope.spawn(|| half.iter().for_each(Waker::wake_by_ref));
            scope.spawn(|| half.iter().cloned().for_each(Waker::wake));
        }
    });
    drop(wakers);
    assert_eq!(drops.count(), 100);
}
