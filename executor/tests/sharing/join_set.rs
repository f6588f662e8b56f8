//! Sets of tasks: joined as they end, on whatever core; aborted with the set; and tokio-util's token and tracker, which do the like by counting.

use crate::common;

use common::{Drops, block_on, run, settle, start, thread_of, until};
use executor::{JoinSet, TaskId, spawn, spawn_on, task};
use futures::future::FusedFuture;
use futures::stream::{FusedStream, Stream};
use futures::{FutureExt, StreamExt};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::{Future, pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A stream yields what the set does; it ends when the set is empty, and goes on when it is filled again.
#[test]
fn is_a_stream_that_ends_when_it_is_empty() {
    run(1, async {
        let mut set: JoinSet<Rc<u32>> = (1..=3)
            .map(|number| async move { Rc::new(number) })
            .collect();
        assert_eq!((set.len(), set.size_hint()), (3, (3, Some(3))));
        let joined = set.by_ref().map(|outcome| *outcome.unwrap());
        assert_eq!(joined.collect::<Vec<_>>().await, [1, 2, 3]);
        assert!(set.is_empty() && set.is_terminated());
        assert!(set.join_next().await.is_none());
        set.spawn(async { Rc::new(4) });
        assert!(!set.is_terminated());
        assert_eq!(*set.join_next().await.unwrap().unwrap(), 4);
    });
}

/// Tasks of two cores end in an order of our choosing, which is neither the order of spawning nor that of the cores.
#[test]
fn outcomes_come_in_the_order_in_which_the_tasks_end() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let mut set = JoinSet::new();
        let mut triggers = Vec::new();
        for number in 0..6 {
            let (trigger, triggered) = futures::channel::oneshot::channel::<()>();
            triggers.push(Some(trigger));
            set.spawn_on(number % 2, async move || {
                triggered.await.unwrap();
                number
            });
        }
        for number in [3, 0, 5, 4, 1, 2] {
            triggers[number].take().unwrap().send(()).unwrap();
            assert_eq!(set.join_next().await.unwrap().unwrap(), number);
        }
    });
}

/// A thousand tasks have ended, the last spawned first, before anybody joins: the order is that in
/// which they ended. The joiner's budget is spent several times over.
#[test]
fn tasks_that_ended_before_anybody_joined_are_in_order() {
    const TASKS: usize = 1_000;
    run(1, async {
        let turn = Rc::new(Cell::new(TASKS - 1));
        let mut set = JoinSet::new();
        for number in 0..TASKS {
            let turn = Rc::clone(&turn);
            set.spawn(async move {
                while turn.get() != number {
                    executor::yield_now().await;
                }
                turn.set(number.wrapping_sub(1));
                number
            });
        }
        until(|| turn.get() == usize::MAX).await;
        for number in (0..TASKS).rev() {
            assert_eq!(set.join_next().await.unwrap().unwrap(), number);
        }
        assert!(set.join_next().await.is_none());
    });
}

/// The last spawned of 100,000 tasks ends first, and so on: a search for the one that has ended would look at all others each time, five thousand million times
/// in all. The joiner is polled once for each at most.
#[test]
fn a_hundred_thousand_are_joined_in_linear_work() {
    const TASKS: usize = 100_000;
    run(1, async {
        let next = Rc::new(Cell::new(TASKS));
        let wakers = Rc::new(std::cell::RefCell::new(Vec::with_capacity(TASKS)));
        let mut set = JoinSet::new();
        for number in 0..TASKS {
            let (next, wakers) = (Rc::clone(&next), Rc::clone(&wakers));
            let mut is_registered = false;
            set.spawn(poll_fn(move |context| {
                if next.get() <= number {
                    return std::task::Poll::Ready(number);
                }
                if !std::mem::replace(&mut is_registered, true) {
                    wakers.borrow_mut().push(context.waker().clone());
                }
                std::task::Poll::Pending
            }));
        }
        until(|| wakers.borrow().len() == TASKS).await;
        let polls = Rc::new(Cell::new(0));
        let counted = Rc::clone(&polls);
        let joining = spawn(async move {
            let mut last = TASKS;
            let mut joining = pin!(async {
                while let Some(outcome) = set.join_next().await {
                    let number = outcome.unwrap();
                    assert!(number < last, "{number} ended before {last}");
                    last = number;
                }
                assert_eq!(last, 0);
            });
            poll_fn(|context| {
                counted.set(counted.get() + 1);
                joining.as_mut().poll(context)
            })
            .await;
        });
        settle().await;
        for number in (0..TASKS).rev() {
            next.set(number);
            let waker = wakers.borrow_mut().pop().unwrap();
            waker.wake();
            executor::yield_now().await;
        }
        joining.await.unwrap();
        assert!(polls.get() <= 2 * TASKS, "{} polls", polls.get());
    });
}

