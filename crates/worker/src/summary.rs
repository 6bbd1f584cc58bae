//! Sums over a judgement: hours for the overview, terminals with their state, episodes with their cause.

use std::collections::BTreeMap;

use onus_model::{BreakClass, Cause, ExceptionKind, Instant, Party, TerminalId, Verdict, Zone};
use onus_store::episodes::EpisodeRow;
use onus_store::exceptions::ExceptionRow;
use onus_store::overview::TallyRow;
use onus_store::registry::{AccountRow, AgentRow, MerchantRow, TerminalRow};
use rustc_hash::FxHashMap;
use serde_json::json;

use crate::apply::Decided;
use crate::collector::Records;
use crate::episodes::Told;
use crate::judge::is_diversion;

type TallyKey = (i64, String, String, &'static str, &'static str, &'static str);

/// What sums need of a verdict.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) kind: ExceptionKind,
    pub(crate) cause: Cause,
    pub(crate) outward: Option<Party>,
    pub(crate) loss_minor: i64,
}

impl Counted {
    pub(crate) fn of(verdict: &Verdict) -> Self {
        let Verdict { kind, cause, outward, loss_minor, .. } = *verdict;
        Self { kind, cause, outward, loss_minor }
    }
}

/// A verdict as a row of the sums of its hour, to be added (1) or taken away (-1).
pub(crate) fn tally_of(zone: &Zone, row: &ExceptionRow, times: i64) -> TallyRow {
    TallyRow {
        hour_at: hour(zone, Instant(row.started_at)),
        agent_code: row.agent_code.clone(),
        city: row.city.clone(),
        kind: row.kind.clone(),
        cause: row.cause.clone(),
        outward: row.outward.clone(),
        payments: times,
        amount_minor: row.amount_minor.saturating_mul(times),
        loss_minor: row.loss_minor.saturating_mul(times),
    }
}

/// Gathers sums while payments go by.
#[derive(Default)]
pub(crate) struct Summary {
    tallies: FxHashMap<TallyKey, (i64, i64, i64)>,
    terminals: FxHashMap<TerminalId, TerminalSums>,
    episode_causes: FxHashMap<String, BTreeMap<Cause, u64>>,
}

#[derive(Default, Clone)]
struct TerminalSums {
    payments: i64,
    exceptions: i64,
    diverted: i64,
    diverted_since: Option<Instant>,
}

impl Summary {
    pub(crate) fn payment(&mut self, zone: &Zone, decided: &Decided, agent: &str, city: &str, sale: bool) {
        let terminal = self.terminals.entry(decided.attempt.key.tid).or_default();
        if sale {
            terminal.payments += 1;
            add(
                &mut self.tallies,
                (hour(zone, decided.at), agent.to_owned(), city.to_owned(), "", "", ""),
                decided.amount_minor,
                0,
            );
        }
        let by_program = |class: BreakClass| is_diversion(class) && class != BreakClass::PayoutDiverted;
        if decided.breaks.iter().any(|found| by_program(found.class)) {
            terminal.diverted += 1;
            terminal.diverted_since = Some(terminal.diverted_since.map_or(decided.at, |since| since.min(decided.at)));
        }
    }

    pub(crate) fn exception(
        &mut self,
        zone: &Zone,
        decided: &Decided,
        counted: &Counted,
        agent: &str,
        city: &str,
        episode: &str,
    ) {
        self.terminals.entry(decided.attempt.key.tid).or_default().exceptions += 1;
        let outward = counted.outward.map_or("none", Party::as_str);
        let key = (
            hour(zone, decided.at),
            agent.to_owned(),
            city.to_owned(),
            counted.kind.as_str(),
            counted.cause.as_str(),
            outward,
        );
        add(&mut self.tallies, key, decided.amount_minor, counted.loss_minor);
        if !episode.is_empty() {
            *self.episode_causes.entry(episode.to_owned()).or_default().entry(counted.cause).or_default() += 1;
        }
    }

