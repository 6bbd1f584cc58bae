//! Names of the domain's words in both languages, as in docs/glossary.md.

use onus_model::{BreakClass, Cause};

/// Chinese and English name of a fine class of breaks; the code itself when it is not known.
pub(crate) fn break_class(code: &str) -> (String, String) {
    owned(BreakClass::parse(code).map(break_texts), code)
}

/// Chinese and English name of a cause; the code itself when it is not known.
pub(crate) fn cause(code: &str) -> (String, String) {
    owned(Cause::parse(code).map(cause_texts), code)
}

/// Chinese and English name of a column of an imported file; none when the column's own name must do.
pub(crate) fn column(name: &str) -> Option<(&'static str, &'static str)> {
    COLUMNS.iter().find(|(known, _, _)| *known == name).map(|(_, zh, en)| (*zh, *en))
}

/// Minor units as yuan with thousands separated: `1,234.50`.
pub(crate) fn yuan(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = (minor.unsigned_abs() / 100).to_string();
    let mut whole = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            whole.push(',');
        }
        whole.push(digit);
    }
    format!("{sign}{whole}.{:02}", minor.unsigned_abs() % 100)
}

fn owned(texts: Option<(&str, &str)>, code: &str) -> (String, String) {
    let (zh, en) = texts.unwrap_or((code, code));
    (zh.to_owned(), en.to_owned())
}

const fn break_texts(class: BreakClass) -> (&'static str, &'static str) {
    match class {
        BreakClass::MerchantSwapped => ("跳码", "another merchant gets the money"),
        BreakClass::MccJump => ("套码", "another merchant category"),
        BreakClass::PayoutDiverted => ("出款账户被改", "paid to another account"),
        BreakClass::PayeeAltered => ("待付账户被改", "not paid yet, account changed without control"),
        BreakClass::RefundDiverted => ("隐藏退货", "hidden refund"),
        BreakClass::TermMissing => ("终端无流水", "no journal line"),
        BreakClass::TermUnaware => ("终端不知成功", "terminal unaware of success"),
        BreakClass::AmountTerm => ("终端与报文金额不符", "journal and wire amounts differ"),
        BreakClass::AmountClear => ("报文与清算金额不符", "wire and clearing amounts differ"),
        BreakClass::DupClear => ("重复清算", "cleared more than once"),
        BreakClass::SwitchOnly => ("有报文无清算", "on the wire, not cleared"),
        BreakClass::ReversalLost => ("冲正丢失", "reversal lost"),
        BreakClass::PayoutMissing => ("有清算无出款", "cleared, not paid out"),
        BreakClass::LatePayout => ("迟付", "paid out late"),
        BreakClass::PayoutShort => ("出款金额不符", "payout differs from clearing"),
    }
}

const fn cause_texts(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::CardFunds => ("余额不足", "not enough funds"),
        Cause::CardLimit => ("超限额", "card limit"),
        Cause::CardStatus => ("卡状态异常", "card status"),
        Cause::CardPin => ("密码错误", "wrong PIN"),
        Cause::CardRisk => ("发卡行风控", "issuer's risk control"),
        Cause::NetTerm => ("终端网络", "terminal's network"),
        Cause::NetAgent => ("代理商网关", "agent's gateway"),
        Cause::NetAcq => ("收单机构系统或线路", "acquirer's systems or line"),
        Cause::NetUp => ("转接清算网络", "card network or its switch"),
        Cause::NetIss => ("发卡行系统", "issuer's host"),
        Cause::TermHw => ("终端硬件", "terminal hardware"),
        Cause::TermCfg => ("终端参数", "terminal configuration"),
        Cause::TermKey => ("终端密钥", "terminal keys"),
        Cause::TermOutdated => ("终端程序过旧", "outdated terminal program"),
        Cause::MaintError => ("维护失误", "error made in maintenance"),
        Cause::MaintOverdue => ("维护逾期", "maintenance overdue"),
        Cause::TamperAgent => ("代理商篡改终端程序", "program changed by the agent"),
        Cause::TamperMerchant => ("商户篡改终端程序", "program changed by the merchant"),
        Cause::TamperOutsider => ("外部人员篡改终端程序", "program changed by an outsider"),
        Cause::TamperSupply => ("供应链篡改终端程序", "program changed in the supply chain"),
        Cause::MerchRule => ("商户违规", "merchant broke a rule"),
        Cause::MerchService => ("商户未提供商品或服务", "goods or service not delivered"),
        Cause::AcqBoarding => ("入网设置错误", "acquirer's set-up"),
        Cause::AcqSettle => ("收单结算差错", "acquirer's clearing or payout"),
        Cause::AcqRiskHold => ("风控延迟结算", "held by the acquirer's risk control"),
        Cause::OpError => ("操作失误", "cashier's error"),
        Cause::ChFraud => ("第三人欺诈", "fraud by a third person"),
        Cause::ChFriendly => ("持卡人否认本人交易", "cardholder disputes an own payment"),
        Cause::Unknown => ("原因不明", "not known"),
    }
}

