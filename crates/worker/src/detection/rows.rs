//! What live detection says, as rows of the store.

use onus_incident::cube::Dimension;
use onus_incident::detector::{By, Settings, instant_of};
use onus_incident::episode::State;
use onus_incident::episode::hypotheses::Hypotheses;
use onus_incident::live::{AlarmLog, Ending, LiveEpisode, LoggedAlarm, MapCell, Part};
use onus_incident::{Family, FamilyPolicy, Policy};
use onus_model::{Cause, FindingStatus, Text, Zone};
use onus_store::alarms::AlarmRow;
use onus_store::episodes::EpisodeRow;
use serde_json::{Map, Value, json};

use crate::episodes::portrait::{affected, amounts, cut, yuan};
use crate::episodes::{cause_of, percent, title_of};
use crate::error::WorkerError;

/// Makes rows.
pub(super) struct Rows {
    zone: Zone,
    settings: Settings,
    policy: Policy,
    hypotheses: Hypotheses,
}

impl Rows {
    pub(super) fn new(zone: &Zone, settings: &Settings) -> Result<Self, WorkerError> {
        let config = |error: onus_incident::PolicyError| WorkerError::Config(error.to_string());
        Ok(Self {
            zone: zone.clone(),
            settings: settings.clone(),
            policy: Policy::builtin().map_err(config)?,
            hypotheses: Hypotheses::builtin().map_err(config)?,
        })
    }

    fn at(&self, minute: u32) -> String {
        self.zone.format(instant_of(minute))
    }

    /// An alarm, seen live or in records.
    pub(super) fn alarm(&self, alarm: &LoggedAlarm, origin: &str) -> AlarmRow {
        let ended = alarm.ended;
        let standing = match (ended.map(|ended| ended.how), alarm.by) {
            (Some(how), _) => how.as_str(),
            (None, By::Promised) => "confirmed",
            (None, By::Early) => "raised",
        };
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let micros = |minute: u32| instant_of(minute).0;
        let signal = self.settings.signal(&alarm.signal).map(|(_, signal)| signal);
        let says = signal.map_or_else(|| Text { zh: String::new(), en: String::new() }, |it| it.comment.clone());
        AlarmRow {
            id: format!("{origin}:{}:{}", alarm.key(), alarm.raised_at),
            origin: origin.to_owned(),
            signal: alarm.signal.clone(),
            layer: alarm.layer.clone(),
            cell: alarm.values.join("+"),
            standing: standing.to_owned(),
            since_at: micros(alarm.since),
            raised_at: micros(alarm.raised_at),
            confirmed_at: alarm.confirmed_at.map(micros),
            ended_at: ended.map(|ended| micros(ended.at)),
            attempts: count(alarm.attempts),
            hits: count(alarm.hits),
            expected_milli: (alarm.expected * 1_000.0).round() as i64,
            evidence_bits: alarm.e_value.max(1.0).log2().floor() as i64,
            needed_bits: alarm.needed.max(1.0).log2().ceil() as i64,
            body:
                json!({"says": text(&says), "eased": alarm.eased, "against_peers": alarm.signal.starts_with("agent_")})
                    .to_string(),
        }
    }

    /// An episode that was opened; none for one that is part of another.
    pub(super) fn episode(&self, episode: &LiveEpisode, alarms: &AlarmLog) -> Option<EpisodeRow> {
        let family = self.settings.signal(&episode.signal)?.1.episode?;
        let opened = episode.steps.first()?.at;
        let policy = self.policy.families.iter().find(|policy| policy.family == family);
        let seen = episode.seen();
        let (date, second) = self.zone.local(instant_of(opened));
        let id = format!(
            "L{}-{}-{:02}{:02}-{}",
            date.to_string().replace('-', ""),
            episode.signal,
            second / 3_600,
            second / 60 % 60,
            episode.number
        );
        let was_confirmed = episode.steps.iter().any(|step| step.state == State::Confirmed);
        let status = if was_confirmed { FindingStatus::Confirmed } else { FindingStatus::Probable };
        let (told, scope) = (told_family(family, episode), episode.told_scope().text());
        let (zh, en) = title_of(told);
        let title = Text { zh: format!("{zh}：{}", scope.zh), en: format!("{en}: {}", scope.en) };
        let benign = policy.is_some_and(|policy| policy.benign);
        let body = self.body(episode, policy, alarms, &title);
        Some(EpisodeRow {
            id,
            cause: cause_of(told).to_string(),
            status: status.to_string(),
            benign: i64::from(benign),
            started_at: instant_of(episode.since).0,
            ended_at: episode.ended.map(|minute| instant_of(minute).0),
            scope: scope_json(episode),
            payments: i64::try_from(seen.hits()).unwrap_or(i64::MAX),
            amount_minor: seen.hit_amount_minor(),
            title_zh: title.zh,
            title_en: title.en,
            body: body.to_string(),
        })
    }

