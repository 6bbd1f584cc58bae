//! The rows of the small acquirer.

use onus_evidence::{SigningKey, Tree, leaf_hash};
use onus_model::LegKind;
use onus_store::cases::{CaseRow, ObligationRow};
use onus_store::episodes::EpisodeRow;
use onus_store::exceptions::ExceptionRow;
use onus_store::files::FileRow;
use onus_store::ledger::LedgerLineRow;
use onus_store::log::{CheckpointRow, LogEntryRow};
use onus_store::overview::TallyRow;
use onus_store::payments::PaymentRow;
use onus_store::refs::{ObservationRef, encode_refs};
use onus_store::registry::{AgentRow, MerchantRow, TerminalRow};
use onus_store::vault::Vault;
use onus_store::{StoreError, Tx, breaks, cases, episodes, exceptions, ledger, log, overview, payments, registry};
use serde_json::{Value, json};

use super::fixture::{DIVERTED, LATE, REVERSED, T, at};

const JOURNAL: &str = "date,time,seq,tid,serial,merchant_code,txn,batch,stan,pan_masked,amount_fen,entry_mode,pin,rc,text,slip,reversal,ref_no,app_version\n\
    2026-09-21,10:20:30,11,29000001,SN1,M001,SALE,1,11,999906*********9821,120000,51,Y,00,OK,Y,NONE,900000000011,3.1\n";
const CLEARING: &str = "settle_date,trade_code,network_stan,transmission_time,pan_masked,amount_fen,mcc,ref_no,card_type,merchant_code,tid,fee_fen,net_fen,sign\n\
    2026-09-21,S22,500011,0921102031,999906*********9821,120000,5812,900000000011,debit,SHELL01,29000001,600,119400,C\n";
const PAYOUT: &str = "payout_id,settle_date,pay_date,merchant_code,payee_account,payee_name,amount_fen,fee_fen,items,status,value_time\n\
    PO1,2026-09-21,2026-09-22,SHELL01,6200000000,空壳商行,500000,2500,4,paid,2026-09-22T09:00:00+08:00\n";
const BINS: &str = "bin,issuer_code,issuer_name\n999906,B06,示例银行\n";

/// Seals the files and gives the references of the diverted payment.
pub(super) fn seal_files(vault: &Vault) -> (Vec<FileRow>, Vec<u8>) {
    let contents = [
        ("journal_20260921.csv", "journal", JOURNAL, LegKind::Journal),
        ("clearing_20260921.csv", "clearing-csv", CLEARING, LegKind::Clearing),
        ("payout_20260922.csv", "payout", PAYOUT, LegKind::Payout),
        ("bin_table.csv", "bin_table", BINS, LegKind::Notice),
    ];
    let (mut files, mut refs) = (Vec::new(), Vec::new());
    for (i, (name, kind, content, leg)) in contents.into_iter().enumerate() {
        let mut writer = vault.seal().unwrap();
        writer.write(content.as_bytes()).unwrap();
        let sealed = writer.finish().unwrap();
        let seq = u32::try_from(i).unwrap() + 1;
        let start = content.find('\n').unwrap() + 1;
        refs.push(ObservationRef {
            file_seq: seq,
            offset: start as u64,
            len: (content.len() - start) as u32,
            leg: leg.number(),
        });
        files.push(FileRow {
            id: format!("{seq:064}"),
            seq: seq.into(),
            name: name.into(),
            kind: kind.into(),
            rows_total: 1,
            rows_accepted: 1,
            sealed_path: sealed.path,
            ..FileRow::default()
        });
    }
    (files, encode_refs(&refs))
}

