//! From samples to figures: the median of the rounds, their spread, ratios round by round, and a line of JSON for each.
//!
//! A ratio is taken within a round and only then summarised: what disturbs a noisy machine for a few seconds disturbs
//! both sides of it. Nothing here knows what was measured.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::machine;

/// The median of some rounds and how far the least and the most were from it.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    /// Panics without samples: a bench that measured nothing has nothing to report.
    pub(crate) fn of(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            (sorted[middle - 1] + sorted[middle]) / 2.0
        };
        Spread {
            median,
            least: sorted[0],
            most: sorted[sorted.len() - 1],
        }
    }

    /// Of the ratios of two runtimes' samples, round by round.
    pub(crate) fn of_ratios(ours: &[f64], theirs: &[f64]) -> Self {
        let ratios: Vec<f64> = ours
            .iter()
            .zip(theirs)
            .map(|(ours, theirs)| ours / theirs)
            .collect();
        Spread::of(&ratios)
    }
}

/// `median (least..most)`, with the precision the formatter asks for.
impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = formatter.precision().unwrap_or(0);
        let Spread {
            median,
            least,
            most,
        } = self;
        let text = format!("{median:.digits$} ({least:.digits$}..{most:.digits$})");
        // `pad` would cut the text to the precision.
        write!(
            formatter,
            "{text:>width$}",
            width = formatter.width().unwrap_or(0)
        )
    }
}

/// One line of the file that `--json` names.
pub(crate) struct Figure<'a> {
    pub(crate) bench: &'a str,
    pub(crate) figure: &'a str,
    pub(crate) runtime: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) samples: &'a [f64],
    /// To whom, and that runtime's samples of the same figure.
    pub(crate) ratio: Option<(&'a str, &'a [f64])>,
}

/// The file that `--json` names, or nowhere: one object a line.
pub(crate) struct JsonLines {
    file: Option<BufWriter<File>>,
    machine: String,
}

impl JsonLines {
    pub(crate) fn create(path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(File::create).transpose()?.map(BufWriter::new);
        let machine = machine::describe();
        Ok(JsonLines { file, machine })
    }

    pub(crate) fn write(&mut self, figure: &Figure<'_>) -> io::Result<()> {
        let Figure {
            bench,
            figure: name,
            runtime,
            unit,
            samples,
            ratio,
        } = figure;
        let mut line = object(json!({
            "bench": bench,
            "figure": name,
            "runtime": runtime,
            "unit": unit,
            "rounds": samples.len(),
        }));
        insert_spread(&mut line, "", Spread::of(samples));
        if let Some((to, theirs)) = ratio {
            line.insert(String::from("ratio_to"), json!(to));
            insert_spread(&mut line, "ratio_", Spread::of_ratios(samples, theirs));
        }
        self.write_line(line)
    }

    /// Any object; what the machine is comes with it.
    pub(crate) fn write_line(&mut self, mut line: Map<String, Value>) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        line.insert(String::from("machine"), json!(self.machine));
        writeln!(file, "{}", Value::Object(line))
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        self.file.map_or(Ok(()), |mut file| file.flush())
    }
}

/// What `json!` makes of braces.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => unreachable!("{other} is no object"),
    }
}

/// Three members more.
pub(crate) fn insert_spread(object: &mut Map<String, Value>, prefix: &str, spread: Spread) {
    let Spread {
        median,
        least,
        most,
    } = spread;
    for (name, figure) in [("median", median), ("min", least), ("max", most)] {
        // More digits say nothing.
        let figure = (figure * 1e4).round() / 1e4;
        object.insert(format!("{prefix}{name}"), json!(figure));
    }
}

/// What is running now, for a person who waits: on a terminal only, and overwritten by the next.
pub(crate) fn progress(text: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
    }
}
