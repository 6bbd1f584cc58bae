//! Resolving breaks over the store: each step, its evidence entry and the signed head over it in one transaction.

mod check;
mod log_end;
mod rows;
#[cfg(test)]
mod tests;

use onus_casework::resolution::{
    self, BreakId, Circumstances, InForce, Refusal, Resolution, ResolutionPack, SYSTEM, Sides, Step, StepKind, take,
};
use onus_evidence::SigningKey;
use onus_model::{CardType, ExceptionKind, Instant};
use onus_store::resolutions::{self, ResolutionRow, StepRow};
use onus_store::{Scope, StoreError, Tx, payments};

pub(crate) use self::check::{Logged, faults};
pub(crate) use self::log_end::{append, sign};
use self::rows::{damaged, entry_body, resolution_of, row_of, step_row};

/// Why a step was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// No such break, or not of who asks.
    #[error("there is no break {0}")]
    Unknown(String),
    /// Somebody else took a step meanwhile.
    #[error("somebody took a step meanwhile: it stands at version {found}, not {expected}; look again")]
    Stale {
        /// The version that its author saw.
        expected: i64,
        /// The version there is.
        found: i64,
    },
    /// The rules do not allow it.
    #[error("{0}")]
    Refused(Refusal),
}

/// A break with all that its resolution depends on.
#[derive(Debug, Clone)]
pub struct BreakStanding {
    /// Where its resolution stands.
    pub resolution: Resolution,
    /// What the records say.
    pub now: Circumstances,
}

/// Takes steps for one tenant.
#[derive(Debug, Clone, Copy)]
pub struct Resolver<'a> {
    /// Tenant.
    pub tenant: &'a str,
    /// Signs the evidence log.
    pub key: &'a SigningKey,
    /// What is allowed.
    pub pack: &'a ResolutionPack,
    /// Now.
    pub now: Instant,
}

impl Resolver<'_> {
    /// Takes a step, and logs and signs it. With a version the step is only taken if the resolution still stands there.
    ///
    /// # Errors
    /// When the store fails. A step that is not allowed is no such error, and changes nothing.
    pub fn take(
        &self,
        tx: &mut Tx<'_>,
        id: &BreakId,
        step: &Step,
        by: &str,
        version: Option<i64>,
    ) -> Result<Result<ResolutionRow, NotTaken>, StoreError> {
        let Some(standing) = standing(tx, &Scope::all(self.tenant), id, self.now)? else {
            return Ok(Err(NotTaken::Unknown(id.to_string())));
        };
        let found = standing.resolution.version;
        if let Some(expected) = version.filter(|expected| *expected != found) {
            return Ok(Err(NotTaken::Stale { expected, found }));
        }
        let changed = match take(&standing.resolution, step, by, &standing.now, self.pack) {
            Ok(changed) => changed,
            Err(refusal) => return Ok(Err(NotTaken::Refused(refusal))),
        };
        let row = row_of(id, &changed, self.now);
        let mut taken = step_row(&row, step.kind(), by, step.note());
        self.log(tx, &mut taken)?;
        resolutions::put(tx, self.tenant, &row, &taken)?;
        sign(tx, self.tenant, self.key, self.now)?;
        Ok(Ok(row))
    }

    /// Opens the breaks again whose facts changed since they were resolved. The caller signs the log.
    pub(crate) fn reopen_changed(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let mut n_reopened = 0;
        for (row, found) in resolutions::with_changed_facts(tx, self.tenant)? {
            let sides =
                Sides { expected: found.expected, found: found.found, difference_minor: found.difference_minor };
            let Some(id) = BreakId::parse(&format!("{}.{}", row.payment_id, row.class)) else {
                return Err(damaged(&row, "class"));
            };
            let Some((changed, reason)) = resolution::reopened(&resolution_of(&row)?, &sides) else { continue };
            let changed = row_of(&id, &changed, self.now);
            let mut taken = step_row(&changed, StepKind::Reopen, SYSTEM, &reason);
            self.log(tx, &mut taken)?;
            resolutions::put(tx, self.tenant, &changed, &taken)?;
            n_reopened += 1;
        }
        Ok(n_reopened)
    }

    /// Appends the step to the evidence log and notes its entry.
    fn log(&self, tx: &mut Tx<'_>, taken: &mut StepRow) -> Result<(), StoreError> {
        let mut body = entry_body(taken)?;
        body["pack"] = serde_json::json!({"id": self.pack.id, "version": self.pack.version});
        taken.entry_index = append(tx, self.tenant, &body)?;
        Ok(())
    }
}

/// Where a break stands; none when there neither is nor was one, or not within the scope.
///
/// # Errors
/// When the store fails.
pub fn standing(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: &BreakId,
    now: Instant,
) -> Result<Option<BreakStanding>, StoreError> {
    let Some(payment) = payments::by_id(tx, scope, &id.payment, now.0)? else {
        return Ok(None);
    };
    let (own, others): (Vec<_>, Vec<_>) =
        resolutions::of_payment(tx, scope, &id.payment)?.into_iter().partition(|row| row.class == id.class.as_str());
    let found = payment.breaks.iter().find(|found| found.class == id.class.as_str());
    let resolution = match own.first() {
        Some(row) => resolution_of(row)?,
        None if found.is_none() => return Ok(None),
        None => Resolution::untouched(),
    };
    let charged_back = payment.item.payment.kinds.split(',').any(|kind| kind == ExceptionKind::ChargedBack.as_str());
    let now = Circumstances {
        class: id.class,
        sides: found.map(|found| Sides {
            expected: found.expected.clone(),
            found: found.found.clone(),
            difference_minor: found.difference_minor,
        }),
        original_minor: payment.item.payment.amount_minor,
        card: CardType::parse(&payment.item.payment.card_type).unwrap_or(CardType::Unknown),
        charged_back,
        others: in_force(&others)?,
    };
    Ok(Some(BreakStanding { resolution, now }))
}

fn in_force(others: &[ResolutionRow]) -> Result<Vec<InForce>, StoreError> {
    let mut found = Vec::new();
    for row in others {
        let resolution = resolution_of(row)?;
        if let Some(proposal) = resolution.proposal.filter(|_| resolution.state.is_in_force()) {
            found.push(InForce { action: proposal.action, amount_minor: proposal.amount_minor });
        }
    }
    Ok(found)
}
