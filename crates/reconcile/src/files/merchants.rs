//! The merchant master: accounts, rates and categories with their days of validity.

use rustc_hash::FxHashMap;

use super::classify::MerchantFacts;
use super::code::Code;
use super::dates::Day;
use super::layout::Role;
use super::reading::Taker;
use super::rows::{FieldFault, Fields, RowReader};

/// One version of a merchant's terms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version {
    from: Day,
    /// Last day of validity.
    to: Day,
    changed_on: Day,
    facts: MerchantFacts,
    agent: Code,
    /// The next version of the same merchant.
    next: u32,
}

const NONE: u32 = u32::MAX;

impl Version {
    /// Whether it is valid on `day`; on an unknown day (0) every version is.
    fn fits(&self, day: Day) -> bool {
        day == 0 || (self.from <= day && day <= self.to)
    }

    /// What it says of a day, if it is valid then.
    #[inline]
    pub(crate) fn terms(&self, day: Day) -> Option<Terms> {
        self.fits(day).then(|| Terms {
            facts: self.facts,
            agent: self.agent,
            account_age: (self.changed_on != 0 && day != 0).then(|| day - self.changed_on),
        })
    }
}

/// What the master says of one merchant on one day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) facts: MerchantFacts,
    pub(crate) agent: Code,
    /// Days since the account was changed; none when the master does not say.
    pub(crate) account_age: Option<Day>,
}

/// All merchants. One merchant has few versions, mostly one.
#[derive(Debug, Default)]
pub(crate) struct Merchants {
    first: FxHashMap<u64, u32>,
    versions: Vec<Version>,
}

impl Merchants {
    /// Makes room for so many versions more.
    pub(crate) fn reserve(&mut self, versions: usize) {
        self.first.reserve(versions);
        self.versions.reserve(versions);
    }

    fn add(&mut self, merchant: u64, mut version: Version) {
        let number = u32::try_from(self.versions.len()).unwrap_or(NONE);
        version.next = self.first.insert(merchant, number).unwrap_or(NONE);
        self.versions.push(version);
    }

    /// Adds a version whose agent and last change are not asked for.
    pub(crate) fn put(&mut self, merchant: Code, from: Day, to: Day, facts: MerchantFacts) {
        self.add(merchant.0, Version { from, to, changed_on: 0, facts, agent: Code::NONE, next: NONE });
    }

    /// The version valid on `day`; on an unknown day (0) the latest.
    fn find(&self, merchant: u64, day: Day) -> Option<&Version> {
        let mut at = *self.first.get(&merchant)?;
        let mut latest: Option<&Version> = None;
        while let Some(version) = self.versions.get(at as usize) {
            if version.fits(day)
                && latest
                    .is_none_or(|latest| (latest.from, latest.facts.account) < (version.from, version.facts.account))
            {
                latest = Some(version);
            }
            at = version.next;
        }
        latest
    }

    /// Each merchant with its accounts.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (Code, Code)> {
        self.first.iter().flat_map(|(merchant, first)| {
            let versions = std::iter::successors(self.versions.get(*first as usize), |version| {
                self.versions.get(version.next as usize)
            });
            versions.map(|version| (Code(*merchant), version.facts.account))
        })
    }

    /// What the master says of a merchant on a day.
    pub(crate) fn terms(&self, merchant: u64, day: Day) -> Option<Terms> {
        self.find(merchant, day).and_then(|version| version.terms(day))
    }

    /// The version of a merchant that has just one.
    pub(crate) fn only(&self, merchant: u64) -> Option<Version> {
        let version = self.versions.get(*self.first.get(&merchant)? as usize)?;
        (version.next == NONE).then_some(*version)
    }
}

/// Reads the master.
pub(crate) struct MerchantRows<'a> {
    pub(crate) reader: RowReader<'a>,
    pub(crate) merchants: Merchants,
    pub(crate) rows: u64,
}

impl Taker for MerchantRows<'_> {
    fn take(&mut self, fields: Fields<'_>, _offset: u64) -> Result<bool, FieldFault> {
        let reader = &mut self.reader;
        let merchant = reader.required(fields, Role::Merchant, 20)?;
        let rate = |reader: &RowReader<'_>, role| {
            let there = reader.plan.column(role).is_some_and(|column| !fields.text(column).is_empty());
            if there { reader.count(fields, role).map(|rate| i64::try_from(rate).unwrap_or(-1)) } else { Ok(-1) }
        };
        let facts = MerchantFacts {
            account: reader.code(fields, Role::Account, 40)?,
            fee_bp: rate(reader, Role::FeeBp)?,
            share_bp: rate(reader, Role::ShareBp)?,
            mcc: reader.count(fields, Role::Mcc)?,
        };
        let from = small(reader.day(fields, Role::ValidFrom)?);
        let to = small(reader.day(fields, Role::ValidTo)?);
        let version = Version {
            from,
            to: if to == 0 { Day::MAX } else { to },
            changed_on: small(reader.day(fields, Role::ChangedOn)?),
            facts,
            agent: reader.code(fields, Role::Agent, 40)?,
            next: NONE,
        };
        self.merchants.add(merchant.0, version);
        self.rows += 1;
        Ok(true)
    }
}

fn small(day: u64) -> Day {
    Day::try_from(day).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_the_day() {
        let mut merchants = Merchants::default();
        for (from, to, account) in [(0, 10, 1), (11, Day::MAX, 2)] {
            let facts = MerchantFacts { account: Code(account), ..MerchantFacts::default() };
            merchants.add(7, Version { from, to, changed_on: from, facts, agent: Code(5), next: NONE });
        }
        let account = |day| merchants.terms(7, day).map(|terms| terms.facts.account.0);
        assert_eq!((account(10), account(11), account(0)), (Some(1), Some(2), Some(2)));
        let terms = merchants.terms(7, 14);
        assert_eq!(terms.map(|terms| (terms.agent, terms.account_age)), Some((Code(5), Some(3))));
        assert!(merchants.terms(8, 1).is_none());
    }
}
