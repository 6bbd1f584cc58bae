//! What an operator sets, as TOML. `docs/examples/gateway.toml` shows every part; every default is stated here.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::detect::DetectConfig;
use crate::follow::FollowPolicy;
use crate::gate::GateRule;
use crate::seen::LocationTag;

/// The whole configuration of one gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of this gateway, as its journal says it. Default `gateway`.
    #[serde(default = "default_name")]
    pub name: String,
    /// Dialect of both sides: the id of a built-in one. Default `unionpay-pos`.
    #[serde(default = "default_dialect")]
    pub dialect: String,
    /// Threads that carry traffic; 0 (default) means one for each processor. There are never more than connections to
    /// the host that has the fewest, because every thread has connections of its own.
    #[serde(default)]
    pub workers: usize,
    /// The side of the terminals.
    pub terminals: Terminals,
    /// The side of the hosts.
    pub upstream: Upstream,
    /// The journal.
    pub journal: JournalConfig,
    /// Rules of the gate, in order; none (default) lets everything pass.
    #[serde(default)]
    pub gate: Vec<GateRule>,
    /// How payments without a reply are followed; `host_timeout_ms` is also what every other request gets.
    #[serde(default)]
    pub follow: FollowPolicy,
    /// Thresholds of the detectors.
    #[serde(default)]
    pub detect: DetectConfig,
    /// A file with the MAC key (hexadecimal) that the hosts gave this gateway: its own reversals then carry a MAC.
    /// Without it (default) they carry none.
    #[serde(default)]
    pub mac_key_file: Option<PathBuf>,
    /// Where in field 59 a terminal says where it is; without it, the place of a terminal is not known from messages.
    #[serde(default)]
    pub location: Option<LocationTag>,
}

/// Where terminals connect, and what they may do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terminals {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Connections at one time; one more is closed at once. Default 20,000.
    #[serde(default = "default_max_connections")]
    pub max_connections: usize,
    /// New connections a second from one address; more are closed at once. Terminals of a carrier share addresses, so
    /// do not set it low. 0 means no limit. Default 500.
    #[serde(default = "default_connects_per_s")]
    pub connects_per_s: u32,
    /// Longest frame in bytes, without its prefix; a longer one ends the connection. Default 4,096.
    #[serde(default = "default_max_frame")]
    pub max_frame: usize,
    /// A frame that has begun must be whole within this; slow bytes end the connection. Default 10,000.
    #[serde(default = "default_frame_deadline_ms")]
    pub frame_deadline_ms: u64,
    /// A connection without traffic and without open requests ends after this. Default 600.
    #[serde(default = "default_idle_timeout_s")]
    pub idle_timeout_s: u64,
    /// Replies that a terminal does not take, in bytes, until its connection is ended. Default 65,536.
    #[serde(default = "default_unsent_bytes")]
    pub max_unsent_bytes: usize,
    /// Requests of one connection without a reply; more are not read until a reply came. Default 256.
    #[serde(default = "default_max_open")]
    pub max_open: usize,
    /// What to do with a frame that does not decode. Default `refuse`.
    #[serde(default)]
    pub undecodable: Undecodable,
    /// TLS; without it, plain TCP.
    #[serde(default)]
    pub tls: Option<ServerTls>,
}

/// What to do with a frame of a terminal that does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undecodable {
    /// Record it and end the connection.
    #[default]
    Refuse,
    /// Record it and send it on. A reply that does not decode, or that no exchange is known for, then goes to the
    /// oldest such request of the same connection to the host whose TPDU it mirrors.
    Pass,
}

/// TLS towards terminals.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
    /// Authorities of client certificates, PEM: with it, a terminal without a certificate is refused (mutual TLS).
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// The handshake must be done within this. Default 5,000.
    #[serde(default = "default_handshake_ms")]
    pub handshake_ms: u64,
}

/// TLS towards a host.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientTls {
    /// Authorities of the host's certificate, PEM.
    pub ca: PathBuf,
    /// Name in the host's certificate.
    pub server_name: String,
    /// Our certificate chain, PEM, for mutual TLS.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Our private key, PEM, for mutual TLS.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

