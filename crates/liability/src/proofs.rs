//! Static proofs over decision tables: whether facts exist that fit these rows and none of those, with an example.
//!
//! A box is a set of fact assignments, one domain per fact. Removing a row from a box leaves smaller boxes; a search that
//! takes one leftover box at a time either ends in a box that no row covers, which is the example, or proves that there
//! is none.

use std::collections::BTreeMap;

use onus_model::{Cause, ExceptionKind};

use crate::condition::{Condition, Test, all_cells};
use crate::value::{PartySet, Value};
use crate::vocabulary::{FactId, FactKind, fact_of};

/// Pseudo-facts: the leading cause and the kind of exception.
const CAUSE: FactId = FactId::MAX;
const KIND: FactId = FactId::MAX - 1;
/// Marks "not known" among the cells of a closed type.
const UNKNOWN: u64 = 1 << 63;
/// Boxes looked at before a search gives up and lets the table pass.
const BUDGET: u32 = 200_000;

/// What a fact may still be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Domain {
    /// Values by their place; codes and countries by their place among those that the tables mention, others together.
    Cells(u64),
    Parties {
        unknown: bool,
        known: bool,
        none_of: PartySet,
        some_of: Vec<PartySet>,
    },
    Line {
        unknown: bool,
        known: bool,
        low: i64,
        high: i64,
        currency: Option<[u8; 3]>,
    },
}

impl Domain {
    fn is_empty(&self) -> bool {
        match self {
            Self::Cells(cells) => *cells == 0,
            Self::Parties { unknown, known, none_of, some_of } => {
                let satisfiable = some_of.iter().all(|some| !some.without(*none_of).is_empty());
                !(*unknown || *known && satisfiable)
            }
            Self::Line { unknown, known, low, high, .. } => !(*unknown || *known && low <= high),
        }
    }
}

/// Facts that may still be told apart.
type Cube = BTreeMap<FactId, Domain>;

/// A row: it fits where one of `when` holds and none of `unless`.
pub(crate) struct Region<'a> {
    pub(crate) causes: &'a [Cause],
    pub(crate) kinds: &'a [ExceptionKind],
    pub(crate) when: &'a [Condition],
    pub(crate) unless: &'a [Condition],
}

/// Facts as an example, in words.
pub(crate) type Example = String;

/// Proves things about tables over the codes that they mention.
pub(crate) struct Prover {
    texts: BTreeMap<FactId, Vec<Box<str>>>,
}

