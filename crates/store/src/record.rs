//! Rows as plain structs: one list of fields gives the columns, the values and the reader.

use crate::{OnConflict, Row, StoreError, Tx, Value};

/// A struct that mirrors the columns of one table, without `tenant`.
pub trait Record: Sized {
    /// The table.
    const TABLE: &'static str;
    /// Its columns without `tenant`, in the order of the fields.
    const COLUMNS: &'static [&'static str];
    /// Its primary key without `tenant`.
    const KEYS: &'static [&'static str];

    /// Appends the values of the columns, borrowed.
    fn push_values<'v>(&'v self, values: &mut Vec<Value<'v>>);

    /// Reads the columns, of which the first stands at `first`.
    fn read(row: &Row<'_>, first: usize) -> Result<Self, StoreError>;

    /// `alias.column, alias.column, ...` for a select list.
    #[must_use]
    fn columns_of(alias: &str) -> String {
        Self::COLUMNS.iter().map(|column| format!("{alias}.{column}")).collect::<Vec<_>>().join(", ")
    }
}

/// What happens to a row whose key is stored already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Refuse,
    Keep,
    Replace,
    Add,
}

/// Inserts records in bulk. Returns how many rows were written.
pub(crate) fn insert<'r, R: Record + 'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    existing: Existing,
    records: impl IntoIterator<Item = &'r R>,
) -> Result<u64, StoreError> {
    let columns = with_tenant(R::COLUMNS);
    let keys = with_tenant(R::KEYS);
    let on_conflict = match existing {
        Existing::Refuse => OnConflict::Error,
        Existing::Keep => OnConflict::Ignore,
        Existing::Replace => OnConflict::Update { keys: &keys },
        Existing::Add => OnConflict::Add { keys: &keys },
    };
    tx.insert_with(R::TABLE, &columns, on_conflict, |sink| {
        let mut values = Vec::with_capacity(columns.len());
        for record in records {
            values.clear();
            values.push(Value::from(tenant));
            record.push_values(&mut values);
            sink.push(&values)?;
        }
        Ok(())
    })
}

fn with_tenant(columns: &[&'static str]) -> Vec<&'static str> {
    std::iter::once("tenant").chain(columns.iter().copied()).collect()
}

/// A Rust type that stands in one column.
pub(crate) trait Column: Sized {
    fn value(&self) -> Value<'_>;
    fn read(row: &Row<'_>, column: usize) -> Result<Self, StoreError>;
}

impl Column for i64 {
    fn value(&self) -> Value<'_> {
        Value::Int(*self)
    }

    fn read(row: &Row<'_>, column: usize) -> Result<Self, StoreError> {
        row.int(column)
    }
}

impl Column for Option<i64> {
    fn value(&self) -> Value<'_> {
        Value::from(*self)
    }

    fn read(row: &Row<'_>, column: usize) -> Result<Self, StoreError> {
        row.opt_int(column)
    }
}

impl Column for String {
    fn value(&self) -> Value<'_> {
        Value::from(self)
    }

    fn read(row: &Row<'_>, column: usize) -> Result<Self, StoreError> {
        row.text(column).map(str::to_owned)
    }
}

impl Column for Option<String> {
    fn value(&self) -> Value<'_> {
        Value::from(self.as_deref())
    }

    fn read(row: &Row<'_>, column: usize) -> Result<Self, StoreError> {
        Ok(row.opt_text(column)?.map(str::to_owned))
    }
}

impl Column for Vec<u8> {
    fn value(&self) -> Value<'_> {
        Value::from(self)
    }

    fn read(row: &Row<'_>, column: usize) -> Result<Self, StoreError> {
        row.blob(column).map(<[u8]>::to_vec)
    }
}

/// Walks over the columns of a row.
pub(crate) struct ColumnReader<'a, 'r> {
    row: &'a Row<'r>,
    column: usize,
}

impl<'a, 'r> ColumnReader<'a, 'r> {
    pub(crate) fn new(row: &'a Row<'r>, first: usize) -> Self {
        Self { row, column: first }
    }

    pub(crate) fn next<C: Column>(&mut self) -> Result<C, StoreError> {
        let value = C::read(self.row, self.column)?;
        self.column += 1;
        Ok(value)
    }
}

/// Declares a struct that mirrors a table: fields are columns, `keys` its primary key, both without `tenant`.
macro_rules! record {
    (
        $(#[$meta:meta])*
        pub struct $name:ident in $table:literal keys($($key:ident),+) {
            $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)+
        }

        impl $crate::record::Record for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
            const KEYS: &'static [&'static str] = &[$(stringify!($key)),+];

            fn push_values<'v>(&'v self, values: &mut Vec<$crate::Value<'v>>) {
                $(values.push($crate::record::Column::value(&self.$field));)+
            }

            fn read(row: &$crate::Row<'_>, first: usize) -> Result<Self, $crate::StoreError> {
                let mut columns = $crate::record::ColumnReader::new(row, first);
                Ok(Self { $($field: columns.next()?,)+ })
            }
        }
    };
}
pub(crate) use record;