/// The hosts and how they are spoken to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The hosts. Requests go in turn over all healthy connections of the first host that has one: put them in the
    /// order of preference, or under one name to share the load.
    pub hosts: Vec<Host>,
    /// A connection must stand within this. Default 5,000.
    #[serde(default = "default_connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// First pause before a connection is tried again; it doubles at each failure. Default 100.
    #[serde(default = "default_backoff_first_ms")]
    pub backoff_first_ms: u64,
    /// Longest such pause. Default 30,000.
    #[serde(default = "default_backoff_max_ms")]
    pub backoff_max_ms: u64,
    /// Seed of the jitter: each pause is shortened by up to a half, so that connections do not come back all at once.
    #[serde(default)]
    pub jitter_seed: u64,
    /// Code of the gateway's own reply when no connection is healthy: no host saw the request. Default `92`.
    #[serde(default = "default_unavailable_code")]
    pub unavailable_code: AnswerCode,
    /// Bytes that wait for one connection to a host; when full, requests are answered with `unavailable_code`. Default
    /// 4,194,304.
    #[serde(default = "default_link_bytes")]
    pub max_unsent_bytes: usize,
    /// Longest frame of a host in bytes. Default 4,096.
    #[serde(default = "default_max_frame")]
    pub max_frame: usize,
    /// Echo tests; without it, a connection is healthy as long as it stands.
    #[serde(default)]
    pub health: Option<Health>,
}

/// One host of the acquirer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Its name, as journal and statistics say it.
    pub name: String,
    /// Name or address, and port.
    pub address: String,
    /// Connections to it. Default 2.
    #[serde(default = "default_connections")]
    pub connections: usize,
    /// TLS; without it, plain TCP.
    #[serde(default)]
    pub tls: Option<ClientTls>,
}

/// Echo tests of the gateway's own: an 0820 with network management code 301 unless the fields say otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Pause between echoes of one connection. Default 10,000.
    #[serde(default = "default_echo_interval_ms")]
    pub interval_ms: u64,
    /// The reply must come within this. Default 3,000.
    #[serde(default = "default_echo_timeout_ms")]
    pub timeout_ms: u64,
    /// Echoes in a row without reply after which the connection is taken down and made anew; after the first one it
    /// gets no more payments. Default 3.
    #[serde(default = "default_echo_failures")]
    pub failures: u32,
    /// Message type. Default `0820`.
    #[serde(default = "default_echo_mti")]
    pub mti: String,
    /// Fields besides the trace number (11), as digits or text: the hosts know the gateway by them.
    pub fields: std::collections::BTreeMap<String, String>,
}

/// Where and how the journal is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalConfig {
    /// Folder of the segments; made if need be. One gateway has one folder.
    pub folder: PathBuf,
    /// When a reply is released. Default `before-reply`.
    #[serde(default)]
    pub durability: Durability,
    /// With `async`: records are on the disk (fdatasync) at most this after they were made, as long as the disk takes
    /// them. This is the loss window when the machine fails. Default 20.
    #[serde(default = "default_flush_ms")]
    pub flush_ms: u64,
    /// With `async`: so many bytes may be made but not yet on the disk; when full, requests wait unread. The other
    /// bound of the loss window. Default 8,388,608.
    #[serde(default = "default_unflushed_bytes")]
    pub max_unflushed_bytes: u64,
    /// A segment that is longer is closed and a new one begun. Default 67,108,864.
    #[serde(default = "default_segment_bytes")]
    pub segment_bytes: u64,
    /// A segment that is older is closed as well, unless nothing was recorded in it: closed segments are imported.
    /// Default 300.
    #[serde(default = "default_segment_s")]
    pub segment_s: u64,
    /// With `before-reply`: code of the gateway's own reply to a payment while the disk fails. Default `96`.
    #[serde(default = "default_failure_code")]
    pub failure_code: AnswerCode,
}

/// A response code of the gateway's own: two letters or digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AnswerCode([u8; 2]);

impl AnswerCode {
    /// Its two characters.
    #[must_use]
    pub fn bytes(self) -> [u8; 2] {
        self.0
    }
}

impl TryFrom<String> for AnswerCode {
    type Error = String;

    fn try_from(text: String) -> Result<AnswerCode, String> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric() => Ok(AnswerCode([*a, *b])),
            _ => Err(format!("expected a response code of two letters or digits, found {text:?}")),
        }
    }
}

impl From<AnswerCode> for String {
    fn from(code: AnswerCode) -> String {
        code.0.into_iter().map(char::from).collect()
    }
}

