//! Parties to a card payment.

crate::text_enum! {
    /// A role that can pay a user first or bear a loss in the end.
    Party {
        /// 持卡人: holder of the card.
        Cardholder = "cardholder",
        /// 特约商户: the shop.
        Merchant = "merchant",
        /// 代理商 (外包服务机构): sold or maintains the terminal; liable only for own fault, contract or promise.
        Agent = "agent",
        /// 收单机构: owes the merchant its payout and answers to the user.
        Acquirer = "acquirer",
        /// 清算机构: card network and switch.
        Network = "network",
        /// 发卡机构: bank that issued the card.
        Issuer = "issuer",
        /// 终端生产企业: maker of the terminal.
        Producer = "producer",
    }
}
