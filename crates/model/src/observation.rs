//! Observations: references into sealed files.

crate::text_enum! {
    /// Which of the four records of a payment an observation belongs to.
    LegKind {
        /// What the terminal believed.
        Journal = "journal",
        /// What crossed the wire.
        Switch = "switch",
        /// What was cleared.
        Clearing = "clearing",
        /// What the merchant was paid.
        Payout = "payout",
        /// What somebody said about it: dispute, claim, slip.
        Notice = "notice",
    }
}

impl LegKind {
    /// The small number kept in storage.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Reads the small number kept in storage.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// One source's view of one leg: a range of bytes of a sealed file. The file's content hash pins the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObservationRef {
    /// Short number of the file in the store.
    pub file_seq: u32,
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub len: u32,
    /// Which record it is.
    pub leg: LegKind,
}

/// Where a record stands: a range of a sealed file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Short number of the file.
    pub file_seq: u32,
    /// Number of bytes.
    pub len: u32,
    /// First byte.
    pub offset: u64,
}

impl Span {
    /// The observation that this range is.
    #[must_use]
    pub const fn observation(self, leg: LegKind) -> ObservationRef {
        ObservationRef { file_seq: self.file_seq, offset: self.offset, len: self.len, leg }
    }
}
