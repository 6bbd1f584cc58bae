//! Rows with one value of each dimension, as numbers.

use rustc_hash::FxHashMap;

/// Most dimensions; their combinations are all gone through.
const MOST_DIMS: usize = 20;

/// One dimension: its name and its values in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dimension {
    /// Name, as the caller knows it.
    pub name: String,
    /// Values; a row holds an index into them.
    pub values: Vec<String>,
    /// Lower edges of the bins, for a dimension of numbers: its values stand in order and neighbours may be joined.
    /// Only the last dimension of a table is treated so.
    pub edges: Option<Vec<f64>>,
}

/// Columns of values by row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    dims: Vec<Dimension>,
    columns: Vec<Vec<u32>>,
    rows: usize,
}

impl Table {
    /// A table of these dimensions, whose columns hold as many indices into the dimension's values as there are rows.
    /// `None` when there are more than 20, columns differ in length, or an index has no value.
    #[must_use]
    pub fn new(dims: Vec<Dimension>, columns: Vec<Vec<u32>>) -> Option<Self> {
        let rows = columns.first().map_or(0, Vec::len);
        let fits = |(dim, column): (&Dimension, &Vec<u32>)| {
            column.len() == rows && column.iter().all(|code| (*code as usize) < dim.values.len())
        };
        let sound = dims.len() == columns.len() && dims.len() <= MOST_DIMS && dims.iter().zip(&columns).all(fits);
        sound.then_some(Self { dims, columns, rows })
    }

    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Dimensions, in order.
    #[must_use]
    pub fn dims(&self) -> &[Dimension] {
        &self.dims
    }

    /// The number of a row's value in a dimension.
    #[must_use]
    pub fn code(&self, row: usize, dim: usize) -> u32 {
        self.column(dim).get(row).copied().unwrap_or(0)
    }

    /// Values of a dimension by row.
    pub(super) fn column(&self, dim: usize) -> &[u32] {
        self.columns.get(dim).map_or(&[], Vec::as_slice)
    }

    /// How many values a dimension has.
    pub(super) fn cardinality(&self, dim: usize) -> usize {
        self.dims.get(dim).map_or(0, |dim| dim.values.len())
    }

    /// The dimension of numbers, whose neighbouring values may be joined: the last one, if it has edges.
    pub(super) fn ordered(&self) -> Option<usize> {
        self.dims.last().filter(|dim| dim.edges.is_some()).map(|_| self.dims.len() - 1)
    }
}

/// Gives each value of a column a number, in the order in which values come.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    codes: FxHashMap<String, u32>,
    values: Vec<String>,
}

impl Dictionary {
    /// The number of a value.
    pub fn code(&mut self, value: &str) -> u32 {
        if let Some(code) = self.codes.get(value) {
            return *code;
        }
        let code = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.codes.insert(value.to_owned(), code);
        self.values.push(value.to_owned());
        code
    }

    /// The dimension of all values seen.
    #[must_use]
    pub fn into_dimension(self, name: &str) -> Dimension {
        Dimension { name: name.to_owned(), values: self.values, edges: None }
    }
}
