//! The classes of breaks as data (`packs/breaks-1/classes.toml`): order, money effect, first party, source.

use serde::Deserialize;

macro_rules! classes {
    ($($name:ident = $text:literal,)*) => {
        /// What differs between the records of a payment, a payout batch or a file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "packs/breaks-1/classes.toml says what each means")]
        pub enum Class { $($name,)* }

        impl Class {
            /// Every class.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

classes! {
    FileBad = "FILE_BAD",
    TermOnly = "TERM_ONLY",
    TermMissing = "TERM_MISSING",
    SwitchOnly = "SWITCH_ONLY",
    NetworkOnly = "NETWORK_ONLY",
    SwitchMissing = "SWITCH_MISSING",
    ReversalLost = "REVERSAL_LOST",
    ReversalUndue = "REVERSAL_UNDUE",
    DeclinedCleared = "DECLINED_CLEARED",
    AmountTerm = "AMT_TERM",
    AmountClear = "AMT_CLEAR",
    PanMismatch = "PAN_MISMATCH",
    MerchantSwapped = "MERCHANT_SWAPPED",
    MccJump = "MCC",
    DupTerm = "DUP_TERM",
    DupClear = "DUP_CLEAR",
    DupPayout = "DUP_PAYOUT",
    PayoutMissing = "PAYOUT_MISSING",
    PayoutShort = "PAYOUT_SHORT",
    PayoutLong = "PAYOUT_LONG",
    PayoutDiverted = "PAYOUT_DIVERTED",
    PayoutUnfunded = "PAYOUT_UNFUNDED",
    PayoutReturned = "PAYOUT_RETURNED",
    BatchSum = "BATCH_SUM",
    BankMissing = "BANK_MISSING",
    BankExtra = "BANK_EXTRA",
    FeeWrong = "FEE_WRONG",
    NetworkFeeWrong = "NETFEE_WRONG",
    ShareWrong = "SHARE_WRONG",
    ShareOnBroken = "SHARE_ON_BROKEN",
    LateClear = "LATE_CLEAR",
    LatePayout = "LATE_PAYOUT",
    TimeDrift = "TIME_DRIFT",
}

impl Class {
    /// Its bit in a set of classes.
    #[must_use]
    pub const fn bit(self) -> u64 {
        1 << self as u64
    }

    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.code() == code)
    }
}

/// What a break costs whom, in fen: a closed list of formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing by itself.
    Nothing,
    /// What the terminal recorded.
    Journal,
    /// What the switch passed.
    Switched,
    /// What was cleared.
    Cleared,
    /// What was cleared beyond the first time.
    ClearedAgain,
    /// What was paid.
    Paid,
    /// What was paid beyond the first time.
    PaidAgain,
    /// Journal less switch.
    JournalLessSwitch,
    /// Cleared less switch.
    ClearedLessSwitch,
    /// Cleared less the fee of the terms: what the merchant should get.
    Owed,
    /// Paid less (gross less fee).
    PaidLessDue,
    /// Fee kept less fee of the terms.
    FeeLessTerms,
    /// Network fee less tariff.
    NetworkFeeLessTariff,
    /// Share paid less share of the terms.
    ShareLessTerms,
    /// Share paid.
    Share,
    /// Lump sum less its parts.
    SumLessParts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackToml {
    id: String,
    tolerances: Tolerances,
    flag: Vec<AboutFlag>,
    #[serde(default)]
    tariff: Vec<Tariff>,
    class: Vec<ClassToml>,
}

/// What else may be known of a break, beside its classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Flag {
    /// The merchant's account was changed shortly before a diverted payout.
    AccountChanged,
    /// The account takes the money of several merchants.
    AccountShared,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Self; 2] = [Self::AccountChanged, Self::AccountShared];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AccountChanged => "ACCOUNT_CHANGED",
            Self::AccountShared => "ACCOUNT_SHARED",
        }
    }
}

/// What is known about one flag.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AboutFlag {
    /// Flag.
    pub code: Flag,
    /// Name in Chinese.
    pub zh: String,
    /// Name in English.
    pub en: String,
    /// Condition in words.
    pub when: String,
    /// Where this comes from.
    pub source: String,
    /// Grade of that source: S, R, T, B, P.
    pub grade: String,
}

/// What a network may take by its tariff.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tariff {
    id: String,
    network_fee_ppm: i64,
    network_fee_cap_fen: Option<i64>,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "grade")]
    _grade: String,
}

/// Limits below which a difference is none. Defaults of this product unless their source says otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerances {
    /// Fen that a fee or a net amount may be off, for rounding.
    pub fee_fen: i64,
    /// Seconds between terminal clock and switch.
    pub clock_seconds: i64,
    /// Days that clearing may settle after the switch's settlement day.
    pub clear_days: i32,
    /// Working days until a payout is late.
    pub payout_working_days: u32,
    /// Days after a change of account in which a payout to it is marked.
    pub account_change_days: i32,
    /// Merchants from which on one account that takes diverted money is marked.
    pub account_merchants: u32,
    /// Network fee in millionths of the amount; absent: not checked.
    pub network_fee_ppm: Option<i64>,
    /// The most that the network fee of some cards may be, in fen.
    pub network_fee_cap_fen: Option<i64>,
    /// Where these come from.
    pub source: String,
    /// Grade of that source.
    pub grade: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassToml {
    code: String,
    priority: u32,
    zh: String,
    en: String,
    when: String,
    effect: Effect,
    first_party: String,
    then: String,
    carry_days: u32,
    source: String,
    grade: String,
}

