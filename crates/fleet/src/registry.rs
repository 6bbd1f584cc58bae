//! Registers by key, with history.

use onus_model::{Instant, MerchantCode, TerminalId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::rows::{
    Agent, Attestation, CustodyEvent, Inspection, Link, Merchant, ProgramHash, RegistryRow, RiskHold,
    SettlementAccount, SoftwareRelease, Terminal, TerminalBinding, UpdateOffer,
};

/// Whose account a number is, for a merchant at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountStanding<'a> {
    /// The merchant's own, brought in under dual control or by the merchant.
    Own(&'a SettlementAccount),
    /// In force, but changed without dual control.
    ChangedWithoutControl(&'a SettlementAccount),
    /// Not an account of this merchant at that time.
    Foreign,
    /// The register has no account of this merchant.
    Unknown,
}

impl<'a> AccountStanding<'a> {
    /// What an account that is in force counts as.
    fn of(account: &'a SettlementAccount) -> Self {
        if account.dual_control && (account.merchant_confirmed || !account.by_agent()) {
            Self::Own(account)
        } else {
            Self::ChangedWithoutControl(account)
        }
    }
}

impl PartialEq for SettlementAccount {
    fn eq(&self, other: &Self) -> bool {
        self.change_id == other.change_id
    }
}

impl Eq for SettlementAccount {}

/// All registers.
#[derive(Debug, Default)]
pub struct Registry {
    /// Agents by code.
    pub agents: FxHashMap<String, Agent>,
    /// Merchants by code.
    pub merchants: FxHashMap<MerchantCode, Merchant>,
    /// Terminals by serial.
    pub terminals: FxHashMap<String, Terminal>,
    /// Lines by number.
    pub links: FxHashMap<u16, Link>,
    /// Issuer code and name by first six digits.
    pub issuers: FxHashMap<u32, (String, String)>,
    /// Institution names by code.
    pub institutions: FxHashMap<String, (String, String)>,
    pub(crate) releases: FxHashMap<String, SoftwareRelease>,
    pub(crate) hashes: FxHashSet<ProgramHash>,
    pub(crate) custody: FxHashMap<String, Vec<CustodyEvent>>,
    pub(crate) inspections: FxHashMap<String, Vec<Inspection>>,
    pub(crate) offers: FxHashMap<String, Vec<UpdateOffer>>,
    pub(crate) attestations: FxHashMap<String, Vec<Attestation>>,
    pub(crate) bindings: FxHashMap<String, Vec<TerminalBinding>>,
    serials: FxHashMap<TerminalId, String>,
    accounts: FxHashMap<MerchantCode, Vec<SettlementAccount>>,
    holds: FxHashMap<MerchantCode, Vec<RiskHold>>,
    known_codes: FxHashSet<(String, String)>,
}

impl Registry {
    /// Takes a row; a later row of the same key replaces an earlier one, histories grow. Rows of a history give their
    /// serial to the key that they stand under.
    pub fn add(&mut self, row: RegistryRow) {
        match row {
            RegistryRow::Institution(row) => drop(self.institutions.insert(row.code, (row.name, row.role))),
            RegistryRow::Bin(row) => drop(self.issuers.insert(row.bin, (row.issuer_code, row.issuer_name))),
            RegistryRow::Link(row) => drop(self.links.insert(row.id, row)),
            RegistryRow::Agent(row) => drop(self.agents.insert(row.code.clone(), row)),
            RegistryRow::Merchant(row) => drop(self.merchants.insert(row.code, row)),
            RegistryRow::Account(row) => self.accounts.entry(row.merchant).or_default().push(row),
            RegistryRow::Terminal(row) => {
                self.serials.insert(row.tid, row.serial.clone());
                self.terminals.insert(row.serial.clone(), row);
            }
            RegistryRow::Binding(mut row) => {
                self.bindings.entry(std::mem::take(&mut row.serial)).or_default().push(row);
            }
            RegistryRow::Custody(mut row) => self.custody.entry(std::mem::take(&mut row.serial)).or_default().push(row),
            RegistryRow::Inspection(mut row) => {
                self.inspections.entry(std::mem::take(&mut row.serial)).or_default().push(row);
            }
            RegistryRow::Release(row) => {
                self.hashes.insert(row.sha256);
                self.releases.insert(row.version.clone(), row);
            }
            RegistryRow::RcText(row) => drop(self.known_codes.insert((row.rc_table, row.rc))),
            RegistryRow::Offer(mut row) => self.offers.entry(std::mem::take(&mut row.serial)).or_default().push(row),
            RegistryRow::Hold(row) => self.holds.entry(row.merchant).or_default().push(row),
            RegistryRow::Attestation(mut row) => {
                self.attestations.entry(std::mem::take(&mut row.serial)).or_default().push(row);
            }
            // Kept in the sealed files; no question of this room needs them yet.
            RegistryRow::Training(_) | RegistryRow::Month(_) | RegistryRow::Contract(_) => {}
        }
    }

    /// Puts histories in order of time. Call once, when all rows are in.
    pub fn settle(&mut self) {
        self.custody.values_mut().for_each(|events| events.sort_by_key(|event| event.at));
        self.inspections.values_mut().for_each(|events| events.sort_by_key(|event| event.at));
        self.offers.values_mut().for_each(|offers| offers.sort_by_key(|offer| offer.offered_at));
        self.attestations.values_mut().for_each(|reports| reports.sort_by_key(|report| report.at));
        self.bindings.values_mut().for_each(|bindings| bindings.sort_by_key(|binding| binding.valid_from));
        self.accounts.values_mut().for_each(|accounts| accounts.sort_by_key(|account| account.valid_from));
    }

    /// Serial number of a terminal number.
    #[must_use]
    pub fn serial_of(&self, tid: TerminalId) -> Option<&str> {
        self.serials.get(&tid).map(String::as_str)
    }

    /// Terminal of a terminal number.
    #[must_use]
    pub fn terminal_of(&self, tid: TerminalId) -> Option<&Terminal> {
        self.terminals.get(self.serial_of(tid)?)
    }

    /// Merchant that a terminal is bound to at a time, by the register.
    #[must_use]
    pub fn bound_merchant(&self, serial: &str, at: Instant) -> Option<MerchantCode> {
        let bindings = self.bindings.get(serial)?;
        let in_force =
            |binding: &&TerminalBinding| binding.valid_from <= at && binding.valid_to.is_none_or(|to| at < to);
        bindings.iter().rev().find(in_force).map(|binding| binding.merchant)
    }

    /// Agent that serves a merchant.
    #[must_use]
    pub fn agent_of(&self, merchant: MerchantCode) -> Option<&Agent> {
        self.agents.get(&self.merchants.get(&merchant)?.agent_code)
    }

    /// All settlement accounts, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = &SettlementAccount> {
        self.accounts.values().flatten()
    }

    /// Whose account a number is, for a merchant at a time.
    #[must_use]
    pub fn account_standing(&self, merchant: MerchantCode, account_no: &str, at: Instant) -> AccountStanding<'_> {
        let Some(accounts) = self.accounts.get(&merchant) else { return AccountStanding::Unknown };
        let found = accounts.iter().rev().find(|account| account.account_no == account_no && account.in_force(at));
        found.map_or(AccountStanding::Foreign, AccountStanding::of)
    }

    /// The account that a payout to a merchant at a time would go to.
    #[must_use]
    pub fn payee(&self, merchant: MerchantCode, at: Instant) -> AccountStanding<'_> {
        let accounts = self.accounts.get(&merchant).map(Vec::as_slice).unwrap_or_default();
        let found = accounts.iter().rev().find(|account| account.in_force(at));
        found.map_or(AccountStanding::Unknown, AccountStanding::of)
    }

    /// The hold on a merchant's payout for a day.
    #[must_use]
    pub fn hold_on(&self, merchant: MerchantCode, day: onus_model::Date) -> Option<&RiskHold> {
        let held = |hold: &&RiskHold| hold.from <= day && hold.to.is_none_or(|to| day <= to);
        self.holds.get(&merchant)?.iter().find(held)
    }

    /// Whether a program version has a text for a response code; none when the register does not know the version.
    #[must_use]
    pub fn knows_code(&self, version: &str, rc: &str) -> Option<bool> {
        let release = self.releases.get(version)?;
        Some(self.known_codes.contains(&(release.rc_table.clone(), rc.to_owned())))
    }
}
