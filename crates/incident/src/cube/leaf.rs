//! Where one attempt lies in the cube: sixteen dimensions in 121 bits, and how it ended in seven more.

use serde::{Deserialize, Serialize};

/// Number of dimensions.
pub const DIMENSIONS: usize = 16;

/// Something that attempts can have in common. A value is a code of [`Symbols`](super::Symbols); 0 is "not known".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Line between acquirer and card network.
    NetworkLink,
    /// Line between terminal and acquirer.
    AcquirerLink,
    /// Route that the switch chose.
    Route,
    /// Bank of the card.
    Issuer,
    /// First digits of the card.
    Bin,
    /// City of the terminal.
    City,
    /// Merchant category code.
    MerchantCategory,
    /// Agent in whose subtree the terminal is.
    Agent,
    /// Terminal model.
    TerminalModel,
    /// Production batch of the terminal.
    ProductionBatch,
    /// Program version of the terminal.
    AppVersion,
    /// How the card was read.
    EntryMode,
    /// With PIN or without.
    Pin,
    /// Debit, credit, prepaid.
    CardKind,
    /// Amount, in bins of [`amount_bin`].
    Amount,
    /// Hop that wrote the response code.
    Hop,
}

/// Bits of each dimension's code, in the order of [`Dimension::ALL`].
const BITS: [u32; DIMENSIONS] = [6, 6, 6, 12, 13, 9, 9, 13, 8, 10, 9, 3, 2, 3, 9, 3];

/// Lowest bit of each dimension's code.
const SHIFTS: [u32; DIMENSIONS] = {
    let mut shifts = [0; DIMENSIONS];
    let mut index = 1;
    while index < DIMENSIONS {
        shifts[index] = shifts[index - 1] + BITS[index - 1];
        index += 1;
    }
    shifts
};

impl Dimension {
    /// All dimensions, in the order of their index.
    pub const ALL: [Self; DIMENSIONS] = [
        Self::NetworkLink,
        Self::AcquirerLink,
        Self::Route,
        Self::Issuer,
        Self::Bin,
        Self::City,
        Self::MerchantCategory,
        Self::Agent,
        Self::TerminalModel,
        Self::ProductionBatch,
        Self::AppVersion,
        Self::EntryMode,
        Self::Pin,
        Self::CardKind,
        Self::Amount,
        Self::Hop,
    ];

    /// The name in settings, scopes and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NetworkLink => "network_link",
            Self::AcquirerLink => "acquirer_link",
            Self::Route => "route",
            Self::Issuer => "issuer",
            Self::Bin => "bin",
            Self::City => "city",
            Self::MerchantCategory => "merchant_category",
            Self::Agent => "agent",
            Self::TerminalModel => "terminal_model",
            Self::ProductionBatch => "production_batch",
            Self::AppVersion => "app_version",
            Self::EntryMode => "entry_mode",
            Self::Pin => "pin",
            Self::CardKind => "card_kind",
            Self::Amount => "amount",
            Self::Hop => "hop",
        }
    }

    /// The code of what was folded away, and of values for which the dictionary had no room.
    #[must_use]
    pub const fn other(self) -> u16 {
        ((1_u32 << BITS[self as usize]) - 1) as u16
    }

    /// Most values that have a code of their own.
    #[must_use]
    pub const fn most_values(self) -> usize {
        self.other() as usize - 1
    }

    /// The bits of this dimension in a leaf.
    #[must_use]
    pub const fn mask(self) -> u128 {
        (self.other() as u128) << SHIFTS[self as usize]
    }
}

/// The sixteen codes of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Leaf(u128);

impl Leaf {
    /// Packs codes; one that is too large becomes "other".
    #[must_use]
    pub fn pack(codes: &[u16; DIMENSIONS]) -> Self {
        let mut bits = 0;
        for (dimension, code) in Dimension::ALL.into_iter().zip(codes) {
            bits |= u128::from((*code).min(dimension.other())) << SHIFTS[dimension as usize];
        }
        Self(bits)
    }

