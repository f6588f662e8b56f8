//! The channels of one core: order, fairness, ends, and what happens to a slot or a value when a future is dropped.

use crate::common;

use common::{run, settle};
use executor::sync::mpsc::error::{SendError, TryRecvError, TrySendError};
use executor::sync::{broadcast, mpsc, oneshot, watch};
use executor::{spawn, yield_now};
use futures::{FutureExt, StreamExt, poll};
use futures_core::FusedFuture;
use futures_core::stream::FusedStream;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// Senders of a full channel wait, and get the free slots in the order in which they asked; nobody overtakes them by trying.
#[test]
fn slots_go_to_those_that_waited_longest() {
    run(1, async {
        let (sender, mut receiver) = mpsc::channel(1);
        sender.try_send(0).unwrap();
        let senders = (1..=20).map(|number| {
            let sender = sender.clone();
            spawn(async move { sender.send(number).await })
        });
        let senders = Vec::from_iter(senders);
        settle().await;
        assert_eq!(receiver.try_recv(), Ok(0));
        // The slot is granted to the first, which has not run since.
        assert_eq!(sender.try_send(99), Err(TrySendError::Full(99)));
        drop(sender);
        assert_eq!(
            receiver.by_ref().collect::<Vec<_>>().await,
            Vec::from_iter(1..=20)
        );
        for sender in senders {
            sender.await.unwrap().unwrap();
        }
    });
}

/// A slot was granted to a send, and to a reserve, that are dropped before they run again: the next sender has it.
#[test]
fn a_granted_slot_is_passed_on() {
    run(1, async {
        let (sender, mut receiver) = mpsc::channel(1);
        sender.send("first").await.unwrap();
        let mut sending = Box::pin(sender.send("dropped"));
        let mut reserving = Box::pin(sender.clone().reserve_owned());
        let mut last = pin!(sender.send("last"));
        assert!(poll!(sending.as_mut()).is_pending());
        assert!(poll!(reserving.as_mut()).is_pending());
        assert!(poll!(last.as_mut()).is_pending());
        assert_eq!(receiver.recv().await, Some("first"));
        drop(sending);
        assert!(poll!(last.as_mut()).is_pending());
        drop(reserving);
        assert_eq!(poll!(last.as_mut()), Poll::Ready(Ok(())));
        assert_eq!(receiver.recv().await, Some("last"));
        assert_eq!(receiver.capacity(), 1);
    });
}

/// A receive is dropped when it was woken for a value: the value is there for the next.
#[test]
fn a_dropped_receive_loses_no_value() {
    run(1, async {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let mut receiving = Box::pin(receiver.recv());
        assert!(poll!(receiving.as_mut()).is_pending());
        sender.send(7).unwrap();
        drop(receiving);
        assert_eq!(receiver.recv().now_or_never(), Some(Some(7)));
    });
}

/// Permits reserve slots; a permit that is dropped frees its slot, and one that is used sends even after the receiver closed the channel.
#[test]
fn a_permit_is_a_slot() {
    run(1, async {
        let (sender, mut receiver) = mpsc::channel(2);
        let permit = sender.reserve().await.unwrap();
        let owned = sender.clone().try_reserve_owned().unwrap();
        assert_eq!((sender.capacity(), sender.max_capacity()), (0, 2));
        assert_eq!(sender.try_reserve().unwrap_err(), TrySendError::Full(()));
        drop(permit);
        assert_eq!(sender.capacity(), 1);
        receiver.close();
        assert_eq!(sender.try_send(1), Err(TrySendError::Closed(1)));
        let sender = owned.send(2);
        assert_eq!(receiver.recv().await, Some(2));
        assert_eq!(receiver.recv().await, None);
        assert_eq!(sender.send(3).await, Err(SendError(3)));
    });
}

