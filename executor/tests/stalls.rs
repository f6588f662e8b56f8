//! Nothing hangs in silence: a core that is stuck, and a shutdown that waits, say so. Each test releases what is stuck when it has heard of it, so it
//! hangs if nobody says anything. In a process of its own: the events come from any thread.

#[path = "support/child.rs"]
mod child;
mod common;
#[path = "support/log.rs"]
mod log;

use child::Child;
use common::until;
use executor::{Builder, Runtime, spawn, spawn_blocking, spawn_on};
use std::fs;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tracing::Level;

/// What was logged at `warn` and above, on any thread.
#[derive(Clone, Default)]
struct Heard(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Heard {
    fn listen() -> Self {
        let heard = Self::default();
        let (lines, more) = (Arc::clone(&heard.0), Arc::clone(&heard.0));
        log::observe_all(move |event| {
            if *event.metadata().level() <= Level::WARN {
                let line = format!("{} {}", event.metadata().target(), log::line(event));
                lines.0.lock().unwrap().push(line);
                more.1.notify_all();
            }
        });
        heard
    }

    /// Blocks this thread until a line has all of these words.
    fn wait_for(&self, words: &[&str]) {
        let (lines, more) = &*self.0;
        let is_missing = |lines: &mut Vec<String>| {
            let has_all = |line: &String| words.iter().all(|word| line.contains(word));
            !lines.iter().any(has_all)
        };
        drop(more.wait_while(lines.lock().unwrap(), is_missing).unwrap());
    }

    fn count(&self, word: &str) -> usize {
        let lines = self.0.0.lock().unwrap();
        lines.iter().filter(|line| line.contains(word)).count()
    }
}

/// False, with a word, where there are fewer.
fn has_two_cpus() -> bool {
    let has_two = common::cpus_allowed() >= 2;
    if !has_two {
        println!("skipped: it needs 2 CPUs");
    }
    has_two
}

fn start(cores: usize) -> Runtime {
    let builder = Builder::new().cores(cores).pin(false);
    builder.build().expect("the runtime starts")
}

/// Does not return from its poll until it was told of.
async fn stuck_in_its_poll(heard: Heard, core: usize) {
    let core = format!("core={core} ");
    heard.wait_for(&["executor::stall", &core, "stuck_in_its_poll"]);
}

/// The same, of another type.
async fn stuck_without_a_name(heard: Heard) {
    heard.wait_for(&["executor::stall", "stuck_without_a_name"]);
}

/// A future that does not return from its drop until that was told of.
struct StuckInItsDrop(Heard, &'static [&'static str]);

impl Drop for StuckInItsDrop {
    fn drop(&mut self) {
        self.0.wait_for(self.1);
    }
}

/// A task never returns from its poll, on the only core: that is told with the core and the future.
#[test]
fn a_core_that_does_not_come_round_is_told() {
    let child = Child::of(|| {
        let heard = Heard::listen();
        start(1).block_on(async {
            spawn(stuck_in_its_poll(heard.clone(), 0)).await.unwrap();
            assert_eq!(heard.count("executor::stall"), 1);
        });
    });
    child.run_well();
}

/// A task with a name is stuck, and then one without: the first warning has the name as well, the second has none.
#[test]
fn a_stuck_task_is_told_with_its_name() {
    let child = Child::of(|| {
        let heard = Heard::listen();
        start(1).block_on(async {
            let stuck = stuck_in_its_poll(heard.clone(), 0);
            let named = executor::task::Builder::new().name("the slow one");
            named.spawn(stuck).await.unwrap();
            heard.wait_for(&["executor::stall", "stuck_in_its_poll", "the slow one"]);
            spawn(stuck_without_a_name(heard.clone())).await.unwrap();
            assert_eq!(heard.count("the slow one"), 1);
        });
    });
    child.run_well();
}

/// The same on another core, when all have slept so long that the watchdog sleeps as well.
#[test]
fn a_core_that_wakes_up_and_does_not_come_round_is_told() {
    let child = Child::of(|| {
        let heard = Heard::listen();
        let runtime = start(2);
        wait_until_watchdog_sleeps();
        let stuck = stuck_in_its_poll(heard.clone(), 1);
        common::block_on(runtime.handle().spawn_future_on(1, stuck)).unwrap();
    });
    if has_two_cpus() {
        child.run_well();
    }
}

/// Waits until the thread of that name waits without a limit, so that an idle process uses no CPU.
fn wait_until_watchdog_sleeps() {
    const TIMEOUT_ARGUMENT: usize = 4;
    if let Err(error) = fs::read("/proc/thread-self/syscall") {
        return eprintln!("skipped: what a thread waits for cannot be read: {error}");
    }
    let start = Instant::now();
    loop {
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "the watchdog goes on though all is idle"
        );
        let sleeps = fs::read_dir("/proc/self/task").unwrap().any(|thread| {
            let thread = thread.unwrap().path();
            let name = fs::read_to_string(thread.join("comm")).unwrap_or_default();
            // "number argument argument …", or "running".
            let call = fs::read_to_string(thread.join("syscall")).unwrap_or_default();
            let mut words = call.split(' ');
            let number = words.next().unwrap_or_default();
            name.trim() == "watchdog"
                && number == libc::SYS_futex.to_string()
                && words.nth(TIMEOUT_ARGUMENT - 1) == Some("0x0")
        });
        if sleeps {
            return;
        }
        thread::yield_now();
    }
}

