//! Cores that watch their cache line instead of blocking: whatever they wait for finds them, by a store or a completion and without the
//! kernel's help; and where the processor cannot watch, the same happens by the kernel's.
//!
//! Under `--cfg emulate_waitpkg`, or on a processor with the instruction, the first; else the second.

mod common;
#[path = "common/round_watchdog.rs"]
mod round_watchdog;

use common::{Random, Watched, on_thread, start_with};
use executor::buf::BufResult;
use executor::net::{TcpListener, TcpStream};
use executor::time::sleep;
use executor::{Builder, Capabilities, CoreState, CoreStats, Feature, Handle, IdlePolicy};
use reactor::monitor::Monitor;
use reactor::{KernelWake, Reactor};
use round_watchdog::RoundWatchdog;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any test: a core that watches never comes to block.
const ALWAYS: Duration = Duration::from_secs(3_600);

/// A runtime whose cores block, after having watched for `monitor`.
fn watching_for(monitor: Duration, cores: usize) -> Option<Watched> {
    let policy = IdlePolicy::block().monitor(monitor);
    start_with(Builder::new().idle(policy), cores)
}

fn can_watch() -> bool {
    static CAN_WATCH: OnceLock<bool> = OnceLock::new();
    *CAN_WATCH.get_or_init(|| can_watch_without(&[]))
}

/// A core needs the instruction, and a ring with a word for others to store to, which not every kernel's has in every mode.
fn can_watch_without(masked: &[Feature]) -> bool {
    if Monitor::detect().is_none() {
        return false;
    }
    let all = Capabilities::probe().expect("a kernel with io_uring");
    let capabilities = masked.iter().fold(all, |rest, one| rest.without(*one));
    let wake = Arc::new(KernelWake::new().expect("an eventfd"));
    let reactor = Reactor::new(capabilities, wake).expect("a ring");
    reactor.doorbell().is_some()
}

/// Wakes by a store, and by the kernel, of this core by others, in a runtime of two.
fn woken(stats: &[CoreStats], core: usize) -> (u64, u64) {
    let (sent, foreign) = (stats[1 - core].sent, stats[core].foreign);
    (sent.store + foreign.store, sent.kernel + foreign.kernel)
}

/// What the cores did in `act` was all by watching; or, without the instruction, nothing was.
struct Account {
    before: Vec<CoreStats>,
    handle: Handle,
}

impl Account {
    fn open() -> Self {
        let handle = Handle::current();
        Self {
            before: handle.stats(),
            handle,
        }
    }

    /// Whether this core could have found work by watching, and has not.
    fn has_not_watched(&self, core: usize) -> bool {
        let found_work = |stats: &[CoreStats]| stats[core].monitored.found_work();
        can_watch() && found_work(&self.handle.stats()) == found_work(&self.before)
    }

    /// `cores` were woken, or found their own work, while they watched.
    fn close(self, cores: &[usize], are_told_by_store: bool) {
        let after = self.handle.stats();
        for &core in cores {
            let (before, now) = (&self.before[core], &after[core]);
            let (stores_before, kernel_before) = match self.before.len() {
                2 => woken(&self.before, core),
                _ => (before.foreign.store, before.foreign.kernel),
            };
            let (stores, kernel) = match after.len() {
                2 => woken(&after, core),
                _ => (now.foreign.store, now.foreign.kernel),
            };
            if !can_watch() {
                assert_eq!(stores, 0, "core {core}: {now}");
                assert_eq!(now.monitored.begun, 0, "core {core}: {now}");
                continue;
            }
            assert!(
                now.monitored.found_work() > before.monitored.found_work(),
                "core {core}: {before}, then {now}"
            );
            // A completion between a turn and the look after it makes the core block once, rightly; that is rare.
            let found_work = now.monitored.found_work() - before.monitored.found_work();
            let blocks = now.blocked.begun - before.blocked.begun;
            assert!(
                (kernel - kernel_before + blocks) * 10 <= found_work,
                "core {core}: {before}, then {now}"
            );
            assert!(
                stores > stores_before || !are_told_by_store,
                "core {core}: {before}, then {now}"
            );
        }
    }
}

/// A task is sent to the other core and awaited, a thousand times; both cores watch in between.
#[test]
fn cores_wake_each_other_by_a_store() {
    let Some(runtime) = watching_for(ALWAYS, 2) else {
        return;
    };
    runtime.block_on(async {
        executor::spawn_on(1, async || {}).await.unwrap();
        let account = Account::open();
        for _ in 0..1_000 {
            executor::spawn_on(1, async || {}).await.unwrap();
        }
        account.close(&[0, 1], true);
    });
}

/// A thread that is no core sends tasks to one that watches, and waits for each.
#[test]
fn foreign_threads_wake_by_a_store() {
    let Some(runtime) = watching_for(ALWAYS, 1) else {
        return;
    };
    runtime.block_on(async {
        let account = Account::open();
        let handle = Handle::current();
        on_thread(move || {
            for number in 0..200 {
                let echoed = common::block_on(handle.spawn_on(0, async move || number));
                assert_eq!(echoed.unwrap(), number);
            }
        })
        .await;
        account.close(&[0], true);
    });
}

