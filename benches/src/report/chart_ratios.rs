//! The ratios of one bench: for each figure a bar for each runtime, all through the same one, which is 1, with the middle half of its rounds.

use std::io;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::charts::{baseline, colour, failed, text};
use super::table::{digits_for, number};
use super::{Better, Figure, Spread};

const WIDTH: u32 = 900;
/// Where the bars begin, and where the longest may end: names stand before, numbers behind, in columns of their own.
const BARS: (i32, i32) = (170, 640);
const BAR_HEIGHT: i32 = 14;
const BAR_STEP: i32 = 20;
const TITLE_HEIGHT: i32 = 46;
const TOP: i32 = 16;
const FOOT: i32 = 32;
/// Beyond this, the small ones would not be seen on a scale that begins with nothing.
const LINEAR_LIMIT: f64 = 20.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Of one figure, from a ratio to a place.
struct Scale {
    least: f64,
    most: f64,
    is_logarithmic: bool,
}

/// Each row is one figure with all of its runtimes.
pub(super) fn draw_ratios(file: &Path, rows: &[&[Figure]]) -> io::Result<()> {
    let height: i32 = rows
        .iter()
        .map(|row| TITLE_HEIGHT + BAR_STEP * row.len() as i32)
        .sum();
    let area = SVGBackend::new(file, (WIDTH, (height + TOP + FOOT) as u32)).into_drawing_area();
    area.fill(&WHITE).map_err(failed)?;
    let legend = "Bars: medians of the rounds. Thin lines: their middle half. ~: wider than 10 %.";
    let place = (12, height + TOP + FOOT / 2);
    area.draw(&Text::new(legend, place, text(13, HPos::Left)))
        .map_err(failed)?;
    let mut top = TOP;
    for row in rows {
        draw_row(&area, row, top).map_err(failed)?;
        top += TITLE_HEIGHT + BAR_STEP * row.len() as i32;
    }
    area.present().map_err(failed)
}

fn draw_row(
    area: &Area<'_>,
    row: &[Figure],
    top: i32,
) -> Result<(), DrawingAreaErrorKind<io::Error>> {
    let Some(base) = baseline(row) else {
        return Ok(());
    };
    let ratios: Vec<_> = row
        .iter()
        .map(|figure| Spread::of_ratios(&figure.samples, &base.samples))
        .collect();
    let scale = Scale::for_ratios(&ratios);
    let better = match row[0].better {
        Better::Less => "shorter is better",
        Better::More => "longer is better",
        Better::Neither => "",
    };
    let logarithmic = if scale.is_logarithmic {
        ", logarithmic scale"
    } else {
        ""
    };
    let title = format!("{} {}", row[0].bench, row[0].figure);
    area.draw(&Text::new(title, (12, top + 16), text(16, HPos::Left)))?;
    let note = format!("{} = 1, {better}{logarithmic}", base.runtime);
    area.draw(&Text::new(
        note,
        (WIDTH as i32 - 12, top + 16),
        text(13, HPos::Right),
    ))?;

    let bottom = top + TITLE_HEIGHT + BAR_STEP * row.len() as i32;
    let one = scale.place(1.0);
    let mut middle = top + TITLE_HEIGHT;
    for (place, (figure, ratio)) in row.iter().zip(&ratios).enumerate() {
        let end = scale.place(ratio.median);
        let fill = colour(&figure.runtime, place).filled();
        let half = BAR_HEIGHT / 2;
        area.draw(&Rectangle::new(
            [(BARS.0, middle - half), (end, middle + half)],
            fill,
        ))?;
        let spread = [
            (scale.place(ratio.quarter), middle),
            (scale.place(ratio.three_quarters), middle),
        ];
        area.draw(&PathElement::new(spread, BLACK.mix(0.6).stroke_width(1)))?;
        for (x, _) in spread {
            area.draw(&PathElement::new(
                [(x, middle - 3), (x, middle + 3)],
                BLACK.mix(0.6).stroke_width(1),
            ))?;
        }
        area.draw(&Text::new(
            figure.runtime.clone(),
            (BARS.0 - 8, middle),
            text(14, HPos::Right),
        ))?;
        let unit = figure.unit.replace("us", "µs");
        let mark = if figure.rounds_disagree { " ~" } else { "" };
        let value = number(figure.spread.median, digits_for(figure.spread.median));
        let times = number(ratio.median, if ratio.median < 100.0 { 2 } else { 0 });
        let label = format!("{times} ({value} {unit}{mark})");
        area.draw(&Text::new(
            label,
            (BARS.1 + 14, middle),
            text(13, HPos::Left),
        ))?;
        middle += BAR_STEP;
    }
    let line = [
        (one, top + TITLE_HEIGHT - BAR_STEP / 2),
        (one, bottom - BAR_STEP / 2),
    ];
    area.draw(&PathElement::new(line, BLACK.stroke_width(1)))
}

impl Scale {
    fn for_ratios(ratios: &[Spread]) -> Self {
        let medians = ratios.iter().map(|ratio| ratio.median);
        let smallest = medians.clone().fold(1.0, f64::min);
        let largest = medians.fold(1.0, f64::max);
        let is_logarithmic = largest / smallest > LINEAR_LIMIT;
        // A round that went astray is cut off rather than allowed to make all the bars short.
        let most = ratios
            .iter()
            .map(|ratio| ratio.three_quarters)
            .fold(1.0, f64::max);
        Scale {
            least: if is_logarithmic { smallest / 2.0 } else { 0.0 },
            most: most.min(largest * if is_logarithmic { 3.0 } else { 1.3 }),
            is_logarithmic,
        }
    }

    fn place(&self, ratio: f64) -> i32 {
        let share = if self.is_logarithmic {
            (ratio / self.least).ln() / (self.most / self.least).ln()
        } else {
            ratio / self.most
        };
        BARS.0 + (share.clamp(0.0, 1.0) * f64::from(BARS.1 - BARS.0)).round() as i32
    }
}

#[cfg(test)]
mod tests {
    use super::{BARS, Scale, Spread};

    /// Nothing is at the left and the largest at the right; a hundredfold is drawn on a logarithmic scale, where the smallest is still seen.
    #[test]
    fn a_scale_holds_all_ratios() {
        let linear = Scale::for_ratios(&[Spread::of(&[1.0]), Spread::of(&[2.0])]);
        assert_eq!((linear.place(0.0), linear.place(2.0)), BARS);
        let logarithmic = Scale::for_ratios(&[Spread::of(&[1.0]), Spread::of(&[100.0])]);
        assert!(logarithmic.is_logarithmic && logarithmic.place(1.0) > BARS.0);
        assert_eq!(logarithmic.place(100.0), BARS.1);
    }
}
