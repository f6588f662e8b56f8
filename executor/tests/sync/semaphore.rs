//! The semaphore: who gets its permits, in which order, and where those go that were granted to somebody who has gone.

use crate::common;

use common::{Random, run, settle};
use executor::sync::{AcquireError, OwnedSemaphorePermit, Permit, Semaphore, TryAcquireError};
use executor::{spawn, unconstrained};
use futures::poll;
use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

/// Ten tasks ask for the one permit, and hold it across an await each: they get it in the order in which they asked.
#[test]
fn first_come_first_served() {
    run(1, async {
        let semaphore = Rc::new(Semaphore::new(1));
        let order = Rc::new(RefCell::new(Vec::new()));
        let held = semaphore.try_acquire().unwrap();
        let tasks = (0..10).map(|number| {
            let (semaphore, order) = (Rc::clone(&semaphore), Rc::clone(&order));
            spawn(async move {
                let _permit = semaphore.acquire().await.unwrap();
                order.borrow_mut().push(number);
                executor::yield_now().await;
                assert_eq!(semaphore.available_permits(), 0);
            })
        });
        let tasks = Vec::from_iter(tasks);
        settle().await;
        drop(held);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.borrow(), Vec::from_iter(0..10));
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// One permit is free, but the first in the queue wants two: nobody overtakes it, neither in the queue nor by trying.
#[test]
fn one_that_wants_many_is_not_overtaken() {
    run(1, async {
        let semaphore = Semaphore::new(2);
        let held = semaphore.acquire().await.unwrap();
        let mut many = pin!(semaphore.acquire_many(2));
        let mut one = pin!(semaphore.acquire());
        assert!(poll!(many.as_mut()).is_pending());
        assert!(poll!(one.as_mut()).is_pending());
        assert_eq!(semaphore.available_permits(), 1);
        let refused = semaphore.try_acquire().unwrap_err();
        assert_eq!(refused, TryAcquireError::NoPermits);
        drop(held);
        assert!(poll!(one.as_mut()).is_pending());
        let many = many.await.unwrap();
        assert_eq!((many.num_permits(), semaphore.available_permits()), (2, 0));
        drop(many);
        drop(one.await.unwrap());
        assert_eq!(semaphore.available_permits(), 2);
    });
}

/// The first in the queue, which wanted too much, gives up: those behind it, for whom there is enough, are woken.
#[test]
fn when_the_first_gives_up_those_behind_are_served() {
    run(1, async {
        let semaphore = Rc::new(Semaphore::new(1));
        let mut many = Box::pin(semaphore.acquire_many(2));
        assert!(poll!(many.as_mut()).is_pending());
        let behind = spawn(Rc::clone(&semaphore).acquire_owned());
        settle().await;
        assert!(!behind.is_finished());
        drop(many);
        assert_eq!(behind.await.unwrap().unwrap().num_permits(), 1);
    });
}

/// A permit was granted to a task that is aborted before it ran again: the next one gets it; with no next one, it is there again.
#[test]
fn a_granted_permit_is_passed_on() {
    run(1, async {
        let semaphore = Rc::new(Semaphore::new(0));
        let [first, second] = [(); 2].map(|()| spawn(Rc::clone(&semaphore).acquire_owned()));
        settle().await;
        semaphore.add_permits(1);
        // Granted to the first, which has not run since.
        assert_eq!(semaphore.available_permits(), 0);
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let permit = second.await.unwrap().unwrap();
        drop(permit);

        let mut last = Box::pin(semaphore.acquire_many(2));
        assert!(poll!(last.as_mut()).is_pending());
        semaphore.add_permits(1);
        assert_eq!(semaphore.available_permits(), 0);
        drop(last);
        assert_eq!(semaphore.available_permits(), 2);
    });
}

type Acquiring<'a> =
    Pin<Box<dyn Future<Output = Result<Permit<&'a Semaphore>, AcquireError>> + 'a>>;

/// Ten thousand times somebody asks, gives up at some point, or gives back, as chance has it: nobody is overtaken, nobody waits for what is there, and
/// in the end every permit is back.
#[test]
fn no_permit_is_lost_whenever_one_gives_up() {
    const PERMITS: usize = 5;
    // All in one poll of the task, which has no budget for so much.
    run(
        1,
        unconstrained(async {
            for seed in 0..20 {
                let mut random = Random::new(seed);
                let semaphore = Semaphore::new(PERMITS);
                let mut waiting: Vec<(usize, usize, Acquiring<'_>)> = Vec::new();
                let mut held = Vec::new();
                let mut last_served = None;
                for number in 0..500 {
                    match random.below(3) {
                        0 => {
                            let count = random.below(PERMITS + 1);
                            let asking = semaphore.acquire_many(count);
                            waiting.push((number, count, Box::pin(asking)));
                        }
                        1 if !waiting.is_empty() => {
                            drop(waiting.remove(random.below(waiting.len())));
                        }
                        2 if !held.is_empty() => drop(held.remove(random.below(held.len()))),
                        _ => {}
                    }
                    if random.below(2) == 0 {
                        continue;
                    }
                    for (number, count, mut asking) in std::mem::take(&mut waiting) {
                        match poll!(asking.as_mut()) {
                            Poll::Ready(permit) => {
                                assert!(last_served < Some(number), "{number} was overtaken");
                                last_served = Some(number);
                                held.push(permit.unwrap());
                            }
                            Poll::Pending => waiting.push((number, count, asking)),
                        }
                    }
                    let out: usize = held.iter().map(Permit::num_permits).sum();
                    assert_eq!(out + semaphore.available_permits(), PERMITS);
                    if let Some((_, wanted, _)) = waiting.first() {
                        assert!(
                            *wanted > semaphore.available_permits(),
                            "it waits for nothing"
                        );
                    }
                }
                drop((waiting, held));
                assert_eq!(semaphore.available_permits(), PERMITS);
            }
        }),
    );
}

/// It is closed while some wait: they and all later ones are refused. A permit that was granted before is good, and comes back.
#[test]
fn closing_refuses_who_waits_and_who_comes() {
    run(1, async {
        let semaphore = Rc::new(Semaphore::new(1));
        let held = semaphore.acquire().await.unwrap();
        let granted = spawn(Rc::clone(&semaphore).acquire_owned());
        let refused = spawn(Rc::clone(&semaphore).acquire_owned());
        settle().await;
        drop(held);
        semaphore.close();
        assert!(semaphore.is_closed());
        assert_eq!(refused.await.unwrap().unwrap_err(), AcquireError);
        assert_eq!(semaphore.acquire().await.unwrap_err(), AcquireError);
        let tried = semaphore.try_acquire().unwrap_err();
        assert_eq!(tried, TryAcquireError::Closed);
        drop(granted.await.unwrap().unwrap());
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// Permits move with the task, are added, and are forgotten; none of them can be asked for as well.
#[test]
fn permits_are_owned_added_and_forgotten() {
    run(1, async {
        let semaphore = Rc::new(Semaphore::new(1));
        let permit: OwnedSemaphorePermit = Rc::clone(&semaphore).acquire_owned().await.unwrap();
        assert!(Rc::clone(&semaphore).try_acquire_owned().is_err());
        assert_eq!(semaphore.acquire_many(0).await.unwrap().num_permits(), 0);
        spawn(async move { drop(permit) }).await.unwrap();
        semaphore.add_permits(2);
        let many = Rc::clone(&semaphore).acquire_many_owned(3).await.unwrap();
        many.forget();
        assert_eq!(semaphore.available_permits(), 0);
    });
}

thread_local! {
    static REACHED_FROM_WAKERS: Semaphore = const { Semaphore::new(0) };
}

/// What is told by its wake: it comes back to the semaphore, and panics.
#[derive(Default)]
struct Meddler(AtomicUsize);

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
        REACHED_FROM_WAKERS.with(|semaphore| {
            assert!(semaphore.try_acquire().is_err());
            let mut asking = pin!(semaphore.acquire());
            let mut context = Context::from_waker(Waker::noop());
            assert!(asking.as_mut().poll(&mut context).is_pending());
            semaphore.add_permits(0);
        });
        panic!("on purpose: a waker panics");
    }
}

/// Wakers that use the semaphore while they are woken, and panic then: each waiter is granted its permit nonetheless.
#[test]
fn wakers_may_come_back_and_panic() {
    REACHED_FROM_WAKERS.with(|semaphore| {
        let meddler = Arc::new(Meddler::default());
        let waker = Waker::from(Arc::clone(&meddler));
        let mut context = Context::from_waker(&waker);
        let mut asking = Vec::from_iter((0..3).map(|_| Box::pin(semaphore.acquire())));
        for asking in &mut asking {
            assert!(asking.as_mut().poll(&mut context).is_pending());
        }
        semaphore.add_permits(3);
        assert_eq!(meddler.0.load(SeqCst), 3);
        for asking in &mut asking {
            assert!(asking.as_mut().poll(&mut context).is_ready());
        }
    });
}

/// A future that waits is moved to another task between two polls: the waker that counts is the last one's.
#[test]
fn the_last_waker_is_woken() {
    run(1, async {
        let semaphore = Rc::new(Semaphore::new(0));
        let mut asking = Box::pin(Rc::clone(&semaphore).acquire_owned());
        let mut nobody = Context::from_waker(Waker::noop());
        assert!(asking.as_mut().poll(&mut nobody).is_pending());
        let task = spawn(asking);
        settle().await;
        semaphore.add_permits(1);
        assert!(task.await.unwrap().is_ok());
    });
}

trait AmbiguousIfSendOrSync<Which> {
    fn check() {}
}
impl<T: ?Sized> AmbiguousIfSendOrSync<()> for T {}
impl<T: ?Sized + Send> AmbiguousIfSendOrSync<u8> for T {}
impl<T: ?Sized + Sync> AmbiguousIfSendOrSync<u16> for T {}

/// Nothing in `sync` leaves its core: this compiles only if they are neither `Send` nor `Sync`.
#[test]
fn none_of_them_can_leave_its_core() {
    <Semaphore as AmbiguousIfSendOrSync<_>>::check();
    <OwnedSemaphorePermit as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::Mutex<()> as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::RwLock<()> as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::Notify as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::Event as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::Gate as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::Barrier as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::OnceCell<()> as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::OwnedMutexGuard<()> as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::OwnedRwLockReadGuard<()> as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::mpsc::Sender<()> as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::oneshot::Receiver<()> as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::broadcast::Receiver<()> as AmbiguousIfSendOrSync<_>>::check();
    <executor::sync::watch::Receiver<()> as AmbiguousIfSendOrSync<_>>::check();
}

/// Permits are put together, split, and taken out of use; each goes back, or does not, once.
#[test]
fn permits_merge_and_split() {
    run(1, async {
        let semaphore = Rc::new(Semaphore::new(10));
        let mut permit = Rc::clone(&semaphore).acquire_many_owned(3).await.unwrap();
        permit.merge(Rc::clone(&semaphore).try_acquire_many_owned(4).unwrap());
        assert_eq!(
            (permit.num_permits(), semaphore.available_permits()),
            (7, 3)
        );
        assert!(permit.split(8).is_none());
        let two = permit.split(2).unwrap();
        drop(permit);
        assert_eq!((two.num_permits(), semaphore.available_permits()), (2, 8));
        two.forget();
        assert_eq!(semaphore.forget_permits(3), 3);
        assert_eq!(
            (semaphore.forget_permits(9), semaphore.available_permits()),
            (5, 0)
        );
    });
}

/// Permits of one semaphore cannot be given to another: that panics, and both get theirs back.
#[test]
fn permits_of_two_semaphores_do_not_merge() {
    let (one, other) = (Semaphore::new(1), Semaphore::new(1));
    let merged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        one.try_acquire()
            .unwrap()
            .merge(other.try_acquire().unwrap());
    }));
    assert!(merged.is_err());
    assert_eq!((one.available_permits(), other.available_permits()), (1, 1));
}
