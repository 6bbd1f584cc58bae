//! Reading one row, the same from both databases.

use std::sync::Arc;

use postgres::types::Type;

use crate::{StoreError, Value};

/// One row of an answer. Columns are counted from 0.
#[derive(Debug)]
pub struct Row<'r> {
    cells: Cells<'r>,
}

#[derive(Debug)]
enum Cells<'r> {
    Kept { names: Arc<[String]>, values: Vec<Value<'static>> },
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(postgres::Row),
}

/// What stands in a cell. `Other` names a type that the portable rules do not allow.
enum Cell<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
    Other(String),
}

impl Cell<'_> {
    fn describe(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Int(_) => "an integer".into(),
            Self::Text(_) => "text".into(),
            Self::Blob(_) => "bytes".into(),
            Self::Other(name) => format!("{name} (cast it to bigint or text in the statement)"),
        }
    }
}

impl<'r> Row<'r> {
    pub(crate) fn from_sqlite(row: &'r rusqlite::Row<'r>) -> Self {
        Self { cells: Cells::Sqlite(row) }
    }

    pub(crate) fn from_postgres(row: postgres::Row) -> Self {
        Self { cells: Cells::Postgres(row) }
    }

    /// Copies a SQLite row, which lives only until the next step, so that it can be kept.
    pub(crate) fn keep_sqlite(row: &rusqlite::Row<'_>, names: &Arc<[String]>) -> Result<Row<'static>, StoreError> {
        let view = Row { cells: Cells::Sqlite(row) };
        let values = (0..names.len()).map(|column| view.value(column)).collect::<Result<_, _>>()?;
        Ok(Row { cells: Cells::Kept { names: Arc::clone(names), values } })
    }

    /// How many columns there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an answer without columns does not occur")]
    pub fn len(&self) -> usize {
        match &self.cells {
            Cells::Kept { values, .. } => values.len(),
            Cells::Sqlite(row) => row.as_ref().column_count(),
            Cells::Postgres(row) => row.len(),
        }
    }

    /// An integer that must be there.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.cell(column)? {
            Cell::Int(int) => Ok(int),
            other => Err(self.mismatch(column, "an integer", &other)),
        }
    }

    /// An integer or null.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Int(int) => Ok(Some(int)),
            other => Err(self.mismatch(column, "an integer or null", &other)),
        }
    }

    /// A text that must be there.
    pub fn text(&self, column: usize) -> Result<&str, StoreError> {
        match self.cell(column)? {
            Cell::Text(text) => Ok(text),
            other => Err(self.mismatch(column, "text", &other)),
        }
    }

    /// A text or null.
    pub fn opt_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            other => Err(self.mismatch(column, "text or null", &other)),
        }
    }

    /// Bytes that must be there.
    pub fn blob(&self, column: usize) -> Result<&[u8], StoreError> {
        match self.cell(column)? {
            Cell::Blob(blob) => Ok(blob),
            other => Err(self.mismatch(column, "bytes", &other)),
        }
    }

    /// Bytes or null.
    pub fn opt_blob(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Blob(blob) => Ok(Some(blob)),
            other => Err(self.mismatch(column, "bytes or null", &other)),
        }
    }

    /// A copy of the value, whatever it is.
    pub fn value(&self, column: usize) -> Result<Value<'static>, StoreError> {
        match self.cell(column)? {
            Cell::Null => Ok(Value::Null),
            Cell::Int(int) => Ok(Value::Int(int)),
            Cell::Text(text) => Ok(Value::from(text.to_owned())),
            Cell::Blob(blob) => Ok(Value::from(blob.to_vec())),
            other @ Cell::Other(_) => Err(self.mismatch(column, "an integer, text, bytes or null", &other)),
        }
    }

    fn cell(&self, column: usize) -> Result<Cell<'_>, StoreError> {
        if column >= self.len() {
            return Err(StoreError::Column {
                column,
                name: "?".into(),
                expected: "a column",
                found: format!("a row of {} columns", self.len()),
            });
        }
        match &self.cells {
            Cells::Kept { values, .. } => Ok(match &values[column] {
                Value::Null => Cell::Null,
                Value::Int(int) => Cell::Int(*int),
                Value::Text(text) => Cell::Text(text),
                Value::Blob(blob) => Cell::Blob(blob),
            }),
            Cells::Sqlite(row) => self.sqlite_cell(row, column),
            Cells::Postgres(row) => self.postgres_cell(row, column),
        }
    }

    fn sqlite_cell<'a>(&self, row: &'a rusqlite::Row<'_>, column: usize) -> Result<Cell<'a>, StoreError> {
        use rusqlite::types::ValueRef;
        match row.get_ref(column).map_err(|error| self.unreadable(column, error.to_string()))? {
            ValueRef::Null => Ok(Cell::Null),
            ValueRef::Integer(int) => Ok(Cell::Int(int)),
            ValueRef::Real(_) => Ok(Cell::Other("real".into())),
            ValueRef::Blob(blob) => Ok(Cell::Blob(blob)),
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Ok(Cell::Text(text)),
                Err(error) => Err(self.unreadable(column, error.to_string())),
            },
        }
    }

    fn postgres_cell<'a>(&self, row: &'a postgres::Row, column: usize) -> Result<Cell<'a>, StoreError> {
        let cell = match *row.columns()[column].type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(column).map(|int| int.map(Cell::Int)),
            Type::INT4 => row.try_get::<_, Option<i32>>(column).map(|int| int.map(|int| Cell::Int(int.into()))),
            Type::INT2 => row.try_get::<_, Option<i16>>(column).map(|int| int.map(|int| Cell::Int(int.into()))),
            Type::BOOL => row.try_get::<_, Option<bool>>(column).map(|yes| yes.map(|yes| Cell::Int(yes.into()))),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                row.try_get::<_, Option<&str>>(column).map(|text| text.map(Cell::Text))
            }
            Type::BYTEA => row.try_get::<_, Option<&[u8]>>(column).map(|blob| blob.map(Cell::Blob)),
            ref other => return Ok(Cell::Other(other.name().to_owned())),
        };
        match cell {
            Ok(cell) => Ok(cell.unwrap_or(Cell::Null)),
            Err(error) => Err(self.unreadable(column, error.to_string())),
        }
    }

    fn name(&self, column: usize) -> String {
        match &self.cells {
            Cells::Kept { names, .. } => names[column].clone(),
            Cells::Sqlite(row) => row.as_ref().column_name(column).unwrap_or("?").to_owned(),
            Cells::Postgres(row) => row.columns()[column].name().to_owned(),
        }
    }

    fn mismatch(&self, column: usize, expected: &'static str, found: &Cell<'_>) -> StoreError {
        StoreError::Column { column, name: self.name(column), expected, found: found.describe() }
    }

    fn unreadable(&self, column: usize, found: String) -> StoreError {
        StoreError::Column { column, name: self.name(column), expected: "a readable value", found }
    }
}
