//! What must still come for each payment of a judgement, by the pure rules of `onus_reconcile::online`.

use onus_casework::Calendar;
use onus_model::{Date, Instant, Zone};
use onus_reconcile::files::{
    AttemptFacts, Classes, ClearedFacts, Day, Facts, PaidFacts, Present, WorkingDays, date_of, day_of,
};
use onus_reconcile::online::{Awaited, ExpectationRules, Known, Leg, Outlook, Reversal, Second};
use onus_reconcile::{Attempt, Book, JournalKind, TerminalReversal};
use onus_store::expectations::{ExpectationRow, Judged};
use onus_store::payments::PaymentRow;
use onus_store::{StoreError, Tx};

use crate::error::WorkerError;

const DAY_SECONDS: Second = 86_400;

/// What expectations are worked out by.
pub(crate) struct Watch {
    rules: ExpectationRules,
    classes: Classes,
    days: WorkingDays,
}

/// What must still come for one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) leg: Leg,
    pub(crate) rule_id: String,
    pub(crate) since: Instant,
    pub(crate) due: Instant,
    pub(crate) class: &'static str,
}

/// What is there and what is awaited of one payment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outstanding {
    /// The legs that are there, as bits in the order of [`Leg::ALL`].
    pub(crate) there: u16,
    pub(crate) open: Vec<Open>,
}

impl Watch {
    /// By the rules, classes and calendar in the repository.
    pub(crate) fn builtin(calendar: &Calendar) -> Result<Self, WorkerError> {
        let config = |error: &dyn std::fmt::Display| WorkerError::Config(error.to_string());
        Ok(Self {
            rules: ExpectationRules::builtin().map_err(|error| config(&error))?,
            classes: Classes::builtin().map_err(|error| config(&error))?,
            days: working_days(calendar),
        })
    }

    /// What is outstanding of every attempt, in their order. A kind of record of which the window has none is not
    /// awaited: nobody delivers it.
    pub(crate) fn outstanding(&self, book: &Book, zone: &Zone) -> Vec<Outstanding> {
        let present = Present {
            terminal: !book.journals.is_empty(),
            switch: !book.board.exchanges.is_empty(),
            clearing: !book.clearings.is_empty(),
            payout: !book.payouts.is_empty(),
        };
        let outlook = Outlook::new(&self.rules, &self.classes, present, &self.days);
        let mut zone = zone.clone();
        book.attempts().iter().map(|attempt| self.of_attempt(&outlook, book, attempt, &mut zone)).collect()
    }

    fn of_attempt(&self, outlook: &Outlook<'_>, book: &Book, attempt: &Attempt, zone: &mut Zone) -> Outstanding {
        if matches!(book.kind(attempt), JournalKind::Void | JournalKind::Settle) {
            return Outstanding::default();
        }
        let known = known(book, attempt, zone);
        let mut open = Vec::new();
        for awaited in outlook.awaited(&known) {
            let Some(rule) = self.rules.rules.get(awaited.rule) else { continue };
            let class = outlook.if_missing(&known, awaited.leg).map_or("", onus_reconcile::files::Class::code);
            open.push(placed(&awaited, &rule.id, class, zone));
        }
        let there = Leg::ALL.iter().rev().fold(0, |set, leg| set << 1 | u16::from(known.has(*leg)));
        Outstanding { there, open }
    }
}

fn placed(awaited: &Awaited, rule_id: &str, class: &'static str, zone: &mut Zone) -> Open {
    Open {
        leg: awaited.leg,
        rule_id: rule_id.to_owned(),
        since: instant(awaited.since, zone),
        due: instant(awaited.due, zone),
        class,
    }
}

/// Whether the breaks of a judgement depend on the day for want of this leg: then it is worth judging again.
pub(crate) fn breaks_a_day(leg: &str) -> bool {
    matches!(Leg::parse(leg), Some(Leg::Clearing | Leg::Payout))
}

