//! Causes of exceptions and how sure a finding is.

crate::text_enum! {
    /// Why a payment did not end as it should (china-pos F3). The code before the dot says on whose side it lies.
    Cause {
        /// Balance or credit line not enough.
        CardFunds = "CARD.FUNDS",
        /// Amount or count limit of the card.
        CardLimit = "CARD.LIMIT",
        /// Card expired, lost, restricted or unknown.
        CardStatus = "CARD.STATUS",
        /// Wrong PIN or too many tries.
        CardPin = "CARD.PIN",
        /// Issuer's risk control refused.
        CardRisk = "CARD.RISK",
        /// Last mile between terminal and acquirer.
        NetTerm = "NET.TERM",
        /// An agent's own gateway.
        NetAgent = "NET.AGENT",
        /// The acquirer's systems or its line to the network.
        NetAcq = "NET.ACQ",
        /// The network or its switch.
        NetUp = "NET.UP",
        /// The issuer's host.
        NetIss = "NET.ISS",
        /// Terminal hardware.
        TermHw = "TERM.HW",
        /// Terminal configuration.
        TermCfg = "TERM.CFG",
        /// Terminal keys.
        TermKey = "TERM.KEY",
        /// Outdated terminal program.
        TermOutdated = "TERM.OUTDATED",
        /// Error made in maintenance.
        MaintError = "MAINT.ERROR",
        /// Maintenance not done in time.
        MaintOverdue = "MAINT.OVERDUE",
        /// Program changed by the agent.
        TamperAgent = "TAMPER.AGENT",
        /// Program changed by the merchant.
        TamperMerchant = "TAMPER.MERCHANT",
        /// Program changed by an outsider.
        TamperOutsider = "TAMPER.OUTSIDER",
        /// Program changed in the supply chain.
        TamperSupply = "TAMPER.SUPPLY",
        /// Merchant broke a rule (moved terminal, cash-out, no slip).
        MerchRule = "MERCH.RULE",
        /// Goods or service not delivered.
        MerchService = "MERCH.SERVICE",
        /// Acquirer's set-up of merchant or terminal.
        AcqBoarding = "ACQ.BOARDING",
        /// Acquirer's clearing, payout or account upkeep.
        AcqSettle = "ACQ.SETTLE",
        /// Payout held by the acquirer's risk control.
        AcqRiskHold = "ACQ.RISKHOLD",
        /// Cashier's error.
        OpError = "OP.ERROR",
        /// Fraud on the card by a third person.
        ChFraud = "CH.FRAUD",
        /// Cardholder disputes a payment of his own.
        ChFriendly = "CH.FRIENDLY",
        /// Not known: goes to suspense and never charges an agent.
        Unknown = "UNKNOWN",
    }
}

crate::text_enum! {
    /// How sure a finding is.
    FindingStatus {
        /// Decisive facts are there.
        Confirmed = "confirmed",
        /// Supported, nothing speaks against it.
        Probable = "probable",
        /// Not excluded, not supported enough to act on.
        Possible = "possible",
        /// A fact rules it out.
        Excluded = "excluded",
    }
}

impl FindingStatus {
    /// Whether a liability rule may act on the finding; anything weaker is treated as UNKNOWN.
    #[must_use]
    pub const fn carries_a_decision(self) -> bool {
        matches!(self, Self::Confirmed | Self::Probable)
    }
}
