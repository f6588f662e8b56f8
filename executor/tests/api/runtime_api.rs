//! What is chosen about a runtime before it starts, and how threads that are no cores reach it, wait for it and end it.

use crate::common;

use common::{Drops, Watchdog, cpus_allowed, on_thread, run, start, start_with, thread_of, until};
use executor::{Builder, Handle, StartError, spawn_blocking, spawn_on};
use futures::FutureExt;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// The text of a panic of `call`.
fn panic_of<T>(call: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(call))
        .err()
        .expect("it panics");
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| {
        payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
    })
    .expect("it says why")
}

fn refusal(builder: Builder) -> StartError {
    builder.build().expect_err("it is refused")
}

/// What hooks saw: the core's number, its thread, and how many tokens of tasks were dropped by then.
type Calls = Arc<Mutex<Vec<(usize, ThreadId, usize)>>>;

fn note(calls: &Calls, drops: &Drops) -> impl Fn(usize) + Send + Sync + 'static {
    let (calls, drops) = (Arc::clone(calls), drops.clone());
    move |core| {
        let call = (core, thread::current().id(), drops.count());
        calls.lock().unwrap().push(call);
    }
}

/// Both hooks are called once on each core's thread: the first before the runtime is there, the second when every task is dropped.
#[test]
fn hooks_are_called_on_the_thread_of_each_core() {
    let (started, stopped, drops) = (Calls::default(), Calls::default(), Drops::new());
    let builder = Builder::new()
        .on_thread_start(note(&started, &drops))
        .on_thread_stop(note(&stopped, &drops));
    let Some(runtime) = start_with(builder, 2) else {
        return;
    };
    let mut calls = started.lock().unwrap().clone();
    calls.sort_by_key(|call| call.0);
    let threads = runtime.block_on(async {
        for core in [0, 1] {
            let token = drops.token();
            spawn_on(core, async move || {
                let _held = token;
                pending::<()>().await;
            })
            .detach();
            spawn_on(core, async || {}).await.unwrap();
        }
        [thread_of(0).await, thread_of(1).await]
    });
    assert_eq!(calls, [(0, threads[0], 0), (1, threads[1], 0)]);
    assert!(stopped.lock().unwrap().is_empty());
    drop(runtime);
    let mut calls = stopped.lock().unwrap().clone();
    calls.sort_by_key(|call| call.0);
    assert_eq!(calls, [(0, threads[0], 2), (1, threads[1], 2)]);
}

/// The hook of core 1 panics: that is the error, core 0's second hook is called and core 1's is not. A panic of the second one is contained.
#[test]
fn a_hook_that_panics_is_the_error_of_the_start() {
    let (stopped, drops) = (Calls::default(), Drops::new());
    let hook = |core| assert_eq!(core, 0, "no logger");
    let builder = Builder::new().on_thread_start(hook);
    if cpus_allowed() < 2 {
        return println!("skipped: it needs 2 CPUs");
    }
    let error = refusal(builder.cores(2).on_thread_stop(note(&stopped, &drops)));
    assert!(
        matches!(&error, StartError::StartHook { core: 1, panic } if panic.contains("no logger"))
    );
    assert!(error.to_string().contains("on_thread_start"), "{error}");
    let calls: Vec<usize> = stopped.lock().unwrap().iter().map(|call| call.0).collect();
    assert_eq!(calls, [0]);

    let builder = Builder::new().on_thread_stop(|_| panic!("on purpose"));
    drop(start_with(builder, 2));
}

