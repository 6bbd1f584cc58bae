//! Limits that diagnosis measures by: data with source and grade.

use onus_model::Date;
use serde::Deserialize;

use crate::error::WorkerError;

/// One limit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Its value.
    pub value: i64,
    /// What it counts.
    pub unit: String,
    /// Where it comes from.
    pub source: String,
    /// How far it can be trusted.
    pub grade: onus_model::Grade,
}

/// All limits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Id of the set.
    pub id: String,
    /// Version.
    pub version: String,
    /// Days after the settlement day by which a payout is due.
    pub payout_due_days: Term,
    /// Longest reply text that outdated programs read.
    pub long_reply_text_bytes: Term,
    /// Days that are judged again when new records come.
    pub judged_window_days: Term,
    /// Days in which a verdict takes in new records by itself, unless somebody acted on it.
    pub verdict_open_days: Term,
    /// Terminals of a batch that must fail before the batch is called defective.
    pub batch_defect_terminals: Term,
}

impl Terms {
    /// The terms that Onus ships.
    ///
    /// # Errors
    /// Never with the shipped file; a test loads it.
    pub fn builtin_cn() -> Result<Self, WorkerError> {
        toml::from_str(include_str!("../../../packs/cn-terms-1/terms.toml"))
            .map_err(|error| WorkerError::Terms(error.to_string()))
    }

    /// Day by which the payout of what was settled on a day is due.
    pub(crate) fn payout_due(&self, settled: Date) -> Date {
        settled.plus_days(i32::try_from(self.payout_due_days.value).unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_shipped_terms_load() {
        assert_eq!(super::Terms::builtin_cn().unwrap().payout_due_days.value, 1);
    }
}
