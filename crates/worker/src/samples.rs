//! What incident detection sees of each payment.

use onus_fleet::Registry;
use onus_incident::{DIMS, Dim, FailureClass, Sample};
use onus_model::{BreakClass, Instant, MerchantCode, Outcome, TerminalId};
use onus_reconcile::{Attempt, Book, Break, JournalKind};
use rustc_hash::FxHashMap;

/// Numbers for texts; 0 is "none".
#[derive(Default)]
pub(crate) struct Names {
    numbers: FxHashMap<String, u32>,
    texts: Vec<String>,
}

impl Names {
    pub(crate) fn number(&mut self, text: &str) -> u32 {
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
pub(crate) struct Place {
    city: u32,
    agent: u32,
    batch: u32,
    terminal: u32,
    model: u32,
    /// First report from far away from where it is bound.
    moved_at: Option<Instant>,
}

/// What is known of each attempt, by its number.
pub(crate) struct Judged<'a> {
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) owners: &'a [Option<MerchantCode>],
    pub(crate) breaks: &'a [Vec<Break>],
}

impl Judged<'_> {
    /// When the attempt's money went elsewhere: how.
    fn elsewhere(&self, index: usize) -> Option<FailureClass> {
        let has = |wanted: fn(BreakClass) -> bool| {
            self.breaks.get(index).is_some_and(|breaks| breaks.iter().any(|found| wanted(found.class)))
        };
        if has(|class| matches!(class, BreakClass::MerchantSwapped | BreakClass::RefundDiverted)) {
            return Some(FailureClass::Diverted);
        }
        has(|class| class == BreakClass::PayoutDiverted).then_some(FailureClass::Misdirected)
    }

    /// What the records of an attempt show beside how it ended.
    fn also(&self, index: usize) -> FailureClass {
        let classes = self.breaks.get(index).into_iter().flatten().map(|found| found.class);
        let class_of = |class| match class {
            BreakClass::ReversalLost => Some(FailureClass::OneSided),
            BreakClass::MccJump => Some(FailureClass::WrongMcc),
            _ => None,
        };
        classes.filter_map(class_of).next().unwrap_or(FailureClass::None)
    }
}

/// Samples of all sales.
pub(crate) fn samples(book: &Book, registry: &Registry, judged: &Judged<'_>) -> Samples {
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
        let outcome = judged.outcomes.get(index).copied().unwrap_or(Outcome::Approved);
        let class = judged.elsewhere(index).unwrap_or_else(|| class_of(book, attempt, outcome, at, place));
        let exchange = book.exchange(attempt);
        let link = exchange.filter(|exchange| exchange.forwarded()).map(|exchange| exchange.network_link);
        let link = link
            .or_else(|| usual_line(&lines, &line_key(registry, attempt.key.tid, exchange?.entry_mode), amount_minor))
            .unwrap_or_default();
        let bin = exchange
            .map(|exchange| exchange.pan.bin())
            .or_else(|| book.journal(attempt).map(|journal| journal.pan.bin()));
        let issuer = bin.and_then(|bin| registry.issuers.get(&bin)).map_or(0, |(code, _)| names.number(code));
        let owner = judged.owners.get(index).copied().flatten();
        let journal = book.journal(attempt);
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
        set(Dim::Model, place.model);
        set(Dim::Merchant, owner.map_or(0, |owner| names.number(owner.as_str())));
        if let Some(journal) = journal {
            set(Dim::EntryMode, names.number(entry_name(journal.entry_mode)));
            set(Dim::Pin, names.number(if journal.pin { "pin" } else { "no_pin" }));
        }
        let also = judged.also(index);
        let when_paid = |by_payout: bool| if by_payout { paid_at(book, attempt).unwrap_or(at) } else { at };
        let known_at = when_paid(class == FailureClass::Misdirected);
        // What was reversed and is cleared all the same shows when the merchant is paid without it.
        let also_at = when_paid(also == FailureClass::OneSided);
        samples.push(Sample { at, known_at, amount_minor, class, also, also_at, dims });
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

/// When the payout of an attempt was made.
fn paid_at(book: &Book, attempt: &Attempt) -> Option<Instant> {
    let line = book.cleared(attempt)?;
    book.payouts_of(line.merchant, line.settle_date).map(|payout| payout.value_at).min()
}

/// How a card was read, by the first two digits of the entry mode.
pub(crate) const fn entry_name(entry_mode: u16) -> &'static str {
    match entry_mode / 10 {
        2 => "stripe",
        5 => "chip",
        7 => "contactless",
        _ => "",
    }
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
        model: terminal.map_or(0, |terminal| names.number(&terminal.model)),
        moved_at: terminal
            .and_then(|terminal| registry.integrity(&terminal.serial, Instant(i64::MAX)).moved.map(|report| report.at)),
    }
}

fn class_of(book: &Book, attempt: &Attempt, outcome: Outcome, at: Instant, place: Place) -> FailureClass {
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
                (false, _, _, "58") if place.moved_at.is_some_and(|moved| moved <= at) => FailureClass::Displaced,
                (true, true, "A7" | "96" | "92", _) => FailureClass::SwitchError,
                (true, true, "91" | "68" | "98", _) => FailureClass::IssuerDown,
                (true, true, "51", _) => FailureClass::Funds,
                (true, true, "57" | "61" | "65", _) => FailureClass::Limit,
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
