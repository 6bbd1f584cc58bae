//! Verdicts that the store holds, and what may become of them when the same payment is judged again.
//!
//! | the verdict that stands | the new one | then |
//! |---|---|---|
//! | none | any | decided at once |
//! | any | the same hash | nothing happens |
//! | of another pack, or firm | the same outcome | nothing happens |
//! | of another pack, or firm | another outcome, or none | listed for two people |
//! | open, of the same pack | other facts or outcome, or none | the next revision at once |
//!
//! A verdict is firm once somebody acted on it (a case that moved on, a duty done, a resolution or an earlier revision
//! approved), or once the days in which records still come in are over (`verdict_open_days`).

use onus_liability::split_minor;
use onus_model::{Cause, ExceptionKind, Instant, Party, Shares, Verdict, Zone};
use onus_store::exceptions::ExceptionRow;
use onus_store::overview::TallyRow;
use onus_store::rejudgements::{self, RejudgementRow};
use onus_store::{Scope, StoreError, Tx};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::summary::{Counted, tally_of};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Payment and kind.
pub(crate) type Key = (String, String);

/// A verdict that the store holds.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) sha256: String,
    pub(crate) episode_id: String,
    pub(crate) revision: i64,
    pub(crate) cause: Cause,
    pub(crate) outward: Option<Party>,
    pub(crate) loss_minor: i64,
    pub(crate) agent_code: String,
    /// Shares as JSON, and rule.
    pub(crate) shares: String,
    pub(crate) rule_id: String,
    started_at: i64,
    city: String,
    amount_minor: i64,
    status: String,
    same_pack: bool,
    firm: bool,
}

/// What becomes of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It stays.
    Stays,
    /// The next revision takes its place at once.
    NextRevision,
    /// Two people decide.
    Listed,
}

impl Standing {
    /// What becomes of it, given the new verdict with its hash and episode; none when nothing is wrong any more.
    pub(crate) fn then(&self, verdict: Option<(&Verdict, &str, &str)>) -> Then {
        let kept = self.firm || !self.same_pack;
        match verdict {
            Some((_, sha256, episode)) if self.sha256 == sha256 && self.episode_id == episode => Then::Stays,
            Some((verdict, ..)) if kept && self.is_outcome_of(verdict) => Then::Stays,
            _ if kept => Then::Listed,
            _ => Then::NextRevision,
        }
    }

    /// The new verdict decides the same.
    pub(crate) fn is_outcome_of(&self, verdict: &Verdict) -> bool {
        self.cause == verdict.cause
            && self.status == verdict.status.as_str()
            && self.outward == verdict.outward
            && self.loss_minor == verdict.loss_minor
            && self.rule_id == verdict.rule_id
            && self.shares == verdict.shares.to_json()
    }

    /// What sums need of it.
    pub(crate) fn counted(&self, kind: ExceptionKind) -> Counted {
        Counted { kind, cause: self.cause, outward: self.outward, loss_minor: self.loss_minor }
    }

    /// As a row of the sums of its hour.
    pub(crate) fn tally(&self, zone: &Zone, kind: &str) -> TallyRow {
        let row = ExceptionRow {
            started_at: self.started_at,
            agent_code: self.agent_code.clone(),
            city: self.city.clone(),
            kind: kind.to_owned(),
            cause: self.cause.to_string(),
            outward: self.outward.map_or("none", Party::as_str).to_owned(),
            amount_minor: self.amount_minor,
            loss_minor: self.loss_minor,
            ..ExceptionRow::default()
        };
        tally_of(zone, &row, 1)
    }

    /// Why a change is listed: the pack, or new facts.
    pub(crate) fn why(&self) -> &'static str {
        if self.same_pack { "facts" } else { "pack" }
    }

    pub(crate) fn of(row: &ExceptionRow, same_pack: bool, firm: bool) -> Self {
        Self {
            sha256: row.verdict_sha256.clone(),
            episode_id: row.episode_id.clone(),
            revision: row.revision,
            cause: Cause::parse(&row.cause).unwrap_or(Cause::Unknown),
            outward: Party::parse(&row.outward),
            loss_minor: row.loss_minor,
            agent_code: row.agent_code.clone(),
            shares: row.shares.clone(),
            rule_id: row.rule_id.clone(),
            started_at: row.started_at,
            city: row.city.clone(),
            amount_minor: row.amount_minor,
            status: row.status.clone(),
            same_pack,
            firm,
        }
    }
}

