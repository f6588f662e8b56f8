//! Whatever a tracing subscriber does, the runtime goes on: one that panics, one that uses the runtime, and one that logs by itself, at each place
//! where the runtime logs.

#[path = "support/child.rs"]
mod child;
mod common;
#[path = "support/log.rs"]
mod log;
#[path = "support/restraint.rs"]
mod restraint;

use child::Child;
use common::until;
use executor::process::{Command, Stdio};
use executor::time::sleep;
use executor::{Builder, Handle, spawn_blocking, unpinned};
use restraint::deny;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, RwLock, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;
use tracing::{Event, Level};

/// The runtime that a subscriber uses, when there is one.
static HANDLE: Mutex<Option<Handle>> = Mutex::new(None);
/// Written to until the tour is over: blocking closures wait for that, so that none of their threads is free.
static OVER: RwLock<()> = RwLock::new(());

fn wait_until_over() {
    drop(OVER.read());
}

/// Lets the runtime log at many places: at start, on a core, with no thread to be had, in drops, in drops during unwinding. Checks that each
/// event went to the subscriber, which then did `act`.
fn tour(act: impl Fn() + Send + Sync + 'static) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let keep = {
        let lines = Arc::clone(&lines);
        move |event: &Event<'_>| {
            if *event.metadata().level() != Level::TRACE {
                lines.lock().unwrap().push(log::line(event));
                act();
            }
        }
    };
    log::observe_all(keep);
    // The panics are expected.
    set_hook(Box::new(|_| {}));

    let builder = Builder::new().cores(1).blocking_shutdown(Duration::ZERO);
    let runtime = builder.build().unwrap();
    *HANDLE.lock().unwrap() = Some(runtime.handle());
    let is_on = OVER.write();
    let (began, beginning) = mpsc::channel();
    deny(libc::SYS_sched_setaffinity, libc::EPERM);
    let childs_input = runtime.block_on(async move {
        unpinned(|| {});
        panic_in_a_waker().await;
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let childs_input = child.stdin.take();
        spawn_blocking(move || {
            began.send(()).unwrap();
            wait_until_over();
        })
        .detach();
        until(|| beginning.try_recv().is_ok()).await;
        deny(libc::SYS_clone3, libc::EAGAIN);
        spawn_blocking(|| {}).detach();
        drop(child);
        childs_input
    });
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _dropped_by_a_panic = runtime;
        panic!("said by the test");
    }));
    assert!(caught.is_err());
    drop(is_on);
    drop(childs_input);
    drop(take_hook());

    let lines = lines.lock().unwrap();
    for expected in [
        "io_uring probed",
        "runtime started",
        "could not be pinned",
        "could not be unpinned",
        "a timer's waker panicked",
        "no further thread for blocking work",
        "no thread can be had to wait for dropped children",
        "blocking closures still run",
    ] {
        assert!(
            lines.iter().any(|line| line.contains(expected)),
            "{expected:?} is not in {lines:?}"
        );
    }
}

async fn panic_in_a_waker() {
    struct WakePanics;
    impl Wake for WakePanics {
        fn wake(self: Arc<Self>) {
            panic!("said by the waker");
        }
    }
    let mut timer = pin!(sleep(Duration::from_micros(100)));
    let waker = Waker::from(Arc::new(WakePanics));
    let polled = timer.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    sleep(Duration::from_millis(1)).await;
}

/// It panics at each event.
#[test]
fn a_subscriber_may_panic_anywhere() {
    let child = Child::of(|| tour(|| panic!("said by the subscriber")));
    child.run_well();
}

/// It starts a task at each event, and a blocking closure, and wakes.
#[test]
fn a_subscriber_may_spawn_anywhere() {
    let child = Child::of(|| {
        tour(|| {
            let handle = HANDLE.lock().unwrap().clone();
            if let Some(handle) = handle {
                handle.spawn_on(0, async || {}).detach();
                // A thread of the pool that begins logs something here. Were that answered by a
                // closure for a further one, and so on, there would soon be no thread left.
                let is_of_pool = |name: &str| name.starts_with("blocking-");
                if !thread::current().name().is_some_and(is_of_pool) {
                    handle.spawn_blocking(wait_until_over).detach();
                }
            }
        });
    });
    child.run_well();
}

/// It reads the statistics and logs again, at each event.
#[test]
fn a_subscriber_may_look_and_log_anywhere() {
    let child = Child::of(|| {
        tour(|| {
            let handle = HANDLE.lock().unwrap().clone();
            if let Some(handle) = handle {
                tracing::trace!(stats = ?handle.stats(), "said by the subscriber");
            }
        });
    });
    child.run_well();
}

/// No source of ours logs in another way than by `log!`, which contains the subscriber.
#[test]
fn there_is_one_way_to_log() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("../reactor/src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for level in ["trace", "debug", "info", "warn", "error", "event"] {
                let in_full = text.contains(&format!("tracing::{level}!"));
                let imported = text.contains("use tracing");
                assert!(!in_full && !imported, "{} logs", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 100);
}
