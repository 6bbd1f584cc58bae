//! Which elements explain that more, or fewer, attempts fail than ordinarily.

use super::answer::{Answer, Everywhere, Figures, Finding, Is, Tally, alternatives, parts};
use super::baseline::{Baseline, Counts};
use super::cover::{Element, Price, rows_in};
use super::cut::{Ends, Point};
use super::lattice::Lattice;
use super::ratio::{ALL_EFFECTS, EFFECTS, Effect, Lanes, Shares, best_lane, sum};
use super::screen::Screen;
use super::settings::RatioSettings;
use super::stray::Stray;
use super::table::Table;

/// Failures of attempts, now and before.
#[derive(Debug, Clone, Copy)]
pub struct Failures<'a> {
    /// Rows and their values.
    pub table: &'a Table,
    /// The minute under test.
    pub now: &'a Counts,
    /// Minutes before it, oldest first; one sum of all history will do.
    pub before: &'a [Counts],
    /// Single attempts with their number, where a dimension of numbers is to be cut finer than its bins.
    pub points: &'a [Point],
}

/// Scopes that explain why failures differ from those of history.
#[must_use]
pub fn localise_failures(failures: &Failures<'_>, settings: &RatioSettings) -> Answer {
    let (table, shares) = (failures.table, Shares { settings });
    let baseline = Baseline::fit(table, failures.before, settings);
    let quiet = quiet_levels(table, failures.before, &shares, &baseline);
    let search = Search { failures, shares, quiet };
    let rows = search.shares.rows(failures.now, &baseline, false);
    let found = search.elements(&rows, &baseline);
    let (lane, nats) = best_lane(&sum(&rows, 0..table.rows()));
    let explained: f64 = found.iter().map(|element| element.net).sum();
    // Everything moved when one effect on all rows says as much as the scopes do together, and what they leave out
    // moved too. Scopes that are all values of a dimension leave nothing out.
    let bar = explained.max(settings.quiet_factor * search.quiet.whole + settings.min_net_nats);
    let took_part = part_of_rest(failures, &rows, &found, lane);
    if nats <= bar || took_part < settings.everywhere_share || table.dims().is_empty() {
        return Answer { findings: search.findings(&found, &baseline, &rows), everywhere: None };
    }
    let figures = figures(failures.now, &baseline, 0..table.rows());
    let moved =
        ALL_EFFECTS.get(lane).map_or_else(|| baseline.clone(), |effect| baseline.moved(fitted(*effect, figures)));
    let rows = search.shares.rows(failures.now, &moved, false);
    let beyond = search.elements(&rows, &moved);
    Answer { findings: search.findings(&beyond, &moved, &rows), everywhere: Some(Everywhere { nats, figures }) }
}

/// An effect of this kind in the size that makes expected failures those that happened.
fn fitted(effect: Effect, figures: Figures) -> Effect {
    match effect {
        Effect::Lost(_) if figures.actual > figures.expected => {
            Effect::Lost((figures.actual - figures.expected) / (figures.size - figures.expected).max(0.5))
        }
        Effect::Lost(_) | Effect::Odds(_) => Effect::Odds(log_odds_ratio(figures).exp()),
    }
}

/// By how much the odds of failure differ from ordinary ones.
fn log_odds_ratio(Figures { size, actual, expected }: Figures) -> f64 {
    let odds = |failures: f64| (failures + 0.5) / (size - failures + 0.5);
    (odds(actual) / odds(expected)).ln()
}

/// The minute with the most evidence against the minutes before it, by its place. The last one, unless an earlier one
/// says clearly more; of a long history only the end is looked at.
#[must_use]
pub fn most_striking_minute(table: &Table, minutes: &[Counts], settings: &RatioSettings) -> Option<usize> {
    let last = minutes.len().checked_sub(1)?;
    let first = settings.min_minutes.min(last).max(last.saturating_sub(settings.searched_minutes));
    let shares = Shares { settings };
    let nats = |at: usize| {
        let (before, now) = (minutes.get(..at).unwrap_or_default(), minutes.get(at));
        let baseline = Baseline::fit(table, before, settings);
        let rows = now.map(|now| shares.rows(now, &baseline, false)).unwrap_or_default();
        let lattice: Lattice<{ EFFECTS + 1 }> = Lattice::build(table, &rows, settings.max_layer.min(2));
        lattice.cuboids.iter().map(best_of).fold(0.0, f64::max)
    };
    let scored: Vec<(usize, f64)> = (first..=last).map(|at| (at, nats(at))).collect();
    let (at, top) =
        scored.iter().copied().fold((last, 0.0), |best, (at, nats)| if nats > best.1 { (at, nats) } else { best });
    let of_last = scored.last().map_or(0.0, |(_, nats)| *nats);
    Some(if of_last >= settings.last_minute_share * top { last } else { at })
}

/// Share of the attempts outside of the scopes found whose rows show this effect.
fn part_of_rest(failures: &Failures<'_>, rows: &[Lanes], found: &[Element], lane: usize) -> f64 {
    let mut rest = vec![true; rows.len()];
    for row in found.iter().flat_map(|element| rows_in(failures.table, &element.spans)) {
        rest.get_mut(row).into_iter().for_each(|rest| *rest = false);
    }
    let (mut shown, mut all) = (0.0, 0.0);
    for (row, lanes) in rows.iter().enumerate().filter(|(row, _)| rest.get(*row) == Some(&true)) {
        let n = failures.now.of(row).0;
        all += n;
        if lanes.get(lane).is_some_and(|nats| *nats > 0.0) {
            shown += n;
        }
    }
    if all > 0.0 { shown / all } else { 1.0 }
}

