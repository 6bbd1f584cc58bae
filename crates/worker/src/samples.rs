//! What incident detection sees of each payment, and the episodes it finds.

use std::collections::BTreeMap;

use onus_fleet::Registry;
use onus_incident::{DIMS, Dim, FailureClass, Family, Found, Sample};
use onus_model::{Cause, Episode, FindingStatus, Instant, Outcome, TerminalId, Text, Zone};
use onus_reconcile::{Attempt, Book, JournalKind};
use rustc_hash::FxHashMap;

/// Numbers for texts; 0 is "none".
#[derive(Default)]
pub(crate) struct Names {
    numbers: FxHashMap<String, u32>,
    texts: Vec<String>,
}

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.texts.push(text.to_owned());
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.to_owned(), number);
        number
    }

    pub(crate) fn text(&self, number: u32) -> &str {
        (number as usize).checked_sub(1).and_then(|index| self.texts.get(index)).map_or("", String::as_str)
    }
}

/// Samples in order of time, and which attempt each is.
pub(crate) struct Samples {
    pub(crate) samples: Vec<Sample>,
    pub(crate) attempts: Vec<u32>,
    pub(crate) names: Names,
}

#[derive(Clone, Copy)]
struct Place {
    city: u32,
    agent: u32,
    batch: u32,
    terminal: u32,
}

/// Samples of all sales. `diverted` says which attempts have money that went elsewhere.
pub(crate) fn samples(
    book: &Book,
    registry: &Registry,
    outcomes: &[Outcome],
    diverted: &dyn Fn(usize) -> bool,
) -> Samples {
    let mut names = Names::default();
    let mut places: FxHashMap<TerminalId, Place> = FxHashMap::default();
    let lines = usual_lines(book, registry);
    let mut samples: Vec<Sample> = Vec::with_capacity(book.attempts().len());
    let mut attempts: Vec<u32> = Vec::with_capacity(book.attempts().len());
    for number in sales_by_time(book) {
        let index = number as usize;
        let Some(attempt) = book.attempts().get(index) else { continue };
        let Some((at, amount_minor)) = time_and_amount(book, attempt) else { continue };
        let place = *places.entry(attempt.key.tid).or_insert_with(|| place_of(registry, attempt.key.tid, &mut names));
        let outcome = outcomes.get(index).copied().unwrap_or(Outcome::Approved);
        let class = if diverted(index) { FailureClass::Diverted } else { class_of(book, attempt, outcome) };
        let exchange = book.exchange(attempt);
        let link = exchange.filter(|exchange| exchange.forwarded()).map(|exchange| exchange.network_link);
        let link = link
            .or_else(|| usual_line(&lines, &line_key(registry, attempt.key.tid, exchange?.entry_mode), amount_minor))
            .unwrap_or_default();
        let bin = exchange
            .map(|exchange| exchange.pan.bin())
            .or_else(|| book.journal(attempt).map(|journal| journal.pan.bin()));
        let issuer = bin.and_then(|bin| registry.issuers.get(&bin)).map_or(0, |(code, _)| names.number(code));
        let version = book.journal(attempt).map_or("", |journal| book.interner.text(journal.app_version));
        let mut dims = [0; DIMS];
        let mut set = |dim: Dim, value: u32| {
            if let Some(slot) = dims.get_mut(dim as usize) {
                *slot = value;
            }
        };
        set(Dim::NetworkLink, if link == 0 { 0 } else { names.number(&link.to_string()) });
        set(Dim::Issuer, issuer);
        set(Dim::City, place.city);
        set(Dim::Agent, place.agent);
        set(Dim::AppVersion, names.number(version));
        set(Dim::ProductionBatch, place.batch);
        set(Dim::Terminal, place.terminal);
        samples.push(Sample { at, amount_minor, class, dims });
        attempts.push(number);
    }
    Samples { samples, attempts, names }
}

/// Numbers of all sales in order of time.
fn sales_by_time(book: &Book) -> Vec<u32> {
    let sales = (0u32..).zip(book.attempts()).filter(|(_, attempt)| book.kind(attempt) == JournalKind::Sale);
    let mut timed: Vec<(Instant, u32)> =
        sales.filter_map(|(number, attempt)| Some((time_and_amount(book, attempt)?.0, number))).collect();
    timed.sort_unstable();
    timed.into_iter().map(|(_, number)| number).collect()
}

/// When an attempt started and its amount, by the journal, the wire or clearing.
pub(crate) fn time_and_amount(book: &Book, attempt: &Attempt) -> Option<(Instant, i64)> {
    let journal = book.journal(attempt).map(|journal| (journal.at, journal.amount_minor));
    journal.or_else(|| book.exchange(attempt).map(|exchange| (exchange.requested_at, exchange.amount_minor)))
}

