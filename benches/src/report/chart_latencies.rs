//! The distribution of one latency: how many of the answers have come after how long, with more and more room towards the slowest.

use std::io;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::Figure;
use super::charts::{colour, failed, text, title_of_latencies};
use super::table::{digits_for, number};
use crate::session::OURS;

const SIZE: (u32, u32) = (900, 480);
/// Labels stand this far apart at least.
const LABEL_STEP: i32 = 16;
const LABEL_ROOM: i32 = 190;

/// A row is one figure with all of its runtimes.
pub(super) fn draw_latencies(file: &Path, row: &[Figure]) -> io::Result<()> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    draw(&area, row).map_err(failed)?;
    area.present().map_err(failed)
}

fn draw(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    row: &[Figure],
) -> Result<(), DrawingAreaErrorKind<io::Error>> {
    area.fill(&WHITE)?;
    let rarest = last_for_all(row);
    let points = |figure: &Figure| -> Vec<(f64, f64)> {
        let points = figure.distribution.iter();
        let points = points.map(|&(share, latency)| (rarity(share), latency));
        points.filter(|(rarity, _)| *rarity <= rarest).collect()
    };
    let (mut least, mut most) = (f64::MAX, 0.0f64);
    for (_, latency) in row.iter().flat_map(points) {
        least = least.min(latency);
        most = most.max(latency);
    }
    let unit = row[0].unit.replace("us", "µs");
    let title = format!(
        "{} {}: time within which so many were over",
        row[0].bench,
        title_of_latencies(&row[0].figure)
    );
    area.draw(&Text::new(title, (12, 20), text(16, HPos::Left)))?;
    let note = "lower is better, logarithmic scale";
    area.draw(&Text::new(
        note,
        (SIZE.0 as i32 - 12, 20),
        text(13, HPos::Right),
    ))?;
    let inner = area.margin(36, 8, 8, LABEL_ROOM);
    let mut chart = ChartBuilder::on(&inner)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..rarest, (least * 0.8..most * 1.2).log_scale())?;
    chart
        .configure_mesh()
        .x_labels(rarest as usize + 1)
        .x_label_formatter(&|rarity| percent(*rarity))
        .y_label_formatter(&|latency| {
            format!("{} {unit}", number(*latency, digits_for(*latency).min(1)))
        })
        .label_style(text(13, HPos::Center))
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(BLACK.mix(0.4))
        .draw()?;

    // The axis marks nines only, and a half is no nine.
    let (half, foot) = chart.backend_coord(&(rarity(0.5), least * 0.8));
    area.draw(&PathElement::new(
        [(half, foot), (half, foot + 5)],
        BLACK.mix(0.4),
    ))?;
    area.draw(&Text::new(
        "50 %",
        (half, foot + 15),
        text(13, HPos::Center),
    ))?;

    let mut labels = Vec::new();
    for (place, figure) in row.iter().enumerate() {
        let colour = colour(&figure.runtime, place);
        let width = if figure.runtime == OURS { 4 } else { 2 };
        let line = points(figure);
        let last = line.last().copied();
        chart.draw_series(LineSeries::new(line, colour.stroke_width(width)))?;
        if let Some(last) = last {
            let (_, height) = chart.backend_coord(&last);
            labels.push((height, figure, colour));
        }
    }
    labels.sort_by_key(|(height, ..)| *height);
    let mut free = 0;
    for (height, figure, colour) in labels {
        let height = height.max(free);
        free = height + LABEL_STEP;
        let median = number(figure.spread.median, digits_for(figure.spread.median));
        let label = format!("{}  (half: {median} {unit})", figure.runtime);
        let left = SIZE.0 as i32 - LABEL_ROOM;
        area.draw(&Text::new(
            label,
            (left, height),
            text(13, HPos::Left).color(&colour),
        ))?;
    }
    Ok(())
}

/// How far to the tail everybody's answers suffice: the lines end together, and nobody's ends with what the others do not show.
fn last_for_all(row: &[Figure]) -> f64 {
    let last = row.iter().filter_map(|figure| figure.distribution.last());
    let last = last.map(|&(share, _)| rarity(share));
    // Room for two points, whatever there is.
    last.fold(f64::MAX, f64::min).max(0.1)
}

/// Nines: 0 for all of the answers, 1 for one in ten, 2 for one in a hundred.
fn rarity(share: f64) -> f64 {
    -(1.0 - share).log10()
}

/// Of the answers that are no slower.
fn percent(rarity: f64) -> String {
    let slower = 100.0 * 10f64.powf(-rarity);
    let digits = (rarity.round() as usize).saturating_sub(2);
    format!("{:.digits$} %", 100.0 - slower)
}

#[cfg(test)]
mod tests {
    /// The marks of the axis are those that people speak of.
    #[test]
    fn nines_are_told_as_shares() {
        let shares = [0.0, 1.0, 2.0, 3.0, 4.0].map(super::percent);
        assert_eq!(shares, ["0 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
        assert!((super::rarity(0.999) - 3.0).abs() < 1e-9);
    }
}
