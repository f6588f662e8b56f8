//! The table for people: one for each bench, its figures one below the other, each with all the runtimes.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::{Better, Figure, Spread};

/// Prints the figures of one bench, which stand in the order in which they were handed in. What only explains a figure stands beside it.
pub(crate) fn print(figures: &[Figure]) {
    // Counts alone are told by their bench.
    if figures
        .iter()
        .all(|figure| figure.better == Better::Neither)
    {
        return;
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    let header = [
        "",
        "median",
        "least..most",
        "",
        "of",
        "ratio",
        "least..most",
        "",
        "",
    ];
    table.set_header(header);
    // Before which line of the table each title goes.
    let mut titles = Vec::new();
    let rows: Vec<&[Figure]> = figures.chunk_by(|one, next| one.is_row_of(next)).collect();
    let mut lines = 1;
    for (place, row) in rows.iter().enumerate() {
        if row[0].better == Better::Neither && place > 0 {
            continue;
        }
        let beside = rows[place + 1..]
            .iter()
            .take_while(|row| row[0].better == Better::Neither);
        titles.push((lines, title(&row[0])));
        for figure in row.iter() {
            let explained = beside
                .clone()
                .filter_map(|row| explanation(row, &figure.runtime));
            let mut cells = cells(figure);
            cells.push(explained.collect::<Vec<_>>().join(", "));
            table.add_row(cells);
            lines += 1;
        }
    }
    for column in [1, 2, 5, 6] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut titles = titles.into_iter().peekable();
    for (number, line) in table.lines().enumerate() {
        if let Some((_, title)) = titles.next_if(|(before, _)| *before == number) {
            println!("\n{title}");
        }
        println!("   {}", line.trim_end());
    }
    let is_marked = |figure: &Figure| {
        let ratio = figure.ratio.as_ref();
        figure.rounds_disagree || ratio.is_some_and(|ratio| ratio.spread.rounds_disagree())
    };
    let mut shown = figures
        .iter()
        .filter(|figure| figure.better != Better::Neither);
    if shown.any(is_marked) {
        println!("\n~ The rounds disagree: their middle half is wider than 10 % of the median.");
    }
}

fn title(figure: &Figure) -> String {
    let direction = match figure.better {
        Better::Less => ", less is better",
        Better::More => ", more is better",
        Better::Neither => "",
    };
    format!("{}: {}{direction}", figure.figure, unit(figure))
}

fn cells(figure: &Figure) -> Vec<String> {
    let mut cells = vec![figure.runtime.clone()];
    cells.extend(numbers(&figure.spread, digits_for(figure.spread.median)));
    match &figure.ratio {
        Some(ratio) if ratio.to != figure.runtime => {
            cells.push(ratio.to.clone());
            let digits = if ratio.spread.median < 10.0 { 3 } else { 1 };
            cells.extend(numbers(&ratio.spread, digits));
        }
        _ => cells.extend([const { String::new() }; 4]),
    }
    cells
}

/// Its name, without what it has in common with the figure it explains, and its median.
fn explanation(row: &[Figure], runtime: &str) -> Option<String> {
    let figure = row.iter().find(|figure| figure.runtime == runtime)?;
    let name = figure.figure.rsplit(": ").next()?;
    let median = figure.spread.median;
    Some(format!(
        "{name} {} {}",
        number(median, digits_for(median).min(1)),
        unit(figure)
    ))
}

fn numbers(spread: &Spread, digits: usize) -> [String; 3] {
    let mark = if spread.rounds_disagree() { "~" } else { "" };
    [
        number(spread.median, digits),
        format!(
            "{}..{}",
            number(spread.min, digits),
            number(spread.max, digits)
        ),
        String::from(mark),
    ]
}

fn unit(figure: &Figure) -> String {
    figure.unit.replace("us", "µs")
}

/// Enough for four digits of the median.
pub(super) fn digits_for(median: f64) -> usize {
    match median.abs() {
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    }
}

/// With a comma between thousands.
pub(super) fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let whole = text.find('.').unwrap_or(text.len());
    let mut grouped = String::new();
    for (place, digit) in text.char_indices() {
        if place > 0 && place < whole && (whole - place).is_multiple_of(3) && &text[..place] != "-"
        {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    /// Thousands are grouped left of the point only, and a sign is no digit.
    #[test]
    fn numbers_are_grouped() {
        let numbers = [(1234567.891, 2), (-123.4, 1), (999.0, 0), (1000.0, 0)];
        let texts = numbers.map(|(value, digits)| super::number(value, digits));
        assert_eq!(texts, ["1,234,567.89", "-123.4", "999", "1,000"]);
    }
}
