//! Notify, Event and Gate: who is told, of what, and who is told instead of one that has gone.

use crate::common;

use common::{run, settle};
use executor::spawn;
use executor::sync::{Barrier, Event, Gate, GateClosed, Notify};
use futures::poll;
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;

/// Nobody waits: of any number of notifications one is kept, for one that comes later.
#[test]
fn one_notification_is_kept() {
    run(1, async {
        let notify = Notify::new();
        notify.notify_one();
        notify.notify_one();
        notify.notified().await;
        assert!(poll!(pin!(notify.notified())).is_pending());
    });
}

/// Several wait: each notification is for the one that has waited longest.
#[test]
fn the_longest_waiting_is_notified_first() {
    run(1, async {
        let notify = Rc::new(Notify::new());
        let order = Rc::new(RefCell::new(Vec::new()));
        let tasks = (0..3).map(|number| {
            let (notify, order) = (Rc::clone(&notify), Rc::clone(&order));
            spawn(async move {
                notify.notified().await;
                order.borrow_mut().push(number);
            })
        });
        let tasks = Vec::from_iter(tasks);
        settle().await;
        for expected in 1..=3 {
            notify.notify_one();
            settle().await;
            assert_eq!(*order.borrow(), Vec::from_iter(0..expected));
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// The one that was chosen goes before it ran again: the next one is told; with no next one, it is kept.
#[test]
fn a_notification_is_passed_on() {
    run(1, async {
        let notify = Notify::new();
        let (mut first, mut second) = (Box::pin(notify.notified()), Box::pin(notify.notified()));
        assert!(poll!(first.as_mut()).is_pending());
        assert!(poll!(second.as_mut()).is_pending());
        notify.notify_one();
        drop(first);
        assert!(poll!(second.as_mut()).is_ready());
        // It was used up.
        drop(second);
        let mut third = Box::pin(notify.notified());
        assert!(poll!(third.as_mut()).is_pending());
        notify.notify_one();
        drop(third);
        notify.notified().await;
    });
}

/// All are told that wait, and those that were made before and not polled; nothing is kept, and nothing passed on by those that go.
#[test]
fn all_are_notified_and_nothing_is_kept() {
    run(1, async {
        let notify = Notify::new();
        let mut waiting = [(); 3].map(|()| Box::pin(notify.notified()));
        for waiting in &mut waiting {
            assert!(poll!(waiting.as_mut()).is_pending());
        }
        let unpolled = notify.notified();
        notify.notify_waiters();
        let mut late = pin!(notify.notified());
        assert!(poll!(late.as_mut()).is_pending());
        let [first, second, gone] = waiting;
        drop(gone);
        assert!(poll!(late.as_mut()).is_pending());
        first.await;
        second.await;
        unpolled.await;
        assert!(poll!(late.as_mut()).is_pending());
    });
}

/// A task that only waits, and is notified by another: it is woken, again and again.
#[test]
fn a_notified_task_is_woken() {
    run(1, async {
        let (there, back) = (Rc::new(Notify::new()), Rc::new(Notify::new()));
        let echo = spawn({
            let (there, back) = (Rc::clone(&there), Rc::clone(&back));
            async move {
                for _ in 0..100 {
                    there.notified().await;
                    back.notify_one();
                }
            }
        });
        for _ in 0..100 {
            there.notify_one();
            back.notified().await;
        }
        echo.await.unwrap();
    });
}

/// An event lets all go on that waited when it was set, also if it is reset before they run, and whoever comes while it is set; nobody else.
#[test]
fn an_event_lasts_until_it_is_reset() {
    run(1, async {
        let event = Rc::new(Event::new());
        let wait = || {
            let event = Rc::clone(&event);
            spawn(async move { event.wait().await })
        };
        let (first, second) = (wait(), wait());
        settle().await;
        assert!(!first.is_finished());
        second.abort();
        event.set();
        event.reset();
        first.await.unwrap();
        assert!(second.await.unwrap_err().is_cancelled());
        assert!(poll!(pin!(event.wait())).is_pending());
        event.set();
        event.wait().await;
        event.wait().await;
        assert!(event.is_set());
    });
}

/// Two are inside when the gate is closed: it refuses newcomers at once, and both who close it go on when the last has left.
#[test]
fn a_gate_closes_behind_the_last() {
    run(1, async {
        let gate = Rc::new(Gate::new());
        let first = gate.enter().unwrap();
        let second = Rc::clone(&gate).enter_owned().unwrap();
        assert_eq!(gate.inside(), 2);
        let close = || {
            let gate = Rc::clone(&gate);
            spawn(async move { gate.close().await })
        };
        let closing = [close(), close()];
        settle().await;
        assert!(gate.is_closed());
        assert_eq!(gate.enter().unwrap_err(), GateClosed);
        drop(first);
        settle().await;
        assert!(!closing[0].is_finished());
        spawn(async move { drop(second) }).await.unwrap();
        for closing in closing {
            closing.await.unwrap();
        }
        gate.close().await;
    });
}

/// Who closes a gate gives up: it stays closed, and can be waited for again.
#[test]
fn a_gate_stays_closed() {
    run(1, async {
        let gate = Gate::new();
        let inside = gate.enter().unwrap();
        let mut closing = Box::pin(gate.close());
        assert!(!gate.is_closed());
        assert!(poll!(closing.as_mut()).is_pending());
        drop(closing);
        assert!(gate.enter().is_err());
        let mut again = pin!(gate.close());
        assert!(poll!(again.as_mut()).is_pending());
        drop(inside);
        again.await;
        let empty = Gate::new();
        empty.close().await;
        assert!(empty.enter().is_err());
    });
}

/// One is enabled and not polled: it is in the queue, is chosen, and passes that on if it is dropped.
#[test]
fn an_enabled_one_is_in_the_queue() {
    run(1, async {
        let notify = Rc::new(Notify::new());
        let mut enabled = Box::pin(Rc::clone(&notify).notified_owned());
        assert!(!enabled.as_mut().enable());
        let mut second = pin!(notify.notified());
        assert!(poll!(second.as_mut()).is_pending());
        notify.notify_one();
        assert!(poll!(second.as_mut()).is_pending());
        drop(enabled);
        assert!(poll!(second.as_mut()).is_ready());

        notify.notify_one();
        let mut stored = pin!(notify.notified());
        assert!(stored.as_mut().enable());
        // It has used up what was stored.
        assert!(poll!(pin!(notify.notified())).is_pending());
        stored.await;
    });
}

/// The last in the queue is notified first; if it has gone, the last that is left is; with nobody there, it is kept.
#[test]
fn the_last_is_notified() {
    run(1, async {
        let notify = Notify::new();
        let [mut first, mut second, mut third] = [(); 3].map(|()| Box::pin(notify.notified()));
        assert!(poll!(first.as_mut()).is_pending());
        assert!(poll!(second.as_mut()).is_pending());
        assert!(poll!(third.as_mut()).is_pending());
        notify.notify_last();
        assert!(poll!(first.as_mut()).is_pending());
        drop(third);
        assert!(poll!(first.as_mut()).is_pending());
        assert!(poll!(second.as_mut()).is_ready());
        notify.notify_last();
        first.await;
        notify.notify_last();
        notify.notified().await;
    });
}

/// Three meet, twice: nobody goes on before the third has come, and one of each round is the leader. One that gives up has not come.
#[test]
fn a_barrier_lets_a_round_go_on() {
    run(1, async {
        let barrier = Barrier::new(3);
        for _ in 0..2 {
            let (mut one, mut two) = (Box::pin(barrier.wait()), Box::pin(barrier.wait()));
            assert!(poll!(one.as_mut()).is_pending());
            assert!(poll!(two.as_mut()).is_pending());
            drop(two);
            let mut two = Box::pin(barrier.wait());
            assert!(poll!(two.as_mut()).is_pending());
            assert!(poll!(one.as_mut()).is_pending());
            assert!(barrier.wait().await.is_leader());
            assert!(!one.await.is_leader() && !two.await.is_leader());
        }
    });
}
