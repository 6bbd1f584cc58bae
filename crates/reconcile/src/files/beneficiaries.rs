//! Accounts that money was diverted to, and how many merchants' money each of them takes.

use rustc_hash::{FxHashMap, FxHashSet};

use super::code::Code;
use super::merchants::Merchants;

/// Merchants by the account that their money went to.
#[derive(Debug, Default)]
pub(crate) struct Beneficiaries {
    merchants: FxHashMap<u64, FxHashSet<u64>>,
}

impl Beneficiaries {
    /// Money of a merchant was diverted to an account.
    pub(crate) fn add(&mut self, account: Code, merchant: Code) {
        self.merchants.entry(account.0).or_default().insert(merchant.0);
    }

    pub(crate) fn join(&mut self, other: Self) {
        for (account, merchants) in other.merchants {
            self.merchants.entry(account).or_default().extend(merchants);
        }
    }

    /// Adds the merchants whose own account it is by the master.
    pub(crate) fn add_owners(&mut self, master: &Merchants) {
        for (merchant, account) in master.accounts() {
            if let Some(merchants) = self.merchants.get_mut(&account.0) {
                merchants.insert(merchant.0);
            }
        }
    }

    /// How many merchants' money an account takes; 0 when nothing was diverted to it.
    pub(crate) fn count(&self, account: Code) -> u32 {
        self.merchants.get(&account.0).map_or(0, |merchants| u32::try_from(merchants.len()).unwrap_or(u32::MAX))
    }
}
