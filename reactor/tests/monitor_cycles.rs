//! What ends a wait, by the real instructions, and how many cycles that takes.
//!
//! A processor may end a wait for no reason, and a hypervisor may take its time; so this can be told only where neither happens, namely on an emulated
//! processor that counts an instruction as a cycle. `patches/test-umwait` sets `CYCLES_ARE_EXACT` there; without it each test is skipped. Even
//! there the kernel's own interrupts end some waits, so of many rounds the one in the middle is judged. The tests print what they measured, with the
//! least and the most.

#![cfg(target_arch = "x86_64")]

mod support;

use reactor::monitor::Monitor;
use reactor::operation::{Op, Shutdown};
use reactor::{Capabilities, Feature};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::arch::x86_64::_rdtsc;
use std::cell::RefCell;
use std::hint::spin_loop;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, net, thread};
use support::{
    Core, Lines, Readable, all_features, event, interrupt, on_signal, ready, set, socket_pair,
    thread_id,
};

const ROUNDS: usize = 51;
/// Shorter than the system's limit, longer than whatever ends a wait.
const LIMIT: Duration = Duration::from_micros(40);
/// Longer than the system's limit.
const FAR: Duration = Duration::from_micros(300);
/// From the request to the act, in ticks: by then the other waits.
const DELAY_TICKS: u64 = 5_000;
/// A store takes effect after a few dozen instructions; a completion after a few thousand, and an interrupt.
const STORE_TICKS_MAX: u64 = 500;
const COMPLETION_TICKS_MAX: u64 = 10_000;

/// The right to both CPUs, and the instruction; `None`, with a word of why, where nothing can be told.
fn exact() -> Option<(Monitor, MutexGuard<'static, ()>)> {
    static CPUS: Mutex<()> = Mutex::new(());
    if env::var_os("CYCLES_ARE_EXACT").is_none() {
        println!("skipped: cycles are not exact here (see patches/test-umwait)");
        return None;
    }
    let monitor = Monitor::detect().expect("an emulated processor that has the instruction");
    let cpus = CPUS.lock().unwrap_or_else(PoisonError::into_inner);
    pin_to(0);
    Some((monitor, cpus))
}

/// Every thread here ends with its test.
fn pin_to(cpu: usize) {
    let mut mask = CpuSet::new();
    mask.set(cpu);
    sched_setaffinity(None, &mask).expect("an emulated processor has two CPUs");
}

fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has it.
    unsafe { _rdtsc() }
}

/// What was measured in the rounds of one scenario.
#[derive(Clone, Copy)]
struct Cycles {
    least: u64,
    middle: u64,
    most: u64,
}

impl Cycles {
    #[track_caller]
    fn of(mut rounds: Vec<u64>) -> Self {
        assert!(rounds.len() > ROUNDS / 2, "{} rounds count", rounds.len());
        rounds.sort_unstable();
        Self {
            least: rounds[0],
            middle: rounds[rounds.len() / 2],
            most: rounds[rounds.len() - 1],
        }
    }

    fn print(self, what: &str) -> Self {
        let (least, middle, most) = (self.least, self.middle, self.most);
        println!("{what:72} {middle:>7} ({least} to {most})");
        self
    }

    /// Nothing but the time ended it. The instruction's clock is a measured one.
    #[track_caller]
    fn assert_about(self, ticks: u64) {
        let difference = self.middle.abs_diff(ticks);
        assert!(
            difference <= 100 + ticks / 50,
            "{} rather than {ticks}",
            self.middle
        );
    }
}

/// How long waits last that nobody ends, armed by `arm`.
fn undisturbed(monitor: Monitor, limit: Duration, arm: impl Fn()) -> Cycles {
    let round = |_| {
        arm();
        let start = ticks();
        monitor.wait(limit);
        ticks() - start
    };
    Cycles::of((0..ROUNDS).map(round).collect())
}

