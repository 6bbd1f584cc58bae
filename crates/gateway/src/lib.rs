//! Inline ISO 8583 proxy between terminals and the acquirer's hosts.

pub mod card_token;
mod clock;
pub mod config;
pub mod detect;
mod exchange;
pub mod follow;
mod framing;
pub mod gate;
mod gateway;
#[cfg(test)]
mod guide_tests;
mod journal;
mod listener;
mod micros;
mod outbox;
pub mod outcomes;
pub mod place;
mod pump;
mod pursuit;
mod refusal;
pub mod seen;
mod small_text;
pub mod snapshot;
mod stats;
mod terminal_block;
mod terminal_side;
mod tls;
mod upstream;
mod watch;
mod worker;

pub use clock::{Clock, SystemClock};
pub use config::{Config, ConfigError};
pub use gateway::{Gateway, OpenExchange, SnapshotSource, StartError};
pub use journal::{JournalError, JournalState};
pub use small_text::SmallText;
pub use stats::{AlarmText, Counts, Latency, LinkStats, Stats};
pub use terminal_block::{Serial, TerminalStatus};
pub use tls::TlsError;
pub use upstream::EchoError;

#[cfg(test)]
mod following_tests;
#[cfg(test)]
mod passing_tests;
#[cfg(test)]
mod test_peers;
#[cfg(test)]
mod tls_tests;
