//! Monitoring programmes of the networks: the ratio of a month, whether a limit is reached, and where the month will end.

use std::sync::LazyLock;

use onus_model::{Automation, Grade, Party, Text};
use serde::Deserialize;

use crate::pack::VerifiedBy;

/// Basis points of a whole.
const WHOLE_BP: u64 = 10_000;

/// What a programme counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Disputes of the month.
    Disputes,
    /// Payments that issuers reported as fraud.
    FraudReports,
}

impl Counted {
    /// The word of the pack.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disputes => "disputes",
            Self::FraudReports => "fraud_reports",
        }
    }
}

/// The month whose sales are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SalesOf {
    /// The month itself.
    Same,
    /// The month before.
    Previous,
}

/// A programme with its limits; all that are there must be reached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Id.
    pub id: String,
    /// Network.
    pub network: String,
    /// Who is watched.
    pub subject: Party,
    /// What is counted.
    pub counts: Vec<Counted>,
    /// What it is divided by.
    pub of: SalesOf,
    /// Ratio that is reached, basis points.
    pub at_least_bp: Option<u64>,
    /// Ratio that is exceeded, basis points.
    pub above_bp: Option<u64>,
    /// Cases.
    pub at_least_cases: Option<u64>,
    /// Sales of the month.
    pub at_least_sales: Option<u64>,
    /// Fraud in US cents that is exceeded.
    pub above_fraud_usd_minor: Option<u64>,
    /// Part of sales with strong authentication, at most, basis points.
    pub strong_auth_at_most_bp: Option<u64>,
    /// First month in force, YYYY-MM.
    pub from: Option<String>,
    /// Last month in force, YYYY-MM.
    pub to: Option<String>,
    /// Name.
    pub title: Text,
    /// Where the limits come from.
    pub source: String,
    /// How far they can be trusted.
    pub grade: Grade,
    /// Two people who compared the limits with the primary text.
    pub verified_by: Option<VerifiedBy>,
}

/// What one subject did in a month, or in the part of it that has passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MonthCounts {
    /// Sales.
    pub sales: u64,
    /// Disputes.
    pub disputes: u64,
    /// Payments reported as fraud.
    pub fraud_reports: u64,
    /// Their amount, US cents.
    pub fraud_usd_minor: u64,
    /// Sales with strong authentication.
    pub strong_auth: u64,
}

/// Where a subject stands in a programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Cases that count.
    pub cases: u64,
    /// Their ratio in basis points, rounded down; nothing when there were no sales to divide by.
    pub ratio_bp: Option<u64>,
    /// Whether every limit is reached; nothing when the programme has none.
    pub reached: Option<bool>,
}

/// Where a month will end when it goes on as it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// Now.
    pub now: Standing,
    /// At the end of the month.
    pub end: Standing,
    /// Cases that may still come before ratio and cases are reached at the sales foreseen; nothing without limits.
    pub cases_left: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "id")]
    _id: String,
    #[serde(rename = "version")]
    _version: String,
    programme: Vec<Programme>,
}

/// The programmes that Onus ships. A test proves that they load.
static SHIPPED: LazyLock<Vec<Programme>> = LazyLock::new(|| {
    let file = toml::from_str(include_str!("../../../packs/monitoring-1/programmes.toml"));
    file.map(|file: File| file.programme).unwrap_or_default()
});

/// Id of the shipped set.
pub(crate) const MONITORING: &str = "monitoring-1";

/// All shipped programmes, in force or not.
pub(crate) fn all_programmes() -> &'static [Programme] {
    &SHIPPED
}

/// The shipped programmes in force in a month, YYYY-MM.
pub fn programmes(month: &str) -> impl Iterator<Item = &'static Programme> {
    SHIPPED.iter().filter(move |programme| {
        programme.from.as_deref().is_none_or(|from| from <= month)
            && programme.to.as_deref().is_none_or(|to| month <= to)
    })
}

