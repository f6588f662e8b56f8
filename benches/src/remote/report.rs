//! The tables and the JSON lines of the remote bench.

use std::io;

use super::workload::{Many, Measured, One};
use crate::options::Options;
use crate::report::{Figure, JsonLines, Spread};

pub(super) const OURS: &str = "ours";
pub(super) const LINE: &str = "line";
pub(super) const EVENTFD: &str = "eventfd";
/// `line` never sleeps: if its two threads had less than this share of two CPUs, someone else had the rest.
const QUIET: f64 = 0.97;

/// `measured[runtime][round]`.
pub(super) fn report(
    runtimes: &[&str],
    measured: &[Vec<Measured>],
    options: &Options,
) -> io::Result<()> {
    let mut json = JsonLines::create(options.json.as_deref())?;
    one(runtimes, measured, &mut json)?;
    many(runtimes, measured, &mut json)?;
    println!(
        "\nMedian (least..most) of the rounds; a ratio is taken in each round. CPU is that of both threads."
    );
    if let Some(line) = runtimes.iter().position(|name| *name == LINE) {
        let had = |round: &&Measured| round.one.cpu_ns / round.one.mean_ns / 2.0;
        let rounds = &measured[line];
        let disturbed = rounds.iter().filter(|round| had(round) < QUIET).count();
        if disturbed > 0 {
            println!(
                "The machine was not quiet: someone else ran on these CPUs in {disturbed} of {} rounds.",
                rounds.len()
            );
        }
    }
    json.finish()
}

fn one(runtimes: &[&str], measured: &[Vec<Measured>], json: &mut JsonLines) -> io::Result<()> {
    let samples = |of: fn(&One) -> f64| -> Vec<Vec<f64>> {
        measured
            .iter()
            .map(|rounds| rounds.iter().map(|round| of(&round.one) / 1e3).collect())
            .collect()
    };
    let columns = [
        ("one in flight, p50", samples(|one| one.latency.p50_ns)),
        ("one in flight, p99", samples(|one| one.latency.p99_ns)),
        ("one in flight, mean", samples(|one| one.mean_ns)),
        ("one in flight, CPU", samples(|one| one.cpu_ns)),
    ];
    let line = runtimes.iter().position(|name| *name == LINE);
    println!(
        "\n{:14} {:>24} {:>24} {:>24} {:>9} {:>24}",
        "one in flight", "p50 µs", "p99 µs", "mean µs", "CPU µs", "p50 of line"
    );
    for (runtime, name) in runtimes.iter().enumerate() {
        for (figure, samples) in &columns {
            json.write(&Figure {
                bench: "remote",
                figure,
                runtime: name,
                unit: "us",
                samples: &samples[runtime],
                ratio: line.map(|line| (LINE, &samples[line][..])),
            })?;
        }
        let spread = |column: usize| Spread::of(&columns[column].1[runtime]);
        let ratio = line.map_or(String::from("-"), |line| {
            let p50 = &columns[0].1;
            format!("{:.2}", Spread::of_ratios(&p50[runtime], &p50[line]))
        });
        println!(
            "{name:14} {:>24.2} {:>24.2} {:>24.2} {:>9.2} {ratio:>24}",
            spread(0),
            spread(1),
            spread(2),
            spread(3).median,
        );
    }
    Ok(())
}

fn many(runtimes: &[&str], measured: &[Vec<Measured>], json: &mut JsonLines) -> io::Result<()> {
    let samples = |of: fn(&Many) -> f64| -> Vec<Vec<f64>> {
        measured
            .iter()
            .map(|rounds| {
                rounds
                    .iter()
                    .filter_map(|round| round.many.as_ref().map(of))
                    .collect()
            })
            .collect()
    };
    let (wall, cpu) = (samples(|many| many.each_ns), samples(|many| many.cpu_ns));
    let able: Vec<usize> = (0..runtimes.len())
        .filter(|&runtime| !wall[runtime].is_empty())
        .collect();
    let median = |runtime: &&usize| Spread::of(&wall[**runtime]).median;
    let best = able
        .iter()
        .filter(|&&runtime| runtimes[runtime] != OURS)
        .min_by(|one, other| median(one).total_cmp(&median(other)));
    println!(
        "\n{:14} {:>24} {:>24} {:>24}",
        "256 in flight", "ns each", "CPU ns each", "of the best peer"
    );
    for &runtime in &able {
        let name = runtimes[runtime];
        let best = best.filter(|_| name == OURS);
        for (figure, samples) in [
            ("256 in flight, each", &wall),
            ("256 in flight, CPU each", &cpu),
        ] {
            json.write(&Figure {
                bench: "remote",
                figure,
                runtime: name,
                unit: "ns",
                samples: &samples[runtime],
                ratio: best.map(|&best| (runtimes[best], &samples[best][..])),
            })?;
        }
        let ratio = best.map_or(String::new(), |&best| {
            let ratio = Spread::of_ratios(&wall[runtime], &wall[best]);
            format!("{ratio:.2} of {}", runtimes[best])
        });
        println!(
            "{name:14} {:>24.0} {:>24.0} {ratio:>34}",
            Spread::of(&wall[runtime]),
            Spread::of(&cpu[runtime])
        );
    }
    Ok(())
}