    fn body(&self, episode: &LiveEpisode, policy: Option<&FamilyPolicy>, alarms: &AlarmLog, title: &Text) -> Value {
        let (seen, picture) = (episode.seen(), &episode.picture);
        let ordinary = if episode.expected_of > 0 { episode.expected / episode.expected_of as f64 } else { 0.0 };
        let rate = Part { attempts: seen.attempts(), hits: seen.hits() };
        let steps: Vec<Value> = episode
            .steps
            .iter()
            .map(|step| {
                let seen = Part { attempts: step.attempts, hits: step.hits };
                json!({"at": self.at(step.at), "state": step.state.as_str(), "seen": part(seen)})
            })
            .collect();
        let in_scope = |dimension: Dimension| episode.scope.of_dimension(dimension).is_some();
        let map: Vec<Value> = picture
            .map
            .iter()
            .map(|row| {
                let cells: Vec<Value> = row.cells.iter().map(cell).collect();
                json!({"dim": row.dimension.as_str(), "scoped": in_scope(row.dimension), "cells": cells})
            })
            .collect();
        let agents: Vec<Value> = picture
            .agents
            .iter()
            .map(|it| {
                let standing = if in_scope(Dimension::Agent) { "in_scope" } else { standing(it, policy) };
                json!({
                    "code": it.value, "inside": part(it.inside), "elsewhere": part(it.elsewhere),
                    "amount_minor": it.hit_amount_minor, "standing": standing,
                })
            })
            .collect();
        let exposure: Map<String, Value> =
            picture.agents.iter().map(|it| (it.value.clone(), json!([it.inside.hits, it.hit_amount_minor]))).collect();
        let timeline: Vec<Value> = picture
            .moments
            .iter()
            .map(|it| json!({"at": self.at(it.minute), "inside": part(it.inside), "elsewhere": part(it.elsewhere)}))
            .collect();
        let notice = self.notice(episode, title, rate);
        json!({
            "origin": "live",
            "family": self.settings.signal(&episode.signal).and_then(|it| it.1.episode).map(Family::as_str),
            "state": episode.state().as_str(),
            "signals": self.signals(episode, alarms),
            "excluded": Vec::<Value>::new(),
            "exposure": exposure,
            "steps": steps,
            "twentieth_at": picture.twentieth.map(|minute| self.at(minute + 1)),
            "first_failure_at": self.at(episode.since),
            "rate": part(rate),
            "baseline_ppm": (ordinary * 1e6).round() as i64,
            "cut": episode.cut().map(cut),
            "amounts": amounts(episode.alike(), episode.cut()),
            "map": map,
            "agents": agents,
            "timeline": timeline,
            "hypotheses": Vec::<Value>::new(),
            "notice": text(&notice),
            "notice_agent": text(&self.hypotheses.notice_agent),
            "pattern": false,
            "unproven": Vec::<Value>::new(),
        })
    }

    /// What speaks for it: its alarms, and what localisation says.
    fn signals(&self, episode: &LiveEpisode, alarms: &AlarmLog) -> Vec<Value> {
        let own = alarms.all().iter().filter(|alarm| episode.alarms.contains(&alarm.key()));
        let says = |alarm: &LoggedAlarm| {
            let cell = if alarm.values.is_empty() { String::new() } else { format!(" {}", alarm.values.join("+")) };
            let (layer, since) = (&alarm.layer, short(&self.at(alarm.since)));
            let (hits, attempts, expected) = (alarm.hits, alarm.attempts, alarm.expected);
            let bits = alarm.e_value.max(1.0).log2().floor();
            let withdrawn = alarm.ended.is_some_and(|ended| ended.how == Ending::Withdrawn);
            let (zh, en) = if withdrawn { ("（已撤回）", " (withdrawn)") } else { ("", "") };
            json!({
                "zh": format!("{layer}{cell}：自{since}起{attempts}笔中{hits}笔，平时约{expected:.1}笔，证据{bits}比特{zh}"),
                "en": format!("{layer}{cell}: {hits} of {attempts} since {since}, ordinarily {expected:.1}; evidence {bits} bits{en}"),
            })
        };
        let located =
            episode.words.iter().flat_map(|(zh, en)| zh.iter().zip(en).map(|(zh, en)| json!({"zh": zh, "en": en})));
        own.map(says).chain(located).collect()
    }

