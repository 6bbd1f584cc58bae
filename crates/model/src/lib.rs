//! The words of the domain. Everything above this crate speaks them; it knows nothing of anything else.
//!
//! A *payment* is one card payment attempt at a terminal. An *exception* (差错) is a payment that did not end
//! as it should, of one of eight kinds ([`ExceptionKind`]). An *observation* is one source's view of one leg of
//! one payment; it is a reference into a sealed file ([`ObservationRef`]).

mod breaks;
mod cause;
mod date;
mod id_text;
mod observation;
mod party;
mod payment;
mod shares;
mod verdict;

pub use breaks::{BreakClass, CoarseBreak};
pub use cause::{Cause, FindingStatus};
pub use date::{Date, DateError, Instant, Zone};
pub use id_text::{Code, CodeError, MerchantCode, ResponseCode, TerminalId};
pub use observation::{LegKind, ObservationRef, Span};
pub use party::Party;
pub use payment::{CardType, ExceptionKind, MaskedPan, Outcome, PaymentKey, PaymentKeyError};
pub use shares::{Shares, SharesError};
pub use verdict::{
    AgentBasis, Automation, Episode, FactUsed, FactValue, Finding, Grade, Ground, Obligation, Reason, Text, Verdict,
    WouldChange,
};

/// Implements `as_str`, `Display`, `FromStr` and serde for an enum whose text form is fixed.
macro_rules! text_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// All values, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The fixed text form, as in files and on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// Reads the fixed text form.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                $name::parse(&text).ok_or_else(|| {
                    serde::de::Error::custom(format_args!(
                        "unknown {} {text:?}; expected one of {}",
                        stringify!($name),
                        [$($text),+].join(", "),
                    ))
                })
            }
        }
    };
}
pub(crate) use text_enum;
