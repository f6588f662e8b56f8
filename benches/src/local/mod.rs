//! Local costs: what one core pays to spawn, to yield and to keep timers. Nothing leaves the process.
//!
//! Every runtime runs the same code (`workloads.rs`), on a fresh thread pinned to the same CPU, in interleaved rounds
//! whose order rotates. The file of a runtime says only how it is started and what its functions are called.

mod monoio;
mod ours;
mod tokio;
mod workloads;

use std::io;

use crate::machine;
use crate::options::Options;
use crate::report::{Figure, JsonLines, Spread, progress};
use workloads::{Cost, workloads};

/// The one whose ratio to the best of the others is taken.
const OURS: &str = "ours";
/// CPU time is printed when it is this far from wall time: then something waited, or something was waited for.
const CPU_DIFFERS: f64 = 0.03;

type Workloads = fn() -> io::Result<Vec<Cost>>;

const RUNTIMES: [(&str, Workloads); 4] = [
    (OURS, workloads::<ours::Ours>),
    ("tokio-localset", workloads::<tokio::LocalSet>),
    ("tokio-localruntime", workloads::<tokio::LocalRuntime>),
    ("monoio", workloads::<monoio::Monoio>),
];

pub(crate) fn names() -> Vec<&'static str> {
    RUNTIMES.iter().map(|(name, _)| *name).collect()
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    options.check_only(&names()).map_err(io::Error::other)?;
    let cpu = *machine::cpus()?.first().ok_or(io::ErrorKind::NotFound)?;
    let runtimes: Vec<_> = RUNTIMES
        .into_iter()
        .filter(|(name, _)| options.wants(name))
        .collect();
    let rounds = options.rounds_or(15);
    println!("local: {rounds} rounds on CPU {cpu}, ns for each operation, median (least..most)");
    let mut measured = vec![Vec::with_capacity(rounds); runtimes.len()];
    for round in 0..rounds {
        for turn in 0..runtimes.len() {
            let runtime = (round + turn) % runtimes.len();
            let (name, workloads) = runtimes[runtime];
            progress(&format!("round {} of {rounds}: {name}", round + 1));
            let thread = std::thread::spawn(move || machine::pin(cpu).and_then(|()| workloads()));
            let costs = thread
                .join()
                .map_err(|_| io::Error::other(format!("{name} panicked")))?;
            measured[runtime]
                .push(costs.map_err(|error| io::Error::other(format!("{name}: {error}")))?);
        }
    }
    progress("");
    let names: Vec<&str> = runtimes.iter().map(|(name, _)| *name).collect();
    report(&names, &measured, options)
}

/// `measured[runtime][round]` holds the workloads in their one order.
fn report(runtimes: &[&str], measured: &[Vec<Vec<Cost>>], options: &Options) -> io::Result<()> {
    let mut json = JsonLines::create(options.json.as_deref())?;
    for (workload, Cost { figure, .. }) in measured[0][0].iter().enumerate() {
        let samples = |of: fn(&Cost) -> f64| -> Vec<Vec<f64>> {
            measured
                .iter()
                .map(|rounds| rounds.iter().map(|costs| of(&costs[workload])).collect())
                .collect()
        };
        let (wall, cpu) = (samples(|cost| cost.wall_ns), samples(|cost| cost.cpu_ns));
        let best = best_peer(runtimes, &wall);
        println!("\n{figure}");
        for (runtime, name) in runtimes.iter().enumerate() {
            let (wall_ns, cpu_ns) = (Spread::of(&wall[runtime]), Spread::of(&cpu[runtime]));
            let best = best.filter(|_| *name == OURS);
            let mut line = format!("    {name:20} {wall_ns:>30.1}");
            if (cpu_ns.median / wall_ns.median - 1.0).abs() > CPU_DIFFERS {
                line += &format!("  CPU {:.1}", cpu_ns.median);
            }
            if let Some(best) = best {
                let ratio = Spread::of_ratios(&wall[runtime], &wall[best]);
                line += &format!("  {ratio:.2} of {}", runtimes[best]);
            }
            println!("{line}");
            for (kind, samples) in [("", &wall), (" cpu", &cpu)] {
                let figure = &format!("{figure}{kind}");
                let ratio = best.map(|best| (runtimes[best], &samples[best][..]));
                let samples = &samples[runtime];
                json.write(&Figure {
                    bench: "local",
                    figure,
                    runtime: name,
                    unit: "ns",
                    samples,
                    ratio,
                })?;
            }
        }
    }
    json.finish()
}

/// The runtime, other than ours, with the smallest median.
fn best_peer(runtimes: &[&str], samples: &[Vec<f64>]) -> Option<usize> {
    let median = |runtime: &usize| Spread::of(&samples[*runtime]).median;
    let peers = (0..runtimes.len()).filter(|&runtime| runtimes[runtime] != OURS);
    peers.min_by(|one, other| median(one).total_cmp(&median(other)))
}
