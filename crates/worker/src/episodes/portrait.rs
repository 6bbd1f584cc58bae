//! What is told about an episode: its life, where it sits, the amount that divides, what was considered and the notices.

use onus_incident::episode::amount::{Alike, Cut};
use onus_incident::episode::hypotheses::{Outcome, Verdict};
use onus_incident::episode::life::{Step, life};
use onus_incident::episode::{State, picture};
use onus_incident::{Dim, FamilyPolicy, Found, Rate};
use onus_model::{Episode, Text, Zone};
use serde_json::{Map, Value, json};

use crate::episodes::{Telling, percent};

/// Dimensions of the map of scope.
const MAP: [Dim; 9] = [
    Dim::NetworkLink,
    Dim::City,
    Dim::Agent,
    Dim::EntryMode,
    Dim::Pin,
    Dim::Issuer,
    Dim::AppVersion,
    Dim::Model,
    Dim::ProductionBatch,
];
/// Values of each dimension that the map shows.
const MAP_VALUES: usize = 18;
/// Ranges of the chart of amounts.
const AMOUNT_BINS: u32 = 40;
/// Stretches of the timeline, at most.
const MOMENTS: i64 = 120;

/// One episode and what to tell it with.
pub(crate) struct Portrait<'a> {
    pub(crate) telling: &'a Telling<'a>,
    pub(crate) found: &'a Found,
    pub(crate) episode: &'a Episode,
    pub(crate) family: Option<&'a FamilyPolicy>,
    pub(crate) cut: Option<&'a Cut>,
}

