//! Mutex and RwLock: who is in together with whom, in which order they come in, and what happens when one gives up or panics.

use crate::common;

use common::{run, settle};
use executor::sync::{
    Mutex, MutexGuard, OnceCell, OwnedMutexGuard, OwnedRwLockReadGuard, RwLock, RwLockReadGuard,
    RwLockWriteGuard, SetError, TryLockError,
};
use executor::{JoinHandle, spawn, yield_now};
use futures::poll;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// Tasks read, await, and write back: under the mutex no addition is lost, and they come in in the order of their asking.
#[test]
fn a_mutex_is_held_across_awaits_in_order() {
    run(1, async {
        let mutex = Rc::new(Mutex::new(Vec::new()));
        let tasks = (0..20).map(|number| {
            let mutex = Rc::clone(&mutex);
            spawn(async move {
                let mut numbers = mutex.lock().await;
                let mut read = numbers.clone();
                yield_now().await;
                read.push(number);
                *numbers = read;
            })
        });
        for task in Vec::from_iter(tasks) {
            task.await.unwrap();
        }
        let mutex = Rc::into_inner(mutex).unwrap();
        assert_eq!(mutex.into_inner(), Vec::from_iter(0..20));
    });
}

/// The mutex was given to a task that is aborted before it ran again: the next one has it.
#[test]
fn a_turn_at_the_mutex_is_passed_on() {
    run(1, async {
        let mutex = Rc::new(Mutex::new(0));
        let held = mutex.try_lock().unwrap();
        let ask = || {
            let mutex = Rc::clone(&mutex);
            spawn(async move { *mutex.lock().await += 1 })
        };
        let (first, second) = (ask(), ask());
        settle().await;
        drop(held);
        // It is the first one's by now, although that has not run: nobody overtakes it.
        assert!(mutex.try_lock().is_err());
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        second.await.unwrap();
        assert_eq!(*mutex.lock().await, 1);
    });
}

