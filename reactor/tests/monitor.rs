//! Watching a cache line: which instruction there is for it, what ends it, and the doorbell that others end it by.
//!
//! What ends a wait can be told only where a wait does not end for no reason, and so under `--cfg emulate_waitpkg`. No test relies on how
//! long something takes: a wait that nothing ends lasts until the system's limit, always; so one single wait that was shorter was ended.

mod support;

use reactor::doorbell::Word;
use reactor::monitor::Monitor;
use reactor::{Capabilities, Feature};
use std::fs;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use support::{Core, Lines, Nop, all_features, in_each_mode, ready};

/// Asked in another way, namely by the kernel, the processor has the same instructions; an emulated one has Intel's.
#[test]
fn the_instruction_is_found_where_the_kernel_sees_one() {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").expect("/proc is mounted");
    let has = |name: &str| {
        let flags = cpuinfo.lines().find(|line| line.starts_with("flags"));
        flags.is_some_and(|flags| flags.split_ascii_whitespace().any(|flag| flag == name))
    };
    let expected = match () {
        () if !has("nonstop_tsc") => None,
        () if has("waitpkg") || cfg!(emulate_waitpkg) => Some("UMONITOR/UMWAIT"),
        () if has("mwaitx") => Some("MONITORX/MWAITX"),
        () => None,
    };
    let detected = Monitor::detect().map(|monitor| monitor.to_string());
    assert_eq!(detected.as_deref(), expected);
}

/// Rings of every mode, as they are and as on a kernel whose header has several lines: there is a doorbell where the line that shows completions
/// has a word for it. That of `sq_flags` has `cq_flags`, always; that of the tail has it if there is one line only, or else, on a patched
/// kernel, the reserved word.
#[test]
fn there_is_a_doorbell_on_the_line_that_shows_completions() {
    in_each_mode(|capabilities| {
        let doorbell_of = |capabilities: Capabilities| {
            let doorbell = Core::new(capabilities).reactor.doorbell();
            doorbell.map(|doorbell| doorbell.kind())
        };
        let is_by_flag = capabilities.has(Feature::TaskrunFlag)
            && (capabilities.defers_taskrun() || capabilities.has(Feature::CoopTaskrun));
        let is_one_line = capabilities.has(Feature::OneLineHeader);
        let (found, without) = (
            doorbell_of(capabilities),
            doorbell_of(capabilities.without(Feature::OneLineHeader)),
        );
        assert!(found.is_some() || !(is_by_flag || is_one_line));
        assert!(without.is_some() || !is_by_flag);
        assert!(is_by_flag || without != Some(Word::CqFlags));
    });
}

/// The doorbell is rung a thousand times while operations come and go: neither the ring nor the kernel notices.
#[test]
fn a_doorbell_disturbs_nothing() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let Some(doorbell) = core.reactor.doorbell() else {
            return;
        };
        core.turn_until_idle();
        thread::scope(|scope| {
            let ringer = scope.spawn(|| (0..1_000).for_each(|_| doorbell.ring()));
            for _ in 0..100 {
                let op = core.started(Nop);
                core.turn_until_idle();
                assert_eq!(ready(op).expect("a nop"), 0);
            }
            ringer.join().expect("ringing does not fail");
        });
        core.reactor.with_header(|header| {
            assert_eq!(header.cq_flags(), 0);
            assert!(!header.has_completions() && !header.wants_enter());
        });
        assert!(!core.reactor.has_work());
    });
}

/// Two threads ring while the reactor is dropped, and after: the word is still there, until the last doorbell is gone.
#[test]
fn a_doorbell_outlives_its_reactor() {
    for _ in 0..20 {
        let core = Core::new(all_features());
        let Some(doorbell) = core.reactor.doorbell() else {
            return;
        };
        let (rung, ringing) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..2 {
                let (doorbell, rung) = (doorbell.clone(), rung.clone());
                scope.spawn(move || {
                    doorbell.ring();
                    rung.send(()).expect("the owner listens");
                    (0..10_000).for_each(|_| doorbell.ring());
                });
            }
            for _ in 0..2 {
                ringing.recv().expect("both ring");
            }
            drop(core);
        });
        doorbell.ring();
        let said = format!("{doorbell:?}");
        assert!(said.contains("references: 1"), "{said}");
    }
}

/// A kernel that reserves no word, as all released ones: the doorbell is `cq_flags`. In software it is a word whose value may change.
#[test]
fn the_doorbell_is_a_word_that_may_be_stored_to() {
    let core = Core::new(all_features());
    let Some(doorbell) = core.reactor.doorbell() else {
        return;
    };
    if cfg!(emulate_waitpkg) {
        assert_eq!(doorbell.kind(), Word::Reserved);
    }
    assert!(!doorbell.kind().to_string().is_empty());
}

