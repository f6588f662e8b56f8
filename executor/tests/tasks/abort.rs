//! Aborting: before the first poll, while pending, during the poll, afterwards; from the core itself, another one, and a thread.

use crate::common;

use common::{Drops, on_thread, run, settle, start, thread_of, until};
use executor::{JoinHandle, spawn, spawn_future_on, spawn_on};
use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::Poll;
use std::thread;

/// The three places an abort can come from.
const PLACES: usize = 3;

/// Aborts a task from its own core (0), from core 1, or from a thread, and gives the handle back.
async fn abort_from<T: Send + 'static>(place: usize, task: JoinHandle<T>) -> JoinHandle<T> {
    let abort = move || {
        task.abort();
        task
    };
    match place {
        0 => abort(),
        1 => spawn_on(1, async || Some(abort()))
            .await
            .unwrap()
            .expect("it comes back"),
        _ => on_thread(abort).await,
    }
}

/// A task is spawned and aborted in the same poll: its future is never polled, and the handle says cancelled.
#[test]
fn before_the_first_poll() {
    run(1, async {
        let drops = Drops::new();
        let token = drops.token();
        let task = spawn(async move {
            let _held = token;
            unreachable!("it was aborted before");
        });
        task.abort();
        assert_eq!(drops.count(), 0, "abort itself drops nothing");
        let error = task.await.unwrap_err();
        assert!(error.is_cancelled() && !error.is_panic());
        assert_eq!(drops.count(), 1);
    });
}

/// The same for a task on another core: it is dropped there, whether or not it was polled by then.
#[test]
fn before_it_reached_its_core() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let there = thread_of(1).await;
        for _ in 0..200 {
            let drops = Drops::new();
            let token = drops.token();
            let task = spawn_on(1, async move || {
                let _held = token;
                pending::<()>().await
            });
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            assert_eq!(drops.threads(), [there]);
        }
    });
}

/// A pending task is aborted from each place: its future is dropped once, on its own core, before the handle is told.
#[test]
fn while_pending() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for home in 0..2 {
            let thread = thread_of(home).await;
            for place in 0..PLACES {
                let drops = Drops::new();
                let token = drops.token();
                let task = spawn_on(home, async move || {
                    let _held = token;
                    pending::<()>().await
                });
                // It is pending there by the time that a task sent after it has answered.
                spawn_on(home, async || {}).await.unwrap();
                let task = abort_from(place, task).await;
                assert!(task.await.unwrap_err().is_cancelled());
                assert_eq!(
                    drops.threads(),
                    [thread],
                    "home {home}, aborted from {place}"
                );
            }
        }
    });
}

/// A task aborts itself and goes on: it is cancelled at its next await, and not before.
#[test]
fn by_itself_during_its_poll() {
    run(1, async {
        let own: Rc<Cell<Option<JoinHandle<()>>>> = Rc::default();
        let steps = Rc::new(Cell::new(0));
        let task = spawn({
            let (own, steps) = (Rc::clone(&own), Rc::clone(&steps));
            async move {
                let handle = own.take().expect("main put it there");
                handle.abort();
                steps.set(1);
                own.set(Some(handle));
                executor::yield_now().await;
                steps.set(2);
            }
        });
        own.set(Some(task));
        settle().await;
        let task = own.take().expect("the task put it back");
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(steps.get(), 1);
    });
}

/// A thread aborts a task in the middle of its poll, which then is ready: the output counts, for the task was faster.
#[test]
fn during_the_poll_that_completes_it() {
    run(1, async {
        let (send, receive) = std::sync::mpsc::channel::<JoinHandle<i32>>();
        let (begin, begun) = std::sync::mpsc::channel();
        let (aborted, wait) = std::sync::mpsc::channel();
        let aborting = std::thread::spawn(move || {
            let task = receive.recv().expect("main sends it");
            begun.recv().expect("the task begins");
            task.abort();
            aborted.send(()).expect("the task waits");
            task
        });
        let task = spawn(async move {
            begin.send(()).expect("the thread waits");
            wait.recv().expect("the thread aborts it");
            7
        });
        send.send(task).expect("the thread waits");
        settle().await;
        let task = on_thread(|| aborting.join().expect("it does not panic")).await;
        assert_eq!(task.await.unwrap(), 7);
    });
}

/// A task that has completed is aborted from each place: its output stays.
#[test]
fn after_completion() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for place in 0..PLACES {
            let task = spawn_on(0, async || 5);
            until(|| task.is_finished()).await;
            let task = abort_from(place, task).await;
            settle().await;
            assert!(task.is_finished());
            assert_eq!(task.await.unwrap(), 5);
        }
    });
}

/// Aborting twice, from three places at once, is aborting.
#[test]
fn again_and_again() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let task = Arc::new(spawn_future_on(1, pending::<()>()));
        let there = {
            let task = Arc::clone(&task);
            spawn_on(1, async move || task.abort())
        };
        let thread = {
            let task = Arc::clone(&task);
            on_thread(move || task.abort())
        };
        task.abort();
        task.abort();
        thread.await;
        there.await.unwrap();
        until(|| task.is_finished()).await;
        let task = Arc::into_inner(task).expect("the others are done with it");
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

/// An abort races the completion, from another core: the outcome is one of the two, and the future is dropped once.
#[test]
fn racing_the_completion() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for spins in 0..2000 {
            let drops = Drops::new();
            let token = drops.token();
            let go = Arc::new(AtomicBool::new(false));
            let going = Arc::clone(&go);
            let task = spawn_on(1, async move || {
                let _held = token;
                let mut polls = 0;
                poll_fn(|context| {
                    polls += 1;
                    if going.load(SeqCst) && polls > 1 {
                        return Poll::Ready(());
                    }
                    context.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
                9
            });
            go.store(true, SeqCst);
            executor::yield_now().await;
            for _ in 0..spins % 500 {
                std::hint::spin_loop();
            }
            task.abort();
            match task.await {
                Ok(output) => assert_eq!(output, 9),
                Err(error) => assert!(error.is_cancelled()),
            }
            assert_eq!(drops.count(), 1);
        }
    });
}

/// message was taken in: it is cancelled, and the core goes on.
#[test]
fn on_its_core_before_it_was_taken_in() {
    let runtime = start(1).expect("one CPU");
    let handle = runtime.handle();
    runtime.block_on(async {
        let task = thread::spawn(move || handle.spawn_on(0, async || 1))
            .join()
            .unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        settle().await;
    });
}

/// Clones of an abort handle end a task from each place, also when the join handle has gone; they show the task's id and are of use after its end.
#[test]
fn by_an_abort_handle_from_anywhere() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for place in 0..PLACES {
            let drops = Drops::new();
            let token = drops.token();
            let task = spawn_on(place % 2, async move || {
                let _held = token;
                pending::<()>().await;
            });
            let abort = task.abort_handle();
            assert_eq!(abort.id(), task.id());
            task.detach();
            let there = abort.clone();
            match place {
                0 => there.abort(),
                1 => spawn_on(1, async move || there.abort()).await.unwrap(),
                _ => on_thread(move || there.abort()).await,
            }
            until(|| drops.count() == 1 && abort.is_finished()).await;
            abort.abort();
        }
    });
}
