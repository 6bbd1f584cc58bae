//! How open payments are followed, as configuration.

use serde::{Deserialize, Serialize};

use crate::small_text::SmallText;

/// What a host's answer to a reversal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// Reversed, if the host knew the original; many hosts answer the same when they did not.
    Done,
    /// Already reversed, or in no state to be reversed.
    Already,
    /// The original had failed.
    OriginalFailed,
    /// Refused for good.
    Refused,
    /// Not now: try again.
    Again,
}

/// The meaning of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReversalCode {
    /// Response code.
    pub code: SmallText<2>,
    /// What it says.
    pub meaning: Meaning,
}

/// How open payments are followed. Every value has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FollowPolicy {
    /// Milliseconds that the host has for a reply; 60,000.
    pub host_timeout_ms: u32,
    /// Milliseconds after that, or after an approval that could not be delivered, in which the terminal may send its
    /// own reversal before a stored one is sent; 10,000.
    pub grace_ms: u32,
    /// Milliseconds that the host has to answer a reversal; 30,000.
    pub reversal_timeout_ms: u32,
    /// Milliseconds between an attempt that failed and the next; 30,000.
    pub retry_ms: u32,
    /// Stored reversals sent for one payment at most; 3. 0: none is ever sent.
    pub attempts: u8,
    /// Milliseconds that an uncertain end is kept in view for a late reply or other word; 600,000.
    pub linger_ms: u32,
    /// Milliseconds in which the gateway must say whether a released reply was delivered; 10,000.
    pub delivery_ms: u32,
    /// Seconds after which a payment whose reversal cannot even be sent (no host to send it to) is given up; 86,400.
    pub give_up_s: u32,
    /// A late reply is given to a terminal that is still connected and whose reversal has not begun; true.
    pub release_late: bool,
    /// After a first 00 for a payment that the host may never have seen, ask once more: a host that answers 00 to what
    /// it does not know and "already reversed" to what it reversed tells the two apart; false.
    pub ask_again: bool,
    /// Payments followed at once at most; 200,000 (about 50 MB).
    pub most_open: u32,
    /// Codes that approve; 00 10 11 16 A2 A4 A5 A6. What is not here is a refusal.
    pub approvals: Vec<SmallText<2>>,
    /// What answers to reversals mean: 00 done; 25 already; 01 original-failed; 03 12 13 14 30 64 97 refused. Any other
    /// code: again.
    pub reversal_codes: Vec<ReversalCode>,
}

impl Default for FollowPolicy {
    fn default() -> FollowPolicy {
        let codes = |codes: &[&str]| codes.iter().filter_map(|code| SmallText::new(code.as_bytes())).collect();
        let meaning = |code: &str, meaning| Some(ReversalCode { code: SmallText::new(code.as_bytes())?, meaning });
        let refused = ["03", "12", "13", "14", "30", "64", "97"];
        let reversal_codes = [("00", Meaning::Done), ("25", Meaning::Already), ("01", Meaning::OriginalFailed)]
            .into_iter()
            .chain(refused.map(|code| (code, Meaning::Refused)));
        FollowPolicy {
            host_timeout_ms: 60_000,
            grace_ms: 10_000,
            reversal_timeout_ms: 30_000,
            retry_ms: 30_000,
            attempts: 3,
            linger_ms: 600_000,
            delivery_ms: 10_000,
            give_up_s: 86_400,
            release_late: true,
            ask_again: false,
            most_open: 200_000,
            approvals: codes(&["00", "10", "11", "16", "A2", "A4", "A5", "A6"]),
            reversal_codes: reversal_codes.filter_map(|(code, says)| meaning(code, says)).collect(),
        }
    }
}

impl FollowPolicy {
    /// Whether a code approves.
    #[must_use]
    pub fn approves(&self, code: [u8; 2]) -> bool {
        self.approvals.iter().any(|approval| approval.as_bytes() == code)
    }

    /// What an answer to a reversal says.
    #[must_use]
    pub fn meaning(&self, code: [u8; 2]) -> Meaning {
        let found = self.reversal_codes.iter().find(|row| row.code.as_bytes() == code);
        found.map_or(Meaning::Again, |row| row.meaning)
    }
}