/// Everything that stands in the judged window, and what is listed about it.
#[derive(Debug, Default)]
pub(crate) struct Stand {
    pub(crate) verdicts: FxHashMap<Key, Standing>,
    /// Rejudgements about which nobody has decided.
    pub(crate) listed: FxHashMap<Key, String>,
    /// The last revision of verdicts that were taken back: one that comes again is another revision.
    pub(crate) taken_back: FxHashMap<Key, i64>,
}

/// Reads what stands since a time, for a pack.
pub(crate) fn stand(
    tx: &mut Tx<'_>,
    scope: &Scope,
    pack_sha256: &str,
    open_days: i64,
    now: Instant,
    since: Option<Instant>,
) -> Result<Stand, StoreError> {
    let acted: FxHashSet<Key> = rejudgements::acted_on(tx, &scope.tenant)?.into_iter().collect();
    let open_from = now.0.saturating_sub(open_days.saturating_mul(DAY));
    let mut stand = Stand::default();
    rejudgements::for_each_verdict(tx, scope, |row, pack, _| {
        if since.is_none_or(|since| row.started_at >= since.0) {
            let key = (row.payment_id.clone(), row.kind.clone());
            let firm = acted.contains(&key) || row.decided_at <= open_from;
            stand.verdicts.insert(key, Standing::of(&row, pack == pack_sha256, firm));
        }
        Ok(())
    })?;
    stand.taken_back = rejudgements::taken_back(tx, &scope.tenant)?
        .into_iter()
        .map(|(payment, kind, revision)| ((payment, kind), revision))
        .collect();
    stand.listed =
        rejudgements::open(tx, &scope.tenant)?.into_iter().map(|(payment, kind, id)| ((payment, kind), id)).collect();
    Ok(stand)
}

/// A verdict that would be another: from what stands to the new one, or to none.
pub(crate) struct Change<'a> {
    pub(crate) key: &'a Key,
    pub(crate) was: &'a Standing,
    /// The new verdict with its hash and facts as text.
    pub(crate) new: Option<(&'a Verdict, &'a str, String)>,
    pub(crate) reason: String,
    /// Id, version and hash.
    pub(crate) pack: (&'a str, &'a str, &'a str),
    pub(crate) now: Instant,
}

impl Change<'_> {
    /// As it is listed.
    pub(crate) fn row(self) -> RejudgementRow {
        let (payment_id, kind) = self.key;
        let old = shares_of(&self.was.shares);
        let none = Shares::none();
        let (new, loss) = self.new.as_ref().map_or((&none, 0), |(verdict, ..)| (&verdict.shares, verdict.loss_minor));
        let (moved_minor, agent_minor) = moved((&old, self.was.loss_minor), (new, loss));
        let sha256 = self.new.as_ref().map_or("", |(_, sha256, _)| *sha256);
        let short = sha256.get(..12).unwrap_or("none");
        let word = |pick: &dyn Fn(&Verdict) -> String| {
            self.new.as_ref().map_or_else(|| "none".to_owned(), |(verdict, ..)| pick(verdict))
        };
        RejudgementRow {
            id: format!("{payment_id}.{kind}.{}.{short}", self.was.revision),
            payment_id: payment_id.clone(),
            kind: kind.clone(),
            agent_code: self.was.agent_code.clone(),
            from_revision: self.was.revision,
            why: if self.new.is_none() { "gone" } else { self.was.why() }.to_owned(),
            reason: self.reason,
            pack_id: self.pack.0.to_owned(),
            pack_version: self.pack.1.to_owned(),
            pack_sha256: self.pack.2.to_owned(),
            verdict_sha256: sha256.to_owned(),
            old_cause: self.was.cause.to_string(),
            old_outward: self.was.outward.map_or("none", Party::as_str).to_owned(),
            old_shares: self.was.shares.clone(),
            old_loss_minor: self.was.loss_minor,
            old_rule_id: self.was.rule_id.clone(),
            new_cause: word(&|verdict| verdict.cause.to_string()),
            new_outward: word(&|verdict| verdict.outward.map_or("none", Party::as_str).to_owned()),
            new_shares: new.to_json(),
            new_loss_minor: loss,
            new_rule_id: word(&|verdict| verdict.rule_id.clone()),
            moved_minor,
            agent_minor,
            facts: self.new.map(|(_, _, facts)| facts).unwrap_or_default(),
            listed_at: self.now.0,
        }
    }
}

