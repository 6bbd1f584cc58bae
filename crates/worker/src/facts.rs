//! The facts of one exception, each with the record that proves it.

use onus_casework::notices::{DisputeNotice, Slip};
use onus_fleet::{Registry, UpdateState};
use onus_incident::Family;
use onus_liability::Facts;
use onus_model::{BreakClass, ExceptionKind, Instant, MerchantCode, ResponseCode, Span};
use onus_reconcile::{Attempt, Book, Break, Following, TerminalReversal, TerminalStatus};
use rustc_hash::FxHashMap;

use crate::payout::account_change;
use crate::terms::Terms;

/// What is known around one attempt.
pub(crate) struct Around<'a> {
    pub(crate) book: &'a Book,
    pub(crate) registry: &'a Registry,
    pub(crate) names: &'a FxHashMap<i64, String>,
    pub(crate) terms: &'a Terms,
    pub(crate) attempt: &'a Attempt,
    pub(crate) at: Instant,
    /// Merchant to whom the money belongs.
    pub(crate) owner: MerchantCode,
    pub(crate) breaks: &'a [Break],
    /// Family of the episode it is in.
    pub(crate) episode: Option<Family>,
    /// First chargeback, with the hard rule that it breaks.
    pub(crate) chargeback: Option<(&'a DisputeNotice, &'static str)>,
    pub(crate) slip: Option<&'a Slip>,
    /// Its terminal's first report of a bad part.
    pub(crate) bad_part: Option<&'a TerminalStatus>,
    /// Terminals of its production batch that fail to read cards.
    pub(crate) unread_in_batch: usize,
    /// The settlement day's payout is held.
    pub(crate) hold: Option<&'a onus_fleet::rows::RiskHold>,
}