/// Rows for the store.
pub(crate) fn rows<'o>(outstanding: &'o Outstanding, payment: &'o PaymentRow) -> impl Iterator<Item = ExpectationRow> {
    let row = |open: &Open| ExpectationRow {
        payment_id: payment.id.clone(),
        leg: open.leg.as_str().to_owned(),
        rule_id: open.rule_id.clone(),
        since_at: open.since.0,
        due_at: open.due.0,
        class: open.class.to_owned(),
        amount_minor: payment.amount_minor,
        tid: payment.tid.clone(),
        merchant_code: payment.merchant_code.clone(),
        agent_code: payment.agent_code.clone(),
        ..ExpectationRow::default()
    };
    outstanding.open.iter().map(row)
}

/// Brings the store up to date about the payments of a batch; `there` goes with them one by one.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    tenant: &str,
    payments: &[PaymentRow],
    there: &[u16],
    open: &[ExpectationRow],
    now: i64,
) -> Result<(), StoreError> {
    let legs = |set: u16| {
        let there = Leg::ALL.iter().enumerate().filter(move |(bit, _)| set >> bit & 1 == 1);
        there.map(|(_, leg)| leg.as_str()).collect()
    };
    let payments = payments.iter().zip(there).map(|(payment, set)| (payment.id.as_str(), legs(*set))).collect();
    onus_store::expectations::settle(tx, tenant, &Judged { payments, open }, now)
}

/// What the records of a window say about an attempt. Merchants and accounts are left to the breaks.
fn known(book: &Book, attempt: &Attempt, zone: &Zone) -> Known {
    let (journal, exchange) = (book.journal(attempt), book.exchange(attempt));
    let reversal = book.reversal(attempt);
    let trace = book.gateway_trace(attempt);
    let undone = trace.is_some_and(onus_reconcile::GatewayTrace::is_reversed);
    let terminal = journal.map(|journal| AttemptFacts {
        amount: journal.amount_minor,
        approved: journal.rc == *"00",
        reversed: journal.reversal == TerminalReversal::Confirmed,
        time: second(journal.at, zone),
        ..AttemptFacts::default()
    });
    let switch = exchange.map(|exchange| AttemptFacts {
        amount: exchange.amount_minor,
        approved: if exchange.tapped { exchange.terminal_rc == *"00" } else { exchange.network_rc == *"00" },
        // One without an answer is awaited as such; until then nothing is owed on it.
        reversed: reversal.is_some() || undone,
        time: second(exchange.requested_at, zone),
        ..AttemptFacts::default()
    });
    // A refund lowers a payout and has none of its own.
    let paid_elsewhere = book.cleared(attempt).is_some_and(|line| line.net_minor <= 0);
    let cleared = book.cleared(attempt).map(|line| ClearedFacts {
        lines: u32::try_from(book.times_cleared(attempt)).unwrap_or(u32::MAX),
        amount: line.amount_minor,
        total: line.amount_minor,
        settled: day(line.settle_date),
        ..ClearedFacts::default()
    });
    let payout = book.cleared(attempt).and_then(|line| book.payouts_of(line.merchant, line.settle_date).next());
    let paid = payout.map(|payout| day(payout.pay_date)).or(paid_elsewhere.then_some(0)).map(|paid_on| PaidFacts {
        lines: 1,
        paid_on,
        ..PaidFacts::default()
    });
    let silent = journal.filter(|journal| journal.stan.is_some() && journal.rc.is_empty()).map(|journal| journal.at);
    let unanswered = exchange
        .filter(|exchange| !exchange.replied() && journal.is_none() && trace.is_some_and(|it| it.no_reply.is_some()));
    let timed_out = silent.or(unanswered.map(|exchange| exchange.requested_at));
    let by_journal = journal.filter(|journal| journal.reversal != TerminalReversal::None);
    let sent = reversal.map(|reversal| reversal.at).or(by_journal.map(|journal| journal.at));
    let sent = sent.or_else(|| exchange.filter(|_| undone).map(|exchange| exchange.requested_at));
    let acknowledged = undone
        || reversal.is_some_and(|reversal| !reversal.acquirer_rc.is_empty() || reversal.confirmed_by_network())
        || by_journal.is_some_and(|journal| journal.reversal == TerminalReversal::Confirmed);
    let starts = [terminal.map(|facts| facts.time), switch.map(|facts| facts.time)];
    Known {
        facts: Facts { terminal, switch, cleared, paid, ..Facts::default() },
        first_at: starts
            .into_iter()
            .flatten()
            .min()
            .unwrap_or_else(|| Second::from(day(attempt.key.date)) * DAY_SECONDS),
        timed_out_at: timed_out.map(|at| second(at, zone)),
        reversal: sent.map(|at| Reversal { at: second(at, zone), acknowledged }),
        ..Known::default()
    }
}

