//! From cells that are raised to the scopes that explain it.

use crate::cube::{Columns, Cube, Dimension, Question, Suspects, Symbols};
use crate::detector::{Layer, Settings, Signal, Split};
use crate::localise::{Is, Part, Point, RatioSettings, Table, Words, explanation, localise_failures};

use super::alarms::LoggedAlarm;
use super::scope::Scope;

/// Lines in Chinese and in English.
type Lines = (Vec<String>, Vec<String>);

/// What the trouble of one signal is in.
pub(super) struct Located {
    /// Scopes, the one that explains most first; never empty.
    pub(super) scopes: Vec<Scope>,
    /// What localisation says, line by line, in Chinese and English.
    pub(super) words: Option<Lines>,
}

/// What location looks at.
pub(super) struct Search<'a> {
    pub(super) settings: &'a Settings,
    pub(super) ratio: &'a RatioSettings,
    pub(super) cube: &'a Cube,
    pub(super) symbols: &'a Symbols,
    /// One past the last minute.
    pub(super) until: u32,
}

impl Search<'_> {
    /// Where the trouble sits that these alarms of a signal stand for. There is at least one.
    pub(super) fn locate(&self, signal: &Signal, raised: &[&LoggedAlarm]) -> Located {
        let (scopes, words) = self.explained(signal, raised).unwrap_or_default();
        let Some((first, others)) = scopes.split_first() else {
            return Located { scopes: vec![self.narrowest(raised)], words };
        };
        // What localisation finds beside the first is trouble of its own only if an alarm says so that the first does
        // not hold.
        let own_alarm = |scope: &&Scope| {
            raised.iter().any(|alarm| {
                let cell = cell_scope(alarm);
                cell.meets(scope) && !cell.agrees(first)
            })
        };
        let attached = others.iter().filter(own_alarm).cloned();
        Located { scopes: std::iter::once(first.clone()).chain(attached).collect(), words }
    }

    fn explained(&self, signal: &Signal, raised: &[&LoggedAlarm]) -> Option<(Vec<Scope>, Option<Lines>)> {
        let (of, hits) = signal.columns()?;
        let question = self.question(signal, raised, of, hits)?;
        let suspects = self.cube.suspects(&question, self.symbols)?;
        let answer = localise_failures(&suspects.failures(), self.ratio);
        let words = [Words::FailuresZh, Words::FailuresEn].map(|words| explanation(&suspects.table, &answer, words));
        let [zh, en] = words;
        if answer.everywhere.is_some() && answer.findings.is_empty() {
            return Some((vec![Scope::default()], Some((zh, en))));
        }
        let mut scopes: Vec<Scope> = Vec::new();
        for scope in answer.findings.iter().map(|finding| scope_of(&suspects.table, &finding.scope)) {
            if scope.is_everything() {
                continue;
            }
            match scopes.iter_mut().find_map(|known| known.joined(&scope).map(|joined| (known, joined))) {
                Some((known, joined)) => *known = joined,
                None => scopes.push(scope),
            }
        }
        if let Some(first) = scopes.first_mut()
            && let Some(simpler) = self.simpler(first, &suspects, &signal.locate)
        {
            *first = simpler;
        }
        let mut named: Vec<Scope> = scopes.into_iter().map(|scope| self.worth_naming(scope, &suspects)).collect();
        named.dedup();
        Some((named, Some((zh, en))))
    }

    /// Values of one dimension that say as much as a scope, with fewer conditions, or with as many on a dimension that is
    /// preferred.
    fn simpler(&self, found: &Scope, suspects: &Suspects, by: &[Dimension]) -> Option<Scope> {
        let place = |scope: &Scope| {
            let places = scope.values.iter().map(|(of, _)| by.iter().position(|it| it == of).unwrap_or(by.len()));
            (scope.conditions(), places.max().unwrap_or(by.len()))
        };
        let all = all(suspects);
        let contrast = |scope: &Scope| inside(scope, suspects).contrast(all);
        let enough = self.settings.live.as_good_share * contrast(found);
        let others = by.iter().filter_map(|dimension| self.of_one(*dimension, suspects, all));
        let as_good = others.filter(|scope| place(scope) < place(found) && contrast(scope) >= enough);
        as_good.min_by_key(place)
    }

    /// The values of a dimension that explain most, those with the highest rates; each must be worth its name.
    fn of_one(&self, dimension: Dimension, suspects: &Suspects, all: Sum) -> Option<Scope> {
        let dim = suspects.table.dims().iter().position(|dim| dim.name == dimension.as_str())?;
        let names = &suspects.table.dims().get(dim)?.values;
        let mut parts = vec![Sum::default(); names.len()];
        for point in &suspects.points {
            if let Some(part) = parts.get_mut(suspects.table.code(point.row, dim) as usize) {
                part.add(point);
            }
        }
        let mut values: Vec<(&String, Sum)> =
            names.iter().zip(parts).filter(|(name, part)| part.failures > 0.0 && !name.starts_with('#')).collect();
        values.sort_by(|(one, a), (other, b)| b.rate().total_cmp(&a.rate()).then(one.cmp(other)));
        let (mut taken, mut said, mut chosen) = (Sum::default(), 0.0, Vec::new());
        for (name, part) in values {
            let with = taken.plus(part);
            let says = with.contrast(all);
            if says < said + self.ratio.min_net_nats {
                break;
            }
            (taken, said) = (with, says);
            chosen.push(name.clone());
        }
        chosen.sort();
        (!chosen.is_empty()).then(|| Scope { values: vec![(dimension, chosen)], amount: None })
    }

    /// A range of amounts, or values, that nearly all payments of the trouble have say nothing.
    fn worth_naming(&self, scope: Scope, suspects: &Suspects) -> Scope {
        let all = all(suspects).attempts;
        let says = |scope: &Scope| inside(scope, suspects).attempts < self.settings.live.whole_share * all;
        let of_amount = Scope { values: Vec::new(), amount: scope.amount };
        let amount = scope.amount.filter(|_| says(&of_amount));
        let named = Scope { amount, ..scope };
        if says(&named) { named } else { Scope::default() }
    }

    fn question<'q>(
        &self,
        signal: &'q Signal,
        raised: &[&LoggedAlarm],
        of: Columns,
        hits: Columns,
    ) -> Option<Question<'q>> {
        let live = &self.settings.live;
        let held = self.cube.span().0;
        let since = raised.iter().map(|alarm| alarm.since).min()?.max(held);
        let before = since.saturating_sub(live.history_minutes).max(held);
        // Without a time before it there is nothing to hold it against.
        (before < since).then_some(Question {
            before,
            since,
            until: self.until,
            of,
            hits,
            by: &signal.locate,
            amount_bins: live.amount_bins,
            most: live.locate_payments,
        })
    }

    /// The narrowest of the cells that hold nearly all of what is too much.
    fn narrowest(&self, raised: &[&LoggedAlarm]) -> Scope {
        let most = raised.iter().map(|alarm| alarm.excess()).fold(0.0, f64::max);
        let enough = raised.iter().filter(|alarm| alarm.excess() >= self.settings.live.attached_share * most);
        let rate = |alarm: &LoggedAlarm| alarm.hits as f64 / alarm.attempts.max(1) as f64;
        let narrowest = enough.max_by(|one, other| rate(one).total_cmp(&rate(other)));
        narrowest.map_or_else(Scope::default, |alarm| cell_scope(alarm))
    }
}

