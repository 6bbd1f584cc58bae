//! A small acquirer: agents A1 > A2 > A3 and B1, and a second tenant with the same codes.

use onus_store::audit::AuditRow;
use onus_store::breaks::BreakRow;
use onus_store::cases::{CaseRow, ObligationRow};
use onus_store::episodes::EpisodeRow;
use onus_store::exceptions::ExceptionRow;
use onus_store::files::{FileRow, RejectRow};
use onus_store::ledger::LedgerLineRow;
use onus_store::log::{CheckpointRow, LogEntryRow};
use onus_store::overview::TallyRow;
use onus_store::payments::PaymentRow;
use onus_store::refs::{ObservationRef, encode_refs};
use onus_store::registry::{AgentRow, MerchantRow, TerminalRow};
use onus_store::users::UserRow;
use onus_store::{StoreError, Tx};
use onus_store::{audit, breaks, cases, episodes, exceptions, files, ledger, log, overview, payments, registry, users};

use crate::Db;

pub(crate) const TENANTS: [&str; 2] = ["bank", "other"];
pub(crate) const N_PAYMENTS: i64 = 60;
pub(crate) const HOUR: i64 = 3_600_000_000;
/// Obligations of cases of the first thirty payments are due before it.
pub(crate) const NOW: i64 = 2 * HOUR;

/// Agents of payments, in turn; the last are payments of no agent.
const OWNERS: [&str; 5] = ["A1", "A2", "A3", "B1", ""];

pub(crate) fn owner(i: i64) -> &'static str {
    OWNERS[i as usize % OWNERS.len()]
}

/// Every third payment has an exception; every twelfth of them two.
pub(crate) fn kinds(i: i64) -> &'static [&'static str] {
    match i % 12 {
        0 => &["K7", "K8"],
        3 | 6 | 9 => &["K4"],
        _ => &[],
    }
}

pub(crate) fn payment_id(i: i64) -> String {
    format!("20260921.T{:07}.1.{i:06}", i % 6)
}

/// Groups of four payments begin at the same moment, so that pages must tell them apart.
pub(crate) fn started_at(i: i64) -> i64 {
    i / 4 * (HOUR / 5)
}

pub(crate) fn fill(db: &Db) {
    for tenant in TENANTS {
        db.store.write(|tx| fill_tenant(tx, tenant)).unwrap();
    }
}

fn fill_tenant(tx: &mut Tx<'_>, tenant: &str) -> Result<(), StoreError> {
    registry::put_agents(tx, tenant, &agents())?;
    registry::put_merchants(tx, tenant, &merchants())?;
    registry::put_terminals(tx, tenant, &terminals())?;
    files::insert(tx, tenant, &source_files())?;
    files::insert_rejects(tx, tenant, &rejects())?;
    payments::put(tx, tenant, &(0..N_PAYMENTS).map(payment).collect::<Vec<_>>())?;
    exceptions::put(tx, tenant, &all_exceptions())?;
    breaks::put(tx, tenant, &all_breaks())?;
    episodes::put(tx, tenant, &[episode("E1", 12), episode("E2", 40), episode("E3", 7)])?;
    overview::put_tallies(tx, tenant, &tallies())?;
    let cases = all_cases();
    cases::put(tx, tenant, &cases)?;
    cases::put_obligations(tx, tenant, &cases.iter().flat_map(obligations).collect::<Vec<_>>())?;
    ledger::insert(tx, tenant, &cases.iter().flat_map(ledger_lines).collect::<Vec<_>>())?;
    let entries: Vec<LogEntryRow> = (0..all_exceptions().len() as i64 + 5).map(log_entry).collect();
    log::append(tx, tenant, &entries)?;
    for size in [10, entries.len() as i64] {
        let checkpoint =
            CheckpointRow { size, root: vec![size as u8; 32], note: format!("{tenant} {size}"), signed_at: size };
        log::add_checkpoint(tx, tenant, &checkpoint)?;
    }
    let user = UserRow {
        id: format!("{tenant}-u"),
        username: format!("{tenant}-admin"),
        role: "administrator".into(),
        ..UserRow::default()
    };
    users::insert(tx, tenant, &user)?;
    let acts = (0..9).map(|i| AuditRow {
        id: format!("{tenant}{i}"),
        at: i / 2,
        actor: "admin".into(),
        ..AuditRow::default()
    });
    audit::append(tx, tenant, &acts.collect::<Vec<_>>())?;
    Ok(())
}

