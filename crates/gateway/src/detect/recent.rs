//! Memory of what was seen lately, in bounded space.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// A table that forgets what was not touched for long: two generations, and when the young one is full, the old one is
/// dropped. It holds the last `most / 2` keys at least and `most` at most.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: FxHashMap<K, V>,
    old: FxHashMap<K, V>,
    half: usize,
}

impl<K: Eq + Hash + Copy, V> Recent<K, V> {
    pub(super) fn new(most: usize) -> Recent<K, V> {
        Recent { young: FxHashMap::default(), old: FxHashMap::default(), half: (most / 2).max(1) }
    }

    /// The value of a key, made new when it is not known.
    pub(super) fn touch(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        if !self.young.contains_key(&key) {
            let value = self.old.remove(&key).unwrap_or_else(new);
            if self.young.len() >= self.half {
                std::mem::swap(&mut self.young, &mut self.old);
                self.young.clear();
            }
            return self.young.entry(key).or_insert(value);
        }
        self.young.entry(key).or_insert_with(new)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

/// The times of the last few events of one kind, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    at: [u32; Window::MOST],
    next: u8,
}

impl Window {
    /// Events that can be told apart.
    pub(super) const MOST: usize = 8;

    /// Adds an event, and says how many there were in the last `seconds`, this one included.
    pub(super) fn add(&mut self, now: u32, seconds: u32) -> u32 {
        if let Some(place) = self.at.get_mut(usize::from(self.next)) {
            *place = now.max(1);
        }
        self.next = (self.next + 1) % Window::MOST as u8;
        let inside = |at: &&u32| **at != 0 && **at <= now.max(1) && now - (**at).min(now) < seconds.max(1);
        self.at.iter().filter(inside).count() as u32
    }

    pub(super) fn clear(&mut self) {
        *self = Window::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_keeps_the_latest() {
        let mut recent = Recent::new(10);
        for key in 0..1_000_u32 {
            *recent.touch(key, || 0) += 1;
            assert!(recent.len() <= 10);
            for back in key.saturating_sub(4)..=key {
                assert_eq!(*recent.touch(back, || -1).min(&mut 1), 1, "{back} at {key}");
            }
        }
        let mut kept = Recent::new(4);
        *kept.touch("a", || 0) = 7;
        for other in ["b", "c", "d", "e", "f"] {
            kept.touch(other, || 0);
            assert_eq!(*kept.touch("a", || 0), 7, "what is touched stays");
        }
    }

    #[test]
    fn windows_count_what_is_inside() {
        let mut window = Window::default();
        assert_eq!([0, 10, 20, 70].map(|now| window.add(1_000 + now, 60)), [1, 2, 3, 2]);
        assert_eq!((0..20).map(|_| window.add(2_000, 60)).last(), Some(8));
        window.clear();
        assert_eq!(window.add(2_000, 60), 1);
    }
}
