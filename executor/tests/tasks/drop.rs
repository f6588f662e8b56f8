//! Where and how often futures and outputs are dropped, and what a drop may do.

use crate::common;

use common::{Drops, Token, on_thread, run, settle, start, thread_of, until};
use executor::sync::Event;
use executor::{Builder, Handle, JoinHandle, spawn, spawn_future_on, spawn_on};
use futures::channel::oneshot;
use futures::future::select;
use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;

/// Calls a closure when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A future holds a token and yields another; it runs on core 1.
fn on_core_1(future: &Drops, output: &Drops) -> JoinHandle<Token> {
    let (held, yielded) = (future.token(), output.token());
    spawn_on(1, async move || {
        let _held = held;
        settle().await;
        yielded
    })
}

/// A handle takes the output to core 0: the future was dropped on core 1 before, the output is dropped here.
#[test]
fn an_output_is_dropped_by_who_took_it() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let (here, there) = (thread::current().id(), thread_of(1).await);
        let (future, output) = (Drops::new(), Drops::new());
        let taken = on_core_1(&future, &output).await.unwrap();
        assert_eq!(future.threads(), [there]);
        assert_eq!(output.count(), 0);
        drop(taken);
        assert_eq!(output.threads(), [here]);
    });
}

/// The handle is dropped on core 0, or on a thread, after the task completed: the output goes with it.
#[test]
fn an_output_nobody_took_is_dropped_with_the_handle() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let here = thread::current().id();
        let (future, output) = (Drops::new(), Drops::new());
        let task = on_core_1(&future, &output);
        until(|| task.is_finished()).await;
        assert_eq!(output.count(), 0);
        drop(task);
        assert_eq!(output.threads(), [here]);

        let task = on_core_1(&future, &output);
        until(|| task.is_finished()).await;
        let thread = on_thread(move || {
            drop(task);
            thread::current().id()
        });
        let thread = thread.await;
        assert_eq!(output.threads(), [here, thread]);
        assert_eq!(future.count(), 2);
    });
}

/// The handle is dropped before the task completes, on core 0 and on a thread: the output is dropped on the task's core.
#[test]
fn an_output_without_a_handle_is_dropped_on_its_core() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let there = thread_of(1).await;
        for on_a_thread in [false, true] {
            let output = Drops::new();
            let (go, gone) = futures::channel::oneshot::channel::<()>();
            let token = output.token();
            let task = spawn_on(1, async move || {
                let _ = gone.await;
                token
            });
            if on_a_thread {
                on_thread(move || drop(task)).await;
            } else {
                drop(task);
            }
            go.send(()).unwrap();
            until(|| output.count() == 1).await;
            assert_eq!(output.threads(), [there]);
        }
    });
}

/// What a panicking task held is dropped on its core, before its handle yields; so is what its closure held.
#[test]
fn what_a_panic_unwinds_is_dropped_on_its_core() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let there = thread_of(1).await;
        let drops = Drops::new();
        let held = drops.token();
        let task = spawn_on(1, async move || {
            let _held = held;
            executor::yield_now().await;
            panic!("on purpose");
        });
        assert!(task.await.unwrap_err().is_panic());
        let held = drops.token();
        let task = spawn_on(1, move || {
            let _held = held;
            panic!("in the closure");
            #[expect(unreachable_code, reason = "it says what future this would be")]
            pending::<()>()
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(drops.threads(), [there, there]);
    });
}

/// The closure of `spawn_on` is dropped once, on the core, although the future it made is dropped there later.
#[test]
fn a_closure_is_used_up_before_its_future() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let there = thread_of(1).await;
        let (closure, future) = (Drops::new(), Drops::new());
        let (first, second) = (closure.token(), future.token());
        let task = spawn_on(1, move || {
            drop(first);
            async move {
                let _second = second;
                pending::<()>().await;
            }
        });
        until(|| closure.count() == 1).await;
        assert_eq!(future.count(), 0);
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(
            (closure.threads(), future.threads()),
            (vec![there], vec![there])
        );
    });
}