impl Prover {
    /// A prover for tables with these conditions.
    pub(crate) fn new<'a>(conditions: impl Iterator<Item = &'a Condition>) -> Self {
        let mut texts: BTreeMap<FactId, Vec<Box<str>>> = BTreeMap::new();
        for (id, test) in conditions.flat_map(|condition| &condition.0) {
            if let Test::Codes { any, .. } = test {
                let known = texts.entry(*id).or_default();
                known.extend(any.iter().cloned());
                known.sort();
                known.dedup();
            }
        }
        Self { texts }
    }

    /// Facts that fit all of `rows` and none of `others`; nothing when there are none (or the search gave up).
    pub(crate) fn example(&self, rows: &[&Region<'_>], others: &[&Region<'_>]) -> Option<Example> {
        let mut boxes = vec![Cube::new()];
        for row in rows {
            boxes = boxes.iter().flat_map(|start| self.within(start, row)).collect();
        }
        let unless: Vec<&Condition> = rows.iter().flat_map(|row| row.unless).collect();
        let mut budget = BUDGET;
        boxes.iter().find_map(|start| self.left(start, &unless, others, &mut budget)).map(|found| self.tell(&found))
    }

    /// The parts of a box where a row's causes, kinds and one of its conditions hold.
    fn within(&self, start: &Cube, row: &Region<'_>) -> Vec<Cube> {
        let frame = frame_tests(row);
        let narrowed = |when: &Condition| {
            let tests = frame.iter().chain(&when.0);
            tests.fold(vec![start.clone()], |boxes, (id, test)| {
                boxes.iter().flat_map(|one| self.narrow(one, *id, test, true)).collect()
            })
        };
        row.when.iter().flat_map(narrowed).collect()
    }

    /// A box inside `start` that meets none of `unless` and fits none of `others`.
    fn left(&self, start: &Cube, unless: &[&Condition], others: &[&Region<'_>], budget: &mut u32) -> Option<Cube> {
        *budget = budget.checked_sub(1)?;
        if let Some((first, rest)) = unless.split_first() {
            return self.outside(start, &first.0).iter().find_map(|one| self.left(one, rest, others, budget));
        }
        let Some((first, rest)) = others.split_first() else { return Some(start.clone()) };
        // Outside one alternative at a time: a box must be outside of all of them.
        let mut boxes = vec![start.clone()];
        for when in first.when {
            let tests: Vec<_> = frame_tests(first).into_iter().chain(when.0.iter().cloned()).collect();
            boxes = boxes.iter().flat_map(|one| self.outside(one, &tests)).collect();
        }
        if let Some(found) = boxes.iter().find_map(|one| self.left(one, &[], rest, budget)) {
            return Some(found);
        }
        // Or inside the row, where an exception takes it back.
        for exception in first.unless {
            let inside = self.within(start, first);
            let taken_back = inside.iter().flat_map(|one| {
                exception.0.iter().fold(vec![one.clone()], |boxes, (id, test)| {
                    boxes.iter().flat_map(|one| self.narrow(one, *id, test, true)).collect()
                })
            });
            let taken_back: Vec<_> = taken_back.collect();
            if let Some(found) = taken_back.iter().find_map(|one| self.left(one, &[], rest, budget)) {
                return Some(found);
            }
        }
        None
    }

    /// The parts of a box where not all tests hold.
    fn outside(&self, start: &Cube, tests: &[(FactId, Test)]) -> Vec<Cube> {
        let mut outside = Vec::new();
        let mut inside = vec![start.clone()];
        for (id, test) in tests {
            for one in &inside {
                outside.extend(self.narrow(one, *id, test, false));
            }
            inside = inside.iter().flat_map(|one| self.narrow(one, *id, test, true)).collect();
        }
        outside
    }

    /// The parts of a box where a test holds, or does not.
    fn narrow(&self, start: &Cube, id: FactId, test: &Test, holds: bool) -> Vec<Cube> {
        let domain = start.get(&id).cloned().unwrap_or_else(|| self.full(id, test));
        let parts = self.parts(id, domain, test, holds);
        let set = |domain: Domain| {
            let mut narrowed = start.clone();
            narrowed.insert(id, domain);
            narrowed
        };
        parts.into_iter().filter(|domain| !domain.is_empty()).map(set).collect()
    }

    fn full(&self, id: FactId, test: &Test) -> Domain {
        match id {
            CAUSE => return Domain::Cells(ones(Cause::ALL.len())),
            KIND => return Domain::Cells(ones(ExceptionKind::ALL.len())),
            _ => {}
        }
        let kind = fact_of(id).map_or(FactKind::Bool, |fact| fact.kind);
        match kind {
            FactKind::Code | FactKind::Country => {
                let listed = self.texts.get(&id).map_or(0, Vec::len);
                Domain::Cells(ones(listed.saturating_add(1)) | UNKNOWN)
            }
            FactKind::Parties => {
                Domain::Parties { unknown: true, known: true, none_of: PartySet::EMPTY, some_of: Vec::new() }
            }
            FactKind::Money | FactKind::Percent | FactKind::Date | FactKind::Duration => {
                let currency = if let Test::Within { currency, .. } = test { *currency } else { None };
                Domain::Line { unknown: true, known: true, low: i64::MIN, high: i64::MAX, currency }
            }
            closed => Domain::Cells(all_cells(closed) | UNKNOWN),
        }
    }

    fn parts(&self, id: FactId, domain: Domain, test: &Test, holds: bool) -> Vec<Domain> {
        match (domain, test) {
            (Domain::Cells(cells), test) => {
                let met = self.cells(id, test);
                vec![Domain::Cells(if holds { cells & met } else { cells & !met })]
            }
            (domain, Test::Known(wanted)) => vec![with_known(domain, *wanted == holds)],
            (Domain::Parties { unknown, known, none_of, some_of }, test) => {
                let (set, contains) = match test {
                    Test::Holds(set) => (*set, true),
                    Test::Lacks(set) => (*set, false),
                    _ => return Vec::new(),
                };
                let mut parts = Vec::new();
                if !holds && unknown {
                    let (none_of, some_of) = (none_of, some_of.clone());
                    parts.push(Domain::Parties { unknown: true, known: false, none_of, some_of });
                }
                let (mut forbidden, mut wanted) = (none_of, some_of);
                if contains == holds {
                    wanted.push(set);
                } else {
                    forbidden = forbidden.or(set);
                }
                parts.push(Domain::Parties { unknown: false, known, none_of: forbidden, some_of: wanted });
                parts
            }
            (Domain::Line { unknown, known, low, high, currency }, Test::Within { low: from, high: to, .. }) => {
                let line = |unknown, known, low, high| Domain::Line { unknown, known, low, high, currency };
                if holds {
                    vec![line(false, known, low.max(*from), high.min(*to))]
                } else {
                    let below = line(false, known && *from > i64::MIN, low, high.min(from.saturating_sub(1)));
                    let above = line(false, known && *to < i64::MAX, low.max(to.saturating_add(1)), high);
                    vec![line(unknown, false, low, high), below, above]
                }
            }
            _ => Vec::new(),
        }
    }

    /// Cells where a test holds.
    fn cells(&self, id: FactId, test: &Test) -> u64 {
        match test {
            Test::Cells(cells) => *cells,
            Test::Known(known) => {
                if *known {
                    !UNKNOWN
                } else {
                    UNKNOWN
                }
            }
            Test::Codes { any, not } => {
                let listed = self.texts.get(&id).map(Vec::as_slice).unwrap_or_default();
                let places = listed.iter().enumerate().filter(|(_, text)| any.contains(text));
                let cells = places.fold(0, |cells, (place, _)| cells | (1 << place));
                if *not { ones(listed.len().saturating_add(1)) & !cells } else { cells }
            }
            _ => 0,
        }
    }

    /// A box in words: one value per fact.
    fn tell(&self, found: &Cube) -> Example {
        let told = found.iter().filter_map(|(id, domain)| self.tell_fact(*id, domain));
        let told: Vec<_> = told.collect();
        if told.is_empty() { "any facts".to_owned() } else { told.join(", ") }
    }

    fn tell_fact(&self, id: FactId, domain: &Domain) -> Option<String> {
        let first = |cells: u64| usize::try_from(cells.trailing_zeros()).unwrap_or_default();
        match (id, domain) {
            (CAUSE, Domain::Cells(cells)) => Some(format!("cause {}", Cause::ALL.get(first(*cells))?)),
            (KIND, Domain::Cells(cells)) => Some(format!("kind {}", ExceptionKind::ALL.get(first(*cells))?)),
            (_, domain) => {
                let fact = fact_of(id)?;
                let value = match domain {
                    Domain::Cells(cells) if cells & !UNKNOWN == 0 => None,
                    Domain::Cells(cells) => self.tell_cell(id, fact.kind, first(*cells)),
                    Domain::Parties { known: false, .. } | Domain::Line { known: false, .. } => None,
                    Domain::Parties { none_of, some_of, .. } => {
                        let one = |some: &PartySet| some.without(*none_of).iter().next();
                        Some(Value::Parties(some_of.iter().filter_map(one).collect()).text(fact.kind))
                    }
                    Domain::Line { low, high, currency, .. } => {
                        let number = if *low > i64::MIN { *low } else { *high };
                        Some(match (fact.kind, currency) {
                            (FactKind::Date, _) => Value::Date { from: number, to: number }.text(fact.kind),
                            (FactKind::Percent, _) => Value::Percent(number).text(fact.kind),
                            (FactKind::Money, Some(currency)) => {
                                Value::Money { minor: number, currency: *currency }.text(fact.kind)
                            }
                            _ => Value::Duration(number).text(fact.kind),
                        })
                    }
                };
                Some(format!("{} = {}", fact.name, value.as_deref().unwrap_or("unknown")))
            }
        }
    }

    fn tell_cell(&self, id: FactId, kind: FactKind, place: usize) -> Option<String> {
        match kind {
            FactKind::Bool => Some((place == 1).to_string()),
            FactKind::Word(words) => words.get(place).map(|word| (*word).to_owned()),
            FactKind::Party => onus_model::Party::ALL.get(place).map(ToString::to_string),
            _ => Some(self.texts.get(&id)?.get(place).map_or_else(|| "another".to_owned(), ToString::to_string)),
        }
    }
}

