//! Park and wake on real threads, in all modes: nothing is lost, nothing comes twice, nobody sleeps through a wake.
//!
//! The protocol is model-checked in `reactor`; here the fences, the ring and the kernel are the real ones. Counts are small enough
//! for seconds on two noisy CPUs in a debug build; a release build does ten times more.

mod common;

use common::{Random, Watchdog, block_on, modes, start_with};
use executor::{Builder, Handle, JoinHandle, spawn, spawn_future_on, spawn_on, yield_now};
use futures::channel::mpsc;
use futures::stream::StreamExt;
use std::array;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Ten times more where the compiler helps.
const fn scaled(count: usize) -> usize {
    if cfg!(debug_assertions) {
        count
    } else {
        10 * count
    }
}

/// What has happened so far, for the watchdog to tell.
#[derive(Clone, Default)]
struct Progress(Arc<[AtomicUsize; 4]>);

impl Progress {
    /// `names` are those of the counters.
    fn watched(mode: &str, names: [&'static str; 4]) -> (Self, Watchdog) {
        let progress = Self::default();
        let (seen, mode) = (progress.clone(), mode.to_owned());
        let watchdog = Watchdog::new(move || {
            let counts: [String; 4] =
                array::from_fn(|index| format!("{} {}", names[index], seen.get(index)));
            format!("mode {mode}: {}", counts.join(", "))
        });
        (progress, watchdog)
    }

    fn count(&self, index: usize) {
        self.0[index].fetch_add(1, SeqCst);
    }

    fn get(&self, index: usize) -> usize {
        self.0[index].load(SeqCst)
    }
}

/// Spins for up to twice the 20 µs that a core looks for work before it blocks, so that wakes meet it on both sides of that.
fn spin(random: &mut Random) {
    let limit = Duration::from_nanos(random.below(40_000) as u64);
    let start = Instant::now();
    while start.elapsed() < limit {
        std::hint::spin_loop();
    }
}

/// Answers each number that comes with the same.
async fn answer(
    mut receive: mpsc::UnboundedReceiver<usize>,
    send: mpsc::UnboundedSender<usize>,
    progress: Progress,
) {
    while let Some(number) = receive.next().await {
        progress.count(1);
        if send.unbounded_send(number).is_err() {
            break;
        }
    }
}

/// Sends a number, waits for it to come back, and spins for a while before the next.
async fn ask(
    rounds: usize,
    send: mpsc::UnboundedSender<usize>,
    mut receive: mpsc::UnboundedReceiver<usize>,
    progress: Progress,
) {
    let mut random = Random::new(rounds as u64);
    for number in 0..rounds {
        progress.count(0);
        send.unbounded_send(number).expect("the other side listens");
        assert_eq!(receive.next().await, Some(number));
        if number % 2 == 0 {
            spin(&mut random);
        }
    }
}

/// Two cores play ping-pong through channels: each wake comes from the other core.
#[test]
fn ping_pong_between_two_cores() {
    for (mode, builder) in modes() {
        let (progress, _watchdog) = Progress::watched(mode, ["asked", "answered", "", ""]);
        let Some(runtime) = start_with(builder, 2) else {
            return;
        };
        let ((there, at_there), (back, at_back)) = (mpsc::unbounded(), mpsc::unbounded());
        runtime.block_on(async {
            let other = spawn_future_on(1, answer(at_there, back, progress.clone()));
            ask(scaled(3000), there, at_back, progress.clone()).await;
            other.await.unwrap();
        });
    }
}

/// A thread and a core play the same: each wake of the core comes through the foreign queue.
#[test]
fn ping_pong_between_a_thread_and_a_core() {
    for (mode, builder) in modes() {
        let (progress, _watchdog) = Progress::watched(mode, ["asked", "answered", "", ""]);
        let runtime = start_with(builder, 1).expect("one CPU");
        let ((there, at_there), (back, at_back)) = (mpsc::unbounded(), mpsc::unbounded());
        let asking = progress.clone();
        let thread = thread::spawn(|| block_on(ask(scaled(3000), there, at_back, asking)));
        runtime.block_on(answer(at_there, back, progress.clone()));
        thread.join().unwrap();
    }
}

/// A thread sends bursts of tasks to a core, with random pauses, and waits for the last of each: the core sleeps between them or not.
#[test]
fn bursts_around_the_spin_time() {
    for (mode, builder) in modes() {
        let (progress, _watchdog) = Progress::watched(mode, ["bursts", "sent", "run", ""]);
        let runtime = start_with(builder, 1).expect("one CPU");
        let (handle, counting) = (runtime.handle(), progress.clone());
        let (ended, end) = futures::channel::oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let mut random = Random::new(7);
            for _ in 0..scaled(1000) {
                progress.count(0);
                let mut last = None;
                for _ in 0..=random.below(8) {
                    progress.count(1);
                    let progress = progress.clone();
                    let task = handle.spawn_on(0, async move || progress.count(2));
                    last = Some(task);
                    spin(&mut random);
                }
                block_on(last.expect("each burst has one")).unwrap();
                assert_eq!(
                    progress.get(1),
                    progress.get(2),
                    "tasks run in the order they were sent"
                );
            }
            drop(ended);
        });
        let _ = runtime.block_on(end);
        thread.join().unwrap();
        assert_eq!(counting.get(1), counting.get(2));
    }
}

