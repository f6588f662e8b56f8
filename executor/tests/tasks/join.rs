//! Joining: from the own core, another one, and a thread; handles that move, are asked, are polled again, or are let go.

use crate::common;

use common::{block_on, on_thread, run, settle, start, until};
use executor::{JoinHandle, spawn, spawn_future_on, spawn_on};
use futures::future::poll_immediate;
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn poll<T>(task: &mut JoinHandle<T>, waker: &Waker) -> Poll<Result<T, executor::JoinError>> {
    Pin::new(task).poll(&mut Context::from_waker(waker))
}

/// A task's output, and its future, need not be `Send` on its own core.
#[test]
fn on_its_own_core() {
    run(1, async {
        let shared = Rc::new(1);
        let task = spawn({
            let shared = Rc::clone(&shared);
            async move {
                settle().await;
                shared
            }
        });
        assert!(!task.is_finished());
        assert!(Rc::ptr_eq(&task.await.unwrap(), &shared));
    });
}

/// Each core joins a task of each other core, before and after it has completed.
#[test]
fn from_another_core() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for (home, joiner) in [(0, 1), (1, 0)] {
            for wait in [false, true] {
                let task = spawn_on(home, async || {
                    settle().await;
                    executor::current_core()
                });
                let join = spawn_on(joiner, async move || {
                    if wait {
                        until(|| task.is_finished()).await;
                    }
                    task.await.unwrap()
                });
                assert_eq!(join.await.unwrap(), home);
            }
        }
    });
}

/// More tasks than a ring holds complete for another core that does not look: when it does, each of its tasks gets the outcome it waits for.
#[test]
fn many_complete_while_their_joiners_core_is_busy() {
    const TASKS: usize = 3_000;
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let (waiting, is_open) = (Rc::new(Cell::new(0)), Arc::new(AtomicBool::new(false)));
        let running = Arc::new(AtomicUsize::new(0));
        let joiners: Vec<_> = (0..TASKS)
            .map(|number| {
                let (is_open, running) = (Arc::clone(&is_open), Arc::clone(&running));
                let task = spawn_on(1, async move || {
                    running.fetch_add(1, SeqCst);
                    until(|| is_open.load(SeqCst)).await;
                    running.fetch_sub(1, SeqCst);
                    number
                });
                let waiting = Rc::clone(&waiting);
                spawn(async move {
                    waiting.set(waiting.get() + 1);
                    task.await.unwrap()
                })
            })
            .collect();
        until(|| waiting.get() == TASKS && running.load(SeqCst) == TASKS).await;
        is_open.store(true, SeqCst);
        while running.load(SeqCst) > 0 {
            thread::yield_now();
        }
        for (number, joiner) in joiners.into_iter().enumerate() {
            assert_eq!(joiner.await.unwrap(), number);
        }
    });
}

/// A handle is polled by a task of core 0, and then waited for by that core's thread while the core stands still: it is the thread that is woken.
#[test]
fn from_core_0_and_then_from_its_thread() {
    let Some(runtime) = start(2) else { return };
    for _ in 0..100 {
        let (is_open, is_polled) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let mut task = runtime.handle().spawn_future_on(1, {
            let is_open = Arc::clone(&is_open);
            async move {
                until(|| is_open.load(SeqCst)).await;
                7
            }
        });
        runtime.block_on(async {
            let polled = std::future::poll_fn(|context| {
                Poll::Ready(Pin::new(&mut task).poll(context).is_pending())
            });
            assert!(polled.await);
        });
        let polled = thread::spawn({
            let is_polled: Arc<AtomicBool> = Arc::clone(&is_polled);
            move || {
                while !is_polled.load(SeqCst) {
                    thread::yield_now();
                }
                is_open.store(true, SeqCst);
            }
        });
        let outcome = block_on(std::future::poll_fn(|context| {
            let poll = Pin::new(&mut task).poll(context);
            is_polled.store(true, SeqCst);
            poll
        }));
        assert_eq!(outcome.unwrap(), 7);
        polled.join().unwrap();
    }
}

