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
            registry => REGISTRY.iter().find(|(_, kind)| *kind == registry).map_or("registry", |(name, _)| name),
        }
    }

    /// Reads the text kept in the store.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const OTHERS: &[FileKind] = &[
            FileKind::Journal,
            FileKind::Switch,
            FileKind::ClearingZm,
            FileKind::ClearingCsv,
            FileKind::Payout,
            FileKind::Disputes,
            FileKind::Claims,
            FileKind::Slips,
            FileKind::Notices,
        ];
        let known = REGISTRY.iter().map(|(_, kind)| *kind).chain(OTHERS.iter().copied());
        known.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Layout or dialect that reads it, with its version.
    #[must_use]
    pub fn layout(self) -> &'static str {
        match self {
            Self::Switch => "capture-1 unionpay-pos unionpay-network",
            Self::ClearingZm => "unionpay-zm-1",
            Self::Claims => "jsonl-1",
            _ => "csv-1",
        }
    }

    /// Whether it is small reference data that every judgement needs.
    #[must_use]
    pub fn is_registry(self) -> bool {
        REGISTRY.iter().any(|(_, kind)| *kind == self)
    }
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
        for (_, kind) in REGISTRY {
            assert_eq!(FileKind::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(FileKind::parse("clearing-zm"), Some(FileKind::ClearingZm));
    }
}
