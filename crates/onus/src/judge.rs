//! `onus judge`: who bears it, for facts given as JSON lines.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use onus_liability::{Facts, Outcome, Pack, RawValue, VOCABULARY, judge, kind_of};
use onus_model::{Party, Shares};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Language;
use crate::pack::load_pack;

/// Arguments of `onus judge`.
#[derive(Args)]
pub(crate) struct JudgeArgs {
    /// File of cases, one JSON object a line with id, facts and, where it matters, asked; `-` or nothing reads standard input.
    #[arg(default_value = "-")]
    cases: PathBuf,
    /// Rule pack: the name of a shipped one, or a folder.
    #[arg(long, default_value = "intl-principles-1")]
    pack: String,
    /// Leave out the facts of the diagnosis (cause.*), to see how far the other facts carry.
    #[arg(long)]
    without_cause: bool,
    /// Add the whole proof to each answer.
    #[arg(long)]
    explain: bool,
    /// Language of reasons.
    #[arg(long, value_enum, default_value_t = Language::En)]
    lang: Language,
}

/// A line of the input. What else stands in it is not read: an outcome must not be seen.
#[derive(Deserialize)]
pub(crate) struct CaseLine {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) asked: Vec<String>,
    pub(crate) facts: BTreeMap<String, RawValue>,
}

/// Judges all lines. True when every line could be read.
pub(crate) fn run(args: &JudgeArgs) -> Result<bool> {
    let pack = load_pack(&args.pack)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut sound = true;
    for (number, line) in lines(&args.cases)?.enumerate() {
        let line = line.with_context(|| format!("reading {}", args.cases.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("{}:{}", args.cases.display(), number.saturating_add(1));
        match serde_json::from_str::<CaseLine>(&line) {
            Ok(case) => writeln!(out, "{}", answer(&pack, &case, &place, args))?,
            Err(error) => {
                sound = false;
                writeln!(std::io::stderr(), "onus: {place}: {error}; expected {{\"id\": …, \"facts\": {{…}}}}")?;
            }
        }
    }
    out.flush()?;
    Ok(sound)
}

/// Lines of a file, or of standard input for `-`.
pub(crate) fn lines(path: &Path) -> Result<Box<dyn Iterator<Item = std::io::Result<String>>>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdin().lines()));
    }
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    Ok(Box::new(BufReader::new(file).lines()))
}

/// The facts of a line, with what could not be read.
pub(crate) fn facts_of(case: &CaseLine, place: &str, without_cause: bool) -> (Facts, Vec<String>) {
    let (mut facts, mut ignored) = (Facts::default(), Vec::new());
    let asked = RawValue::List(case.asked.iter().cloned().map(RawValue::Text).collect());
    let asked = (!case.asked.is_empty()).then_some(("asked.parties", &asked));
    let told = case.facts.iter().map(|(name, raw)| (name.as_str(), raw));
    for (name, raw) in told.chain(asked).filter(|(name, _)| !(without_cause && name.starts_with("cause."))) {
        if let Err(error) = facts.tell(name, raw, place) {
            ignored.push(error.to_string());
        }
    }
    (facts, ignored)
}

fn answer(pack: &Pack, case: &CaseLine, place: &str, args: &JudgeArgs) -> Value {
    let (facts, ignored) = facts_of(case, place, args.without_cause);
    let outcome = judge(pack, kind_of(&facts), &facts);
    let mut line = Map::new();
    line.insert("id".to_owned(), json!(case.id));
    let proof = onus_liability::prove(pack, &outcome, &facts);
    if outcome.abstains() {
        line.insert("abstain".to_owned(), json!(true));
        let asks: Vec<Value> = onus_liability::asks(pack, &facts)
            .into_iter()
            .map(|ask| json!({"fact": ask.fact, "of": word(ask.of, case), "text": say(&ask.text, args.lang)}))
            .collect();
        line.insert("ask".to_owned(), json!(asks));
    } else {
        line.insert("shares".to_owned(), shares(&outcome, case));
        line.insert("outward".to_owned(), json!(outcome.outward.map(|party| word(party, case))));
        line.insert("agent".to_owned(), json!(outcome.agent_basis.as_str()));
    }
    line.insert("rule".to_owned(), json!(outcome.rule_id()));
    line.insert("why".to_owned(), json!(say(&proof.summary(), args.lang)));
    if args.explain {
        line.insert("proof".to_owned(), json!(proof));
        line.insert("pack".to_owned(), json!({"id": pack.id, "version": pack.version, "sha256": pack.sha256}));
        line.insert("outcome_sha256".to_owned(), json!(onus_liability::outcome_sha256(pack, &facts, &outcome)));
    }
    if !ignored.is_empty() {
        line.insert("ignored".to_owned(), json!(ignored));
    }
    Value::Object(line)
}

fn say(text: &onus_model::Text, language: Language) -> String {
    if language == Language::Zh { text.zh.clone() } else { text.en.clone() }
}

/// A party as the case writes it.
fn word(party: Party, case: &CaseLine) -> String {
    match VOCABULARY.alias(party) {
        Some(alias) if case.asked.iter().any(|asked| asked == alias) => alias.to_owned(),
        _ => party.to_string(),
    }
}

fn shares(outcome: &Outcome<'_>, case: &CaseLine) -> Value {
    Value::Object(percent(&outcome.shares, |party| word(party, case)))
}

/// Percent by party: whole numbers where they are whole.
pub(crate) fn percent(shares: &Shares, name: impl Fn(Party) -> String) -> Map<String, Value> {
    let of = |bp: u16| if bp.is_multiple_of(100) { json!(bp / 100) } else { json!(f64::from(bp) / 100.0) };
    shares.parts().iter().map(|(party, bp)| (name(*party), of(*bp))).collect()
}
