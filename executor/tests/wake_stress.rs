//! Two cores and two threads that are none wake each other, as [`wake_load`] says. A lost wake ends the process.
//!
//! `WAKE_STRESS_SECONDS` in the environment says how long it takes in all; `cargo run --release -p benches -- stress` does the same for minutes.

mod common;
#[path = "common/round_watchdog.rs"]
mod round_watchdog;
#[path = "common/wake_load.rs"]
mod wake_load;

use std::env;
use std::time::Duration;
use wake_load::{policies, stress};

const SECONDS: u64 = 5;

/// Each policy in turn, for its share of the time.
#[test]
fn no_wake_is_lost() {
    if common::cpus_allowed() < 2 {
        println!("skipped: it needs 2 CPUs");
        return;
    }
    let seconds = env::var("WAKE_STRESS_SECONDS").map_or(SECONDS, |seconds| {
        seconds.parse().expect("WAKE_STRESS_SECONDS is a number")
    });
    let policies = policies();
    let share = Duration::from_secs(seconds) / policies.len() as u32;
    for policy in policies {
        stress(policy, share, async |_, _| {});
    }
}