/// When a reply is released to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// After all records of its exchange are on the disk. While the disk fails, payments are refused.
    #[default]
    BeforeReply,
    /// At once. While the disk fails, records are counted as lost, and traffic goes on.
    Async,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is no TOML of the right form.
    #[error("gateway configuration: {0}")]
    Syntax(String),
    /// A value is out of its range.
    #[error("gateway configuration, {place}: {what}")]
    Value {
        /// Table and key.
        place: String,
        /// What is wrong and what to do.
        what: String,
    },
}

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// Says which value cannot be used and what to change.
    pub fn from_toml(text: &str) -> Result<Config, ConfigError> {
        let config: Config = toml::from_str(text).map_err(|error| ConfigError::Syntax(error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// A configuration with nothing but defaults, as tests and programs that embed a gateway start from.
    #[must_use]
    pub fn new(listen: SocketAddr, host: impl Into<String>, folder: impl Into<PathBuf>) -> Config {
        Config {
            name: default_name(),
            dialect: default_dialect(),
            workers: 0,
            terminals: Terminals {
                listen,
                max_connections: default_max_connections(),
                connects_per_s: default_connects_per_s(),
                max_frame: default_max_frame(),
                frame_deadline_ms: default_frame_deadline_ms(),
                idle_timeout_s: default_idle_timeout_s(),
                max_unsent_bytes: default_unsent_bytes(),
                max_open: default_max_open(),
                undecodable: Undecodable::default(),
                tls: None,
            },
            upstream: Upstream {
                hosts: vec![Host {
                    name: "host".into(),
                    address: host.into(),
                    connections: default_connections(),
                    tls: None,
                }],
                connect_timeout_ms: default_connect_timeout_ms(),
                backoff_first_ms: default_backoff_first_ms(),
                backoff_max_ms: default_backoff_max_ms(),
                jitter_seed: 0,
                unavailable_code: default_unavailable_code(),
                max_unsent_bytes: default_link_bytes(),
                max_frame: default_max_frame(),
                health: None,
            },
            journal: JournalConfig {
                folder: folder.into(),
                durability: Durability::default(),
                flush_ms: default_flush_ms(),
                max_unflushed_bytes: default_unflushed_bytes(),
                segment_bytes: default_segment_bytes(),
                segment_s: default_segment_s(),
                failure_code: default_failure_code(),
            },
            gate: Vec::new(),
            follow: FollowPolicy::default(),
            detect: DetectConfig::default(),
            mac_key_file: None,
            location: None,
        }
    }

    /// Checks what the types do not say.
    ///
    /// # Errors
    /// Says which value cannot be used and what to change.
    pub fn check(&self) -> Result<(), ConfigError> {
        let value = |place: &str, what: String| Err(ConfigError::Value { place: place.into(), what });
        let hosts = &self.upstream.hosts;
        if hosts.is_empty() {
            return value("upstream.hosts", "no host; name at least one [[upstream.hosts]]".into());
        }
        if let Some(host) = hosts.iter().find(|host| host.connections == 0 || host.connections > 1024) {
            return value("upstream.hosts", format!("{}: connections must be 1 to 1024", host.name));
        }
        if let Some(host) = hosts.iter().find(|host| !host.address.contains(':')) {
            return value("upstream.hosts", format!("{}: expected an address as name:port, found no port", host.name));
        }
        let frames = [("terminals", self.terminals.max_frame), ("upstream", self.upstream.max_frame)];
        if let Some((side, _)) = frames.into_iter().find(|(_, max)| !(64..=65_535).contains(max)) {
            return value(&format!("{side}.max_frame"), "must be 64 to 65535 bytes".into());
        }
        let at_least_one = [
            ("terminals.max_connections", self.terminals.max_connections as u64),
            ("terminals.frame_deadline_ms", self.terminals.frame_deadline_ms),
            ("terminals.idle_timeout_s", self.terminals.idle_timeout_s),
            ("terminals.max_open", self.terminals.max_open as u64),
            ("follow.host_timeout_ms", self.follow.host_timeout_ms.into()),
            ("upstream.connect_timeout_ms", self.upstream.connect_timeout_ms),
            ("upstream.backoff_first_ms", self.upstream.backoff_first_ms),
            ("journal.flush_ms", self.journal.flush_ms),
            ("journal.segment_s", self.journal.segment_s),
            ("journal.max_unflushed_bytes", self.journal.max_unflushed_bytes),
        ];
        if let Some((place, _)) = at_least_one.into_iter().find(|(_, number)| *number == 0) {
            return value(place, "must be at least 1".into());
        }
        if self.journal.segment_bytes < 65_536 {
            return value("journal.segment_bytes", "must be at least 65536".into());
        }
        if self.upstream.backoff_max_ms < self.upstream.backoff_first_ms {
            return value("upstream.backoff_max_ms", "must not be below backoff_first_ms".into());
        }
        Ok(())
    }

    /// How many threads carry traffic on a machine with so many processors.
    pub(crate) fn workers_on(&self, processors: usize) -> usize {
        let wanted = if self.workers == 0 { processors } else { self.workers };
        let fewest = self.upstream.hosts.iter().map(|host| host.connections).min().unwrap_or(1);
        wanted.clamp(1, fewest.max(1))
    }

    /// The time a reply may take.
    #[must_use]
    pub fn reply_timeout(&self) -> Duration {
        Duration::from_millis(self.follow.host_timeout_ms.into())
    }
}

macro_rules! defaults {
    ($($name:ident: $type:ty = $value:expr;)+) => { $(fn $name() -> $type { $value })+ };
}

defaults! {
    default_name: String = "gateway".into();
    default_dialect: String = "unionpay-pos".into();
    default_max_connections: usize = 20_000;
    default_connects_per_s: u32 = 500;
    default_max_frame: usize = 4_096;
    default_frame_deadline_ms: u64 = 10_000;
    default_idle_timeout_s: u64 = 600;
    default_unsent_bytes: usize = 65_536;
    default_max_open: usize = 256;
    default_handshake_ms: u64 = 5_000;
    default_connect_timeout_ms: u64 = 5_000;
    default_backoff_first_ms: u64 = 100;
    default_backoff_max_ms: u64 = 30_000;
    default_unavailable_code: AnswerCode = AnswerCode(*b"92");
    default_link_bytes: usize = 4 << 20;
    default_connections: usize = 2;
    default_echo_interval_ms: u64 = 10_000;
    default_echo_timeout_ms: u64 = 3_000;
    default_echo_failures: u32 = 3;
    default_echo_mti: String = "0820".into();
    default_flush_ms: u64 = 20;
    default_unflushed_bytes: u64 = 8 << 20;
    default_segment_bytes: u64 = 64 << 20;
    default_segment_s: u64 = 300;
    default_failure_code: AnswerCode = AnswerCode(*b"96");
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../docs/examples/gateway.toml");

    #[test]
    fn the_example_can_be_used_and_names_every_key() {
        let config = Config::from_toml(EXAMPLE).unwrap();
        assert_eq!(config.upstream.hosts.len(), 2);
        let dialect = onus_iso8583::Dialect::builtin(&config.dialect).unwrap();
        let health = config.upstream.health.as_ref().unwrap();
        let echo = crate::upstream::echo(dialect, health, 7).unwrap();
        assert_eq!(dialect.decode(&echo).unwrap().mti(), 0x0820);
        let value = serde_json::to_value(&config).unwrap();
        for table in ["terminals", "upstream", "journal"] {
            for key in value[table].as_object().unwrap().keys() {
                let named = [format!("\n{key} = "), format!("\n# {key} = "), format!("{key}]")];
                assert!(named.iter().any(|line| EXAMPLE.contains(line)), "the example does not show {table}.{key}");
            }
        }
    }

    #[test]
    fn the_defaults_stated_by_the_example_are_the_defaults() {
        let example = serde_json::to_value(Config::from_toml(EXAMPLE).unwrap()).unwrap();
        let defaults = Config::new(([127, 0, 0, 1], 7000).into(), "127.0.0.1:9000", "gateway-journal");
        let defaults = serde_json::to_value(defaults).unwrap();
        assert_eq!(example["terminals"], defaults["terminals"]);
        assert_eq!(example["journal"], defaults["journal"]);
        for (key, value) in defaults["upstream"].as_object().unwrap() {
            let own = ["hosts", "health"].contains(&key.as_str());
            assert!(own || example["upstream"][key] == *value, "upstream.{key}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_place() {
        let table = [
            ("max_connections = 20000", "max_connections = 0", "terminals.max_connections: must be at least 1"),
            ("max_frame = 4096", "max_frame = 70000", "terminals.max_frame: must be 64 to 65535 bytes"),
            ("connections = 4", "connections = 0", "posp-a: connections must be 1 to 1024"),
            ("127.0.0.1:9001", "localhost", "posp-b: expected an address as name:port, found no port"),
            ("segment_bytes = 67108864", "segment_bytes = 10", "must be at least 65536"),
            ("backoff_max_ms = 30000", "backoff_max_ms = 10", "must not be below backoff_first_ms"),
            ("unavailable_code = \"92\"", "unavailable_code = \"9\"", "two letters or digits"),
            ("workers = 0", "workerz = 0", "unknown field"),
        ];
        for (from, to, says) in table {
            assert!(EXAMPLE.contains(from), "{from}");
            let error = Config::from_toml(&EXAMPLE.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(says), "{to}: {error}");
        }
    }
}
