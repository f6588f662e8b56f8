//! Where and how often futures and outputs are dropped, and what a drop may do.

mod common;

use common::{Drops, Token, on_thread, run, settle, start, thread_of, until};
use executor::{Builder, JoinHandle, spawn, spawn_on, spawn_on_with};
use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
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
    spawn_on(1, async move {
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
            let task = spawn_on(1, async move {
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
        let task = spawn_on_with(1, move || async move {
            let _held = held;
            executor::yield_now().await;
            panic!("on purpose");
        });
        assert!(task.await.unwrap_err().is_panic());
        let held = drops.token();
        let task = spawn_on_with(1, move || {
            let _held = held;
            panic!("in the closure");
            #[expect(unreachable_code, reason = "it says what future this would be")]
            pending::<()>()
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(drops.threads(), [there, there]);
    });
}

/// The closure of `spawn_on_with` is dropped once, on the core, although the future it made is dropped there later.
#[test]
fn a_closure_is_used_up_before_its_future() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let there = thread_of(1).await;
        let (closure, future) = (Drops::new(), Drops::new());
        let (first, second) = (closure.token(), future.token());
        let task = spawn_on_with(1, move || {
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
                        let task = spawn_on(target, async move {
                            let _held = token;
                            pending::<()>().await;
                        });
                        spawned.lock().unwrap().push(task);
                    }
                });
                spawn_on(core, async move {
                    let _on_drop = on_drop;
                    pending::<()>().await;
                })
                .detach();
                spawn_on(core, async {}).await.unwrap();
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
