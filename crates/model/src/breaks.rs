//! Break classes: what differs between the records of one payment.

crate::text_enum! {
    /// A break, by the pattern of which record says what (ledger-recon (b), china-pos D4).
    BreakClass {
        /// Wire and clearing carry another merchant than the terminal prints, and the money goes to it (跳码).
        MerchantSwapped = "MERCHANT_SWAPPED",
        /// Another merchant code of another category, same payout account (套码).
        MccJump = "MCC",
        /// Paid to an account that is not the merchant's own.
        PayoutDiverted = "PAYOUT_DIVERTED",
        /// Due and not paid, and the account that is set for it is not the merchant's own.
        PayeeAltered = "PAYEE_ALTERED",
        /// Part of the sale was sent on by a refund that the terminal's journal does not know.
        RefundDiverted = "REFUND_DIVERTED",
        /// A wire message and clearing line without a journal line.
        TermMissing = "TERM_MISSING",
        /// The terminal shows no success, yet it was cleared and paid out.
        TermUnaware = "TERM_UNAWARE",
        /// Journal and wire amounts differ.
        AmountTerm = "AMT_TERM",
        /// Wire and clearing amounts differ.
        AmountClear = "AMT_CLEAR",
        /// Cleared more than once.
        DupClear = "DUP_CLEAR",
        /// Approved on the wire, not in clearing.
        SwitchOnly = "SWITCH_ONLY",
        /// Reversed at the terminal, but cleared: the cardholder is debited.
        ReversalLost = "REVERSAL_LOST",
        /// Cleared, not paid out.
        PayoutMissing = "PAYOUT_MISSING",
        /// Paid out after the due day, or not yet.
        LatePayout = "LATE_PAYOUT",
        /// Payout differs from cleared amounts less fees.
        PayoutShort = "PAYOUT_SHORT",
    }
}

crate::text_enum! {
    /// The coarse class of china-pos D4: what is wrong, between which records.
    CoarseBreak {
        /// Another merchant on the wire.
        MerchantSwitch = "MERCHANT_SWITCH",
        /// Another payee at payout.
        PayeePayout = "PAYEE_PAYOUT",
        /// Another amount at payout.
        AmountPayout = "AMOUNT_PAYOUT",
        /// Another amount on the wire.
        AmountSwitch = "AMOUNT_SWITCH",
        /// Another amount in clearing.
        AmountClearing = "AMOUNT_CLEARING",
        /// Cleared twice.
        DupClearing = "DUP_CLEARING",
        /// Not in the journal.
        MissingJournal = "MISSING_JOURNAL",
        /// Not in clearing.
        MissingClearing = "MISSING_CLEARING",
        /// Not paid out.
        MissingPayout = "MISSING_PAYOUT",
        /// Paid out late.
        LatePayout = "LATE_PAYOUT",
    }
}

impl BreakClass {
    /// The coarse class of china-pos D4.
    #[must_use]
    pub const fn coarse(self) -> CoarseBreak {
        match self {
            Self::MerchantSwapped | Self::MccJump => CoarseBreak::MerchantSwitch,
            Self::PayoutDiverted | Self::PayeeAltered => CoarseBreak::PayeePayout,
            Self::RefundDiverted | Self::PayoutShort => CoarseBreak::AmountPayout,
            Self::TermMissing | Self::TermUnaware => CoarseBreak::MissingJournal,
            Self::AmountTerm => CoarseBreak::AmountSwitch,
            Self::AmountClear => CoarseBreak::AmountClearing,
            Self::DupClear => CoarseBreak::DupClearing,
            Self::SwitchOnly => CoarseBreak::MissingClearing,
            Self::ReversalLost | Self::PayoutMissing => CoarseBreak::MissingPayout,
            Self::LatePayout => CoarseBreak::LatePayout,
        }
    }

    /// The party that the pattern points to first: a prior for diagnosis, never a verdict.
    #[must_use]
    pub const fn first_party(self) -> crate::Party {
        use crate::Party;
        match self {
            Self::MerchantSwapped | Self::RefundDiverted | Self::TermMissing | Self::AmountTerm | Self::MccJump => {
                Party::Agent
            }
            Self::TermUnaware => Party::Merchant,
            Self::AmountClear | Self::DupClear | Self::SwitchOnly => Party::Network,
            Self::PayoutDiverted
            | Self::PayeeAltered
            | Self::ReversalLost
            | Self::PayoutMissing
            | Self::LatePayout
            | Self::PayoutShort => Party::Acquirer,
        }
    }
}
