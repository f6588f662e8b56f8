//! Models of how a task completes and is notified: every interleaving, with the atomics as weak as they are.
//!
//! `RUSTFLAGS="--cfg modelled" cargo test --release -p corering --lib loom`

use super::notification::Notification;
use super::state::{Completed, State};
use crate::primitives::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Notify, mpsc};
use loom::thread;
use std::task::{Wake, Waker};

/// The outcome's place, which loom checks for races.
struct Task {
    state: State,
    outcome: UnsafeCell<Option<u32>>,
}

// SAFETY: that it may be shared is what the models show.
unsafe impl Sync for Task {}
// SAFETY: as above.
unsafe impl Send for Task {}

impl Task {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: State::new(),
            outcome: UnsafeCell::new(None),
        })
    }

    /// What the core does: store the outcome, complete, drop it if nobody wants it, and give its reference up. Returns whether it
    /// dropped the outcome, and whether it has to free the cell.
    fn complete(&self, may_release: bool) -> (bool, bool) {
        // SAFETY: loom fails the model if this races.
        self.outcome.with_mut(|place| unsafe { *place = Some(7) });
        let completed = self.state.complete(may_release);
        match completed {
            Completed::WantedAndReleased => return (false, false),
            Completed::Awaited(_) => self.state.wake(),
            Completed::Wanted => {}
            Completed::Unwanted => {
                self.take();
            }
        }
        (completed == Completed::Unwanted, self.state.release())
    }

    fn take(&self) -> Option<u32> {
        // SAFETY: loom fails the model if this races.
        self.outcome.with_mut(|place| unsafe { (*place).take() })
    }
}

/// Wakes a loom thread. Loom's own primitives inside, the standard library's reference count outside: it orders nothing we model.
struct Unpark(Notify);

impl Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

/// Counts how often it is woken.
struct Count(std::sync::Arc<AtomicUsize>);

impl Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The core completes while the handle polls and, if told to wait, waits: it is woken and finds the outcome.
#[test]
fn handle_is_woken_and_gets_the_outcome() {
    loom::model(|| {
        let task = Task::new();
        let core = thread::spawn({
            let task = Arc::clone(&task);
            move || {
                task.complete(true);
            }
        });
        let unpark = std::sync::Arc::new(Unpark(Notify::new()));
        let waker = Waker::from(std::sync::Arc::clone(&unpark));
        while !task.state.poll(&waker, || None) {
            unpark.0.wait();
        }
        assert_eq!(task.take(), Some(7));
        assert!(task.state.close());
        core.join().unwrap();
    });
}

/// The handle changes its waker while the core completes: the last one that it left is woken, and the change never races with the
/// core's look.
#[test]
fn replaced_waker_is_the_one_woken() {
    loom::model(|| {
        let task = Task::new();
        let core = thread::spawn({
            let task = Arc::clone(&task);
            move || {
                task.complete(true);
            }
        });
        let first = Waker::from(std::sync::Arc::new(Unpark(Notify::new())));
        let unpark = std::sync::Arc::new(Unpark(Notify::new()));
        let second = Waker::from(std::sync::Arc::clone(&unpark));
        if !task.state.poll(&first, || None) {
            while !task.state.poll(&second, || None) {
                unpark.0.wait();
            }
        }
        assert_eq!(task.take(), Some(7));
        core.join().unwrap();
    });
}

/// The handle's waker is for a task of another core, and the task is sent there when it completes: that core wakes with the waker that was left
/// last, or finds the outcome, and never both looks at the waker's place and changes it.
#[test]
fn joiner_is_woken_by_its_own_core() {
    const JOINERS_CORE: usize = 3;
    loom::model(|| {
        let task = Task::new();
        let (sender, messages) = mpsc::channel();
        let core = thread::spawn({
            let task = Arc::clone(&task);
            move || {
                // SAFETY: loom fails the model if this races.
                task.outcome.with_mut(|place| unsafe { *place = Some(7) });
                let completed = task.state.complete(false);
                if completed == Completed::Awaited(Some(JOINERS_CORE)) {
                    sender.send(()).unwrap();
                } else {
                    assert_eq!(completed, Completed::Wanted);
                }
            }
        });
        let woken = std::sync::Arc::new(AtomicUsize::new(0));
        let wakers = [0, 1].map(|_| {
            let woken = std::sync::Arc::clone(&woken);
            Waker::from(std::sync::Arc::new(Count(woken)))
        });
        let is_complete = wakers
            .iter()
            .any(|waker| task.state.poll(waker, || Some(JOINERS_CORE)));
        if !is_complete {
            messages.recv().unwrap();
            task.state.wake();
            assert_eq!(woken.load(Ordering::Relaxed), 1);
            assert!(task.state.poll(&wakers[1], || Some(JOINERS_CORE)));
        }
        assert_eq!(task.take(), Some(7));
        core.join().unwrap();
    });
}

/// The handle is polled for a task of another core, and then by a thread: it is the thread that is woken, or nobody has to be.
#[test]
fn joiners_core_is_forgotten_with_its_waker() {
    loom::model(|| {
        let task = Task::new();
        let core = thread::spawn({
            let task = Arc::clone(&task);
            // That core stands still: what is sent there wakes nobody.
            move || match task.state.complete(false) {
                Completed::Awaited(None) => task.state.wake(),
                Completed::Awaited(Some(_)) | Completed::Wanted => {}
                other => panic!("{other:?}"),
            }
        });
        let nobody = Waker::from(std::sync::Arc::new(Count(std::sync::Arc::default())));
        let unpark = std::sync::Arc::new(Unpark(Notify::new()));
        let waker = Waker::from(std::sync::Arc::clone(&unpark));
        if !task.state.poll(&nobody, || Some(3)) {
            while !task.state.poll(&waker, || None) {
                unpark.0.wait();
            }
        }
        core.join().unwrap();
    });
}