/// A future spawns a task, and wakes and aborts others, while it is dropped: they run, and end, as from anywhere else.
#[test]
fn a_drop_may_spawn_wake_and_abort() {
    run(1, async {
        let (send, receive) = futures::channel::oneshot::channel::<()>();
        let waiting = spawn(receive);
        let victim = spawn(pending::<()>());
        let spawned: Arc<Mutex<Option<JoinHandle<i32>>>> = Arc::default();
        let on_drop = {
            let spawned = Arc::clone(&spawned);
            let mut send = Some(send);
            OnDrop(move || {
                *spawned.lock().unwrap() = Some(spawn(async { 11 }));
                drop(send.take());
                victim.abort();
            })
        };
        let task = spawn(async move {
            let _on_drop = on_drop;
            pending::<()>().await;
        });
        settle().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(waiting.await.unwrap().is_err());
        let spawned = spawned.lock().unwrap().take().expect("the drop spawned");
        assert_eq!(spawned.await.unwrap(), 11);
    });
}

/// The same while the runtime goes away, on each core: what is spawned then is cancelled at once, and dropped.
#[test]
fn what_a_drop_spawns_during_shutdown_is_cancelled() {
    for cores in 1..=2 {
        let Some(runtime) = start(cores) else { return };
        let drops = Drops::new();
        let spawned: Arc<Mutex<Vec<JoinHandle<()>>>> = Arc::default();
        runtime.block_on(async {
            for core in 0..cores {
                let (drops, spawned) = (drops.clone(), Arc::clone(&spawned));
                let on_drop = OnDrop(move || {
                    for target in 0..cores {
                        let token = drops.token();
                        let task = spawn_on(target, async move || {
                            let _held = token;
                            pending::<()>().await;
                        });
                        spawned.lock().unwrap().push(task);
                    }
                });
                spawn_on(core, async move || {
                    let _on_drop = on_drop;
                    pending::<()>().await;
                })
                .detach();
                spawn_on(core, async || {}).await.unwrap();
            }
        });
        drop(runtime);
        let spawned = std::mem::take(&mut *spawned.lock().unwrap());
        assert_eq!(
            (spawned.len(), drops.count()),
            (cores * cores, cores * cores)
        );
        for task in spawned {
            assert!(common::block_on(task).unwrap_err().is_cancelled());
        }
    }
}

/// Two tasks wait for each other when the runtime goes: their memory, and with it the core's eventfd, goes as well.
#[test]
fn tasks_that_join_each_other_are_freed() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let runtime = start(1).expect("one CPU");
    drop(runtime);
    let before = descriptors();
    for _ in 0..100 {
        let runtime = Builder::new().cores(1).build().unwrap();
        runtime.block_on(async {
            let slot: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
            let first = spawn({
                let slot = Rc::clone(&slot);
                async move {
                    let second = slot.take().expect("it was put there");
                    let _ = second.await;
                }
            });
            let second = spawn(async move {
                let _ = first.await;
            });
            slot.replace(Some(second));
            settle().await;
        });
    }
    // Other tests of the file run beside this one.
    assert!(descriptors() < before + 50);
}

type Slot<T> = Arc<Mutex<Option<JoinHandle<T>>>>;

/// Two tasks, on one core or on two, and one that polls its own handle, look once at handles that are kept elsewhere; all end. When the runtime
/// and the handles have gone as well, so has all memory of the tasks, and with it their core's eventfd.
#[test]
fn tasks_that_polled_each_others_handles_are_freed() {
    /// Looks once whether the other has ended, goes on, and ends.
    async fn watching(other: Slot<()>) {
        poll_fn(|context| {
            if let Some(handle) = other.lock().unwrap().as_mut() {
                let _ = Pin::new(handle).poll(context);
            }
            Poll::Ready(())
        })
        .await;
        executor::yield_now().await;
    }

    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let cores = common::cpus_allowed().min(2);
    let before = descriptors();
    for _ in 0..100 {
        let runtime = Builder::new().cores(cores).pin(false).build().unwrap();
        runtime.block_on(async {
            for there in 0..cores {
                let (a, b, own) = (Slot::default(), Slot::default(), Slot::default());
                *a.lock().unwrap() = Some(spawn(watching(Arc::clone(&b))));
                *b.lock().unwrap() = Some(spawn_future_on(there, watching(Arc::clone(&a))));
                *own.lock().unwrap() = Some(spawn(watching(Arc::clone(&own))));
                for slot in [&a, &b, &own] {
                    until(|| slot.lock().unwrap().as_ref().unwrap().is_finished()).await;
                }
                // The handle is in what it is the handle of.
                drop(own.lock().unwrap().take());
            }
        });
    }
    // Other tests of the file run beside this one.
    let after = descriptors();
    assert!(after < before + 50, "{before} descriptors became {after}");
}