fn with_known(domain: Domain, keep_known: bool) -> Domain {
    match domain {
        Domain::Cells(cells) => Domain::Cells(if keep_known { cells & !UNKNOWN } else { cells & UNKNOWN }),
        Domain::Parties { unknown, known, none_of, some_of } => {
            Domain::Parties { unknown: unknown && !keep_known, known: known && keep_known, none_of, some_of }
        }
        Domain::Line { unknown, known, low, high, currency } => {
            Domain::Line { unknown: unknown && !keep_known, known: known && keep_known, low, high, currency }
        }
    }
}

/// Causes and kinds of a row as tests of the pseudo-facts.
fn frame_tests(row: &Region<'_>) -> Vec<(FactId, Test)> {
    let mut tests = Vec::new();
    let cells = |places: &mut dyn Iterator<Item = usize>| places.fold(0_u64, |cells, place| cells | (1 << place));
    if !row.causes.is_empty() {
        let mut places = row.causes.iter().filter_map(|cause| Cause::ALL.iter().position(|known| known == cause));
        tests.push((CAUSE, Test::Cells(cells(&mut places))));
    }
    if !row.kinds.is_empty() {
        let mut places = row.kinds.iter().filter_map(|kind| ExceptionKind::ALL.iter().position(|known| known == kind));
        tests.push((KIND, Test::Cells(cells(&mut places))));
    }
    tests
}