/// What is known about one class.
#[derive(Debug, Clone)]
pub struct About {
    /// Class.
    pub class: Class,
    /// Lower is looked at first; the first that holds is the primary class.
    pub priority: u32,
    /// Name in Chinese.
    pub zh: String,
    /// Name in English.
    pub en: String,
    /// Condition in words.
    pub when: String,
    /// Money effect.
    pub effect: Effect,
    /// Party that the pattern points to first: a place to start looking, never a verdict.
    pub first_party: String,
    /// Who else, or what to do.
    pub then: String,
    /// Working days for which the partner may still come.
    pub carry_days: u32,
    /// Where this comes from.
    pub source: String,
    /// Grade of that source: S, R, T, B, P.
    pub grade: String,
}

/// A pack of break classes did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("break classes: {0}")]
pub struct ClassesError(String);

/// All classes in order, with their tolerances.
#[derive(Debug, Clone)]
pub struct Classes {
    id: String,
    tolerances: Tolerances,
    /// By flag.
    flags: Vec<AboutFlag>,
    tariffs: Vec<Tariff>,
    /// By class.
    about: Vec<About>,
    /// By priority.
    order: Vec<Class>,
}

impl Classes {
    /// The classes in the repository (`packs/breaks-1`).
    ///
    /// # Errors
    /// When that file is broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<Self, ClassesError> {
        Self::from_toml(include_str!("../../../../packs/breaks-1/classes.toml"))
    }

    /// Reads a pack.
    ///
    /// # Errors
    /// When a class is unknown, missing or stands twice, or two have the same priority.
    pub fn from_toml(text: &str) -> Result<Self, ClassesError> {
        let read: PackToml = toml::from_str(text).map_err(|error| ClassesError(error.to_string()))?;
        let mut about = Vec::new();
        for row in read.class {
            let class = Class::from_code(&row.code)
                .ok_or_else(|| ClassesError(format!("{:?} is no class this version knows", row.code)))?;
            about.push(About {
                class,
                priority: row.priority,
                zh: row.zh,
                en: row.en,
                when: row.when,
                effect: row.effect,
                first_party: row.first_party,
                then: row.then,
                carry_days: row.carry_days,
                source: row.source,
                grade: row.grade,
            });
        }
        about.sort_by_key(|about| about.class);
        for (expected, class) in Class::ALL.iter().enumerate() {
            if about.get(expected).map(|about| about.class) != Some(*class) {
                return Err(ClassesError(format!("{} must stand exactly once", class.code())));
            }
        }
        let mut order: Vec<(u32, Class)> = about.iter().map(|about| (about.priority, about.class)).collect();
        order.sort_unstable();
        if let Some(pair) = order.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(ClassesError(format!("{} and {} have one priority", pair[0].1.code(), pair[1].1.code())));
        }
        let order = order.into_iter().map(|(_, class)| class).collect();
        let mut flags = read.flag;
        flags.sort_by_key(|about| about.code);
        if !flags.iter().map(|about| about.code).eq(Flag::ALL) {
            return Err(ClassesError("each flag must stand exactly once".to_owned()));
        }
        Ok(Self { id: read.id, tolerances: read.tolerances, flags, tariffs: read.tariff, about, order })
    }

    /// The same with a tariff of the pack, so that network fees are checked.
    ///
    /// # Errors
    /// When the pack has no such tariff; names those it has.
    pub fn with_tariff(mut self, id: &str) -> Result<Self, ClassesError> {
        let Some(tariff) = self.tariffs.iter().find(|tariff| tariff.id == id) else {
            let known: Vec<&str> = self.tariffs.iter().map(|tariff| tariff.id.as_str()).collect();
            return Err(ClassesError(format!("there is no tariff {id:?}; there are {}", known.join(", "))));
        };
        self.tolerances.network_fee_ppm = Some(tariff.network_fee_ppm);
        self.tolerances.network_fee_cap_fen = tariff.network_fee_cap_fen;
        Ok(self)
    }

    /// What is known about the flags.
    #[must_use]
    pub fn flags(&self) -> &[AboutFlag] {
        &self.flags
    }

    /// Name and version, carried by every result.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Limits.
    #[must_use]
    pub const fn tolerances(&self) -> &Tolerances {
        &self.tolerances
    }

    /// What is known about a class.
    #[must_use]
    pub fn about(&self, class: Class) -> &About {
        &self.about[class as usize]
    }

    /// The class of a set that goes before the others.
    #[must_use]
    pub fn primary(&self, set: u64) -> Option<Class> {
        if set == 0 {
            return None;
        }
        self.order.iter().copied().find(|class| set & class.bit() != 0)
    }
}
