//! Wakes by the million, around each boundary of the idle protocol: that none is lost. The load is the one of `executor/tests/wake_stress.rs`, for minutes
//! rather than seconds, and optimised.
//!
//! Measures nothing: it prints how the cores slept and were woken, by each way of waiting, and that it got to the end. A lost wake ends the process within
//! seconds, saying who waits and in what state the cores are.

#[path = "../../../executor/tests/common/mod.rs"]
mod common;
#[path = "../../../executor/tests/common/wake_load.rs"]
mod load;
#[path = "../../../executor/tests/common/round_watchdog.rs"]
mod round_watchdog;

use std::io;
use std::time::Duration;

use executor::{CoreStats, IdlePolicy};
use serde_json::{Value, json};

use crate::machine;
use crate::options::Options;
use crate::report::{JsonLines, object, progress};

const LENGTH: Duration = Duration::from_secs(120);

pub(crate) fn run(options: &Options) -> io::Result<()> {
    options.check_only(&[]).map_err(io::Error::other)?;
    if machine::cpus()?.len() < 2 {
        return Err(io::Error::other("the stress needs two CPUs"));
    }
    let (policies, length) = (load::policies(), options.round_or(LENGTH));
    println!(
        "stress: {length:?} in all, {} ways of waiting, two cores and two threads each",
        policies.len()
    );
    let share = length / policies.len() as u32;
    let mut json = JsonLines::create(options.json.as_deref())?;
    for policy in policies {
        progress(&format!("{policy:?}"));
        let stats = load::stress(policy, share);
        progress("");
        println!("\n{policy:?}");
        for (core, stats) in stats.iter().enumerate() {
            println!("  core {core}: {stats}");
        }
        json.write_line(object(line(policy, &stats)))?;
    }
    println!("\nNo wake was lost.");
    json.finish()
}

fn line(policy: IdlePolicy, stats: &[CoreStats]) -> Value {
    let cores: Vec<Value> = stats
        .iter()
        .map(|stats| {
            let wakes = |wakes: executor::Wakes| json!({ "nothing": wakes.nothing, "store": wakes.store, "kernel": wakes.kernel });
            let waits = |waits: executor::Waits| {
                json!({
                    "begun": waits.begun,
                    "message": waits.message,
                    "completion": waits.completion,
                    "timer": waits.timer,
                })
            };
            json!({
                "sent": wakes(stats.sent),
                "foreign": wakes(stats.foreign),
                "spun": waits(stats.spun),
                "monitored": waits(stats.monitored),
                "blocked": waits(stats.blocked),
                "block_given_up": stats.block_given_up,
            })
        })
        .collect();
    json!({ "bench": "stress", "policy": format!("{policy:?}"), "cores": cores })
}
