//! `onus monitoring`: where acquirer and merchants stand in the networks' programmes, and where the month will end.

use std::io::Write;

use anyhow::{Context, Result};
use clap::Args;
use onus_liability::Standing;
use onus_store::{Scope, StoreError};
use onus_worker::{Month, ProgrammeStanding, monitoring};
use serde_json::{Value, json};

use crate::home::{self, Home};
use crate::{Format, Place};

/// Arguments of `onus monitoring`.
#[derive(Args)]
pub(crate) struct MonitoringArgs {
    #[command(flatten)]
    place: Place,
    /// As of this time (RFC 3339) instead of now; its month is counted unless another is named.
    #[arg(long)]
    as_of: Option<String>,
    /// Month to count, YYYY-MM, instead of the one that runs.
    #[arg(long)]
    month: Option<String>,
    /// How many merchants, those with most disputes first.
    #[arg(long, default_value_t = 10)]
    merchants: usize,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the command.
pub(crate) fn run(args: &MonitoringArgs) -> Result<()> {
    let home = Home::open(&args.place)?;
    let now = home::as_of(args.as_of.as_deref())?.unwrap_or_else(home::now);
    let month = Month::at(&home.zone()?, now, args.month.as_deref())
        .context("--month is no month that has begun; give YYYY-MM")?;
    let scope = Scope::all(&home.tenant.id);
    let standings =
        home.store.read(|tx| -> Result<_, StoreError> { monitoring(tx, &scope, &month, args.merchants) })?;
    let mut out = std::io::stdout().lock();
    if args.format == Format::Table {
        writeln!(out, "{}, day {} of {}", month.name, month.day, month.days)?;
    }
    for one in standings.iter().map(|standing| line(standing, &month)) {
        if args.format == Format::Table { table(&mut out, &one)? } else { writeln!(out, "{one}")? }
    }
    Ok(())
}

fn line(standing: &ProgrammeStanding, month: &Month) -> Value {
    let side = |standing: Standing| json!({"cases": standing.cases, "ratio_bp": standing.ratio_bp, "reached": standing.reached});
    let (programme, forecast) = (standing.programme, standing.forecast);
    let by = programme.verified_by.as_ref().map(|by| json!({"maker": by.maker, "checker": by.checker, "on": by.on}));
    json!({
        "programme": programme.id, "title": {"zh": programme.title.zh, "en": programme.title.en},
        "subject": programme.subject, "merchant": standing.merchant_code, "month": month.name,
        "sales": standing.counts.sales,
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
