//! Payments: identity, outcome, exception kinds.

use std::fmt;

use crate::{Date, TerminalId};

crate::text_enum! {
    /// The eight kinds of exception (差错).
    ExceptionKind {
        /// 未读: card not read or accepted.
        Unread = "K1",
        /// 拒绝: declined.
        Declined = "K2",
        /// 结果不明: timed out, outcome unknown.
        Unknown = "K3",
        /// 已冲正: reversed by machine.
        Reversed = "K4",
        /// 单边账: cardholder debited, merchant not credited.
        OneSided = "K5",
        /// 资金转移: paid to another account, or another amount.
        Diverted = "K6",
        /// 迟付: merchant paid late.
        Late = "K7",
        /// 退单: charged back.
        ChargedBack = "K8",
    }
}

crate::text_enum! {
    /// How the attempt ended at the point of sale.
    Outcome {
        /// Approved.
        Approved = "approved",
        /// Declined with a code.
        Declined = "declined",
        /// Card not read; nothing was sent.
        Unread = "unread",
        /// No reply and no confirmed reversal.
        Unknown = "unknown",
        /// No usable reply; reversed.
        Reversed = "reversed",
        /// Approved, then voided by a person.
        Voided = "voided",
        /// Approved, then refunded by a person.
        Refunded = "refunded",
    }
}

crate::text_enum! {
    /// Kind of card.
    CardType {
        /// 借记卡.
        Debit = "debit",
        /// 贷记卡.
        Credit = "credit",
        /// Not said by any record.
        Unknown = "unknown",
    }
}

/// A card number as far as Onus keeps it: first six and last four digits and the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MaskedPan {
    first6: u32,
    last4: u16,
    digits: u8,
}

impl MaskedPan {
    /// Reads digits with any filler in the middle: `999906*********9821`, or a full number, of which only the ends are kept.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let (head, tail) = (text.get(..6)?, text.get(text.len().checked_sub(4)?..)?);
        let number = |bytes: &[u8]| {
            bytes.iter().try_fold(0u32, |sum, b| b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0')))
        };
        if text.len() < 12 || text.len() > 19 {
            return None;
        }
        Some(Self {
            first6: number(head)?,
            last4: u16::try_from(number(tail)?).ok()?,
            digits: u8::try_from(text.len()).ok()?,
        })
    }

    /// Issuer identification: the first six digits.
    #[must_use]
    pub const fn bin(self) -> u32 {
        self.first6
    }

    /// Whether the two can be the same card.
    #[must_use]
    pub const fn same_card(self, other: Self) -> bool {
        self.first6 == other.first6 && self.last4 == other.last4 && self.digits == other.digits
    }
}

impl fmt::Display for MaskedPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits == 0 {
            return Ok(());
        }
        let middle = usize::from(self.digits).saturating_sub(10);
        write!(f, "{:06}{}{:04}", self.first6, "*".repeat(middle), self.last4)
    }
}

/// A payment's key did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected DATE.TERMINAL.BATCH.TRACE or DATE.TERMINAL.BATCH.sSEQUENCE, such as 2026-09-21.29000556.000813.274316, found {found:?}"
)]
pub struct PaymentKeyError {
    found: String,
}

/// The terminal's key of an attempt: (date, terminal, batch, trace), or the terminal's own sequence if it was never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaymentKey {
    /// Local date at the terminal.
    pub date: Date,
    /// Terminal (F41).
    pub tid: TerminalId,
    /// Batch (F60.2).
    pub batch: u32,
    /// Trace number (F11); none when the attempt was never sent.
    pub stan: Option<u32>,
    /// The terminal's sequence, used when there is no trace number or when a trace number was used twice; 0 otherwise.
    pub seq: u32,
}

impl PaymentKey {
    /// Reads the text form.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, PaymentKeyError> {
        let wrong = || PaymentKeyError { found: text.chars().take(60).collect() };
        let mut parts = text.split('.');
        let date = Date::parse(parts.next().unwrap_or_default().as_bytes()).map_err(|_| wrong())?;
        let tid = TerminalId::new(parts.next().unwrap_or_default().as_bytes()).map_err(|_| wrong())?;
        let number = |part: Option<&str>| part.and_then(|digits| digits.parse().ok()).ok_or_else(wrong);
        let batch = number(parts.next())?;
        let last = parts.next().ok_or_else(wrong)?;
        match last.strip_prefix('s') {
            Some(seq) => Ok(Self { date, tid, batch, stan: None, seq: number(Some(seq))? }),
            None => {
                let (stan, seq) = last.split_once('~').unwrap_or((last, "0"));
                Ok(Self { date, tid, batch, stan: Some(number(Some(stan))?), seq: number(Some(seq))? })
            }
        }
    }
}

impl fmt::Display for PaymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stan {
            Some(stan) if self.seq == 0 => write!(f, "{}.{}.{:06}.{stan:06}", self.date, self.tid, self.batch),
            Some(stan) => write!(f, "{}.{}.{:06}.{stan:06}~{}", self.date, self.tid, self.batch, self.seq),
            None => write!(f, "{}.{}.{:06}.s{}", self.date, self.tid, self.batch, self.seq),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_round_trip() {
        for text in [
            "2026-09-21.29000556.000813.274316",
            "2026-09-21.28385091.000103.s11",
            "2026-09-21.28385091.000103.000007~12",
        ] {
            assert_eq!(PaymentKey::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "2026-09-21", "2026-09-21.1", "2026-09-21.1.x.y", "2026-09-21.1.1"] {
            assert!(PaymentKey::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pan_keeps_only_the_ends() {
        let masked = MaskedPan::read(b"999906*********9821").unwrap();
        let full = MaskedPan::read(b"9999067699424419821").unwrap();
        assert_eq!(masked, full);
        assert_eq!(full.to_string(), "999906*********9821");
        assert!(MaskedPan::read(b"123").is_none());
        assert!(MaskedPan::read(b"99990x*********9821").is_none());
    }
}