    /// Tallies and the hours that they cover.
    pub(crate) fn tally_rows(&self) -> (Vec<TallyRow>, Option<(i64, i64)>) {
        let mut rows: Vec<TallyRow> = self
            .tallies
            .iter()
            .map(|((hour_at, agent_code, city, kind, cause, outward), (payments, amount_minor, loss_minor))| TallyRow {
                hour_at: *hour_at,
                agent_code: agent_code.clone(),
                city: city.clone(),
                kind: (*kind).to_owned(),
                cause: (*cause).to_owned(),
                outward: (*outward).to_owned(),
                payments: *payments,
                amount_minor: *amount_minor,
                loss_minor: *loss_minor,
            })
            .collect();
        rows.sort_by(|left, right| {
            (left.hour_at, &left.agent_code, &left.city, &left.kind, &left.cause, &left.outward).cmp(&(
                right.hour_at,
                &right.agent_code,
                &right.city,
                &right.kind,
                &right.cause,
                &right.outward,
            ))
        });
        let hours = rows.first().zip(rows.last()).map(|(first, last)| (first.hour_at, last.hour_at + 1));
        (rows, hours)
    }

    /// Episodes; one whose hypothesis was left open takes the cause that most of its payments were found to have.
    pub(crate) fn episode_rows(&self, episodes: &[Told]) -> Vec<EpisodeRow> {
        let text = |value: serde_json::Value| value.to_string();
        let row = |Told { episode, body }: &Told| {
            let mut body = body.clone();
            let found =
                self.episode_causes.get(&episode.id).and_then(|causes| causes.iter().max_by_key(|(_, count)| **count));
            let cause = if episode.cause == Cause::Unknown {
                found.map_or(Cause::Unknown, |(cause, _)| *cause)
            } else {
                episode.cause
            };
            let texts = |texts: &[onus_model::Text]| {
                texts.iter().map(|text| json!({"zh": text.zh, "en": text.en})).collect::<Vec<_>>()
            };
            let exposure: serde_json::Map<_, _> = episode
                .exposure
                .iter()
                .map(|(agent, (payments, amount))| (agent.clone(), json!([payments, amount])))
                .collect();
            body.insert("signals".to_owned(), json!(texts(&episode.signals)));
            body.insert("excluded".to_owned(), json!(texts(&episode.excluded)));
            body.insert("exposure".to_owned(), json!(exposure));
            EpisodeRow {
                id: episode.id.clone(),
                cause: cause.to_string(),
                status: episode.status.to_string(),
                benign: i64::from(episode.benign),
                started_at: episode.started_at.0,
                ended_at: episode.ended_at.map(|at| at.0),
                scope: text(json!(episode.scope)),
                payments: i64::try_from(episode.payments).unwrap_or(i64::MAX),
                amount_minor: episode.amount_minor,
                title_zh: episode.title.zh.clone(),
                title_en: episode.title.en.clone(),
                body: text(serde_json::Value::Object(body)),
            }
        };
        episodes.iter().map(row).collect()
    }

    /// Agents, merchants and terminals as lists show them.
    pub(crate) fn register_rows(
        &self,
        records: &Records,
        now: Instant,
    ) -> (Vec<AgentRow>, Vec<MerchantRow>, Vec<TerminalRow>) {
        let registry = &records.registry;
        let mut agents: Vec<_> = registry
            .agents
            .values()
            .map(|agent| AgentRow {
                code: agent.code.clone(),
                parent_code: agent.parent_code.clone(),
                level: agent.level,
                name: agent.name.clone(),
                city: agent.city.clone(),
                status: agent.status.clone(),
                filing_no: agent.filing_no.clone(),
                filing_valid_to: agent.filing_valid_to.clone(),
                deposit_minor: agent.deposit_minor,
                deposit_floor_minor: agent.deposit_floor_minor,
                recourse_share_bp: agent.recourse_share_bp,
            })
            .collect();
        agents.sort_by(|left, right| left.code.cmp(&right.code));
        let mut merchants: Vec<_> = registry
            .merchants
            .values()
            .map(|merchant| MerchantRow {
                code: merchant.code.to_string(),
                name: merchant.name.clone(),
                mcc: merchant.mcc.clone(),
                city: merchant.city.clone(),
                agent_code: merchant.agent_code.clone(),
                status: merchant.status.clone(),
            })
            .collect();
        merchants.sort_by(|left, right| left.code.cmp(&right.code));
        let mut terminals: Vec<_> =
            registry.terminals.values().map(|terminal| self.terminal_row(records, terminal, now)).collect();
        terminals.sort_by(|left, right| left.serial.cmp(&right.serial));
        (agents, merchants, terminals)
    }