/// A task panics with the guard, or is aborted with it: the mutex is free, and the value as it was left.
#[test]
fn a_mutex_is_not_poisoned() {
    run(1, async {
        let mutex = Rc::new(Mutex::new(1));
        let task = spawn({
            let mutex = Rc::clone(&mutex);
            async move {
                let mut value = mutex.lock().await;
                *value = 2;
                yield_now().await;
                panic!("on purpose");
            }
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(*mutex.lock().await, 2);
        let task = spawn({
            let mutex = Rc::clone(&mutex);
            async move {
                let _value = mutex.lock().await;
                std::future::pending::<()>().await;
            }
        });
        settle().await;
        assert!(mutex.try_lock().is_err());
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(mutex.try_lock().map(|value| *value), Ok(2));
    });
}

/// What each task of a log did, in order.
type Log = Rc<RefCell<Vec<&'static str>>>;

fn reader(lock: &Rc<RwLock<()>>, log: &Log, name: &'static str) -> JoinHandle<()> {
    let (lock, log) = (Rc::clone(lock), Rc::clone(log));
    spawn(async move {
        let _guard = lock.read().await;
        log.borrow_mut().push(name);
        yield_now().await;
    })
}

fn writer(lock: &Rc<RwLock<()>>, log: &Log, name: &'static str) -> JoinHandle<()> {
    let (lock, log) = (Rc::clone(lock), Rc::clone(log));
    spawn(async move {
        let _guard = lock.write().await;
        log.borrow_mut().push(name);
        yield_now().await;
    })
}

/// Readers are in together, a writer alone; and a reader that comes after a writer waits for it, though others are reading: so neither is starved.
#[test]
fn readers_share_and_writers_are_not_overtaken() {
    run(1, async {
        let (lock, log) = (Rc::new(RwLock::new(())), Log::default());
        let held = lock.read().await;
        let together = lock.try_read().unwrap();
        let tasks = [
            writer(&lock, &log, "first writer"),
            reader(&lock, &log, "one reader"),
            reader(&lock, &log, "another"),
            writer(&lock, &log, "second writer"),
            reader(&lock, &log, "last reader"),
        ];
        settle().await;
        assert!(log.borrow().is_empty());
        assert!(lock.try_read().is_err() && lock.try_write().is_err());
        drop(held);
        settle().await;
        assert!(log.borrow().is_empty());
        drop(together);
        for task in tasks {
            task.await.unwrap();
        }
        let expected = [
            "first writer",
            "one reader",
            "another",
            "second writer",
            "last reader",
        ];
        assert_eq!(*log.borrow(), expected);
        assert!(lock.try_write().is_ok());
    });
}

/// A writer gives up while it waits for a reader: the readers behind it are let in.
#[test]
fn a_writer_that_gives_up_lets_readers_in() {
    run(1, async {
        let (lock, log) = (Rc::new(RwLock::new(())), Log::default());
        let held = lock.read().await;
        let mut writing = Box::pin(lock.write());
        assert!(poll!(writing.as_mut()).is_pending());
        let behind = reader(&lock, &log, "behind");
        settle().await;
        assert!(log.borrow().is_empty());
        drop(writing);
        behind.await.unwrap();
        drop(held);
    });
}

/// The lock was given to a writer, and to readers, that are dropped before they run again: the next one has it.
#[test]
fn turns_at_the_lock_are_passed_on() {
    run(1, async {
        let lock = RwLock::new(5);
        let held = lock.write().await;
        let mut writing = Box::pin(lock.write());
        let (mut one, mut other) = (Box::pin(lock.read()), Box::pin(lock.read()));
        let mut last = pin!(lock.write());
        assert!(poll!(writing.as_mut()).is_pending());
        assert!(poll!(one.as_mut()).is_pending());
        assert!(poll!(other.as_mut()).is_pending());
        assert!(poll!(last.as_mut()).is_pending());
        drop(held);
        drop(writing);
        drop(one);
        assert!(poll!(last.as_mut()).is_pending());
        assert_eq!(*other.await, 5);
        *last.await += 1;
        assert_eq!(*lock.read().await, 6);
    });
}

thread_local! {
    static WAITING: RefCell<Option<Pin<Box<dyn Future<Output = i32>>>>> = const { RefCell::new(None) };
    static GOT: Cell<Option<i32>> = const { Cell::new(None) };
}

/// Polls, where it is woken, what waits.
struct PollAtOnce;

impl Wake for PollAtOnce {
    fn wake(self: Arc<Self>) {
        let mut waiting = WAITING.take().expect("it waits");
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(value) = waiting.as_mut().poll(&mut context) {
            GOT.set(Some(value));
        }
    }
}

/// A guard is dropped, and the next one is polled inside of its wake: it finds the value free already.
#[test]
fn the_value_is_let_go_before_the_next_is_let_in() {
    let mutex = Rc::new(Mutex::new(7));
    let held = mutex.try_lock().unwrap();
    let mut waiting = Box::pin({
        let mutex = Rc::clone(&mutex);
        async move { *mutex.lock().await }
    });
    let waker = Waker::from(Arc::new(PollAtOnce));
    assert!(
        waiting
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    WAITING.set(Some(waiting));
    drop(held);
    assert_eq!(GOT.get(), Some(7));
}

/// Guards that own their lock travel into tasks, keep the lock alive, and let the next one in when they are dropped there.
#[test]
fn owned_guards_keep_their_lock_alive() {
    run(1, async {
        let mutex = Rc::new(Mutex::new(vec![1]));
        let guard = Rc::clone(&mutex).lock_owned().await;
        assert!(Rc::clone(&mutex).try_lock_owned().is_err());
        let waiting = spawn(Rc::clone(&mutex).lock_owned());
        drop(mutex);
        settle().await;
        spawn(async move {
            let mut guard = guard;
            yield_now().await;
            guard.push(2);
        })
        .await
        .unwrap();
        assert_eq!(*waiting.await.unwrap(), [1, 2]);

        let lock = Rc::new(RwLock::new(5));
        let one = Rc::clone(&lock).read_owned().await;
        let other = Rc::clone(&lock).try_read_owned().unwrap();
        let writing = spawn(Rc::clone(&lock).write_owned());
        settle().await;
        assert!(Rc::clone(&lock).try_read_owned().is_err());
        drop(lock);
        assert_eq!(*one + *other, 10);
        drop((one, other));
        *writing.await.unwrap() += 1;
    });
}

/// A lock whose last `Rc` is in a guard is freed with the guard, and so is the value.
#[test]
fn the_last_owned_guard_frees_the_value() {
    run(1, async {
        let value = Rc::new(());
        let mutex = Rc::new(Mutex::new(Rc::clone(&value)));
        let guard = mutex.lock_owned().await;
        assert_eq!(Rc::strong_count(&value), 2);
        drop(OwnedMutexGuard::map(guard, |value| value));
        assert_eq!(Rc::strong_count(&value), 1);
    });
}

/// Guards are narrowed to parts of their value, and to parts of those: the lock stays taken, and is free when the last of them goes. A part that
/// there is not leaves the guard as it was.
#[test]
fn guards_map_to_parts() {
    run(1, async {
        let mutex = Rc::new(Mutex::new((1, vec![2, 3])));
        let list = MutexGuard::map(mutex.lock().await, |value| &mut value.1);
        let list = MutexGuard::try_map(list, |list| list.get_mut(7)).unwrap_err();
        let mut last = MutexGuard::try_map(list, |list| list.last_mut()).unwrap();
        *last += 1;
        assert_eq!(mutex.try_lock().unwrap_err(), TryLockError);
        drop(last);
        let owned = Rc::clone(&mutex).lock_owned().await;
        let mut first = OwnedMutexGuard::map(owned, |value| &mut value.0);
        *first = 9;
        assert!(mutex.try_lock().is_err());
        drop(first);
        assert_eq!(*mutex.try_lock().unwrap(), (9, vec![2, 4]));

        let lock = Rc::new(RwLock::new((1, "one")));
        let text = RwLockReadGuard::map(lock.read().await, |value| value.1);
        let number =
            OwnedRwLockReadGuard::map(Rc::clone(&lock).read_owned().await, |value| &value.0);
        assert_eq!((&*text, *number), ("one", 1));
        assert!(lock.try_write().is_err());
        drop((text, number));
        *RwLockWriteGuard::map(lock.write().await, |value| &mut value.0) += 1;
        assert_eq!(lock.read().await.0, 2);
    });
}

/// A guard is mapped by a closure that panics: the lock is free, and the value there.
#[test]
fn a_map_that_panics_unlocks() {
    let mutex = Mutex::new(1);
    let mapped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let guard = mutex.try_lock().unwrap();
        drop(MutexGuard::map(guard, |_| -> &mut i32 {
            panic!("on purpose")
        }));
    }));
    assert!(mapped.is_err());
    assert_eq!(*mutex.try_lock().unwrap(), 1);
}

