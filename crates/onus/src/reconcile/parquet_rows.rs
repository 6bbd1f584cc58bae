//! Parquet files, read column by column and written from rows.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use arrow_array::builder::{Int64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch, StringArray, StringViewArray};
use arrow_schema::{DataType, Field, Schema};
use onus_reconcile::files::{Column, ColumnBatch, ColumnTexts, ColumnViews, NextColumns, ReadColumns, TakeColumns};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::WriterProperties;

use super::rows_out::Line;

/// Rows that are read at once; their columns stay in the cache.
const AT_ONCE: usize = 1_024;

/// An open Parquet file. Several threads read different row groups.
pub(crate) struct ParquetRows {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    /// First row of each row group.
    starts: Vec<u64>,
    row_bytes: u64,
    next_group: AtomicUsize,
    selected: Mutex<Vec<usize>>,
}

impl ParquetRows {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        // What another program noted about its own types in memory is of no use here.
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new().with_skip_arrow_metadata(true))?;
        let mut rows = 0;
        let starts = metadata.metadata().row_groups().iter().map(|group| {
            let start = rows;
            rows += u64::try_from(group.num_rows()).unwrap_or(0);
            start
        });
        Ok(Self {
            starts: starts.collect(),
            row_bytes: length.checked_div(rows).unwrap_or(0),
            path: path.to_owned(),
            metadata,
            next_group: AtomicUsize::new(0),
            selected: Mutex::default(),
        })
    }

    /// The next row group and the number of its first row.
    fn next_group(&self) -> io::Result<Option<(ParquetRecordBatchReader, u64)>> {
        let group = self.next_group.fetch_add(1, Ordering::Relaxed);
        let Some(start) = self.starts.get(group) else { return Ok(None) };
        let columns = self.selected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let metadata = self.with_texts(group).map_err(io::Error::other)?;
        // Opened anew: a cloned handle shares its position, and the reader seeks.
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(&self.path)?, metadata);
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
        let reader = builder.with_row_groups(vec![group]).with_projection(mask).with_batch_size(AT_ONCE).build();
        Ok(Some((reader.map_err(io::Error::other)?, *start)))
    }

    /// Texts that the row group holds as a dictionary are read as one: each of them is then looked at once. Others are
    /// looked at where they stand.
    fn with_texts(&self, group: usize) -> Result<ArrowReaderMetadata> {
        let file = self.metadata.metadata();
        let schema = self.metadata.schema();
        let chunks = file.row_groups().get(group).map_or(&[][..], |group| group.columns());
        // With nested columns, none of which is readable, the others go without dictionaries.
        let flat = chunks.len() == schema.fields().len();
        let fields = schema.fields().iter().enumerate().map(|(number, field)| {
            let kind = match field.data_type() {
                DataType::Utf8 if flat && chunks.get(number).is_some_and(is_coded) => {
                    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
                }
                DataType::Utf8 => DataType::Utf8View,
                _ => return field.clone(),
            };
            Arc::new(field.as_ref().clone().with_data_type(kind))
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(ArrowReaderMetadata::try_new(file.clone(), ArrowReaderOptions::new().with_schema(schema))?)
    }
}

/// Whether all pages of a column refer to its dictionary.
fn is_coded(chunk: &ColumnChunkMetaData) -> bool {
    let coded = |encoding| matches!(encoding, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY);
    let Some(pages) = chunk.page_encoding_stats_mask() else {
        // The dictionary itself may count as plain, then nothing is known.
        return chunk.encodings().any(coded)
            && chunk.encodings().all(|encoding| coded(encoding) || encoding == Encoding::RLE);
    };
    pages.encodings().all(coded)
}

impl ReadColumns for ParquetRows {
    fn names(&self) -> Vec<String> {
        self.metadata.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn select(&self, columns: &[usize]) {
        *self.selected.lock().unwrap_or_else(PoisonError::into_inner) = columns.to_vec();
    }

    fn row_bytes(&self) -> u64 {
        self.row_bytes
    }

    fn reader(&self) -> Box<dyn NextColumns + '_> {
        Box::new(GroupReader { file: self, group: None, dictionaries: Dictionaries::default() })
    }
}

/// Reads row groups on one thread.
struct GroupReader<'a> {
    file: &'a ParquetRows,
    /// The row group that was begun, and the number of its next row.
    group: Option<(ParquetRecordBatchReader, u64)>,
    dictionaries: Dictionaries,
}

