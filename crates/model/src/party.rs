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
        /// 上级代理商: with whom an agent has its contract.
        AgentPrincipal = "agent_principal",
        /// 支付处理商: processes for a sponsor bank under its own contract with merchant or agent.
        Processor = "processor",
        /// 二级收单机构: takes the payout from the acquirer and owes it to the merchant.
        SubAcquirer = "sub_acquirer",
        /// 误收款人: received money by mistake.
        Recipient = "recipient",
        /// 行骗者: the wrongdoer, where no other role fits.
        Fraudster = "fraudster",
    }
}