impl Programme {
    /// Whether software may act when a limit is reached.
    #[must_use]
    pub fn automation(&self) -> Automation {
        if self.grade.needs_verification() && self.verified_by.is_none() {
            Automation::Manual
        } else {
            Automation::Automatic
        }
    }

    /// Where a subject stands after a month.
    #[must_use]
    pub fn standing(&self, previous: MonthCounts, month: MonthCounts) -> Standing {
        let (cases, sales) = (self.cases(month), self.sales(previous, month));
        let ratio_bp = cases.saturating_mul(WHOLE_BP).checked_div(sales);
        Standing { cases, ratio_bp, reached: self.has_limits().then(|| self.reached(cases, sales, month)) }
    }

    /// Where it will stand at the end of the month, after `day` of `days` days, when the rest is like what has passed.
    /// Nothing before a day has passed.
    #[must_use]
    pub fn forecast(&self, previous: MonthCounts, so_far: MonthCounts, day: u64, days: u64) -> Option<Forecast> {
        let whole = |count: u64| {
            let (whole, rest) =
                count.checked_mul(days.max(day)).map(|all| (all.checked_div(day), all.checked_rem(day)))?;
            whole?.checked_add(u64::from(rest? > 0))
        };
        let month = MonthCounts {
            sales: whole(so_far.sales)?,
            disputes: whole(so_far.disputes)?,
            fraud_reports: whole(so_far.fraud_reports)?,
            fraud_usd_minor: whole(so_far.fraud_usd_minor)?,
            strong_auth: whole(so_far.strong_auth)?,
        };
        let sales = self.sales(previous, month);
        let by_ratio = |bp: u64| sales.saturating_mul(bp);
        let at_least = self.at_least_bp.map(|bp| by_ratio(bp).div_ceil(WHOLE_BP));
        let above = self.above_bp.map(|bp| by_ratio(bp).checked_div(WHOLE_BP).unwrap_or_default().saturating_add(1));
        let limit = [at_least, above, self.at_least_cases].into_iter().flatten().max();
        let now = self.cases(so_far);
        let cases_left = limit.map(|limit| limit.saturating_sub(now));
        Some(Forecast { now: self.standing(previous, so_far), end: self.standing(previous, month), cases_left })
    }

    fn cases(&self, month: MonthCounts) -> u64 {
        let counted = self.counts.iter().map(|counted| match counted {
            Counted::Disputes => month.disputes,
            Counted::FraudReports => month.fraud_reports,
        });
        counted.fold(0, u64::saturating_add)
    }

    fn sales(&self, previous: MonthCounts, month: MonthCounts) -> u64 {
        match self.of {
            SalesOf::Same => month.sales,
            SalesOf::Previous => previous.sales,
        }
    }

    fn has_limits(&self) -> bool {
        self.at_least_bp.or(self.above_bp).or(self.at_least_cases).is_some()
    }

    fn reached(&self, cases: u64, sales: u64, month: MonthCounts) -> bool {
        let part = cases.saturating_mul(WHOLE_BP);
        let by = |bp: u64| sales.saturating_mul(bp);
        let strong = month.strong_auth.saturating_mul(WHOLE_BP);
        cases > 0
            && self.at_least_bp.is_none_or(|bp| part >= by(bp))
            && self.above_bp.is_none_or(|bp| part > by(bp))
            && self.at_least_cases.is_none_or(|least| cases >= least)
            && self.at_least_sales.is_none_or(|least| month.sales >= least)
            && self.above_fraud_usd_minor.is_none_or(|limit| month.fraud_usd_minor > limit)
            && self.strong_auth_at_most_bp.is_none_or(|most| strong <= month.sales.saturating_mul(most))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn programme(id: &str, month: &str) -> &'static Programme {
        programmes(month).find(|programme| programme.id == id).unwrap()
    }