fn agents() -> Vec<AgentRow> {
    [("A1", None, 1), ("A2", Some("A1"), 2), ("A3", Some("A2"), 3), ("B1", None, 1)]
        .map(|(code, parent, level)| AgentRow {
            code: code.into(),
            parent_code: parent.map(str::to_owned),
            level,
            name: format!("Agent {code}"),
            recourse_share_bp: 4000,
            ..AgentRow::default()
        })
        .to_vec()
}

fn merchants() -> Vec<MerchantRow> {
    (0..5)
        .map(|i| MerchantRow {
            code: format!("M{i}"),
            name: format!("热干面 Noodles_{i}"),
            agent_code: owner(i).into(),
            ..MerchantRow::default()
        })
        .collect()
}

fn terminals() -> Vec<TerminalRow> {
    (0..6)
        .map(|i| TerminalRow {
            serial: format!("S{i}"),
            tid: format!("T{i:07}"),
            merchant_code: format!("M{}", i % 5),
            agent_code: owner(i).into(),
            app_version: "1.4.2".into(),
            state: if i == 1 { "quarantined" } else { "active" }.into(),
            state_reason: "[]".into(),
            state_since: (i == 1).then_some(5),
            ..TerminalRow::default()
        })
        .collect()
}

fn source_files() -> Vec<FileRow> {
    [(1, "journal"), (2, "switch"), (3, "clearing-zm")]
        .map(|(seq, kind)| FileRow {
            id: format!("{seq:064}"),
            seq,
            name: format!("{kind}.dat"),
            kind: kind.into(),
            rows_total: 100,
            rows_accepted: 93,
            rows_rejected: 7,
            ..FileRow::default()
        })
        .to_vec()
}

fn rejects() -> Vec<RejectRow> {
    (0..14)
        .map(|i| RejectRow {
            file_id: format!("{:064}", 2 - i / 7),
            seq: i % 7,
            line: (i % 2 == 0).then_some(i),
            code: "R1203".into(),
            ..RejectRow::default()
        })
        .collect()
}

pub(crate) fn payment(i: i64) -> PaymentRow {
    PaymentRow {
        id: payment_id(i),
        started_at: started_at(i),
        tid: format!("T{:07}", i % 6),
        merchant_code: format!("M{}", i % 5),
        agent_code: owner(i).into(),
        city: if i % 2 == 0 { "长沙" } else { "十堰" }.into(),
        amount_minor: 100 * (i + 1),
        pan_masked: format!("622848******{:04}", i % 10),
        rrn: format!("{i:012}"),
        outcome: "approved".into(),
        kinds: kinds(i).join(","),
        refs: encode_refs(&refs(i)),
        ..PaymentRow::default()
    }
}

pub(crate) fn refs(i: i64) -> Vec<ObservationRef> {
    [1, 3].map(|file_seq| ObservationRef { file_seq, offset: i as u64 * 180, len: 180, leg: file_seq as u8 }).to_vec()
}

fn all_exceptions() -> Vec<ExceptionRow> {
    let mut rows = Vec::new();
    for i in 0..N_PAYMENTS {
        for kind in kinds(i) {
            let payment = payment(i);
            rows.push(ExceptionRow {
                payment_id: payment.id,
                kind: (*kind).into(),
                started_at: payment.started_at,
                tid: payment.tid,
                merchant_code: payment.merchant_code,
                agent_code: payment.agent_code,
                city: payment.city,
                amount_minor: payment.amount_minor,
                cause: if *kind == "K4" { "link_down" } else { "terminal_fault" }.into(),
                status: "confirmed".into(),
                outward: "acquirer".into(),
                shares: r#"{"agent":2500,"acquirer":7500}"#.into(),
                loss_minor: payment.amount_minor,
                episode_id: if *kind == "K4" { format!("E{}", 1 + i % 2) } else { String::new() },
                entry_index: rows.len() as i64,
                revision: 1,
                ..ExceptionRow::default()
            });
        }
    }
    rows
}

