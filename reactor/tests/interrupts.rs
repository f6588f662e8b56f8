//! A signal handler runs on the owner between arming the monitor and waiting, as after any interrupt there: what it stores ends the wait, and if it stores
//! nothing, nothing is lost that comes later.

mod support;

use reactor::monitor::Monitor;
use reactor::park::{Look, ParkState, Wake, publish_fence};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::{Lines, interrupt, on_signal, spin_until, thread_id};

/// Longer than the system lets a wait be.
const FAR: Duration = Duration::from_secs(1);

static LINES: Lines = Lines::new();
static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn store(_: libc::c_int) {
    LINES.word(1, 9).fetch_add(1, Ordering::Relaxed);
}

extern "C" fn count(_: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

fn detect() -> Option<Monitor> {
    let monitor = Monitor::detect();
    if monitor.is_none() {
        println!("skipped: this processor has no monitor instruction");
    }
    monitor
}

/// The shortest of many waits.
fn shortest(wait: impl Fn()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        wait();
        start.elapsed()
    };
    (0..1_000).map(time).min().expect("there are some")
}

/// The handler stores to another word of the armed line: the wait does not begin. Where only the deadline ends it, it lasts longer than that.
#[test]
fn what_a_handler_stores_after_the_arming_is_not_missed() {
    let Some(monitor) = detect() else {
        return;
    };
    // SAFETY: an atomic addition is what a handler may do.
    unsafe { on_signal(libc::SIGUSR2, store) };
    let owner = thread_id();
    let wait = |limit| {
        monitor.arm(LINES.word(1, 3));
        interrupt(owner, libc::SIGUSR2);
        monitor.wait(limit);
    };
    let ended = shortest(|| wait(FAR));
    let at_once = shortest(|| wait(Duration::ZERO));
    assert!(ended < at_once + Duration::from_micros(10), "{ended:?}");
}

/// A core watches its line, and each time it has armed and looked a signal interrupts it: all that another thread pushes is found, by the doorbell's
/// store or after the wait that the interrupt ended.
#[test]
fn a_handler_between_arming_and_waiting_loses_nothing() {
    const PUSHES: u32 = 1_000;
    let Some(monitor) = detect() else {
        return;
    };
    // SAFETY: as above.
    unsafe { on_signal(libc::SIGUSR1, count) };
    let (state, lines) = (ParkState::new(), Lines::new());
    let (pushed, seen) = (AtomicU32::new(0), AtomicU32::new(0));
    let owner = thread_id();
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..PUSHES {
                spin_until(|| seen.load(Ordering::Acquire) == number);
                if number % 2 == 0 {
                    // Before or in a wait, and not before the first look only.
                    let handled = HANDLED.load(Ordering::Relaxed);
                    spin_until(|| HANDLED.load(Ordering::Relaxed) > handled);
                }
                pushed.fetch_add(1, Ordering::Release);
                publish_fence();
                match state.ring() {
                    Wake::Nothing => {}
                    Wake::Store => {
                        lines.word(1, 9).fetch_add(1, Ordering::Relaxed);
                    }
                    Wake::Kernel => unreachable!("the owner never blocks"),
                }
            }
        });
        for number in 0..PUSHES {
            let found = state.monitor(
                || monitor.arm(lines.word(1, 3)),
                || match pushed.load(Ordering::Acquire) > number {
                    true => Look::Work,
                    false => Look::Nothing(FAR),
                },
                |limit| {
                    interrupt(owner, libc::SIGUSR1);
                    monitor.wait(limit);
                },
            );
            assert!(found);
            seen.fetch_add(1, Ordering::Release);
        }
    });
    assert!(HANDLED.load(Ordering::Relaxed) >= PUSHES as usize / 2);
}
