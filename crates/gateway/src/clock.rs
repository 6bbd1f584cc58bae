//! The two clocks of a gateway: one that says what time it is, one that never goes back.

use std::sync::Arc;

use onus_model::Instant;

/// Where the gateway reads the time.
pub trait Clock: Send + Sync + 'static {
    /// Now, as written down.
    fn now(&self) -> Instant;

    /// Microseconds of a clock that never goes back, for spans of time. Starts above zero.
    fn ticks(&self) -> u64;
}

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    /// The clock, shared.
    #[must_use]
    pub fn shared() -> Arc<dyn Clock> {
        Arc::new(SystemClock { started: std::time::Instant::now() })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Instant(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn ticks(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX).saturating_add(1)
    }
}
