//! What a detector found.

use onus_model::{Instant, Text};
use serde::{Deserialize, Serialize};

use crate::follow::worded;
use crate::seen::Tid;

worded! {
    /// What was found.
    AlarmKind {
        /// A terminal says that it waits less than the host may take.
        TimeoutDeclared = "timeout-declared", "终端超时参数短于受理方", "the terminal's time-out is set shorter than the host's";
        /// A terminal gives up before the host's time is over.
        TimeoutMeasured = "timeout-measured", "终端在主机超时前放弃等待", "the terminal gives up before the host's time is over";
        /// A response code that the terminal's program has no text for.
        CodeUnknown = "code-unknown", "应答码不在终端应用码表中", "the terminal's program has no text for the response code";
        /// Replies 99 or A0 in a row at one terminal: its keys are out of step.
        KeyBurst = "key-burst", "终端密钥可能失步（连续 99/A0）", "keys out of step: replies 99 or A0 in a row";
        /// Replies 55 in a row at one terminal.
        PinBurst = "pin-burst", "终端连续密码错（55）", "replies 55 in a row";
        /// Reply 77 at many terminals.
        SignInStorm = "sign-in-storm", "大量终端被要求签到（77）", "many terminals are told to sign in (77)";
        /// Reply 94 at many terminals.
        DuplicateStorm = "duplicate-storm", "大量终端重复流水（94）", "many terminals repeat trace numbers (94)";
        /// A reversal for a missing reply, and the host never gave one.
        HostSilent = "host-silent", "超时冲正：主机从未应答", "reversal for no reply: the host never answered";
        /// A reversal for a missing reply, although the reply went to the terminal.
        AnswerLost = "answer-lost", "超时冲正：应答已发往终端但未收到", "reversal for no reply: the reply was lost behind the gateway";
        /// One serial number at two terminal numbers.
        SerialTwice = "serial-twice", "同一序列号出现在两个终端号", "one serial number at two terminal numbers";
        /// Two places too far apart for the time between.
        Travel = "travel", "短时间内出现在相距过远的两地", "two places too far apart for the time between";
        /// The address is far from where the terminal says it is, or is bound.
        AddressFar = "address-far", "网络地址与终端位置相距过远", "the network address is far from the terminal's place";
        /// A cipher of field 59 came with another card, or from another terminal.
        CipherCopied = "cipher-copied", "域 59 密文用于另一张卡或另一终端", "a cipher of field 59 came with another card or from another terminal";
        /// A cipher of field 59 repeats with different payments.
        CipherRepeats = "cipher-repeats", "域 59 密文在不同交易中重复", "a cipher of field 59 repeats with different payments";
        /// The factor of field 59 is not the end of this card's number.
        FactorForeign = "factor-foreign", "域 59 加密因子与卡号不符", "the factor of field 59 is not of this card";
    }
}

/// One alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What was found.
    pub kind: AlarmKind,
    /// Where; in a storm the terminal that made it one.
    pub tid: Tid,
    /// The other terminal, where there are two.
    pub other: Option<Tid>,
    /// Response code.
    pub code: Option<[u8; 2]>,
    /// Program version: that of the terminal, in a storm the one that most of them run.
    pub app_version: Option<[u8; 8]>,
    /// What was measured: milliseconds of time-outs and waits, events, terminals, metres.
    pub found: u64,
    /// What it was measured against, in the same unit; 0 where there is nothing to hold it against.
    pub limit: u64,
    /// When.
    #[serde(with = "crate::micros")]
    pub at: Instant,
}

impl Alarm {
    pub(super) fn new(kind: AlarmKind, tid: Tid, found: u64, limit: u64, at: Instant) -> Alarm {
        Alarm { kind, tid, other: None, code: None, app_version: None, found, limit, at }
    }

    /// What was found, with its numbers, in Chinese and English.
    #[must_use]
    pub fn text(&self) -> Text {
        use AlarmKind::{
            AddressFar, AnswerLost, CipherRepeats, DuplicateStorm, HostSilent, KeyBurst, PinBurst, SignInStorm,
            TimeoutDeclared, TimeoutMeasured, Travel,
        };
        let Text { mut zh, mut en } = self.kind.text();
        let (unit_zh, unit_en) = match self.kind {
            TimeoutDeclared | TimeoutMeasured | HostSilent => ("毫秒", "ms"),
            KeyBurst | PinBurst | CipherRepeats => ("次", "times"),
            SignInStorm | DuplicateStorm => ("台", "terminals"),
            Travel | AddressFar => ("米", "m"),
            _ => ("", ""),
        };
        if self.kind == AnswerLost {
            zh.push_str(&format!("：应答发出后 {} 毫秒", self.found));
            en.push_str(&format!(": {} ms after the reply", self.found));
        } else if !unit_en.is_empty() {
            zh.push_str(&format!("：{} {unit_zh}，界限 {} {unit_zh}", self.found, self.limit));
            en.push_str(&format!(": {} {unit_en} against {} {unit_en}", self.found, self.limit));
        }
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if let Some(code) = self.code {
            zh.push_str(&format!("；应答码 {}", shown(&code)));
            en.push_str(&format!("; code {}", shown(&code)));
        }
        if let Some(version) = self.app_version {
            zh.push_str(&format!("；应用版本 {}", shown(&version)));
            en.push_str(&format!("; program {}", shown(&version)));
        }
        if let Some(other) = self.other {
            zh.push_str(&format!("；另一终端 {}", shown(&other)));
            en.push_str(&format!("; other terminal {}", shown(&other)));
        }
        Text { zh, en }
    }
}