/// By a prefix, by a closure, and as they are by default; core 0 keeps its name. One that no thread can have is refused.
#[test]
fn threads_of_cores_have_the_names_that_were_chosen() {
    for (builder, name) in [
        (Builder::new(), "core-1"),
        (Builder::new().thread_name("shard"), "shard-1"),
        (
            Builder::new().thread_name_fn(|core| format!("{core}th")),
            "1th",
        ),
    ] {
        let mine = thread::current().name().map(str::to_owned);
        let Some(runtime) = start_with(builder.thread_stack_size(1 << 20), 2) else {
            return;
        };
        let name_of = async || thread::current().name().map(str::to_owned);
        let names = runtime.block_on(async {
            let there = spawn_on(1, name_of).await.unwrap();
            (name_of().await, there)
        });
        assert_eq!(names, (mine, Some(name.to_owned())));
    }
    let error = refusal(Builder::new().cores(2).thread_name("a\0b"));
    assert!(
        matches!(&error, StartError::Thread { core: 1, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("zero byte"), "{error}");
}

/// The last CPU of the mask and then the first; and what cannot be had is refused with words about it.
#[test]
fn cores_run_on_the_cpus_that_were_named() {
    run(1, async {});
    let all = Builder::new().build().unwrap().cpus().to_vec();
    let [first, .., last] = all[..] else {
        return println!("skipped: it needs 2 CPUs");
    };
    let runtime = Builder::new().cpus(&[last, first]).build().unwrap();
    assert_eq!((runtime.cpus(), runtime.cores()), (&[last, first][..], 2));
    assert_eq!(runtime.stats().len(), 2);
    let cpu_of = async || rustix::thread::sched_getcpu();
    let cpus = runtime.block_on(async { (cpu_of().await, spawn_on(1, cpu_of).await.unwrap()) });
    assert_eq!(cpus, (last, first));
    drop(runtime);

    let absent = (0..).find(|cpu| !all.contains(cpu)).unwrap();
    let words = [
        (
            Builder::new().cpus(&[absent]),
            format!("CPU {absent} was asked for, but"),
        ),
        (
            Builder::new().cpus(&[first, first]),
            format!("CPU {first} was asked for twice"),
        ),
        (
            Builder::new().cpus(&[first]).cores(2),
            "cores were asked for: 2; the list of CPUs has 1".to_owned(),
        ),
        (Builder::new().cpus(&[]), "zero cores".to_owned()),
    ];
    for (builder, words) in words {
        let error = refusal(builder).to_string();
        assert!(error.contains(&words), "{error}");
    }
}

/// What the kernel shows of the rings of this process.
fn rings() -> Vec<String> {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
    let is_ring = |path: &std::path::PathBuf| {
        let target = std::fs::read_link(path).unwrap_or_default();
        target.to_string_lossy().contains("io_uring")
    };
    let paths = descriptors.filter_map(|entry| Some(entry.ok()?.path()));
    let shown = paths.filter(is_ring).filter_map(|path| {
        let number = path.file_name()?.to_str()?;
        std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()
    });
    shown.collect()
}

/// A ring of 8 entries does what needs more of them in one turn; a number outside of the limits is refused, with them.
#[test]
fn a_short_ring_loses_nothing() {
    let Some(runtime) = start_with(Builder::new().ring_entries(8), 1) else {
        return;
    };
    // Rounded up to 1,024.
    let Some(_longer) = start_with(Builder::new().ring_entries(513), 1) else {
        return;
    };
    // Other tests' rings are there as well.
    let rings = rings();
    let is_short =
        |ring: &String| ring.contains("SqMask:\t0x7\n") && ring.contains("CqMask:\t0x7f\n");
    let is_longer =
        |ring: &String| ring.contains("SqMask:\t0x3ff\n") && ring.contains("CqMask:\t0x3fff\n");
    match rings.iter().all(|ring| ring.contains("SqMask")) {
        true => {
            assert!(rings.iter().any(is_short), "{rings:?}");
            assert!(rings.iter().any(is_longer), "{rings:?}");
        }
        false => println!("skipped: this kernel does not show the size of a ring"),
    }
    runtime.block_on(async {
        let reads = (0..1_000).map(|_| executor::spawn(executor::fs::read("/dev/null")));
        for read in futures::future::join_all(reads).await {
            assert!(read.unwrap().unwrap().is_empty());
        }
    });
    for asked in [0, 7, 4_097, usize::MAX] {
        let error = refusal(Builder::new().ring_entries(asked));
        assert!(matches!(error, StartError::RingEntries { asked: named } if named == asked));
        assert!(error.to_string().contains("from 8 to 4096"), "{error}");
    }
}

/// Thirty threads wait for two cores at once, a hundred times each, with sockets' like on the cores; futures borrow from their threads.
#[test]
fn many_threads_block_on_tasks_of_the_cores() {
    let Some(runtime) = start(2) else { return };
    let handle = runtime.handle();
    let sum = AtomicUsize::new(0);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..30)
            .map(|number| {
                let (handle, sum) = (&handle, &sum);
                scope.spawn(move || {
                    for round in 0..100 {
                        let lent = [number, round];
                        let text = handle.block_on(round % 2, async || {
                            let not_send = std::rc::Rc::new(&lent);
                            executor::time::sleep(Duration::from_micros(1)).await;
                            sum.fetch_add(not_send[1], SeqCst);
                            format!("{} {}", not_send[0], executor::current_core())
                        });
                        assert_eq!(text, format!("{number} {}", round % 2));
                    }
                })
            })
            .collect();
        runtime.block_on(until(|| threads.iter().all(|thread| thread.is_finished())));
    });
    assert_eq!(sum.load(SeqCst), 30 * 4_950);
}

