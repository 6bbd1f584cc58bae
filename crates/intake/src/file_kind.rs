//! Which file is which, by its place and name in an acquirer's delivery.

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// `registry/institutions.csv`
    Institutions,
    /// `registry/bin_table.csv`
    BinTable,
    /// `registry/links.csv`
    Links,
    /// `registry/agents.csv`
    Agents,
    /// `registry/contracts.csv`
    Contracts,
    /// `registry/merchants.csv`
    Merchants,
    /// `registry/settlement_accounts.csv`
    SettlementAccounts,
    /// `registry/terminals.csv`
    Terminals,
    /// `registry/terminal_bindings.csv`
    TerminalBindings,
    /// `registry/custody.csv`
    Custody,
    /// `registry/inspections.csv`
    Inspections,
    /// `registry/training.csv`
    Training,
    /// `registry/software_releases.csv`
    SoftwareReleases,
    /// `registry/rc_tables.csv`
    RcTables,
    /// `registry/update_offers.csv`
    UpdateOffers,
    /// `registry/risk_holds.csv`
    RiskHolds,
    /// `registry/attestations.csv`
    Attestations,
    /// `registry/merchant_history.csv`
    MerchantHistory,
    /// `journal/*.csv`
    Journal,
    /// `switch/*.bin`
    Switch,
    /// `clearing/*ZM*`, fixed width
    ClearingZm,
    /// `clearing/*.csv`
    ClearingCsv,
    /// `payout/*.csv`
    Payout,
    /// `disputes/*.csv`
    Disputes,
    /// `claims/claims.jsonl`
    Claims,
    /// `claims/slips.csv`
    Slips,
    /// `notices/*.csv`
    Notices,
    /// `gateway/tap-*.closed.tap`: a closed segment of a gateway's journal
    Tap,
}

/// What to do with a file of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Read it as this kind.
    As(FileKind),
    /// Leave it: it holds secrets, and secrets are never sealed.
    Secrets,
    /// Leave it: a manifest of the delivery, or a truth file for tests.
    NotData,
    /// Nobody knows how to read it.
    Unknown,
}

const REGISTRY: &[(&str, FileKind)] = &[
    ("institutions", FileKind::Institutions),
    ("bin_table", FileKind::BinTable),
    ("links", FileKind::Links),
    ("agents", FileKind::Agents),
    ("contracts", FileKind::Contracts),
    ("merchants", FileKind::Merchants),
    ("settlement_accounts", FileKind::SettlementAccounts),
    ("terminals", FileKind::Terminals),
    ("terminal_bindings", FileKind::TerminalBindings),
    ("custody", FileKind::Custody),
    ("inspections", FileKind::Inspections),
    ("training", FileKind::Training),
    ("software_releases", FileKind::SoftwareReleases),
    ("rc_tables", FileKind::RcTables),
    ("update_offers", FileKind::UpdateOffers),
    ("risk_holds", FileKind::RiskHolds),
    ("attestations", FileKind::Attestations),
    ("merchant_history", FileKind::MerchantHistory),
];

