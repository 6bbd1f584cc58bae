//! The closed vocabulary of facts that tables may test.

/// Type of a fact's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// Yes or no.
    Bool,
    /// A code or free word.
    Code,
    /// One word of a closed list.
    Word(&'static [&'static str]),
}

/// A fact that Onus knows how to establish.
#[derive(Debug, Clone, Copy)]
pub struct FactName {
    /// Name in tables.
    pub name: &'static str,
    /// Type of its value.
    pub kind: FactKind,
    /// 中文.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

const fn fact(name: &'static str, kind: FactKind, zh: &'static str, en: &'static str) -> FactName {
    FactName { name, kind, zh, en }
}

use FactKind::{Bool, Code, Word};

/// All facts.
pub const VOCABULARY: &[FactName] = &[
    fact("kind", Word(&["K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8"]), "差错种类", "kind of exception"),
    fact("code.value", Code, "应答码", "response code"),
    fact(
        "code.written_by",
        Word(&["terminal", "acquirer", "network_side", "gateway", "host"]),
        "应答码由谁写入",
        "who wrote the response code",
    ),
    fact("wire.sent", Bool, "终端已发出请求", "the terminal sent a request"),
    fact("wire.forwarded", Bool, "请求已转发至网络", "the request went out to the network"),
    fact("wire.answered", Bool, "网络已应答", "the network answered"),
    fact("wire.approved", Bool, "网络应答为成功", "the network's answer was an approval"),
    fact("wire.replied", Bool, "已向终端应答", "the terminal was sent a reply"),
    fact("reply.long_text", Bool, "应答附加文本超过旧程序上限", "the reply holds more text than the old program reads"),
    fact("reversal.reason", Code, "终端冲正原因", "reason of the terminal's reversal"),
    fact(
        "reversal.terminal",
        Word(&["none", "confirmed", "unconfirmed"]),
        "终端冲正状态",
        "state of the terminal's reversal",
    ),
    fact("reversal.sent_to_network", Bool, "冲正已发往网络", "the reversal was sent to the network"),
    fact("reversal.confirmed_by_network", Bool, "网络已确认冲正", "the network confirmed the reversal"),
    fact(
        "reversal.gateway",
        Word(&["confirmed", "unconfirmed"]),
        "网关所发冲正的结果",
        "what became of the gateway's reversal",
    ),
    fact("gateway.host_silent", Bool, "主机未在时限内应答网关", "the host did not answer the gateway in time"),
    fact("gateway.late_reply", Bool, "主机应答迟到", "the host's reply came too late"),
    fact("gateway.terminal_gone", Bool, "应答未能送达终端", "the reply could not be handed to the terminal"),
    fact("cleared", Bool, "已进入清算", "it was cleared"),
    fact("card.read", Bool, "终端读到卡", "the terminal read the card"),
    fact("card.stripe", Bool, "以磁条受理", "the stripe was used"),
    fact("card.chip_data", Bool, "请求含芯片数据", "the request carries chip data"),
    fact("card.pin_used", Bool, "使用了密码", "a PIN was used"),
    fact("terminal.part_bad", Bool, "终端自报部件故障", "the terminal reported a bad part"),
    fact("terminal.batch_defect", Bool, "同一生产批次普遍失败", "its production batch fails together"),
    fact("terminal.outdated", Bool, "程序已被新版本取代", "its program is superseded"),
    fact("terminal.knows_code", Bool, "终端程序认识该应答码", "its program has a text for the code"),
    fact("terminal.hash_unknown", Bool, "程序哈希不在发布目录", "it reported a program hash that no release has"),
    fact(
        "terminal.program_visit",
        Word(&["agent", "acquirer", "none"]),
        "谁到场重装过程序",
        "who reloaded its program on site",
    ),
    fact("terminal.moved", Bool, "终端不在登记地点", "it reports from far away from its place"),
    fact("terminal.keys_missing", Bool, "换主板后未重灌密钥", "its board was changed and no key loaded after"),
    fact("inspection.presale_passed", Bool, "售前检测合格", "a pre-sale test is recorded and passed"),
    fact("inspection.overdue", Bool, "代理商逾期未巡检", "the agent's inspection is overdue"),
    fact(
        "update.state",
        Word(&["not_offered", "installed", "not_installed", "refused_by_merchant"]),
        "升级结果",
        "what became of the update offered",
    ),
    fact("merchant.setup_error", Bool, "收单机构商户配置有误", "the acquirer's set-up of the merchant was wrong"),
    fact(
        "episode.network_line",
        Bool,
        "同一网络线路上多终端同时失败",
        "payments of many terminals failed together on one network line",
    ),
    fact("episode.issuer", Bool, "同一发卡机构各处同时失败", "payments of one issuer failed together everywhere"),
    fact(
        "link.silent",
        Bool,
        "收单机构到网络的线路当时无心跳",
        "the acquirer's line to the network was silent at the time",
    ),
    fact(
        "break.merchant_swapped",
        Bool,
        "线上商户号与凭条不同且资金去往他处",
        "the wire carries another merchant than the slip, and the money went there",
    ),
    fact("break.refund_diverted", Bool, "终端日志没有的退货把款转走", "a refund unknown to the journal sent money on"),
    fact("break.payout_diverted", Bool, "出款到非本商户账户", "paid out to an account that is not the merchant's own"),
    fact("break.amount_clear", Bool, "清算金额与授权金额不同", "cleared amount differs from the authorised one"),
    fact("break.amount_term", Bool, "终端日志金额与线上不同", "journal amount differs from the wire"),
    fact("break.dup_clear", Bool, "重复清算", "cleared more than once"),
    fact("break.refund_not_cleared", Bool, "退货未进入清算", "a refund was not cleared"),
    fact(
        "account.changed_by",
        Word(&["agent", "merchant", "acquirer"]),
        "结算账户由谁变更",
        "whose credentials changed the settlement account",
    ),
    fact("account.dual_control", Bool, "账户变更经双人复核", "the account change was under dual control"),
    fact("hold.exists", Bool, "出款被风控冻结", "the payout was held by risk control"),
    fact("hold.ground", Bool, "冻结有理由", "the hold has a ground"),
    fact("hold.notice", Bool, "冻结已通知商户", "the merchant was told of the hold"),
    fact("dispute.reason", Code, "退单原因码", "reason code of the chargeback"),
    fact("dispute.rule_broken", Code, "退单违反的规则", "hard rule that the chargeback breaks, or none"),
    fact("slip.state", Word(&["retrieved", "missing"]), "签购单", "the slip"),
    fact("slip.printed", Bool, "终端打印了签购单", "the terminal printed the slip"),
    fact("slip.kept_by", Word(&["agent", "merchant"]), "签购单由谁保管", "who keeps the slips"),
];

/// The fact of a name.
#[must_use]
pub(crate) fn lookup(name: &str) -> Option<&'static FactName> {
    VOCABULARY.iter().find(|fact| fact.name == name)
}