/// 0 when it is not known.
fn day(date: Date) -> Day {
    let (year, month, day) = date.ymd();
    day_of(year, month, day).unwrap_or(0)
}

fn second(at: Instant, zone: &Zone) -> Second {
    let (date, second) = zone.local(at);
    Second::from(day(date)) * DAY_SECONDS + Second::from(second)
}

fn instant(at: Second, zone: &mut Zone) -> Instant {
    let (year, month, day) = date_of(Day::try_from(at.div_euclid(DAY_SECONDS)).unwrap_or(Day::MAX));
    let part = |number: i32| u32::try_from(number).unwrap_or_default();
    let date = Date::from_ymd(part(year), part(month), part(day)).unwrap_or_default();
    zone.instant(date, u32::try_from(at.rem_euclid(DAY_SECONDS)).unwrap_or_default())
}

/// The calendar's days as the reconciliation of files takes them.
fn working_days(calendar: &Calendar) -> WorkingDays {
    let (mut off, mut worked) = (Vec::new(), Vec::new());
    for number in day_of(2020, 1, 1).unwrap_or(0)..day_of(2040, 1, 1).unwrap_or(0) {
        let (year, month, day) = date_of(number);
        let part = |number: i32| u32::try_from(number).unwrap_or_default();
        let Ok(date) = Date::from_ymd(part(year), part(month), part(day)) else { continue };
        match (calendar.is_working(date), date.weekday() >= 6) {
            (true, true) => worked.push(number),
            (false, false) => off.push(number),
            _ => {}
        }
    }
    WorkingDays::new(off, worked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onus_model::{ResponseCode, Span, TerminalId};
    use onus_reconcile::{ClearingLeg, Direction, Frame, FrameFields, GatewayEvent, GatewayFact, Seen};

    const TRANSMISSION: u32 = 313_100_000;

    fn zone() -> Zone {
        Zone::named("Asia/Shanghai").unwrap()
    }

    /// A frame of one payment, on Friday 2026-03-13 at 10:00 and so many seconds.
    fn frame(second: i64, direction: Direction, mti: u16, rc: &[u8], seen: Seen) -> Frame {
        let at = Instant::parse("2026-03-13T10:00:00+08:00").unwrap().plus_seconds(second);
        let terminal_side = matches!(direction, Direction::FromTerminal | Direction::ToTerminal);
        let fields = FrameFields {
            mti,
            tid: TerminalId::new(b"52306680").unwrap(),
            stan: if terminal_side { 7 } else { 900 },
            transmission: if terminal_side { 0 } else { TRANSMISSION },
            amount_minor: 6_500,
            rc: ResponseCode::new(rc).unwrap_or_default(),
            ..FrameFields::default()
        };
        let span = Span { file_seq: 1, offset: u64::try_from(second).unwrap() * 100 + u64::from(mti), len: 10 };
        Frame { span, at, direction, link: 1, seen, fields }
    }

    fn clearing(stan: u32, settle: &[u8]) -> ClearingLeg {
        ClearingLeg {
            span: Span { file_seq: 2, offset: u64::from(stan), len: 10 },
            amount_minor: 6_500,
            net_minor: 6_480,
            rrn: 0,
            stan,
            transmission: TRANSMISSION,
            settle_date: Date::parse(settle).unwrap(),
            pan: onus_model::MaskedPan::default(),
            merchant: onus_model::MerchantCode::default(),
            tid: TerminalId::new(b"52306680").unwrap(),
            mcc: 5_411,
            refund: false,
            card_type: onus_model::CardType::Unknown,
            variant_zm: false,
        }
    }

    /// What is awaited of the first attempt: leg, local time it is due, class.
    fn awaited(mut book: Book) -> Vec<(&'static str, String, &'static str)> {
        book.assemble(&zone());
        let watch = Watch::builtin(&Calendar::builtin_cn().unwrap()).unwrap();
        let found = watch.outstanding(&book, &zone());
        let due = |open: &Open| zone().format(open.due).chars().take(16).collect();
        found[0].open.iter().map(|open| (open.leg.as_str(), due(open), open.class)).collect()
    }

    #[test]
    fn a_payment_without_clearing_awaits_it_once_clearing_comes_in_at_all() {
        use Direction::{FromNetwork, FromTerminal, ToNetwork, ToTerminal};
        let approved = || {
            let mut book = Book::default();
            for (second, direction, mti, rc) in [
                (0, FromTerminal, 200, b"".as_slice()),
                (1, ToNetwork, 200, b""),
                (2, FromNetwork, 210, b"00"),
                (3, ToTerminal, 210, b"00"),
            ] {
                book.board.push(frame(second, direction, mti, rc, Seen::Captured));
            }
            book
        };
        assert_eq!(awaited(approved()), [], "nobody delivers clearing");
        let mut other = approved();
        other.clearings.push(clearing(901, b"2026-03-20"));
        assert_eq!(awaited(other), [("clearing", "2026-03-16T12:00".to_owned(), "SWITCH_ONLY")]);
        let mut cleared = approved();
        cleared.clearings.push(clearing(900, b"2026-03-13"));
        assert_eq!(awaited(cleared), []);
    }

    #[test]
    fn a_request_without_reply_awaits_its_reversal() {
        let mut book = Book::default();
        book.board.push(frame(0, Direction::FromTerminal, 200, b"", Seen::Tapped));
        let tid = TerminalId::new(b"52306680").unwrap();
        let span = Span { file_seq: 1, offset: 9_000, len: 10 };
        book.board.note(&GatewayEvent { span, at: Instant(0), tid, batch: 0, stan: 7, fact: GatewayFact::NoReply });
        assert_eq!(awaited(book), [("reversal", "2026-03-13T10:05".to_owned(), "")]);

        for (answered, expected) in [(false, &["acknowledgement"][..]), (true, &[])] {
            let mut book = Book::default();
            book.board.push(frame(0, Direction::FromTerminal, 200, b"", Seen::Tapped));
            book.board.push(frame(60, Direction::FromTerminal, 400, b"98", Seen::Tapped));
            if answered {
                book.board.push(frame(61, Direction::ToTerminal, 410, b"00", Seen::Tapped));
            }
            let legs: Vec<_> = awaited(book).into_iter().map(|(leg, _, _)| leg).collect();
            assert_eq!(legs, expected, "answered: {answered}");
        }
    }

    #[test]
    fn local_seconds_come_back() {
        let mut zone = zone();
        for text in ["2026-03-13T00:00:00+08:00", "2026-12-31T23:59:59+08:00"] {
            let at = Instant::parse(text).unwrap();
            assert_eq!(instant(second(at, &zone), &mut zone), at);
        }
        assert_eq!(day(Date::default()), 0);
    }
}
