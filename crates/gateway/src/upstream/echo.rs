//! Echo tests: whether a host behind a connection still answers.

use std::convert::Infallible;
use std::time::Duration;

use onus_intake::tap::LinkState;
use onus_iso8583::EncodeError;

use super::Link;
use super::connection::say_state;
use crate::config::Health;
use crate::outbox::Outbox;
use crate::seen::Key;
use crate::stats::count;
use crate::worker::Worker;

/// Whether a reply answers the echo that is out; if so the connection is healthy.
pub(super) fn is_answer(worker: &Worker, link: &Link, key: &Key) -> bool {
    if worker.shared.config.upstream.health.is_none() {
        return false;
    }
    let mut inner = link.inner();
    let answers = inner.echo.is_some_and(|echo| echo.without_batch() == key.without_batch());
    if answers {
        inner.echo = None;
        drop(inner);
        say_state(worker, link, LinkState::Up, "the echo was answered");
    }
    answers
}

/// Sends echoes and judges the connection by them; ends only with the connection.
pub(super) async fn keep_testing(worker: &Worker, link: &Link, outbox: &Outbox) -> Infallible {
    let Some(health) = &worker.shared.config.upstream.health else {
        return std::future::pending().await;
    };
    let (interval, timeout) = (Duration::from_millis(health.interval_ms), Duration::from_millis(health.timeout_ms));
    let (mut trace, mut failures) = (u32::from(link.number), 0);
    loop {
        trace = trace % 999_999 + 1;
        match message(worker, health, trace) {
            Ok((frame, key)) => {
                link.inner().echo = Some(key);
                count(&worker.counters.echoes);
                // A full queue is as good as no answer.
                let _ = link.send_own(&frame);
            }
            Err(why) => tracing::error!("echo: {why}"),
        }
        tokio::time::sleep(timeout).await;
        if link.inner().echo.take().is_some() {
            failures += 1;
            count(&worker.counters.failed_echoes);
            say_state(worker, link, LinkState::Sick, "an echo was not answered in time");
            if failures >= health.failures {
                outbox.end("echoes were not answered", false);
            }
        } else {
            failures = 0;
        }
        tokio::time::sleep(interval).await;
    }
}

/// An echo cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum EchoError {
    /// The message type.
    #[error("upstream.health.mti: expected four digits, found {0:?}")]
    Mti(String),
    /// A field number.
    #[error("upstream.health.fields: expected a field number, found {0:?}")]
    Number(String),
    /// A value does not fit its field.
    #[error("upstream.health.fields: {0}")]
    Encode(#[from] EncodeError),
    /// The message is none of the dialect.
    #[error("upstream.health: the echo would not be read by its own dialect: {0}")]
    Decode(#[from] onus_iso8583::DecodeError),
}

/// The echo with a trace number, and the key that its reply carries.
pub(crate) fn message(worker: &Worker, health: &Health, trace: u32) -> Result<(Vec<u8>, Key), EchoError> {
    let frame = encode(worker.shared.dialect, health, trace)?;
    let message = worker.shared.dialect.decode(&frame)?;
    let key = worker.shared.reader.read(&message).key();
    Ok((frame, key))
}

/// Writes an echo.
pub(crate) fn encode(dialect: &onus_iso8583::Dialect, health: &Health, trace: u32) -> Result<Vec<u8>, EchoError> {
    let mti = u16::from_str_radix(&health.mti, 16).map_err(|_| EchoError::Mti(health.mti.clone()))?;
    let mut fields = vec![(11, format!("{trace:06}"))];
    for (number, value) in &health.fields {
        let number = number.parse().map_err(|_| EchoError::Number(number.clone()))?;
        if number != 11 {
            fields.push((number, value.clone()));
        }
    }
    fields.sort();
    let mut frame = Vec::new();
    let mut encoder = dialect.encoder(mti, &mut frame)?;
    for (number, value) in &fields {
        encoder.field(*number, value.as_bytes())?;
    }
    encoder.finish()?;
    Ok(frame)
}