fn shares_of(json: &str) -> Shares {
    let parts: std::collections::BTreeMap<Party, u16> = serde_json::from_str(json).unwrap_or_default();
    Shares::new(parts.into_iter().collect()).unwrap_or_else(|_| Shares::none())
}

/// What others would bear more than they do, and what the agent would bear more.
fn moved(old: (&Shares, i64), new: (&Shares, i64)) -> (i64, i64) {
    let (before, after) = (split_minor(old.1, old.0), split_minor(new.1, new.0));
    let of = |parts: &[(Party, i64)], party: Party| -> i64 {
        parts.iter().filter(|(known, _)| *known == party).map(|(_, part)| *part).sum()
    };
    let more = |party: Party| of(&after, party).saturating_sub(of(&before, party));
    let (up, down) = Party::ALL.iter().map(|party| more(*party)).fold((0_i64, 0_i64), |(up, down), part| {
        (up.saturating_add(part.max(0)), down.saturating_add(part.min(0).saturating_neg()))
    });
    (up.max(down), more(Party::Agent))
}

#[cfg(test)]
mod tests {
    use onus_liability::{Facts, Pack, decide, verdict_sha256};

    use super::*;

    /// Same pack, firm, what the new verdict is; then.
    #[test]
    fn what_becomes_of_a_verdict() {
        let pack = Pack::builtin_cn().unwrap();
        let mut facts = Facts::default();
        facts.yes("break.merchant_swapped", true, "a");
        facts.word("terminal.program_visit", "agent", "b");
        let verdict = decide(&pack, ExceptionKind::Diverted, &facts, 100).unwrap();
        let sha256 = verdict_sha256(&pack, &facts, &verdict);
        facts.word("terminal.program_visit", "none", "b");
        let other = decide(&pack, ExceptionKind::Diverted, &facts, 100).unwrap();
        let row = ExceptionRow {
            cause: verdict.cause.to_string(),
            status: verdict.status.to_string(),
            outward: verdict.outward.unwrap().to_string(),
            shares: verdict.shares.to_json(),
            loss_minor: 100,
            rule_id: verdict.rule_id.clone(),
            verdict_sha256: sha256.clone(),
            revision: 3,
            ..ExceptionRow::default()
        };
        for (same_pack, firm, same, outcome, gone) in [
            (true, false, Then::NextRevision, Then::NextRevision, Then::NextRevision),
            (true, true, Then::Stays, Then::Listed, Then::Listed),
            (false, false, Then::Stays, Then::Listed, Then::Listed),
            (false, true, Then::Stays, Then::Listed, Then::Listed),
        ] {
            let was = Standing::of(&row, same_pack, firm);
            assert_eq!(was.then(Some((&verdict, &sha256, ""))), Then::Stays);
            assert_eq!(was.then(Some((&verdict, "other facts", ""))), same, "{same_pack} {firm}");
            assert_eq!(was.then(Some((&other, "other", ""))), outcome, "{same_pack} {firm}");
            assert_eq!(was.then(None), gone, "{same_pack} {firm}");
        }
        let (key, was) = (("P".to_owned(), "K6".to_owned()), Standing::of(&row, false, false));
        let change = Change {
            key: &key,
            was: &was,
            new: Some((&other, "0123456789abcdef", String::new())),
            reason: String::new(),
            pack: ("p", "2", "s"),
            now: Instant(1),
        };
        let listed = change.row();
        assert_eq!((listed.id.as_str(), listed.why.as_str()), ("P.K6.3.0123456789ab", "pack"));
        assert_eq!((listed.moved_minor, listed.agent_minor), (100, -100));
    }
}
