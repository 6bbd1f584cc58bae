//! `onus monitoring`: where acquirer and merchants stand in the networks' programmes, and where the month will end.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result};
use clap::Args;
use onus_liability::{MonthCounts, Programme, Standing, programmes};
use onus_model::{Date, Instant, Party, Zone};
use onus_store::monitoring::{MonthRow, by_merchant};
use onus_store::{Scope, StoreError};
use serde_json::{Value, json};

use crate::home::{self, Home};
use crate::{Format, Place};

/// Arguments of `onus monitoring`.
#[derive(Args)]
pub(crate) struct MonitoringArgs {
    #[command(flatten)]
    place: Place,
    /// As of this time (RFC 3339) instead of now; its month is counted.
    #[arg(long)]
    as_of: Option<String>,
    /// How many merchants, those with most disputes first.
    #[arg(long, default_value_t = 10)]
    merchants: usize,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A month up to a day, with the one before.
struct Months {
    name: String,
    day: u64,
    days: u64,
    /// First instant of the month before, of this one, and now.
    bounds: [Instant; 3],
}

/// Runs the command.
pub(crate) fn run(args: &MonitoringArgs) -> Result<()> {
    let home = Home::open(&args.place)?;
    let now = home::as_of(args.as_of.as_deref())?.unwrap_or_else(home::now);
    let months = months(&home.zone()?, now).context("the month does not read")?;
    let scope = Scope::all(&home.tenant.id);
    let [before, first, _] = months.bounds;
    let (previous, current) = home.store.read(|tx| -> Result<_, StoreError> {
        Ok((by_merchant(tx, &scope, before.0, first.0)?, by_merchant(tx, &scope, first.0, now.0)?))
    })?;
    let sales_before: BTreeMap<&str, &MonthRow> =
        previous.iter().map(|row| (row.merchant_code.as_str(), row)).collect();
    let mut lines = Vec::new();
    for programme in programmes(&months.name) {
        if programme.subject == Party::Acquirer {
            lines.push(line(programme, "", total(&previous), total(&current), &months));
            continue;
        }
        for row in current.iter().filter(|row| !row.merchant_code.is_empty()).take(args.merchants) {
            let before =
                sales_before.get(row.merchant_code.as_str()).map_or_else(MonthCounts::default, |row| counts(row));
            lines.push(line(programme, &row.merchant_code, before, counts(row), &months));
        }
    }
    let mut out = std::io::stdout().lock();
    if args.format == Format::Table {
        writeln!(out, "{}, day {} of {}", months.name, months.day, months.days)?;
    }
    for one in lines {
        if args.format == Format::Table { table(&mut out, &one)? } else { writeln!(out, "{one}")? }
    }
    Ok(())
}

fn months(zone: &Zone, now: Instant) -> Option<Months> {
    let (today, _) = zone.local(now);
    let text = today.to_string();
    let name = text.get(..7)?.to_owned();
    let first = Date::parse(format!("{name}-01").as_bytes()).ok()?;
    let last_before = first.plus_days(-1).to_string();
    let before = Date::parse(format!("{}-01", last_before.get(..7)?).as_bytes()).ok()?;
    let after = first.plus_days(31).to_string();
    let next = Date::parse(format!("{}-01", after.get(..7)?).as_bytes()).ok()?;
    let mut zone = zone.clone();
    Some(Months {
        day: u64::try_from(today.days_since(first) + 1).ok()?,
        days: u64::try_from(next.days_since(first)).ok()?,
        bounds: [zone.instant(before, 0), zone.instant(first, 0), now],
        name,
    })
}

fn counts(row: &MonthRow) -> MonthCounts {
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    MonthCounts { sales: count(row.sales), disputes: count(row.disputes), ..MonthCounts::default() }
}

fn total(rows: &[MonthRow]) -> MonthCounts {
    rows.iter().map(counts).fold(MonthCounts::default(), |sum, one| MonthCounts {
        sales: sum.sales + one.sales,
        disputes: sum.disputes + one.disputes,
        ..sum
    })
}

fn line(programme: &Programme, subject: &str, before: MonthCounts, so_far: MonthCounts, months: &Months) -> Value {
    let side = |standing: Standing| json!({"cases": standing.cases, "ratio_bp": standing.ratio_bp, "reached": standing.reached});
    let forecast = programme.forecast(before, so_far, months.day, months.days);
    let by = programme.verified_by.as_ref().map(|by| json!({"maker": by.maker, "checker": by.checker, "on": by.on}));
    json!({
        "programme": programme.id, "title": {"zh": programme.title.zh, "en": programme.title.en},
        "subject": programme.subject, "merchant": subject, "month": months.name, "sales": so_far.sales,
        "now": forecast.map(|forecast| side(forecast.now)), "end": forecast.map(|forecast| side(forecast.end)),
        "cases_left": forecast.and_then(|forecast| forecast.cases_left),
        "grade": programme.grade, "automation": programme.automation().to_string(), "verified_by": by,
    })
}

fn table(out: &mut impl Write, line: &Value) -> Result<()> {
    let side = |name: &str| {
        let ratio = line[name]["ratio_bp"].as_u64().map_or_else(|| "?".to_owned(), |bp| format!("{bp} bp"));
        format!("{} cases {ratio}", line[name]["cases"])
    };
    let reached = if line["end"]["reached"] == true { "REACHED" } else { "" };
    let subject = line["merchant"].as_str().filter(|code| !code.is_empty()).unwrap_or("acquirer");
    writeln!(
        out,
        "{:30} {subject:16} now {}; month's end {}; {} cases left {reached} [{} {}]",
        line["programme"].as_str().unwrap_or_default(),
        side("now"),
        side("end"),
        line["cases_left"],
        line["grade"].as_str().unwrap_or_default(),
        line["automation"].as_str().unwrap_or_default()
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_and_the_one_before() {
        let zone = Zone::named("Asia/Shanghai").unwrap();
        for (now, name, day, days, before) in [
            ("2026-10-08T12:00:00+08:00", "2026-10", 8, 31, "2026-09-01T00:00:00+08:00"),
            ("2027-01-31T23:59:00+08:00", "2027-01", 31, 31, "2026-12-01T00:00:00+08:00"),
            ("2028-02-29T00:00:00+08:00", "2028-02", 29, 29, "2028-01-01T00:00:00+08:00"),
        ] {
            let months = months(&zone, Instant::parse(now).unwrap()).unwrap();
            assert_eq!((months.name.as_str(), months.day, months.days), (name, day, days));
            assert_eq!(zone.format(months.bounds[0]), before);
        }
    }
}