/// A core's thread is blocked by a wait for another core, which is a bad thing to do: the other wakes the thread, and not a task.
#[test]
fn from_a_core_whose_thread_is_blocked() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for _ in 0..100 {
            let is_there = Arc::new(AtomicBool::new(false));
            let task = spawn_future_on(1, {
                let is_there = Arc::clone(&is_there);
                async move {
                    is_there.store(true, SeqCst);
                    settle().await;
                    7
                }
            });
            // What is sent leaves with the end of a turn.
            until(|| is_there.load(SeqCst)).await;
            assert_eq!(block_on(task).unwrap(), 7);
        }
    });
}

/// A thread that is no core joins tasks, a hundred one after the other, while the core turns.
#[test]
fn from_a_thread() {
    let runtime = start(1).expect("one CPU");
    let handle = runtime.handle();
    let joiner = thread::spawn(move || {
        (0..100)
            .map(|number| {
                let task = handle.spawn_on(0, async move || {
                    executor::yield_now().await;
                    number
                });
                block_on(task).unwrap()
            })
            .sum::<usize>()
    });
    let sum = runtime.block_on(on_thread(|| joiner.join().expect("it does not panic")));
    assert_eq!(sum, 4950);
}

/// A thread waits for a task of another core while `block_on` has returned: that core goes on by itself.
#[test]
fn from_a_thread_that_was_core_0() {
    let Some(runtime) = start(2) else { return };
    let handle = runtime.handle();
    let task = handle.spawn_on(1, async || {
        settle().await;
        6
    });
    runtime.block_on(async {});
    assert_eq!(block_on(task).unwrap(), 6);
}

/// A handle is polled on core 0, then on core 1, and then on core 0 again: it is the last that is woken.
#[test]
fn by_a_handle_that_moves() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let (go, gone) = futures::channel::oneshot::channel::<()>();
        let mut task = spawn_on(1, async || gone.await.is_ok());
        assert!(poll_immediate(&mut task).await.is_none());
        let moved = spawn_on(1, async move || {
            assert!(poll_immediate(&mut task).await.is_none());
            Some(task)
        });
        let mut task = moved.await.unwrap().expect("it comes back");
        assert!(poll_immediate(&mut task).await.is_none());
        go.send(()).unwrap();
        assert!(task.await.unwrap());
    });
}

/// A handle is polled with one waker, twice, and with another: when the task completes, the last is woken, once, and no other.
#[test]
fn the_last_waker_is_the_one_that_is_woken() {
    run(1, async {
        let (first, last) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let mut task = spawn(settle());
        for count in [&first, &first, &last, &first, &last] {
            assert!(poll(&mut task, &Waker::from(Arc::clone(count))).is_pending());
        }
        until(|| task.is_finished()).await;
        settle().await;
        assert_eq!((first.0.load(SeqCst), last.0.load(SeqCst)), (0, 1));
        assert!(poll(&mut task, Waker::noop()).is_ready());
        // Only the handle held clones of them, and it may drop them with the task.
        drop(task);
        assert_eq!(
            (Arc::strong_count(&first), Arc::strong_count(&last)),
            (1, 1)
        );
    });
}

/// A detached task goes on; so does one whose handle is dropped.
#[test]
fn a_task_goes_on_without_its_handle() {
    run(1, async {
        let done = Arc::new(AtomicUsize::new(0));
        let work = |done: &Arc<AtomicUsize>| {
            let done = Arc::clone(done);
            async move {
                settle().await;
                done.fetch_add(1, SeqCst);
            }
        };
        spawn(work(&done)).detach();
        drop(spawn(work(&done)));
        until(|| done.load(SeqCst) == 2).await;
    });
}

/// `is_finished` is false before, true from completion on, also for tasks that panicked or were aborted, and also on other cores.
#[test]
fn a_handle_knows_whether_its_task_has_finished() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for core in 0..2 {
            let ready = spawn_on(core, async || {});
            let panicked = spawn_on(core, async || panic!("on purpose"));
            let aborted = spawn_future_on(core, std::future::pending::<()>());
            assert!(!aborted.is_finished());
            aborted.abort();
            until(|| ready.is_finished() && panicked.is_finished() && aborted.is_finished()).await;
            ready.await.unwrap();
            assert!(panicked.await.unwrap_err().is_panic());
            assert!(aborted.await.unwrap_err().is_cancelled());
        }
    });
}