/// Another core ends tasks all the while, also in the middle of a poll of the set, which is on a
/// core or on a thread: none is missed, and they come in order.
#[test]
fn tasks_that_end_while_the_set_is_polled_are_in_order() {
    const TASKS: u32 = 20_000;
    let Some(runtime) = start(2) else { return };
    let handle = runtime.handle();
    let fill = || {
        let mut set = JoinSet::new();
        for number in 0..TASKS {
            set.insert(handle.spawn_on(1, async move || number));
        }
        set
    };
    let join = async |mut set: JoinSet<u32>| {
        for number in 0..TASKS {
            assert_eq!(set.join_next().await.unwrap().unwrap(), number);
        }
        assert!(set.join_next().await.is_none());
    };
    runtime.block_on(join(fill()));
    block_on(join(fill()));
}

/// The set is aborted when one task has ended, one has panicked, and one waits on each core: the
/// first two have their outcomes, and all stay in the set until they are joined.
#[test]
fn aborting_all_leaves_outcomes_that_are_there() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let mut set = JoinSet::new();
        set.spawn(async { 1 });
        set.spawn(async { panic!("on purpose") });
        settle().await;
        for core in [0, 1] {
            set.spawn_on(core, pending);
        }
        set.abort_all();
        assert_eq!(set.len(), 4);
        assert_eq!(set.join_next().await.unwrap().unwrap(), 1);
        assert!(set.join_next().await.unwrap().unwrap_err().is_panic());
        for left in [1, 0] {
            assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
            assert_eq!(set.len(), left);
        }
        assert!(set.join_next().await.is_none());
    });
}

/// Somebody waits for a set that is filled meanwhile, with a task that has ended and then with one
/// that has not: each wakes whoever waits.
#[test]
fn a_task_that_is_put_in_wakes_whoever_waits() {
    run(1, async {
        let set = Rc::new(std::cell::RefCell::new(JoinSet::new()));
        set.borrow_mut().spawn(pending::<u32>());
        let waited_for = Rc::clone(&set);
        let mut joining = spawn(async move {
            let mut numbers = Vec::new();
            while numbers.len() < 2 {
                let joined = poll_fn(|context| waited_for.borrow_mut().poll_join_next(context));
                numbers.push(joined.await.unwrap().unwrap());
            }
            numbers
        });
        settle().await;
        let ended = spawn(async { 1 });
        settle().await;
        assert!(ended.is_finished());
        set.borrow_mut().insert(ended);
        settle().await;
        assert!((&mut joining).now_or_never().is_none());
        set.borrow_mut().spawn(async { 2 });
        assert_eq!(joining.await.unwrap(), [1, 2]);
    });
}

/// Tasks are let go when one has ended, and the set is filled again: what it yields is of the new
/// ones alone.
#[test]
fn a_set_that_was_detached_yields_nothing_of_before() {
    run(1, async {
        let mut set: JoinSet<u32> = (0..3).map(|number| async move { number }).collect();
        settle().await;
        set.detach_all();
        assert!(set.try_join_next().is_none());
        set.spawn(async { 7 });
        assert!(set.join_next().now_or_never().is_none());
        assert_eq!(set.join_next().await.unwrap().unwrap(), 7);
        assert!(set.join_next().await.is_none());
    });
}

