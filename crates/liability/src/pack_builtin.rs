//! The packs that Onus ships.

use crate::pack::{Pack, PackError, PackFiles};

/// Their names.
pub const NAMES: &[&str] = &["cn-default-1", "intl-principles-1"];

/// Texts of a shipped pack.
///
/// # Errors
/// When no pack of that name is shipped.
pub fn shipped(name: &str) -> Result<PackFiles<'static>, PackError> {
    match name {
        "cn-default-1" => Ok(PackFiles {
            rules: include_str!("../../../packs/cn-default-1/rules.toml"),
            causes: include_str!("../../../packs/cn-default-1/causes.toml"),
            cases: include_str!("../../../packs/cn-default-1/cases.toml"),
        }),
        "intl-principles-1" => Ok(PackFiles {
            rules: include_str!("../../../packs/intl-principles-1/rules.toml"),
            causes: "",
            cases: include_str!("../../../packs/intl-principles-1/cases.toml"),
        }),
        _ => Err(PackError::NotShipped { name: name.to_owned() }),
    }
}

impl Pack {
    /// The pack `cn-default-1` that Onus ships.
    ///
    /// # Errors
    /// Never with the shipped files; a test loads them.
    pub fn builtin_cn() -> Result<Self, PackError> {
        Self::load(&shipped("cn-default-1")?)
    }

    /// The pack `intl-principles-1` that Onus ships.
    ///
    /// # Errors
    /// Never with the shipped files; a test loads them.
    pub fn builtin_intl() -> Result<Self, PackError> {
        Self::load(&shipped("intl-principles-1")?)
    }
}