/// Lets the other CPU `act` while this one waits, which it does in `round`: that calls what it is given, and waits. From the act to the
/// end of the wait; and how long the wait was.
fn disturbed(act: impl Fn() + Sync, mut round: impl FnMut(&dyn Fn())) -> (Cycles, Cycles) {
    let (asked, answered) = (AtomicU64::new(0), AtomicU64::new(0));
    let (acted_at, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let _end = EndOnDrop(&is_over);
        scope.spawn(|| {
            pin_to(1);
            let mut done = 0;
            while !is_over.load(Ordering::Relaxed) {
                if asked.load(Ordering::Acquire) == done {
                    spin_loop();
                    continue;
                }
                done += 1;
                let start = ticks();
                while ticks() - start < DELAY_TICKS {
                    spin_loop();
                }
                acted_at.store(ticks(), Ordering::Relaxed);
                act();
                // Release: pairs with the Acquire below, and hands over `acted_at`.
                answered.store(done, Ordering::Release);
            }
        });
        let (mut after, mut lasted) = (Vec::new(), Vec::new());
        for number in 1..=ROUNDS as u64 {
            let start = ticks();
            round(&|| asked.store(number, Ordering::Release));
            let end = ticks();
            while answered.load(Ordering::Acquire) < number {
                spin_loop();
            }
            // A wait that was over before, by an interrupt, says nothing of the act.
            after.extend(end.checked_sub(acted_at.load(Ordering::Relaxed)));
            lasted.push(end - start);
        }
        (Cycles::of(after), Cycles::of(lasted))
    })
}

struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the instruction's clock makes of `time`, from the system's clock.
fn ticks_of(time: Duration) -> u64 {
    let (start, first) = (Instant::now(), ticks());
    while start.elapsed() < Duration::from_millis(1) {
        spin_loop();
    }
    let (passed, time) = (start.elapsed().as_nanos(), time.as_nanos());
    (u128::from(ticks() - first) * time / passed) as u64
}

/// Another CPU stores to the watched word, to another word of its line, and the value that was there: each ends the wait.
#[test]
fn stores_to_the_line_end_a_wait() {
    let Some((monitor, _cpus)) = exact() else {
        return;
    };
    let lines = Lines::new();
    let watched = lines.word(1, 3);
    let store = |word: &AtomicU32| word.store(ticks() as u32, Ordering::Relaxed);
    let acts: [(&str, &(dyn Fn() + Sync)); 4] = [
        ("a store to the watched word", &|| store(watched)),
        ("to the first word of the line", &|| store(lines.word(1, 0))),
        ("to the last word of the line", &|| store(lines.word(1, 15))),
        ("of the value that is there already", &|| {
            lines.word(1, 8).store(0, Ordering::Relaxed);
        }),
    ];
    for (what, act) in acts {
        let (after, _) = disturbed(act, |ask| {
            monitor.arm(watched);
            ask();
            monitor.wait(LIMIT);
        });
        let after = after.print(&format!("{what} ends a wait after"));
        assert!(after.middle < STORE_TICKS_MAX);
    }
}

/// Another CPU stores to the lines before and behind, and reads the watched one: the wait lasts.
#[test]
fn other_accesses_do_not_end_a_wait() {
    let Some((monitor, _cpus)) = exact() else {
        return;
    };
    let lines = Lines::new();
    let store = |word: &AtomicU32| word.store(ticks() as u32, Ordering::Relaxed);
    let acts: [(&str, &(dyn Fn() + Sync)); 3] = [
        ("a store to the line before", &|| store(lines.word(0, 15))),
        ("a store to the line behind", &|| store(lines.word(2, 0))),
        ("a load from the line", &|| {
            std::hint::black_box(lines.word(1, 3).load(Ordering::Relaxed));
        }),
    ];
    for (what, act) in acts {
        let (_, lasted) = disturbed(act, |ask| {
            monitor.arm(lines.word(1, 3));
            ask();
            monitor.wait(LIMIT);
        });
        let lasted = lasted.print(&format!("{what} does not: the wait lasts"));
        lasted.assert_about(ticks_of(LIMIT));
    }
}

