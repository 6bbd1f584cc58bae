//! What localisation looks at: payments of the trouble beside those before it, out of the sample.

use rustc_hash::FxHashMap;

use super::leaf::{Dimension, Leaf};
use super::symbols::Symbols;
use super::tally::Columns;
use super::{Cube, Sampled};
use crate::localise::{self, Counts, Failures, Point, Table};

/// Which payments, and by what.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// First minute of history.
    pub before: u32,
    /// First minute of the trouble.
    pub since: u32,
    /// One past its last minute.
    pub until: u32,
    /// The denominator.
    pub of: Columns,
    /// The numerator.
    pub hits: Columns,
    /// Dimensions that may explain it; [`Dimension::Amount`] is always added, as a number.
    pub by: &'a [Dimension],
    /// Most bins of amounts.
    pub amount_bins: usize,
    /// Payments at most; the sample is thinned evenly.
    pub most: usize,
}

/// Rows for localisation.
#[derive(Debug, Clone)]
pub struct Suspects {
    /// Rows and their values.
    pub table: Table,
    /// The trouble.
    pub now: Counts,
    /// The time before.
    pub before: [Counts; 1],
    /// Payments of the trouble with their exact amounts.
    pub points: Vec<Point>,
}

impl Suspects {
    /// As localisation takes them.
    #[must_use]
    pub fn failures(&self) -> Failures<'_> {
        Failures { table: &self.table, now: &self.now, before: &self.before, points: &self.points }
    }
}

impl Cube {
    /// The payments of a question. Counts are those of an even sample as thin as the kept hits are among all hits, so
    /// that they do not say more than the sample knows. None when there is nothing to compare.
    #[must_use]
    pub fn suspects(&self, question: &Question<'_>, symbols: &Symbols) -> Option<Suspects> {
        let minutes = question.until.saturating_sub(question.before).max(1) as usize;
        let a_side = (question.most / (2 * minutes)).max(1);
        let taken = |from: u32, to: u32| self.thinned(from, to, question.of, question.hits, a_side);
        let (now, before) = (taken(question.since, question.until), taken(question.before, question.since));
        let thinning = now.iter().find(|sampled| sampled.hit)?.weight;
        let all: Vec<&Sampled> = before.iter().chain(&now).collect();
        let amounts: Vec<f64> = all.iter().map(|sampled| sampled.amount_minor as f64).collect();
        let (amount, bins) = localise::bins(Dimension::Amount.as_str(), &amounts, question.amount_bins);
        let by: Vec<Dimension> = question.by.iter().copied().filter(|by| *by != Dimension::Amount).collect();
        let hidden = Dimension::ALL.iter().filter(|dimension| !by.contains(dimension)).fold(0, |m, d| m | d.mask());

        let mut rows: FxHashMap<(Leaf, u32), usize> = FxHashMap::default();
        let mut columns = vec![Vec::new(); by.len() + 1];
        let mut values: Vec<Values> = by.iter().map(|dimension| Values::new(*dimension)).collect();
        let mut row_of = Vec::with_capacity(all.len());
        for (sampled, bin) in all.iter().zip(&bins) {
            let next = rows.len();
            let leaf = sampled.leaf.folded(hidden);
            let row = *rows.entry((leaf, *bin)).or_insert(next);
            if row == next {
                let codes = values.iter_mut().map(|values| values.code(leaf, symbols)).chain([*bin]);
                columns.iter_mut().zip(codes).for_each(|(column, code)| column.push(code));
            }
            row_of.push(row);
        }

        let mut counts = [Counts::zero(rows.len()), Counts::zero(rows.len())];
        let mut points = Vec::with_capacity(now.len());
        for (index, (sampled, row)) in all.iter().zip(&row_of).enumerate() {
            let attempts = sampled.weight / thinning;
            let failures = if sampled.hit { attempts } else { 0.0 };
            let of_trouble = index >= before.len();
            if let Some(counts) = counts.get_mut(usize::from(of_trouble)) {
                counts.add(*row, attempts, failures);
            }
            if of_trouble {
                points.push(Point { row: *row, number: sampled.amount_minor as f64, attempts, failures });
            }
        }
        let dims = values.into_iter().map(|values| values.dimension).chain([amount]).collect();
        let [before, now] = counts;
        Some(Suspects { table: Table::new(dims, columns)?, now, before: [before], points })
    }
}

