//! The table and the JSON lines of the idle bench.

use std::io;

use super::Measured;
use crate::options::Options;
use crate::report::{Figure, JsonLines, Spread};

/// `measured[runtime][round]`. No ratios: next to nothing through next to nothing says nothing.
pub(super) fn report(
    runtimes: &[&str],
    measured: &[Vec<Measured>],
    options: &Options,
) -> io::Result<()> {
    type Column = (&'static str, &'static str, usize, fn(&Measured) -> f64);
    let columns: [Column; 6] = [
        ("CPU of core 0", "%", 3, |round| round.cpu_percent[0]),
        ("CPU of core 1", "%", 3, |round| round.cpu_percent[1]),
        ("switches of core 0", "1/s", 1, |round| {
            round.switches_per_s[0]
        }),
        ("switches of core 1", "1/s", 1, |round| {
            round.switches_per_s[1]
        }),
        ("quiet after a burst", "ms", 2, |round| round.quiet_after_ms),
        ("CPU after a burst", "us", 0, |round| round.cpu_after_us),
    ];
    let mut json = JsonLines::create(options.json.as_deref())?;
    for (figure, unit, digits, of) in columns {
        println!("\n{figure}, {}", unit.replace('u', "µ"));
        for (runtime, name) in runtimes.iter().enumerate() {
            let samples: Vec<f64> = measured[runtime].iter().map(of).collect();
            json.write(&Figure {
                bench: "idle",
                figure,
                runtime: name,
                unit,
                samples: &samples,
                ratio: None,
            })?;
            println!("    {name:8} {:>30.digits$}", Spread::of(&samples));
        }
    }
    println!(
        "\nMedian (least..most) of the rounds; CPU is a share of one. A burst's figures are medians within a round first."
    );
    json.finish()
}
