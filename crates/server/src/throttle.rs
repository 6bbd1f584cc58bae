//! Slows down guessing of passwords: few tries per name, not too many in all. Kept in memory only.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const NAME_WINDOW: Duration = Duration::from_secs(15 * 60);
const NAME_TRIES: u32 = 5;
const TOTAL_WINDOW: Duration = Duration::from_secs(60);
const TOTAL_TRIES: u32 = 60;
/// Beyond this many names those whose window is over are dropped.
const NAMES_KEPT: usize = 10_000;

/// Counts tries to sign in.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    tries: Mutex<Tries>,
}

#[derive(Debug, Default)]
struct Tries {
    by_name: HashMap<String, Window>,
    total: Option<Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    since: Instant,
    tries: u32,
}

impl Window {
    /// Counts a try, or says how long to wait.
    fn count(&mut self, now: Instant, length: Duration, tries_max: u32) -> Result<(), Duration> {
        let age = now.saturating_duration_since(self.since);
        if age >= length {
            *self = Self { since: now, tries: 0 };
        }
        if self.tries >= tries_max {
            return Err(length.saturating_sub(age));
        }
        self.tries += 1;
        Ok(())
    }
}

impl Throttle {
    /// Counts a try before the password is looked at, so that many at once do not slip through.
    /// The error is how long to wait.
    pub(crate) fn begin(&self, name: &str, now: Instant) -> Result<(), Duration> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.by_name.len() > NAMES_KEPT {
            tries.by_name.retain(|_, window| now.saturating_duration_since(window.since) < NAME_WINDOW);
        }
        let new = Window { since: now, tries: 0 };
        let name = name.to_lowercase();
        tries.by_name.entry(name).or_insert(new).count(now, NAME_WINDOW, NAME_TRIES)?;
        tries.total.get_or_insert(new).count(now, TOTAL_WINDOW, TOTAL_TRIES)
    }

    /// The try was right: forgets the earlier ones of this name.
    pub(crate) fn succeeded(&self, name: &str) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.by_name.remove(&name.to_lowercase());
        if let Some(total) = &mut tries.total {
            total.tries = total.tries.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_five_tries() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..5 {
            assert!(throttle.begin("li", now).is_ok());
        }
        assert_eq!(throttle.begin("LI", now + Duration::from_secs(60)), Err(Duration::from_secs(14 * 60)));
        assert!(throttle.begin("wang", now).is_ok());
        assert!(throttle.begin("li", now + NAME_WINDOW).is_ok());
    }

    #[test]
    fn a_right_try_forgets_the_wrong_ones() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..20 {
            assert!(throttle.begin("li", now).is_ok());
            throttle.succeeded("li");
        }
    }

    #[test]
    fn all_names_together_have_a_limit() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let n_allowed = (0..100).filter(|i| throttle.begin(&format!("user{i}"), now).is_ok()).count();
        assert_eq!(n_allowed, 60);
        assert!(throttle.begin("late", now + TOTAL_WINDOW).is_ok());
    }
}