/// The values of one dimension that occur.
struct Values {
    of: Dimension,
    codes: FxHashMap<u16, u32>,
    dimension: localise::Dimension,
}

impl Values {
    fn new(of: Dimension) -> Self {
        let dimension = localise::Dimension { name: of.as_str().to_owned(), ..localise::Dimension::default() };
        Self { of, codes: FxHashMap::default(), dimension }
    }

    fn code(&mut self, leaf: Leaf, symbols: &Symbols) -> u32 {
        let (of, code) = (self.of, leaf.code(self.of));
        let names = &mut self.dimension.values;
        *self.codes.entry(code).or_insert_with(|| {
            names.push(symbols.name(of, code).map_or_else(|| format!("#{code}"), ToOwned::to_owned));
            names.len() as u32 - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cube::{Attempt, Latency, Outcome, amount_bin};
    use crate::detector::Settings;
    use crate::localise::{Is, RatioSettings, Settings as Search, localise_failures};

    /// Link 2 loses small payments, half of them; the cut and the link come out of a sample.
    #[test]
    fn a_link_and_an_amount_are_found_in_the_sample_however_thin() {
        let mut symbols = Symbols::default();
        let links = ["201", "211", "202"].map(|name| symbols.intern(Dimension::NetworkLink, name));
        let cities: Vec<u16> = (0..9).map(|city| symbols.intern(Dimension::City, &format!("city {city}"))).collect();
        let mut cube = Cube::new(Settings::builtin().unwrap().cube);
        for number in 0..120_000_u64 {
            let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (number << 21);
            let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20;
            let minute = 1_000 + (number / 3_000) as u32;
            let link = links[(mixed % 3) as usize];
            let amount_minor = 100 + mixed / 3 % 120_000;
            let hurt = minute >= 1_030 && link == links[1] && amount_minor < 50_000 && mixed / 7 % 2 == 0;
            let leaf = Leaf::default()
                .with(Dimension::NetworkLink, link)
                .with(Dimension::City, cities[(mixed / 11 % 9) as usize])
                .with(Dimension::Amount, amount_bin(amount_minor));
            let outcome = if hurt || mixed / 13 % 400 == 0 { Outcome::NoAnswer } else { Outcome::Approved };
            let (latency, reversed) = (Latency::Usual, false);
            cube.add(&Attempt { minute, leaf, outcome, latency, reversed, amount_minor, id: number });
        }
        for most in [usize::MAX, 20_000] {
            let question = Question {
                before: 1_000,
                since: 1_030,
                until: 1_040,
                of: Columns::attempts(),
                hits: Columns::outcome(Outcome::NoAnswer),
                by: &[Dimension::NetworkLink, Dimension::City],
                amount_bins: 64,
                most,
            };
            let suspects = cube.suspects(&question, &symbols).unwrap();
            assert!(suspects.points.len() <= most / 4, "a quarter of the minutes is of the trouble");
            let attempts: f64 = suspects.points.iter().map(|point| point.attempts).sum();
            assert!((attempts - 30_000.0).abs() < 1e-6, "{attempts}");
            let settings: RatioSettings = Search::builtin().unwrap().ratio;
            let answer = localise_failures(&suspects.failures(), &settings);
            assert_eq!(answer.findings.len(), 1, "{answer:?}");
            let [link, amount] = &answer.findings[0].scope[..] else { panic!("{answer:?}") };
            let Is::Value(value) = link.is else { panic!("{link:?}") };
            assert_eq!(suspects.table.dims()[0].values[value as usize], "211");
            let Is::Between(None, Some(cut)) = amount.is else { panic!("{amount:?}") };
            assert!((49_500.0..=50_500.0).contains(&cut), "{cut}");
        }
    }
}