    /// Settlement accounts with the change that brought each in.
    pub(crate) fn account_rows(&self, records: &Records) -> Vec<AccountRow> {
        let row = |account: &onus_fleet::rows::SettlementAccount| AccountRow {
            change_id: account.change_id.clone(),
            merchant_code: account.merchant.to_string(),
            account_no: account.account_no.clone(),
            valid_from: account.valid_from.0,
            changed_by: account.changed_by.clone(),
        };
        let mut rows: Vec<_> = records.registry.accounts().map(row).collect();
        rows.sort_by(|left, right| left.change_id.cmp(&right.change_id));
        rows
    }

    fn terminal_row(&self, records: &Records, terminal: &onus_fleet::rows::Terminal, now: Instant) -> TerminalRow {
        let registry = &records.registry;
        let sums = self.terminals.get(&terminal.tid).cloned().unwrap_or_default();
        let merchant = registry.bound_merchant(&terminal.serial, now);
        let master = merchant.and_then(|code| registry.merchants.get(&code));
        let integrity = registry.integrity(&terminal.serial, now);
        let mut reasons = Vec::new();
        let mut since: Option<Instant> = None;
        let mut suspect = |code: &str, zh: &str, en: &str, at: Instant| {
            reasons.push(json!({"code": code, "zh": zh, "en": en}));
            since = Some(since.map_or(at, |known| known.min(at)));
        };
        if let Some(report) = integrity.bad_hash {
            suspect("hash_unknown", "程序哈希不在发布目录", "reports a program hash that no release has", report.at);
        }
        if let Some(report) = integrity.tamper_switch {
            suspect("tamper_switch", "防拆开关触发", "tamper switch fired", report.at);
        }
        if let Some(at) = sums.diverted_since {
            suspect(
                "money_diverted",
                "凭条与线上不符且资金去往他处",
                "its slips and the wire differ and money went elsewhere",
                at,
            );
        }
        let mut state = if reasons.is_empty() { "active" } else { "suspect" };
        if let Some(report) = integrity.moved {
            reasons.push(json!({"code": "moved", "zh": "不在登记地点", "en": "reports from far away from its place"}));
            since = since.or(Some(report.at));
            state = if state == "active" { "watch" } else { state };
        }
        if let Some(visit) =
            registry.program_visit(&terminal.serial, now).filter(|visit| registry.agents.contains_key(&visit.by))
        {
            reasons.push(json!({"code": "program_visit", "zh": "代理商到场重装程序，装入的程序不是已发布版本", "en": "an agent reloaded its program on site, and what it left is no release"}));
            since = since.or(Some(visit.at));
            state = if state == "active" { "watch" } else { state };
        }
        TerminalRow {
            serial: terminal.serial.clone(),
            tid: terminal.tid.to_string(),
            merchant_code: merchant.map(|code| code.to_string()).unwrap_or_default(),
            agent_code: master.map(|merchant| merchant.agent_code.clone()).unwrap_or_default(),
            city: master.map(|merchant| merchant.city.clone()).unwrap_or_default(),
            model: terminal.model.clone(),
            production_batch: terminal.production_batch.clone(),
            app_version: terminal.app_version.clone(),
            state: state.to_owned(),
            state_reason: json!(reasons).to_string(),
            state_since: since.map(|at| at.0),
            payments: sums.payments,
            exceptions: sums.exceptions,
        }
    }
}

fn add(tallies: &mut FxHashMap<TallyKey, (i64, i64, i64)>, key: TallyKey, amount_minor: i64, loss_minor: i64) {
    let sums = tallies.entry(key).or_default();
    sums.0 += 1;
    sums.1 = sums.1.saturating_add(amount_minor);
    sums.2 = sums.2.saturating_add(loss_minor);
}

/// First instant of the local hour.
fn hour(zone: &Zone, at: Instant) -> i64 {
    let (_, second) = zone.local(at);
    at.plus_seconds(-i64::from(second % 3600)).0 / Instant::SECOND * Instant::SECOND
}