/// Both cores push very many tasks onto each other from inside one poll each, far more than the rings between them hold: none
/// blocks, and all run.
#[test]
fn two_cores_push_onto_each_other_from_inside_one_poll() {
    const TASKS: usize = scaled(100_000);
    let (progress, _watchdog) = Progress::watched(
        "default",
        ["pushed by 0", "pushed by 1", "run on 0", "run on 1"],
    );
    let Some(runtime) = start_with(Builder::new(), 2) else {
        return;
    };
    runtime.block_on(async {
        let pushes = [0, 1].map(|core| {
            let progress = progress.clone();
            spawn_on(core, async move || {
                for number in 0..TASKS {
                    progress.count(core);
                    let progress = progress.clone();
                    let task = spawn_on(1 - core, async move || {
                        if number % 1000 == 0 {
                            yield_now().await;
                        }
                        progress.count(3 - core);
                    });
                    task.detach();
                }
            })
        });
        for push in pushes {
            push.await.unwrap();
        }
        common::until(|| progress.get(2) == TASKS && progress.get(3) == TASKS).await;
    });
}

/// Up to a thousand tasks that go from one core to the other arrive in the order in which they were sent, batch after batch.
#[test]
fn messages_between_two_cores_arrive_in_order() {
    let (progress, _watchdog) = Progress::watched("default", ["arrived", "", "", ""]);
    let Some(runtime) = start_with(Builder::new(), 2) else {
        return;
    };
    runtime.block_on(async {
        let mut random = Random::new(11);
        let mut sent = 0;
        for _ in 0..200 {
            for _ in 0..=random.below(1000) {
                let (progress, number) = (progress.clone(), sent);
                spawn_on(1, async move || {
                    assert_eq!(progress.get(0), number);
                    progress.count(0);
                })
                .detach();
                sent += 1;
                if random.below(100) == 0 {
                    yield_now().await;
                }
            }
            common::until(|| progress.get(0) == sent).await;
        }
    });
}

/// As many wakes of tasks that exist, each of which has to be polled for each of them: none is lost while the rings are full.
#[test]
fn two_cores_wake_each_others_tasks_from_inside_one_poll() {
    const TASKS: usize = 5000;
    let (progress, _watchdog) = Progress::watched("default", ["woken on 0", "woken on 1", "", ""]);
    let Some(runtime) = start_with(Builder::new(), 2) else {
        return;
    };
    runtime.block_on(async {
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..2 * TASKS).map(|_| mpsc::unbounded::<()>()).unzip();
        let mut senders = senders.into_iter();
        for (index, mut receiver) in receivers.into_iter().enumerate() {
            let (core, progress) = (index / TASKS, progress.clone());
            spawn_on(core, async move || {
                while receiver.next().await.is_some() {
                    progress.count(core)
                }
            })
            .detach();
        }
        let of_core_0: Vec<_> = senders.by_ref().take(TASKS).collect();
        for (core, targets) in [(1, of_core_0), (0, senders.collect())] {
            spawn_on(core, async move || {
                for _ in 0..10 {
                    targets
                        .iter()
                        .for_each(|target| target.unbounded_send(()).expect("it listens"));
                    yield_now().await;
                }
            })
            .detach();
        }
        common::until(|| progress.get(0) == 10 * TASKS && progress.get(1) == 10 * TASKS).await;
    });
}

