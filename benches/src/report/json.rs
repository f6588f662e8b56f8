//! Figures as lines of JSON, one object each, all of one schema: the fields of `Figure`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use super::Figure;

pub(crate) fn write(path: &Path, figures: &[Figure]) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for figure in figures {
        serde_json::to_writer(&mut file, figure)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

/// Fails at the first line that is none of ours, and says which.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Figure>> {
    let named =
        |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| named(&error))?;
    let mut figures = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let figure = serde_json::from_str(&line?)
            .map_err(|error| named(&format!("line {}: {error}", number + 1)))?;
        figures.push(figure);
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use crate::report::{Better, Figure, Ratio, Spread};

    /// A processor that calls itself something with quotes, and a figure with everything in it, come back as they went.
    #[test]
    fn a_figure_comes_back_from_its_line() {
        let spread = Spread::of(&[1.0, 2.0, 4.0]);
        let figure = Figure {
            bench: String::from("echo"),
            figure: String::from("requests"),
            runtime: String::from("ours"),
            unit: String::from("1/s"),
            better: Better::More,
            samples: vec![1.0, 2.0, 4.0],
            spread,
            rounds_disagree: true,
            ratio: Some(Ratio {
                to: String::from("bare"),
                spread,
            }),
            distribution: vec![(0.5, 12.5), (0.99, 80.0)],
            machine: String::from("a \"CPU\" \\ with\nlines"),
            version: None,
        };
        let folder = std::env::temp_dir().join(format!("benches-{}", std::process::id()));
        super::write(&folder, std::slice::from_ref(&figure)).expect("a file can be written");
        let read = super::read(&folder);
        std::fs::remove_file(&folder).expect("it is there");
        assert_eq!(read.expect("it is of ours"), [figure]);
    }
}