impl Portrait<'_> {
    pub(crate) fn body(&self, alike: Option<&Alike>) -> Map<String, Value> {
        let (samples, zone) = (&self.telling.samples.samples, self.telling.zone);
        let steps =
            self.family.map(|family| life(samples, self.found, family, &self.telling.policy.life)).unwrap_or_default();
        let weighed = self.telling.hypotheses.weigh(samples, self.found, self.cut);
        let twentieth = self.found.members.get(19).and_then(|index| samples.get(*index as usize));
        let fields = json!({
            "state": steps.last().map_or(State::Suspected, |step| step.state).as_str(),
            "steps": steps.iter().map(|it| step(it, zone)).collect::<Vec<_>>(),
            "twentieth_at": twentieth.map(|sample| zone.format(sample.known_in(self.found.family))),
            "first_failure_at": zone.format(self.found.started_at),
            "rate": rate(Rate { attempts: self.found.attempts, failures: self.found.failures }),
            "baseline_ppm": self.found.baseline_ppm,
            "cut": self.cut.map(cut),
            "amounts": alike.map(|alike| amounts(alike, self.cut)).unwrap_or_default(),
            "map": self.map(),
            "agents": self.agents(),
            "timeline": picture::timeline(samples, self.found, MOMENTS).iter().map(|it| moment(it, zone)).collect::<Vec<_>>(),
            "hypotheses": weighed.iter().map(|outcome| self.hypothesis(outcome)).collect::<Vec<_>>(),
            "notice": self.notice(&steps),
            "notice_agent": text(&self.telling.hypotheses.notice_agent),
        });
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    /// Values of each dimension in its time. A dimension with one value says nothing.
    fn map(&self) -> Vec<Value> {
        let map = picture::map(&self.telling.samples.samples, self.found, &MAP, MAP_VALUES);
        let row = |(dim, cells): &(Dim, Vec<picture::Cell>)| {
            let cells: Vec<Value> = cells
                .iter()
                .map(|cell| {
                    let name = self.telling.samples.names.text(cell.value);
                    json!({"value": name, "inside": rate(cell.inside), "elsewhere": rate(cell.elsewhere)})
                })
                .collect();
            json!({"dim": dim.as_str(), "scoped": self.found.scope.iter().any(|part| part.0 == *dim), "cells": cells})
        };
        map.iter().filter(|(_, cells)| cells.len() > 1).map(row).collect()
    }

    /// The matched comparison of each agent hit: its payments in scope against its own elsewhere in the same time.
    fn agents(&self) -> Vec<Value> {
        let map = picture::map(&self.telling.samples.samples, self.found, &[Dim::Agent], usize::MAX);
        let cells = map.into_iter().flat_map(|(_, cells)| cells);
        let row = |cell: picture::Cell| {
            let code = self.telling.samples.names.text(cell.value).to_owned();
            let amount_minor = self.episode.exposure.get(&code).map_or(0, |(_, amount)| *amount);
            json!({
                "code": code, "inside": rate(cell.inside), "elsewhere": rate(cell.elsewhere),
                "amount_minor": amount_minor, "standing": self.standing(&cell),
            })
        };
        cells.filter(|cell| cell.inside.failures > 0).map(row).collect()
    }

    /// Whether an agent's payments elsewhere clear it.
    fn standing(&self, cell: &picture::Cell) -> &'static str {
        let Some(family) = self.family else { return "open" };
        if self.found.scope.iter().any(|(dim, _)| *dim == Dim::Agent) {
            return "in_scope";
        }
        let ordinary = cell.elsewhere.ppm().max(family.baseline_floor_ppm);
        let far_above =
            u128::from(cell.inside.ppm()) * 1_000_000 >= u128::from(ordinary) * u128::from(family.min_ratio_ppm);
        if cell.elsewhere.attempts >= family.compare_min_attempts && far_above { "cleared" } else { "open" }
    }

    fn hypothesis(&self, outcome: &Outcome<'_>) -> Value {
        let it = outcome.hypothesis;
        let said = match outcome.verdict {
            Verdict::Supports => it.supported.clone(),
            Verdict::Excludes => it.excluded.clone(),
            Verdict::Unknown => {
                Text { zh: "可比的交易太少".to_owned(), en: "Too few payments to compare".to_owned() }
            }
        };
        json!({
            "id": it.id, "innocent": it.innocent, "verdict": outcome.verdict.as_str(), "says": text(&it.says),
            "looks_at": text(&it.looks_at), "finding": text(&self.fill(&said, outcome)), "source": it.source,
            "grade": it.grade.to_string(), "a": rate(outcome.a), "b": rate(outcome.b),
        })
    }

    fn fill(&self, said: &Text, outcome: &Outcome<'_>) -> Text {
        let value = outcome.value.map_or("", |value| self.telling.samples.names.text(value));
        let cut = self.cut.map_or_else(String::new, |cut| yuan(cut.amount_minor));
        // Counts of payments alone are not rates.
        let counted = outcome.a.failures == 0 && outcome.b.failures == 0 && said.zh.contains("笔数");
        let zh = |rate: Rate| match counted {
            true => rate.attempts.to_string(),
            false => format!("{}/{}（{}）", rate.failures, rate.attempts, percent(rate.ppm())),
        };
        let en = |rate: Rate| match counted {
            true => rate.attempts.to_string(),
            false => format!("{} of {} ({})", rate.failures, rate.attempts, percent(rate.ppm())),
        };
        let put = |text: &str, a: String, b: String| {
            text.replace("{a}", &a).replace("{b}", &b).replace("{value}", value).replace("{cut}", &cut)
        };
        Text { zh: put(&said.zh, zh(outcome.a), zh(outcome.b)), en: put(&said.en, en(outcome.a), en(outcome.b)) }
    }

    /// What is told to agents and merchants.
    fn notice(&self, steps: &[Step]) -> Value {
        let over = steps.last().is_some_and(|step| !step.state.is_live());
        let rules = self.telling.hypotheses;
        let template = if over { &rules.notice_over } else { &rules.notice };
        let last = self.telling.samples.samples.last().map_or(self.found.started_at, |sample| sample.at);
        let time = |at| self.telling.zone.format(at).get(..16).unwrap_or_default().replace('T', " ");
        let scope = self.telling.scope_text(self.found, None);
        let title = |whole: &str, colon: &str| whole.split(colon).next().unwrap_or_default().to_owned();
        let fill = |text: &str, scope: &str, title: String, cut: String| {
            text.replace("{since}", &time(self.found.started_at))
                .replace("{until}", &time(self.found.ended_at.unwrap_or(last)))
                .replace("{scope}", scope)
                .replace("{title}", &title)
                .replace("{attempts}", &self.found.attempts.to_string())
                .replace("{failures}", &self.found.failures.to_string())
                .replace("{amount}", &yuan(self.episode.amount_minor))
                .replace("{cut}", &cut)
        };
        let affected = self.cut.map_or_else(Text::default, affected);
        json!({
            "zh": fill(&template.zh, &scope.zh, title(&self.episode.title.zh, "："), affected.zh),
            "en": fill(&template.en, &scope.en, title(&self.episode.title.en, ": "), affected.en),
        })
    }
}