pub(super) fn put_registry(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let agent = |code: &str, parent: Option<&str>, level| AgentRow {
        code: code.into(),
        parent_code: parent.map(Into::into),
        level,
        name: format!("代理 {code}"),
        ..AgentRow::default()
    };
    registry::put_agents(tx, T, &[agent("A01", None, 1), agent("A0101", Some("A01"), 2), agent("A02", None, 1)])?;
    let merchant = |code: &str, agent: &str| MerchantRow {
        code: code.into(),
        name: format!("商户{code}"),
        agent_code: agent.into(),
        ..MerchantRow::default()
    };
    registry::put_merchants(tx, T, &[merchant("M001", "A0101"), merchant("M002", "A02")])?;
    let terminal = |tid: &str, merchant: &str, agent: &str, reason: &str| TerminalRow {
        serial: format!("SN{tid}"),
        tid: tid.into(),
        merchant_code: merchant.into(),
        agent_code: agent.into(),
        app_version: "3.1".into(),
        state: "suspect".into(),
        state_reason: reason.into(),
        ..TerminalRow::default()
    };
    let reason = r#"[{"code":"tamper","zh":"程序被改","en":"program changed"}]"#;
    registry::put_terminals(
        tx,
        T,
        &[terminal("29000001", "M001", "A0101", reason), terminal("29000002", "M002", "A02", "[]")],
    )?;
    Ok(())
}

fn payment(id: &str, time: &str, agent: &str, kinds: &str, refs: &[u8]) -> PaymentRow {
    PaymentRow {
        id: id.into(),
        started_at: at(time),
        tid: id[11..19].into(),
        merchant_code: if agent == "A02" { "M002".into() } else { "M001".into() },
        agent_code: agent.into(),
        city: "长沙".into(),
        amount_minor: 120_000,
        issuer: "B06".into(),
        pan_masked: "999906*********9821".into(),
        outcome: "approved".into(),
        kinds: kinds.into(),
        refs: refs.to_vec(),
        ..PaymentRow::default()
    }
}

pub(super) fn put_payments(tx: &mut Tx<'_>, refs: &[u8]) -> Result<(), StoreError> {
    let rows = [
        payment(DIVERTED, "2026-09-21T10:20:30+08:00", "A0101", "K6", refs),
        payment(REVERSED, "2026-09-21T11:00:00+08:00", "A02", "K4", &[]),
        payment(LATE, "2026-09-21T12:00:00+08:00", "A0101", "K7", &[]),
    ];
    payments::put(tx, T, &rows)?;
    let tally = |kind: &str, cause: &str, outward: &str, agent: &str, n, loss| TallyRow {
        hour_at: at("2026-09-21T10:00:00+08:00"),
        agent_code: agent.into(),
        city: "长沙".into(),
        kind: kind.into(),
        cause: cause.into(),
        outward: outward.into(),
        payments: n,
        amount_minor: n * 120_000,
        loss_minor: loss,
    };
    overview::put_tallies(
        tx,
        T,
        &[
            tally("", "", "", "A0101", 2, 0),
            tally("", "", "", "A02", 1, 0),
            tally("K6", "TAMPER.AGENT", "acquirer", "A0101", 1, 120_000),
            tally("K4", "NET.UP", "", "A02", 1, 0),
        ],
    )?;
    episodes::put(
        tx,
        T,
        &[EpisodeRow {
            id: "E1".into(),
            cause: "NET.UP".into(),
            status: "confirmed".into(),
            started_at: at("2026-09-21T11:00:00+08:00"),
            scope: r#"{"network_link":["211"]}"#.into(),
            payments: 1,
            amount_minor: 120_000,
            title_zh: "十堰线路中断".into(),
            title_en: "Shiyan line down".into(),
            body: r#"{"signals":[{"zh":"超时","en":"timeouts"}],"excluded":[],"exposure":{"A02":[1,120000]}}"#.into(),
            ..EpisodeRow::default()
        }],
    )?;
    Ok(())
}

fn verdict_body(payment: &str, kind: &str) -> Value {
    json!({
        "type": "verdict", "payment": payment, "kind": kind, "revision": 1, "rule_title": {"zh": "篡改", "en": "Tampering"},
        "pack": {"id": "cn-default", "version": "1", "sha256": "ab"},
        "findings": [{"cause": "TAMPER.AGENT", "status": "probable", "facts": [{"name": "program_known", "value": false, "source": "measured:program"}]}],
        "reasons": [{"rule_id": "r1", "text": {"zh": "理由", "en": "reason"}, "ground": {"text": {"zh": "依据", "en": "ground"}, "source": "合同", "grade": "P"},
            "facts": [{"name": "merchant_differs", "value": true, "zh": "商户不同", "en": "merchant differs", "source": "journal_20260921.csv@147"}]}],
        "would_change": [{"fact": "custody", "text": {"zh": "保管记录", "en": "custody record"}}],
        "agent": {"basis": "own_fault", "text": {"zh": "自身过错", "en": "own fault"}},
        "obligations": [{"duty": "pay_merchant", "owner": "acquirer", "within": "2wd", "text": {"zh": "赔付商户", "en": "pay the merchant"}}],
    })
}

