//! Additive statistics of every element of every cuboid.
//!
//! A cuboid is a set of dimensions; an element is one value of each. Statistics are sums over rows, so each cuboid is
//! rolled up from the smallest cuboid that has one dimension more, and the rows are read once. A cuboid that is not
//! much larger than its rows is an array over the product of its values; another is a hash table of what is there.

use rustc_hash::FxHashMap;

use super::table::Table;

/// Where the cell of an element is.
#[derive(Debug)]
enum Cells {
    /// At its key.
    Dense,
    /// Keys by cell, and cells by key.
    Sparse(Vec<u64>, FxHashMap<u64, u32>),
}

/// One set of dimensions with a sum of `W` statistics for each of its elements.
#[derive(Debug)]
pub(super) struct Cuboid<const W: usize> {
    /// Dimensions, ascending; the last one varies fastest.
    pub(super) dims: Vec<usize>,
    radix: Vec<u64>,
    cells: Cells,
    /// The cuboid that it is rolled up from, and the place there of the dimension that is summed over.
    parent: Option<(usize, usize)>,
    /// Sums by cell.
    pub(super) sums: Vec<[f64; W]>,
}

impl<const W: usize> Cuboid<W> {
    fn empty(table: &Table, dims: Vec<usize>, dense_limit: u64) -> Option<Self> {
        let radix: Vec<u64> = dims.iter().map(|dim| table.cardinality(*dim) as u64).collect();
        let size = radix.iter().try_fold(1_u64, |size, radix| size.checked_mul(*radix))?;
        let dense = size <= dense_limit;
        let cells = if dense { Cells::Dense } else { Cells::Sparse(Vec::new(), FxHashMap::default()) };
        let sums = if dense { vec![[0.0; W]; size as usize] } else { Vec::new() };
        Some(Self { dims, radix, cells, parent: None, sums })
    }

    /// Product of the numbers of values.
    fn size(&self) -> u64 {
        self.radix.iter().product()
    }

    /// How many cells there are to go through.
    pub(super) fn cells(&self) -> usize {
        self.sums.len()
    }

    /// The cell of a key, which is made when it is new.
    fn cell_or_new(&mut self, key: u64) -> usize {
        match &mut self.cells {
            Cells::Dense => key as usize,
            Cells::Sparse(keys, at) => *at.entry(key).or_insert_with(|| {
                keys.push(key);
                self.sums.push([0.0; W]);
                (keys.len() - 1) as u32
            }) as usize,
        }
    }

    fn cell(&self, key: u64) -> Option<usize> {
        match &self.cells {
            Cells::Dense => Some(key as usize),
            Cells::Sparse(_, at) => at.get(&key).map(|cell| *cell as usize),
        }
    }

    /// The element of a cell as one number, its last dimension being the last digit.
    pub(super) fn key_of_cell(&self, cell: usize) -> u64 {
        match &self.cells {
            Cells::Dense => cell as u64,
            Cells::Sparse(keys, _) => keys.get(cell).copied().unwrap_or(0),
        }
    }

    /// Values of the element in a cell, in the order of the dimensions.
    pub(super) fn element(&self, cell: usize) -> Vec<(usize, u32)> {
        let mut key = self.key_of_cell(cell);
        let digit = |(dim, radix): (&usize, &u64)| {
            let digit = key % radix;
            key /= radix;
            (*dim, digit as u32)
        };
        let mut element: Vec<(usize, u32)> = self.dims.iter().zip(&self.radix).rev().map(digit).collect();
        element.reverse();
        element
    }

    /// The element of a row as one number.
    fn key_of(&self, table: &Table, row: usize) -> u64 {
        let digits = self.dims.iter().zip(&self.radix);
        digits.fold(0, |key, (dim, radix)| key * radix + u64::from(table.code(row, *dim)))
    }

    /// An element as one number, without the dimension at a place.
    fn key_without(&self, place: usize, key: u64) -> u64 {
        let inner: u64 = self.radix.iter().skip(place + 1).product();
        let radix = self.radix.get(place).copied().unwrap_or(1);
        key / (inner * radix) * inner + key % inner
    }

