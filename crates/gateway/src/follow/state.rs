//! The words of following: states, reasons, events, actions.

use onus_model::{Instant, Text};
use serde::{Deserialize, Serialize};

use crate::seen::PaymentRef;

/// Declares a closed list with its fixed text form and its words in both languages.
macro_rules! worded {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal, $zh:literal, $en:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The fixed text form.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// In words, Chinese and English.
            #[must_use]
            pub fn text(self) -> Text {
                let (zh, en) = match self { $($name::$variant => ($zh, $en)),+ };
                Text { zh: zh.into(), en: en.into() }
            }
        }
    };
}
pub(crate) use worded;

worded! {
    /// State of a payment that the gateway follows.
    State {
        /// Forwarded; the host has time left.
        Sent = "SENT", "已发出，等待应答", "sent, waiting for the host";
        /// An approval was released; whether the terminal got it is not yet said.
        Releasing = "RELEASING", "应答正在交付终端", "the reply is on its way to the terminal";
        /// The host's time is over; the terminal may still reverse by itself.
        NoResponse = "NO_RESPONSE", "超时未应答", "no reply in time";
        /// An approval came that the terminal can no longer take.
        LateResponse = "LATE_RESPONSE", "迟到应答", "approved too late for the terminal";
        /// A reversal is queued, sent or between attempts.
        ReversalPending = "REVERSAL_PENDING", "冲正进行中", "reversal under way";
        /// End: the host approved and the terminal got the reply.
        Approved = "APPROVED", "已批准并送达终端", "approved and delivered";
        /// End: the host refused; nothing was debited.
        Declined = "DECLINED", "主机拒绝", "refused by the host";
        /// End: never left the gateway.
        NotSent = "NOT_SENT", "未发往主机", "never sent to the host";
        /// End: the host approved, and a crash hides whether the terminal got the reply.
        DeliveryUnknown = "DELIVERY_UNKNOWN", "送达与否不明", "approved, delivery not known";
        /// End: the host reversed what it knew.
        Reversed = "REVERSED", "已冲正", "reversed";
        /// No proof either way; kept in view for a while, then the end.
        ReversalUnconfirmed = "REVERSAL_UNCONFIRMED", "冲正未证实", "reversal not confirmed";
        /// The host approved, the terminal did not get it, and no reversal succeeded; kept in view, then the end.
        OneSided = "ONE_SIDED", "单边账", "one-sided: debited, not credited";
        /// End: put right by hand.
        Adjusted = "ADJUSTED", "已调账", "adjusted by hand";
        /// End: the acquirer reversed for its own time-out (switch outcome 08).
        AcquirerReversed = "ACQUIRER_REVERSED", "受理方超时冲正", "reversed by the acquirer";
        /// End: the switch reversed for its time-out (switch outcome 09).
        CentreReversed = "CENTRE_REVERSED", "中心超时冲正", "reversed by the switch";
        /// End: the switch could not hand its reply to the acquirer and reversed (switch outcome 11).
        ReplyFailed = "REPLY_FAILED", "向受理方回应答失败，中心冲正", "the switch could not hand over its reply and reversed";
        /// End: voided after it took effect (switch outcome 12).
        Voided = "VOIDED", "生效后撤消", "voided";
    }
}

impl State {
    /// Whether nothing follows.
    #[must_use]
    pub fn is_end(self) -> bool {
        !self.is_busy() && !self.lingers()
    }

    /// Whether something is still expected of the gateway, the host or the terminal.
    #[must_use]
    pub fn is_busy(self) -> bool {
        use State::{LateResponse, NoResponse, Releasing, ReversalPending, Sent};
        matches!(self, Sent | Releasing | NoResponse | LateResponse | ReversalPending)
    }

    /// Whether it is an uncertain end that is kept in view for a while.
    #[must_use]
    pub fn lingers(self) -> bool {
        matches!(self, State::ReversalUnconfirmed | State::OneSided)
    }
}