/// The receiver closes the channel while slots are reserved, one by a permit and one by a send that was granted its slot: it gets the end when
/// the last of them is given back, and not before.
#[test]
fn the_end_comes_when_the_last_slot_is_given_back() {
    run(1, async {
        let (sender, mut receiver) = mpsc::channel(2);
        let permit = sender.try_reserve().unwrap();
        sender.send(1).await.unwrap();
        let mut sending = Box::pin(sender.send(2));
        assert!(poll!(sending.as_mut()).is_pending());
        assert_eq!(receiver.recv().await, Some(1));
        receiver.close();
        let got = Rc::new(RefCell::new(Vec::new()));
        let task = spawn({
            let got = Rc::clone(&got);
            async move {
                while let Some(number) = receiver.recv().await {
                    got.borrow_mut().push(number);
                }
                receiver
            }
        });
        settle().await;
        drop(permit);
        settle().await;
        assert!(!task.is_finished());
        drop(sending);
        let receiver = task.await.unwrap();
        assert!(receiver.is_terminated() && got.borrow().is_empty());
    });
}

/// All senders are dropped, a weak one stays: the receiver gets what was sent, then the end, and the weak one sends no more.
#[test]
fn weak_senders_do_not_keep_a_channel_open() {
    run(1, async {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let weak = sender.downgrade();
        weak.upgrade().unwrap().send(1).unwrap();
        assert_eq!(
            (receiver.sender_strong_count(), receiver.sender_weak_count()),
            (1, 1)
        );
        let task = spawn(async move {
            let received = (receiver.recv().await, receiver.recv().await);
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
            received
        });
        settle().await;
        assert!(!task.is_finished());
        drop(sender);
        assert_eq!(task.await.unwrap(), (Some(1), None));
        assert!(weak.upgrade().is_none());
    });
}

/// The receiver is dropped: what is in the channel is dropped then, senders that wait get their value back, and `closed` is ready.
#[test]
fn a_dropped_receiver_ends_a_channel() {
    run(1, async {
        let (sender, receiver) = mpsc::channel(1);
        let value = Rc::new(());
        sender.send(Rc::clone(&value)).await.unwrap();
        let mut sending = pin!(sender.send(Rc::clone(&value)));
        let mut closed = pin!(sender.closed());
        assert!(poll!(sending.as_mut()).is_pending());
        assert!(poll!(closed.as_mut()).is_pending());
        drop(receiver);
        assert_eq!(Rc::strong_count(&value), 2);
        assert!(matches!(
            poll!(sending.as_mut()),
            Poll::Ready(Err(SendError(_)))
        ));
        assert!(poll!(closed.as_mut()).is_ready());
        assert!(sender.is_closed());
    });
}

/// A slot is reserved, and the receiver goes: the value that is sent into it is dropped, and does not wait for the last sender to go.
#[test]
fn a_value_for_a_receiver_that_has_gone_is_dropped() {
    run(1, async {
        let (sender, receiver) = mpsc::channel(1);
        let value = Rc::new(());
        let permit = sender.reserve().await.unwrap();
        drop(receiver);
        permit.send(Rc::clone(&value));
        assert_eq!(Rc::strong_count(&value), 1);
    });
}

/// A batch is taken at once, up to its limit, and frees as many slots; at the end it is empty.
#[test]
fn many_are_received_at_once() {
    run(1, async {
        let (sender, mut receiver) = mpsc::channel(5);
        (0..5).for_each(|number| sender.try_send(number).unwrap());
        let mut values = Vec::new();
        assert_eq!(receiver.recv_many(&mut values, 0).await, 0);
        assert_eq!(receiver.recv_many(&mut values, 3).await, 3);
        assert_eq!(sender.capacity(), 3);
        assert_eq!(receiver.recv_many(&mut values, 3).await, 2);
        assert_eq!(values, [0, 1, 2, 3, 4]);
        drop(sender);
        assert_eq!(receiver.recv_many(&mut values, 3).await, 0);
    });
}

/// A task receives from, and sends into, channels that are always ready: another one on the core gets its turn meanwhile.
#[test]
fn channels_that_are_ready_take_from_the_budget() {
    run(1, async {
        let (sender, mut receiver) = mpsc::channel(1);
        let (updates, mut updated) = watch::channel(0);
        let (shouts, mut heard) = broadcast::channel(1);
        let others = Rc::new(Cell::new(0));
        let other = spawn({
            let others = Rc::clone(&others);
            async move {
                loop {
                    others.set(others.get() + 1);
                    yield_now().await;
                }
            }
        });
        let turns = async |name: &str, mut step: Box<dyn AsyncStep>| {
            let before = others.get();
            for _ in 0..300 {
                step.step().await;
            }
            assert!(others.get() > before, "{name} kept the core to itself");
        };
        turns("mpsc", Box::new(Mpsc(&sender, &mut receiver))).await;
        turns("watch", Box::new(Watch(&updates, &mut updated))).await;
        turns("broadcast", Box::new(Broadcast(&shouts, &mut heard))).await;
        other.abort();
    });
}