    /// The cell of an element given by its values in any order, if any row has it.
    pub(super) fn cell_of_values(&self, values: &[(usize, u32)]) -> Option<usize> {
        let digit = |dim: usize| values.iter().find(|(own, _)| *own == dim).map_or(0, |(_, value)| u64::from(*value));
        let key = self.dims.iter().zip(&self.radix).fold(0, |key, (dim, radix)| key * radix + digit(*dim));
        self.cell(key)
    }

    fn add(&mut self, key: u64, stats: &[f64; W]) {
        let cell = self.cell_or_new(key);
        if let Some(sum) = self.sums.get_mut(cell) {
            add(sum, stats);
        }
    }

    /// Adds up the statistics of its parent, or of the rows.
    fn fill(&mut self, earlier: &[Self], table: &Table, rows: &[[f64; W]]) {
        match self.parent.and_then(|(parent, place)| Some((earlier.get(parent)?, place))) {
            Some((parent, place)) => self.fill_from_parent(parent, place),
            None => self.fill_from_rows(table, rows),
        }
    }

    fn fill_from_rows(&mut self, table: &Table, rows: &[[f64; W]]) {
        let mut keys = vec![0_u64; rows.len()];
        for (dim, radix) in self.dims.iter().zip(&self.radix) {
            for (key, code) in keys.iter_mut().zip(table.column(*dim)) {
                *key = *key * radix + u64::from(*code);
            }
        }
        self.reserve(rows.len());
        for (key, stats) in keys.into_iter().zip(rows) {
            self.add(key, stats);
        }
    }

    /// Makes room for this many cells, or all there can be.
    fn reserve(&mut self, cells: usize) {
        let cells = cells.min(usize::try_from(self.size()).unwrap_or(usize::MAX));
        if let Cells::Sparse(keys, at) = &mut self.cells {
            keys.reserve(cells);
            at.reserve(cells);
            self.sums.reserve(cells);
        }
    }

    /// Sums over the dimension at `place` of a cuboid that has one dimension more.
    fn fill_from_parent(&mut self, parent: &Self, place: usize) {
        if let (Cells::Dense, Cells::Dense) = (&self.cells, &parent.cells) {
            let inner = parent.radix.iter().skip(place + 1).product::<u64>() as usize;
            let block = inner * parent.radix.get(place).copied().unwrap_or(1) as usize;
            for (from, to) in parent.sums.chunks_exact(block).zip(self.sums.chunks_exact_mut(inner)) {
                for slice in from.chunks_exact(inner) {
                    for (sum, stats) in to.iter_mut().zip(slice) {
                        add(sum, stats);
                    }
                }
            }
            return;
        }
        self.reserve(parent.cells());
        for (cell, stats) in parent.sums.iter().enumerate() {
            let key = parent.key_of_cell(cell);
            self.add(parent.key_without(place, key), stats);
        }
    }
}

fn add<const W: usize>(sum: &mut [f64; W], stats: &[f64; W]) {
    for (sum, value) in sum.iter_mut().zip(stats) {
        *sum += value;
    }
}

/// No place yet.
const NOWHERE: u32 = u32::MAX;

/// A part of the sums of one cuboid.
struct Part<const W: usize> {
    keys: Vec<u64>,
    cells: Vec<usize>,
    sums: Vec<[f64; W]>,
}

impl<const W: usize> Part<W> {
    /// Adds to an element; `places` tells where in this part a cell stands.
    fn add(&mut self, key: u64, cell: Option<usize>, stats: &[f64; W], places: &mut [u32]) {
        let Some((cell, place)) = cell.and_then(|cell| Some((cell, places.get_mut(cell)?))) else { return };
        if *place == NOWHERE {
            *place = self.cells.len() as u32;
            self.keys.push(key);
            self.cells.push(cell);
            self.sums.push([0.0; W]);
        }
        if let Some(sums) = self.sums.get_mut(*place as usize) {
            add(sums, stats);
        }
    }
}

/// All cuboids up to a number of dimensions, the ones with more dimensions first.
#[derive(Debug)]
pub(super) struct Lattice<const W: usize> {
    /// Cuboids.
    pub(super) cuboids: Vec<Cuboid<W>>,
}

