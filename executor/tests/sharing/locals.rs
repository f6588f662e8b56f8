//! Values of a core and of a task: where they are made, who sees them, and when and where they are dropped.

use crate::common;

use common::{Drops, Token, cpus_allowed, run, settle, start, thread_of};
use executor::net::TcpListener;
use executor::time::{Duration, timeout};
use executor::{AccessError, Builder, core_local, spawn, spawn_future_on, spawn_on, task_local};
use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::thread;

core_local! {
    static NAMES: Rc<RefCell<Vec<&'static str>>> = Rc::default();
    static COUNT: Cell<usize> = Cell::new(0);
}

/// Each core has its own value, made when it is first used, which all its tasks see; it need not be `Send`.
#[test]
fn each_core_has_its_own() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        NAMES.with(|names| names.borrow_mut().push("here"));
        spawn(async { NAMES.with(|names| names.borrow_mut().push("a task")) })
            .await
            .unwrap();
        let there = spawn_on(1, async || {
            NAMES.with(|names| {
                names.borrow_mut().push("there");
                names.borrow().clone()
            })
        });
        assert_eq!(there.await.unwrap(), ["there"]);
        NAMES.with(|names| assert_eq!(*names.borrow(), ["here", "a task"]));
    });
    // And it outlasts the tasks, until the runtime goes.
    runtime.block_on(async { NAMES.with(|names| assert_eq!(names.borrow().len(), 2)) });
}

/// One runtime after the other on one thread, and outside of any: each has its own values.
#[test]
fn each_runtime_has_its_own() {
    for _ in 0..3 {
        run(1, async {
            assert_eq!(COUNT.with(|count| count.replace(count.get() + 1)), 0);
        });
        assert!(catch_unwind(|| COUNT.with(Cell::get)).is_err());
    }
}

/// Cells have the short forms that those of threads have; each core's value is used by them as by
/// `with`.
#[test]
fn cells_have_short_forms() {
    core_local! {
        static NUMBER: Cell<u32> = Cell::new(7);
        static WORDS: RefCell<Vec<&'static str>> = RefCell::new(vec!["made"]);
    }
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        assert_eq!(NUMBER.get(), 7);
        NUMBER.set(8);
        assert_eq!(NUMBER.replace(9), 8);
        assert_eq!((NUMBER.take(), NUMBER.get()), (9, 0));
        WORDS.with_borrow_mut(|words| words.push("changed"));
        let nested = || WORDS.with_borrow(|_| WORDS.with_borrow_mut(|_| {}));
        assert!(catch_unwind(nested).is_err());
        assert_eq!(WORDS.replace(vec!["new"]), ["made", "changed"]);
        assert_eq!(WORDS.take(), ["new"]);
        assert!(WORDS.with_borrow(Vec::is_empty));
        let there = spawn_on(1, async || (NUMBER.get(), WORDS.take()));
        assert_eq!(there.await.unwrap(), (7, vec!["made"]));
    });
}

struct Oldest(RefCell<Option<Token>>);

/// Counts as dropped when all was as it should be.
struct Younger(RefCell<Option<Drops>>);

impl Drop for Younger {
    fn drop(&mut self) {
        // What was there before it still is.
        OLDEST.with(|oldest| assert!(oldest.0.borrow().is_some()));
        // What was not, is not made any more.
        let made = catch_unwind(AssertUnwindSafe(|| NEVER_MADE.with(|()| {})));
        assert!(made.is_err());
        if let Some(drops) = self.0.take() {
            drop(drops.token());
        }
    }
}

core_local! {
    static OLDEST: Oldest = Oldest(RefCell::new(None));
    static YOUNGER: Younger = Younger(RefCell::new(None));
    static NEVER_MADE: () = ();
}

/// Uses the values in its drop.
struct UsesLocals(Drops);

impl Drop for UsesLocals {
    fn drop(&mut self) {
        YOUNGER.with(|younger| assert!(younger.0.borrow().is_some()));
        drop(self.0.token());
    }
}

