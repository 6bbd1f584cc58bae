//! Same pack, same facts, same verdict, for ever: the hashes below were written down once and may never change.
//! Where one does, verdicts that people hold can no longer be replayed: change the code back, not the hash.

use onus_liability::{Facts, Pack, PackFiles, decide, facts_sha256, judge, outcome_sha256, verdict_sha256};
use onus_model::ExceptionKind;

const PACK: &str = "102991f14cb3f786a35096a09ed16f82e247f9f5ab36105a622301aab194cbbc";

/// Facts beside those of the line, what is decided, and the hashes of facts, verdict and outcome.
struct Golden {
    overdue: Option<bool>,
    forwarded: bool,
    decided: &'static str,
    facts: &'static str,
    verdict: &'static str,
    outcome: &'static str,
}

const GOLDEN: [Golden; 3] = [
    Golden {
        overdue: None,
        forwarded: true,
        decided: r#"NET.UP confirmed line {"network":10000}"#,
        facts: "fdf5d5eea39c2119336c72ff7fa91ae6584050d08509aec13bc2c24288bd5c41",
        verdict: "3ce514200522a59e5c0d8d73e9f2118e21bce0b95589a34033e918adf31c4d6e",
        outcome: "77a9e4c96a39c1d87d999a25bf3066feaf09928c46f82a2f9500fe987c7c2b35",
    },
    Golden {
        overdue: Some(true),
        forwarded: true,
        decided: r#"NET.UP confirmed line-missed-inspection {"agent":3333,"network":6667}"#,
        facts: "184949d298b825003e21a621ca160a3a746d714ed1b96d20698f18031d4b18d7",
        verdict: "c4b9108079c46681bcf0e432f38a0160e1be649b7d721f8b8396720790d78527",
        outcome: "dc7e6a7866fb7f0d3a6ffc5785958e0a140eb55531ccbe2909402e86fdcc0283",
    },
    Golden {
        overdue: Some(false),
        forwarded: false,
        decided: "UNKNOWN possible unknown {}",
        facts: "3c5e8a4404426d1a2f0a69143e573a79c5aeea7e7a168562508a17d73afd31b2",
        verdict: "9d7f29ce2f2c9a0994fe716bf3959056bb7e15d5d5c7b600678b10c1bd5b4c6d",
        outcome: "39204152aaca004744a73d3c268c55815cc5ce1256218d39c766717eda5875d8",
    },
];

#[test]
fn verdicts_replay_for_ever() {
    let files =
        PackFiles { rules: include_str!("golden/rules.toml"), causes: include_str!("golden/causes.toml"), cases: "" };
    let pack = Pack::load(&files).unwrap();
    assert_eq!(pack.sha256, PACK);
    for golden in GOLDEN {
        let mut facts = Facts::default();
        facts.yes("wire.forwarded", golden.forwarded, "switch@1");
        facts.yes("wire.answered", false, "switch@1");
        facts.yes("episode.network_line", true, "measured:episode");
        if let Some(overdue) = golden.overdue {
            facts.yes("terminal.last_inspection_overdue", overdue, "register@7");
        }
        let verdict = decide(&pack, ExceptionKind::Reversed, &facts, 8_600).unwrap();
        let said = format!("{} {} {} {}", verdict.cause, verdict.status, verdict.rule_id, verdict.shares.to_json());
        let outcome = judge(&pack, Some(ExceptionKind::Reversed), &facts);
        let hashes =
            [facts_sha256(&facts), verdict_sha256(&pack, &facts, &verdict), outcome_sha256(&pack, &facts, &outcome)];
        assert_eq!(said, golden.decided);
        assert_eq!(hashes, [golden.facts, golden.verdict, golden.outcome], "{said}");
    }
}
