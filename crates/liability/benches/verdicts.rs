//! How long one verdict takes, and a million of them beside a draft pack.

use onus_liability::{Facts, Pack, RawValue, ShadowReport, compare, decide, judge, kind_of, prove};

fn main() {
    divan::main();
}

/// Facts as `worker` establishes them around one payment: a network line that loses answers, a diverted payout, a
/// chargeback without slip, a decline by the issuer.
fn exceptions() -> Vec<Facts> {
    let around = r#"
        "card.read" = true
        "card.pin_used" = false
        "card.stripe" = false
        "card.chip_data" = true
        "reply.long_text" = false
        "terminal.batch_defect" = false
        "terminal.presale_test_passed" = true
        "terminal.moved" = false
        "terminal.last_inspection_overdue" = false
        "terminal.outdated" = false
        "terminal.program_visit" = "none"
        "update.state" = "installed"
        "merchant.setup_error" = false
    "#;
    let kinds = [
        r#"kind = "K4"
        "wire.sent" = true
        "wire.forwarded" = true
        "wire.answered" = false
        "wire.replied" = false
        "reversal.terminal" = "confirmed"
        "reversal.sent_to_network" = true
        "reversal.confirmed_by_network" = true
        "episode.network_line" = true
        cleared = false"#,
        r#"kind = "K6"
        "wire.sent" = true
        "wire.approved" = true
        "break.merchant_swapped" = false
        "break.refund_diverted" = false
        "break.payout_diverted" = true
        "settlement.alteration_credentials_of" = "agent"
        "settlement.dual_control" = false
        cleared = true"#,
        r#"kind = "K8"
        "wire.approved" = true
        "dispute.reason" = "4527"
        "dispute.rule_broken" = "none"
        "slip.printed" = true
        "slip.state" = "missing"
        "slip.kept_by" = "merchant"
        cleared = true"#,
        r#"kind = "K2"
        "wire.sent" = true
        "wire.answered" = true
        "code.value" = "51"
        "code.written_by" = "network_side"
        cleared = false"#,
    ];
    kinds.iter().map(|kind| read(&format!("{around}\n{kind}"))).collect()
}

fn read(text: &str) -> Facts {
    let raw: std::collections::BTreeMap<String, RawValue> = toml::from_str(text).unwrap_or_default();
    Facts::read(&raw, "journal/journal_20260921.csv@182733").unwrap_or_default()
}

fn pack() -> Option<Pack> {
    Pack::builtin_cn().ok()
}

/// Diagnosis and verdict of four exceptions, words deferred.
#[divan::bench]
fn four_verdicts(bencher: divan::Bencher<'_, '_>) {
    let (Some(pack), facts) = (pack(), exceptions()) else { return };
    bencher
        .counter(divan::counter::ItemsCount::new(4_u32))
        .bench(|| facts.iter().map(|facts| judge(&pack, kind_of(facts), facts).shares.parts().len()).sum::<usize>());
}

/// The same four with all findings, reasons and words, as they are stored.
#[divan::bench]
fn four_verdicts_told(bencher: divan::Bencher<'_, '_>) {
    let (Some(pack), facts) = (pack(), exceptions()) else { return };
    bencher
        .counter(divan::counter::ItemsCount::new(4_u32))
        .bench(|| facts.iter().filter_map(|facts| decide(&pack, kind_of(facts)?, facts, 1).ok()).collect::<Vec<_>>());
}

/// The same four as proof trees.
#[divan::bench]
fn four_proofs(bencher: divan::Bencher<'_, '_>) {
    let (Some(pack), facts) = (pack(), exceptions()) else { return };
    bencher.counter(divan::counter::ItemsCount::new(4_u32)).bench(|| {
        facts.iter().map(|facts| prove(&pack, &judge(&pack, kind_of(facts), facts), facts)).collect::<Vec<_>>()
    });
}

/// A draft beside the live pack over a million exceptions on one core.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn shadow_run_of_a_million(bencher: divan::Bencher<'_, '_>) {
    let (Some(live), Some(draft), facts) = (pack(), pack(), exceptions()) else { return };
    bencher.counter(divan::counter::ItemsCount::new(1_000_000_u32)).bench(|| {
        let mut report = ShadowReport::default();
        for facts in facts.iter().cycle().take(1_000_000) {
            report.count(compare(&live, &draft, facts).as_ref(), 10_000);
        }
        report
    });
}

/// Loading a pack with all its proofs.
#[divan::bench(sample_count = 10)]
fn load_with_proofs() -> Option<Pack> {
    pack()
}
