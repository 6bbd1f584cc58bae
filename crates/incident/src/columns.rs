//! Symbols made dense: one column a dimension, so that counting is indexing.

use rustc_hash::FxHashMap;

use crate::sample::{DIMS, Dim, Sample};

/// The samples by dimension. Dense value 0 stands for none or unknown, as in the samples.
pub(crate) struct Columns {
    dense: [Vec<u32>; DIMS],
    symbols: [Vec<u32>; DIMS],
    known: [FxHashMap<u32, u32>; DIMS],
}

impl Columns {
    pub(crate) fn of(samples: &[Sample]) -> Self {
        let mut columns = Self {
            dense: std::array::from_fn(|_| Vec::with_capacity(samples.len())),
            symbols: std::array::from_fn(|_| vec![0]),
            known: std::array::from_fn(|_| FxHashMap::from_iter([(0, 0)])),
        };
        columns.extend(samples);
        columns
    }

    /// Takes further samples.
    pub(crate) fn extend(&mut self, samples: &[Sample]) {
        let dims = self.dense.iter_mut().zip(&mut self.symbols).zip(&mut self.known);
        for (dim, ((column, names), known)) in dims.enumerate() {
            for sample in samples {
                let symbol = sample.dims.get(dim).copied().unwrap_or_default();
                column.push(*known.entry(symbol).or_insert_with(|| {
                    names.push(symbol);
                    u32::try_from(names.len() - 1).unwrap_or_default()
                }));
            }
        }
    }

    /// Dense values of a dimension, one a sample.
    pub(crate) fn of_dim(&self, dim: Dim) -> &[u32] {
        &self.dense[dim as usize]
    }

    /// Number of dense values of a dimension, none included.
    pub(crate) fn cardinality(&self, dim: Dim) -> usize {
        self.symbols[dim as usize].len()
    }

    /// The caller's symbol of a dense value.
    pub(crate) fn symbol(&self, dim: Dim, value: u32) -> u32 {
        self.symbols[dim as usize].get(value as usize).copied().unwrap_or_default()
    }
}
