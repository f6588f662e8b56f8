//! A wake from an awake core to an awake core is a store: counted are the system calls of a whole process, of all its threads and of every
//! kind, while two cores call each other. Each count is made in a process of its own.

#[path = "support/child.rs"]
mod child;
mod common;
#[path = "common/system_calls.rs"]
mod system_calls;

use child::Child;
use executor::{Builder, IdlePolicy};
use reactor::monitor::Monitor;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use system_calls::SystemCalls;

/// Longer than the test: a core that waits for work in this way never comes to block.
const ALWAYS: Duration = Duration::from_secs(3_600);
/// Until then what is allocated once has been.
const WARM_UP_CALLS: usize = 2_000;

/// Core 0 calls core 1, `calls` times, each there and back. Returns the system calls that were made meanwhile, by number.
fn system_calls_of(calls: usize, policy: IdlePolicy) -> Vec<(usize, u64)> {
    let builder = Builder::new().cores(2).idle(policy);
    let runtime = builder.build().expect("the runtime starts");
    runtime.block_on(async {
        let call_other_core = async |calls| {
            for _ in 0..calls {
                let called = executor::spawn_on(1, async || executor::current_core());
                assert_eq!(called.await.unwrap(), 1);
            }
        };
        call_other_core(WARM_UP_CALLS).await;
        SystemCalls::begin();
        call_other_core(WARM_UP_CALLS).await;
        let before = SystemCalls::read();
        call_other_core(calls).await;
        let mut made = SystemCalls::read().since(&before);
        made.retain(|(number, _)| !is_of_allocator(*number));
        made.retain(|(number, count)| !is_of_watchdog(*number, *count, calls));
        made
    })
}

/// The watchdog waits anew twice a second, while a core is busy.
fn is_of_watchdog(number: usize, count: u64, calls: usize) -> bool {
    number as libc::c_long == libc::SYS_futex && count < calls as u64 / 100
}

/// Where tasks are not recycled, as under AddressSanitizer, each call allocates anew: now and then the allocator asks the kernel for more.
fn is_of_allocator(number: usize) -> bool {
    const CALLS: [libc::c_long; 4] = [
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_madvise,
        libc::SYS_brk,
    ];
    cfg!(no_recycling) && CALLS.contains(&(number as libc::c_long))
}

/// The right to use two CPUs: processes whose cores all spin would keep each other from them. `None`, with a word, where there are fewer.
fn two_cpus() -> Option<MutexGuard<'static, ()>> {
    static CPUS: Mutex<()> = Mutex::new(());
    if common::cpus_allowed() < 2 {
        println!("skipped: it needs 2 CPUs");
        return None;
    }
    Some(CPUS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Both cores spin: a hundred thousand calls there and back, and not one system call by anybody.
#[test]
fn awake_cores_wake_each_other_without_a_system_call() {
    let child = Child::of(|| {
        let policy = IdlePolicy::latency().spin(ALWAYS);
        assert_eq!(system_calls_of(100_000, policy), []);
    });
    if let Some(_cpus) = two_cpus() {
        child.run_well();
    }
}

/// Both cores watch their cache lines: likewise.
#[test]
fn watching_cores_wake_each_other_without_a_system_call() {
    let child = Child::of(|| {
        let policy = IdlePolicy::block().monitor(ALWAYS);
        assert_eq!(system_calls_of(10_000, policy), []);
    });
    if Monitor::detect().is_none() {
        println!("skipped: this processor has no monitor instruction");
    } else if let Some(_cpus) = two_cpus() {
        child.run_well();
    }
}

/// Both cores block: of a thousand calls most take two writes, and as many enters to sleep again. So it is these that are counted.
#[test]
fn blocking_cores_need_system_calls() {
    const CALLS: u64 = 1_000;
    let child = Child::of(|| {
        let counts = system_calls_of(CALLS as usize, IdlePolicy::block());
        let count = |number: libc::c_long| {
            let found = counts.iter().find(|(found, _)| *found == number as usize);
            found.map_or(0, |(_, count)| *count)
        };
        assert!(count(libc::SYS_write) > CALLS, "{counts:?}");
        assert!(count(libc::SYS_io_uring_enter) > CALLS, "{counts:?}");
    });
    if let Some(_cpus) = two_cpus() {
        child.run_well();
    }
}