fn best_of(cuboid: &super::lattice::Cuboid<{ EFFECTS + 1 }>) -> f64 {
    cuboid.sums.iter().map(|sums| best_lane(sums).1).fold(0.0, f64::max)
}

/// The best scores of quiet minutes.
struct Quiet {
    /// On average, by dimensions of the cuboid; nothing when there is too little history.
    by_cuboid: Vec<(Vec<usize>, f64)>,
    /// Of everything together.
    whole: f64,
}

fn quiet_levels(table: &Table, minutes: &[Counts], shares: &Shares<'_>, baseline: &Baseline) -> Quiet {
    let settings = shares.settings;
    let mut used = settings.quiet_minutes.min(minutes.len());
    let mut layers = settings.max_layer;
    // In a large table the wandering of large elements is looked at, and less often.
    if table.rows() > settings.quiet_rows {
        used = used.min(settings.min_minutes);
        layers = layers.min(2);
    }
    let mut quiet = Quiet { by_cuboid: Vec::new(), whole: 0.0 };
    if used < settings.min_minutes {
        return quiet;
    }
    for minute in minutes.iter().rev().take(used) {
        let rows = shares.rows(minute, baseline, true);
        quiet.whole = quiet.whole.max(best_lane(&sum(&rows, 0..table.rows())).1);
        let lattice: Lattice<{ EFFECTS + 1 }> = Lattice::build(table, &rows, layers);
        quiet.by_cuboid.resize(lattice.cuboids.len(), (Vec::new(), 0.0));
        for ((dims, level), cuboid) in quiet.by_cuboid.iter_mut().zip(&lattice.cuboids) {
            dims.clone_from(&cuboid.dims);
            *level += best_of(cuboid) / used as f64;
        }
    }
    quiet
}

fn figures(now: &Counts, baseline: &Baseline, rows: impl Iterator<Item = usize>) -> Figures {
    let mut figures = Figures::default();
    for row in rows {
        let (n, k) = now.of(row);
        figures.size += n;
        figures.actual += k;
        figures.expected += n * baseline.rate(row, (0.0, 0.0)).0;
    }
    figures
}

struct Search<'a> {
    failures: &'a Failures<'a>,
    shares: Shares<'a>,
    quiet: Quiet,
}

impl Search<'_> {
    /// Elements, best first; what one has taken does not count for the next.
    fn elements(&self, rows: &[Lanes], baseline: &Baseline) -> Vec<Element> {
        let (settings, table) = (self.shares.settings, self.failures.table);
        let price =
            Price { element: settings.element_price, cuboid: settings.cuboid_price, layer: settings.layer_price };
        let mut screen = Screen::new(table, rows.to_vec(), settings.max_layer, price);
        for (dims, level) in &self.quiet.by_cuboid {
            screen.at_least(dims, settings.quiet_factor * level);
        }
        let minutes = self.failures.before;
        let minutes = minutes.get(minutes.len().saturating_sub(settings.searched_minutes)..).unwrap_or_default();
        let stray = Stray { table, minutes, baseline, settings };
        let mut elements: Vec<Element> = Vec::new();
        let mut first_moved = None;
        for _ in 0..settings.max_scopes {
            let bar = elements.first().map_or(0.0, |first| first.net * settings.min_share).max(settings.min_net_nats);
            let Some(best) = screen.best(bar) else { break };
            let best = screen.refined(best, settings.max_part);
            let rows = screen.rows_of(&best.spans);
            screen.take(&rows);
            let moved = log_odds_ratio(figures(self.failures.now, baseline, rows.iter().copied())).abs();
            let first = *first_moved.get_or_insert(moved);
            // What chance does not explain and what wandering does not explain count alike.
            let joint = best.net * stray.nats(&best.spans, &rows, self.failures.now);
            if moved >= settings.min_moved * first && joint >= settings.stray_nats.powi(2) {
                elements.push(best);
            }
        }
        elements
    }

    fn findings(&self, elements: &[Element], baseline: &Baseline, lanes: &[Lanes]) -> Vec<Finding> {
        elements.iter().map(|element| self.finding(element, baseline, lanes)).collect()
    }

    fn finding(&self, element: &Element, baseline: &Baseline, lanes: &[Lanes]) -> Finding {
        let (table, now) = (self.failures.table, self.failures.now);
        let row = |at: usize| Tally {
            figures: figures(now, baseline, std::iter::once(at)),
            sums: lanes.get(at).copied().unwrap_or_default(),
        };
        let rows = rows_in(table, &element.spans);
        let mut scope = parts(table, &element.spans);
        let effect = ALL_EFFECTS.get(best_lane(&sum(lanes, rows.iter().copied())).0);
        if let (Some(Is::Between(from, to)), Some(effect)) = (scope.last_mut().map(|part| &mut part.is), effect) {
            let rate = |row| baseline.rate(row, (0.0, 0.0)).0;
            let ends =
                Ends { points: self.failures.points, effect: *effect, as_good: self.shares.settings.as_good_nats };
            (*from, *to) = ends.sharpen(table, &element.spans, (*from, *to), rate);
        }
        Finding {
            scope,
            nats: element.nats,
            net: element.net,
            figures: figures(now, baseline, rows.iter().copied()),
            alternatives: alternatives(table, &element.spans, self.shares.settings.shown_siblings, row, |sums| {
                best_lane(sums).1
            }),
        }
    }
}