/// The set is dropped: its tasks end, each on its core; one that had ended before has its outcome dropped.
#[test]
fn dropping_it_aborts_its_tasks_on_their_cores() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let threads = [thread_of(0).await, thread_of(1).await];
        let drops = Drops::new();
        let begun = Arc::new(AtomicUsize::new(0));
        let mut set = JoinSet::new();
        for core in [0, 1] {
            let (token, begun) = (drops.token(), Arc::clone(&begun));
            set.spawn_on(core, async move || {
                let _held = token;
                begun.fetch_add(1, SeqCst);
                pending::<()>().await;
            });
        }
        until(|| begun.load(SeqCst) == 2).await;
        drop(set);
        until(|| drops.count() == 2).await;
        let dropped = drops.threads();
        assert!(
            threads.iter().all(|thread| dropped.contains(thread)),
            "{dropped:?}"
        );
    });
}

/// They go on, and the set is empty.
#[test]
fn detached_tasks_outlive_it() {
    run(1, async {
        let has_ended = Rc::new(Cell::new(false));
        let mut set = JoinSet::new();
        let ended = Rc::clone(&has_ended);
        set.spawn(async move {
            settle().await;
            ended.set(true);
        });
        set.detach_all();
        assert!(set.is_empty());
        drop(set);
        until(|| has_ended.get()).await;
    });
}

/// One panics, one is aborted by its handle, one ends: each is told as what it is, with its id, and the set goes on.
#[test]
fn a_panic_and_an_abort_are_outcomes_of_one_task_each() {
    run(1, async {
        let mut set = JoinSet::new();
        let panics = set.spawn(async { panic!("on purpose") }).id();
        let abort = set.spawn(pending::<u32>());
        let ends = set.spawn(async { 5 }).id();
        abort.abort();
        let mut seen = BTreeSet::new();
        while let Some((id, outcome)) = set.join_next_with_id().await {
            seen.insert(id);
            match outcome {
                Ok(number) => assert_eq!((id, number), (ends, 5)),
                Err(error) if error.is_panic() => assert_eq!((id, error.id()), (panics, panics)),
                Err(error) => assert_eq!((id, error.id()), (abort.id(), abort.id())),
            }
        }
        assert_eq!(seen, BTreeSet::from([panics, abort.id(), ends]));
    });
}

/// Outcomes that are there are had without waiting, also by a task whose budget is spent; then there is none, and the tasks are still in the set.
#[test]
fn what_has_ended_is_had_without_waiting() {
    run(1, async {
        let mut set: JoinSet<usize> = (0..300).map(|number| async move { number }).collect();
        set.spawn(pending());
        assert!(set.try_join_next().is_none());
        settle().await;
        for number in 0..300 {
            assert_eq!(set.try_join_next().unwrap().unwrap(), number);
        }
        assert!(set.try_join_next().is_none());
        assert_eq!(set.len(), 1);
    });
}

/// A joining future is dropped each time it has been polled once: nothing is lost.
#[test]
fn a_joining_future_that_is_dropped_loses_nothing() {
    run(1, async {
        let mut set: JoinSet<usize> = (0..100)
            .map(|number| async move {
                for _ in 0..number {
                    executor::yield_now().await;
                }
                number
            })
            .collect();
        let mut joined = Vec::new();
        while !set.is_empty() {
            match set.join_next().now_or_never() {
                Some(outcome) => joined.push(outcome.unwrap().unwrap()),
                None => executor::yield_now().await,
            }
        }
        assert_eq!(joined, Vec::from_iter(0..100));
    });
}

