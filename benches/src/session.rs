//! A run of the program as a bench sees it: which runtimes take turns, how often and how long, what is shown meanwhile, and where
//! the figures go.
//!
//! A runtime that fails is left out of the rest of its bench, named, and makes the program fail in the end; what the others did is kept.

use std::io;
use std::time::Duration;

use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};

use crate::machine;
use crate::options::Options;
use crate::report::{Better, Figure, Ratio, Spread};
use crate::suite::Bench;

pub(crate) struct Session<'a> {
    pub(crate) options: &'a Options,
    bench: &'a Bench,
    /// Its length is the estimate, in milliseconds.
    bar: ProgressBar,
    /// Into how many calls of `take_turns` the estimate of the bench is divided.
    parts: usize,
    machine: String,
    pub(crate) figures: Vec<Figure>,
    pub(crate) failures: Vec<String>,
}

/// What was measured of each runtime, in each round.
pub(crate) struct Rounds<R> {
    pub(crate) runtimes: Vec<(&'static str, Vec<R>)>,
}

/// How a figure is taken from a round, and to whom it is compared.
pub(crate) struct Column<'a, R> {
    pub(crate) figure: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) better: Better,
    pub(crate) against: Against<'a>,
    /// None for a runtime that does not have it.
    pub(crate) of: &'a dyn Fn(&R) -> Option<f64>,
}

#[derive(Clone, Copy)]
pub(crate) enum Against<'a> {
    Nobody,
    /// Everybody to this one.
    Runtime(&'a str),
    /// Ours to the best of the others, except for those named, which are no runtimes.
    BestPeer(&'a [&'a str]),
}

/// The runtime of which `Against::BestPeer` speaks.
pub(crate) const OURS: &str = "ours";