pub(super) fn put_decisions(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let verdicts = [
        (DIVERTED, "K6", "A0101", "TAMPER.AGENT", "acquirer", 120_000, ""),
        (REVERSED, "K4", "A02", "NET.UP", "", 0, "E1"),
        (LATE, "K7", "A0101", "ACQ.SETTLE", "acquirer", 0, ""),
    ];
    let mut tree = Tree::empty();
    for (index, (payment_id, kind, agent, cause, outward, loss_minor, episode)) in (0i64..).zip(verdicts) {
        let mut body = serde_json::to_vec(&verdict_body(payment_id, kind)).unwrap();
        let leaf = leaf_hash(&body);
        tree.append(leaf);
        if payment_id == LATE {
            body = serde_json::to_vec(&verdict_body("somebody else's", kind)).unwrap(); // altered after it was logged
        }
        log::append(tx, T, &[LogEntryRow { idx: index, leaf_hash: leaf.as_bytes().to_vec(), body }])?;
        exceptions::put(
            tx,
            T,
            &[ExceptionRow {
                payment_id: payment_id.into(),
                kind: kind.into(),
                started_at: at("2026-09-21T10:20:30+08:00"),
                tid: payment_id[11..19].into(),
                agent_code: agent.into(),
                cause: cause.into(),
                status: "probable".into(),
                outward: outward.into(),
                shares: r#"{"agent":10000}"#.into(),
                loss_minor,
                episode_id: episode.into(),
                entry_index: index,
                revision: 1,
                ..ExceptionRow::default()
            }],
        )?;
    }
    let key = SigningKey::from_seed("onus.test/log", [7; 32]).unwrap();
    let root = tree.root();
    log::add_checkpoint(
        tx,
        T,
        &CheckpointRow {
            size: 3,
            root: root.as_bytes().to_vec(),
            note: key.sign_head(3, root),
            signed_at: at("2026-09-22T00:00:00+08:00"),
        },
    )?;
    put_case(tx)
}

fn put_case(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let (id, due_at) = (format!("{DIVERTED}.K6"), at("2026-09-23T00:00:00+08:00"));
    cases::put(
        tx,
        T,
        &[CaseRow {
            id: id.clone(),
            payment_id: DIVERTED.into(),
            kind: "K6".into(),
            agent_code: "A0101".into(),
            state: "open".into(),
            due_at,
            loss_minor: 120_000,
            ..CaseRow::default()
        }],
    )?;
    cases::put_obligations(
        tx,
        T,
        &[ObligationRow {
            case_id: id.clone(),
            seq: 1,
            duty: "pay_merchant".into(),
            owner: "acquirer".into(),
            due_at,
            amount_minor: 120_000,
            state: "open".into(),
            automation: "automatic".into(),
            ..ObligationRow::default()
        }],
    )?;
    let line = |line, amount_minor| LedgerLineRow {
        journal_id: format!("{id}.1"),
        line,
        account: "receivable".into(),
        party: "agent".into(),
        amount_minor,
        ..LedgerLineRow::default()
    };
    ledger::insert(tx, T, &[line(1, 120_000), line(2, -120_000)])?;
    breaks::put(
        tx,
        T,
        &[breaks::BreakRow {
            payment_id: DIVERTED.into(),
            class: "MERCHANT_SWAPPED".into(),
            coarse: "MERCHANT_SWITCH".into(),
            first_party: "agent".into(),
            ..breaks::BreakRow::default()
        }],
    )?;
    Ok(())
}
