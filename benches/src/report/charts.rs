//! Charts, as SVG: for each bench the ratios of all its figures, and for each latency its distribution. This file decides which there are,
//! and what a runtime looks like in all of them.
//!
//! No fonts of the system are read: a text's place is worked out from its anchor, and the reader's sans-serif is good enough.

use std::fs;
use std::io;
use std::path::Path;

use plotters::prelude::{IntoFont, RGBColor, TextStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart_latencies::draw_latencies;
use super::chart_ratios::draw_ratios;
use super::{Better, Figure};
use crate::session::OURS;

/// Far enough apart for one who does not tell red from green; ours is not among them.
const PEERS: [RGBColor; 8] = [
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(120, 94, 160),
    RGBColor(140, 86, 75),
    RGBColor(23, 150, 170),
];
const BLUE: RGBColor = RGBColor(0, 90, 200);
/// For ours in another way than the usual one.
const LIGHT_BLUE: RGBColor = RGBColor(110, 165, 240);
const TEXT: RGBColor = RGBColor(40, 40, 40);
const YARDSTICK: RGBColor = RGBColor(150, 150, 150);

/// Writes `BENCH-ratios.svg` and `BENCH-FIGURE.svg` into the folder, and says so.
pub(crate) fn draw(folder: &Path, figures: &[Figure]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut files = Vec::new();
    for bench in figures.chunk_by(|one, next| one.bench == next.bench) {
        let rows: Vec<&[Figure]> = bench.chunk_by(|one, next| one.is_row_of(next)).collect();
        let compared: Vec<_> = rows
            .iter()
            .copied()
            .filter(|row| baseline(row).is_some())
            .collect();
        if !compared.is_empty() {
            let file = folder.join(format!("{}-ratios.svg", bench[0].bench));
            draw_ratios(&file, &compared)?;
            files.push(file);
        }
        for row in rows
            .iter()
            .filter(|row| row.iter().any(|figure| !figure.distribution.is_empty()))
        {
            let name = file_name(&format!(
                "{} {} distribution",
                row[0].bench,
                title_of_latencies(&row[0].figure)
            ));
            let file = folder.join(format!("{name}.svg"));
            draw_latencies(&file, row)?;
            files.push(file);
        }
    }
    for file in files {
        println!("drawn: {}", file.display());
    }
    Ok(())
}

/// The figure that is 1 in a row's ratios.
pub(super) fn baseline(row: &[Figure]) -> Option<&Figure> {
    if row[0].better == Better::Neither {
        return None;
    }
    let to = &row.iter().find_map(|figure| figure.ratio.as_ref())?.to;
    row.iter().find(|figure| figure.runtime == *to)
}

/// A distribution is not of one of its points.
pub(super) fn title_of_latencies(figure: &str) -> &str {
    let title = figure.strip_suffix("p50").unwrap_or(figure);
    title.trim_end_matches([',', ' '])
}

/// Ours stands out, what is no runtime recedes, and of the others each has a colour of its own in every chart of a bench.
pub(super) fn colour(runtime: &str, place: usize) -> RGBColor {
    match runtime {
        OURS => BLUE,
        "bare" | "line" | "blocking" | "fio" | "redis-server" | "owned" => YARDSTICK,
        "bare-spin" | "eventfd" => RGBColor(90, 90, 90),
        _ if is_known(runtime, "tokio") => {
            PEERS[if runtime == "tokio" || runtime.ends_with("set") {
                0
            } else {
                3
            }]
        }
        _ if is_known(runtime, "monoio") => PEERS[1],
        _ if is_known(runtime, "glommio") => PEERS[if runtime.ends_with("spin") { 5 } else { 2 }],
        _ if is_known(runtime, "compio") => PEERS[6],
        _ if is_known(runtime, OURS) => LIGHT_BLUE,
        _ => PEERS[place % PEERS.len()],
    }
}

fn is_known(runtime: &str, peer: &str) -> bool {
    runtime.starts_with(peer)
}

/// Dark, and vertically around its place.
pub(super) fn text(size: i32, horizontal: HPos) -> TextStyle<'static> {
    let style = TextStyle::from(("sans-serif", size).into_font()).color(&TEXT);
    style.pos(Pos::new(horizontal, VPos::Center))
}

/// Only what every file system and every browser takes.
fn file_name(text: &str) -> String {
    let mut name = String::new();
    for letter in text.to_lowercase().replace('×', "x").chars() {
        match letter {
            'a'..='z' | '0'..='9' => name.push(letter),
            _ if name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    String::from(name.trim_matches('-'))
}

/// An error of plotters, which is none of `std`.
pub(super) fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

#[cfg(test)]
mod tests {
    /// What a figure is called says what its file is called, without what has to be quoted in a shell.
    #[test]
    fn file_names_are_plain() {
        let name = super::file_name("echo 1 × 64 B: latency");
        assert_eq!(name, "echo-1-x-64-b-latency");
    }
}