fn ones(count: usize) -> u64 {
    (0..count.min(63)).fold(0, |cells, place| cells | (1 << place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::RawValue;

    fn conditions(texts: &[&str]) -> Vec<Condition> {
        let read = |text: &&str| Condition::read(&toml::from_str::<BTreeMap<String, RawValue>>(text).unwrap()).unwrap();
        texts.iter().map(read).collect()
    }

    fn region<'a>(when: &'a [Condition], unless: &'a [Condition]) -> Region<'a> {
        Region { causes: &[], kinds: &[], when, unless }
    }

    /// Texts of the rows to fit, of those not to fit, and the example.
    #[test]
    fn examples_are_found_or_proven_absent() {
        let table: [(&[&str], &[&str], Option<&str>); 8] = [
            // Two rows that overlap.
            (&["cleared = true", "\"wire.sent\" = true"], &[], Some("cleared = true, wire.sent = true")),
            (&["cleared = true", "cleared = false"], &[], None),
            // Covered only by two others together; unknown is the gap.
            (&["\"cleared\" = { known = true }"], &["cleared = true", "cleared = false"], None),
            (&[""], &["cleared = true", "cleared = false"], Some("cleared = unknown")),
            (&["\"code.value\" = [\"96\", \"91\"]"], &["\"code.value\" = \"96\""], Some("code.value = 91")),
            (
                &["\"claim.against\" = { contains = [\"agent\", \"issuer\"] }"],
                &["\"claim.against\" = { contains = \"agent\" }"],
                Some("claim.against = issuer"),
            ),
            (
                &["\"event.date\" = { at_least = \"2021-01-01\" }"],
                &["\"event.date\" = { at_least = \"2022-01-01\" }"],
                Some("event.date = 2021-01-01"),
            ),
            (
                &["\"settlement.delay\" = { above = \"P30D\" }"],
                &["\"settlement.delay\" = { at_least = \"P1D\" }"],
                None,
            ),
        ];
        for (rows, others, expected) in table {
            let (rows, others) = (conditions(rows), conditions(others));
            let prover = Prover::new(rows.iter().chain(&others));
            let row_regions: Vec<_> = rows.iter().map(|row| region(std::slice::from_ref(row), &[])).collect();
            let other_regions: Vec<_> = others.iter().map(|row| region(std::slice::from_ref(row), &[])).collect();
            let found =
                prover.example(&row_regions.iter().collect::<Vec<_>>(), &other_regions.iter().collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expected, "{rows:?} without {others:?}");
        }
    }

    #[test]
    fn what_an_exception_takes_back_is_left() {
        let (all, when, unless) =
            (conditions(&["cleared = true"]), conditions(&["cleared = true"]), conditions(&["\"wire.sent\" = false"]));
        let prover = Prover::new(all.iter().chain(&when).chain(&unless));
        let found = prover.example(&[&region(&all, &[])], &[&region(&when, &unless)]);
        assert_eq!(found.as_deref(), Some("cleared = true, wire.sent = false"));
        assert_eq!(prover.example(&[&region(&when, &unless)], &[&region(&when, &unless)]), None);
    }
}
