//! The four records of one payment, read from the sealed files.

use onus_model::{Instant, LegKind};
use onus_store::StoreError;
use onus_store::breaks::BreakRow;
use onus_store::payments::PaymentDetail;
use onus_store::vault::Vault;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::leg_fields::{Concept, LegField, comparable, concept, mark_differences};
use crate::leg_rows::{LegRow, OpenFiles, Read};
use crate::texts::yuan;

/// One of the four records of a payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Leg {
    /// `journal`, `switch`, `clearing` or `payout`.
    leg: String,
    present: bool,
    amount_minor: Option<i64>,
    merchant_code: Option<String>,
    at: Option<String>,
    summary_zh: String,
    summary_en: String,
    rows: Vec<LegRow>,
}

/// The four legs, in the order of the money; one without records is not present.
pub(crate) fn legs(vault: &Vault, detail: &PaymentDetail, actor: &Actor) -> Result<Vec<Leg>, StoreError> {
    let mut zone = actor.zone();
    let (started, _) = zone.local(Instant(detail.item.payment.started_at));
    let mut files = OpenFiles::new(vault, &detail.files, started);
    let mut reads = Vec::new();
    for it in &detail.refs.0 {
        let Some(leg) = LegKind::from_number(it.leg).filter(|leg| *leg != LegKind::Notice) else {
            continue;
        };
        if let Some(read) = files.read(leg, it, &mut zone)? {
            reads.push(read);
        }
    }
    for read in &mut reads {
        read.row.at = read.at.map(|at| actor.time(at.0));
    }
    mark(&mut reads, &detail.breaks);
    let mut legs = Vec::new();
    for leg in [LegKind::Journal, LegKind::Switch, LegKind::Clearing, LegKind::Payout] {
        let (own, rest) = reads.into_iter().partition(|read| read.leg == leg);
        reads = rest;
        legs.push(one_leg(leg, own));
    }
    Ok(legs)
}

fn mark(reads: &mut [Read], breaks: &[BreakRow]) {
    // Whose account it should be stands in no leg; the break knows.
    if breaks.iter().any(|it| it.class == "PAYOUT_DIVERTED") {
        for read in reads.iter_mut() {
            let leg = read.leg;
            let payee = read.row.fields.iter_mut().filter(|field| concept(leg, &field.name) == Some(Concept::Payee));
            payee.for_each(|field| field.differs = true);
        }
    }
    let mut by_leg: Vec<(LegKind, Vec<&mut LegField>)> = Vec::new();
    for read in reads {
        let fields = read.row.fields.iter_mut();
        match by_leg.iter_mut().find(|(leg, _)| *leg == read.leg) {
            Some((_, all)) => all.extend(fields),
            None => by_leg.push((read.leg, fields.collect())),
        }
    }
    mark_differences(&mut by_leg);
}

fn one_leg(leg: LegKind, reads: Vec<Read>) -> Leg {
    let fields = || reads.iter().flat_map(|read| &read.row.fields);
    let first = |wanted: Concept| {
        fields().filter(|it| concept(leg, &it.name) == Some(wanted)).find_map(|it| comparable(wanted, &it.value))
    };
    // A payout's amount is no shared concept, but it is what the leg shows.
    let amount = || fields().find(|it| it.name == "amount_fen").and_then(|it| it.value.parse().ok());
    let (summary_zh, summary_en) = summary(leg, &reads);
    Leg {
        leg: leg.as_str().to_owned(),
        present: !reads.is_empty(),
        amount_minor: first(Concept::Amount).and_then(|fen| fen.parse().ok()).or_else(amount),
        merchant_code: first(Concept::Merchant),
        at: reads.iter().find_map(|read| read.row.at.clone()),
        summary_zh,
        summary_en,
        rows: reads.into_iter().map(|read| read.row).collect(),
    }
}