/// A panic is the caller's, with the future gone. On a core, and on core 0's thread for core 0, it is refused and says what to use.
#[test]
fn blocking_on_a_task_that_panics_or_where_it_would_hang() {
    let Some(runtime) = start(2) else { return };
    let drops = Drops::new();
    let held = drops.token();
    let panic = panic_of(|| {
        runtime.handle().block_on(1, async || {
            let _held = held;
            panic!("on purpose")
        })
    });
    assert_eq!((&*panic, drops.count()), ("on purpose", 1));
    let text = panic_of(|| runtime.handle().block_on(0, async || {}));
    assert!(text.contains("use Runtime::block_on"), "{text}");
    let text = panic_of(|| runtime.handle().block_on(2, async || {}));
    assert!(text.contains("there is no core 2"), "{text}");
    let text = runtime.block_on(async {
        let refused = || panic_of(|| Handle::current().block_on(1, async || {}));
        spawn_on(1, async move || refused()).await.unwrap() + &refused()
    });
    assert_eq!(
        text.matches("Handle::block_on was used on a core").count(),
        2,
        "{text}"
    );
}

/// The runtime goes while a thread waits for it: the future is dropped on its core before the thread goes on, and that panics. Later it is told at once.
#[test]
fn a_thread_that_waits_for_a_runtime_that_goes_is_told() {
    let Some(runtime) = start(2) else { return };
    let handle = runtime.handle();
    let (begun, has_begun) = mpsc::channel();
    let there = runtime.block_on(thread_of(1));
    let waiting = thread::spawn(move || {
        let drops = Drops::new();
        let text = panic_of(|| {
            handle.block_on(1, async || {
                let _held = drops.token();
                begun.send(()).unwrap();
                pending::<()>().await;
            })
        });
        assert_eq!(drops.threads(), [there]);
        (text, panic_of(|| handle.block_on(0, async || {})))
    });
    has_begun.recv().unwrap();
    drop(runtime);
    let (text, later) = waiting.join().unwrap();
    assert!(text.contains("the runtime was shut down"), "{text}");
    assert_eq!(text, later);
}

/// On a core, and in a blocking closure, there is a handle; elsewhere an error that says so.
#[test]
fn the_current_handle_is_an_error_where_there_is_no_runtime() {
    run(1, async {
        assert_eq!(Handle::try_current().unwrap().cores(), 1);
        let inside = spawn_blocking(|| Handle::try_current().map(|handle| handle.cores()));
        assert_eq!(inside.await.unwrap(), Ok(1));
        let error = on_thread(|| Handle::try_current().unwrap_err()).await;
        assert!(!error.is_forked_child());
        assert!(
            error.to_string().contains("works for no runtime"),
            "{error}"
        );
    });
}

/// A blocking closure starts another and waits for it by its handle's runtime; that one starts a task on a core.
#[test]
fn a_blocking_closure_inside_of_one_reaches_the_runtime() {
    run(1, async {
        let outer = spawn_blocking(|| {
            let inner = spawn_blocking(|| {
                Handle::current().block_on(0, async || executor::current_core() + 7)
            });
            Handle::current().block_on(0, async || inner.await.unwrap())
        });
        assert_eq!(outer.await.unwrap(), 7);
    });
}

/// A closure ends when it hears that the tasks were dropped: with an hour it is waited for, though the builder said no time at all.
#[test]
fn a_shutdown_with_a_limit_waits_for_blocking_closures() {
    let _watchdog = Watchdog::new(|| "a shutdown".to_owned());
    let runtime = Builder::new()
        .cores(1)
        .pin(false)
        .blocking_shutdown(Duration::ZERO);
    let runtime = runtime.build().unwrap();
    let (alive, ended) = mpsc::channel::<()>();
    let has_ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&has_ended);
    runtime.block_on(async {
        executor::spawn(async move {
            let _held = alive;
            pending::<()>().await;
        })
        .detach();
        let (begun, has_begun) = futures::channel::oneshot::channel();
        spawn_blocking(move || {
            begun.send(()).unwrap();
            assert!(ended.recv().is_err());
            // Others run first, if they can.
            (0..1_000).for_each(|_| thread::yield_now());
            flag.store(true, SeqCst);
        })
        .detach();
        has_begun.await.unwrap();
    });
    runtime.shutdown_timeout(HOUR);
    assert!(has_ended.load(SeqCst));
}

/// A closure that runs on is left to itself, though the builder gave it an hour.
#[test]
fn a_shutdown_in_the_background_waits_for_no_closure() {
    let _watchdog = Watchdog::new(|| "a shutdown".to_owned());
    let runtime = Builder::new().cores(1).pin(false).blocking_shutdown(HOUR);
    let runtime = runtime.build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = futures::channel::oneshot::channel();
    let closure = runtime.spawn_blocking(move || {
        begun.send(()).unwrap();
        released.recv().unwrap();
        7
    });
    runtime.block_on(has_begun).unwrap();
    assert_eq!(
        runtime.spawn_on(0, async || 5).now_or_never().map(drop),
        None
    );
    runtime.shutdown_background();
    assert!(!closure.is_finished());
    release.send(()).unwrap();
    assert_eq!(common::block_on(closure).unwrap(), 7);
}