    /// The code in one dimension.
    #[must_use]
    pub const fn code(self, dimension: Dimension) -> u16 {
        (self.0 >> SHIFTS[dimension as usize]) as u16 & dimension.other()
    }

    /// All codes.
    #[must_use]
    pub fn codes(self) -> [u16; DIMENSIONS] {
        Dimension::ALL.map(|dimension| self.code(dimension))
    }

    /// This leaf with another code in one dimension.
    #[must_use]
    pub fn with(self, dimension: Dimension, code: u16) -> Self {
        let code = u128::from(code.min(dimension.other()));
        Self(self.0 & !dimension.mask() | code << SHIFTS[dimension as usize])
    }

    /// This leaf with every bit of a mask set: folded dimensions become "other".
    #[must_use]
    pub const fn folded(self, mask: u128) -> Self {
        Self(self.0 | mask)
    }

    /// The packed codes.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }
}

/// One step of folding leaves together when a minute holds too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fold {
    /// Amounts keep only their power of two.
    AmountOctave,
    /// The dimension becomes "other".
    #[serde(untagged)]
    Whole(Dimension),
}

impl Fold {
    /// Bits to set in a leaf.
    #[must_use]
    pub const fn mask(self) -> u128 {
        match self {
            Self::AmountOctave => 15 << SHIFTS[Dimension::Amount as usize],
            Self::Whole(dimension) => dimension.mask(),
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Approved.
    Approved,
    /// Not enough money, over a limit.
    Funds,
    /// Card expired, lost, unknown or restricted; wrong PIN.
    Card,
    /// Refused by risk control.
    Risk,
    /// The issuer's host is down.
    IssuerDown,
    /// The network answered with an error of its own.
    SwitchError,
    /// The network does not answer.
    NoAnswer,
    /// Nothing left the acquirer.
    AcquirerSilent,
    /// Keys do not match.
    Keys,
    /// Message or amount not accepted, merchant or terminal not known.
    Refused,
    /// The card was not read.
    Unread,
    /// Any other response code.
    OtherCode,
}

impl Outcome {
    /// All outcomes, in the order of their index.
    pub const ALL: [Self; 12] = [
        Self::Approved,
        Self::Funds,
        Self::Card,
        Self::Risk,
        Self::IssuerDown,
        Self::SwitchError,
        Self::NoAnswer,
        Self::AcquirerSilent,
        Self::Keys,
        Self::Refused,
        Self::Unread,
        Self::OtherCode,
    ];
}

/// How long the answer took; the bounds are the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Latency {
    /// As usual, or there was no answer.
    Usual,
    /// Slower than usual.
    Raised,
    /// A person at the till notices.
    Slow,
    /// Close to the terminal's time-out.
    Late,
}

impl Latency {
    const ALL: [Self; 4] = [Self::Usual, Self::Raised, Self::Slow, Self::Late];
}

/// A leaf with how attempts in it ended: the key of the cube's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Event(u128);

impl Event {
    const SHIFT: u32 = 7;

    /// Puts leaf and ending together.
    #[must_use]
    pub const fn new(leaf: Leaf, outcome: Outcome, latency: Latency, reversed: bool) -> Self {
        let ending = (outcome as u128) << 3 | (latency as u128) << 1 | reversed as u128;
        Self(leaf.0 << Self::SHIFT | ending)
    }

    pub(super) const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u128 {
        self.0
    }

    /// Where.
    #[must_use]
    pub const fn leaf(self) -> Leaf {
        Leaf(self.0 >> Self::SHIFT)
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        Outcome::ALL.get((self.0 >> 3 & 15) as usize).copied().unwrap_or(Outcome::OtherCode)
    }

    /// How long the answer took.
    #[must_use]
    pub const fn latency(self) -> Latency {
        Latency::ALL[(self.0 >> 1 & 3) as usize]
    }

    /// Whether it was reversed.
    #[must_use]
    pub const fn reversed(self) -> bool {
        self.0 & 1 == 1
    }