fn place_of(registry: &Registry, tid: TerminalId, names: &mut Names) -> Place {
    let terminal = registry.terminal_of(tid);
    let merchant = terminal.and_then(|terminal| registry.bound_merchant(&terminal.serial, Instant(i64::MAX)));
    let merchant = merchant.and_then(|code| registry.merchants.get(&code));
    Place {
        city: merchant.map_or(0, |merchant| names.number(&merchant.city)),
        agent: merchant.map_or(0, |merchant| names.number(&merchant.agent_code)),
        batch: terminal.map_or(0, |terminal| names.number(&terminal.production_batch)),
        terminal: names.number(tid.as_str()),
    }
}

fn class_of(book: &Book, attempt: &Attempt, outcome: Outcome) -> FailureClass {
    let exchange = book.exchange(attempt);
    match outcome {
        Outcome::Unread => FailureClass::Unread,
        Outcome::Approved | Outcome::Voided | Outcome::Refunded => FailureClass::None,
        Outcome::Declined | Outcome::Reversed | Outcome::Unknown => {
            // Of what only the gateway saw, nobody can say on which side of the host it failed.
            let Some(exchange) = exchange.filter(|exchange| !exchange.tapped) else { return FailureClass::None };
            let reason = book.reversal(attempt).map(|reversal| reversal.reason);
            match (
                exchange.forwarded(),
                exchange.answered(),
                exchange.network_rc.as_str(),
                exchange.terminal_rc.as_str(),
            ) {
                (true, false, ..) => FailureClass::NoAnswer,
                (false, _, _, "" | "96" | "98") => FailureClass::AcquirerSilent,
                (false, _, _, "A0" | "99") => FailureClass::KeySync,
                (true, true, "A7" | "96" | "92", _) => FailureClass::SwitchError,
                (true, true, "91" | "68" | "98", _) => FailureClass::IssuerDown,
                (true, true, "51", _) => FailureClass::Funds,
                (true, true, "00", "00") if reason.is_some_and(|reason| reason == *"96") => FailureClass::BadReply,
                _ => FailureClass::None,
            }
        }
    }
}

type LineKey = (String, u16);

fn line_key(registry: &Registry, tid: TerminalId, entry_mode: u16) -> LineKey {
    let terminal = registry.terminal_of(tid);
    let merchant = terminal.and_then(|terminal| registry.bound_merchant(&terminal.serial, Instant(i64::MAX)));
    let city = merchant.and_then(|code| registry.merchants.get(&code)).map_or("", |merchant| merchant.city.as_str());
    (city.to_owned(), entry_mode)
}

/// Amounts and lines of forwarded payments, by city and entry mode, in order of amount.
type Lines = FxHashMap<LineKey, Vec<(i64, u16)>>;

/// Payments looked at to learn which line takes what.
const LINE_SAMPLE: usize = 50_000;

fn usual_lines(book: &Book, registry: &Registry) -> Lines {
    let mut lines: Lines = FxHashMap::default();
    let step = (book.board.exchanges.len() / LINE_SAMPLE).max(1);
    for exchange in book.board.exchanges.iter().step_by(step).filter(|exchange| exchange.forwarded()) {
        let key = line_key(registry, exchange.tid, exchange.entry_mode);
        lines.entry(key).or_default().push((exchange.amount_minor, exchange.network_link));
    }
    lines.values_mut().for_each(|taken| taken.sort_unstable());
    lines
}

/// The line that a payment which never left would have taken: the one of the payment nearest in amount.
fn usual_line(lines: &Lines, key: &LineKey, amount_minor: i64) -> Option<u16> {
    let taken = lines.get(key)?;
    let at = taken.partition_point(|(amount, _)| *amount < amount_minor);
    let near = [at.checked_sub(1), Some(at)].into_iter().flatten().filter_map(|index| taken.get(index));
    near.min_by_key(|(amount, _)| amount.abs_diff(amount_minor)).map(|(_, link)| *link)
}

const fn cause_of(family: Family) -> Cause {
    match family {
        Family::Lost => Cause::NetUp,
        Family::AcquirerSilent => Cause::NetAcq,
        Family::IssuerDown => Cause::NetIss,
        Family::Funds => Cause::CardFunds,
        Family::Unread => Cause::TermHw,
        Family::BadReply => Cause::TermOutdated,
        Family::KeySync => Cause::MaintError,
        Family::Diverted => Cause::Unknown,
    }
}

const fn title_of(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::Lost => ("网络线路无应答或报错", "Network line gives no answer or errors"),
        Family::AcquirerSilent => ("收单机构线路中断", "Acquirer's line is down"),
        Family::IssuerDown => ("发卡机构故障", "Issuer outage"),
        Family::Funds => ("余额不足增多", "More insufficient funds than usual"),
        Family::Unread => ("同批次终端读卡失败", "One production batch fails to read cards"),
        Family::BadReply => ("旧程序无法处理应答", "Outdated program cannot read replies"),
        Family::KeySync => ("终端密钥不同步", "Terminal keys out of step"),
        Family::Diverted => ("资金被转移", "Money diverted"),
    }
}

