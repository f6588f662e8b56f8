//! One value on each core: where it is made, reached and dropped, and how it ends.

use crate::common;

use common::{
    Drops, Token, block_on, cpus_allowed, on_thread, run, settle, start, thread_of, until,
};
use executor::{JoinError, Sharded, spawn, spawn_future_on, spawn_on, yield_now};
use futures::channel::oneshot;
use futures::poll;
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

/// A value on each of two cores, not `Send`, reached from both, from a thread, and at once on the core itself: each call is on its core.
#[test]
fn calls_reach_the_value_of_their_core() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let names = Sharded::new(|| {
            let core = executor::current_core();
            RefCell::new(Rc::from(format!("core {core}")) as Rc<str>)
        });
        let names = names.await.unwrap();
        for core in 0..2 {
            let called = names.call_on(core, move |name| {
                assert_eq!(executor::current_core(), core);
                name.borrow().to_string()
            });
            assert_eq!(called.await.unwrap(), format!("core {core}"));
        }
        assert_eq!(&**names.local().unwrap().borrow(), "core 0");
        let there = names.clone();
        let from_there = spawn_on(1, async move || {
            let called = there.call_on(0, |name| name.replace(Rc::from("renamed")).len());
            (called.await.unwrap(), there.local().unwrap().borrow().len())
        });
        assert_eq!(from_there.await.unwrap(), (6, 6));
        let from_thread = names.clone();
        let called =
            on_thread(move || block_on(from_thread.call_on(0, |name| name.borrow().to_string())));
        assert_eq!(called.await.unwrap(), "renamed");
        names.stop().await.unwrap();
    });
}

/// A closure makes a future that holds the value across awaits, and is not `Send`; two of them take turns.
#[test]
fn futures_may_hold_the_value() {
    run(cpus_allowed().min(2), async {
        let last = executor::cores() - 1;
        let numbers = Sharded::new(|| RefCell::new(Vec::new())).await.unwrap();
        let push = |numbers: &Sharded<RefCell<Vec<i32>>>| {
            numbers.invoke_on(last, async move |numbers| {
                for number in 0..3 {
                    numbers.borrow_mut().push(number);
                    yield_now().await;
                }
                numbers.borrow().len()
            })
        };
        let (first, second) = (push(&numbers), push(&numbers));
        first.await.unwrap();
        assert_eq!(second.await.unwrap(), 6);
        let all = numbers.call_on(last, |numbers| numbers.borrow().clone());
        assert_eq!(all.await.unwrap(), [0, 0, 1, 1, 2, 2]);
    });
}

/// All cores are called, and what they say is put together in their order.
#[test]
fn all_are_called_and_reduced_in_order() {
    run(cpus_allowed().min(2), async {
        let cores = executor::cores();
        let counts = Sharded::new(|| Cell::new(executor::current_core()));
        let counts = counts.await.unwrap();
        counts
            .invoke_on_all(async |count| count.set(count.get() + 10))
            .await
            .unwrap();
        let list = |mut list: Vec<usize>, count| {
            list.push(count);
            list
        };
        let reduced = counts
            .map_reduce(async |value| value.get(), Vec::new(), list)
            .await;
        assert_eq!(reduced.unwrap(), Vec::from_iter(10..10 + cores));
    });
}

/// A call panics, on one core and on all: it is told to who waits for it, and the value is there for the next.
#[test]
fn a_panic_reaches_the_caller() {
    run(cpus_allowed().min(2), async {
        let last = executor::cores() - 1;
        let counts = Sharded::new(|| Cell::new(0)).await.unwrap();
        let called = counts.call_on(last, |count| {
            count.set(1);
            panic!("on purpose");
        });
        let error: JoinError = called.await.map(|()| {}).unwrap_err();
        assert!(error.is_panic());
        let called = counts.invoke_on_all(async move |count| {
            count.set(count.get() + 5);
            assert!(executor::current_core() != 0, "on purpose");
        });
        assert!(called.await.unwrap_err().is_panic());
        let there = counts.call_on(last, Cell::get);
        assert_eq!(there.await.unwrap(), 6);
    });
}