/// So many would overflow any stack, were each dropped inside of the one before.
const LINKS: usize = 50_000;

/// Each task awaits the one before it, through its handle or through a channel. They are dropped with the runtime, or because the first, the
/// last, or all of them are aborted.
#[test]
fn a_chain_of_waiting_tasks_is_dropped() {
    for aborted in [0..0, 0..1, LINKS - 1..LINKS, 0..LINKS] {
        let drops = Drops::new();
        let runtime = start(1).expect("one CPU");
        runtime.block_on(async {
            let mut before: Option<JoinHandle<()>> = None;
            let mut heard: Option<oneshot::Receiver<()>> = None;
            let mut tasks = Vec::new();
            for number in 0..LINKS {
                let (tell, told) = oneshot::channel();
                let (joined, heard) = (before.take(), heard.replace(told));
                let token = drops.token();
                let task = spawn(async move {
                    let _held = (token, tell);
                    match (joined, heard) {
                        (Some(task), Some(heard)) => drop(select(task, heard).await),
                        _ => pending().await,
                    }
                });
                if aborted.contains(&number) {
                    tasks.push(task);
                } else {
                    before = Some(task);
                }
            }
            // Each has been polled, and waits.
            settle().await;
            tasks.iter().for_each(JoinHandle::abort);
        });
        drop(runtime);
        assert_eq!(drops.count(), LINKS, "{aborted:?}");
    }
}

/// Each task looks once whether the one before it has ended, by a handle that is kept elsewhere; then all end. The handles are dropped from the
/// first on, and from the last on.
#[test]
fn handles_of_a_chain_are_dropped_in_any_order() {
    run(1, async {
        for from_the_last in [false, true] {
            let handles: Rc<RefCell<Vec<JoinHandle<()>>>> = Rc::default();
            let all_have_looked = Rc::new(Event::new());
            for number in 0..LINKS {
                let (others, go) = (Rc::clone(&handles), Rc::clone(&all_have_looked));
                let task = spawn(async move {
                    poll_fn(|context| {
                        if let Some(before) = number.checked_sub(1) {
                            let before = &mut others.borrow_mut()[before];
                            assert!(Pin::new(before).poll(context).is_pending());
                        }
                        Poll::Ready(())
                    })
                    .await;
                    go.wait().await;
                });
                handles.borrow_mut().push(task);
            }
            settle().await;
            all_have_looked.set();
            let all = || handles.borrow().iter().all(JoinHandle::is_finished);
            until(all).await;
            let mut handles = handles.take();
            if from_the_last {
                handles.reverse();
            }
            drop(handles);
        }
    });
}

/// The output of each task holds the handle of the one before, which is complete; so does, at the end, a future. All are dropped when the last
/// handle is: on the core, on another thread, or with a task that is aborted.
#[test]
fn a_chain_of_handles_in_outputs_is_dropped() {
    #[expect(dead_code, reason = "they are dropped")]
    struct Link(Option<JoinHandle<Link>>, Token);

    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        for way in 0..3 {
            let drops = Drops::new();
            let mut last = Link(None, drops.token());
            for _ in 1..LINKS {
                let token = drops.token();
                let task = spawn(async move { last });
                until(|| task.is_finished()).await;
                last = Link(Some(task), token);
            }
            match way {
                0 => drop(last),
                1 => on_thread(move || drop(last)).await,
                _ => {
                    let task = spawn(async move {
                        let _held = last;
                        pending::<()>().await;
                    });
                    settle().await;
                    task.abort();
                    assert!(task.await.unwrap_err().is_cancelled());
                }
            }
            // Before the drop has returned, all were.
            assert_eq!(drops.count(), LINKS);
        }
    });
}

