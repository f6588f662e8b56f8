//! The tables and the JSON lines of the echo bench.

use std::io;

use super::client::Measured;
use crate::latency::Summary;
use crate::options::Options;
use crate::report::{Figure, JsonLines, Spread};

/// What the servers are compared to: how far the kernel alone would go.
pub(super) const YARDSTICK: &str = "bare";
/// The same for the latency of a single connection, where whoever spins is ahead of whoever sleeps.
pub(super) const SPINNING: &str = "bare-spin";

/// `measured[server][round]`.
pub(super) fn report(
    servers: &[&str],
    measured: &[Vec<Measured>],
    options: &Options,
) -> io::Result<()> {
    let samples = |of: fn(&Measured) -> f64| -> Vec<Vec<f64>> {
        measured
            .iter()
            .map(|rounds| rounds.iter().map(of).collect())
            .collect()
    };
    let columns = [
        ("requests_per_s", "1/s", samples(Measured::requests_per_s)),
        ("server_cpu", "us", samples(Measured::server_cpu_us)),
        ("server_busy", "%", samples(Measured::server_busy_percent)),
        ("client_busy", "%", samples(Measured::client_busy_percent)),
    ];
    let yardstick = servers.iter().position(|name| *name == YARDSTICK);
    println!(
        "{:9} {:>26} {:>22} {:>20} {:>20} {:>7} {:>7}",
        "server", "requests/s", "of bare", "CPU µs/request", "of bare", "server", "client"
    );
    let mut json = JsonLines::create(options.json.as_deref())?;
    for (server, name) in servers.iter().enumerate() {
        for (figure, unit, samples) in &columns {
            let ratio = yardstick.map(|yardstick| (YARDSTICK, &samples[yardstick][..]));
            json.write(&Figure {
                bench: "echo",
                figure,
                runtime: name,
                unit,
                samples: &samples[server],
                ratio,
            })?;
        }
        let spread = |column: usize| Spread::of(&columns[column].2[server]);
        let ratio = |column: usize| match yardstick {
            Some(to) => format!(
                "{:.3}",
                Spread::of_ratios(&columns[column].2[server], &columns[column].2[to])
            ),
            None => String::from("-"),
        };
        println!(
            "{name:9} {:>26.0} {:>22} {:>20.2} {:>20} {:>6.0}% {:>6.0}%",
            spread(0),
            ratio(0),
            spread(1),
            ratio(1),
            spread(2).median,
            spread(3).median
        );
    }
    latency(servers, measured, &mut json)?;
    println!(
        "\nMedian (least..most) of the rounds; a ratio is taken in each round. \"server\" and \"client\" are the"
    );
    println!(
        "shares of their CPUs in use: with a client near 100 %, only CPU µs/request compares."
    );
    let rounds = measured.iter().flatten();
    let (rounds, disturbed) = (
        rounds.clone().count(),
        rounds.filter(|round| round.was_disturbed()).count(),
    );
    if disturbed > 0 {
        println!(
            "The machine was not quiet: someone else ran on the client's CPU in {disturbed} of {rounds} rounds."
        );
    }
    json.finish()
}

/// With one connection, what the client waited for an answer.
fn latency(servers: &[&str], measured: &[Vec<Measured>], json: &mut JsonLines) -> io::Result<()> {
    let samples = |of: fn(Summary) -> f64| -> Option<Vec<Vec<f64>>> {
        let of = |round: &Measured| round.latency().map(|latency| of(latency) / 1e3);
        let rounds = measured
            .iter()
            .map(|rounds| rounds.iter().map(of).collect());
        rounds.collect()
    };
    let (Some(p50), Some(p99)) = (
        samples(|latency| latency.p50_ns),
        samples(|latency| latency.p99_ns),
    ) else {
        return Ok(());
    };
    let yardstick = servers.iter().position(|name| *name == SPINNING);
    println!(
        "\n{:9} {:>26} {:>26} {:>22}",
        "answer", "p50 µs", "p99 µs", "p50 of bare-spin"
    );
    for (server, name) in servers.iter().enumerate() {
        for (figure, samples) in [("latency, p50", &p50), ("latency, p99", &p99)] {
            json.write(&Figure {
                bench: "echo",
                figure,
                runtime: name,
                unit: "us",
                samples: &samples[server],
                ratio: yardstick.map(|yardstick| (SPINNING, &samples[yardstick][..])),
            })?;
        }
        let ratio = yardstick.map_or(String::from("-"), |to| {
            format!("{:.3}", Spread::of_ratios(&p50[server], &p50[to]))
        });
        println!(
            "{name:9} {:>26.2} {:>26.2} {ratio:>22}",
            Spread::of(&p50[server]),
            Spread::of(&p99[server])
        );
    }
    Ok(())
}
