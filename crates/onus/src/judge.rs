//! `onus judge`: who bears it, for facts given as JSON lines.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use onus_liability::{Facts, Outcome, Pack, RawValue, ReasonCode, VOCABULARY, judge, kind_of, reason_of};
use onus_model::{Party, Shares};
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
#[derive(Debug, Default)]
pub(crate) struct CaseLine {
    /// As it stands, to come back with the answer.
    pub(crate) id: Value,
    pub(crate) asked: Vec<String>,
    pub(crate) facts: BTreeMap<String, RawValue>,
    /// What could not be read, each with its field.
    pub(crate) faults: Vec<String>,
    /// The facts could not be read at all: there is nothing to judge.
    pub(crate) blank: bool,
}

impl CaseLine {
    /// Reads a line, as far as it can be read. A fact that is null is unknown.
    ///
    /// # Errors
    /// When it is no JSON object, or has no id.
    pub(crate) fn read(line: &str) -> Result<Self> {
        let line: Value = serde_json::from_str(line).context("no line of JSON")?;
        let Value::Object(mut fields) = line else {
            bail!("expected a JSON object {{\"id\": …, \"facts\": {{…}}}}")
        };
        let mut case = Self { id: fields.remove("id").unwrap_or_default(), ..Self::default() };
        if !(case.id.is_string() || case.id.is_number()) {
            bail!("id: expected a text or a number; found {}", case.id);
        }
        match fields.remove("asked") {
            None | Some(Value::Null) => {}
            Some(Value::Array(words)) => words.into_iter().for_each(|word| case.ask(&word)),
            Some(other) => case.faults.push(format!("asked: expected a list of parties; found {other}")),
        }
        match fields.remove("facts") {
            Some(Value::Object(facts)) => {
                for (name, raw) in facts.into_iter().filter(|(_, raw)| !raw.is_null()) {
                    match serde_json::from_value(raw) {
                        Ok(raw) => drop(case.facts.insert(name, raw)),
                        Err(error) => case.faults.push(format!("facts.{name}: {error}")),
                    }
                }
            }
            found => {
                case.blank = true;
                case.faults.push(format!("facts: expected an object; found {}", found.unwrap_or_default()));
            }
        }
        Ok(case)
    }

    fn ask(&mut self, word: &Value) {
        match word.as_str().filter(|word| VOCABULARY.party_of(word).is_some()) {
            Some(word) => self.asked.push(word.to_owned()),
            None => self.faults.push(format!("asked: {word} is no party")),
        }
    }
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
        let case = match CaseLine::read(&line) {
            Ok(case) => case,
            Err(error) => {
                sound = false;
                writeln!(std::io::stderr(), "onus: {place}: {error:#}")?;
                continue;
            }
        };
        let (answer, faults) = answer(&pack, &case, &place, args);
        sound &= !case.blank;
        for fault in faults {
            writeln!(std::io::stderr(), "onus: {place}: {fault}")?;
        }
        writeln!(out, "{answer}")?;
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

/// The facts of a line, with what could not be read: those count as unknown.
pub(crate) fn facts_of(case: &CaseLine, place: &str, without_cause: bool) -> (Facts, Vec<String>) {
    let (mut facts, mut ignored) = (Facts::default(), case.faults.clone());
    let asked = RawValue::List(case.asked.iter().cloned().map(RawValue::Text).collect());
    let asked = (!case.asked.is_empty()).then_some(("asked.parties", &asked));
    let told = case.facts.iter().map(|(name, raw)| (name.as_str(), raw));
    for (name, raw) in told.chain(asked).filter(|(name, _)| !(without_cause && name.starts_with("cause."))) {
        if let Err(error) = facts.tell(name, raw, place) {
            ignored.push(error.to_string());
        }
    }
    onus_liability::tell_reason(&mut facts);
    (facts, ignored)
}

fn answer(pack: &Pack, case: &CaseLine, place: &str, args: &JudgeArgs) -> (Value, Vec<String>) {
    let (facts, ignored) = facts_of(case, place, args.without_cause);
    let mut line = Map::new();
    line.insert("id".to_owned(), case.id.clone());
    if case.blank {
        line.insert("abstain".to_owned(), json!(true));
        line.insert("ignored".to_owned(), json!(ignored));
        return (Value::Object(line), ignored);
    }
    let outcome = judge(pack, kind_of(&facts), &facts);
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
    if let Some(reason) = reason_of(&facts) {
        line.insert("reason_code".to_owned(), reason_json(reason, &facts, args.lang));
    }
    if args.explain {
        line.insert("proof".to_owned(), json!(proof));
        line.insert("pack".to_owned(), json!({"id": pack.id, "version": pack.version, "sha256": pack.sha256}));
        line.insert("outcome_sha256".to_owned(), json!(onus_liability::outcome_sha256(pack, &facts, &outcome)));
    }
    if !ignored.is_empty() {
        line.insert("ignored".to_owned(), json!(ignored));
    }
    (Value::Object(line), ignored)
}

/// What the code of a chargeback says: its family and times, and who still has to prove what.
pub(crate) fn reason_json(reason: &ReasonCode, facts: &Facts, language: Language) -> Value {
    let open: Vec<Value> = reason
        .open_proofs(facts)
        .map(|proof| json!({"by": proof.by, "fact": proof.fact, "text": say(&proof.text, language)}))
        .collect();
    let times = &reason.times;
    json!({
        "network": reason.network, "code": reason.code, "title": say(&reason.title, language),
        "family": reason.family, "family_title": say(&reason.family_title, language), "must_prove": open,
        "file_within": times.file_within, "answer_within": times.answer_within, "second_within": times.second_within,
        "arbitration_within": times.arbitration_within, "source": reason.source, "grade": reason.grade,
    })
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