/// One round of something that is ready at once.
trait AsyncStep {
    fn step(&mut self) -> futures::future::LocalBoxFuture<'_, ()>;
}

struct Mpsc<'a>(&'a mpsc::Sender<u8>, &'a mut mpsc::Receiver<u8>);
struct Watch<'a>(&'a watch::Sender<u8>, &'a mut watch::Receiver<u8>);
struct Broadcast<'a>(&'a broadcast::Sender<u8>, &'a mut broadcast::Receiver<u8>);

impl AsyncStep for Mpsc<'_> {
    fn step(&mut self) -> futures::future::LocalBoxFuture<'_, ()> {
        Box::pin(async {
            self.0.try_send(1).unwrap();
            self.1.recv().await.unwrap();
        })
    }
}

impl AsyncStep for Watch<'_> {
    fn step(&mut self) -> futures::future::LocalBoxFuture<'_, ()> {
        Box::pin(async {
            self.0.send(1).unwrap();
            self.1.changed().await.unwrap();
        })
    }
}

impl AsyncStep for Broadcast<'_> {
    fn step(&mut self) -> futures::future::LocalBoxFuture<'_, ()> {
        Box::pin(async {
            self.0.send(1).unwrap();
            self.1.recv().await.unwrap();
        })
    }
}

/// A value is sent, before and after somebody waits; a sender that goes without sending ends the wait.
#[test]
fn a_oneshot_has_one_value() {
    run(1, async {
        let (sender, mut receiver) = oneshot::channel();
        assert!(poll!(&mut receiver).is_pending());
        assert!(receiver.is_empty());
        let waiting = spawn(receiver);
        settle().await;
        sender.send(1).unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(1));

        let (sender, mut receiver) = oneshot::channel();
        sender.send(2).unwrap();
        assert_eq!(receiver.try_recv(), Ok(2));
        assert!(receiver.is_terminated());

        let (sender, receiver) = oneshot::channel::<()>();
        let waiting = spawn(receiver);
        settle().await;
        drop(sender);
        assert!(waiting.await.unwrap().is_err());
    });
}

/// The receiver is dropped: the sender is told, gets its value back, and a value that was sent before is dropped.
#[test]
fn a_oneshot_whose_receiver_has_gone_refuses() {
    run(1, async {
        let (mut sender, receiver) = oneshot::channel();
        let mut closed = Box::pin(sender.closed());
        assert!(poll!(closed.as_mut()).is_pending());
        let waiting = spawn(async move { drop(receiver) });
        closed.await;
        waiting.await.unwrap();
        assert_eq!(sender.send(1), Err(1));

        let (sender, receiver) = oneshot::channel();
        let value = Rc::new(());
        sender.send(Rc::clone(&value)).unwrap();
        drop(receiver);
        assert_eq!(Rc::strong_count(&value), 1);

        let (sender, mut receiver) = oneshot::channel();
        receiver.close();
        assert_eq!(sender.send(1), Err(1));
        assert_eq!(
            receiver.try_recv(),
            Err(oneshot::error::TryRecvError::Closed)
        );
    });
}

/// Two receivers get everything, each at its pace; a third gets what is sent after it came, and all get the end.
#[test]
fn a_broadcast_reaches_all() {
    run(1, async {
        let (sender, one) = broadcast::channel(4);
        let other = sender.subscribe();
        let collect = |receiver: broadcast::Receiver<u32>| {
            spawn(receiver.map(Result::unwrap).collect::<Vec<_>>())
        };
        let one = collect(one);
        settle().await;
        assert_eq!(sender.send(1).unwrap(), 2);
        assert_eq!(sender.send(2).unwrap(), 2);
        let late = collect(other.resubscribe());
        assert_eq!(sender.send(3).unwrap(), 3);
        drop(sender);
        assert_eq!(one.await.unwrap(), [1, 2, 3]);
        assert_eq!(collect(other).await.unwrap(), [1, 2, 3]);
        assert_eq!(late.await.unwrap(), [3]);
    });
}