/// The shutdown returns when every future is gone, on both cores, and one panics in its drop. Given up after its first poll, it has aborted all.
#[test]
fn a_shutdown_waits_for_the_end_of_every_task() {
    struct PanicsInDrop;
    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let drops = Drops::new();
        let mut set = JoinSet::new();
        for number in 0..10 {
            let token = drops.token();
            set.spawn_on(number % 2, async move || {
                let _held = token;
                let _panics = (number == 3).then_some(PanicsInDrop);
                pending::<()>().await;
            });
        }
        assert!(set.shutdown().now_or_never().is_none());
        until(|| drops.count() == 10).await;
        assert_eq!(set.len(), 10);
        set.shutdown().await;
        assert!(set.is_empty());
    });
}

/// All outputs, in the order of the ends; or the panic of one, and then the others are aborted.
#[test]
fn all_are_joined_or_the_first_panic_is_propagated() {
    run(1, async {
        let set: JoinSet<u32> = (0..3).map(|number| async move { number }).collect();
        assert_eq!(set.join_all().await, [0, 1, 2]);

        let drops = Drops::new();
        let token = drops.token();
        let mut set = JoinSet::new();
        set.spawn(async move {
            let _held = token;
            pending::<()>().await;
        });
        set.spawn(async { panic!("on purpose") });
        let panic = AssertUnwindSafe(set.join_all()).catch_unwind().await;
        assert_eq!(
            *panic.unwrap_err().downcast::<&str>().unwrap(),
            "on purpose"
        );
        until(|| drops.count() == 1).await;
    });
}

/// The set goes to a thread that is no core, and is joined there.
#[test]
fn it_can_be_joined_on_a_thread() {
    let Some(runtime) = start(1) else { return };
    runtime.block_on(async {
        let mut set = JoinSet::new();
        for number in 0..100 {
            set.spawn(async move { number });
        }
        set.spawn_blocking(|| 100);
        let outputs = common::on_thread(|| block_on(set.join_all())).await;
        assert_eq!(outputs.iter().sum::<u32>(), 5050);
    });
}

/// Ten thousand tasks, all alive, on two cores and threads that block: each knows its own id, and no two have the same.
#[test]
fn ids_are_unique_among_living_tasks() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let release = Arc::new(AtomicBool::new(false));
        let mut set = JoinSet::new();
        let mut ids = BTreeSet::new();
        for number in 0..10_000 {
            let release = Arc::clone(&release);
            let abort = set.spawn_on(number % 2, async move || {
                while !release.load(SeqCst) {
                    executor::yield_now().await;
                }
                task::id()
            });
            ids.insert(abort.id());
        }
        for _ in 0..4 {
            ids.insert(set.spawn_blocking(task::id).id());
        }
        let mine = task::id();
        ids.insert(mine);
        assert_eq!(ids.len(), 10_005);
        release.store(true, SeqCst);
        while let Some((id, own)) = set.join_next_with_id().await {
            assert_eq!(id, own.unwrap());
            assert!(ids.remove(&id));
        }
        assert_eq!((ids, task::id()), (BTreeSet::from([mine]), mine));
    });
}

/// Outside of a task there is none: on another thread, and in what a core does between its tasks.
#[test]
fn there_is_no_id_outside_of_a_task() {
    /// Notes the id that there is when it is dropped.
    struct AtItsDrop(Arc<std::sync::Mutex<Vec<Option<TaskId>>>>);
    impl Drop for AtItsDrop {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(task::try_id());
        }
    }
    let Some(runtime) = start(1) else { return };
    let seen = Arc::default();
    let ended = runtime.block_on(async {
        assert!(task::try_id().is_some());
        assert_eq!(common::on_thread(task::try_id).await, None);
        let held = AtItsDrop(Arc::clone(&seen));
        let aborted = spawn(async move {
            let _held = held;
            pending::<()>().await;
        });
        settle().await;
        aborted.abort();
        let id = aborted.id();
        let _ = aborted.await;
        id
    });
    assert_eq!(
        *seen.lock().unwrap(),
        [Some(ended)],
        "the future's drop is the task's"
    );
    assert_eq!(task::try_id(), None);
}

