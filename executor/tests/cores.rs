//! Which core runs what, on which CPU, and several runtimes in one process.

mod common;

use common::{block_on, cpus_allowed, on_thread, run, start, start_with, until};
use executor::{Builder, Handle, StartError, spawn, spawn_on, yield_now};
use futures::channel::{mpsc, oneshot};
use futures::stream::StreamExt;
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

/// The text of a panic with a formatted message.
fn panic_text(call: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(call)).expect_err("it panics");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a text")).to_owned(),
    }
}

/// A task sent to a core says that it is on that core; so does the task that sent it.
#[test]
fn a_task_runs_on_the_core_it_was_sent_to() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        assert_eq!((executor::current_core(), executor::cores()), (0, 2));
        for core in 0..2 {
            assert_eq!(
                spawn_on(core, async || { executor::current_core() })
                    .await
                    .unwrap(),
                core
            );
            let back = spawn_on(core, async move || {
                let here = spawn(async { executor::current_core() }).await.unwrap();
                let other = spawn_on(1 - core, async || executor::current_core())
                    .await
                    .unwrap();
                (here, other)
            });
            assert_eq!(back.await.unwrap(), (core, 1 - core));
        }
    });
}

/// What one core sends another starts in the order in which it was sent. Also if it is more than
/// the ring between them holds, and the sender leaves its loop before the receiver has taken any,
/// and sends more while some of that is still there.
#[test]
fn calls_are_made_in_the_order_in_which_they_were_sent() {
    let Some(runtime) = start(2) else { return };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (is_blocked, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let send = |numbers: Range<usize>| {
        runtime.block_on(async {
            for number in numbers {
                let seen = Arc::clone(&seen);
                let call = async move || seen.lock().unwrap().push(number);
                spawn_on(1, call).detach();
            }
        });
    };
    runtime.block_on(async {
        let barriers = (Arc::clone(&is_blocked), Arc::clone(&release));
        let block = async move || {
            barriers.0.wait();
            barriers.1.wait();
        };
        spawn_on(1, block).detach();
    });
    is_blocked.wait();
    send(0..3000);
    send(3000..3500);
    release.wait();
    for start in (3500..20_000).step_by(1500) {
        send(start..start + 1500);
    }
    let done = runtime.block_on(async { spawn_on(1, async || ()).await });
    done.unwrap();
    assert!(seen.lock().unwrap().iter().copied().eq(0..20_000));
}

/// A core that does not exist is refused where it was asked for, with the numbers there are; from inside and outside.
#[test]
fn a_core_that_is_not_there_is_refused() {
    let runtime = start(1).expect("one CPU");
    let handle = runtime.handle();
    let text = panic_text(|| drop(handle.spawn_on(1, async || {})));
    assert_eq!(text, "there is no core 1: this runtime has 1 (0 to 0)");
    runtime.block_on(async {
        let text = panic_text(|| drop(spawn_on(usize::MAX, async || {})));
        assert!(
            text.starts_with("there is no core 18446744073709551615"),
            "{text}"
        );
    });
}

/// What needs a core says so where there is none.
#[test]
fn outside_of_a_runtime_the_panic_says_what_is_missing() {
    let calls: [(&str, fn()); 5] = [
        ("spawn", || drop(spawn(async {}))),
        ("Handle::current", || drop(Handle::current())),
        ("current_core", || _ = executor::current_core()),
        ("cores", || _ = executor::cores()),
        ("cpus", || drop(executor::cpus())),
    ];
    for (name, call) in calls {
        let text = panic_text(call);
        let expected = format!("{name} was used outside of a runtime: it works on a core only");
        assert!(text.starts_with(&expected), "{text}");
    }
}

/// Each core's thread is on the CPU that `cpus` names, and may be on no other.
#[test]
fn each_core_is_on_its_cpu() {
    run(cpus_allowed().min(2), async {
        let cpus = executor::cpus();
        assert_eq!(cpus.len(), executor::cores());
        for (core, cpu) in cpus.into_iter().enumerate() {
            let looked = spawn_on(core, async || {
                (sched_getcpu(), sched_getaffinity(None).unwrap())
            });
            let (current, mask) = looked.await.unwrap();
            assert_eq!(current, cpu);
            assert!(mask.is_set(cpu) && mask.count() == 1);
        }
    });
}

/// A thread may be on all its CPUs again after `block_on`, also when that panicked; a runtime that does not pin never changes it.
#[test]
fn the_affinity_is_restored_after_block_on() {
    let before = sched_getaffinity(None).unwrap();
    let runtime = start(1).expect("one CPU");
    assert_eq!(sched_getaffinity(None).unwrap(), before);
    runtime.block_on(async { assert_eq!(sched_getaffinity(None).unwrap().count(), 1) });
    assert_eq!(sched_getaffinity(None).unwrap(), before);
    panic_text(|| runtime.block_on(async { panic!("on purpose") }));
    assert_eq!(sched_getaffinity(None).unwrap(), before);
    drop(runtime);
    let runtime = start_with(Builder::new().pin(false), 1).expect("one CPU");
    runtime.block_on(async { assert_eq!(sched_getaffinity(None).unwrap(), before) });
}

/// A thread may be on its last CPU only, so its mask has a hole at the start: the one core is there, and a second is refused.
#[test]
fn a_mask_with_holes_is_respected() {
    let before = sched_getaffinity(None).unwrap();
    let last = (0..CpuSet::MAX_CPU)
        .rfind(|cpu| before.is_set(*cpu))
        .expect("at least one CPU");
    let mut only = CpuSet::new();
    only.set(last);
    // The thread is this test's own: nobody else sees the mask.
    sched_setaffinity(None, &only).unwrap();
    let runtime = Builder::new().build().unwrap();
    runtime.block_on(async {
        assert_eq!(executor::cpus(), [last]);
        assert_eq!(sched_getcpu(), last);
    });
    let refused = Builder::new().cores(2).build().unwrap_err();
    assert!(
        matches!(refused, StartError::NotEnoughCpus { asked: 2, .. }),
        "{refused}"
    );
}

/// `block_on` several times on one runtime: tasks of core 0 go on where they were, and futures may borrow and be `!Send`.
#[test]
fn block_on_again_and_again() {
    let runtime = start(1).expect("one CPU");
    let turns = Cell::new(0);
    let text = String::from("borrowed");
    let (mut send, receive) = mpsc::channel::<usize>(0);
    let handle = runtime.handle();
    let task = handle.spawn_future_on(0, receive.collect::<Vec<_>>());
    for number in 0..10 {
        let output = runtime.block_on(async {
            turns.set(turns.get() + 1);
            futures::SinkExt::send(&mut send, number).await.unwrap();
            &text
        });
        assert!(std::ptr::eq(output, &text));
    }
    drop(send);
    assert_eq!(runtime.block_on(task).unwrap(), Vec::from_iter(0..10));
    assert_eq!(turns.get(), 10);
}

/// One runtime after the other in one process, some never used: each starts and ends.
#[test]
fn runtimes_one_after_the_other() {
    let cores = cpus_allowed().min(2);
    for round in 0..50 {
        let Some(runtime) = start(cores) else { return };
        if round % 3 == 0 {
            continue;
        }
        let sum = runtime.block_on(async move {
            let there = spawn_on(executor::cores() - 1, async move || round);
            there.await.unwrap() + spawn(async { 1 }).await.unwrap()
        });
        assert_eq!(sum, round + 1);
    }
}

/// Two runtimes at once, on two threads: each awaits tasks of the other, through channels, and starts tasks there by its handle.
#[test]
fn two_runtimes_at_once_work_together() {
    const ROUNDS: usize = 2000;
    let cores = cpus_allowed().min(2);
    let meet = Arc::new(Barrier::new(2));
    let (handles, handed): (Vec<_>, Vec<_>) = (0..2).map(|_| oneshot::channel::<Handle>()).unzip();
    let (to_second, at_second) = mpsc::unbounded::<usize>();
    let (to_first, at_first) = mpsc::unbounded::<usize>();
    let ends = [(to_second, at_first), (to_first, at_second)];
    let threads: Vec<_> = std::iter::zip(handles, handed.into_iter().rev())
        .zip(ends)
        .map(|((own, other), (send, mut receive))| {
            let meet = Arc::clone(&meet);
            thread::spawn(move || {
                let runtime = start(cores).expect("as many CPUs as there are");
                own.send(runtime.handle()).expect("the other waits for it");
                runtime.block_on(async {
                    let other = other.await.unwrap();
                    for number in 0..ROUNDS {
                        send.unbounded_send(number).unwrap();
                        assert_eq!(receive.next().await, Some(number));
                        let core = number % cores;
                        let there = other.spawn_on(core, async move || {
                            yield_now().await;
                            executor::current_core()
                        });
                        assert_eq!(there.await.unwrap(), core);
                    }
                });
                // Neither goes while the other may still send to it.
                meet.wait();
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

/// A thread that is a core can neither start nor block on a runtime, its own or another; a thread it starts can.
#[test]
fn a_runtime_inside_a_runtime_is_refused() {
    let outer = start(1).expect("one CPU");
    let other = start(1).expect("one CPU");
    outer.block_on(async {
        assert!(matches!(
            Builder::new().build(),
            Err(StartError::InsideRuntime)
        ));
        for runtime in [&outer, &other] {
            let text = panic_text(|| runtime.block_on(async {}));
            assert!(text.contains("from inside a runtime"), "{text}");
        }
        let value = on_thread(|| {
            let inner = Builder::new().cores(1).build().unwrap();
            inner.block_on(async { spawn(async { 3 }).await.unwrap() })
        });
        assert_eq!(value.await, 3);
        // Its drop is fine: it runs as the other runtime's core meanwhile, and then as this one's.
        drop(other);
        assert_eq!(executor::current_core(), 0);
        spawn(async {}).await.unwrap();
    });
}

/// A thread sends tasks to a core that has never turned: they run as soon as it does.
#[test]
fn tasks_wait_for_the_first_block_on() {
    let runtime = start(1).expect("one CPU");
    let handle = runtime.handle();
    let tasks: Vec<_> = (0..1000)
        .map(|number| handle.spawn_on(0, async move || number))
        .collect();
    assert!(tasks.iter().all(|task| !task.is_finished()));
    runtime.block_on(until(|| tasks.iter().all(|task| task.is_finished())));
    let sum: usize = tasks.into_iter().map(|task| block_on(task).unwrap()).sum();
    assert_eq!(sum, 499_500);
}

/// does not turn any more.
#[test]
fn what_main_sent_arrives_after_it_returned() {
    let Some(runtime) = start(2) else { return };
    let mut tasks = Vec::new();
    runtime.block_on(async {
        tasks.extend((0..5000).map(|number| spawn_on(1, async move || number)));
    });
    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(block_on(task).unwrap(), number);
    }
}