/// One receiver is too slow: it is told how many values it missed, and goes on with the oldest that is left.
#[test]
fn a_slow_receiver_is_told_what_it_missed() {
    run(1, async {
        use broadcast::error::{RecvError, TryRecvError};
        let (sender, mut slow) = broadcast::channel(2);
        let mut quick = sender.subscribe();
        for number in 0..5 {
            sender.send(number).unwrap();
            assert_eq!(quick.recv().await, Ok(number));
        }
        assert_eq!(slow.len(), 5);
        assert_eq!(slow.recv().await, Err(RecvError::Lagged(3)));
        assert_eq!(slow.recv().await, Ok(3));
        assert_eq!(slow.try_recv(), Ok(4));
        assert_eq!(slow.try_recv(), Err(TryRecvError::Empty));
        drop(sender);
        assert_eq!(slow.recv().await, Err(RecvError::Closed));
        assert!(slow.is_terminated());
    });
}

/// A value is dropped when all receivers have had it or have gone, not only when it is overwritten; with nobody there it comes back.
#[test]
fn a_broadcast_keeps_a_value_only_for_those_that_miss_it() {
    run(1, async {
        let (sender, mut one) = broadcast::channel(8);
        let other = sender.subscribe();
        let value = Rc::new(());
        sender.send(Rc::clone(&value)).unwrap();
        sender.send(Rc::clone(&value)).unwrap();
        drop(one.recv().await);
        drop(one.recv().await);
        assert_eq!((Rc::strong_count(&value), sender.len()), (3, 2));
        drop(other);
        assert_eq!((Rc::strong_count(&value), sender.len()), (1, 0));
        drop(one);
        assert!(sender.send(value).is_err());
    });
}

/// Changes come faster than the receiver looks: it sees the last one, once; its clone sees it too; at the end it is told so.
#[test]
fn a_watch_shows_the_last_value() {
    run(1, async {
        let (sender, mut receiver) = watch::channel(0);
        assert!(!receiver.has_changed().unwrap());
        let waiting = spawn(async move {
            receiver.changed().await.unwrap();
            receiver
        });
        settle().await;
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        let mut receiver = waiting.await.unwrap();
        assert_eq!(*receiver.borrow(), 2);
        let mut clone = receiver.clone();
        assert!(poll!(pin!(receiver.changed())).is_pending());
        assert!(!sender.send_if_modified(|_| false));
        assert!(!clone.has_changed().unwrap());
        sender.send_modify(|value| *value += 1);
        assert!(clone.borrow_and_update().has_changed());
        assert_eq!(receiver.next().await, Some(3));
        receiver.mark_changed();
        drop(sender);
        assert_eq!(receiver.next().await, Some(3));
        assert_eq!(receiver.next().await, None);
        assert!(clone.changed().await.is_err());
    });
}

/// A wait for a condition is dropped and begun again; it looks at the value that is there first, and fails when no sender can meet it any more.
#[test]
fn a_watch_waits_for_a_condition() {
    run(1, async {
        let (sender, mut receiver) = watch::channel(3);
        assert_eq!(*receiver.wait_for(|value| *value == 3).await.unwrap(), 3);
        let mut waiting = Box::pin(receiver.wait_for(|value| *value > 5));
        assert!(poll!(waiting.as_mut()).is_pending());
        sender.send(4).unwrap();
        assert!(poll!(waiting.as_mut()).is_pending());
        drop(waiting);
        sender.send(6).unwrap();
        assert_eq!(*receiver.wait_for(|value| *value > 5).await.unwrap(), 6);
        drop(sender);
        assert!(receiver.wait_for(|value| *value > 6).await.is_err());
    });
}