/// Sleeps on a core that watches: none is over early, and the core need not block for them.
#[test]
fn timers_fire_on_a_core_that_watches() {
    let Some(runtime) = watching_for(ALWAYS, 1) else {
        return;
    };
    runtime.block_on(async {
        let before = executor::stats()[0];
        for time_us in [0, 1, 50, 500, 5_000, 20_000] {
            let (start, time) = (Instant::now(), Duration::from_micros(time_us));
            sleep(time).await;
            assert!(start.elapsed() >= time);
        }
        let after = executor::stats()[0];
        if can_watch() {
            assert_eq!(after.blocked, before.blocked, "{after}");
            assert!(after.monitored.found_work() > before.monitored.found_work());
        } else {
            assert!(after.blocked.begun > before.blocked.begun, "{after}");
        }
    });
}

/// Two cores throw a hundred bytes back and forth: the completions end the watching.
#[test]
fn completions_are_found_by_watching() {
    let Some(runtime) = watching_for(ALWAYS, 2) else {
        return;
    };
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = executor::spawn_on(1, async move || {
            let stream = TcpStream::connect(address).await.unwrap();
            for round in 0..200u8 {
                stream.write_all([round; 100]).await.0.unwrap();
                let BufResult(read, echo) = stream.read_exact([0; 100]).await;
                read.unwrap();
                assert_eq!(echo, [round; 100]);
            }
        });
        let (stream, _) = listener.accept().await.unwrap();
        let account = Account::open();
        for _ in 0..200 {
            let BufResult(read, bytes) = stream.read_exact([0; 100]).await;
            read.unwrap();
            stream.write_all(bytes).await.0.unwrap();
        }
        client.await.unwrap();
        account.close(&[0, 1], false);
    });
}

/// A thread writes to a connection whose reader's core watches, with a core that is told by a flag and with one that is interrupted: it is
/// found without blocking.
#[test]
fn a_peers_bytes_end_the_watching() {
    for masked in [
        &[][..],
        &[Feature::DeferTaskrun],
        &[Feature::DeferTaskrun, Feature::CoopTaskrun],
    ] {
        let policy = IdlePolicy::block().monitor(ALWAYS);
        let builder = masked
            .iter()
            .fold(Builder::new(), |builder, feature| builder.without(*feature));
        let Some(runtime) = start_with(builder.idle(policy), 1) else {
            return;
        };
        if can_watch() && !can_watch_without(masked) {
            println!("skipped without {masked:?}: no word to be rung by");
            continue;
        }
        runtime.block_on(async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let stream = TcpStream::from(listener.accept().unwrap().0);
            let account = Account::open();
            let peer = executor::spawn(on_thread(move || {
                let mut byte = [0];
                // Until the other end is gone, whatever that looks like from here.
                while peer.write_all(&byte).is_ok() && peer.read_exact(&mut byte).is_ok() {}
            }));
            let mut rounds = 0;
            // A peer that shares this CPU may run whenever we write: then its answer is there before we can wait for it.
            while rounds < 100 || account.has_not_watched(0) {
                let BufResult(read, byte) = stream.read_exact([0]).await;
                read.unwrap();
                stream.write_all(byte).await.0.unwrap();
                rounds += 1;
            }
            drop(stream);
            peer.await.unwrap();
            account.close(&[0], false);
        });
    }
}

/// The processor has the instruction, but on the line that shows completions there is no word to be rung by: cores block, though they were to watch
/// for an hour, and nothing is lost.
#[test]
fn cores_without_a_word_to_be_rung_by_block() {
    // An older kernel that interrupts: it shows the tail, which has a line of its own.
    let masked = [
        Feature::OneLineHeader,
        Feature::DeferTaskrun,
        Feature::CoopTaskrun,
    ];
    if can_watch_without(&masked) {
        println!("skipped: this kernel reserves a word on each line");
        return;
    }
    let builder = Builder::new().idle(IdlePolicy::block().monitor(ALWAYS));
    let builder = masked.into_iter().fold(builder, Builder::without);
    let Some(runtime) = start_with(builder, 2) else {
        return;
    };
    runtime.block_on(async {
        for number in 0..200 {
            let called = executor::spawn_on(1, async move || number);
            assert_eq!(called.await.unwrap(), number);
        }
        sleep(Duration::from_micros(100)).await;
    });
    let stats = runtime.handle().stats();
    for (core, now) in stats.iter().enumerate() {
        assert_eq!(now.monitored.begun, 0, "core {core}: {now}");
        assert!(now.blocked.begun > 0, "core {core}: {now}");
        assert_eq!(woken(&stats, core).0, 0, "core {core}: {now}");
    }
}

