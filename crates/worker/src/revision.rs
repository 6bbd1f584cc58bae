//! One revision of a verdict as rows: the exception, its evidence entry, the facts, the case with its duties, and the
//! money, as far as software may book it.

use onus_casework::{Calendar, NewCase, may_book, open_case};
use onus_evidence::{canonical_json, leaf_hash};
use onus_ledger::{Currency, Journal, Minor, Party as LedgerParty, VerdictMoney, book_verdict};
use onus_liability::{Facts, Limit, Pack, Verified};
use onus_model::{Automation, ExceptionKind, Instant, Party, Verdict, Zone};
use onus_store::cases::{CaseRow, ObligationRow};
use onus_store::exceptions::ExceptionRow;
use onus_store::ledger::LedgerLineRow;
use onus_store::log::LogEntryRow;
use onus_store::rejudgements::VerdictFactsRow;
use rustc_hash::FxHashMap;

use crate::apply::Rows;
use crate::entry::{About, verdict_body};
use crate::error::WorkerError;
use crate::verdict_facts;

/// The payment that a verdict is about, as tables show it.
#[derive(Debug, Clone)]
pub(crate) struct OnPayment<'a> {
    pub(crate) id: &'a str,
    pub(crate) started_at: i64,
    pub(crate) tid: &'a str,
    pub(crate) merchant_code: &'a str,
    pub(crate) agent_code: &'a str,
    pub(crate) city: &'a str,
    pub(crate) amount_minor: i64,
    pub(crate) breaks: Vec<&'a str>,
    pub(crate) episode: &'a str,
}

impl<'a> OnPayment<'a> {
    /// As the verdict that stands has it.
    pub(crate) fn of(row: &'a ExceptionRow, breaks: Vec<&'a str>) -> Self {
        Self {
            id: &row.payment_id,
            started_at: row.started_at,
            tid: &row.tid,
            merchant_code: &row.merchant_code,
            agent_code: &row.agent_code,
            city: &row.city,
            amount_minor: row.amount_minor,
            breaks,
            episode: &row.episode_id,
        }
    }
}

/// Makes revisions by one pack.
pub(crate) struct Reviser {
    /// The pack, with what was verified lifted.
    pub(crate) pack: Pack,
    pub(crate) calendar: Calendar,
    pub(crate) zone: Zone,
    pub(crate) now: Instant,
    pub(crate) currency: Currency,
    /// Limits of rules that wait for verification, by rule.
    waiting: FxHashMap<String, Limit>,
    verified: Verified,
}

impl Reviser {
    pub(crate) fn new(
        pack: Pack,
        verified: Verified,
        calendar: Calendar,
        zone: Zone,
        now: Instant,
        currency: Currency,
    ) -> Self {
        let limit = |rule: &onus_liability::Rule| {
            let limit = pack.limit_of_rule(&rule.id).filter(Limit::waits)?;
            Some((rule.id.clone(), limit))
        };
        let waiting = pack.rules().iter().filter_map(limit).collect();
        Self { pack: pack.lift(&verified), calendar, zone, now, currency, waiting, verified }
    }

    /// Adds revision `revision` of a verdict. `first` is the number of the first evidence entry in `rows`.
    #[expect(clippy::too_many_arguments, reason = "a verdict with everything it stands on")]
    pub(crate) fn add(
        &self,
        on: &OnPayment<'_>,
        verdict: &Verdict,
        sha256: &str,
        facts: &Facts,
        revision: i64,
        first: i64,
        rows: &mut Rows,
    ) -> Result<(), WorkerError> {
        let case = open_case(verdict, on.id, self.now, &self.calendar, &self.zone)
            .map_err(|error| WorkerError::Config(error.to_string()))?;
        let about = About {
            payment: on.id,
            revision,
            decided_at: self.zone.format(self.now),
            verdict_sha256: sha256,
            breaks: on.breaks.clone(),
            episode: on.episode,
            case: case.as_ref().map(|case| case.id.as_str()),
        };
        let entry_index = push_entry(&verdict_body(&self.pack, verdict, &about), first, rows)?;
        let case_id = format!("{}.{}", on.id, verdict.kind);
        if revision > 1 {
            rows.reversed.push(format!("{case_id}.{}", revision.saturating_sub(1)));
        }
        if may_book(self.automation(&verdict.rule_id)) {
            rows.lines.extend(self.lines(on, verdict, revision)?);
        }
        if let Some(case) = case {
            self.push_case(&case, on, verdict, revision, rows);
        }
        rows.facts.push(VerdictFactsRow {
            payment_id: on.id.to_owned(),
            kind: verdict.kind.to_string(),
            revision,
            pack_sha256: self.pack.sha256.clone(),
            facts: verdict_facts::encode(facts),
        });
        rows.exceptions.push(ExceptionRow {
            payment_id: on.id.to_owned(),
            kind: verdict.kind.to_string(),
            started_at: on.started_at,
            tid: on.tid.to_owned(),
            merchant_code: on.merchant_code.to_owned(),
            agent_code: on.agent_code.to_owned(),
            city: on.city.to_owned(),
            amount_minor: on.amount_minor,
            cause: verdict.cause.to_string(),
            status: verdict.status.to_string(),
            outward: verdict.outward.map_or("none", Party::as_str).to_owned(),
            shares: verdict.shares.to_json(),
            loss_minor: verdict.loss_minor,
            rule_id: verdict.rule_id.clone(),
            episode_id: on.episode.to_owned(),
            verdict_sha256: sha256.to_owned(),
            entry_index,
            revision,
            decided_at: self.now.0,
        });
        Ok(())
    }