/// Polling a handle after it gave the output out is an error of the caller, and says so.
#[test]
fn polling_a_handle_after_its_output_panics() {
    run(1, async {
        let mut task = spawn(async {});
        (&mut task).await.unwrap();
        let again = catch_unwind(AssertUnwindSafe(|| {
            poll(&mut task, Waker::noop()).is_ready()
        }));
        let text = *again.unwrap_err().downcast::<&str>().unwrap();
        assert_eq!(
            text,
            "a join handle was polled after it gave the output out"
        );
    });
}

/// A handle that waited is dropped: it lets go of the waker there and then, not when the task ends.
#[test]
fn a_dropped_handle_lets_go_of_its_waker() {
    struct Nobody;
    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }
    run(1, async {
        let nobody = Arc::new(Nobody);
        let mut task = spawn(std::future::pending::<()>());
        let waker = Waker::from(Arc::clone(&nobody));
        assert!(
            Pin::new(&mut task)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        drop(waker);
        drop(task);
        assert_eq!(Arc::strong_count(&nobody), 1);
    });
}

/// A handle is polled with a waker that somebody else made, and kept. When the task has completed, here or on another core, the waker was used
/// and is gone, as are those that were replaced; so it is when the handle goes first.
#[test]
fn a_waker_is_dropped_when_it_was_used() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for core in 0..2 {
            let counts = [0, 1, 2].map(|_| Arc::new(Count::default()));
            let wakers = counts.clone().map(Waker::from);
            let (go, gone) = futures::channel::oneshot::channel::<()>();
            let mut kept = spawn_on(core, async || {
                let _ = gone.await;
            });
            let mut dropped = spawn_future_on(core, std::future::pending::<()>());
            assert!(poll(&mut kept, &wakers[0]).is_pending());
            assert!(poll(&mut kept, &wakers[1]).is_pending());
            assert!(poll(&mut dropped, &wakers[2]).is_pending());
            drop((wakers, dropped));
            go.send(()).unwrap();
            until(|| counts.iter().all(|count| Arc::strong_count(count) == 1)).await;
            assert!(kept.is_finished());
            assert_eq!(counts.map(|count| count.0.load(SeqCst)), [0, 1, 0]);
        }
    });
}

/// `?` in a function that returns an `io::Result`: the join error is inside, as it was.
#[test]
fn its_error_is_an_io_error_with_the_join_error_inside() {
    run(1, async {
        let task = spawn(async { panic!("on purpose") });
        let id = task.id();
        let failed = async { std::io::Result::Ok(task.await?) };
        let error: std::io::Result<()> = failed.await;
        let error = error.unwrap_err();
        assert_eq!(error.to_string(), "the task panicked: on purpose");
        let inner = error.into_inner().unwrap();
        let inner = inner.downcast::<executor::JoinError>().unwrap();
        assert!(inner.is_panic() && inner.id() == id);
    });
}

/// A name is in the Debug of every handle, before and after the task's end; others show none.
#[test]
fn handles_show_the_name_of_a_task_that_has_one() {
    let Some(runtime) = start(1) else { return };
    runtime.block_on(async {
        let builder = executor::task::Builder::new().name("the accepting one");
        let mut task = builder.clone().spawn(async { Rc::new(5) });
        let abort = task.abort_handle();
        assert!(
            format!("{task:?} {abort:?}")
                .matches("the accepting one")
                .count()
                == 2
        );
        assert_eq!(*(&mut task).await.unwrap(), 5);
        drop(task);
        assert!(format!("{abort:?}").contains("the accepting one"));
        let sent = builder.clone().spawn_on(0, async || 6);
        let future = builder.spawn_future_on(0, async { 7 });
        assert!(
            format!("{sent:?} {future:?}")
                .matches("the accepting one")
                .count()
                == 2
        );
        assert_eq!((sent.await.unwrap(), future.await.unwrap()), (6, 7));
        assert!(!format!("{:?}", spawn(async {})).contains("name"));
    });
}
