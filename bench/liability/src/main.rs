//! The tables of `cn-default-1` in our engine and as CEL expressions, on the same facts, with the same answers.
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use cel_interpreter::{Context, Program, Value};
use onus_liability::{Facts, Pack, RawValue, judge, kind_of};

const CAUSES: &str = include_str!("../../../packs/cn-default-1/causes.toml");
const RULES: &str = include_str!("../../../packs/cn-default-1/rules.toml");
/// Exceptions with the facts that surround them.
const EXCEPTIONS: &str = include_str!("../exceptions.toml");
/// Verdicts of one measurement: ours, and of the slower engine.
const OURS: usize = 4_000_000;
const CEL: usize = 40_000;

/// A row as one CEL expression, with the cause that it makes or is for.
struct Row {
    id: String,
    causes: Vec<String>,
    fits: Program,
}

/// Both tables; causes that are ruled out stand as expressions too.
struct CelTables {
    causes: Vec<Row>,
    excluded: Vec<Row>,
    rules: Vec<Row>,
}

fn words(row: &toml::Table, field: &str) -> Vec<String> {
    let array = row.get(field).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    array.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

/// `when` and `kinds` of a row in CEL. A fact that is not there meets no test.
fn expression(row: &toml::Table) -> String {
    let mut tests = Vec::new();
    let kinds = words(row, "kinds");
    if !kinds.is_empty() {
        tests.push(format!("kind in {}", serde_json::json!(kinds)));
    }
    for (fact, value) in row.get("when").and_then(toml::Value::as_table).into_iter().flatten() {
        let value = serde_json::json!(value);
        let test = if value.is_array() { "in" } else { "==" };
        tests.push(format!("\"{fact}\" in facts && facts[\"{fact}\"] {test} {value}"));
    }
    if tests.is_empty() { "true".to_owned() } else { tests.join(" && ") }
}

fn rows(file: &toml::Table, table: &str, keep: impl Fn(&toml::Table) -> bool) -> Result<Vec<Row>> {
    let rows = file.get(table).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let rows = rows.iter().filter_map(toml::Value::as_table).filter(|row| keep(row));
    rows.map(|row| {
        let text = expression(row);
        let one = row.get("cause").and_then(toml::Value::as_str).map(str::to_owned);
        let id = row.get("id").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        let fits = Program::compile(&text).map_err(|error| anyhow::anyhow!("{text}: {error:?}"))?;
        Ok(Row { id, causes: one.map_or_else(|| words(row, "causes"), |cause| vec![cause]), fits })
    })
    .collect()
}

impl CelTables {
    fn read() -> Result<Self> {
        let (causes, rules): (toml::Table, toml::Table) = (CAUSES.parse()?, RULES.parse()?);
        let leads = |row: &toml::Table| row.get("status").and_then(toml::Value::as_str) != Some("possible");
        Ok(Self {
            causes: rows(&causes, "cause", leads)?,
            excluded: rows(&causes, "exclude", |_| true)?,
            rules: rows(&rules, "rule", |_| true)?,
        })
    }

    /// Id of the rule that decides: first cause that leads, then first rule for it.
    fn decide(&self, facts: &Context<'_>) -> Option<&str> {
        let fits = |row: &&Row| matches!(row.fits.execute(facts), Ok(Value::Bool(true)));
        let of = |cause: &str, row: &Row| row.causes.iter().any(|known| known == cause);
        let stands = |row: &&Row| {
            let cause = row.causes.first().map_or("", String::as_str);
            !self.excluded.iter().filter(|row| of(cause, row)).any(|row| fits(&row))
        };
        let leading = self.causes.iter().find(|row| fits(row) && stands(row));
        let cause = leading.and_then(|row| row.causes.first()).map_or("UNKNOWN", String::as_str);
        self.rules.iter().filter(|row| row.causes.is_empty() || of(cause, row)).find(fits).map(|row| row.id.as_str())
    }
}

/// Exceptions as both engines take them.
fn exceptions() -> Result<Vec<(Facts, Context<'static>)>> {
    let file: BTreeMap<String, BTreeMap<String, RawValue>> = toml::from_str(EXCEPTIONS)?;
    let plain: BTreeMap<String, BTreeMap<String, serde_json::Value>> = toml::from_str(EXCEPTIONS)?;
    let around = file.get("around").context("[around]")?;
    let mut all = Vec::new();
    for (name, own) in file.iter().filter(|(name, _)| *name != "around") {
        let facts: BTreeMap<String, RawValue> = around.iter().chain(own).map(|(k, v)| (k.clone(), v.clone())).collect();
        let facts = Facts::read(&facts, "bench")?;
        let mut told: HashMap<String, Value> = HashMap::new();
        for (fact, value) in plain.get("around").into_iter().chain(plain.get(name)).flatten() {
            let value = match value {
                serde_json::Value::Bool(value) => Value::Bool(*value),
                other => Value::String(std::sync::Arc::new(other.as_str().unwrap_or_default().to_owned())),
            };
            told.insert(fact.clone(), value);
        }
        let mut context = Context::default();
        context.add_variable_from_value("kind", told.get("kind").cloned().unwrap_or(Value::Null));
        context.add_variable_from_value("facts", told);
        all.push((facts, context));
    }
    Ok(all)
}

fn per_verdict(verdicts: usize, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    let (count, micros) = (verdicts as f64, seconds * 1e6);
    format!("{:.2} us a verdict, {:.0} verdicts/s", micros / count, count / seconds)
}

fn main() -> Result<()> {
    let pack = Pack::builtin_cn()?;
    let tables = CelTables::read()?;
    let all = exceptions()?;
    for (facts, context) in &all {
        let (ours, cel) = (judge(&pack, kind_of(facts), facts).rule_id().to_owned(), tables.decide(context));
        ensure!(Some(ours.as_str()) == cel, "the engines differ: {ours} and {cel:?}");
        println!("same answer: {ours}");
    }
    let decide = |count: usize| {
        let facts = all.iter().map(|(facts, _)| facts).cycle().take(count);
        facts.map(|facts| judge(&pack, kind_of(facts), facts).shares.parts().len()).sum::<usize>()
    };
    // In turns, so that a loaded machine slows both.
    for turn in 1..=3 {
        let start = Instant::now();
        std::hint::black_box(decide(OURS / 4));
        println!("{turn} onus, one core:  {}", per_verdict(OURS / 4, start.elapsed()));
        let start = Instant::now();
        let decided = all.iter().cycle().take(CEL).filter(|(_, context)| tables.decide(context).is_some()).count();
        std::hint::black_box(decided);
        println!("{turn} cel, one core:   {}", per_verdict(CEL, start.elapsed()));
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| std::hint::black_box(decide(OURS / 2)));
            }
        });
        println!("{turn} onus, two cores: {}", per_verdict(OURS, start.elapsed()));
    }
    Ok(())
}
