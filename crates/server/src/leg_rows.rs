//! Rows of sealed files, read for display.

use std::collections::HashMap;

use onus_intake::tap::Record;
use onus_intake::{FileKind, describe_row};
use onus_model::{Date, Instant, LegKind, Zone};
use onus_store::StoreError;
use onus_store::files::FileRow;
use onus_store::refs::ObservationRef;
use onus_store::vault::{SealReader, Vault};
use serde::Serialize;
use utoipa::ToSchema;

use crate::leg_fields::{LegField, leg_field};

/// The first line of a delimited file is shorter than this.
const HEADER_MAX: u64 = 8 * 1024;

/// A row of a sealed file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LegRow {
    pub(crate) source: RowSource,
    pub(crate) at: Option<String>,
    pub(crate) fields: Vec<LegField>,
}

/// Where a row stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowSource {
    pub(crate) file_id: String,
    pub(crate) file_name: String,
    pub(crate) line: Option<i64>,
    pub(crate) offset: u64,
    pub(crate) length: u32,
}

/// A row that was read, with when it happened.
pub(crate) struct Read {
    pub(crate) leg: LegKind,
    pub(crate) at: Option<Instant>,
    pub(crate) row: LegRow,
}

/// Sealed files that were opened for this payment.
pub(crate) struct OpenFiles<'a> {
    vault: &'a Vault,
    known: &'a [FileRow],
    /// Local day of the payment: some rows tell no year.
    started: Date,
    open: HashMap<u32, (SealReader, Vec<u8>)>,
}

impl<'a> OpenFiles<'a> {
    pub(crate) fn new(vault: &'a Vault, known: &'a [FileRow], started: Date) -> Self {
        Self { vault, known, started, open: HashMap::new() }
    }

    /// A row with its fields; none when the file is not known or its kind is not.
    pub(crate) fn read(
        &mut self,
        leg: LegKind,
        it: &ObservationRef,
        zone: &mut Zone,
    ) -> Result<Option<Read>, StoreError> {
        let Some(file) = self.known.iter().find(|file| file.seq == i64::from(it.file_seq)) else {
            return Ok(None);
        };
        let Some(kind) = FileKind::parse(&file.kind) else {
            return Ok(None);
        };
        let (reader, header) = match self.open.entry(it.file_seq) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let mut reader = self.vault.reader(&file.sealed_path)?;
                let header = first_line(&mut reader, kind)?;
                entry.insert((reader, header))
            }
        };
        let bytes = reader.read_at(it.offset, it.len)?;
        let fields: Vec<LegField> = describe_row(kind, header, &bytes).into_iter().map(leg_field).collect();
        let source = RowSource {
            file_id: file.id.clone(),
            file_name: file.name.clone(),
            line: None,
            offset: it.offset,
            length: it.len,
        };
        let at = happened_at(kind, &bytes, &fields, self.started, zone);
        Ok(Some(Read { leg, at, row: LegRow { source, at: None, fields } }))
    }
}

/// The header of a delimited file, or the first bytes of a segment; files of other layouts have none.
fn first_line(reader: &mut SealReader, kind: FileKind) -> Result<Vec<u8>, StoreError> {
    let len = u32::try_from(reader.size().min(HEADER_MAX)).unwrap_or(0);
    if kind == FileKind::Tap {
        return reader.read_at(0, len);
    }
    if kind.layout() != "csv-1" {
        return Ok(Vec::new());
    }
    let start = reader.read_at(0, len)?;
    Ok(start.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec())
}

/// When a row says that it happened.
fn happened_at(kind: FileKind, bytes: &[u8], fields: &[LegField], started: Date, zone: &mut Zone) -> Option<Instant> {
    let value = |name: &str| fields.iter().find(|it| it.name == name).map(|it| it.value.as_str());
    match kind {
        FileKind::Switch => {
            let micros: [u8; 8] = bytes.get(..8)?.try_into().ok()?;
            i64::try_from(u64::from_be_bytes(micros)).ok().map(Instant)
        }
        FileKind::Tap => Record::read(bytes).ok().map(|record| Instant(record.at())),
        FileKind::Journal => {
            let date = Date::parse(value("date")?.as_bytes()).ok()?;
            Some(zone.instant(date, second_of_day(&value("time")?.replace(':', ""))?))
        }
        FileKind::ClearingCsv | FileKind::ClearingZm => {
            // MMDDhhmmss, never before the payment began.
            let sent = value("transmission_time").filter(|it| it.len() == 10 && it.is_ascii())?;
            let (month, day): (u32, u32) = (sent[..2].parse().ok()?, sent[2..4].parse().ok()?);
            let (year, started_month, _) = started.ymd();
            let year = if month < started_month { year + 1 } else { year };
            Some(zone.instant(Date::from_ymd(year, month, day).ok()?, second_of_day(&sent[4..])?))
        }
        FileKind::Payout => Instant::parse(value("value_time")?).ok(),
        _ => None,
    }
}

/// `hhmmss`
fn second_of_day(text: &str) -> Option<u32> {
    if text.len() != 6 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| text[range].parse::<u32>().ok();
    let (hour, minute, second) = (part(0..2)?, part(2..4)?, part(4..6)?);
    (hour < 24 && minute < 60 && second < 61).then_some(hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_tell_when_they_happened() {
        let mut zone = Zone::named("Asia/Shanghai").unwrap();
        let started = Date::parse(b"2026-12-31").unwrap();
        let row = |fields: &[(&str, &str)]| -> Vec<LegField> {
            let fields = fields.iter();
            fields
                .map(|(name, value)| LegField {
                    name: (*name).into(),
                    zh: String::new(),
                    en: String::new(),
                    value: (*value).into(),
                    differs: false,
                })
                .collect()
        };
        let cleared = row(&[("transmission_time", "0101000005")]);
        let journal = row(&[("date", "2026-12-31"), ("time", "23:59:58")]);
        let micros = 1_798_732_800_000_000u64.to_be_bytes();
        let table = [
            (FileKind::ClearingZm, &[][..], &cleared, Some("2027-01-01T00:00:05+08:00")),
            (FileKind::Journal, &[], &journal, Some("2026-12-31T23:59:58+08:00")),
            (FileKind::Switch, &micros, &journal, Some("2027-01-01T00:00:00+08:00")),
            (FileKind::Payout, &[], &row(&[("value_time", "soon")]), None),
            (FileKind::Slips, &[], &journal, None),
        ];
        for (kind, bytes, fields, expected) in table {
            let found = happened_at(kind, bytes, fields, started, &mut zone).map(|at| zone.format(at));
            assert_eq!(found.as_deref(), expected, "{kind:?}");
        }
    }
}