    /// This event with a leaf that is folded by a mask.
    pub(super) const fn folded(self, mask: u128) -> Self {
        Self(self.0 | mask << Self::SHIFT)
    }
}

/// The bin of an amount: single units below 16, above that sixteen bins for each power of two, so at most 1/16 wide.
#[must_use]
pub fn amount_bin(amount_minor: u64) -> u16 {
    let most = Dimension::Amount.other() - 1;
    let Some(octave) = amount_minor.checked_ilog2().filter(|octave| *octave >= 4) else {
        return u16::try_from(amount_minor).unwrap_or(most);
    };
    let within = (amount_minor >> (octave - 4)) & 15;
    u16::try_from(u64::from(octave - 3) * 16 + within).unwrap_or(most).min(most)
}

/// The least amount of a bin and the least amount above it.
#[must_use]
pub fn amount_bounds(bin: u16) -> (u64, u64) {
    let start = |bin: u64| if bin < 16 { bin } else { (16 + bin % 16) << (bin / 16 - 1) };
    let bin = u64::from(bin.min(Dimension::Amount.other()));
    (start(bin), start(bin + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_layout_fills_the_word_and_no_field_touches_another() {
        assert_eq!(BITS.iter().sum::<u32>() + Event::SHIFT, 128);
        let mut seen = 0_u128;
        for dimension in Dimension::ALL {
            assert_eq!(seen & dimension.mask(), 0, "{}", dimension.as_str());
            seen |= dimension.mask();
        }
        assert_eq!(seen.count_ones(), 121);
    }

    #[test]
    fn amounts_fall_into_narrow_bins() {
        for (amount, bin) in
            [(0, 0), (1, 1), (15, 15), (16, 16), (31, 31), (32, 32), (33, 32), (34, 33), (u64::MAX, 510)]
        {
            assert_eq!(amount_bin(amount), bin, "{amount}");
        }
        let (low, high) = amount_bounds(amount_bin(50_000));
        assert!(low <= 50_000 && 50_000 < high && high - low <= 50_000 / 16, "{low} {high}");
    }

    #[test]
    fn folds_read_from_settings() {
        #[derive(Deserialize)]
        struct Folds {
            fold: Vec<Fold>,
        }
        let folds: Folds = toml::from_str("fold = ['bin', 'amount_octave', 'amount']").unwrap();
        assert_eq!(folds.fold, [Fold::Whole(Dimension::Bin), Fold::AmountOctave, Fold::Whole(Dimension::Amount)]);
        assert!(toml::from_str::<Folds>("fold = ['amounts']").is_err());
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out(codes: [u16; DIMENSIONS], outcome in 0..12_usize, latency in 0..4_usize, reversed: bool) {
            let leaf = Leaf::pack(&codes);
            for (dimension, code) in Dimension::ALL.into_iter().zip(codes) {
                prop_assert_eq!(leaf.code(dimension), code.min(dimension.other()));
                prop_assert_eq!(leaf.with(dimension, 1).code(dimension), 1);
                prop_assert_eq!(leaf.with(dimension, 1).with(dimension, code), leaf);
                prop_assert_eq!(leaf.folded(dimension.mask()).code(dimension), dimension.other());
            }
            let event = Event::new(leaf, Outcome::ALL[outcome], Latency::ALL[latency], reversed);
            prop_assert_eq!(event.leaf(), leaf);
            prop_assert_eq!(event.outcome(), Outcome::ALL[outcome]);
            prop_assert_eq!(event.latency(), Latency::ALL[latency]);
            prop_assert_eq!(event.reversed(), reversed);
            prop_assert_eq!(event.folded(Dimension::Agent.mask()).leaf(), leaf.folded(Dimension::Agent.mask()));
        }

        #[test]
        fn an_amount_lies_in_its_bin(amount in 0..20_000_000_000_u64) {
            let (low, high) = amount_bounds(amount_bin(amount));
            prop_assert!(low <= amount && amount < high);
            prop_assert!(high - low <= 1 + amount / 16);
        }
    }
}