    fn notice(&self, episode: &LiveEpisode, title: &Text, rate: Part) -> Text {
        let over = episode.ended.is_some();
        let template = if over { &self.hypotheses.notice_over } else { &self.hypotheses.notice };
        let last = episode.ended.or_else(|| episode.picture.moments.last().map(|moment| moment.minute + 1));
        let (since, until) = (short(&self.at(episode.since)), last.map_or(String::new(), |it| short(&self.at(it))));
        let amount = yuan(episode.seen().hit_amount_minor());
        let scope = episode.scope.text();
        let affected = episode.cut().map_or_else(Text::default, affected);
        let fill = |template: &str, scope: &str, title: &str, cut: &str| {
            template
                .replace("{since}", &since)
                .replace("{until}", &until)
                .replace("{scope}", scope)
                .replace("{title}", title)
                .replace("{attempts}", &rate.attempts.to_string())
                .replace("{failures}", &format!("{} ({})", rate.hits, percent(ppm(rate))))
                .replace("{amount}", &amount)
                .replace("{cut}", cut)
        };
        let head = |title: &str, mark: &str| title.split(mark).next().unwrap_or_default().to_owned();
        Text {
            zh: fill(&template.zh, &scope.zh, &head(&title.zh, "："), &affected.zh),
            en: fill(&template.en, &scope.en, &head(&title.en, ": "), &affected.en),
        }
    }
}

/// The family that a live episode is told as. Of a host that is silent the gateway knows only that the acquirer's side
/// did not answer; the network's line is named by records alone.
fn told_family(family: Family, episode: &LiveEpisode) -> Family {
    let names = |dimension| episode.scope.of_dimension(dimension).is_some();
    match family {
        Family::Lost if names(Dimension::AcquirerLink) && !names(Dimension::NetworkLink) => Family::AcquirerSilent,
        other => other,
    }
}

/// The causes that an episode of a family can turn out to have, once records are there.
pub(super) fn causes(family: &str) -> Vec<Cause> {
    match family {
        "lost" | "acquirer_silent" => vec![cause_of(Family::Lost), cause_of(Family::AcquirerSilent)],
        "issuer_down" => vec![cause_of(Family::IssuerDown), cause_of(Family::Lost)],
        "unread" => vec![cause_of(Family::Unread)],
        "key_sync" => vec![cause_of(Family::KeySync)],
        _ => Vec::new(),
    }
}

fn scope_json(episode: &LiveEpisode) -> String {
    let told = episode.told_scope();
    let mut scope: Map<String, Value> =
        told.values.iter().map(|(dimension, values)| (dimension_key(*dimension), json!(values))).collect();
    if let Some(amount) = told.amount_text() {
        scope.insert("amount".to_owned(), json!([amount]));
    }
    Value::Object(scope).to_string()
}

/// The name that the search over records has for a dimension.
fn dimension_key(dimension: Dimension) -> String {
    match dimension {
        Dimension::TerminalModel => "model",
        other => other.as_str(),
    }
    .to_owned()
}

/// Whether an agent's payments elsewhere clear it.
fn standing(cell: &MapCell, policy: Option<&FamilyPolicy>) -> &'static str {
    let Some(policy) = policy else { return "open" };
    let ordinary = ppm(cell.elsewhere).max(policy.baseline_floor_ppm);
    let far_above = u128::from(ppm(cell.inside)) * 1_000_000 >= u128::from(ordinary) * u128::from(policy.min_ratio_ppm);
    if cell.elsewhere.attempts >= policy.compare_min_attempts && far_above { "cleared" } else { "open" }
}

fn ppm(part: Part) -> u64 {
    (part.hits * 1_000_000).checked_div(part.attempts).unwrap_or(0)
}

fn part(part: Part) -> Value {
    json!({"attempts": part.attempts, "failures": part.hits})
}

fn cell(cell: &MapCell) -> Value {
    json!({"value": cell.value, "inside": part(cell.inside), "elsewhere": part(cell.elsewhere)})
}

fn text(text: &Text) -> Value {
    json!({"zh": text.zh, "en": text.en})
}

/// Date and time of day of a formatted time.
fn short(at: &str) -> String {
    at.get(..16).unwrap_or(at).replace('T', " ")
}
