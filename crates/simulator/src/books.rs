//! The books of an acquirer host: payments, voids, reversals by the acquirer rules, totals of a batch.

use rustc_hash::FxHashMap;

use crate::message::{Names, Totals};

/// Where a payment stands at the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Money is reserved or moved.
    Approved,
    /// Declined with this code; 98: the network did not answer the host.
    Declined([u8; 2]),
    /// Taken back by a reversal.
    Reversed,
    /// Taken back by a void.
    Voided,
}

/// One payment in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Amount in fen.
    pub amount_minor: u64,
    /// Where it stands.
    pub standing: Standing,
    /// Reference number given.
    pub reference: u64,
    /// The payment that this one voids.
    pub voids: Option<Names>,
    /// Day that it was booked on, counted from 1970.
    pub day: u64,
}

/// All payments that a host knows.
#[derive(Clone, Debug, Default)]
pub struct Books {
    payments: FxHashMap<Names, Record>,
    next_reference: u64,
}

const APPROVED: [u8; 2] = *b"00";

impl Books {
    /// A new reference number.
    pub(crate) fn reference(&mut self) -> u64 {
        self.next_reference += 1;
        self.next_reference
    }

    /// What is booked under these names.
    #[must_use]
    pub fn find(&self, names: &Names) -> Option<&Record> {
        self.payments.get(names)
    }

    /// All payments.
    pub fn all(&self) -> impl Iterator<Item = (&Names, &Record)> {
        self.payments.iter()
    }

    /// Books a sale with the answer that the network gave. A second request of the same names is 94.
    pub(crate) fn sale(&mut self, names: Names, amount_minor: u64, answer: [u8; 2], day: u64) -> ([u8; 2], u64) {
        if self.payments.contains_key(&names) {
            return (*b"94", 0);
        }
        let standing = if answer == APPROVED { Standing::Approved } else { Standing::Declined(answer) };
        let reference = self.reference();
        self.payments.insert(names, Record { amount_minor, standing, reference, voids: None, day });
        (answer, reference)
    }

    /// Books a void. Unknown original 25, one that is not approved 12, another amount 64.
    pub(crate) fn void(
        &mut self,
        names: Names,
        original: Names,
        amount_minor: u64,
        answer: [u8; 2],
        day: u64,
    ) -> ([u8; 2], u64) {
        if self.payments.contains_key(&names) {
            return (*b"94", 0);
        }
        let code = match self.payments.get(&original) {
            None => *b"25",
            Some(sale) if sale.standing != Standing::Approved => *b"12",
            Some(sale) if sale.amount_minor != amount_minor => *b"64",
            Some(_) => answer,
        };
        let standing = if code == APPROVED { Standing::Approved } else { Standing::Declined(code) };
        if let (Standing::Approved, Some(sale)) = (standing, self.payments.get_mut(&original)) {
            sale.standing = Standing::Voided;
        }
        let reference = self.reference();
        self.payments.insert(names, Record { amount_minor, standing, reference, voids: Some(original), day });
        (code, reference)
    }

    /// Answers a reversal: not found 00 (and books nothing), other day 25, already reversed or other state 25,
    /// declined by another code 01, another amount 64.
    pub(crate) fn reversal(&mut self, names: &Names, amount_minor: u64, day: u64) -> [u8; 2] {
        let Some(record) = self.payments.get_mut(names) else { return APPROVED };
        let code = match record.standing {
            _ if record.day != day => *b"25",
            Standing::Reversed | Standing::Voided => *b"25",
            Standing::Declined(code) if code != *b"98" => *b"01",
            _ if record.amount_minor != amount_minor => *b"64",
            Standing::Approved | Standing::Declined(_) => APPROVED,
        };
        if code != APPROVED {
            return code;
        }
        let was_approved = record.standing == Standing::Approved;
        record.standing = Standing::Reversed;
        let voids = record.voids.filter(|_| was_approved);
        if let Some(sale) = voids.and_then(|original| self.payments.get_mut(&original)) {
            sale.standing = Standing::Approved;
        }
        code
    }

    /// Totals of one batch of a terminal: approved sales and, for those taken back by a void, the void too.
    #[must_use]
    pub fn totals(&self, tid: [u8; 8], batch: u32) -> Totals {
        let mut totals = Totals::default();
        for (names, record) in &self.payments {
            if names.tid != tid || names.batch != batch {
                continue;
            }
            match (record.voids, record.standing) {
                (None, Standing::Approved | Standing::Voided) => {
                    totals.debit_minor = totals.debit_minor.saturating_add(record.amount_minor);
                    totals.debits += 1;
                }
                (Some(_), Standing::Approved) => {
                    totals.credit_minor = totals.credit_minor.saturating_add(record.amount_minor);
                    totals.credits += 1;
                }
                _ => {}
            }
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(type_code: u8, trace: u32) -> Names {
        Names { merchant: *b"899523055410004", tid: *b"90000001", type_code, batch: 1, trace }
    }

    #[test]
    fn reversals_by_the_acquirer_rules() {
        let mut books = Books::default();
        books.sale(names(22, 1), 500, *b"00", 10);
        books.sale(names(22, 2), 500, *b"51", 10);
        books.sale(names(22, 3), 500, *b"98", 10);
        books.sale(names(22, 4), 500, *b"00", 10);
        books.sale(names(22, 5), 500, *b"00", 9);
        let table = [
            (1, 500, "00"),
            (1, 500, "25"),
            (2, 500, "01"),
            (3, 500, "00"),
            (4, 501, "64"),
            (5, 500, "25"),
            (6, 500, "00"),
        ];
        for (trace, amount, expected) in table {
            assert_eq!(books.reversal(&names(22, trace), amount, 10), expected.as_bytes(), "{trace} {amount}");
        }
        assert_eq!(books.find(&names(22, 6)), None, "not found books nothing");
        assert_eq!(books.find(&names(22, 4)).unwrap().standing, Standing::Approved);
    }

    #[test]
    fn voids_and_their_reversals() {
        let mut books = Books::default();
        books.sale(names(22, 1), 500, *b"00", 10);
        assert_eq!(books.sale(names(22, 1), 500, *b"00", 10).0, *b"94");
        assert_eq!(books.void(names(23, 2), names(22, 9), 500, *b"00", 10).0, *b"25");
        assert_eq!(books.void(names(23, 3), names(22, 1), 400, *b"00", 10).0, *b"64");
        assert_eq!(books.void(names(23, 4), names(22, 1), 500, *b"00", 10).0, *b"00");
        assert_eq!(books.void(names(23, 5), names(22, 1), 500, *b"00", 10).0, *b"12");
        let totals = books.totals(*b"90000001", 1);
        assert_eq!(totals, Totals { debit_minor: 500, debits: 1, credit_minor: 500, credits: 1 });
        assert_eq!(books.reversal(&names(23, 4), 500, 10), *b"00");
        assert_eq!(books.find(&names(22, 1)).unwrap().standing, Standing::Approved);
        let totals = books.totals(*b"90000001", 1);
        assert_eq!(totals, Totals { debit_minor: 500, debits: 1, credit_minor: 0, credits: 0 });
    }
}