/// A call is aborted while its future waits: what that held is dropped on its core.
#[test]
fn a_call_can_be_aborted() {
    run(cpus_allowed().min(2), async {
        let last = executor::cores() - 1;
        let home = thread_of(last).await;
        let nothing = Sharded::new(|| ()).await.unwrap();
        let drops = Drops::new();
        let token = drops.token();
        let call = nothing.invoke_on(last, async move |_| {
            let _held = token;
            pending::<()>().await;
        });
        nothing.call_on(last, |()| {}).await.unwrap();
        call.abort();
        let error: JoinError = call.await.map(drop).unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(drops.threads(), [home]);
        nothing.stop().await.unwrap();
    });
}

/// What is on each core of these tests: its drop is counted.
fn tokens(drops: &Drops) -> impl FnOnce() -> Token + Clone + Send + use<> {
    let drops = drops.clone();
    move || drops.token()
}

/// `stop` waits for a call whose future is under way, refuses new ones meanwhile, and drops the values on their cores before it returns.
#[test]
fn stop_lets_calls_end_and_drops_the_values() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let drops = Drops::new();
        let shards = Sharded::new(tokens(&drops)).await.unwrap();
        let (go, gone) = oneshot::channel::<()>();
        let call = shards.invoke_on(1, async move |_token| {
            gone.await.unwrap();
            7
        });
        shards.call_on(1, |_| ()).await.unwrap();
        let stopping = spawn({
            let shards = shards.clone();
            async move { shards.stop().await }
        });
        let home = thread_of(0).await;
        until(|| drops.threads() == [home]).await;
        spawn_on(1, async || {}).await.unwrap();
        let refused = shards.call_on(1, |_| ()).await;
        assert!(refused.unwrap_err().is_cancelled());
        let refused = shards.invoke_on(1, async |_| {}).await;
        assert!(refused.unwrap_err().is_cancelled());
        assert!(!stopping.is_finished());
        go.send(()).unwrap();
        assert_eq!(call.await.unwrap(), 7);
        stopping.await.unwrap().unwrap();
        assert_eq!(drops.threads(), [home, thread_of(1).await]);
        assert!(shards.local().is_none());
        shards.stop().await.unwrap();
        assert_eq!(drops.count(), 2);
    });
}

/// Each shard ends itself by a future that awaits; whoever stops it a second time waits for that, and its own end is not run.
#[test]
fn each_shard_ends_itself_once() {
    run(cpus_allowed().min(2), async {
        let cores = executor::cores();
        let (drops, ends) = (Drops::new(), Arc::new(AtomicUsize::new(0)));
        let shards = Sharded::new(tokens(&drops)).await.unwrap();
        let end = {
            let (drops, ends) = (drops.clone(), Arc::clone(&ends));
            move |token: Rc<Token>| async move {
                for _ in 0..10 {
                    yield_now().await;
                }
                assert!(drops.count() < cores);
                ends.fetch_add(1, SeqCst);
                drop(token);
            }
        };
        let mut first = pin!(shards.stop_with(end));
        assert!(poll!(first.as_mut()).is_pending());
        shards
            .stop_with(|_| async { unreachable!("it is being stopped") })
            .await
            .unwrap();
        assert_eq!((ends.load(SeqCst), drops.count()), (cores, cores));
        first.await.unwrap();
    });
}

/// The end of one shard panics: all values are dropped, and the error tells.
#[test]
fn a_panic_at_the_end_is_told() {
    run(cpus_allowed().min(2), async {
        let (drops, cores) = (Drops::new(), executor::cores());
        let shards = Sharded::new(tokens(&drops)).await.unwrap();
        let stopped = shards.stop_with(|_| async {
            yield_now().await;
            assert!(executor::current_core() > 0, "on purpose");
        });
        let error: JoinError = stopped.await.map(drop).unwrap_err();
        assert!(error.is_panic());
        assert_eq!(drops.count(), cores);
    });
}

/// The closure panics on the last core: the values of the others are dropped before the error is told.
#[test]
fn a_panic_at_the_start_drops_the_others() {
    run(cpus_allowed().min(2), async {
        let (drops, cores) = (Drops::new(), executor::cores());
        let made = {
            let drops = drops.clone();
            Sharded::new(move || {
                assert!(executor::current_core() + 1 < cores, "on purpose");
                drops.token()
            })
        };
        let error = made.await.unwrap_err();
        assert!(error.to_string().contains("on purpose"), "{error}");
        assert_eq!(drops.count(), cores - 1);
    });
}

