//! Seeded faults of a peer, read from a TOML file or set by a test.
//!
//! ```toml
//! seed = 7
//! latency_ms = [2, 30]            # every answer takes this long: from, to
//!
//! [[fault]]                       # the first fault that fits a message and whose dice hit is played
//! kind = "silence"
//! share = 0.01                    # of the messages that fit
//! on = ["sale", "void"]           # absent: payments (sale, void, refund)
//! below_minor = 50000             # only amounts below this
//! no_pin = true                   # only payments without PIN
//! terminals = "9000"              # only terminals whose number starts so
//!
//! [[fault]]
//! kind = "decline"
//! share = 0.05
//! codes = [["51", 6], ["55", 3], ["61", 1]]   # code and weight
//!
//! [[fault]]
//! kind = "network-timeout"        # the host waits in vain for the network
//! share = 0.02
//! after_ms = 1500
//! then = "close"                  # close | answer-98 | answer-98-then-close | silence
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::message::Kind;
use crate::random::Random;

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The answer comes `after_ms` later than usual.
    Delay,
    /// The same, with a delay that is meant to be longer than the terminal waits.
    Late,
    /// The request is worked on, its answer is lost.
    Silence,
    /// The request is lost before it is worked on.
    Lost,
    /// The request is worked on, then the connection is closed without answer.
    Close,
    /// The answer comes `copies` times more.
    Duplicate,
    /// A frame of random bytes comes before the answer.
    Garbage,
    /// Random bytes that do not even keep the length prefix come instead of the answer.
    Noise,
    /// A well-formed answer to a trace number that nobody asked about comes before the answer.
    Stray,
    /// The answer has a wrong MAC.
    WrongMac,
    /// The answer is cut in the middle and the connection closed.
    Cut,
    /// The answer comes in two pieces.
    Split,
    /// The payment is declined with one of `codes`.
    Decline,
    /// The host waits `after_ms` for the network in vain and then does what `then` says.
    NetworkTimeout,
}

impl FaultKind {
    /// The name in fault files and accounts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Delay => "delay",
            FaultKind::Late => "late",
            FaultKind::Silence => "silence",
            FaultKind::Lost => "lost",
            FaultKind::Close => "close",
            FaultKind::Duplicate => "duplicate",
            FaultKind::Garbage => "garbage",
            FaultKind::Noise => "noise",
            FaultKind::Stray => "stray",
            FaultKind::WrongMac => "wrong-mac",
            FaultKind::Cut => "cut",
            FaultKind::Split => "split",
            FaultKind::Decline => "decline",
            FaultKind::NetworkTimeout => "network-timeout",
        }
    }
}

/// What a host does when the network did not answer in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnTimeout {
    /// It notes 98 for itself and closes without answer.
    #[default]
    Close,
    /// It answers 98.
    #[serde(rename = "answer-98")]
    Answer98,
    /// It answers 98 and closes.
    #[serde(rename = "answer-98-then-close")]
    Answer98ThenClose,
    /// It notes 98 for itself and says nothing.
    Silence,
}

/// One fault and when it is played.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What it does.
    pub kind: FaultKind,
    /// Share of the messages that fit, 0 to 1.
    #[serde(default = "always")]
    pub share: f64,
    /// Kinds of message that fit; none given: payments.
    #[serde(default)]
    pub on: Vec<Kind>,
    /// Only amounts below this.
    pub below_minor: Option<u64>,
    /// Only payments without PIN.
    #[serde(default)]
    pub no_pin: bool,
    /// Only terminals whose number starts so.
    #[serde(default)]
    pub terminals: String,
    /// How much later, for delays and timeouts.
    #[serde(default)]
    pub after_ms: u64,
    /// How many answers more, for duplicates.
    #[serde(default = "one")]
    pub copies: u32,
    /// Codes and their weights, for declines.
    #[serde(default)]
    pub codes: Vec<(String, u32)>,
    /// What follows a network timeout.
    #[serde(default)]
    pub then: OnTimeout,
}

fn always() -> f64 {
    1.0
}

fn one() -> u32 {
    1
}

impl Fault {
    /// A fault that is played on every payment.
    #[must_use]
    pub fn always(kind: FaultKind) -> Fault {
        Fault {
            kind,
            share: 1.0,
            on: Vec::new(),
            below_minor: None,
            no_pin: false,
            terminals: String::new(),
            after_ms: 0,
            copies: 1,
            codes: Vec::new(),
            then: OnTimeout::default(),
        }
    }

    /// The same for a share of the messages.
    #[must_use]
    pub fn share(self, share: f64) -> Fault {
        Fault { share, ..self }
    }

    /// The same for messages of these kinds.
    #[must_use]
    pub fn on(self, kinds: &[Kind]) -> Fault {
        Fault { on: kinds.to_vec(), ..self }
    }

    /// The same for terminals whose number starts so.
    #[must_use]
    pub fn at(self, terminals: &str) -> Fault {
        Fault { terminals: terminals.to_owned(), ..self }
    }