/// Diverted money is told apart by agent and terminal: what one agent's terminals do says nothing about another's.
pub(crate) fn split_diverted(found: Vec<Found>, samples: &Samples) -> Vec<Found> {
    let mut split = Vec::with_capacity(found.len());
    for found in found {
        if found.family != Family::Diverted {
            split.push(found);
            continue;
        }
        let dim = |index: u32, dim: Dim| {
            samples
                .samples
                .get(index as usize)
                .and_then(|sample| sample.dims.get(dim as usize))
                .copied()
                .unwrap_or_default()
        };
        let mut by_agent: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for member in &found.members {
            by_agent.entry(dim(*member, Dim::Agent)).or_default().push(*member);
        }
        for (agent, members) in by_agent {
            let mut terminals: Vec<u32> = members.iter().map(|member| dim(*member, Dim::Terminal)).collect();
            terminals.sort_unstable();
            terminals.dedup();
            let started_at =
                members.iter().filter_map(|member| samples.samples.get(*member as usize)).map(|sample| sample.at).min();
            split.push(Found {
                scope: vec![(Dim::Agent, vec![agent]), (Dim::Terminal, terminals)],
                started_at: started_at.unwrap_or(found.started_at),
                failures: members.len() as u64,
                members,
                ..found.clone()
            });
        }
    }
    split
}

/// A found scope as an episode.
pub(crate) fn episode(found: &Found, samples: &Samples, number: usize, zone: &Zone) -> Episode {
    let mut exposure: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    let mut amount_minor = 0i64;
    for sample in found.members.iter().filter_map(|index| samples.samples.get(*index as usize)) {
        let agent = samples.names.text(sample.dims.get(Dim::Agent as usize).copied().unwrap_or_default());
        let entry = exposure.entry(agent.to_owned()).or_default();
        entry.0 += 1;
        entry.1 = entry.1.saturating_add(sample.amount_minor);
        amount_minor = amount_minor.saturating_add(sample.amount_minor);
    }
    let values = |values: &[u32]| {
        let mut texts: Vec<String> = values.iter().map(|value| samples.names.text(*value).to_owned()).collect();
        texts.sort();
        texts
    };
    let scope: BTreeMap<String, Vec<String>> =
        found.scope.iter().map(|(dim, set)| (dim.as_str().to_owned(), values(set))).collect();
    let shown: Vec<(String, String)> = found
        .scope
        .iter()
        .map(|(dim, set)| {
            let list: Vec<String> = values(set).into_iter().take(5).collect();
            (format!("{} {}", dim.title().zh, list.join("、")), format!("{} {}", dim.title().en, list.join(", ")))
        })
        .collect();
    let (zh, en) = title_of(found.family);
    let join = |parts: Vec<String>, empty: &str| if parts.is_empty() { empty.to_owned() } else { parts.join(" × ") };
    let scope_text = Text {
        zh: join(shown.iter().map(|(zh, _)| zh.clone()).collect(), "全部"),
        en: join(shown.iter().map(|(_, en)| en.clone()).collect(), "everywhere"),
    };
    let percent = |ppm: u64| format!("{}.{:02} %", ppm / 10_000, ppm / 100 % 100);
    let (date, _) = zone.local(found.started_at);
    Episode {
        id: format!("E{}-{}-{}", date.to_string().replace('-', ""), found.family.as_str(), number + 1),
        cause: cause_of(found.family),
        status: if found.confirmed { FindingStatus::Confirmed } else { FindingStatus::Probable },
        benign: found.benign,
        started_at: found.started_at,
        ended_at: found.ended_at,
        scope,
        payments: found.members.len() as u64,
        amount_minor,
        title: Text { zh: format!("{zh}：{}", scope_text.zh), en: format!("{en}: {}", scope_text.en) },
        signals: vec![Text {
            zh: format!(
                "范围内 {} 笔尝试中失败 {} 笔（{}），其余为 {}",
                found.attempts,
                found.failures,
                percent(found.rate_ppm),
                percent(found.baseline_ppm)
            ),
            en: format!(
                "{} of {} attempts in the scope failed ({}), elsewhere {}",
                found.failures,
                found.attempts,
                percent(found.rate_ppm),
                percent(found.baseline_ppm)
            ),
        }],
        excluded: found
            .excluded
            .iter()
            .map(|excluded| excluded.text(samples.names.text(excluded.value), &scope_text))
            .collect(),
        exposure,
    }
}