    fn counts(sales: u64, disputes: u64, fraud_reports: u64) -> MonthCounts {
        MonthCounts { sales, disputes, fraud_reports, ..MonthCounts::default() }
    }

    #[test]
    fn limits_hold_from_their_month_on() {
        let ids = |month: &str| programmes(month).map(|one| one.id.as_str()).collect::<Vec<_>>();
        assert!(ids("2026-03").contains(&"visa-vamp-merchant-2025") && !ids("2026-03").contains(&"visa-vamp-merchant"));
        assert!(ids("2026-04").contains(&"visa-vamp-merchant") && !ids("2026-04").contains(&"visa-vamp-merchant-2025"));
        assert!(SHIPPED.iter().all(|one| !one.source.is_empty() && !one.title.zh.is_empty()));
    }

    /// Id, sales of the month before, the month, and whether the programme takes hold.
    #[test]
    fn all_limits_must_be_reached() {
        let busy = MonthCounts { fraud_usd_minor: 5_000_001, strong_auth: 10_000, ..counts(100_000, 0, 501) };
        let table = [
            ("visa-vamp-merchant", 0, counts(100_000, 1_000, 500), Some(true)),
            ("visa-vamp-merchant", 0, counts(100_001, 1_000, 500), Some(false)),
            ("visa-vamp-merchant", 0, counts(10_000, 1_000, 499), Some(false)),
            ("visa-vamp-acquirer-standard", 0, counts(1_000, 5, 0), Some(true)),
            ("mastercard-ecm", 6_666, counts(100_000, 100, 0), Some(true)),
            ("mastercard-ecm", 6_667, counts(1, 100, 0), Some(false)),
            ("mastercard-efm", 0, busy, Some(true)),
            ("mastercard-efm", 0, MonthCounts { strong_auth: 10_001, ..busy }, Some(false)),
            ("mastercard-efm", 0, MonthCounts { fraud_reports: 500, ..busy }, Some(false)),
            ("unionpay-monthly-chargebacks", 0, counts(100, 50, 0), None),
        ];
        for (id, before, month, expected) in table {
            let standing = programme(id, "2026-11").standing(counts(before, 0, 0), month);
            assert_eq!(standing.reached, expected, "{id} {month:?}");
        }
        assert_eq!(programme("unionpay-monthly-chargebacks", "2026-11").automation(), Automation::Manual);
    }

    #[test]
    fn half_a_month_tells_the_whole() {
        let ecm = programme("mastercard-ecm", "2026-11");
        let forecast = ecm.forecast(counts(5_000, 0, 0), counts(2_000, 60, 0), 15, 30).unwrap();
        assert_eq!((forecast.now.reached, forecast.end.reached), (Some(false), Some(true)));
        assert_eq!((forecast.end.cases, forecast.end.ratio_bp), (120, Some(240)));
        assert_eq!(forecast.cases_left, Some(40));
        assert_eq!(ecm.forecast(counts(5_000, 0, 0), counts(0, 0, 0), 0, 30), None);
    }

    proptest! {
        /// More cases never lead out of a programme, and none are left once ratio and cases are reached.
        #[test]
        fn more_cases_never_help(before in 0..1_000_000_u64, sales in 0..1_000_000_u64, disputes in 0..20_000_u64, more in 0..20_000_u64) {
            for one in programmes("2026-11") {
                let (less, worse) = (counts(sales, disputes, disputes), counts(sales, disputes + more, disputes + more));
                let (was, is) = (one.standing(counts(before, 0, 0), less), one.standing(counts(before, 0, 0), worse));
                prop_assert!(was.reached != Some(true) || is.reached == Some(true), "{}", one.id);
                let forecast = one.forecast(counts(before, 0, 0), less, 30, 30).unwrap();
                prop_assert_eq!(forecast.now, forecast.end);
                if was.reached == Some(true) {
                    prop_assert_eq!(forecast.cases_left, Some(0));
                }
            }
        }
    }
}