worded! {
    /// Why a state changed, or a reply was withheld.
    Reason {
        /// Forwarded.
        Forwarded = "forwarded", "已转发", "forwarded";
        /// No host took it.
        NoHost = "no-host", "无可用主机，未发出任何字节", "no host, and no byte was sent";
        /// The host approved in time.
        Approval = "approval", "主机批准", "the host approved";
        /// The host refused.
        Refusal = "refusal", "主机拒绝", "the host refused";
        /// The reply was written to the terminal.
        Delivered = "delivered", "应答已写给终端", "the reply was written to the terminal";
        /// The terminal's connection was gone.
        TerminalGone = "terminal-gone", "终端连接已断", "the terminal's connection was gone";
        /// The gateway stopped between release and delivery.
        DeliveryUnseen = "delivery-unseen", "交付结果未见记录", "no record of the delivery";
        /// The host's time is over.
        HostTimeout = "host-timeout", "主机超时", "the host's time is over";
        /// The terminal sent its own reversal.
        TerminalReversed = "terminal-reversed", "终端自行冲正", "the terminal sent its own reversal";
        /// An approval came after the time was over.
        LateApproval = "late-approval", "批准应答迟到", "an approval came late";
        /// An approval came although a reversal had begun.
        ReversalBegun = "reversal-begun", "冲正已开始", "a reversal had begun";
        /// The stored reversal is due.
        Due = "due", "到时补发冲正", "the stored reversal is due";
        /// The host answered the reversal, and it had known the original.
        HostReversed = "host-reversed", "主机已知原交易并确认冲正", "the host knew the original and reversed it";
        /// The host said "already reversed" after it had said "done".
        HostConfirmed = "host-confirmed", "主机再次确认已冲正", "the host said again that it is reversed";
        /// The host answered the reversal, but nothing shows that it ever saw the original.
        OriginalUnseen = "original-unseen", "应答冲正成功，但无法证明主机见过原交易", "answered done, but nothing shows that the host ever saw the original";
        /// The host answered the reversal before its approval came.
        ApprovedAfter = "approved-after", "批准应答晚于该次冲正", "the approval came after that reversal was sent";
        /// Already reversed, or in no state to be.
        AlreadyOrWrongState = "already-or-wrong-state", "已冲正或状态不符", "already reversed, or in no state to be";
        /// The host says that the original had failed.
        SaysOriginalFailed = "says-original-failed", "主机称原交易失败", "the host says that the original had failed";
        /// The host refused the reversal.
        ReversalRefused = "reversal-refused", "主机拒绝冲正", "the host refused the reversal";
        /// No attempt is left.
        Exhausted = "exhausted", "重发次数用尽", "no attempt is left";
        /// The gateway has nothing to send a reversal from.
        NothingStored = "nothing-stored", "无存储的冲正可发", "no stored reversal to send";
        /// No host could take the reversal for too long.
        NoHostTooLong = "no-host-too-long", "长时间无主机可发", "no host could take the reversal for too long";
        /// The switch said so.
        SwitchSaid = "switch-said", "交换中心结果", "the switch's own outcome";
        /// A person put it right.
        ByHand = "by-hand", "人工调账", "put right by hand";
    }
}

/// The switch's own outcome of a payment, 01 to 13. Public meanings: 05 approved, then reversed; 08 reversed by the
/// acquirer for a time-out; 09 reversed by the switch for a time-out; 10 late reply; 11 the reply could not be handed
/// to the acquirer, the switch reversed; 12 voided after it took effect. The meanings of the others are not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct SwitchOutcome(u8);