/// The last handle is dropped, on a core and on a thread, without `stop`: the values are dropped on their cores, after the call that holds one.
#[test]
fn without_a_handle_the_values_are_dropped() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let homes = [thread_of(0).await, thread_of(1).await];
        for on_a_thread in [false, true] {
            let drops = Drops::new();
            let shards = Sharded::new(tokens(&drops)).await.unwrap();
            let (go, gone) = oneshot::channel::<()>();
            let call = shards.invoke_on(1, async move |token| {
                let _held = token;
                gone.await.unwrap();
            });
            // It has the value by the time that this one is called.
            shards.call_on(1, |_| ()).await.unwrap();
            if on_a_thread {
                on_thread(move || drop(shards)).await;
            } else {
                drop(shards);
            }
            until(|| drops.threads() == [homes[0]]).await;
            go.send(()).unwrap();
            call.await.unwrap();
            until(|| drops.count() == 2).await;
            assert_eq!(drops.threads(), homes);
        }
    });
}

/// The making of it is dropped before, while, and after the cores make their values: none stays.
#[test]
fn half_made_ones_are_dropped() {
    run(cpus_allowed().min(2), async {
        let made = Arc::new(AtomicUsize::new(0));
        let drops = Drops::new();
        for turns in [0, 1, 2, 5, 20] {
            let mut making = Box::pin(Sharded::new({
                let (made, drops) = (Arc::clone(&made), drops.clone());
                move || {
                    made.fetch_add(1, SeqCst);
                    drops.token()
                }
            }));
            assert!(poll!(making.as_mut()).is_pending());
            for _ in 0..turns {
                yield_now().await;
            }
            drop(making);
            for core in 0..executor::cores() {
                spawn_future_on(core, settle()).await.unwrap();
            }
            assert_eq!(drops.count(), made.load(SeqCst));
        }
    });
}

/// The making of it is dropped on a thread, whose word of it reaches core 1 before core 0 has sent what makes the value there: it does not stay.
#[test]
fn an_end_that_overtakes_the_making_counts() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let (made, drops) = (Arc::new(AtomicUsize::new(0)), Drops::new());
        let mut making = Box::pin(Sharded::new({
            let (made, drops) = (Arc::clone(&made), drops.clone());
            move || {
                made.fetch_add(1, SeqCst);
                drops.token()
            }
        }));
        assert!(poll!(making.as_mut()).is_pending());
        let handle = executor::Handle::current();
        let dropping = thread::spawn(move || {
            drop(making);
            block_on(handle.spawn_on(1, async || {})).unwrap();
        });
        // Core 0 stands still meanwhile, and sends nothing.
        dropping.join().unwrap();
        assert_eq!(made.load(SeqCst), 0);
        until(|| made.load(SeqCst) == 2).await;
        until(|| drops.count() == 2).await;
    });
}

/// The runtime goes while shards are there, with calls that wait and a handle that stays: the values are dropped on their cores; the handle is
/// good for nothing, and says so.
#[test]
fn shards_go_with_their_runtime() {
    let Some(runtime) = start(2) else { return };
    let drops = Drops::new();
    let (homes, shards, call) = runtime.block_on(async {
        let shards = Sharded::new(tokens(&drops)).await.unwrap();
        let call = shards.invoke_on(1, |_token| pending::<()>());
        let homes = [thread_of(0).await, thread_of(1).await];
        (homes, shards, call)
    });
    drop(runtime);
    assert_eq!(drops.count(), 2);
    assert!(homes.iter().all(|home| drops.threads().contains(home)));
    for result in [block_on(call), block_on(shards.call_on(1, |_| ()))] {
        let error = result.unwrap_err();
        assert!(error.is_cancelled());
    }
    assert!(block_on(shards.stop()).is_err());
    thread::spawn(move || drop(shards)).join().unwrap();
}

/// Thousands of them come and go, some at once: each finds its own values, also where numbers are used again.
#[test]
fn many_come_and_go() {
    run(cpus_allowed().min(2), async {
        let mut kept = Vec::new();
        for round in 0..300_usize {
            let shards = Sharded::new(move || Cell::new(round)).await.unwrap();
            let last = executor::cores() - 1;
            assert_eq!(shards.call_on(last, Cell::get).await.unwrap(), round);
            match round % 3 {
                0 => shards.stop().await.unwrap(),
                1 => drop(shards),
                _ => kept.push((round, shards)),
            }
        }
        for (round, shards) in kept {
            let sum = shards.map_reduce(async |value| value.get(), 0, |sum, value| sum + value);
            assert_eq!(sum.await.unwrap(), round * executor::cores());
        }
    });
}