/// The runtime goes: the values are dropped on their core, after its tasks, which may use them in their drops, and the youngest first.
#[test]
fn values_are_dropped_on_their_core_after_its_tasks() {
    let cores = cpus_allowed().min(2);
    let (oldest, younger, tasks) = (Drops::new(), Drops::new(), Drops::new());
    let runtime = start(cores).expect("as many CPUs as there are");
    let threads = runtime.block_on(async {
        let mut threads = Vec::new();
        for core in 0..cores {
            let (oldest, younger) = (oldest.token(), younger.clone());
            let task = UsesLocals(tasks.clone());
            spawn_on(core, async move || {
                OLDEST.with(|value| value.0.replace(Some(oldest)));
                YOUNGER.with(|value| value.0.replace(Some(younger)));
                spawn(async move {
                    let _held = task;
                    pending::<()>().await;
                })
                .detach();
            })
            .await
            .unwrap();
            threads.push(thread_of(core).await);
        }
        threads
    });
    assert_eq!(oldest.count() + younger.count() + tasks.count(), 0);
    drop(runtime);
    for drops in [tasks, younger, oldest] {
        let dropped = drops.threads();
        assert_eq!(dropped.len(), cores);
        assert!(threads.iter().all(|thread| dropped.contains(thread)));
    }
}

core_local! {
    static RECURSIVE: usize = RECURSIVE.with(|value| *value);
    static ATTEMPTS: Cell<usize> = Cell::new(0);
    static FAILS_ONCE: usize = {
        let attempt = ATTEMPTS.with(|attempts| attempts.replace(attempts.get() + 1));
        assert!(attempt > 0, "on purpose");
        attempt
    };
}

/// A value that needs itself is refused; one whose making panics is made by the next use; one may need another.
#[test]
fn making_a_value_may_fail() {
    run(1, async {
        let recursive = catch_unwind(|| RECURSIVE.with(|value| *value));
        let text = *recursive.unwrap_err().downcast::<&str>().unwrap();
        assert_eq!(text, "a CoreLocal was used by what makes its value");
        assert!(catch_unwind(|| FAILS_ONCE.with(|value| *value)).is_err());
        assert_eq!(FAILS_ONCE.with(|value| *value), 1);
    });
}

core_local! {
    static ACCEPTING: RefCell<Option<executor::JoinHandle<()>>> = RefCell::new(None);
    static LISTENER: RefCell<Option<TcpListener>> = RefCell::new(None);
}

/// Values that hold a socket and a task's handle: they go with the runtime, and no descriptor stays.
#[test]
fn values_may_hold_sockets_and_handles() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let round = || {
        let runtime = Builder::new().cores(1).build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let accepting = timeout(Duration::from_millis(1), listener.accept()).await;
            assert!(accepting.is_err());
            LISTENER.with(|value| value.replace(Some(listener)));
            ACCEPTING.with(|value| value.replace(Some(spawn(pending()))));
        });
    };
    round();
    let before = descriptors();
    for _ in 0..200 {
        round();
    }
    // Other tests of the file run beside this one.
    assert!(descriptors() < before + 100);
}

task_local! {
    static REQUEST: u32;
    static SESSION: Rc<Cell<u32>>;
}

/// Two tasks with their own values take turns: each sees its own after every await; a task that is spawned inside sees none.
#[test]
fn each_task_sees_its_own() {
    run(1, async {
        let tasks = [1, 2].map(|number| {
            spawn(REQUEST.scope(number, async move {
                for _ in 0..10 {
                    assert_eq!(REQUEST.get(), number);
                    executor::yield_now().await;
                }
                spawn(async { REQUEST.try_with(|_| {}) }).await.unwrap()
            }))
        });
        for task in tasks {
            assert_eq!(task.await.unwrap(), Err(AccessError));
        }
        assert_eq!(REQUEST.try_with(|number| *number), Err(AccessError));
        assert!(catch_unwind(|| REQUEST.get()).is_err());
    });
}