impl Around<'_> {
    fn place(&self, span: Span) -> String {
        let name = self.names.get(&i64::from(span.file_seq)).map_or("?", String::as_str);
        format!("{name}@{}", span.offset)
    }

    /// All facts that the records establish for a kind of exception.
    pub(crate) fn facts(&self, kind: ExceptionKind) -> Facts {
        let mut facts = Facts::default();
        facts.word("kind", kind.as_str(), "measured:four legs");
        self.wire(&mut facts);
        self.terminal(&mut facts);
        match kind {
            ExceptionKind::Diverted => self.diversion(&mut facts),
            ExceptionKind::Late => self.hold(&mut facts),
            ExceptionKind::ChargedBack => self.dispute(&mut facts),
            _ => {}
        }
        let has = |class: BreakClass| self.breaks.iter().any(|found| found.class == class);
        if has(BreakClass::SwitchOnly) {
            facts.yes("break.refund_not_cleared", true, "measured:clearing files");
        }
        if let Some(line) = self.book.cleared(self.attempt) {
            facts.yes("cleared", true, &self.place(line.span));
            facts.yes("break.dup_clear", has(BreakClass::DupClear), "measured:clearing files");
        } else {
            facts.yes("cleared", false, "measured:clearing files");
        }
        facts
    }

    fn wire(&self, facts: &mut Facts) {
        let journal = self.book.journal(self.attempt);
        if let Some(journal) = journal {
            let source = self.place(journal.span);
            facts.yes("card.read", journal.rc != *"L1", &source);
            let state = match journal.reversal {
                TerminalReversal::None => "none",
                TerminalReversal::Confirmed => "confirmed",
                TerminalReversal::Unconfirmed => "unconfirmed",
            };
            facts.word("reversal.terminal", state, &source);
            facts.yes("card.pin_used", journal.pin, &source);
            facts.yes("card.stripe", journal.entry_mode / 10 == 2, &source);
        }
        let Some(exchange) = self.book.exchange(self.attempt) else {
            if let Some(journal) = journal.filter(|journal| !journal.rc.is_empty()) {
                facts.word("code.value", journal.rc.as_str(), &self.place(journal.span));
                facts.word("code.written_by", "terminal", &self.place(journal.span));
            }
            return;
        };
        let request = self.place(exchange.request);
        let [forward, answer, reply] =
            exchange.others.map(|span| if span.len > 0 { self.place(span) } else { request.clone() });
        facts.yes("wire.sent", true, &request);
        facts.yes("card.chip_data", exchange.chip, &request);
        self.gateway(facts);
        facts.yes("wire.replied", exchange.replied(), &reply);
        // The gateway does not see what the host did behind it: that stays unknown.
        if !exchange.tapped {
            facts.yes("wire.forwarded", exchange.forwarded(), &forward);
            facts.yes("wire.answered", exchange.answered(), &answer);
        }
        if exchange.answered() {
            facts.yes("wire.approved", exchange.network_rc == *"00", &answer);
        }
        // The hop that wrote a code: the network side when its answer holds it, else the acquirer.
        let code = if exchange.terminal_rc.is_empty() { exchange.network_rc } else { exchange.terminal_rc };
        if exchange.tapped {
            self.tapped_code(exchange.terminal_rc, facts, &reply);
        } else if !code.is_empty() && code != *"00" {
            let by_network = exchange.network_rc == code;
            facts.word("code.value", code.as_str(), &reply);
            facts.word(
                "code.written_by",
                if by_network { "network_side" } else { "acquirer" },
                if by_network { &answer } else { &reply },
            );
        }
        let long = i64::from(exchange.reply_text_len) > self.terms.long_reply_text_bytes.value;
        facts.yes("reply.long_text", long, &reply);
        self.reversal(facts, &request);
        if !exchange.forwarded() && !exchange.tapped {
            let silent =
                self.book.board.silences.iter().any(|silence| silence.from <= self.at && self.at <= silence.to);
            facts.yes("link.silent", silent, "measured:echo test of the acquirer's lines");
        }
        match self.episode {
            Some(Family::Lost) => facts.yes("episode.network_line", true, "measured:episode"),
            Some(Family::IssuerDown) => facts.yes("episode.issuer", true, "measured:episode"),
            _ => {}
        }
    }

    /// The code that the terminal got, or that came too late for it: the gate wrote it, or the host. What is behind the
    /// host is not seen.
    fn tapped_code(&self, code: ResponseCode, facts: &mut Facts, reply: &str) {
        let trace = self.book.gateway_trace(self.attempt);
        let refused = trace.is_some_and(|trace| trace.refused.is_some());
        let late = trace.and_then(|trace| trace.late).map(|(code, span)| (code, self.place(span)));
        let (code, source) = match late {
            Some(late) if code.is_empty() => late,
            _ => (code, reply.to_owned()),
        };
        if !code.is_empty() && code != *"00" {
            facts.word("code.value", code.as_str(), &source);
            facts.word("code.written_by", if refused { "gateway" } else { "host" }, &source);
        }
    }

    /// What the gateway saw and did when the terminal did not get its reply.
    fn gateway(&self, facts: &mut Facts) {
        let Some(trace) = self.book.gateway_trace(self.attempt) else { return };
        if let Some(span) = trace.undelivered {
            facts.yes("gateway.terminal_gone", true, &self.place(span));
        }
        if let Some(span) = trace.no_reply {
            facts.yes("gateway.host_silent", true, &self.place(span));
        }
        if let Some((_, span)) = trace.late {
            facts.yes("gateway.late_reply", true, &self.place(span));
        }
        let word = match trace.following {
            Some((Following::Reversed, span)) => Some(("confirmed", span)),
            Some((Following::Unconfirmed | Following::OneSided, span)) => Some(("unconfirmed", span)),
            // The others say nothing about a reversal of the gateway's own.
            _ => None,
        };
        if let Some((word, span)) = word {
            facts.word("reversal.gateway", word, &self.place(span));
        }
    }

    fn reversal(&self, facts: &mut Facts, request: &str) {
        let tapped = self.book.exchange(self.attempt).is_some_and(|exchange| exchange.tapped);
        let Some(reversal) = self.book.reversal(self.attempt) else {
            if !tapped {
                facts.yes("reversal.sent_to_network", false, request);
            }
            return;
        };
        let source = reversal.spans.first().map_or_else(|| request.to_owned(), |span| self.place(*span));
        if !reversal.reason.is_empty() {
            facts.word("reversal.reason", reversal.reason.as_str(), &source);
        }
        if !tapped {
            facts.yes("reversal.sent_to_network", reversal.sent_to_network(), &source);
            facts.yes("reversal.confirmed_by_network", reversal.confirmed_by_network(), &source);
        }
    }

    fn terminal(&self, facts: &mut Facts) {
        let tid = self.attempt.key.tid;
        let Some(serial) = self.registry.serial_of(tid) else { return };
        let integrity = self.registry.integrity(serial, self.at);
        if let Some(status) = self.bad_part.filter(|status| status.at <= self.at) {
            facts.yes("terminal.part_bad", true, &self.place(status.span));
        }
        let defect = i64::try_from(self.unread_in_batch).unwrap_or(i64::MAX) >= self.terms.batch_defect_terminals.value;
        facts.yes("terminal.batch_defect", defect, "measured:terminals of the batch");
        if let Some(passed) = integrity.presale_passed {
            facts.yes("terminal.presale_test_passed", passed, "measured:inspection register");
        }
        if let Some(report) = integrity.bad_hash {
            facts.yes("terminal.hash_unknown", true, &self.place(report.span));
        }
        if let Some(repair) = integrity.repair_without_keys {
            facts.yes("terminal.keys_missing", true, &self.place(repair.span));
        }
        facts.yes(
            "terminal.moved",
            integrity.moved.is_some(),
            &integrity.moved.map_or_else(|| "measured:attestations".to_owned(), |report| self.place(report.span)),
        );
        let agent = self.registry.agent_of(self.owner);
        let overdue = agent.map(|agent| {
            let last = integrity.inspected_at.map(|(at, _)| at);
            last.is_none_or(|last| self.at.seconds_since(last) > agent.inspection_interval_days * 86_400)
        });
        if let Some(overdue) = overdue {
            facts.yes(
                "terminal.last_inspection_overdue",
                overdue,
                &integrity
                    .inspected_at
                    .map_or_else(|| "measured:inspection register".to_owned(), |(_, span)| self.place(span)),
            );
        }
        self.program(facts, serial);
        if let Some(merchant) = self.registry.merchants.get(&self.owner) {
            facts.yes("merchant.setup_error", merchant.switch_config != "ok", &self.place(merchant.span));
        }
    }

    fn program(&self, facts: &mut Facts, serial: &str) {
        let (state, offer) = self.registry.update_state(serial, self.at);
        let source = offer.map_or_else(|| "measured:update register".to_owned(), |offer| self.place(offer.span));
        let word = match state {
            UpdateState::NotOffered => "not_offered",
            UpdateState::Installed => "installed",
            UpdateState::NotInstalled => "not_installed",
            UpdateState::RefusedByMerchant => "refused_by_merchant",
        };
        facts.word("update.state", word, &source);
        if let Some(journal) = self.book.journal(self.attempt) {
            let version = self.book.interner.text(journal.app_version);
            if let Some(superseded) = self.registry.is_superseded(version) {
                facts.yes("terminal.outdated", superseded, &self.place(journal.span));
            }
            if let Some(known) =
                self.registry.knows_code(version, journal.rc.as_str()).filter(|_| !journal.rc.is_empty())
            {
                facts.yes("terminal.knows_code", known, "measured:response-code table of the program");
            }
        }
        let visit = self.registry.program_visit(serial, self.at);
        let by = visit
            .map_or("none", |visit| if self.registry.agents.contains_key(&visit.by) { "agent" } else { "acquirer" });
        facts.word(
            "terminal.program_visit",
            by,
            &visit.map_or_else(|| "measured:custody register".to_owned(), |visit| self.place(visit.span)),
        );
    }

    fn diversion(&self, facts: &mut Facts) {
        let has = |class: BreakClass| self.breaks.iter().any(|found| found.class == class);
        for (name, class) in [
            ("break.merchant_swapped", BreakClass::MerchantSwapped),
            ("break.refund_diverted", BreakClass::RefundDiverted),
            ("break.payout_diverted", BreakClass::PayoutDiverted),
            ("break.amount_clear", BreakClass::AmountClear),
            ("break.amount_term", BreakClass::AmountTerm),
        ] {
            facts.yes(name, has(class), "measured:four legs");
        }
        if let Some(change) = account_change(self.book, self.registry, self.attempt, self.owner) {
            let source = self.place(change.span);
            let by = if change.by_agent() {
                "agent"
            } else if change.changed_by.starts_with("merchant:") {
                "merchant"
            } else {
                "acquirer"
            };
            facts.word("settlement.alteration_credentials_of", by, &source);
            facts.yes("settlement.dual_control", change.dual_control, &source);
        }
    }

    fn hold(&self, facts: &mut Facts) {
        facts.yes(
            "hold.exists",
            self.hold.is_some(),
            &self.hold.map_or_else(|| "measured:hold register".to_owned(), |hold| self.place(hold.span)),
        );
        if let Some(hold) = self.hold {
            let source = self.place(hold.span);
            facts.yes("hold.ground_given", !hold.ground.is_empty(), &source);
            facts.yes("hold.notice", hold.notice_sent, &source);
        }
    }

    fn dispute(&self, facts: &mut Facts) {
        let Some((notice, broken)) = self.chargeback else { return };
        let source = self.place(notice.span);
        facts.word("dispute.network", "unionpay", &source);
        facts.word("dispute.reason", &notice.reason_code, &source);
        facts.word("dispute.rule_broken", broken, &source);
        if let Some(journal) = self.book.journal(self.attempt) {
            facts.yes("slip.printed", journal.slip, &self.place(journal.span));
        }
        if let Some(slip) = self.slip {
            let place = self.place(slip.span);
            facts.word("slip.state", if slip.retrieved { "retrieved" } else { "missing" }, &place);
            if matches!(slip.kept_by.as_str(), "agent" | "merchant") {
                facts.word("slip.kept_by", &slip.kept_by, &place);
            }
        }
        onus_liability::tell_reason(facts);
    }
}

/// The hard rule of the network that a first chargeback breaks, or `none` (china-pos B3).
pub(crate) fn broken_rule(
    notice: &DisputeNotice,
    queried: bool,
    amount_minor: i64,
    pin_used: bool,
    chip: bool,
) -> &'static str {
    if notice.disputed_amount_minor > amount_minor {
        return "2047";
    }
    if notice.reason_code == "4515" && (pin_used || notice.pin_used) {
        return "2105";
    }
    if notice.debit && !queried {
        return "2033";
    }
    if notice.reason_code == "4562" && chip {
        return "chip";
    }
    "none"
}