impl FileKind {
    /// All kinds.
    pub const ALL: &'static [FileKind] = &[
        Self::Institutions,
        Self::BinTable,
        Self::Links,
        Self::Agents,
        Self::Contracts,
        Self::Merchants,
        Self::SettlementAccounts,
        Self::Terminals,
        Self::TerminalBindings,
        Self::Custody,
        Self::Inspections,
        Self::Training,
        Self::SoftwareReleases,
        Self::RcTables,
        Self::UpdateOffers,
        Self::RiskHolds,
        Self::Attestations,
        Self::MerchantHistory,
        Self::Journal,
        Self::Switch,
        Self::ClearingZm,
        Self::ClearingCsv,
        Self::Payout,
        Self::Disputes,
        Self::Claims,
        Self::Slips,
        Self::Notices,
        Self::Tap,
    ];

    /// The kind of a file by its path relative to the delivery, with `/` between parts.
    #[must_use]
    pub fn of(path: &str) -> Reading {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = folder.rsplit('/').next().unwrap_or_default();
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let kind = match (folder, extension) {
            ("keys", _) => return Reading::Secrets,
            ("truth", _) | (_, "sha256") => return Reading::NotData,
            ("registry", "csv") => REGISTRY.iter().find(|(known, _)| *known == stem).map(|(_, kind)| *kind),
            ("journal", "csv") => Some(Self::Journal),
            ("switch", "bin") => Some(Self::Switch),
            ("clearing", "csv") => Some(Self::ClearingCsv),
            ("clearing", "") if name.contains("ZM") => Some(Self::ClearingZm),
            ("payout", "csv") => Some(Self::Payout),
            ("disputes", "csv") => Some(Self::Disputes),
            ("claims", "jsonl") => Some(Self::Claims),
            ("claims", "csv") if stem == "slips" => Some(Self::Slips),
            ("notices", "csv") => Some(Self::Notices),
            (_, "tap") if is_closed_segment(path) => Some(Self::Tap),
            _ => None,
        };
        kind.map_or(Reading::Unknown, Reading::As)
    }

    /// The text kept in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Switch => "switch",
            Self::ClearingZm => "clearing-zm",
            Self::ClearingCsv => "clearing-csv",
            Self::Payout => "payout",
            Self::Disputes => "disputes",
            Self::Claims => "claims",
            Self::Slips => "slips",
            Self::Notices => "notices",
            Self::Tap => "tap",
            registry => REGISTRY.iter().find(|(_, kind)| *kind == registry).map_or("registry", |(name, _)| name),
        }
    }

    /// Reads the text kept in the store.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }

    /// Layout or dialect that reads it, with its version.
    #[must_use]
    pub fn layout(self) -> &'static str {
        match self {
            Self::Switch => "capture-1 unionpay-pos unionpay-network",
            Self::ClearingZm => "unionpay-zm-1",
            Self::Claims => "jsonl-1",
            Self::Tap => "onus-tap-1",
            _ => "csv-1",
        }
    }

    /// Whether it holds frames: these are read in order of time, by one thread.
    #[must_use]
    pub fn is_traffic(self) -> bool {
        matches!(self, Self::Switch | Self::Tap)
    }

    /// Whether it is small reference data that every judgement needs.
    #[must_use]
    pub fn is_registry(self) -> bool {
        REGISTRY.iter().any(|(_, kind)| *kind == self)
    }
}

/// `gateway/` or a folder below it. A segment that is still written has no `closed` in its name.
fn is_closed_segment(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or_default();
    folders.split('/').any(|folder| folder == "gateway") && name.starts_with("tap-") && name.ends_with(".closed.tap")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_file_of_a_delivery() {
        let table = [
            ("registry/agents.csv", Reading::As(FileKind::Agents)),
            ("day/journal/journal_20260921.csv", Reading::As(FileKind::Journal)),
            ("switch/switch_20260921.bin", Reading::As(FileKind::Switch)),
            ("clearing/INN26092188ZM_48990001", Reading::As(FileKind::ClearingZm)),
            ("clearing/clearing_20260921.csv", Reading::As(FileKind::ClearingCsv)),
            ("claims/claims.jsonl", Reading::As(FileKind::Claims)),
            ("claims/slips.csv", Reading::As(FileKind::Slips)),
            ("gateway/tap-0000000001.closed.tap", Reading::As(FileKind::Tap)),
            ("gateway/east/tap-0000000001.closed.tap", Reading::As(FileKind::Tap)),
            ("gateway/tap-0000000002.tap", Reading::Unknown),
            ("switch/tap-0000000001.closed.tap", Reading::Unknown),
            ("keys/terminal_keys.csv", Reading::Secrets),
            ("truth/payments.csv", Reading::NotData),
            ("MANIFEST.sha256", Reading::NotData),
            ("registry/unheard_of.csv", Reading::Unknown),
            ("photo.png", Reading::Unknown),
        ];
        for (path, expected) in table {
            assert_eq!(FileKind::of(path), expected, "{path}");
        }
    }

    #[test]
    fn text_form_round_trips() {
        for kind in FileKind::ALL {
            assert_eq!(FileKind::parse(kind.as_str()), Some(*kind));
        }
        assert!(REGISTRY.iter().all(|(_, kind)| FileKind::ALL.contains(kind)));
        assert!(FileKind::ALL.is_sorted() && FileKind::parse("").is_none());
    }
}
