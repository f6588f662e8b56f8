//! Wakes by the million, around each boundary of the idle protocol: that none is lost. The load is the one of `executor/tests/wake_stress.rs`, for minutes
//! rather than seconds, and optimised. Beside it, forks, terminals, named pipes and children are tried on the same cores ([`neighbours`]).
//!
//! Measures nothing: it prints how the cores slept and were woken, by each way of waiting, and that it got to the end. A lost wake ends the process within
//! seconds, saying who waits and in what state the cores are.

#[path = "../../../executor/tests/common/mod.rs"]
mod common;
#[path = "../../../executor/tests/common/wake_load.rs"]
mod load;
mod neighbours;
#[path = "../../../executor/tests/common/round_watchdog.rs"]
mod round_watchdog;

use std::io;

use executor::{CoreStats, Waits, Wakes};

use crate::machine;
use crate::session::Session;
use crate::suite::Bench;

pub(crate) const BENCH: Bench = Bench {
    name: "stress",
    about: "whether a wake is lost: two cores and two threads, around each boundary of the idle protocol, beside forks, terminals, named pipes and children; no figures",
    runtimes: || vec!["ours"],
    run,
    is_of_all: false,
    rounds: 1,
    seconds: 120.0,
    quick_seconds: 5.0,
    turn_seconds: |_, seconds| seconds,
};

fn run(session: &mut Session<'_>) -> io::Result<()> {
    machine::two_cpus()?;
    let (policies, length) = (load::policies(), session.length());
    session.say(&format!(
        "{length:?} in all, {} ways of waiting, two cores and two threads each",
        policies.len()
    ));
    let share = length / policies.len() as u32;
    for policy in policies {
        let way = format!("{policy:?}");
        session.begin(&way);
        let stats = load::stress(policy, share, neighbours::run);
        session.end(share);
        session.say(&way);
        for (core, stats) in stats.iter().enumerate() {
            session.say(&format!("  core {core}: {stats}"));
            for (counter, count) in counters(stats) {
                session.note(&format!("core {core}: {counter}"), &way, count as f64);
            }
        }
    }
    session.say("No wake was lost, and nothing was left behind.");
    Ok(())
}

fn counters(stats: &CoreStats) -> Vec<(String, u64)> {
    let mut counters = Vec::new();
    for (
        who,
        Wakes {
            nothing,
            store,
            kernel,
            ..
        },
    ) in [("sent", stats.sent), ("foreign", stats.foreign)]
    {
        for (means, count) in [("nothing", nothing), ("store", store), ("kernel", kernel)] {
            counters.push((format!("{who}, by {means}"), count));
        }
    }
    let waits = [
        ("spun", stats.spun),
        ("monitored", stats.monitored),
        ("blocked", stats.blocked),
    ];
    for (
        how,
        Waits {
            begun,
            message,
            completion,
            timer,
            ..
        },
    ) in waits
    {
        for (end, count) in [
            ("begun", begun),
            ("message", message),
            ("completion", completion),
            ("timer", timer),
        ] {
            counters.push((format!("{how}: {end}"), count));
        }
    }
    counters.push((String::from("block given up"), stats.block_given_up));
    counters
}
