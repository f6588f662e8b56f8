//! A value that travels: reached at home alone, and dropped there, or not at all.

use crate::common;

use common::{Drops, Token, on_thread, start, thread_of, until};
use executor::{Foreign, core_local, spawn_on};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, ThreadId};

/// A value of core 1, which is not `Send`, comes to core 0 and to a thread: neither sees it, and home it is as it was.
#[test]
fn it_is_reached_at_home_alone() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let made = spawn_on(1, async || Foreign::new(Rc::new(Cell::new(1))));
        let mut foreign = made.await.unwrap();
        assert_eq!((foreign.home(), foreign.is_home()), (1, false));
        assert!(foreign.get().is_none() && foreign.get_mut().is_none());
        assert!(format!("{foreign:?}").contains("None"));
        let foreign = foreign.try_into_inner().unwrap_err();
        let foreign = on_thread(move || {
            assert!(foreign.get().is_none());
            foreign
        })
        .await;
        let back = spawn_on(1, async move || {
            let mut foreign = foreign;
            assert!(foreign.is_home());
            foreign.get().unwrap().set(2);
            foreign.get_mut().unwrap().set(3);
            foreign.try_into_inner().unwrap().get()
        });
        assert_eq!(back.await.unwrap(), 3);
    });
}

/// It is dropped on core 0, on a thread, at home, and with the task that carries it: each time the value is dropped on its core.
#[test]
fn it_is_dropped_at_home() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let home = thread_of(1).await;
        for place in 0..4 {
            let drops = Drops::new();
            let token = drops.token();
            let made = spawn_on(1, async || Foreign::new((token, Rc::new(()))));
            let foreign = made.await.unwrap();
            match place {
                0 => drop(foreign),
                1 => on_thread(move || drop(foreign)).await,
                2 => spawn_on(1, async move || drop(foreign)).await.unwrap(),
                _ => {
                    let pending = spawn_on(0, async move || {
                        let _held = foreign;
                        pending::<()>().await;
                    });
                    executor::yield_now().await;
                    pending.abort();
                }
            }
            until(|| drops.count() == 1).await;
            assert_eq!(drops.threads(), [home]);
        }
    });
}

/// Many are on their way home, from a core, when the runtime goes: each is dropped there, polled or not.
#[test]
fn those_on_their_way_are_dropped_at_home() {
    for round in 0..20 {
        let Some(runtime) = start(2) else { return };
        let drops = Drops::new();
        let home = runtime.block_on(async {
            let mut foreign = Vec::new();
            for _ in 0..100 {
                let token = drops.token();
                let made = spawn_on(1, async || Foreign::new((token, Rc::new(()))));
                foreign.push(made.await.unwrap());
            }
            let home = thread_of(1).await;
            drop(foreign);
            if round % 2 == 0 {
                executor::yield_now().await;
            }
            home
        });
        drop(runtime);
        assert_eq!(drops.threads(), [home; 100]);
    }
}

/// Tasks on both cores, and the values of both, hold what is at home on the other when the runtime goes; some of them are messages that nobody has read:
/// each is dropped at home.
#[test]
fn those_that_tasks_hold_are_dropped_at_home_in_the_end() {
    core_local! {
        static HELD: RefCell<Vec<Foreign<(Token, Rc<()>)>>> = RefCell::default();
    }
    for round in 0..20 {
        let Some(runtime) = start(2) else { return };
        let drops = [Drops::new(), Drops::new()];
        let homes = runtime.block_on(async {
            let homes = [thread_of(0).await, thread_of(1).await];
            for number in 0..60 {
                let home = number % 2;
                let token = drops[home].token();
                let made = spawn_on(home, async || Foreign::new((token, Rc::new(()))));
                let foreign = made.await.unwrap();
                let task = spawn_on(1 - home, async move || {
                    if number < 20 {
                        HELD.with(|held| held.borrow_mut().push(foreign));
                    } else {
                        let _held = foreign;
                        pending::<()>().await;
                    }
                });
                task.detach();
            }
            if round % 2 == 0 {
                executor::yield_now().await;
            }
            homes
        });
        drop(runtime);
        for (drops, home) in std::iter::zip(&drops, homes) {
            assert_eq!(drops.threads(), [home; 30]);
        }
    }
}