    /// The same with this delay.
    #[must_use]
    pub fn after(self, delay: Duration) -> Fault {
        Fault { after_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), ..self }
    }

    /// The same with these codes and weights.
    #[must_use]
    pub fn codes(self, codes: &[(&str, u32)]) -> Fault {
        Fault { codes: codes.iter().map(|(code, weight)| ((*code).to_owned(), *weight)).collect(), ..self }
    }

    /// The same with this end of a network timeout.
    #[must_use]
    pub fn then(self, then: OnTimeout) -> Fault {
        Fault { then, ..self }
    }

    pub(crate) fn delay(&self) -> Duration {
        Duration::from_millis(self.after_ms)
    }

    fn fits(&self, message: &Faulted<'_>) -> bool {
        let kind_fits = if self.on.is_empty() { message.kind.is_payment() } else { self.on.contains(&message.kind) };
        kind_fits
            && self.below_minor.is_none_or(|limit| message.amount_minor < limit)
            && !(self.no_pin && message.pin)
            && message.tid.starts_with(self.terminals.as_bytes())
    }

    /// One of the codes, by weight; 05 when there are none.
    pub(crate) fn code(&self, random: &mut Random) -> [u8; 2] {
        let total: u64 = self.codes.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = random.below(total);
        for (code, weight) in &self.codes {
            if left < u64::from(*weight) {
                return code.as_bytes().try_into().unwrap_or(*b"05");
            }
            left -= u64::from(*weight);
        }
        *b"05"
    }
}

/// What the choice of a fault looks at.
pub(crate) struct Faulted<'a> {
    pub(crate) kind: Kind,
    pub(crate) tid: &'a [u8],
    pub(crate) amount_minor: u64,
    pub(crate) pin: bool,
}

/// All faults of a peer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// The same seed plays the same faults on the same messages.
    #[serde(default)]
    pub seed: u64,
    /// Every answer takes this long in milliseconds: from, to.
    #[serde(default)]
    pub latency_ms: (u64, u64),
    /// The faults, first match first.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
}

impl FaultPlan {
    /// No faults, no latency.
    #[must_use]
    pub fn none() -> FaultPlan {
        FaultPlan::default()
    }

    /// These faults.
    #[must_use]
    pub fn of(seed: u64, faults: Vec<Fault>) -> FaultPlan {
        FaultPlan { seed, latency_ms: (0, 0), faults }
    }

    /// Reads a fault file.
    ///
    /// # Errors
    /// When the file is not there or not as this module says.
    pub fn read(path: &std::path::Path) -> anyhow::Result<FaultPlan> {
        use anyhow::Context as _;
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is no fault file", path.display()))
    }

    /// The fault for a message; the dice depend on the message alone, not on what came before.
    pub(crate) fn choose(&self, message: &Faulted<'_>, random: &mut Random) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.fits(message) && random.hits(fault.share))
    }

    pub(crate) fn latency(&self, random: &mut Random) -> Duration {
        match self.latency_ms {
            (0, 0) => Duration::ZERO,
            (low, high) => Duration::from_micros(random.between(low.saturating_mul(1000), high.saturating_mul(1000))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        seed = 7
        latency_ms = [2, 30]

        [[fault]]
        kind = "silence"
        share = 0.5
        on = ["sale", "void"]
        below_minor = 50000
        no_pin = true
        terminals = "9000"

        [[fault]]
        kind = "decline"
        codes = [["51", 9], ["55", 1]]

        [[fault]]
        kind = "network-timeout"
        after_ms = 1500
        then = "answer-98-then-close"
    "#;

    fn chosen(plan: &FaultPlan, kind: Kind, tid: &str, amount_minor: u64, pin: bool, round: u32) -> Option<FaultKind> {
        let faulted = Faulted { kind, tid: tid.as_bytes(), amount_minor, pin };
        let mut random = Random::of(plan.seed, &[tid.as_bytes(), &round.to_be_bytes()]);
        plan.choose(&faulted, &mut random).map(|fault| fault.kind)
    }

    #[test]
    fn the_first_that_fits_is_played() {
        let plan: FaultPlan = toml::from_str(FILE).unwrap();
        let silent = (0..1000)
            .filter(|round| chosen(&plan, Kind::Sale, "90000001", 100, false, *round) == Some(FaultKind::Silence))
            .count();
        assert!((400..600).contains(&silent), "{silent}");
        let table = [
            (Kind::Sale, "91000001", 100, false, Some(FaultKind::Decline)),
            (Kind::Sale, "90000001", 50_000, false, Some(FaultKind::Decline)),
            (Kind::Sale, "90000001", 100, true, Some(FaultKind::Decline)),
            (Kind::Echo, "90000001", 100, true, None),
        ];
        for (kind, tid, amount, pin, expected) in table {
            assert_eq!(chosen(&plan, kind, tid, amount, pin, 1), expected, "{kind:?} {tid} {amount}");
        }
        assert_eq!(plan.faults[2].then, OnTimeout::Answer98ThenClose);
    }

    #[test]
    fn codes_go_by_weight() {
        let plan: FaultPlan = toml::from_str(FILE).unwrap();
        let mut random = Random::new(1);
        let rare = (0..1000).filter(|_| plan.faults[1].code(&mut random) == *b"55").count();
        assert!((50..200).contains(&rare), "{rare}");
        assert_eq!(Fault::always(FaultKind::Decline).code(&mut random), *b"05");
    }

    #[test]
    fn the_files_of_the_repository_are_read() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("faults");
        for file in std::fs::read_dir(folder).unwrap() {
            let plan = FaultPlan::read(&file.unwrap().path()).unwrap();
            assert!(plan.faults.iter().all(|fault| (0.0..=1.0).contains(&fault.share)));
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(toml::from_str::<FaultPlan>("sede = 1").is_err());
    }
}