impl NextColumns for GroupReader<'_> {
    fn next(&mut self, take: &mut TakeColumns<'_>) -> io::Result<bool> {
        loop {
            if self.group.is_none() {
                self.group = self.file.next_group()?;
            }
            let Some((reader, row)) = &mut self.group else { return Ok(false) };
            let Some(batch) = reader.next() else {
                self.group = None;
                continue;
            };
            let batch = batch.map_err(io::Error::other)?;
            let first = *row;
            let rows = batch.num_rows();
            *row += rows as u64;
            let fields = self.file.metadata.schema().fields();
            let columns = fields.iter().enumerate().map(|(number, field)| {
                batch.column_by_name(field.name()).map_or(Ok(Column::Left), |array| {
                    column(array, number, &mut self.dictionaries).ok_or_else(|| {
                        let kind = field.data_type();
                        io::Error::other(format!(
                            "column {} is of type {kind}; expected text or whole numbers",
                            field.name()
                        ))
                    })
                })
            });
            let columns = columns.collect::<io::Result<Vec<_>>>()?;
            take(&ColumnBatch { first, rows, columns: &columns });
            return Ok(true);
        }
    }
}

/// Tells dictionaries apart, by column.
#[derive(Default)]
struct Dictionaries {
    /// The last dictionary of each column, kept so that its place in memory is not used again, and its number.
    last: Vec<Option<(StringArray, u64)>>,
    count: u64,
}

impl Dictionaries {
    fn number(&mut self, column: usize, texts: &StringArray) -> u64 {
        if self.last.len() <= column {
            self.last.resize_with(column + 1, || None);
        }
        let Some(last) = self.last.get_mut(column) else { return u64::MAX };
        match last {
            Some((known, number)) if known.len() == texts.len() && known.values().ptr_eq(texts.values()) => *number,
            _ => {
                self.count += 1;
                *last = Some((texts.clone(), self.count));
                self.count
            }
        }
    }
}

fn texts(array: &StringArray) -> ColumnTexts<'_> {
    ColumnTexts { bytes: array.values(), ends: array.value_offsets() }
}

/// Missing texts have an empty view, as the reader fills them in.
fn views(array: &StringViewArray) -> ColumnViews<'_> {
    let buffers = array.data_buffers().iter().map(std::ops::Deref::deref).collect();
    ColumnViews { views: array.views().inner(), buffers }
}

/// Numbers of a narrower type, made wide.
fn numbers<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> Column<'_>
where
    i128: From<T::Native>,
{
    let wide = |value| i64::try_from(i128::from(value)).ok();
    if array.null_count() == 0
        && let Some(values) = array.values().iter().copied().map(wide).collect::<Option<Vec<i64>>>()
    {
        return Column::Numbers(Cow::Owned(values));
    }
    Column::OddNumbers(array.iter().map(|value| value.map(i128::from)).collect())
}

fn column<'a>(array: &'a ArrayRef, number: usize, dictionaries: &mut Dictionaries) -> Option<Column<'a>> {
    Some(match array.data_type() {
        DataType::Int8 => numbers(array.as_primitive::<Int8Type>()),
        DataType::Int16 => numbers(array.as_primitive::<Int16Type>()),
        DataType::Int32 => numbers(array.as_primitive::<Int32Type>()),
        DataType::Int64 if array.null_count() == 0 => {
            Column::Numbers(Cow::Borrowed(array.as_primitive::<Int64Type>().values()))
        }
        DataType::Int64 => numbers(array.as_primitive::<Int64Type>()),
        DataType::UInt8 => numbers(array.as_primitive::<UInt8Type>()),
        DataType::UInt16 => numbers(array.as_primitive::<UInt16Type>()),
        DataType::UInt32 => numbers(array.as_primitive::<UInt32Type>()),
        DataType::UInt64 => numbers(array.as_primitive::<UInt64Type>()),
        DataType::Utf8View => Column::Texts(views(array.as_string_view())),
        DataType::Dictionary(_, _) => {
            let coded = array.as_dictionary_opt::<arrow_array::types::Int32Type>()?;
            let known = coded.values().as_string_opt::<i32>()?;
            let keys = coded.keys();
            let keys = if keys.null_count() == 0 {
                Cow::Borrowed(&keys.values()[..])
            } else {
                Cow::Owned(keys.iter().map(|key| key.unwrap_or(-1)).collect())
            };
            Column::Coded { dictionary: dictionaries.number(number, known), keys, texts: texts(known) }
        }
        _ => return None,
    })
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
