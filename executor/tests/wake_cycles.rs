//! How many cycles a wake takes, from its call to the poll of the task on another CPU, the store in between; and what it was told by: a core that spins, that watches its
//! cache line, that has blocked; woken by another core, and by a thread that is none.
//!
//! Counted on an emulated processor that takes an instruction for a cycle, which says nothing of caches and sleep states; elsewhere skipped.
//! `patches/test-umwait` sets `CYCLES_ARE_EXACT` there. The tests print what they measured.

#![cfg(target_arch = "x86_64")]

use executor::{Builder, Capabilities, IdlePolicy, Runtime, Wakes};
use reactor::monitor::Monitor;
use reactor::{KernelWake, Reactor};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::arch::x86_64::_rdtsc;
use std::env;
use std::future::{Future, poll_fn};
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

const ROUNDS: u64 = 101;
/// Between two wakes, in ticks: long enough for a core to go where it is to be woken from.
const GAP_TICKS: u64 = 100_000;
/// Longer than any gap.
const LONG: Duration = Duration::from_secs(1);

/// What a core does while it is idle, and nothing else.
const WAYS: [(&str, IdlePolicy); 3] = [
    ("spins", IdlePolicy::block().spin(LONG)),
    ("watches", IdlePolicy::block().monitor(LONG)),
    ("has blocked", IdlePolicy::block()),
];

/// The right to both CPUs; `None`, with a word of why, where there is nothing to count.
fn exact() -> Option<MutexGuard<'static, ()>> {
    static CPUS: Mutex<()> = Mutex::new(());
    if env::var_os("CYCLES_ARE_EXACT").is_none() {
        println!("skipped: cycles are not exact here (see patches/test-umwait)");
        return None;
    }
    Some(CPUS.lock().unwrap_or_else(PoisonError::into_inner))
}

fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has it.
    unsafe { _rdtsc() }
}

fn spin_for_gap() {
    let start = ticks();
    while ticks() - start < GAP_TICKS {
        spin_loop();
    }
}

/// A task that notes when it is polled.
#[derive(Default)]
struct Sleeper {
    waker: OnceLock<Waker>,
    /// The counter at the last poll; 0 when that has been seen.
    polled_at: AtomicU64,
    is_over: AtomicBool,
}