impl<const W: usize> Lattice<W> {
    /// Rolls up the statistics of all rows. Cuboids whose keys do not fit in 64 bits are left out.
    pub(super) fn build(table: &Table, rows: &[[f64; W]], max_layer: usize) -> Self {
        let mut lattice = Self { cuboids: Vec::new() };
        // An array may have this many cells for each row before hashing what is there is cheaper.
        let dense_limit = (rows.len() as u64 * 4).max(4_096);
        for dims in subsets(table.dims().len(), max_layer) {
            let Some(mut cuboid) = Cuboid::empty(table, dims, dense_limit) else { continue };
            cuboid.parent = lattice.smallest_parent(&cuboid.dims);
            cuboid.fill(&lattice.cuboids, table, rows);
            lattice.cuboids.push(cuboid);
        }
        lattice
    }

    /// Takes rows out of every sum, and tells the cells that changed, by cuboid. What is taken is rolled up as the
    /// whole was, so this costs as much as the part that is taken.
    pub(super) fn take(&mut self, table: &Table, rows: &[[f64; W]], taken: &[usize]) -> Vec<Vec<usize>> {
        let mut parts: Vec<Part<W>> = Vec::with_capacity(self.cuboids.len());
        let mut places = vec![NOWHERE; self.cuboids.iter().map(Cuboid::cells).max().unwrap_or(0)];
        for at in 0..self.cuboids.len() {
            let (earlier, rest) = self.cuboids.split_at_mut(at);
            let Some(cuboid) = rest.first_mut() else { continue };
            let mut part = Part { keys: Vec::new(), cells: Vec::new(), sums: Vec::new() };
            let parent = cuboid.parent.and_then(|(at, place)| Some((earlier.get(at)?, parts.get(at)?, place)));
            if let Some((parent, of_parent, place)) = parent {
                for (key, sums) in of_parent.keys.iter().zip(&of_parent.sums) {
                    let key = parent.key_without(place, *key);
                    part.add(key, cuboid.cell(key), sums, &mut places);
                }
            } else {
                for (row, stats) in taken.iter().filter_map(|row| Some((*row, rows.get(*row)?))) {
                    let key = cuboid.key_of(table, row);
                    part.add(key, cuboid.cell(key), stats, &mut places);
                }
            }
            for (cell, sums) in part.cells.iter().zip(&part.sums) {
                if let (Some(whole), Some(place)) = (cuboid.sums.get_mut(*cell), places.get_mut(*cell)) {
                    whole.iter_mut().zip(sums).for_each(|(whole, sum)| *whole -= sum);
                    *place = NOWHERE;
                }
            }
            parts.push(part);
        }
        parts.into_iter().map(|part| part.cells).collect()
    }

    /// The cuboid with one dimension more that has the fewest cells, and where that dimension stands in it.
    fn smallest_parent(&self, dims: &[usize]) -> Option<(usize, usize)> {
        let extra = |cuboid: &Cuboid<W>| {
            let place = cuboid.dims.iter().position(|dim| !dims.contains(dim))?;
            (cuboid.dims.len() == dims.len() + 1 && dims.iter().all(|dim| cuboid.dims.contains(dim))).then_some(place)
        };
        let parents = self.cuboids.iter().enumerate().filter_map(|(at, cuboid)| Some((cuboid, at, extra(cuboid)?)));
        let smallest = parents.min_by_key(|(cuboid, ..)| (cuboid.cells() as u64).min(cuboid.size()));
        smallest.map(|(_, at, place)| (at, place))
    }
}

/// Sets of dimensions of up to `max_layer`, larger ones first.
fn subsets(dims: usize, max_layer: usize) -> Vec<Vec<usize>> {
    let members = |mask: u32| (0..dims).filter(|dim| mask >> dim & 1 == 1).collect::<Vec<usize>>();
    let end = 1_u64.checked_shl(dims as u32).unwrap_or(u64::MAX).min(1 << 24) as u32;
    let mut masks: Vec<u32> = (1..end).filter(|mask| mask.count_ones() as usize <= max_layer).collect();
    masks.sort_by_key(|mask| (std::cmp::Reverse(mask.count_ones()), *mask));
    masks.into_iter().map(members).collect()
}