/// Handles that are dropped inside of drops, not very deep: each output is dropped before the drop of its handle returns.
#[test]
fn outputs_are_dropped_with_their_handles_in_order() {
    struct Nested(Option<JoinHandle<Nested>>, usize, Rc<RefCell<Vec<usize>>>);

    impl Drop for Nested {
        fn drop(&mut self) {
            drop(self.0.take());
            self.2.borrow_mut().push(self.1);
        }
    }

    run(1, async {
        let order: Rc<RefCell<Vec<usize>>> = Rc::default();
        let mut last = None;
        for number in 0..10 {
            let nested = Nested(last, number, Rc::clone(&order));
            let task = spawn(async move { nested });
            until(|| task.is_finished()).await;
            last = Some(task);
        }
        drop(last);
        assert_eq!(*order.borrow(), Vec::from_iter(0..10));
    });
}

/// A drop spawns a task whose drop spawns a task, and so on, where no task runs any more: on a core that shuts down, to another such, to a
/// runtime that has gone, and to its closed pool.
#[test]
fn drops_that_spawn_do_not_recurse() {
    #[derive(Clone, Copy)]
    enum Way {
        Here,
        There,
        ByHandle,
        Blocking,
    }

    struct Respawn(usize, Way, Handle, Token);

    impl Drop for Respawn {
        fn drop(&mut self) {
            let Self(left, way, handle, token) = self;
            if *left == 0 {
                return;
            }
            let held = Self(*left - 1, *way, handle.clone(), token.again());
            let future = async move {
                let _held = held;
                pending::<()>().await;
            };
            match way {
                Way::Here => spawn(future).detach(),
                Way::There => spawn_future_on(executor::cores() - 1, future).detach(),
                Way::ByHandle => handle.spawn_future_on(0, future).detach(),
                Way::Blocking => handle.spawn_blocking(move || drop(future)).detach(),
            }
        }
    }

    let cores = common::cpus_allowed().min(2);
    for way in [Way::Here, Way::There, Way::ByHandle, Way::Blocking] {
        let drops = Drops::new();
        let runtime = start(cores).expect("so many CPUs");
        let handle = runtime.handle();
        let respawn = Respawn(LINKS, way, handle, drops.token());
        match way {
            Way::Here | Way::There => runtime.block_on(async move {
                spawn(async move {
                    let _held = respawn;
                    pending::<()>().await;
                })
                .detach();
                settle().await;
            }),
            Way::ByHandle | Way::Blocking => {
                drop(runtime);
                drop(respawn);
                assert_eq!(drops.count(), LINKS + 1);
                continue;
            }
        }
        drop(runtime);
        assert_eq!(drops.count(), LINKS + 1);
    }
}

/// At shutdown, a chain of outputs is dropped, one inside of the other, and a drop of the last spawns what may not leave this thread. The
/// cancel of that may have to wait for the end of the chain, however long that is. Meanwhile another thread aborts the task: the future is dropped once,
/// and here.
#[test]
fn a_task_spawned_deep_in_drops_is_cancelled_here() {
    for depth in [0, 1, 15, 16, 17, 40] {
        let (drops, here) = (Drops::new(), thread::current().id());
        let runtime = start(1).expect("one CPU");
        runtime.block_on(async {
            let token = drops.token();
            let mut last = Some(OnDrop(move || {
                let stays = (Rc::new(()), token.another());
                let task = spawn(async move {
                    let _stays = stays;
                    pending::<()>().await;
                });
                let stranger = thread::spawn(move || {
                    task.abort();
                    task
                });
                drop(stranger.join().expect("it does not panic"));
            }));
            let mut handle: JoinHandle<Box<dyn std::any::Any>> =
                spawn(async move { Box::new(last.take()) as Box<dyn std::any::Any> });
            for _ in 0..depth {
                let inner = handle;
                until(|| inner.is_finished()).await;
                handle = spawn(async move { Box::new(inner) as Box<dyn std::any::Any> });
            }
            until(|| handle.is_finished()).await;
            spawn(async move {
                let _handle = handle;
                pending::<()>().await;
            })
            .detach();
            settle().await;
        });
        drop(runtime);
        // The token that went along, and the one of the spawned future.
        assert_eq!(drops.threads(), [here, here], "depth {depth}");
    }
}