fn summary(leg: LegKind, reads: &[Read]) -> (String, String) {
    if reads.is_empty() {
        return ("没有记录。".to_owned(), "No record.".to_owned());
    }
    let n = reads.len();
    let value = |name: &str| {
        reads
            .iter()
            .flat_map(|read| &read.row.fields)
            .find(|it| it.name == name && !it.value.is_empty())
            .map(|it| it.value.as_str())
    };
    match leg {
        LegKind::Journal => {
            let (rc, slip) = (value("rc"), value("slip").is_some_and(|it| it == "Y"));
            let (zh, en) = if slip {
                ("已打印签购单", "a slip was printed")
            } else {
                ("未打印签购单", "no slip was printed")
            };
            match rc {
                Some(rc) => {
                    (format!("终端收到应答码 {rc}，{zh}。"), format!("The terminal got response code {rc}; {en}."))
                }
                None => (format!("终端没有应答码，{zh}。"), format!("The terminal got no response code; {en}.")),
            }
        }
        LegKind::Switch => messages(reads),
        LegKind::Clearing => {
            let day = value("settle_date").unwrap_or_default();
            let (zh, en) = if day.is_empty() {
                (String::new(), String::new())
            } else {
                (format!("，清算日 {day}"), format!(", settlement date {day}"))
            };
            (format!("{n} 条清算记录{zh}。"), format!("{n} clearing {}{en}.", if n == 1 { "line" } else { "lines" }))
        }
        LegKind::Payout | LegKind::Notice => {
            let (payee, day) = (value("payee_name").unwrap_or("–"), value("pay_date").unwrap_or("–"));
            let sum = value("amount_fen").and_then(|it| it.parse().ok()).map(yuan).unwrap_or_default();
            let items = value("items").unwrap_or("1");
            (
                format!("{day} 向 {payee} 出款 {sum} 元，共 {items} 笔合计。"),
                format!("{sum} yuan paid to {payee} on {day}, the sum of {items} items."),
            )
        }
    }
}

/// What crossed the wire. A reversal's request has an F39 of its own, so only a reply to the payment counts.
fn messages(reads: &[Read]) -> (String, String) {
    let value = |read: &Read, name: &str| read.row.fields.iter().find(|it| it.name == name).map(|it| it.value.clone());
    let mti = |read: &Read| value(read, "MTI").unwrap_or_default();
    let reply = reads.iter().filter(|read| mti(read) == "0210").find_map(|read| value(read, "F39"));
    // The gateway's journal has entries that are no messages.
    let n = reads.iter().filter(|read| !mti(read).is_empty()).count();
    let (mut zh, mut en) = match reply {
        Some(rc) => (format!("{n} 条报文，应答码 {rc}"), format!("{n} messages, response code {rc}")),
        None => (format!("{n} 条报文，没有应答"), format!("{n} messages, no reply")),
    };
    if reads.iter().any(|read| mti(read).starts_with("04")) {
        zh.push_str("，已发冲正");
        en.push_str(", reversal sent");
    }
    (zh + "。", en + ".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leg_rows::RowSource;

    fn message(mti: &str, rc: Option<&str>) -> Read {
        let field = |name: &str, value: &str| LegField {
            name: name.into(),
            zh: String::new(),
            en: String::new(),
            value: value.into(),
            differs: false,
        };
        let fields = std::iter::once(field("MTI", mti)).chain(rc.map(|rc| field("F39", rc))).collect();
        let source = RowSource { file_id: String::new(), file_name: String::new(), line: None, offset: 0, length: 0 };
        Read { leg: LegKind::Switch, at: None, row: LegRow { source, at: None, fields } }
    }

    #[test]
    fn the_reason_of_a_reversal_is_no_reply() {
        let table = [
            (vec![("0200", None), ("0210", Some("51"))], "2 messages, response code 51."),
            (vec![("0200", None), ("0400", Some("98")), ("0410", Some("00"))], "3 messages, no reply, reversal sent."),
            (vec![("0200", None)], "1 messages, no reply."),
        ];
        for (messages, expected) in table {
            let reads: Vec<Read> = messages.into_iter().map(|(mti, rc)| message(mti, rc)).collect();
            assert_eq!(summary(LegKind::Switch, &reads).1, expected);
        }
    }
}