/// A caller with `values` to keep in registers: arms, and waits for a store made in between.
#[inline(never)]
fn wait_amid<const COUNT: usize>(monitor: Monitor, lines: &Lines, values: [u64; COUNT]) -> u64 {
    let before = values.map(|value| value.wrapping_mul(value ^ 0x55));
    monitor.arm(lines.word(1, COUNT % 16));
    lines.word(1, 0).fetch_add(1, Ordering::Relaxed);
    let between = values.map(|value| value.rotate_left(7));
    monitor.wait(Duration::from_secs(1));
    let pairs = before.iter().zip(&between);
    pairs.fold(0, |sum, (left, right)| sum.wrapping_add(left ^ right))
}

/// The instructions inlined into callers with more or less to keep in registers: what they keep is unchanged.
#[test]
fn the_caller_keeps_its_registers() {
    fn check<const COUNT: usize>(monitor: Monitor, lines: &Lines) {
        let values = std::array::from_fn(|index| std::hint::black_box(index as u64 * 0x1234_5677));
        let expected = values.iter().fold(0_u64, |sum, value: &u64| {
            sum.wrapping_add(value.wrapping_mul(value ^ 0x55) ^ value.rotate_left(7))
        });
        assert_eq!(wait_amid::<COUNT>(monitor, lines, values), expected);
    }
    let (Some(monitor), lines) = (Monitor::detect(), Lines::new()) else {
        println!("skipped: this processor has no monitor instruction");
        return;
    };
    check::<0>(monitor, &lines);
    check::<1>(monitor, &lines);
    check::<3>(monitor, &lines);
    check::<6>(monitor, &lines);
    check::<12>(monitor, &lines);
    check::<40>(monitor, &lines);
}

#[cfg(emulate_waitpkg)]
mod emulated {
    use super::support::{Core, Lines, PATIENCE, Readable, all_features, event, ready, set};
    use reactor::Feature;
    use reactor::monitor::Monitor;
    use reactor::operation::Op;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    use std::arch::asm;
    use std::arch::x86_64::_rdtsc;
    use std::cell::RefCell;
    use std::hint::spin_loop;
    use std::rc::Rc;
    use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
    use std::sync::{Mutex, OnceLock, PoisonError};
    use std::thread;
    use std::time::{Duration, Instant};

    /// The system's limit of a wait, in ticks.
    const LIMIT_TICKS: u64 = 100_000;
    /// No test's wait comes so far: the system's limit is some 50 µs.
    const FAR: Duration = Duration::from_secs(1);

    fn monitor() -> Monitor {
        Monitor::detect().expect("it is emulated")
    }

    fn ticks() -> u64 {
        // SAFETY: every x86-64 processor has it.
        unsafe { _rdtsc() }
    }

    fn ticks_of(act: impl FnOnce()) -> u64 {
        let start = ticks();
        act();
        ticks() - start
    }

    /// Whether at least one of many calls took less than half of the system's limit; each other was unlucky.
    fn is_ever_short(act: impl Fn()) -> bool {
        (0..1_000).any(|_| ticks_of(&act) < LIMIT_TICKS / 2)
    }