    /// Whether software may act on what a rule says.
    pub(crate) fn automation(&self, rule_id: &str) -> Automation {
        self.waiting.get(rule_id).map_or(Automation::Automatic, |limit| limit.automation(&self.verified))
    }

    /// The ledger lines of a verdict.
    pub(crate) fn lines(
        &self,
        on: &OnPayment<'_>,
        verdict: &Verdict,
        revision: i64,
    ) -> Result<Vec<LedgerLineRow>, WorkerError> {
        let journal_id = format!("{}.{}.{revision}", on.id, verdict.kind);
        let journal = self.journal(on, verdict)?;
        Ok(journal.iter().flat_map(|journal| line_rows(journal, &journal_id, self.now)).collect())
    }

    /// The money of a verdict, with each party named.
    fn journal(&self, on: &OnPayment<'_>, verdict: &Verdict) -> Result<Option<Journal>, WorkerError> {
        let failed = |source| WorkerError::Ledger { payment: on.id.to_owned(), source };
        let named = |party: Party| -> Result<LedgerParty, WorkerError> {
            let name = match party {
                Party::Acquirer => return Ok(LedgerParty::acquirer()),
                Party::Agent if on.agent_code.is_empty() => "unregistered",
                Party::Agent => on.agent_code,
                Party::Merchant => on.merchant_code,
                Party::Cardholder => on.id,
                _ => "1",
            };
            LedgerParty::new(party.as_str(), name).map_err(failed)
        };
        let victim = match verdict.kind {
            ExceptionKind::Diverted | ExceptionKind::Late => Party::Merchant,
            _ => Party::Cardholder,
        };
        let shares: Result<Vec<_>, WorkerError> =
            verdict.shares.parts().iter().map(|(party, bp)| Ok((named(*party)?, *bp))).collect();
        let money = VerdictMoney {
            currency: self.currency,
            loss: Minor::new(verdict.loss_minor.max(0)),
            outward: verdict.outward.map(named).transpose()?,
            final_shares: shares?,
            beneficiary: named(victim)?,
            unknown: verdict.suspense,
        };
        book_verdict(&money).map_err(failed)
    }

    fn push_case(&self, case: &NewCase, on: &OnPayment<'_>, verdict: &Verdict, revision: i64, rows: &mut Rows) {
        rows.cases.push(CaseRow {
            id: case.id.clone(),
            payment_id: on.id.to_owned(),
            kind: verdict.kind.to_string(),
            agent_code: on.agent_code.to_owned(),
            state: case.state.as_str().to_owned(),
            opened_at: case.opened_at.0,
            due_at: case.due_at.0,
            outward: verdict.outward.map_or("none", Party::as_str).to_owned(),
            loss_minor: verdict.loss_minor,
            revision,
        });
        // Whether the limit is verified is looked up when it matters: it may be verified, or no longer, later.
        let limit = self.waiting.get(&verdict.rule_id);
        let is_lifted = self.automation(&verdict.rule_id).is_automatic();
        rows.obligations.extend(case.obligations.iter().map(|due| {
            let by_person = is_lifted && !due.automation.is_automatic();
            let limit = limit.filter(|_| !by_person);
            let automation = if limit.is_some() { Automation::Manual } else { due.automation };
            ObligationRow {
                case_id: case.id.clone(),
                seq: i64::from(due.seq),
                duty: due.duty.clone(),
                owner: due.owner.to_string(),
                due_at: due.due_at.0,
                amount_minor: due.amount_minor,
                state: "open".to_owned(),
                automation: automation.to_string(),
                limit_id: limit.map(|limit| limit.id.clone()).unwrap_or_default(),
                limit_sha256: limit.map(|limit| limit.sha256.clone()).unwrap_or_default(),
            }
        }));
    }
}

/// The index after the entries of a batch of which the first has the index `first`.
pub(crate) fn after(first: i64, rows: &Rows) -> i64 {
    first.saturating_add(i64::try_from(rows.entries.len()).unwrap_or(i64::MAX))
}

pub(crate) fn push_entry(body: &serde_json::Value, first: i64, rows: &mut Rows) -> Result<i64, WorkerError> {
    let body = canonical_json(body).map_err(|error| WorkerError::Evidence(error.to_string()))?;
    let leaf = leaf_hash(&body);
    let index = after(first, rows);
    rows.entries.push(LogEntryRow { idx: index, leaf_hash: leaf.as_bytes().to_vec(), body });
    Ok(index)
}

fn line_rows<'r>(journal: &'r Journal, journal_id: &'r str, now: Instant) -> Vec<LedgerLineRow> {
    let row = |(number, line): (i64, &onus_ledger::Line)| LedgerLineRow {
        journal_id: journal_id.to_owned(),
        line: number,
        account: line.account.to_string(),
        party: line.account.party().to_string(),
        amount_minor: line.amount.get(),
        memo: line.memo.code().to_owned(),
        booked_at: now.0,
    };
    (1..).zip(journal.lines()).map(row).collect()
}
