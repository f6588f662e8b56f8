//! What changed since an older run, figure by figure, beyond what the rounds of each run differ by anyhow.
//!
//! A figure has changed when the middle halves of the rounds of the two runs have nothing in common. Where both runs have a ratio to the
//! same runtime it is the ratio that is compared, for a machine's speed wanders between two runs.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::table::{digits_for, number};
use super::{Better, Figure, Spread};

#[derive(Default)]
struct Counts {
    better: usize,
    worse: usize,
    different: usize,
    same: usize,
    new: usize,
}

/// Prints the changes, and how many figures there are without one.
pub(crate) fn compare(old: &[Figure], new: &[Figure]) {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "bench", "figure", "runtime", "", "then", "now", "change", "",
    ]);
    let mut counts = Counts::default();
    for figure in new {
        let Some(before) = old.iter().find(|before| before.is_same_as(figure)) else {
            counts.new += 1;
            continue;
        };
        let (what, then, now) = comparable(before, figure);
        let verdict = verdict(figure.better, &then, &now);
        match verdict {
            "" => counts.same += 1,
            "better" => counts.better += 1,
            "worse" => counts.worse += 1,
            _ => counts.different += 1,
        }
        if !verdict.is_empty() {
            let digits = digits_for(now.median).max(if what.is_empty() { 0 } else { 3 });
            table.add_row([
                figure.bench.clone(),
                figure.figure.clone(),
                figure.runtime.clone(),
                if what.is_empty() {
                    figure.unit.replace("us", "µs")
                } else {
                    what
                },
                number(then.median, digits),
                number(now.median, digits),
                format!("{:+.1} %", (now.median / then.median - 1.0) * 100.0),
                String::from(verdict),
            ]);
        }
    }
    for column in [4, 5, 6] {
        let column = table.column_mut(column).expect("there are eight");
        column.set_cell_alignment(CellAlignment::Right);
    }
    if let (Some(then), Some(now)) = (old.first(), new.first())
        && then.machine != now.machine
    {
        println!(
            "\nAnother machine, or another build:\nthen {}\nnow  {}",
            then.machine, now.machine
        );
    }
    let Counts {
        better,
        worse,
        different,
        same,
        new,
    } = counts;
    if better + worse + different > 0 {
        println!("\n{table}");
    }
    println!(
        "\n{better} better, {worse} worse, {different} different, {same} within the spread, {new} that were not there before.\n\
         A change is one of the ratio where there is one; it counts when the middle halves of the rounds have nothing in common."
    );
}

/// The ratios if both have one to the same runtime, or else the figures themselves.
fn comparable(then: &Figure, now: &Figure) -> (String, Spread, Spread) {
    match (&then.ratio, &now.ratio) {
        (Some(old), Some(new)) if old.to == new.to && new.to != now.runtime => {
            (format!("of {}", new.to), old.spread, new.spread)
        }
        _ => (String::new(), then.spread, now.spread),
    }
}

/// Nothing, if the two are not apart.
fn verdict(better: Better, then: &Spread, now: &Spread) -> &'static str {
    if !then.is_apart_from(now) {
        return "";
    }
    match (better, now.median > then.median) {
        (Better::Neither, _) => "different",
        (Better::More, true) | (Better::Less, false) => "better",
        _ => "worse",
    }
}

#[cfg(test)]
mod tests {
    use super::{Better, Spread, verdict};

    /// More of what should be less is worse; what overlaps is no change, whichever way it went.
    #[test]
    fn only_what_is_beyond_the_spread_has_changed() {
        let [then, near, far] = [[10.0, 11.0, 12.0], [11.0, 12.0, 13.0], [20.0, 21.0, 22.0]];
        let [then, near, far] = [then, near, far].map(|samples| Spread::of(&samples));
        assert_eq!(verdict(Better::Less, &then, &near), "");
        assert_eq!(verdict(Better::Less, &then, &far), "worse");
        assert_eq!(verdict(Better::More, &then, &far), "better");
        assert_eq!(verdict(Better::Neither, &far, &then), "different");
    }
}