/// The other CPU stores between arming and waiting: the wait does not begin. Nor does it without arming.
#[test]
fn a_store_after_arming_is_not_missed() {
    let Some((monitor, _cpus)) = exact() else {
        return;
    };
    let lines = Lines::new();
    let store = || lines.word(1, 9).store(1, Ordering::Relaxed);
    let (_, lasted) = disturbed(store, |ask| {
        monitor.arm(lines.word(1, 3));
        ask();
        let start = ticks();
        while ticks() - start < 2 * DELAY_TICKS {
            spin_loop();
        }
        monitor.wait(LIMIT);
    });
    let lasted = lasted.print("a store before the wait: arming to end, of which 10000 idle");
    assert!(lasted.middle < 2 * DELAY_TICKS + STORE_TICKS_MAX);
    let unarmed = undisturbed(monitor, LIMIT, || {}).print("a wait without arming lasts");
    assert!(unarmed.middle < STORE_TICKS_MAX);
}

/// The other CPU sends a signal between arming and waiting: an interrupt, whose handler stores to the line. The wait does not begin.
#[test]
fn an_interrupt_after_arming_loses_no_store() {
    static LINES: Lines = Lines::new();
    extern "C" fn store(_: libc::c_int) {
        LINES.word(1, 9).fetch_add(1, Ordering::Relaxed);
    }
    let Some((monitor, _cpus)) = exact() else {
        return;
    };
    // SAFETY: an atomic addition is what a handler may do.
    unsafe { on_signal(libc::SIGUSR2, store) };
    let (owner, stored) = (thread_id(), LINES.word(1, 9));
    let mut waits = Vec::new();
    let interrupt = || interrupt(owner, libc::SIGUSR2);
    disturbed(interrupt, |ask| {
        let before = stored.load(Ordering::Relaxed);
        monitor.arm(LINES.word(1, 3));
        ask();
        while stored.load(Ordering::Relaxed) == before {
            spin_loop();
        }
        let start = ticks();
        monitor.wait(LIMIT);
        waits.push(ticks() - start);
    });
    let waits = Cycles::of(waits).print("a store by a handler before the wait: the wait lasts");
    assert!(waits.middle < STORE_TICKS_MAX);
}

/// Nobody stores: waits last as long as they were told to, by the system's clock.
#[test]
fn a_deadline_ends_a_wait() {
    let Some((monitor, _cpus)) = exact() else {
        return;
    };
    let lines = Lines::new();
    let arm = || monitor.arm(lines.word(1, 3));
    for time_us in [2, 10, 40, 90] {
        let limit = Duration::from_micros(time_us);
        let lasted = undisturbed(monitor, limit, arm);
        lasted.print(&format!("a wait of {time_us} µs lasts"));
        lasted.assert_about(ticks_of(limit));
    }
    let none = undisturbed(monitor, Duration::ZERO, arm).print("a wait of no time lasts");
    assert!(none.middle < STORE_TICKS_MAX);
}

/// Nobody stores, and the deadline is far: UMWAIT ends at the limit that the system sets, whatever it is, and MWAITX, which knows no such limit, at
/// its deadline.
#[test]
fn the_systems_limit_ends_a_wait() {
    const MAX_TIME: &str = "/sys/devices/system/cpu/umwait_control/max_time";
    let Some((monitor, _cpus)) = exact() else {
        return;
    };
    let lines = Lines::new();
    let arm = || monitor.arm(lines.word(1, 3));
    let has_limit = monitor.to_string().contains("UMWAIT");
    if has_limit {
        let default = fs::read_to_string(MAX_TIME).expect("Linux sets a limit");
        for limit in [default.trim(), "20000", "0", default.trim()] {
            fs::write(MAX_TIME, limit).expect("root may set it");
            let lasted = undisturbed(monitor, FAR, arm);
            lasted.print(&format!("a wait of 300 µs, the limit at {limit}, lasts"));
            match limit.parse().expect("a number") {
                0 => lasted.assert_about(ticks_of(FAR)),
                limit => lasted.assert_about(limit),
            }
        }
    } else {
        let lasted = undisturbed(monitor, FAR, arm).print("a wait of 300 µs lasts");
        lasted.assert_about(ticks_of(FAR));
    }
}