/// An idle runtime: its watchdog sleeps without a limit. Work that comes and goes rouses it, and then it sleeps again.
#[test]
fn the_watchdog_of_an_idle_runtime_sleeps() {
    let child = Child::of(|| {
        let runtime = start(1);
        for _ in 0..2 {
            wait_until_watchdog_sleeps();
            runtime.block_on(async { executor::time::sleep(Duration::from_millis(1)).await });
        }
        wait_until_watchdog_sleeps();
    });
    child.run_well();
}

/// A runtime ends while a task on another core is in its poll: who waits says for which core and which future.
#[test]
fn a_shutdown_that_waits_for_a_poll_says_so() {
    let child = Child::of(|| {
        let heard = Heard::listen();
        let runtime = start(2);
        let is_stuck = Arc::new(AtomicBool::new(false));
        runtime.block_on(async {
            let (heard, stuck) = (heard.clone(), Arc::clone(&is_stuck));
            spawn_on(1, async move || {
                stuck.store(true, SeqCst);
                let name = "a_shutdown_that_waits_for_a_poll";
                heard.wait_for(&["executor::shutdown", "core=1 ", "poll of a future", name]);
            })
            .detach();
            until(|| is_stuck.load(SeqCst)).await;
        });
        drop(runtime);
    });
    if has_two_cpus() {
        child.run_well();
    }
}

/// A runtime ends, and the drop of a task takes long, on each core in turn: core 1 says it of core 0 as well.
#[test]
fn a_shutdown_that_waits_for_a_drop_says_so() {
    let child = Child::of(|| {
        let heard = Heard::listen();
        for core in 0..2 {
            let runtime = start(2);
            let words: &[&str] = match core {
                0 => &["executor::shutdown", "core=0 ", "drop of a future"],
                _ => &["executor::shutdown", "core=1 ", "drop of a future"],
            };
            let stuck = StuckInItsDrop(heard.clone(), words);
            runtime.block_on(async {
                let began = Arc::new(AtomicBool::new(false));
                let begun = Arc::clone(&began);
                spawn_on(core, async move || {
                    let _held = stuck;
                    begun.store(true, SeqCst);
                    pending::<()>().await;
                })
                .detach();
                until(|| began.load(SeqCst)).await;
            });
            drop(runtime);
        }
    });
    if has_two_cpus() {
        child.run_well();
    }
}

/// A runtime of one core ends, and the drop of a task takes long: nobody waits for that core, and the watchdog says so.
#[test]
fn the_end_of_an_only_core_that_is_stuck_is_told() {
    let child = Child::of(|| {
        let heard = Heard::listen();
        let runtime = start(1);
        let stuck = StuckInItsDrop(heard, &["executor::stall", "core=0 ", "drop of a future"]);
        runtime.block_on(async {
            spawn(async move {
                let _held = stuck;
                pending::<()>().await;
            })
            .detach();
            executor::yield_now().await;
        });
        drop(runtime);
    });
    child.run_well();
}

/// A runtime ends. The drop of a task with a name starts another with a name, which is cancelled
/// inside of it, and then takes long: the warning has the name and the type of the outer one.
#[test]
fn a_stuck_drop_is_told_with_its_name_also_after_another_inside() {
    struct Outer(Heard);
    impl Drop for Outer {
        fn drop(&mut self) {
            let inner = executor::task::Builder::new().name("the inner one");
            assert!(inner.spawn(pending::<()>()).is_finished());
            let words = ["executor::stall", "outer_future", "the outer one"];
            self.0.wait_for(&words);
        }
    }
    async fn outer_future(_held: Outer) {
        pending::<()>().await;
    }
    let child = Child::of(|| {
        let runtime = start(1);
        let held = Outer(Heard::listen());
        runtime.block_on(async {
            let outer = executor::task::Builder::new().name("the outer one");
            outer.spawn(outer_future(held)).detach();
            executor::yield_now().await;
        });
        drop(runtime);
    });
    child.run_well();
}

/// A runtime ends while a blocking closure runs, for which it may wait for long.
#[test]
fn a_shutdown_that_waits_for_a_blocking_closure_says_so() {
    let child = Child::of(|| {
        let heard = Heard::listen();
        let builder = Builder::new().cores(1);
        let runtime = builder.blocking_shutdown(Duration::MAX).build().unwrap();
        runtime.block_on(async {
            let began = Arc::new(AtomicBool::new(false));
            let (begun, heard) = (Arc::clone(&began), heard.clone());
            spawn_blocking(move || {
                begun.store(true, SeqCst);
                heard.wait_for(&[
                    "executor::shutdown",
                    "threads=1 ",
                    "waits for blocking closures",
                ]);
            })
            .detach();
            until(|| began.load(SeqCst)).await;
        });
        drop(runtime);
        assert_eq!(heard.count("left to themselves"), 0);
    });
    child.run_well();
}
