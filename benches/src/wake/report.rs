//! The table and the one line of JSON of the wake bench.

use std::io;

use serde_json::{Map, Value, json};

use super::{Means, Measured};
use crate::options::Options;
use crate::report::{JsonLines, Spread, insert_spread, object};

pub(super) const THREAD_MONITORING: &str = "thread-monitoring";
pub(super) const CORE_MONITORING: &str = "core-monitoring";
pub(super) const TOKIO: &str = "tokio";
const TOLD: [&str; 3] = ["nothing", "store", "kernel"];

pub(super) fn is_monitoring(way: &str) -> bool {
    [THREAD_MONITORING, CORE_MONITORING].contains(&way)
}

/// One way, over all rounds.
struct Row<'a> {
    way: &'a str,
    p50_us: Vec<f64>,
    p99_us: Vec<f64>,
    told: Option<[u64; 3]>,
}

impl<'a> Row<'a> {
    fn of(way: &'a str, rounds: &[Measured]) -> Self {
        let sum = |told: [u64; 3], round: &Measured| -> Option<[u64; 3]> {
            let more = round.told?;
            Some(std::array::from_fn(|means| told[means] + more[means]))
        };
        Row {
            way,
            p50_us: rounds
                .iter()
                .map(|round| round.latency.p50_ns / 1e3)
                .collect(),
            p99_us: rounds
                .iter()
                .map(|round| round.latency.p99_ns / 1e3)
                .collect(),
            told: rounds.iter().try_fold([0; 3], sum),
        }
    }

    /// What the core was told with, in shares of all the calls.
    fn told(&self) -> String {
        let Some(told) = self.told else {
            return String::from("-");
        };
        let all = told.iter().sum::<u64>().max(1) as f64;
        let shares = told.iter().zip(TOLD).filter(|(count, _)| **count > 0);
        let shares: Vec<_> = shares
            .map(|(count, means)| format!("{means} {:.1} %", *count as f64 / all * 100.0))
            .collect();
        shares.join(", ")
    }
}

/// `measured[way][round]`.
pub(super) fn report(
    ways: &[&str],
    measured: &[Vec<Measured>],
    means: &Means,
    options: &Options,
) -> io::Result<()> {
    let rows = ways.iter().zip(measured);
    let rows: Vec<Row<'_>> = rows.map(|(way, rounds)| Row::of(way, rounds)).collect();
    let tokio = rows.iter().find(|row| row.way == TOKIO);
    println!(
        "\n{:18} {:>24} {:>26} {:>20}  told by",
        "who wakes whom", "p50 µs", "p99 µs", "p50 of tokio"
    );
    for row in &rows {
        let ratio = tokio.map_or(String::from("-"), |tokio| {
            format!("{:.3}", Spread::of_ratios(&row.p50_us, &tokio.p50_us))
        });
        println!(
            "{:18} {:>24.2} {:>26.2} {ratio:>20}  {}",
            row.way,
            Spread::of(&row.p50_us),
            Spread::of(&row.p99_us),
            row.told()
        );
    }
    if !means.can_monitor() {
        println!(
            "Skipped: {THREAD_MONITORING}, {CORE_MONITORING}. No core watches its line here, see above."
        );
    }
    println!(
        "\nMedian (least..most) of the rounds; a ratio is taken in each round. In tokio a thread wakes a runtime that is blocked."
    );
    let mut json = JsonLines::create(options.json.as_deref())?;
    json.write_line(line(&rows, means))?;
    json.finish()
}

/// Everything, in one object.
fn line(rows: &[Row<'_>], means: &Means) -> Map<String, Value> {
    let ways = rows.iter().map(|row| {
        let mut way = object(json!({ "rounds": row.p50_us.len() }));
        insert_spread(&mut way, "p50_", Spread::of(&row.p50_us));
        insert_spread(&mut way, "p99_", Spread::of(&row.p99_us));
        for (count, means) in row.told.iter().flatten().zip(TOLD) {
            way.insert(format!("told_by_{means}"), json!(count));
        }
        (row.way.to_owned(), Value::Object(way))
    });
    object(json!({
        "bench": "wake",
        "instruction": means.instruction(),
        "doorbell": means.doorbell(),
        "can_monitor": means.can_monitor(),
        "unit": "us",
        "ways": ways.collect::<Map<_, _>>(),
    }))
}