impl SwitchOutcome {
    /// An outcome; none outside 1 to 13.
    #[must_use]
    pub fn new(number: u8) -> Option<SwitchOutcome> {
        (1..=13).contains(&number).then_some(SwitchOutcome(number))
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// The state that it proves, if it proves one.
    #[must_use]
    pub fn state(self) -> Option<State> {
        match self.0 {
            5 => Some(State::Reversed),
            8 => Some(State::AcquirerReversed),
            9 => Some(State::CentreReversed),
            11 => Some(State::ReplyFailed),
            12 => Some(State::Voided),
            _ => None,
        }
    }
}

impl TryFrom<u8> for SwitchOutcome {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        SwitchOutcome::new(number).ok_or_else(|| format!("switch outcome {number}: expected 1 to 13"))
    }
}

impl From<SwitchOutcome> for u8 {
    fn from(outcome: SwitchOutcome) -> u8 {
        outcome.0
    }
}

/// What is known about the host and the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostKnows {
    /// Bytes may have been sent, no answer was seen: the host may never have seen it.
    Unknown,
    /// The host approved it at this time.
    #[serde(with = "crate::micros")]
    Approved(Instant),
}

/// Who sent a reversal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sender {
    /// The gateway, from what it stored.
    Gateway,
    /// The terminal.
    Terminal,
}

/// What happened to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The request goes upstream: give it before the first byte is written.
    Sent {
        /// The journal's number of the exchange.
        exchange: u64,
        /// The gateway holds what a reversal repeats.
        stored: bool,
    },
    /// No host took it and no byte was written.
    NotSent,
    /// The host answered the payment.
    Reply {
        /// Response code.
        code: [u8; 2],
    },
    /// The released reply was written; also when only a part of it may have been.
    Delivered,
    /// The released reply was not written, not one byte.
    NotDelivered,
    /// The terminal's connection closed.
    TerminalGone,
    /// The terminal's own reversal goes upstream.
    TerminalReversal {
        /// What the gateway knows about the original when it is not open here any more.
        host: HostKnows,
        /// The journal's number of the reversal's exchange.
        exchange: u64,
    },
    /// The host answered a reversal.
    ReversalReply {
        /// Whose reversal.
        sender: Sender,
        /// Response code.
        code: [u8; 2],
    },
    /// The stored reversal could not be sent: no host, no byte written.
    ReversalNotSent,
    /// The switch's own outcome became known.
    Switch(SwitchOutcome),
    /// A person put it right.
    Adjusted,
}

/// What the gateway must do, or write down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Give the host's reply to the terminal, then say [`Event::Delivered`] or [`Event::NotDelivered`] (for a refusal
    /// nothing need be said: the payment has left).
    Release {
        /// The payment.
        payment: PaymentRef,
    },
    /// Do not give the host's reply to the terminal.
    Withhold {
        /// The payment.
        payment: PaymentRef,
        /// Why.
        reason: Reason,
    },
    /// Send the stored reversal now.
    SendReversal {
        /// The payment.
        payment: PaymentRef,
        /// The journal's number of the exchange it was stored with.
        exchange: u64,
        /// Which attempt, from 1.
        attempt: u8,
        /// Field 39 of the reversal.
        code: [u8; 2],
    },
    /// The state or what else is kept of the payment changed: write `now` down before acting on what follows.
    Changed {
        /// State before; none when it was not open.
        from: Option<State>,
        /// All that is kept of it.
        now: super::Open,
        /// Why.
        reason: Reason,
    },
    /// The payment leaves; nothing is kept of it.
    Closed {
        /// The payment.
        payment: PaymentRef,
        /// The journal's number of the exchange.
        exchange: u64,
        /// Its last state.
        end: State,
        /// Why that is its last.
        reason: Reason,
    },
    /// Too many payments are open: this one is not followed. Refuse the request or pass it knowingly.
    Full {
        /// The payment.
        payment: PaymentRef,
    },
    /// The event is about a payment that is not open, or comes at the wrong time. A reply of which this is said (a
    /// duplicate, or one for nothing) is not given to the terminal on the follower's word.
    NotExpected {
        /// The payment.
        payment: PaymentRef,
    },
}