impl<'a> Session<'a> {
    pub(crate) fn new(options: &'a Options, benches: &'a [Bench]) -> Self {
        let total: Duration = benches.iter().map(|bench| bench.estimate(options)).sum();
        let bar = ProgressBar::new(total.as_millis() as u64);
        let style = "{wide_bar:.dim} {percent:>3} %, {eta} left\n{msg}";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is right"));
        Session {
            options,
            bench: &benches[0],
            bar,
            parts: 1,
            machine: machine::describe(),
            figures: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Runs one bench. Its figures are the last ones after it.
    pub(crate) fn run(&mut self, bench: &'a Bench) {
        self.bench = bench;
        self.parts = 1;
        if let Err(error) = (bench.run)(self) {
            self.failures.push(format!("{}: {error}", bench.name));
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    pub(crate) fn rounds(&self) -> usize {
        self.bench.rounds(self.options)
    }

    pub(crate) fn length(&self) -> Duration {
        self.bench.length(self.options)
    }

    /// A line for people, above the bar.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| println!("{line}"));
    }

    /// Takes the bar away, for what is to be printed; the next step draws it again.
    pub(crate) fn clear(&self) {
        self.bar.set_message("");
        self.bar.suspend(|| {});
    }

    /// What runs from here on, below the bar.
    pub(crate) fn begin(&self, what: &str) {
        self.bar
            .set_message(format!("{} {}", self.bench.name, what.trim_start()));
        self.bar.tick();
    }

    /// It has run, and was estimated to take so long.
    pub(crate) fn end(&self, estimate: Duration) {
        self.bar.inc(estimate.as_millis() as u64);
    }

    /// A count that is no measurement: in the JSON, and in no table.
    pub(crate) fn note(&mut self, figure: &str, runtime: &str, count: f64) {
        self.push(figure, runtime, "1", Better::Neither, vec![count], None);
    }

    /// The bench will call `take_turns` so many times.
    pub(crate) fn in_parts(&mut self, parts: usize) {
        self.parts = parts;
    }

    /// Lets the runtimes that are wanted take turns, in an order that rotates from round to round.
    pub(crate) fn take_turns<T: Copy, R>(
        &mut self,
        what: &str,
        runtimes: &[(&'static str, T)],
        mut measure: impl FnMut(&'static str, T) -> io::Result<R>,
    ) -> Rounds<R> {
        let wanted = runtimes.iter().filter(|(name, _)| self.options.wants(name));
        let mut runtimes: Vec<_> = wanted
            .map(|(name, how)| (*name, *how, Vec::new()))
            .collect();
        let rounds = self.rounds();
        let step = self.bench.turn(self.options) / self.parts as u32;
        for round in 0..rounds {
            let mut failed = Vec::new();
            for turn in 0..runtimes.len() {
                let place = (round + turn) % runtimes.len();
                let (name, how, measured) = &mut runtimes[place];
                let round = round + 1;
                self.begin(&format!("{what} round {round} of {rounds}: {name}"));
                match measure(name, *how) {
                    Ok(result) => measured.push(result),
                    Err(error) => {
                        let complaint =
                            format!("{} {what}: {name} failed: {error}", self.bench.name);
                        self.bar.suspend(|| eprintln!("{complaint}"));
                        self.failures.push(complaint);
                        failed.push(*name);
                    }
                }
                self.bar.inc(step.as_millis() as u64);
            }
            runtimes.retain(|(name, ..)| !failed.contains(name));
        }
        let runtimes = runtimes.into_iter();
        Rounds {
            runtimes: runtimes
                .map(|(name, _, measured)| (name, measured))
                .collect(),
        }
    }

    /// Takes one figure from all the rounds.
    pub(crate) fn record<R>(&mut self, rounds: &Rounds<R>, column: Column<'_, R>) {
        let samples = rounds.samples(column.of);
        let baseline = column.against.baseline(&samples, column.better);
        for (runtime, own) in &samples {
            let is_compared = !matches!(column.against, Against::BestPeer(_)) || *runtime == OURS;
            let ratio = baseline.filter(|_| is_compared).map(|(to, theirs)| Ratio {
                to: String::from(*to),
                spread: Spread::of_ratios(own, theirs),
            });
            self.push(
                column.figure,
                runtime,
                column.unit,
                column.better,
                own.clone(),
                ratio,
            );
        }
    }

    fn push(
        &mut self,
        figure: &str,
        runtime: &str,
        unit: &str,
        better: Better,
        samples: Vec<f64>,
        ratio: Option<Ratio>,
    ) {
        let spread = Spread::of(&samples);
        self.figures.push(Figure {
            bench: String::from(self.bench.name),
            figure: String::from(figure),
            runtime: String::from(runtime),
            unit: String::from(unit),
            better,
            samples,
            rounds_disagree: spread.rounds_disagree(),
            spread,
            ratio,
            distribution: Vec::new(),
            machine: self.machine.clone(),
            version: machine::version(runtime).map(String::from),
        });
    }

    /// Adds to the figures recorded last the distribution that they are a point of: latencies in nanoseconds, told in `ns_per_unit`.
    pub(crate) fn add_distributions<R>(
        &mut self,
        rounds: &Rounds<R>,
        ns_per_unit: f64,
        of: impl Fn(&R) -> Option<&Histogram<u64>>,
    ) {
        let Some(last) = self.figures.last().cloned() else {
            return;
        };
        for (runtime, measured) in &rounds.runtimes {
            let mut all: Option<Histogram<u64>> = None;
            for one in measured.iter().filter_map(&of) {
                match &mut all {
                    Some(all) => all.add(one).expect("their bounds are the same"),
                    None => all = Some(one.clone()),
                }
            }
            let figure = self
                .figures
                .iter_mut()
                .rev()
                .take_while(|figure| figure.is_row_of(&last));
            let figure = figure.filter(|figure| figure.runtime == *runtime).last();
            if let (Some(figure), Some(all)) = (figure, all) {
                figure.distribution = points(&all, ns_per_unit);
            }
        }
    }
}

/// Closer together towards the tail, down to the last ten answers.
fn points(all: &Histogram<u64>, ns_per_unit: f64) -> Vec<(f64, f64)> {
    let shares = (0..=50).map(|step| 1.0 - 10f64.powf(-f64::from(step) / 10.0));
    let shares = shares.filter(|share| (1.0 - share) * all.len() as f64 >= 10.0);
    shares
        .map(|share| (share, all.value_at_quantile(share) as f64 / ns_per_unit))
        .collect()
}

impl<R> Rounds<R> {
    /// Of the runtimes that have it.
    fn samples(&self, of: impl Fn(&R) -> Option<f64>) -> Vec<(&'static str, Vec<f64>)> {
        let runtimes = self.runtimes.iter();
        let samples =
            runtimes.map(|(name, measured)| (*name, measured.iter().filter_map(&of).collect()));
        samples
            .filter(|(_, samples): &(_, Vec<f64>)| !samples.is_empty())
            .collect()
    }
}

impl Against<'_> {
    fn baseline<'s>(
        &self,
        samples: &'s [(&'static str, Vec<f64>)],
        better: Better,
    ) -> Option<&'s (&'static str, Vec<f64>)> {
        let median = |(_, samples): &&(_, Vec<f64>)| Spread::of(samples).median;
        let by_median = |one: &_, other: &_| median(one).total_cmp(&median(other));
        match self {
            Against::Nobody => None,
            Against::Runtime(to) => samples.iter().find(|(name, _)| name == to),
            Against::BestPeer(no_peers) => {
                let peers = samples
                    .iter()
                    .filter(|(name, _)| *name != OURS && !no_peers.contains(name));
                match better {
                    Better::More => peers.max_by(by_median),
                    Better::Less | Better::Neither => peers.min_by(by_median),
                }
            }
        }
    }
}
