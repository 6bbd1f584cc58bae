//! Symbols for texts that repeat over millions of rows.

use rustc_hash::FxHashMap;

/// A text seen before, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Symbol(u32);

/// Texts and their symbols. Symbol 0 is the empty text.
#[derive(Debug)]
pub struct Interner {
    numbers: FxHashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Default for Interner {
    fn default() -> Self {
        let mut numbers = FxHashMap::default();
        numbers.insert(Box::from(""), 0);
        Self { numbers, texts: vec![Box::from("")] }
    }
}

impl Interner {
    /// The symbol of a text.
    pub fn symbol(&mut self, text: &str) -> Symbol {
        if let Some(number) = self.numbers.get(text) {
            return Symbol(*number);
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        Symbol(number)
    }

    /// The text of a symbol of this interner.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        self.texts.get(symbol.0 as usize).map_or("", AsRef::as_ref)
    }
}