fn rate(rate: Rate) -> Value {
    json!({"attempts": rate.attempts, "failures": rate.failures})
}

fn text(text: &Text) -> Value {
    json!({"zh": text.zh, "en": text.en})
}

fn step(step: &Step, zone: &Zone) -> Value {
    json!({"at": zone.format(step.at), "state": step.state.as_str(), "seen": rate(step.seen)})
}

fn moment(moment: &picture::Moment, zone: &Zone) -> Value {
    json!({"at": zone.format(moment.at), "inside": rate(moment.inside), "elsewhere": rate(moment.elsewhere)})
}

pub(crate) fn cut(cut: &Cut) -> Value {
    json!({
        "amount_minor": cut.amount_minor, "low_minor": cut.between.0, "high_minor": cut.between.1, "below": cut.below,
        "failing": rate(cut.failing), "other": rate(cut.other),
    })
}

pub(crate) fn amounts(alike: &Alike, cut: Option<&Cut>) -> Vec<Value> {
    let bins = alike.bins(cut, AMOUNT_BINS);
    bins.into_iter().map(|(from, to, it)| json!({"from_minor": from, "to_minor": to, "rate": rate(it)})).collect()
}

/// Which amounts are affected, as a sentence of a notice.
pub(crate) fn affected(cut: &Cut) -> Text {
    let amount = yuan(cut.amount_minor);
    Text {
        zh: format!("受影响的是{amount}元{}的交易。", if cut.below { "以下" } else { "及以上" }),
        en: format!("Payments {} CNY {amount} are affected. ", if cut.below { "below" } else { "of at least" }),
    }
}

pub(crate) fn yuan(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

#[cfg(test)]
mod tests {
    use onus_liability::{Facts, Pack, decide};
    use onus_model::{ExceptionKind, Party};

    /// Being in an episode is a fact among others: alone it makes nobody pay, least of all an agent.
    #[test]
    fn an_episode_alone_charges_nobody() {
        let pack = Pack::builtin_cn().unwrap();
        for kind in [ExceptionKind::Unknown, ExceptionKind::Reversed, ExceptionKind::OneSided, ExceptionKind::Declined]
        {
            for fact in ["episode.network_line", "episode.issuer"] {
                let without = decide(&pack, kind, &facts(kind, None), 10_000).unwrap();
                let within = decide(&pack, kind, &facts(kind, Some(fact)), 10_000).unwrap();
                let agent = |verdict: &onus_model::Verdict| verdict.shares.of(Party::Agent) > 0;
                assert!(!agent(&within), "{kind} {fact}: {:?}", within.shares);
                assert_eq!(agent(&without), agent(&within));
            }
        }
    }

    fn facts(kind: ExceptionKind, episode: Option<&'static str>) -> Facts {
        let mut facts = Facts::default();
        facts.word("kind", kind.as_str(), "test");
        if let Some(fact) = episode {
            facts.yes(fact, true, "measured:episode");
        }
        facts
    }
}