/// Two cores and two threads send numbered tasks to both cores, all at once, with random pauses: each runs exactly once.
#[test]
fn storm_of_all_to_all() {
    const SENDERS: usize = 4;
    const TASKS: usize = scaled(10_000);
    fn send(
        sender: usize,
        runtime: &Handle,
        runs: &Arc<[AtomicU8]>,
        progress: &Progress,
        random: &mut Random,
        tasks: usize,
    ) {
        for _ in 0..tasks {
            let (runs, index) = (Arc::clone(runs), sender * TASKS + progress.get(sender));
            progress.count(sender);
            let count = async move { _ = runs[index].fetch_add(1, SeqCst) };
            runtime.spawn_future_on(random.below(2), count).detach();
            if random.below(64) == 0 {
                spin(random);
            }
        }
    }
    for (mode, builder) in modes() {
        let (progress, _watchdog) = Progress::watched(
            mode,
            ["sent by 0", "sent by 1", "by a thread", "by another"],
        );
        let Some(runtime) = start_with(builder, 2) else {
            return;
        };
        let runs: Arc<[AtomicU8]> = (0..SENDERS * TASKS).map(|_| AtomicU8::new(0)).collect();
        let threads = [2, 3].map(|sender| {
            let (handle, runs, progress) = (runtime.handle(), Arc::clone(&runs), progress.clone());
            thread::spawn(move || {
                send(
                    sender,
                    &handle,
                    &runs,
                    &progress,
                    &mut Random::new(sender as u64),
                    TASKS,
                )
            })
        });
        runtime.block_on(async {
            for core in 0..2 {
                let (runs, progress) = (Arc::clone(&runs), progress.clone());
                spawn_on(core, async move || {
                    let random = Rc::new(RefCell::new(Random::new(core as u64)));
                    for _ in 0..TASKS / 100 {
                        let (handle, runs, progress) =
                            (Handle::current(), Arc::clone(&runs), progress.clone());
                        let random = Rc::clone(&random);
                        spawn(async move {
                            send(
                                core,
                                &handle,
                                &runs,
                                &progress,
                                &mut random.borrow_mut(),
                                100,
                            )
                        })
                        .await
                        .unwrap();
                    }
                })
                .detach();
            }
            common::until(|| runs.iter().all(|runs| runs.load(SeqCst) > 0)).await;
        });
        for thread in threads {
            thread.join().unwrap();
        }
        drop(runtime);
        assert!(
            runs.iter().all(|runs| runs.load(SeqCst) == 1),
            "{mode}: a task ran twice"
        );
    }
}

/// A thread and the other core poll handles with changing wakers, and drop some of the handles, just when their tasks complete: each waker that
/// was left is used or not, and then dropped, once.
#[test]
fn wakers_of_join_handles_are_dropped_once() {
    /// Wakes nobody: the handles are polled again and again.
    struct Counted;
    impl Wake for Counted {
        fn wake(self: Arc<Self>) {}
    }

    fn poll_until_ready(mut task: JoinHandle<()>, counted: &Arc<Counted>, random: &mut Random) {
        let wakers = [0, 1].map(|_| Waker::from(Arc::clone(counted)));
        let own = Waker::from(Arc::new(Counted));
        for _ in 0..random.below(100) {
            let waker = match random.below(3) {
                2 => &own,
                either => &wakers[either],
            };
            let polled = Pin::new(&mut task).poll(&mut Context::from_waker(waker));
            if polled.is_ready() {
                return;
            }
        }
    }

    let (progress, _watchdog) =
        Progress::watched("default", ["by the thread", "by core 1", "", ""]);
    let Some(runtime) = start_with(Builder::new(), 2) else {
        return;
    };
    let handle = runtime.handle();
    let counted = Arc::new(Counted);
    let make = |place: usize| {
        let (counted, progress) = (Arc::clone(&counted), progress.clone());
        let handle = handle.clone();
        move || {
            let mut random = Random::new(place as u64);
            for _ in 0..scaled(2000) {
                progress.count(place);
                let task = handle.spawn_future_on(0, yield_now());
                spin(&mut random);
                poll_until_ready(task, &counted, &mut random);
            }
        }
    };
    let thread = thread::spawn(make(0));
    runtime.block_on(async {
        let there = make(1);
        spawn_on(1, async move || there()).await.unwrap();
        common::until(|| thread.is_finished()).await;
    });
    thread.join().unwrap();
    drop(runtime);
    assert_eq!(Arc::strong_count(&counted), 1);
}