/// A scope inside of a scope, and a synchronous one inside of that: the innermost counts, and the outer one is back afterwards, panics included.
#[test]
fn scopes_nest() {
    run(1, async {
        let scope = REQUEST.scope(1, async {
            REQUEST
                .scope(2, async {
                    executor::yield_now().await;
                    assert_eq!(REQUEST.sync_scope(3, || REQUEST.get()), 3);
                    assert_eq!(REQUEST.get(), 2);
                })
                .await;
            assert_eq!(REQUEST.get(), 1);
            let panics = || REQUEST.sync_scope(4, || panic!("on purpose"));
            assert!(catch_unwind(panics).is_err());
            assert_eq!(REQUEST.get(), 1);
        });
        scope.await;
        assert!(REQUEST.try_with(|_| {}).is_err());
    });
}

/// A value that is not `Send`, in a task on another core, and one that travels with its future.
#[test]
fn values_may_stay_or_travel() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let counted = spawn_on(1, || {
            SESSION.scope(Rc::default(), async {
                for _ in 0..5 {
                    SESSION.with(|count| count.set(count.get() + 1));
                    executor::yield_now().await;
                }
                SESSION.with(|count| count.get())
            })
        });
        assert_eq!(counted.await.unwrap(), 5);
        let travels = spawn_future_on(1, REQUEST.scope(9, async { REQUEST.get() }));
        assert_eq!(travels.await.unwrap(), 9);
    });
}

/// Looks for the value in its drop.
struct LooksInDrop(Rc<Cell<Option<u32>>>);

impl Drop for LooksInDrop {
    fn drop(&mut self) {
        self.0.set(REQUEST.try_with(|number| *number).ok());
    }
}

/// The future is dropped while it waits, when it is complete, and by a panic: what it held sees the value each time, and nobody else does after it.
#[test]
fn drops_see_the_value() {
    run(1, async {
        for end in 0..3 {
            let seen = Rc::new(Cell::new(None));
            let held = LooksInDrop(Rc::clone(&seen));
            let task = spawn(REQUEST.scope(7, async move {
                let _held = held;
                match end {
                    0 => pending().await,
                    1 => executor::yield_now().await,
                    _ => panic!("on purpose"),
                }
            }));
            settle().await;
            task.abort();
            assert_eq!(task.await.is_ok(), end == 1);
            assert_eq!(seen.get(), Some(7));
            assert!(REQUEST.try_with(|_| {}).is_err());
        }
    });
}

/// A future whose drop panics, outside of any runtime: the value does not stay behind.
#[test]
fn a_drop_that_panics_leaves_no_value_behind() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            if !thread::panicking() {
                panic!("on purpose");
            }
        }
    }
    let mut scope = Box::pin(REQUEST.scope(7, async {
        let _held = Panics;
        pending::<()>().await;
    }));
    let mut context = Context::from_waker(Waker::noop());
    assert!(scope.as_mut().poll(&mut context).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(scope))).is_err());
    assert!(REQUEST.try_with(|_| {}).is_err());
}

/// The value can be had as a copy and without a panic; it comes back from a future that is complete, or not, and is then no longer there.
#[test]
fn values_can_be_asked_for_and_taken_back() {
    run(1, async {
        assert_eq!(REQUEST.try_get(), Err(AccessError));
        let mut scoped = std::pin::pin!(REQUEST.scope(5, async {
            let before = REQUEST.try_get();
            executor::yield_now().await;
            (before, REQUEST.try_get())
        }));
        assert_eq!(futures::poll!(scoped.as_mut()), std::task::Poll::Pending);
        assert_eq!(scoped.as_mut().take_value(), Some(5));
        assert_eq!(scoped.as_mut().take_value(), None);
        assert_eq!(scoped.as_mut().await, (Ok(5), Err(AccessError)));

        let mut scoped = std::pin::pin!(REQUEST.scope(6, async {}));
        scoped.as_mut().await;
        assert_eq!(scoped.take_value(), Some(6));
    });
}
