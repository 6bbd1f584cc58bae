//! Gathers rows from readers into the values that the domain rooms take.

use onus_casework::notices::{Claim, DisputeNotice, InstitutionNotice, Slip};
use onus_fleet::Registry;
use onus_intake::{Reject, Row, Sink};
use onus_reconcile::{Book, Symbol};

/// Everything read for one judgement.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) book: Book,
    pub(crate) registry: Registry,
    pub(crate) disputes: Vec<DisputeNotice>,
    pub(crate) slips: Vec<Slip>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) notices: Vec<InstitutionNotice>,
}

impl Records {
    /// Adds what another thread read: captured traffic, which holds no symbols.
    pub(crate) fn add_traffic(&mut self, traffic: Self) {
        self.book.board = traffic.book.board;
    }
}

/// Takes the rows of one file.
pub(crate) struct Collector<'r> {
    pub(crate) records: &'r mut Records,
    pub(crate) rejects: Vec<Reject>,
}

impl Sink for Collector<'_> {
    fn symbol(&mut self, text: &str) -> Symbol {
        self.records.book.interner.symbol(text)
    }

    fn accept(&mut self, row: Row) {
        match row {
            Row::Journal(row) => self.records.book.journals.push(row),
            Row::Frame(row) => self.records.book.board.push(row),
            Row::Clearing(row) => self.records.book.clearings.push(row),
            Row::Payout(row) => self.records.book.payouts.push(row),
            Row::Registry(row) => self.records.registry.add(row),
            Row::Dispute(row) => self.records.disputes.push(row),
            Row::Slip(row) => self.records.slips.push(row),
            Row::Claim(row) => self.records.claims.push(row),
            Row::Notice(row) => self.records.notices.push(row),
            Row::Gateway(row) => self.records.book.board.note(&row),
        }
    }

    fn reject(&mut self, reject: Reject) {
        self.rejects.push(reject);
    }
}
