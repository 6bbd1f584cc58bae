//! One minute of a worker's cube on its way to whoever merges: with its names, in a compact form.

use serde::{Deserialize, Serialize};

use super::minute::Minute;
use super::symbols::Symbols;
use super::{Cube, Dimension};

/// What one worker counted in one minute, with the names of its codes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Partial {
    minute: u32,
    names: Symbols,
    counts: Minute,
}

/// A partial cube does not read.
#[derive(Debug, thiserror::Error)]
#[error("partial cube: {0}; both sides must run the same version")]
pub struct PartialError(#[from] postcard::Error);

impl Partial {
    /// Minutes since 1970 UTC.
    #[must_use]
    pub const fn minute(&self) -> u32 {
        self.minute
    }

    /// As bytes.
    ///
    /// # Errors
    /// None that is known.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PartialError> {
        Ok(postcard::to_allocvec(self)?)
    }

    /// Out of bytes.
    ///
    /// # Errors
    /// When they are not those of a partial cube of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PartialError> {
        Ok(postcard::from_bytes(bytes)?)
    }
}

impl Cube {
    /// One minute for whoever merges; none when it is not held. Its names are those that occur in it.
    #[must_use]
    pub fn partial(&self, minute: u32, symbols: &Symbols) -> Option<Partial> {
        let counts = self.minute(minute)?;
        let mut names = Symbols::default();
        for dimension in Dimension::ALL {
            let seen = counts.tally.codes(dimension).filter_map(|code| symbols.name(dimension, code));
            for name in seen {
                names.intern(dimension, name);
            }
        }
        let counts = counts.translated(&symbols.towards(&names), &self.limits);
        Some(Partial { minute, names, counts })
    }

    /// Sets a minute to the sum of what the workers counted in it; what was there before is forgotten. False when the
    /// minute is older than all that are held.
    pub fn set_minute(&mut self, minute: u32, partials: &[&Partial], symbols: &mut Symbols) -> bool {
        let Some(place) = self.place(minute) else { return false };
        let mut sum = Minute::default();
        for partial in partials {
            let translation = symbols.absorb(&partial.names);
            sum.merge(&partial.counts.translated(&translation, &self.limits), &self.limits);
        }
        if let Some(into) = self.ring.get_mut(place) {
            *into = sum;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cube::{Attempt, Columns, Latency, Leaf, Outcome};
    use crate::detector::Settings;

    /// Two workers with dictionaries of their own; their partial minutes come as bytes, one of them twice.
    #[test]
    fn minutes_of_workers_sum_to_what_one_would_have_counted() {
        let limits = Settings::builtin().unwrap().cube;
        let cities = ["十堰", "襄阳", "武汉"];
        let (mut all, mut names) = (Cube::new(limits.clone()), Symbols::default());
        let mut workers = [(); 2].map(|()| (Cube::new(limits.clone()), Symbols::default()));
        for number in 0..3_000_u64 {
            let city = cities[(number * 7 % 3) as usize];
            let outcome = if number.is_multiple_of(11) { Outcome::NoAnswer } else { Outcome::Approved };
            let minute = 100 + (number % 2) as u32;
            let attempt = |leaf| Attempt {
                minute,
                leaf,
                outcome,
                latency: Latency::Usual,
                reversed: false,
                amount_minor: number,
                id: number,
            };
            all.add(&attempt(Leaf::default().with(Dimension::City, names.intern(Dimension::City, city))));
            let (cube, symbols) = &mut workers[(number / 5 % 2) as usize];
            cube.add(&attempt(Leaf::default().with(Dimension::City, symbols.intern(Dimension::City, city))));
        }
        let (mut merged, mut symbols) = (Cube::new(limits), Symbols::default());
        for minute in [101, 100, 101] {
            let sent = workers.each_ref().map(|(cube, symbols)| cube.partial(minute, symbols).unwrap());
            let read = sent.map(|partial| Partial::from_bytes(&partial.to_bytes().unwrap()).unwrap());
            assert!(merged.set_minute(minute, &read.each_ref(), &mut symbols));
        }
        let lost = Columns::outcome(Outcome::NoAnswer);
        let counts = |cube: &Cube, symbols: &Symbols, minute| {
            let named =
                cube.values(minute, Dimension::City, Columns::attempts(), lost).map(|(code, attempts, hits)| {
                    (symbols.name(Dimension::City, code).unwrap().to_owned(), attempts, hits)
                });
            let mut named: Vec<_> = named.collect();
            named.sort();
            named
        };
        for minute in [100, 101] {
            assert_eq!(counts(&merged, &symbols, minute), counts(&all, &names, minute));
            let amounts = |cube: &Cube| {
                let sampled = cube.sampled(minute, minute + 1, Columns::attempts(), lost);
                sampled.iter().map(|it| (it.amount_minor, it.hit, it.weight.to_bits())).collect::<Vec<_>>()
            };
            assert_eq!(amounts(&merged), amounts(&all));
        }
        assert!(Partial::from_bytes(&[1, 2, 3]).is_err());
    }
}
