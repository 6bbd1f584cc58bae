//! What detection sees of a payment.

use onus_model::{Instant, Text};
use serde::Deserialize;

/// Number of dimensions.
pub const DIMS: usize = 11;

/// Something that payments can have in common. The value in [`Sample::dims`] is a symbol of the caller; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dim {
    /// Line to the card network that the payment took or would have taken.
    NetworkLink,
    /// Bank of the card.
    Issuer,
    /// City of the terminal.
    City,
    /// Agent of the terminal.
    Agent,
    /// Program version of the terminal.
    AppVersion,
    /// Production batch of the terminal.
    ProductionBatch,
    /// The terminal itself.
    Terminal,
    /// Model of the terminal.
    Model,
    /// The merchant to whom the money belongs.
    Merchant,
    /// How the card was read.
    EntryMode,
    /// With or without PIN.
    Pin,
}

impl Dim {
    /// All dimensions, in the order of their index.
    pub const ALL: [Dim; DIMS] = [
        Dim::NetworkLink,
        Dim::Issuer,
        Dim::City,
        Dim::Agent,
        Dim::AppVersion,
        Dim::ProductionBatch,
        Dim::Terminal,
        Dim::Model,
        Dim::Merchant,
        Dim::EntryMode,
        Dim::Pin,
    ];

    /// Whether its values are single machines or shops: too many to compare one by one.
    #[must_use]
    pub const fn is_individual(self) -> bool {
        matches!(self, Self::Terminal | Self::Merchant)
    }

    /// The name in scopes, policies and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NetworkLink => "network_link",
            Self::Issuer => "issuer",
            Self::City => "city",
            Self::Agent => "agent",
            Self::AppVersion => "app_version",
            Self::ProductionBatch => "production_batch",
            Self::Terminal => "terminal",
            Self::Model => "model",
            Self::Merchant => "merchant",
            Self::EntryMode => "entry_mode",
            Self::Pin => "pin",
        }
    }

    /// The name for people.
    #[must_use]
    pub fn title(self) -> Text {
        let (zh, en) = match self {
            Self::NetworkLink => ("网络线路", "network link"),
            Self::Issuer => ("发卡机构", "issuer"),
            Self::City => ("城市", "city"),
            Self::Agent => ("代理商", "agent"),
            Self::AppVersion => ("程序版本", "program version"),
            Self::ProductionBatch => ("生产批次", "production batch"),
            Self::Terminal => ("终端", "terminal"),
            Self::Model => ("机型", "terminal model"),
            Self::Merchant => ("商户", "merchant"),
            Self::EntryMode => ("读卡方式", "entry mode"),
            Self::Pin => ("密码", "PIN"),
        };
        Text { zh: zh.to_owned(), en: en.to_owned() }
    }
}

/// How a payment failed, as far as episodes care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// It did not, or in a way that no episode explains.
    None,
    /// Forwarded to the network; nothing came back.
    NoAnswer,
    /// The network answered A7, 96 or 92.
    SwitchError,
    /// Nothing left the acquirer.
    AcquirerSilent,
    /// 91, 68 or 98 written by network or issuer.
    IssuerDown,
    /// 51: balance or credit line not enough.
    Funds,
    /// Card not read (K1).
    Unread,
    /// The terminal reversed an approved reply that it could not use (reason 96).
    BadReply,
    /// A0: keys do not match.
    KeySync,
    /// The terminal's program sent the money elsewhere (K6).
    Diverted,
    /// Paid out to an account that was changed without control (K6).
    Misdirected,
    /// 58 from the acquirer, at a terminal that reports from far away from its place.
    Displaced,
    /// 57, 61 or 65: a limit of issuer or network. No family: it speaks in hypotheses only.
    Limit,
    /// Reversed at the terminal and cleared all the same (K5): debited, not credited.
    OneSided,
    /// Went through under a merchant code that is not the one on the slip, for the same owner.
    WrongMcc,
}

impl FailureClass {
    /// The family in which it is detected.
    #[must_use]
    pub const fn family(self) -> Option<Family> {
        match self {
            Self::None | Self::Limit => None,
            Self::NoAnswer | Self::SwitchError => Some(Family::Lost),
            Self::AcquirerSilent => Some(Family::AcquirerSilent),
            Self::IssuerDown => Some(Family::IssuerDown),
            Self::Funds => Some(Family::Funds),
            Self::Unread => Some(Family::Unread),
            Self::BadReply => Some(Family::BadReply),
            Self::KeySync => Some(Family::KeySync),
            Self::Diverted => Some(Family::Diverted),
            Self::Misdirected => Some(Family::Misdirected),
            Self::Displaced => Some(Family::Displaced),
            Self::OneSided => Some(Family::OneSided),
            Self::WrongMcc => Some(Family::WrongMcc),
        }
    }
}

/// Failures that one fault causes side by side and that are therefore looked at together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// The network does not answer, or answers with an error of its own.
    Lost,
    /// The acquirer does not forward.
    AcquirerSilent,
    /// The issuer's host is down.
    IssuerDown,
    /// Not enough money.
    Funds,
    /// Cards are not read.
    Unread,
    /// Terminals cannot use the reply.
    BadReply,
    /// Keys do not match.
    KeySync,
    /// Terminals send money elsewhere.
    Diverted,
    /// Payouts go to accounts changed without control.
    Misdirected,
    /// Terminals are used away from their place.
    Displaced,
    /// Reversed payments are cleared all the same.
    OneSided,
    /// Payments go through under a merchant code that does not fit.
    WrongMcc,
}

impl Family {
    /// The name in policies and exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::AcquirerSilent => "acquirer_silent",
            Self::IssuerDown => "issuer_down",
            Self::Funds => "funds",
            Self::Unread => "unread",
            Self::BadReply => "bad_reply",
            Self::KeySync => "key_sync",
            Self::Diverted => "diverted",
            Self::Misdirected => "misdirected",
            Self::Displaced => "displaced",
            Self::OneSided => "one_sided",
            Self::WrongMcc => "wrong_mcc",
        }
    }
}

/// One payment attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When it began.
    pub at: Instant,
    /// When its failure could be known at the earliest; for most at once, for a misdirected payout when it was paid.
    pub known_at: Instant,
    /// Its amount, minor units.
    pub amount_minor: i64,
    /// How it failed.
    pub class: FailureClass,
    /// What later records show beside that; a pattern counts it whether or not the payment failed.
    pub also: FailureClass,
    /// When `also` could be known at the earliest.
    pub also_at: Instant,
    /// Its values by dimension; 0 where there is none or it is not known.
    pub dims: [u32; DIMS],
}

impl Sample {
    /// Whether it is a failure of a family.
    #[must_use]
    pub fn fails_in(&self, family: Family) -> bool {
        self.class.family() == Some(family) || self.also.family() == Some(family)
    }

    /// When it could be known how it stands in a family.
    #[must_use]
    pub fn known_in(&self, family: Family) -> Instant {
        if self.also.family() == Some(family) { self.also_at } else { self.known_at }
    }
}
