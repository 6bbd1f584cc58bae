//! Card numbers where none should be: the copy that is kept has their ends only, in as many bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

mod gathered;

use gathered::read;
use onus_intake::FileKind;

const PAN: &str = "9999056837006697";
const MASKED: &str = "999905******6697";

#[test]
fn card_numbers_go_wherever_they_stand() {
    let journal = "date,time,seq,tid,serial,merchant_code,txn,batch,stan,pan_masked,amount_fen,entry_mode,pin,rc,text,slip,reversal,ref_no,auth_code,app_version";
    let slips = "asked_at,tid,merchant_code,stan,ref_no,pan_masked,amount_fen,kept_by,result,image_sha256,remark";
    let notices = "received_at,from,institution,text,standing";
    let table = [
        (
            "its own column",
            FileKind::Journal,
            format!(
                "{journal}\n2026-09-21,06:00:26,1,52106149,S1,899521054110016,SALE,000400,631714,{PAN},9100,051,Y,00,ok,Y,NONE,626406438169,200868,3.0.7\n"
            ),
        ),
        (
            "the text on the screen",
            FileKind::Journal,
            format!(
                "{journal}\n2026-09-21,06:00:26,1,52106149,S1,899521054110016,SALE,000400,631714,999905******6697,9100,051,Y,00,card {PAN},Y,NONE,626406438169,200868,3.0.7\n"
            ),
        ),
        (
            "its own column and the text",
            FileKind::Journal,
            format!(
                "{journal}\n2026-09-21,06:00:26,1,52106149,S1,899521054110016,SALE,000400,631714,{PAN},9100,051,Y,00,{PAN} twice {PAN},Y,NONE,626406438169,200868,3.0.7\n"
            ),
        ),
        (
            "a remark in quotes",
            FileKind::Slips,
            format!(
                "{slips}\n2026-09-24,52304374,899523056510006,553345,626412313014,999904*********2945,12600,merchant,retrieved,2e6c,\"card, {PAN}\"\n"
            ),
        ),
        (
            "a statement",
            FileKind::Notices,
            format!("{notices}\n2026-09-21T16:05:00+08:00,network,00010000,card {PAN} was lost,unconfirmed\n"),
        ),
        ("a refused row", FileKind::Notices, format!("{notices}\nyesterday {PAN},network,00010000,lost,unconfirmed\n")),
        ("a row of the wrong width", FileKind::Notices, format!("{notices}\n{PAN}\n")),
        (
            "a file without a header",
            FileKind::Notices,
            format!("2026-09-21T16:05:00+08:00,network,00010000,card {PAN},unconfirmed\n"),
        ),
        (
            "a line cut short",
            FileKind::Notices,
            format!("{notices}\n2026-09-21T16:05:00+08:00,network,00010000,card {PAN}"),
        ),
        (
            "the words of a claim",
            FileKind::Claims,
            format!(
                "{{\"claim_id\":\"C1\",\"received_at\":\"2026-09-22T10:30:57+08:00\",\"claimant\":\"merchant\",\"text\":\"card {PAN}\"}}\n"
            ),
        ),
        (
            "a member that no one knows",
            FileKind::Claims,
            format!(
                "{{\"card\":\"{PAN}\",\"claim_id\":\"C1\",\"received_at\":\"2026-09-22T10:30:57+08:00\",\"claimant\":\"merchant\",\"text\":\"x\"}}\n"
            ),
        ),
        ("a claim that does not read", FileKind::Claims, format!("{{\"claim_id\":\"C1\",\"amount_fen\":\"{PAN}\"}}\n")),
        ("no ZM line", FileKind::ClearingZm, format!("S22 {PAN}\n")),
    ];
    for (place, kind, text) in table {
        let found = read(kind, text.as_bytes());
        let kept = String::from_utf8(found.kept).unwrap();
        assert_eq!(kept, text.replace(PAN, MASKED), "{place}");
        assert!(
            found.rejects.iter().all(|reject| !reject.error.to_string().contains(PAN)),
            "{place}: {:?}",
            found.rejects
        );
    }
}

#[test]
fn other_long_numbers_stay_in_rows_that_read() {
    // Both pass the Luhn check of card numbers.
    let header = "payout_id,settle_date,pay_date,payer_name,payer_account,merchant_code,payee_account,payee_name,payee_bank,amount_fen,fee_fen,items,batch_ref,status,value_time";
    let payout = format!(
        "{header}\nPO1,2026-09-21,2026-09-25,p,{PAN},899521057320006,{PAN},n,b,2435108,13744,15,B1,paid,2026-09-25T09:13:31+08:00\n"
    );
    let found = read(FileKind::Payout, payout.as_bytes());
    assert_eq!((found.rows.len(), found.kept), (1, payout.into_bytes()), "an account is not a card");
}