/// The ways in which completions come.
fn modes() -> [(&'static str, Capabilities); 3] {
    let all = all_features();
    let cooperating = all.without(Feature::DeferTaskrun);
    let interrupting = cooperating.without(Feature::CoopTaskrun);
    [
        ("DEFER_TASKRUN", all),
        ("COOP_TASKRUN", cooperating),
        ("interrupts", interrupting),
    ]
}

/// The other CPU rings the doorbell of a core that watches, whichever word that is.
#[test]
fn a_doorbell_ends_the_watching() {
    let Some((monitor, _cpus)) = exact() else {
        return;
    };
    for (mode, capabilities) in modes() {
        let core = Core::new(capabilities);
        core.submit_all(1);
        let Some(doorbell) = core.reactor.doorbell() else {
            println!("{mode}: this kernel has no word beside what shows completions");
            continue;
        };
        let ring = || doorbell.ring();
        let (after, _) = disturbed(ring, |ask| {
            core.reactor.arm(monitor);
            ask();
            core.reactor.watch(monitor, LIMIT);
        });
        let word = doorbell.kind();
        let after = after.print(&format!("{mode}: a ring ({word}) ends it after"));
        assert!(after.middle < STORE_TICKS_MAX);
        assert!(!core.reactor.has_work(), "a ring is no completion");
    }
}

/// The other CPU makes an operation complete: the kernel says so on the watched line, by a flag where completions are deferred, else by the
/// tail, which an interrupt moves.
#[test]
fn a_completion_ends_the_watching() {
    let Some((monitor, _cpus)) = exact() else {
        return;
    };
    for (mode, capabilities) in modes() {
        let core = Core::new(capabilities);
        core.submit_all(1);
        let event = Rc::new(event());
        let setter = event.try_clone().expect("a descriptor");
        let op = RefCell::new(None);
        let (mut by_flag, mut by_tail) = (0, 0);
        let (after, _) = disturbed(
            || set(&setter),
            |ask| {
                if let Some(op) = op.take() {
                    core.turn_until_idle();
                    assert_eq!(ready::<Op<Readable>>(op).expect("a poll"), 1);
                    rustix::io::read(&setter, &mut [0; 8]).expect("it was set");
                }
                op.replace(Some(core.started(Readable::new(&event))));
                core.submit_all(1);
                core.reactor.arm(monitor);
                assert!(!core.reactor.has_work());
                ask();
                core.reactor.watch(monitor, LIMIT);
                core.reactor.with_header(|header| {
                    by_flag += usize::from(header.wants_enter());
                    by_tail += usize::from(header.has_completions());
                });
            },
        );
        let after = after.print(&format!(
            "{mode}: a completion ends it (flag {by_flag}, tail {by_tail} times) after"
        ));
        assert!(after.middle < COMPLETION_TICKS_MAX);
        let is_interrupted =
            !capabilities.has(Feature::CoopTaskrun) && !capabilities.defers_taskrun();
        let (seen, other) = if is_interrupted {
            (by_tail, by_flag)
        } else {
            (by_flag, by_tail)
        };
        assert!(seen > ROUNDS / 2 && other < ROUNDS / 4);
        core.turn_until_idle();
    }
}

/// A worker thread of the kernel completes an operation. On older kernels that moves the tail and sets no flag, so a core that watches the line of the
/// flags does not see it, but soon looks again by itself.
#[test]
fn a_workers_completion_is_found() {
    let Some((monitor, _cpus)) = exact() else {
        return;
    };
    for (mode, capabilities) in modes() {
        let core = Core::new(capabilities);
        core.submit_all(1);
        let round = |_| {
            let (socket, _peer) = socket_pair();
            let op = core.started(Shutdown::new(socket, net::Shutdown::Both));
            let start = ticks();
            core.submit_all(1);
            // A worker on this CPU may have run before the submission returned.
            while core.reactor.in_flight() > 0 {
                core.reactor.arm(monitor);
                if core.reactor.has_work() {
                    break;
                }
                core.reactor.watch(monitor, FAR);
            }
            let lasted = ticks() - start;
            core.turn_until_idle();
            ready(op).expect("a socket that is connected");
            lasted
        };
        let lasted = Cycles::of((0..ROUNDS).map(round).collect());
        let lasted = lasted.print(&format!("{mode}: from submission to a worker's completion"));
        assert!(lasted.middle < ticks_of(Duration::from_micros(70)));
    }
}