const COLUMNS: &[(&str, &str, &str)] = &[
    ("direction", "方向", "direction"),
    ("lat", "纬度", "latitude"),
    ("lon", "经度", "longitude"),
    ("cell", "基站", "cell"),
    ("ip_country", "IP 所在国家", "country of the IP address"),
    ("date", "日期", "date"),
    ("time", "时间", "time"),
    ("seq", "终端序号", "terminal's sequence"),
    ("tid", "终端号", "terminal id"),
    ("serial", "终端序列号", "terminal serial"),
    ("merchant_code", "商户编号", "merchant code"),
    ("merchant_name", "商户名称", "merchant name"),
    ("txn", "交易类型", "type"),
    ("batch", "批次号", "batch"),
    ("stan", "流水号", "trace number"),
    ("network_stan", "网络流水号", "network trace number"),
    ("transmission_time", "传输时间", "transmission time"),
    ("pan_masked", "卡号", "card number"),
    ("amount_fen", "金额（分）", "amount (fen)"),
    ("entry_mode", "读卡方式", "entry mode"),
    ("pin", "密码输入", "PIN entered"),
    ("rc", "应答码", "response code"),
    ("text", "终端提示", "text shown"),
    ("slip", "签购单", "slip"),
    ("reversal", "冲正", "reversal"),
    ("ref_no", "参考号", "reference number"),
    ("app_version", "程序版本", "program version"),
    ("settle_date", "清算日期", "settlement date"),
    ("trade_code", "交易代码", "trade code"),
    ("mcc", "商户类别码", "merchant category"),
    ("card_type", "卡种", "card type"),
    ("fee_fen", "手续费（分）", "fee (fen)"),
    ("net_fen", "净额（分）", "net amount (fen)"),
    ("net_amount", "净额", "net amount"),
    ("fee", "手续费", "fee"),
    ("acquirer", "收单机构", "acquirer"),
    ("forwarder", "发送机构", "forwarder"),
    ("terminal_type", "终端类型", "terminal type"),
    ("query_id", "查询流水", "query id"),
    ("order_number", "订单号", "order number"),
    ("auth_code", "授权码", "approval code"),
    ("settlement_amount", "清算金额", "settlement amount"),
    ("orig_network_stan", "原网络流水号", "original trace number"),
    ("orig_transmission_time", "原传输时间", "original transmission time"),
    ("sign", "借贷标志", "debit or credit"),
    ("payout_id", "出款编号", "payout id"),
    ("pay_date", "出款日期", "payout date"),
    ("payer_name", "付款人", "payer"),
    ("payer_account", "付款账户", "payer's account"),
    ("payee_account", "收款账户", "payee's account"),
    ("payee_name", "收款人", "payee"),
    ("payee_bank", "收款银行", "payee's bank"),
    ("items", "笔数", "items"),
    ("batch_ref", "批次", "batch reference"),
    ("status", "状态", "status"),
    ("value_time", "到账时间", "value time"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped() {
        let table = [
            (0, "0.00"),
            (5, "0.05"),
            (123_450, "1,234.50"),
            (100_000_000, "1,000,000.00"),
            (-12_345, "-123.45"),
            (99_999, "999.99"),
        ];
        for (minor, expected) in table {
            assert_eq!(yuan(minor), expected);
        }
    }

    #[test]
    fn unknown_codes_stand_for_themselves() {
        assert_eq!(break_class("NEW_CLASS").0, "NEW_CLASS");
        assert_eq!(break_class("MERCHANT_SWAPPED").0, "跳码");
        assert_eq!(cause("NET.UP").1, "card network or its switch");
    }
}