/// A task on the other core ends late; the core that joins it watches meanwhile, and so does the other after it.
#[test]
fn a_join_finds_a_core_that_watches() {
    let Some(runtime) = watching_for(ALWAYS, 2) else {
        return;
    };
    runtime.block_on(async {
        executor::spawn_on(1, async || {}).await.unwrap();
        let account = Account::open();
        for number in 0..20 {
            let joined = executor::spawn_on(1, async move || {
                sleep(Duration::from_micros(300)).await;
                number
            });
            assert_eq!(joined.await.unwrap(), number);
        }
        account.close(&[0, 1], true);
    });
}

/// The state of a core that sleeps is told, while it does: the one that watches, and the one that blocks.
#[test]
fn the_state_of_a_core_that_sleeps_is_told() {
    for (monitor, watches) in [(ALWAYS, can_watch()), (Duration::ZERO, false)] {
        let Some(runtime) = watching_for(monitor, 2) else {
            return;
        };
        let asleep = if watches {
            CoreState::Monitoring
        } else {
            CoreState::Blocked
        };
        runtime.block_on(async {
            let state = || executor::stats()[1].state;
            common::until(|| state() == asleep).await;
            let seen = executor::spawn_on(1, async move || executor::stats()[1].state);
            assert_eq!(seen.await.unwrap(), CoreState::Running);
        });
    }
}

/// The runtime is dropped while the other core watches, which it would do for an hour: it ends.
#[test]
fn a_core_that_watches_is_stopped() {
    for _ in 0..20 {
        let Some(runtime) = watching_for(ALWAYS, 2) else {
            return;
        };
        runtime.block_on(async { executor::spawn_on(1, async || {}).await.unwrap() });
    }
}

/// The runtime is dropped some microseconds after the other core was given its last task, which then blocks or is about to.
#[test]
fn a_core_about_to_block_is_stopped() {
    let mut random = Random::new(6);
    for round in 0..60 {
        let Some(runtime) = watching_for(Duration::from_micros(round % 4 * 10), 2) else {
            return;
        };
        runtime.block_on(async { executor::spawn_on(1, async || {}).await.unwrap() });
        spin(random.below(80));
    }
}

/// Another core and a foreign thread ring at once, a core that comes to block in between: of all rings, at most one for each time it was
/// about to block went through the kernel.
#[test]
fn of_two_ringers_one_makes_the_kernel_wake() {
    for monitor_us in [0, 20] {
        let Some(runtime) = watching_for(Duration::from_micros(monitor_us), 2) else {
            return;
        };
        let ran = Arc::new(AtomicUsize::new(0));
        let run = |ran: &Arc<AtomicUsize>| {
            let ran = Arc::clone(ran);
            async move {
                ran.fetch_add(1, Ordering::Relaxed);
            }
        };
        const ROUNDS: usize = 500;
        runtime.block_on(async {
            let handle = Handle::current();
            let foreign = on_thread({
                let (ran, mut random) = (Arc::clone(&ran), Random::new(1));
                move || {
                    for _ in 0..ROUNDS {
                        common::block_on(handle.spawn_future_on(1, run(&ran))).unwrap();
                        spin(random.below(60));
                    }
                }
            });
            let foreign = executor::spawn(foreign);
            let mut random = Random::new(2);
            for _ in 0..ROUNDS {
                executor::spawn_future_on(1, run(&ran)).await.unwrap();
                spin(random.below(60));
            }
            foreign.await.unwrap();
        });
        assert_eq!(ran.load(Ordering::Relaxed), 2 * ROUNDS);
        let stats = runtime.handle().stats();
        let (_, kernel) = woken(&stats, 1);
        let blocks = stats[1].blocked.begun + stats[1].block_given_up;
        // It may be in one now, which is counted when it is over.
        assert!(kernel <= blocks + 1, "{}; {}", stats[0], stats[1]);
        assert!(kernel > 0, "none came while it blocked: {}", stats[1]);
    }
}

/// Tasks sent at pseudo-random moments around the one at which the other core stops watching and blocks: each arrives.
#[test]
fn a_ring_between_watching_and_blocking_is_not_lost() {
    for monitor_us in [0, 1, 5, 20, 50] {
        let Some(runtime) = watching_for(Duration::from_micros(monitor_us), 2) else {
            return;
        };
        let what = format!("watching for {monitor_us} µs");
        let watchdog = RoundWatchdog::new(what, runtime.handle());
        runtime.block_on(async {
            let rounds = watchdog.actor("core 0");
            let mut random = Random::new(monitor_us);
            for _ in 0..1_500 {
                spin(random.below(2 * monitor_us as usize + 40));
                executor::spawn_on(1, async || {}).await.unwrap();
                rounds.done();
            }
        });
        let stats = runtime.handle().stats();
        let (stores, kernel) = woken(&stats, 1);
        assert!(kernel > 0, "none came while it blocked: {}", stats[1]);
        if !can_watch() {
            assert_eq!((stores, stats[1].monitored.begun), (0, 0), "{}", stats[1]);
        }
    }
}

fn spin(time_us: usize) {
    let (start, time) = (Instant::now(), Duration::from_micros(time_us as u64));
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
    // Whoever shares this CPU gets a turn.
    thread::yield_now();
}