/// At the end of the runtime a task's drop starts another, which is cancelled inside of it: during
/// that drop the id is the other's, and then the first one's again.
#[test]
fn a_drop_inside_of_another_has_an_id_of_its_own() {
    type Seen = Rc<std::cell::RefCell<Vec<TaskId>>>;
    struct Inner(Seen);
    impl Drop for Inner {
        fn drop(&mut self) {
            self.0.borrow_mut().push(task::id());
        }
    }
    struct Outer(Seen);
    impl Drop for Outer {
        fn drop(&mut self) {
            let mine = task::id();
            let held = Inner(Rc::clone(&self.0));
            let inner = spawn(async move {
                let _held = held;
                pending::<()>().await;
            });
            self.0.borrow_mut().extend([inner.id(), mine, task::id()]);
        }
    }
    let Some(runtime) = start(1) else { return };
    let seen = Seen::default();
    let held = Outer(Rc::clone(&seen));
    let outer = runtime.block_on(async {
        let outer = spawn(async move {
            let _held = held;
            pending::<()>().await;
        });
        settle().await;
        let id = outer.id();
        outer.detach();
        id
    });
    drop(runtime);
    let seen = seen.take();
    assert_eq!(seen[0], seen[1], "the inner one's, in its drop");
    assert_eq!(seen[2..], [outer, outer]);
    assert_ne!(seen[0], outer);
}

/// A blocking closure is the core of another runtime for a while, which panics the second time: it
/// has the id of that one's task meanwhile, and then its own again.
#[test]
fn a_blocking_closure_has_its_id_again_after_a_runtime_inside() {
    let Some(runtime) = start(1) else { return };
    let closure = move || {
        let mine = task::id();
        let inner = executor::Builder::new().cores(1).build().unwrap();
        let within = inner.block_on(async { task::id() });
        assert_ne!(within, mine);
        assert_eq!(task::id(), mine);
        let panics = || inner.block_on(async { panic!("on purpose") });
        std::panic::catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
        assert_eq!(task::id(), mine);
        mine
    };
    runtime.block_on(async {
        let task = executor::spawn_blocking(closure);
        let id = task.id();
        assert_eq!(task.await.unwrap(), id);
    });
}

/// A token of tokio-util, cancelled on one core, ends tasks on both; its tracker waits for them. No runtime of tokio is there.
#[test]
fn tokio_utils_token_and_tracker_work_across_cores() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let (token, tracker) = (CancellationToken::new(), TaskTracker::new());
        let ended = Arc::new(AtomicUsize::new(0));
        for number in 0..100 {
            let (token, tracked) = (token.child_token(), tracker.token());
            let ended = Arc::clone(&ended);
            spawn_on(number % 2, async move || {
                token.cancelled().await;
                ended.fetch_add(1, SeqCst);
                drop(tracked);
            })
            .detach();
        }
        let local = tracker.track_future({
            let (token, ended) = (token.clone(), Arc::clone(&ended));
            async move {
                token.cancelled().await;
                ended.fetch_add(1, SeqCst);
            }
        });
        spawn(local).detach();
        tracker.close();
        assert!(tracker.wait().now_or_never().is_none());
        spawn_on(1, async move || token.cancel()).await.unwrap();
        tracker.wait().await;
        assert_eq!(ended.load(SeqCst), 101);
    });
}

/// The futures crate's `select!` over a handle and a set, until both have nothing more to give.
#[test]
fn select_goes_on_until_both_are_exhausted() {
    run(1, async {
        let mut task = spawn(async {
            settle().await;
            100
        });
        let mut set: JoinSet<u32> = (1..=3).map(|number| async move { number }).collect();
        let mut seen = Vec::new();
        loop {
            futures::select! {
                outcome = task => seen.push(outcome.unwrap()),
                outcome = set.join_next() => seen.extend(outcome.map(Result::unwrap)),
                complete => break,
            }
        }
        assert_eq!(seen, [1, 2, 3, 100]);
        assert!(set.join_next().is_terminated() && task.is_terminated());
    });
}