/// The handle is polled with one waker, then with another, then dropped, and the core completes somewhere in between, or another core wakes for
/// it: in the end both wakers are gone, each dropped once, and none was used twice.
#[test]
fn every_waker_is_dropped_once() {
    for polls in 0..=2 {
        for joiners_core in [None, Some(3)] {
            loom::model(move || {
                let task = Task::new();
                let counts = [0, 1].map(|_| std::sync::Arc::new(Count(std::sync::Arc::default())));
                let core = thread::spawn({
                    let task = Arc::clone(&task);
                    // By this thread or by the core that it sends the task to: what matters is that it is one.
                    move || match task.state.complete(false) {
                        Completed::Awaited(core) => {
                            assert_eq!(core, joiners_core);
                            task.state.wake();
                        }
                        Completed::Wanted | Completed::Unwanted => {}
                        Completed::WantedAndReleased => unreachable!("it may not release"),
                    }
                });
                for count in &counts[..polls] {
                    let waker = Waker::from(std::sync::Arc::clone(count));
                    // With the same one again, nothing changes.
                    let _ = task.state.poll(&waker, || joiners_core)
                        || task.state.poll(&waker, || joiners_core);
                }
                let _ = task.state.close();
                core.join().unwrap();
                for count in &counts {
                    assert_eq!(std::sync::Arc::strong_count(count), 1, "one is left");
                    assert!(count.0.load(Ordering::Relaxed) <= 1);
                }
            });
        }
    }
}

/// The handle is dropped while the core completes: exactly one of them drops the outcome, and exactly one frees the cell, after it.
#[test]
fn outcome_is_dropped_once_and_the_cell_freed_once() {
    for may_release in [false, true] {
        loom::model(move || {
            let task = Task::new();
            let core = thread::spawn({
                let task = Arc::clone(&task);
                move || {
                    let (dropped, frees) = task.complete(may_release);
                    if frees {
                        assert_eq!(task.take(), None, "freed with an outcome in it");
                    }
                    (dropped, frees)
                }
            });
            let handle_drops = task.state.close();
            if handle_drops {
                assert_eq!(task.take(), Some(7));
            }
            let handle_frees = task.state.release();
            if handle_frees {
                assert_eq!(task.take(), None, "freed with an outcome in it");
            }
            let (core_dropped, core_frees) = core.join().unwrap();
            assert!(handle_drops ^ core_dropped);
            assert!(handle_frees ^ core_frees);
        });
    }
}

/// Two threads wake a task, one of them perhaps into the middle of the core's receipt: the core's last poll sees what both did before,
/// and no message is sent while one is on its way.
#[test]
fn last_poll_sees_every_wakers_data() {
    loom::model(|| {
        let notification = Arc::new(Notification::new(false));
        let messages = Arc::new(AtomicUsize::new(0));
        let data = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let wakers: Vec<_> = (0..2)
            .map(|index| {
                let notification = Arc::clone(&notification);
                let messages = Arc::clone(&messages);
                let data = Arc::clone(&data);
                thread::spawn(move || {
                    data[index].store(1, Ordering::Relaxed);
                    if notification.begin() {
                        // The queue's own Release; the core's look is its Acquire.
                        let before = messages.fetch_add(1, Ordering::Release);
                        assert_eq!(before, 0, "one message at a time");
                    }
                })
            })
            .collect();
        let mut seen = [0; 2];
        let mut receive = || {
            if messages.load(Ordering::Acquire) == 1 {
                messages.fetch_sub(1, Ordering::Relaxed);
                notification.end();
                seen = [
                    data[0].load(Ordering::Relaxed),
                    data[1].load(Ordering::Relaxed),
                ];
            }
        };
        receive();
        for waker in wakers {
            waker.join().unwrap();
        }
        // What is left is a message that the core has not looked at; without one, it has polled late enough.
        receive();
        assert_eq!(seen, [1, 1]);
    });
}

/// A task is aborted, and woken by another thread, while its core may just be receiving an earlier message: the last message that the core
/// receives shows it the abort, and what the aborter did before.
#[test]
fn abort_is_seen_when_its_message_has_come() {
    loom::model(|| {
        let notification = Arc::new(Notification::new(false));
        let messages = Arc::new(AtomicUsize::new(0));
        let data = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = [true, false]
            .into_iter()
            .map(|aborts| {
                let notification = Arc::clone(&notification);
                let messages = Arc::clone(&messages);
                let data = Arc::clone(&data);
                thread::spawn(move || {
                    if aborts {
                        data.store(1, Ordering::Relaxed);
                        notification.abort();
                    }
                    if notification.begin() {
                        messages.fetch_add(1, Ordering::Release);
                    }
                })
            })
            .collect();
        let mut seen = None;
        let mut receive = || {
            if messages.load(Ordering::Acquire) == 1 {
                messages.fetch_sub(1, Ordering::Relaxed);
                notification.end();
                if notification.is_aborted() {
                    seen = Some(data.load(Ordering::Relaxed));
                }
            }
        };
        receive();
        for thread in threads {
            thread.join().unwrap();
        }
        receive();
        assert_eq!(
            seen,
            Some(1),
            "the abort was lost, or came without its data"
        );
    });
}
