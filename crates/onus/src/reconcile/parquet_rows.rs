//! Parquet files, read as rows of text and written from them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use arrow_array::builder::{Int64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use onus_reconcile::files::{FIELD_END, ReadRows};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::rows_out::Line;

/// Rows that are turned into text at once; their text stays in the cache.
const AT_ONCE: usize = 4_096;

/// An open Parquet file. Several threads read different row groups.
pub(crate) struct ParquetRows {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    /// First row of each row group.
    groups: Vec<Range<u64>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    columns: Vec<usize>,
    next_group: usize,
    /// Row groups that were begun, and the number of their next row.
    begun: Vec<(ParquetRecordBatchReader, u64)>,
}

impl ParquetRows {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let metadata = ArrowReaderMetadata::load(&file, parquet::arrow::arrow_reader::ArrowReaderOptions::default())?;
        for field in metadata.schema().fields() {
            if !is_readable(field.data_type()) {
                bail!("column {} is of type {}; expected text or whole numbers", field.name(), field.data_type());
            }
        }
        let mut from = 0;
        let groups = metadata.metadata().row_groups().iter().map(|group| {
            let rows = from..from + u64::try_from(group.num_rows()).unwrap_or(0);
            from = rows.end;
            rows
        });
        Ok(Self {
            groups: groups.collect(),
            path: path.to_owned(),
            metadata: metadata.clone(),
            state: Mutex::default(),
        })
    }

    /// A row group that was begun, or the next one.
    fn take_group(&self) -> io::Result<Option<(ParquetRecordBatchReader, u64)>> {
        let (group, columns) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(begun) = state.begun.pop() {
                return Ok(Some(begun));
            }
            let group = state.next_group;
            state.next_group += 1;
            (group, state.columns.clone())
        };
        let Some(rows) = self.groups.get(group) else { return Ok(None) };
        // Opened anew: a cloned handle shares its position, and the reader seeks.
        let file = File::open(&self.path)?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        let mask = ProjectionMask::leaves(builder.parquet_schema(), columns);
        let reader = builder.with_row_groups(vec![group]).with_projection(mask).with_batch_size(AT_ONCE).build();
        Ok(Some((reader.map_err(io::Error::other)?, rows.start)))
    }
}

impl ReadRows for ParquetRows {
    fn names(&self) -> Vec<String> {
        self.metadata.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn select(&self, columns: &[usize]) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).columns = columns.to_vec();
    }

    fn next_rows(&self, text: &mut Vec<u8>) -> io::Result<Option<u64>> {
        loop {
            let Some((mut reader, row)) = self.take_group()? else { return Ok(None) };
            let Some(batch) = reader.next() else { continue };
            let batch = batch.map_err(io::Error::other)?;
            write_rows(&batch, self.metadata.schema(), text)?;
            let next = row + batch.num_rows() as u64;
            self.state.lock().unwrap_or_else(PoisonError::into_inner).begun.push((reader, next));
            return Ok(Some(row));
        }
    }
}

fn is_readable(kind: &DataType) -> bool {
    kind.is_integer() || matches!(kind, DataType::Utf8)
}

/// A column as it is turned into text.
enum Column<'a> {
    /// Not asked for.
    Left,
    Text(&'a StringArray),
    Numbers(Vec<Option<i128>>),
}

fn numbers<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> Column<'_>
where
    i128: From<T::Native>,
{
    Column::Numbers(array.iter().map(|value| value.map(i128::from)).collect())
}

fn column(array: &ArrayRef) -> Column<'_> {
    match array.data_type() {
        DataType::Int8 => numbers(array.as_primitive::<Int8Type>()),
        DataType::Int16 => numbers(array.as_primitive::<Int16Type>()),
        DataType::Int32 => numbers(array.as_primitive::<Int32Type>()),
        DataType::Int64 => numbers(array.as_primitive::<Int64Type>()),
        DataType::UInt8 => numbers(array.as_primitive::<UInt8Type>()),
        DataType::UInt16 => numbers(array.as_primitive::<UInt16Type>()),
        DataType::UInt32 => numbers(array.as_primitive::<UInt32Type>()),
        DataType::UInt64 => numbers(array.as_primitive::<UInt64Type>()),
        _ => array.as_string_opt::<i32>().map_or(Column::Left, Column::Text),
    }
}

/// Appends the rows of a batch as lines; columns that are not in it stay empty.
fn write_rows(batch: &RecordBatch, schema: &Schema, text: &mut Vec<u8>) -> io::Result<()> {
    let columns: Vec<Column<'_>> =
        schema.fields().iter().map(|field| batch.column_by_name(field.name()).map_or(Column::Left, column)).collect();
    for row in 0..batch.num_rows() {
        for (number, column) in columns.iter().enumerate() {
            if number > 0 {
                text.push(FIELD_END);
            }
            match column {
                Column::Text(array) if array.is_valid(row) => {
                    let value = array.value(row).as_bytes();
                    if value.iter().any(|byte| matches!(*byte, b'\n' | FIELD_END)) {
                        // A line end inside a value would be taken for the end of the row.
                        text.push(b'?');
                    } else {
                        text.extend_from_slice(value);
                    }
                }
                Column::Numbers(values) => {
                    if let Some(Some(value)) = values.get(row) {
                        match i64::try_from(*value) {
                            Ok(value) => super::rows_out::write_number(value, text),
                            Err(_) => write!(text, "{value}")?,
                        }
                    }
                }
                Column::Text(_) | Column::Left => {}
            }
        }
        text.push(b'\n');
    }
    Ok(())
}

enum Builder {
    Text(StringBuilder),
    Number(Int64Builder),
}

/// Breaks on their way into a Parquet file.
pub(crate) struct ParquetBreaks {
    writer: ArrowWriter<BufWriter<File>>,
    schema: Arc<Schema>,
    columns: Vec<Builder>,
    rows: usize,
}

/// Rows of a batch that is written.
const WRITTEN_AT_ONCE: usize = 16_384;

impl ParquetBreaks {
    pub(crate) fn new(out: BufWriter<File>, names: &[&str], numeric: &[bool]) -> Result<Self> {
        let fields = names
            .iter()
            .zip(numeric)
            .map(|(name, numeric)| Field::new(*name, if *numeric { DataType::Int64 } else { DataType::Utf8 }, true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let columns = numeric.iter().map(|numeric| {
            if *numeric { Builder::Number(Int64Builder::new()) } else { Builder::Text(StringBuilder::new()) }
        });
        let writer = ArrowWriter::try_new(out, schema.clone(), Some(properties))?;
        Ok(Self { writer, columns: columns.collect(), schema, rows: 0 })
    }

    pub(crate) fn write(&mut self, line: &Line) -> io::Result<()> {
        for (column, field) in self.columns.iter_mut().zip(line.fields()) {
            let text = String::from_utf8_lossy(field);
            match column {
                Builder::Text(texts) => texts.append_option((!text.is_empty()).then_some(text)),
                Builder::Number(numbers) => numbers.append_option(text.parse().ok()),
            }
        }
        self.rows += 1;
        if self.rows == WRITTEN_AT_ONCE { self.flush().map_err(io::Error::other) } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let arrays = self.columns.iter_mut().map(|column| -> ArrayRef {
            match column {
                Builder::Text(texts) => Arc::new(texts.finish()),
                Builder::Number(numbers) => Arc::new(numbers.finish()),
            }
        });
        let batch = RecordBatch::try_new(self.schema.clone(), arrays.collect())?;
        self.rows = 0;
        Ok(self.writer.write(&batch)?)
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        self.flush()?;
        self.writer.into_inner()?.flush()?;
        Ok(())
    }
}