/// Breaks of the payments with exceptions, and one that belongs to no payment.
fn all_breaks() -> Vec<BreakRow> {
    let with_kinds = (0..N_PAYMENTS).filter(|&i| !kinds(i).is_empty()).map(payment_id);
    with_kinds
        .chain(["20260921.clearing.7".into()])
        .enumerate()
        .map(|(n, payment_id)| BreakRow {
            payment_id,
            class: format!("D{}", n % 3),
            coarse: "missing".into(),
            difference_minor: -5,
            ..BreakRow::default()
        })
        .collect()
}

fn episode(id: &str, payments: i64) -> EpisodeRow {
    EpisodeRow {
        id: id.into(),
        cause: "link_down".into(),
        scope: r#"{"agent":["A1","B1"]}"#.into(),
        payments,
        amount_minor: payments * 100,
        title_en: format!("Episode {id}"),
        body: r#"{"signals":["B1"]}"#.into(),
        ..EpisodeRow::default()
    }
}

/// The cells that the payments and exceptions above add up to.
fn tallies() -> Vec<TallyRow> {
    let mut cells = std::collections::BTreeMap::<_, TallyRow>::new();
    let mut add = |payment: &PaymentRow, kind: &str, cause: &str, outward: &str, loss_minor: i64| {
        let hour_at = payment.started_at / HOUR * HOUR;
        let key = (hour_at, payment.agent_code.clone(), payment.city.clone(), kind.to_owned());
        let cell = cells.entry(key).or_insert_with(|| TallyRow {
            hour_at,
            agent_code: payment.agent_code.clone(),
            city: payment.city.clone(),
            kind: kind.into(),
            cause: cause.into(),
            outward: outward.into(),
            ..TallyRow::default()
        });
        cell.payments += 1;
        cell.amount_minor += payment.amount_minor;
        cell.loss_minor += loss_minor;
    };
    for i in 0..N_PAYMENTS {
        add(&payment(i), "", "", "", 0);
    }
    for it in all_exceptions() {
        let i = it.amount_minor / 100 - 1;
        add(&payment(i), &it.kind, &it.cause, &it.outward, it.loss_minor);
    }
    cells.into_values().collect()
}

fn all_cases() -> Vec<CaseRow> {
    all_exceptions()
        .into_iter()
        .map(|it| CaseRow {
            id: format!("{}.{}", it.payment_id, it.kind),
            payment_id: it.payment_id,
            kind: it.kind,
            agent_code: it.agent_code,
            state: if it.amount_minor > 4000 { "closed" } else { "open" }.into(),
            opened_at: it.started_at,
            due_at: it.started_at + HOUR / 2,
            outward: it.outward,
            loss_minor: it.loss_minor,
            revision: 1,
        })
        .collect()
}

fn obligations(case: &CaseRow) -> Vec<ObligationRow> {
    ["refund_user", "answer_user"]
        .iter()
        .zip(1..)
        .map(|(duty, seq)| ObligationRow {
            case_id: case.id.clone(),
            seq,
            duty: (*duty).into(),
            owner: "acquirer".into(),
            due_at: case.due_at,
            amount_minor: case.loss_minor,
            state: if case.state == "closed" || seq == 2 { "done" } else { "open" }.into(),
            automation: "automatic".into(),
            ..ObligationRow::default()
        })
        .collect()
}

fn ledger_lines(case: &CaseRow) -> Vec<LedgerLineRow> {
    [(1, "losses", case.loss_minor), (2, "payable", -case.loss_minor)]
        .map(|(line, account, amount_minor)| LedgerLineRow {
            journal_id: format!("{}.1", case.id),
            line,
            account: account.into(),
            party: "acquirer".into(),
            amount_minor,
            booked_at: case.opened_at,
            ..LedgerLineRow::default()
        })
        .to_vec()
}

fn log_entry(idx: i64) -> LogEntryRow {
    LogEntryRow { idx, leaf_hash: vec![idx as u8; 32], body: format!("{{\"entry\":{idx}}}").into_bytes() }
}