/// A writer becomes a reader: readers that were first in the queue come in, a writer does not, and no writer was in between.
#[test]
fn a_writer_becomes_a_reader() {
    run(1, async {
        let lock = RwLock::new(0);
        let mut writing = lock.write().await;
        let mut reading = pin!(lock.read());
        let mut next = pin!(lock.write());
        assert!(poll!(reading.as_mut()).is_pending());
        assert!(poll!(next.as_mut()).is_pending());
        *writing = 1;
        let downgraded = writing.downgrade();
        let Poll::Ready(other) = poll!(reading.as_mut()) else {
            panic!("it may read");
        };
        assert_eq!((*downgraded, *other), (1, 1));
        assert!(poll!(next.as_mut()).is_pending());
        drop((downgraded, other));
        *next.await = 2;
        assert_eq!(*lock.read().await, 2);
    });
}

/// One task makes the value while others wait; if it is dropped, or fails, the next one makes it, and it is made once.
#[test]
fn a_once_cell_is_made_by_one_task() {
    run(1, async {
        let (cell, made) = (Rc::new(OnceCell::new()), Rc::new(Cell::new(0)));
        let mut dropped = Box::pin(cell.get_or_init(async || std::future::pending().await));
        assert!(poll!(dropped.as_mut()).is_pending());
        assert_eq!(cell.set(7), Err(SetError::Initializing(7)));
        let mut failing = Box::pin(cell.get_or_try_init(async || Err("on purpose")));
        assert!(poll!(failing.as_mut()).is_pending());
        let tasks = [(); 3].map(|()| {
            let (cell, made) = (Rc::clone(&cell), Rc::clone(&made));
            spawn(async move {
                let make = async || {
                    yield_now().await;
                    made.set(made.get() + 1);
                    5
                };
                *cell.get_or_init(make).await
            })
        });
        settle().await;
        drop(dropped);
        assert_eq!(failing.await, Err("on purpose"));
        for task in tasks {
            assert_eq!(task.await.unwrap(), 5);
        }
        assert_eq!(made.get(), 1);
        assert_eq!(cell.set(7), Err(SetError::AlreadyInitialized(7)));
    });
}