/// Attempts and failures, each with its weight.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    attempts: f64,
    failures: f64,
}

impl Sum {
    fn add(&mut self, point: &Point) {
        *self = self.plus(Self { attempts: point.attempts, failures: point.failures });
    }

    fn plus(self, other: Self) -> Self {
        Self { attempts: self.attempts + other.attempts, failures: self.failures + other.failures }
    }

    fn rate(self) -> f64 {
        self.failures / self.attempts.max(1e-9)
    }

    /// Log likelihood at the own rate.
    fn nats(self) -> f64 {
        let term = |part: f64| if part > 0.0 { part * (part / self.attempts).ln() } else { 0.0 };
        term(self.failures) + term(self.attempts - self.failures)
    }

    /// How much more a higher rate here and another elsewhere says than one for all, in nats.
    fn contrast(self, all: Self) -> f64 {
        let rest = Self { attempts: all.attempts - self.attempts, failures: all.failures - self.failures };
        if self.rate() <= rest.rate() { 0.0 } else { self.nats() + rest.nats() - all.nats() }
    }
}

fn sum<'p>(points: impl Iterator<Item = &'p Point>) -> Sum {
    points.fold(Sum::default(), |mut sum, point| {
        sum.add(point);
        sum
    })
}

/// All payments of the trouble.
fn all(suspects: &Suspects) -> Sum {
    sum(suspects.points.iter())
}

/// Payments of the trouble that a scope holds.
fn inside(scope: &Scope, suspects: &Suspects) -> Sum {
    let dims = suspects.table.dims();
    let parts: Vec<(usize, Vec<bool>)> = scope
        .values
        .iter()
        .filter_map(|(dimension, values)| {
            let place = dims.iter().position(|dim| dim.name == dimension.as_str())?;
            let named = dims.get(place)?.values.iter().map(|value| values.contains(value)).collect();
            Some((place, named))
        })
        .collect();
    let (from, to) = scope.amount.unwrap_or_default();
    let holds = |point: &&Point| {
        from.is_none_or(|from| point.number >= from as f64)
            && to.is_none_or(|to| point.number < to as f64)
            && parts
                .iter()
                .all(|(dim, named)| named.get(suspects.table.code(point.row, *dim) as usize).copied().unwrap_or(false))
    };
    sum(suspects.points.iter().filter(holds))
}

/// The dimensions of a layer of the cube.
pub(super) fn dimensions(layer: &str) -> Vec<Dimension> {
    let layer = Layer { name: layer.to_owned(), share: 1.0, cells: 1 };
    match layer.split() {
        Some(Split::By(dimension)) => vec![dimension],
        Some(Split::ByPair(one, other)) => vec![one, other],
        Some(Split::Total) | None => Vec::new(),
    }
}

/// The payments of an alarm's cell.
pub(super) fn cell_scope(alarm: &LoggedAlarm) -> Scope {
    Scope::of(&dimensions(&alarm.layer), &alarm.values)
}

/// A finding by names. Conditions on values that are not known say nothing.
fn scope_of(table: &Table, parts: &[Part]) -> Scope {
    let mut scope = Scope::default();
    for part in parts {
        let Some(dim) = table.dims().get(part.dim) else { continue };
        match &part.is {
            Is::Value(value) => {
                let dimension = Dimension::ALL.into_iter().find(|it| it.as_str() == dim.name);
                let name = dim.values.get(*value as usize).filter(|name| !name.starts_with('#'));
                if let Some((dimension, name)) = dimension.zip(name) {
                    scope.values.push((dimension, vec![name.clone()]));
                }
            }
            Is::Between(from, to) => {
                let minor = |edge: &Option<f64>| edge.map(|edge| edge.max(0.0).round() as u64);
                let range = (minor(from), minor(to));
                scope.amount = (range != (None, None)).then_some(range);
            }
        }
    }
    scope.values.sort();
    scope
}
