//! Control totals: rows in = matched + breaks + carried, and fen in = fen out, for each kind of file.

use super::classes::Class;
use super::layout::Source;

/// Rows and their amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// Rows.
    pub rows: u64,
    /// Their amounts in fen (net for payout lines).
    pub fen: i128,
}

impl Sum {
    pub(crate) fn add(&mut self, rows: u64, fen: i64) {
        self.rows += rows;
        self.fen += i128::from(fen);
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.rows += other.rows;
        self.fen += other.fen;
    }
}

/// Kinds of files whose rows are matched.
pub const MATCHED: [Source; 5] = [Source::Terminal, Source::Switch, Source::Clearing, Source::Payout, Source::Share];

/// Where the rows of one kind of file went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// Rows that were read and not refused.
    pub read: Sum,
    /// Rows that came back from the partitions.
    pub loaded: Sum,
    /// Rows of payments without a break.
    pub matched: Sum,
    /// Rows of breaks.
    pub broken: Sum,
    /// Rows kept for the next day.
    pub carried: Sum,
}

/// What one class adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClassTotal {
    /// Breaks whose primary class it is.
    pub count: u64,
    /// Their money effect.
    pub effect: i128,
    /// The same without signs.
    pub at_stake: i128,
    /// Breaks that have it as a further flag.
    pub flagged: u64,
}

/// All totals of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    flows: [Flow; 5],
    classes: Vec<ClassTotal>,
}

impl Default for Totals {
    fn default() -> Self {
        Self { flows: [Flow::default(); 5], classes: vec![ClassTotal::default(); Class::ALL.len()] }
    }
}

/// Totals that do not add up: a fault of the program or of the disk, never of the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "control totals of {source_name} do not add up: {left_name} {left_rows} rows, {left_fen} fen, but {right_name} {right_rows} rows, {right_fen} fen; no result of this run may be used"
)]
pub struct TotalsError {
    source_name: &'static str,
    left_name: &'static str,
    left_rows: u64,
    left_fen: i128,
    right_name: &'static str,
    right_rows: u64,
    right_fen: i128,
}

impl Totals {
    /// Where the rows of a kind of file went.
    #[must_use]
    pub fn flow(&self, source: Source) -> Flow {
        MATCHED.iter().position(|matched| *matched == source).map_or_else(Flow::default, |at| self.flows[at])
    }

    pub(crate) fn flow_mut(&mut self, source: Source) -> &mut Flow {
        let at = MATCHED.iter().position(|matched| *matched == source).unwrap_or(0);
        &mut self.flows[at]
    }

    /// What a class adds up to.
    #[must_use]
    pub fn class(&self, class: Class) -> ClassTotal {
        self.classes[class as usize]
    }

    pub(crate) fn count_break(&mut self, class: Class, holding: u64, effect: i64) {
        let total = &mut self.classes[class as usize];
        total.count += 1;
        total.effect += i128::from(effect);
        total.at_stake += i128::from(effect.unsigned_abs());
        let mut others = holding & !class.bit();
        while others != 0 {
            self.classes[others.trailing_zeros() as usize].flagged += 1;
            others &= others - 1;
        }
    }

    pub(crate) fn join(&mut self, other: &Self) {
        for (flow, more) in self.flows.iter_mut().zip(&other.flows) {
            flow.read.join(more.read);
            flow.loaded.join(more.loaded);
            flow.matched.join(more.matched);
            flow.broken.join(more.broken);
            flow.carried.join(more.carried);
        }
        for (total, more) in self.classes.iter_mut().zip(&other.classes) {
            total.count += more.count;
            total.effect += more.effect;
            total.at_stake += more.at_stake;
            total.flagged += more.flagged;
        }
    }

    /// Checks that nothing was lost or made up.
    ///
    /// # Errors
    /// Names the kind of file and both sides.
    pub fn check(&self) -> Result<(), TotalsError> {
        for (source, flow) in MATCHED.iter().zip(&self.flows) {
            let mut out = flow.matched;
            out.join(flow.broken);
            out.join(flow.carried);
            let sides =
                [("rows read", flow.read, "rows matched with", flow.loaded), ("rows in", flow.read, "rows out", out)];
            for (left_name, left, right_name, right) in sides {
                if left != right {
                    return Err(TotalsError {
                        source_name: source.name(),
                        left_name,
                        left_rows: left.rows,
                        left_fen: left.fen,
                        right_name,
                        right_rows: right.rows,
                        right_fen: right.fen,
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_fen_is_told() {
        let mut totals = Totals::default();
        totals.flow_mut(Source::Payout).read.add(2, 100);
        totals.flow_mut(Source::Payout).loaded.add(2, 100);
        totals.flow_mut(Source::Payout).matched.add(1, 60);
        totals.flow_mut(Source::Payout).broken.add(1, 39);
        let error = totals.check().unwrap_err().to_string();
        assert!(
            error.contains("payout do not add up: rows in 2 rows, 100 fen, but rows out 2 rows, 99 fen"),
            "{error}"
        );
        totals.flow_mut(Source::Payout).broken.add(0, 1);
        assert_eq!(totals.check(), Ok(()));
    }
}
