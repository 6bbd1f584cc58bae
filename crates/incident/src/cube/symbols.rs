//! Names of values and their codes.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::leaf::{DIMENSIONS, Dimension, Leaf};

/// The dictionary of a cube: for each dimension, names in the order in which they came. Code 0 is "not known"; a name
/// that comes when all codes are given out is [`Dimension::other`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "[Vec<String>; DIMENSIONS]", into = "[Vec<String>; DIMENSIONS]")]
pub struct Symbols {
    names: [Vec<String>; DIMENSIONS],
    codes: [FxHashMap<String, u16>; DIMENSIONS],
}

/// Codes of another dictionary in terms of this one.
#[derive(Debug, Clone)]
pub struct Translation {
    codes: [Vec<u16>; DIMENSIONS],
}

impl From<[Vec<String>; DIMENSIONS]> for Symbols {
    fn from(names: [Vec<String>; DIMENSIONS]) -> Self {
        let mut symbols = Self::default();
        for (dimension, names) in Dimension::ALL.into_iter().zip(names) {
            for name in names {
                symbols.intern(dimension, &name);
            }
        }
        symbols
    }
}

impl From<Symbols> for [Vec<String>; DIMENSIONS] {
    fn from(symbols: Symbols) -> Self {
        symbols.names
    }
}

impl Symbols {
    /// The code of a name, given out when it is new.
    pub fn intern(&mut self, dimension: Dimension, name: &str) -> u16 {
        let index = dimension as usize;
        let (Some(names), Some(codes)) = (self.names.get_mut(index), self.codes.get_mut(index)) else {
            return dimension.other();
        };
        if let Some(code) = codes.get(name) {
            return *code;
        }
        if names.len() >= dimension.most_values() {
            return dimension.other();
        }
        names.push(name.to_owned());
        let code = u16::try_from(names.len()).unwrap_or(dimension.other());
        codes.insert(name.to_owned(), code);
        code
    }

    /// The name of a code, if it has one.
    #[must_use]
    pub fn name(&self, dimension: Dimension, code: u16) -> Option<&str> {
        let place = usize::from(code).checked_sub(1)?;
        self.names.get(dimension as usize)?.get(place).map(String::as_str)
    }

    /// The code of a name that has one.
    #[must_use]
    pub fn code(&self, dimension: Dimension, name: &str) -> Option<u16> {
        self.codes.get(dimension as usize)?.get(name).copied()
    }

    /// The codes of the names that another dictionary has, in terms of it; others become "other".
    pub(super) fn towards(&self, other: &Self) -> Translation {
        let codes = Dimension::ALL.map(|dimension| {
            let names = self.names.get(dimension as usize).map_or(&[][..], Vec::as_slice);
            names.iter().map(|name| other.code(dimension, name).unwrap_or(dimension.other())).collect()
        });
        Translation { codes }
    }

    /// Takes in the names of another worker's dictionary.
    pub fn absorb(&mut self, other: &Self) -> Translation {
        let codes = Dimension::ALL.map(|dimension| {
            let names = other.names.get(dimension as usize).map_or(&[][..], Vec::as_slice);
            names.iter().map(|name| self.intern(dimension, name)).collect()
        });
        Translation { codes }
    }
}

impl Translation {
    pub(super) fn code(&self, dimension: Dimension, code: u16) -> u16 {
        let place = usize::from(code).checked_sub(1);
        let codes = self.codes.get(dimension as usize);
        place.and_then(|place| codes?.get(place)).copied().unwrap_or(code)
    }

    /// A leaf of the other dictionary. Amounts are bins, not names, and stay; so do "not known" and "other".
    #[must_use]
    pub fn leaf(&self, leaf: Leaf) -> Leaf {
        let mut translated = leaf;
        for dimension in Dimension::ALL {
            translated = translated.with(dimension, self.code(dimension, leaf.code(dimension)));
        }
        translated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_codes_and_translate() {
        let mut ours = Symbols::default();
        assert_eq!(ours.intern(Dimension::City, "十堰"), 1);
        assert_eq!(ours.intern(Dimension::City, "襄阳"), 2);
        assert_eq!(ours.intern(Dimension::City, "十堰"), 1);
        assert_eq!(ours.name(Dimension::City, 2), Some("襄阳"));
        assert_eq!(ours.name(Dimension::City, 0), None);
        let mut theirs = Symbols::default();
        let city = theirs.intern(Dimension::City, "武汉");
        let both = theirs.intern(Dimension::City, "十堰");
        let translation = ours.absorb(&theirs);
        let leaf = |city: u16| Leaf::default().with(Dimension::City, city).with(Dimension::Amount, 77);
        assert_eq!(translation.leaf(leaf(city)), leaf(3));
        assert_eq!(translation.leaf(leaf(both)), leaf(1));
        assert_eq!(translation.leaf(leaf(Dimension::City.other())), leaf(Dimension::City.other()));
    }

    #[test]
    fn a_full_dictionary_says_other() {
        let mut symbols = Symbols::default();
        let codes: Vec<u16> = (0..9).map(|number| symbols.intern(Dimension::Hop, &number.to_string())).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 7, 7]);
        assert_eq!(Dimension::Hop.other(), 7);
        assert_eq!(symbols.name(Dimension::Hop, 7), None, "other has no name");
    }
}