/// Counts where it is dropped. It has nothing on the heap, so that it may be leaked under a sanitizer that looks for leaks.
struct Homesick {
    home: ThreadId,
    at_home: &'static AtomicUsize,
    elsewhere: &'static AtomicUsize,
}

impl Drop for Homesick {
    fn drop(&mut self) {
        let is_home = thread::current().id() == self.home;
        let count = if is_home {
            self.at_home
        } else {
            self.elsewhere
        };
        count.fetch_add(1, SeqCst);
    }
}

/// Makes one on that core.
async fn homesick(
    core: usize,
    at_home: &'static AtomicUsize,
    elsewhere: &'static AtomicUsize,
) -> Foreign<Homesick> {
    let made = spawn_on(core, async move || {
        Foreign::new(Homesick {
            home: thread::current().id(),
            at_home,
            elsewhere,
        })
    });
    made.await.unwrap()
}

/// The runtime has gone. What was at home on core 0, which was this thread, is dropped here; what was not is leaked, here and on another thread.
#[test]
fn without_a_home_it_is_leaked() {
    static AT_HOME: AtomicUsize = AtomicUsize::new(0);
    static ELSEWHERE: AtomicUsize = AtomicUsize::new(0);
    let Some(runtime) = start(2) else { return };
    let [mine, other, thrown] = runtime.block_on(async {
        let make = |core| homesick(core, &AT_HOME, &ELSEWHERE);
        [make(0).await, make(1).await, make(1).await]
    });
    drop(runtime);
    drop(other);
    thread::spawn(move || drop(thrown)).join().unwrap();
    assert_eq!(AT_HOME.load(SeqCst), 0);
    assert!(mine.get().is_some());
    drop(mine);
    assert_eq!(AT_HOME.load(SeqCst), 1);
    assert_eq!(ELSEWHERE.load(SeqCst), 0);
}

/// Another thread drops them while the runtime ends: each is dropped at home or not at all.
#[test]
fn none_is_dropped_elsewhere_during_the_end() {
    static AT_HOME: AtomicUsize = AtomicUsize::new(0);
    static ELSEWHERE: AtomicUsize = AtomicUsize::new(0);
    for round in 0..30 {
        let Some(runtime) = start(2) else { return };
        let foreign = runtime.block_on(async {
            let mut foreign = Vec::new();
            for _ in 0..100 {
                foreign.push(homesick(1, &AT_HOME, &ELSEWHERE).await);
            }
            foreign
        });
        let dropping = thread::spawn(move || drop(foreign));
        if round % 2 == 0 {
            thread::yield_now();
        }
        drop(runtime);
        dropping.join().unwrap();
        assert_eq!(ELSEWHERE.load(SeqCst), 0);
    }
}

/// It is `Send` and `Sync` whatever it holds, and so is a future with it; shared with a thread, it shows that nothing.
#[test]
fn it_may_be_shared() {
    let runtime = start(1).expect("one CPU");
    let foreign = runtime.block_on(async { Foreign::new(Rc::new(5)) });
    thread::scope(|scope| {
        scope.spawn(|| assert!(foreign.get().is_none()));
        assert_eq!(**foreign.get().unwrap(), 5);
    });
    let task = runtime
        .handle()
        .spawn_on(0, async move || **foreign.get().unwrap());
    assert_eq!(runtime.block_on(task).unwrap(), 5);
}

/// A task of core 1 has a value of core 0 when the runtime ends. It comes home, and its drop finds core 0's own values there.
#[test]
fn at_the_end_it_is_dropped_before_the_core_s_own_values() {
    core_local! {
        static PLACE: Cell<u32> = Cell::new(0);
    }
    static SEEN: AtomicUsize = AtomicUsize::new(0);

    struct Looks;

    impl Drop for Looks {
        fn drop(&mut self) {
            SEEN.store(PLACE.with(Cell::get) as usize, SeqCst);
        }
    }

    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        PLACE.with(|place| place.set(7));
        let foreign = Foreign::new(Looks);
        let (sender, receiver) = futures::channel::oneshot::channel();
        let holding = spawn_on(1, async move || {
            let _foreign = foreign;
            let _ = sender.send(());
            pending::<()>().await;
        });
        holding.detach();
        receiver.await.expect("the task holds it");
    });
    drop(runtime);
    assert_eq!(SEEN.load(SeqCst), 7);
}
