//! Symbols made dense: one column a dimension, so that counting is indexing.

use rustc_hash::FxHashMap;

use crate::sample::{DIMS, Dim, Sample};

/// The samples by dimension. Dense value 0 stands for none or unknown, as in the samples.
pub(crate) struct Columns {
    dense: [Vec<u32>; DIMS],
    symbols: [Vec<u32>; DIMS],
}

impl Columns {
    pub(crate) fn of(samples: &[Sample]) -> Self {
        let mut dense: [Vec<u32>; DIMS] = std::array::from_fn(|_| Vec::with_capacity(samples.len()));
        let mut symbols: [Vec<u32>; DIMS] = std::array::from_fn(|_| vec![0]);
        for (dim, (column, names)) in dense.iter_mut().zip(&mut symbols).enumerate() {
            let mut known = FxHashMap::from_iter([(0u32, 0u32)]);
            for sample in samples {
                let symbol = sample.dims.get(dim).copied().unwrap_or_default();
                column.push(*known.entry(symbol).or_insert_with(|| {
                    names.push(symbol);
                    u32::try_from(names.len() - 1).unwrap_or_default()
                }));
            }
        }
        Self { dense, symbols }
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