impl Sleeper {
    fn sleep(self: Arc<Self>) -> impl Future<Output = ()> + Send {
        poll_fn(move |context| {
            self.polled_at.store(ticks(), Ordering::Release);
            self.waker.get_or_init(|| context.waker().clone());
            match self.is_over.load(Ordering::Acquire) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
    }

    fn waker(&self) -> &Waker {
        self.waker.get().expect("it has been polled")
    }

    /// When it was polled, once it has been.
    fn take(&self) -> Option<u64> {
        match self.polled_at.swap(0, Ordering::AcqRel) {
            0 => None,
            ticks => Some(ticks),
        }
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.waker().wake_by_ref();
    }
}

/// What one way of being idle came to.
struct Counts {
    /// From the call that wakes to the poll.
    to_poll: Vec<u64>,
    /// From that call to its return.
    call: Vec<u64>,
    told: Wakes,
}

impl Counts {
    fn new() -> Self {
        Self {
            to_poll: Vec::new(),
            call: Vec::new(),
            told: Wakes::default(),
        }
    }

    /// The call that wakes was `called` and has `returned`.
    fn add(&mut self, called: u64, returned: u64, polled: u64) {
        self.to_poll.push(polled - called);
        self.call.push(returned - called);
    }

    /// Prints it, and checks that the core was told in the way that fits. Returns the cycles to the poll, in the middle of all rounds.
    fn close(mut self, who: &str, way: &str) -> u64 {
        self.to_poll.sort_unstable();
        self.call.sort_unstable();
        let (least, most) = (self.to_poll[0], self.to_poll[self.to_poll.len() - 1]);
        let middle = self.to_poll[self.to_poll.len() / 2];
        let call = self.call[self.call.len() / 2];
        let told = self.told;
        println!(
            "{who:9} wakes a core that {way:12} {middle:>6} ({least} to {most}), the call {call:>4}; told {told}"
        );
        let (as_expected, others) = match way {
            "spins" => (told.nothing, told.store + told.kernel),
            "watches" => (told.store, told.kernel),
            _ => (told.kernel, told.store),
        };
        assert!(as_expected * 10 >= ROUNDS * 9, "{told}");
        assert_eq!(others, 0, "{told}");
        middle
    }
}

fn since(before: Wakes, after: Wakes) -> Wakes {
    let mut told = Wakes::default();
    told.nothing = after.nothing - before.nothing;
    told.store = after.store - before.store;
    told.kernel = after.kernel - before.kernel;
    told
}

fn start(cores: usize, policy: IdlePolicy) -> Runtime {
    let builder = Builder::new().cores(cores).idle(policy);
    builder.build().expect("the runtime starts")
}

/// Says what a core watches by, and is rung by.
fn print_means() {
    let capabilities = Capabilities::probe().expect("a kernel with io_uring");
    let wake = Arc::new(KernelWake::new().expect("an eventfd"));
    let reactor = Reactor::new(capabilities, wake).expect("a ring");
    let monitor = Monitor::detect().expect("a processor that has the instruction");
    let doorbell = reactor.doorbell().expect("a word to be rung by");
    println!(
        "cores watch by {monitor}, and are rung by {}; completions come {}",
        doorbell.kind(),
        capabilities.completion_mode()
    );
}

/// A watching core is woken faster than a blocked one, and about as fast as one that spins.
fn compare(middles: [u64; 3]) {
    let [spinning, watching, blocked] = middles;
    assert!(watching < spinning + 1_000, "{middles:?}");
    assert!(watching * 2 < blocked, "{middles:?}");
}

/// Core 0 sends tasks to core 1. The wake is at the end of its turn.
#[test]
fn a_core_wakes_a_core() {
    let Some(_cpus) = exact() else {
        return;
    };
    print_means();
    compare(WAYS.map(|(way, policy)| {
        let counts = start(2, policy).block_on(async {
            let mut counts = Counts::new();
            let before = executor::stats()[0].sent;
            for _ in 0..ROUNDS {
                spin_for_gap();
                let called = ticks();
                let sent = executor::spawn_on(1, async || ticks());
                let returned = ticks();
                let polled = sent.await.expect("it does not panic");
                counts.add(called, returned, polled);
            }
            counts.told = since(before, executor::stats()[0].sent);
            counts
        });
        counts.close("a core", way)
    }));
}

/// A thread that is no core wakes a task on the only core.
#[test]
fn a_thread_wakes_a_core() {
    let Some(_cpus) = exact() else {
        return;
    };
    print_means();
    compare(WAYS.map(|(way, policy)| {
        let runtime = start(1, policy);
        let sleeper = Arc::new(Sleeper::default());
        let handle = runtime.handle();
        let waker = thread::spawn({
            let sleeper = Arc::clone(&sleeper);
            move || {
                let mut mask = CpuSet::new();
                mask.set(1);
                sched_setaffinity(None, &mask).expect("an emulated processor has two CPUs");
                while sleeper.take().is_none() {
                    spin_loop();
                }
                let mut counts = Counts::new();
                let before = handle.stats()[0].foreign;
                for _ in 0..ROUNDS {
                    spin_for_gap();
                    let called = ticks();
                    sleeper.waker().wake_by_ref();
                    let returned = ticks();
                    let polled = loop {
                        if let Some(polled) = sleeper.take() {
                            break polled;
                        }
                        spin_loop();
                    };
                    counts.add(called, returned, polled);
                }
                counts.told = since(before, handle.stats()[0].foreign);
                sleeper.end();
                counts
            }
        });
        runtime.block_on(Arc::clone(&sleeper).sleep());
        let counts = waker.join().expect("it does not panic");
        counts.close("a thread", way)
    }));
}
