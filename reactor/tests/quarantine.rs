//! The allocator that watches over `cancellation.rs` finds what it is there to find. A file of its own, because the children it starts
//! have, for a moment, copies of all descriptors, which the tests there would notice.

mod support;

use std::process::Command;
use std::{env, hint};
use support::quarantine::{self, Quarantine};

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine;

/// The allocator bites: a child process writes one byte to memory it has freed, or has the kernel do it, and then either asks for a check
/// or goes on allocating. Each time it dies of it.
#[test]
fn a_write_to_freed_memory_is_found() {
    const CRIME: &str = "CRIME";
    if let Ok(crime) = env::var(CRIME) {
        return commit(&crime);
    }
    for crime in [
        "store, check",
        "store, go on",
        "kernel, check",
        "kernel, go on",
    ] {
        if !quarantine::is_watching() && crime.starts_with("kernel") {
            eprintln!("skipped: nobody sees the kernel write");
            continue;
        }
        let child = Command::new(env::current_exe().expect("this test"))
            .args(["--exact", "a_write_to_freed_memory_is_found", "--nocapture"])
            .env(CRIME, crime)
            .output()
            .expect("a child");
        let said = String::from_utf8_lossy(&child.stderr);
        assert!(!child.status.success(), "{crime}: {said}");
        assert!(
            said.contains("freed memory was written to") || said.contains("heap-use-after-free"),
            "{crime}: {said}"
        );
    }
}

fn commit(crime: &str) {
    let block = Box::into_raw(Box::new([0u8; 100]));
    // SAFETY: it came from a box.
    drop(unsafe { Box::from_raw(block) });
    let byte = block.cast::<u8>().wrapping_add(77);
    if crime.starts_with("store") {
        // SAFETY: none. This is the crime, in a process that has nothing to lose.
        unsafe { byte.write_volatile(1) };
    } else {
        // SAFETY: as above.
        let read = unsafe { libc::syscall(libc::SYS_getrandom, byte, 8, 0) };
        assert_eq!(read, 8);
    }
    if crime.ends_with("check") {
        quarantine::check();
    } else {
        for _ in 0..quarantine::BLOCKS_MAX * 2 {
            drop(hint::black_box(Box::new(0)));
        }
    }
}