    /// Plays `round` with a second thread, which calls `act` some microseconds after each call of what `round` is given, until `act` has come
    /// after a wait had begun, and the wait was over sooner than the system's limit would have ended it. `round` returns when its wait began
    /// and ended.
    fn ends_a_wait(act: impl Fn() + Sync, mut round: impl FnMut(&dyn Fn()) -> (u64, u64)) {
        // Both threads must run at once, so each has a CPU, for as long as this takes.
        static CPUS: Mutex<()> = Mutex::new(());
        let _cpus = CPUS.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked, answered) = (AtomicU64::new(0), AtomicU64::new(0));
        let (acted_at, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            let _end = EndOnDrop(&is_over);
            pin_to(0);
            scope.spawn(|| {
                pin_to(1);
                let mut done = 0;
                while !is_over.load(Ordering::Relaxed) {
                    if asked.load(Ordering::Acquire) == done {
                        thread::yield_now();
                        continue;
                    }
                    done += 1;
                    let start = ticks();
                    while ticks() - start < LIMIT_TICKS / 10 {
                        spin_loop();
                    }
                    acted_at.store(ticks(), Ordering::Relaxed);
                    act();
                    // Release: pairs with the Acquire below, and hands over `acted_at`.
                    answered.store(done, Ordering::Release);
                }
            });
            let deadline = Instant::now() + PATIENCE;
            loop {
                let (began, ended) = round(&|| {
                    asked.fetch_add(1, Ordering::Release);
                });
                while answered.load(Ordering::Acquire) < asked.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
                let acted_at = acted_at.load(Ordering::Relaxed);
                if acted_at > began && acted_at < ended && ended - began < LIMIT_TICKS {
                    return;
                }
                assert!(Instant::now() < deadline, "no wait was ended by it");
            }
        });
    }

    /// Pins the calling thread, which ends with its test, to the first or the second CPU it may use, if there are two.
    fn pin_to(number: usize) {
        static ALLOWED: OnceLock<CpuSet> = OnceLock::new();
        let allowed = ALLOWED.get_or_init(|| sched_getaffinity(None).expect("its own mask"));
        let mut cpus = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu));
        if let Some(cpu) = cpus.nth(number) {
            let mut mask = CpuSet::new();
            mask.set(cpu);
            sched_setaffinity(None, &mask).expect("an allowed CPU");
        }
    }

    struct EndOnDrop<'a>(&'a AtomicBool);

    impl Drop for EndOnDrop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// When `act` began and ended.
    fn timed(act: impl FnOnce()) -> (u64, u64) {
        let start = ticks();
        act();
        (start, ticks())
    }

    /// Armed, waiting, and another thread stores to some other word of the line.
    #[test]
    fn a_store_by_another_thread_ends_a_wait() {
        let (monitor, lines) = (monitor(), Lines::new());
        let store = || {
            lines.word(1, 15).fetch_add(1, Ordering::Relaxed);
        };
        ends_a_wait(store, |ask| {
            monitor.arm(lines.word(1, 3));
            ask();
            timed(|| monitor.wait(FAR))
        });
    }

    /// Arm, store, wait: the store is not missed.
    #[test]
    fn a_store_between_arming_and_waiting_is_not_missed() {
        let (monitor, lines) = (monitor(), Lines::new());
        assert!(is_ever_short(|| {
            monitor.arm(lines.word(1, 0));
            lines.word(1, 1).fetch_add(1, Ordering::Relaxed);
            monitor.wait(FAR);
        }));
    }

    /// A store before the arming says nothing about what comes after: the wait lasts.
    #[test]
    fn a_store_before_arming_does_not_end_the_wait() {
        let (monitor, lines) = (monitor(), Lines::new());
        for _ in 0..20 {
            lines.word(1, 1).fetch_add(1, Ordering::Relaxed);
            monitor.arm(lines.word(1, 0));
            assert!(ticks_of(|| monitor.wait(FAR)) >= LIMIT_TICKS);
        }
    }

    /// Another thread stores to the lines before and behind, all the time: the wait lasts.
    #[test]
    fn a_store_to_another_line_does_not_end_a_wait() {
        let (monitor, lines) = (monitor(), Lines::new());
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let _end = EndOnDrop(&is_over);
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    lines.word(0, 15).fetch_add(1, Ordering::Relaxed);
                    lines.word(2, 0).fetch_add(1, Ordering::Relaxed);
                }
            });
            for _ in 0..100 {
                monitor.arm(lines.word(1, 0));
                assert!(ticks_of(|| monitor.wait(FAR)) >= LIMIT_TICKS);
            }
        });
    }

    /// Nothing is stored, and the deadline is farther than the system allows: the wait ends all the same, and not before.
    #[test]
    fn the_system_ends_a_wait_that_has_no_near_deadline() {
        let (monitor, lines) = (monitor(), Lines::new());
        for limit in [FAR, Duration::from_secs(3_600), Duration::MAX] {
            monitor.arm(lines.word(1, 0));
            let start = Instant::now();
            assert!(ticks_of(|| monitor.wait(limit)) >= LIMIT_TICKS);
            assert!(start.elapsed() < PATIENCE);
        }
    }

    /// Nothing is stored: the wait ends at its deadline; at once if that is now.
    #[test]
    fn a_deadline_ends_a_wait() {
        let (monitor, lines) = (monitor(), Lines::new());
        for limit in [Duration::ZERO, Duration::from_micros(2)] {
            let wait = || {
                monitor.arm(lines.word(1, 0));
                monitor.wait(limit);
            };
            assert!(is_ever_short(wait), "{limit:?}");
        }
    }

    /// The arming is good for one wait: a second returns at once.
    #[test]
    fn a_wait_that_was_not_armed_returns_at_once() {
        let monitor = monitor();
        assert!(is_ever_short(|| monitor.wait(FAR)));
    }

    /// UMONITOR and UMWAIT by hand with the operand in one register: whether the system's limit ended the wait (the carry flag).
    macro_rules! by_register {
        ($($address:tt $state:tt)*) => { vec![$({
            fn arm(word: &AtomicU32) {
                // SAFETY: it is emulated, and reads the line of a live word.
                unsafe { asm!(concat!("umonitor ", $address), in($address) word.as_ptr(), options(nostack)) };
            }
            fn wait() -> bool {
                let limit_ended_it: u8;
                // Farther than this thread may be kept from its CPU.
                let deadline = ticks() + 10_000_000 * LIMIT_TICKS;
                // SAFETY: it is emulated, and changes the flags alone.
                unsafe {
                    asm!(
                        concat!("umwait ", $state),
                        "setc {0}",
                        out(reg_byte) limit_ended_it,
                        in($state) 1,
                        in("eax") deadline as u32,
                        in("edx") (deadline >> 32) as u32,
                        options(nostack),
                    );
                }
                limit_ended_it != 0
            }
            ($address, $state, arm as fn(&AtomicU32), wait as fn() -> bool)
        }),*] };
    }

    /// The compiler chooses where the operands are: both instructions work with each register, and say why the wait ended.
    #[test]
    fn operands_may_be_in_any_register() {
        monitor();
        let lines = Lines::new();
        let registers = by_register! {
            "rax" "ecx" "rcx" "esi" "rdx" "edi" "rsi" "r8d" "rdi" "r9d" "r8" "r10d" "r9" "r11d"
            "r10" "r12d" "r11" "r13d" "r12" "r14d" "r13" "r15d" "r14" "ecx" "r15" "ecx"
        };
        for (address, state, arm, wait) in registers {
            arm(lines.word(1, 5));
            assert!(wait(), "{address} {state}: nothing was stored");
            let is_seen = (0..100).any(|_| {
                arm(lines.word(1, 5));
                lines.word(1, 9).fetch_add(1, Ordering::Relaxed);
                !wait()
            });
            assert!(is_seen, "{address} {state}: the store was missed");
        }
    }

    /// A reactor watches its line, and another thread rings its doorbell.
    #[test]
    fn a_doorbell_ends_the_watching() {
        let (monitor, core) = (monitor(), Core::new(all_features()));
        core.submit_all(1);
        let doorbell = core.reactor.doorbell().expect("one line");
        ends_a_wait(
            || doorbell.ring(),
            |ask| {
                core.reactor.arm(monitor);
                ask();
                timed(|| core.reactor.watch(monitor, FAR))
            },
        );
        assert!(!core.reactor.has_work(), "a ring is no completion");
    }

    /// The doorbell of one reactor does not end the watching of another.
    #[test]
    fn a_doorbell_is_its_own_reactors() {
        let monitor = monitor();
        let (core, other) = (Core::new(all_features()), Core::new(all_features()));
        core.submit_all(1);
        let doorbell = other.reactor.doorbell().expect("one line");
        for _ in 0..20 {
            core.reactor.arm(monitor);
            doorbell.ring();
            assert!(ticks_of(|| core.reactor.watch(monitor, FAR)) >= LIMIT_TICKS);
        }
    }

    /// A reactor watches its line, and another thread completes an operation: the kernel says so there, by the tail or by a flag, and
    /// the reactor has work. Where completions are deferred it is the flag alone.
    #[test]
    fn a_completion_ends_the_watching() {
        let all = all_features();
        for missing in [
            &[][..],
            &[Feature::DeferTaskrun],
            &[Feature::DeferTaskrun, Feature::SingleIssuer],
            &[
                Feature::DeferTaskrun,
                Feature::SingleIssuer,
                Feature::CoopTaskrun,
            ],
        ] {
            let capabilities = missing.iter().fold(all, |rest, one| rest.without(*one));
            let (monitor, core) = (monitor(), Core::new(capabilities));
            core.submit_all(1);
            let event = Rc::new(event());
            let setter = event.try_clone().expect("a descriptor");
            let op = RefCell::new(None);
            ends_a_wait(
                || set(&setter),
                |ask| {
                    if let Some(op) = op.take() {
                        core.turn_until_idle();
                        assert_eq!(ready::<Op<Readable>>(op).expect("a poll"), 1);
                        let mut count = [0; 8];
                        rustix::io::read(&setter, &mut count).expect("it was set");
                    }
                    op.replace(Some(core.started(Readable::new(&event))));
                    core.submit_all(1);
                    let tail = core.reactor.with_header(|header| header.cq_tail());
                    core.reactor.arm(monitor);
                    assert!(!core.reactor.has_work());
                    ask();
                    let times = timed(|| core.reactor.watch(monitor, FAR));
                    core.reactor.with_header(|header| {
                        let has_moved = header.cq_tail() != tail;
                        assert!(!capabilities.defers_taskrun() || !has_moved);
                    });
                    times
                },
            );
            assert!(core.reactor.has_work(), "without {missing:?}");
            core.turn_until_idle();
        }
    }
}
