//! Where the acquirer and its merchants stand in the networks' monitoring programmes in one month.

use std::collections::BTreeMap;

use onus_liability::{Counted, Forecast, MonthCounts, Programme, programmes};
use onus_model::{Date, Instant, Party, Zone};
use onus_store::monitoring::{MonthRow, by_merchant};
use onus_store::{Scope, StoreError, Tx};

/// A month up to a day, with the one before.
#[derive(Debug, Clone)]
pub struct Month {
    /// `YYYY-MM`
    pub name: String,
    /// Days of it that have begun.
    pub day: u64,
    /// Days that it has.
    pub days: u64,
    /// First instant of the month before, first instant of this one, and the end of what is counted.
    bounds: [Instant; 3],
}

impl Month {
    /// The month that runs now, or another one that has begun: a past month is counted whole.
    /// Nothing when the name is no month, or is one that has not begun.
    #[must_use]
    pub fn at(zone: &Zone, now: Instant, name: Option<&str>) -> Option<Self> {
        let (today, _) = zone.local(now);
        let running = today.to_string().get(..7)?.to_owned();
        let name = name.map_or_else(|| running.clone(), str::to_owned);
        let first = first_day(&name)?;
        let next = first_day(first.plus_days(31).to_string().get(..7)?)?;
        let before = first_day(first.plus_days(-1).to_string().get(..7)?)?;
        if first > today {
            return None;
        }
        let days = u64::try_from(next.days_since(first)).ok()?;
        let mut zone = zone.clone();
        let (start_before, start, after) = (zone.instant(before, 0), zone.instant(first, 0), zone.instant(next, 0));
        let (day, until) = if name == running {
            (u64::try_from(today.days_since(first)).ok()?.checked_add(1)?, now)
        } else {
            (days, after)
        };
        Some(Self { name, day, days, bounds: [start_before, start, until] })
    }
}

fn first_day(month: &str) -> Option<Date> {
    if month.len() == 7 { Date::parse(format!("{month}-01").as_bytes()).ok() } else { None }
}

/// One subject in one programme.
#[derive(Debug, Clone)]
pub struct ProgrammeStanding {
    /// Programme.
    pub programme: &'static Programme,
    /// Merchant; empty for the acquirer.
    pub merchant_code: String,
    /// Sales and disputes of the month so far.
    pub counts: MonthCounts,
    /// Now and at the end of the month.
    pub forecast: Option<Forecast>,
}

impl ProgrammeStanding {
    /// What the programme counts and no record of the store tells, so that the true ratio may be higher.
    pub fn not_counted(&self) -> impl Iterator<Item = Counted> {
        self.programme.counts.iter().copied().filter(|counted| *counted == Counted::FraudReports)
    }
}

/// Standings in every programme of the month: the acquirer, and up to `merchants` merchants with the most disputes.
pub fn monitoring(
    tx: &mut Tx<'_>,
    scope: &Scope,
    month: &Month,
    merchants: usize,
) -> Result<Vec<ProgrammeStanding>, StoreError> {
    let [before, first, until] = month.bounds;
    let previous = by_merchant(tx, scope, before.0, first.0)?;
    let current = by_merchant(tx, scope, first.0, until.0)?;
    let sales_before: BTreeMap<&str, &MonthRow> =
        previous.iter().map(|row| (row.merchant_code.as_str(), row)).collect();
    let standing = |programme: &'static Programme, code: &str, before: MonthCounts, so_far: MonthCounts| {
        let forecast = programme.forecast(before, so_far, month.day, month.days);
        ProgrammeStanding { programme, merchant_code: code.to_owned(), counts: so_far, forecast }
    };
    let mut standings = Vec::new();
    for programme in programmes(&month.name) {
        if programme.subject == Party::Acquirer {
            standings.push(standing(programme, "", total(&previous), total(&current)));
            continue;
        }
        for row in current.iter().filter(|row| !row.merchant_code.is_empty()).take(merchants) {
            let before = sales_before.get(row.merchant_code.as_str()).map(|row| counts(row)).unwrap_or_default();
            standings.push(standing(programme, &row.merchant_code, before, counts(row)));
        }
    }
    Ok(standings)
}

fn counts(row: &MonthRow) -> MonthCounts {
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    MonthCounts { sales: count(row.sales), disputes: count(row.disputes), ..MonthCounts::default() }
}

fn total(rows: &[MonthRow]) -> MonthCounts {
    rows.iter().map(counts).fold(MonthCounts::default(), |sum, one| MonthCounts {
        sales: sum.sales.saturating_add(one.sales),
        disputes: sum.disputes.saturating_add(one.disputes),
        ..sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_and_the_one_before() {
        let zone = Zone::named("Asia/Shanghai").unwrap();
        for (now, asked, name, day, days, before, until) in [
            ("2026-10-08T12:00:00+08:00", None, "2026-10", 8, 31, "2026-09-01", "2026-10-08T12:00:00+08:00"),
            ("2027-01-31T23:59:00+08:00", None, "2027-01", 31, 31, "2026-12-01", "2027-01-31T23:59:00+08:00"),
            ("2028-02-29T00:00:00+08:00", None, "2028-02", 29, 29, "2028-01-01", "2028-02-29T00:00:00+08:00"),
            ("2026-10-08T12:00:00+08:00", Some("2026-10"), "2026-10", 8, 31, "2026-09-01", "2026-10-08T12:00:00+08:00"),
            (
                "2026-10-08T12:00:00+08:00",
                Some("2026-02"),
                "2026-02",
                28,
                28,
                "2026-01-01",
                "2026-03-01T00:00:00+08:00",
            ),
        ] {
            let month = Month::at(&zone, Instant::parse(now).unwrap(), asked).unwrap();
            assert_eq!((month.name.as_str(), month.day, month.days), (name, day, days));
            assert_eq!(zone.format(month.bounds[0]), format!("{before}T00:00:00+08:00"));
            assert_eq!(zone.format(month.bounds[2]), until);
        }
        for asked in ["2026-11", "2026-13", "2026", "2026-1", "month", "2026-10-01"] {
            let now = Instant::parse("2026-10-08T12:00:00+08:00").unwrap();
            assert!(Month::at(&zone, now, Some(asked)).is_none(), "{asked}");
        }
    }
}