/// The last receiver goes: senders that wait for that are told, and sending fails until another one subscribes.
#[test]
fn a_watch_without_receivers_refuses() {
    run(1, async {
        let (sender, receiver) = watch::channel(1);
        let mut closed = pin!(sender.closed());
        assert!(poll!(closed.as_mut()).is_pending());
        drop(receiver);
        closed.await;
        assert!(sender.send(2).is_err());
        assert_eq!(sender.send_replace(3), 1);
        let receiver = sender.subscribe();
        assert!(!receiver.has_changed().unwrap());
        assert_eq!(*receiver.borrow(), 3);
        sender.send(4).unwrap();
        assert_eq!(*receiver.borrow(), 4);
    });
}

/// Somebody holds a look at the value while it is sent: the sender panics and says why, instead of waiting for ever.
#[test]
#[should_panic(expected = "while a `Ref` of it lives")]
fn a_watched_value_that_is_looked_at_cannot_be_changed() {
    let (sender, receiver) = watch::channel(1);
    let _look = receiver.borrow();
    let _ = sender.send(2);
}

thread_local! {
    static WAITING: RefCell<Option<Pin<Box<dyn Future<Output = u32>>>>> = const { RefCell::new(None) };
    static GOT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Polls, where it is woken, what waits, and then panics.
struct PollAtOnce;

impl Wake for PollAtOnce {
    fn wake(self: Arc<Self>) {
        let mut waiting = WAITING.take().expect("it waits");
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(number) = waiting.as_mut().poll(&mut context) {
            GOT.set(Some(number));
        }
        panic!("on purpose");
    }
}

/// Lets `future` wait, calls `wake`, and says what the future got inside of the wake.
fn got_inside_of_the_wake(
    future: impl Future<Output = u32> + 'static,
    wake: impl FnOnce(),
) -> Option<u32> {
    let mut waiting: Pin<Box<dyn Future<Output = u32>>> = Box::pin(future);
    let waker = Waker::from(Arc::new(PollAtOnce));
    let polled = waiting.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    WAITING.set(Some(waiting));
    wake();
    GOT.take()
}

/// A receiver is polled inside of the wake by which it learns of a value, and the waker panics then: it finds the value, nothing is borrowed, and the
/// sender does not hear of the panic.
#[test]
fn wakers_may_come_back_and_panic() {
    let (sender, mut receiver) = mpsc::channel(1);
    let future = async move { receiver.recv().await.unwrap() };
    let got = got_inside_of_the_wake(future, || sender.try_send(1).unwrap());
    assert_eq!(got, Some(1));

    let (sender, receiver) = oneshot::channel();
    let future = async move { receiver.await.unwrap() };
    let got = got_inside_of_the_wake(future, || sender.send(2).unwrap());
    assert_eq!(got, Some(2));

    let (sender, mut receiver) = broadcast::channel(1);
    let future = async move { receiver.recv().await.unwrap() };
    let got = got_inside_of_the_wake(future, || assert_eq!(sender.send(3), Ok(1)));
    assert_eq!(got, Some(3));

    let (sender, mut receiver) = watch::channel(0);
    let future = async move { *receiver.wait_for(|number| *number > 0).await.unwrap() };
    let got = got_inside_of_the_wake(future, || sender.send(4).unwrap());
    assert_eq!(got, Some(4));

    let (sender, mut receiver) = mpsc::channel(1);
    sender.try_send(5).unwrap();
    let future = {
        let sender = sender.clone();
        async move { sender.send(6).await.map_or(0, |()| 6) }
    };
    let got = got_inside_of_the_wake(future, || assert_eq!(receiver.try_recv(), Ok(5)));
    assert_eq!(got, Some(6));
    assert_eq!(receiver.try_recv(), Ok(6));
}

/// Comes back to its channel where it is dropped.
struct ComesBack(mpsc::UnboundedSender<Self>, Rc<Cell<u32>>);

impl Drop for ComesBack {
    fn drop(&mut self) {
        assert!(self.0.is_closed());
        self.1.set(self.1.get() + 1);
    }
}

/// Values that hold senders of their own channel are dropped with its receiver: each once, and the channel is not left as a circle.
#[test]
fn values_may_hold_their_channel() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let dropped = Rc::new(Cell::new(0));
    for _ in 0..3 {
        let value = ComesBack(sender.clone(), Rc::clone(&dropped));
        assert!(sender.send(value).is_ok());
    }
    drop(receiver);
    assert_eq!((dropped.get(), sender.strong_count()), (3, 1));
}
