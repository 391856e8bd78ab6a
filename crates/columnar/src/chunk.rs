//! A column of a block in bytes: a Parquet file of one column, compressed with zstd.

use std::fmt;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, StringDictionaryBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use model::columns::Affinity;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::column::{Column, NULL, Numbers, Texts};

/// Bytes of different numbers, up to which a number is kept by its place among them.
const FEW_NUMBERS: usize = 128 << 10;
/// The same of texts, which are always kept so.
const ALL_TEXTS: usize = 1 << 30;

/// Bytes that are no chunk, or one of something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a chunk of a block can't be read: {0}")]
pub struct ChunkError(String);

/// Takes the values of a column, row by row.
pub struct ChunkBuilder {
    affinity: Affinity,
    /// Nulls before the first value: a column may have nothing else, and then takes no memory.
    nulls: usize,
    values: Option<Values>,
}

enum Values {
    Int(Int64Builder),
    Real(Float64Builder),
    Text(StringDictionaryBuilder<Int32Type>),
}

impl Values {
    fn new(affinity: Affinity) -> Self {
        match affinity {
            Affinity::Integer => Self::Int(Int64Builder::new()),
            Affinity::Real => Self::Real(Float64Builder::new()),
            Affinity::Text => Self::Text(StringDictionaryBuilder::new()),
        }
    }

    fn append_nulls(&mut self, count: usize) {
        match self {
            Self::Int(values) => values.append_nulls(count),
            Self::Real(values) => values.append_nulls(count),
            Self::Text(values) => values.append_nulls(count),
        }
    }
}

impl ChunkBuilder {
    /// For values that are stored like this.
    pub fn new(affinity: Affinity) -> Self {
        Self { affinity, nulls: 0, values: None }
    }

    fn values(&mut self) -> &mut Values {
        self.values.get_or_insert_with(|| {
            let mut values = Values::new(self.affinity);
            values.append_nulls(self.nulls);
            values
        })
    }

    /// Adds null.
    pub fn push_null(&mut self) {
        match &mut self.values {
            Some(values) => values.append_nulls(1),
            None => self.nulls += 1,
        }
    }

    /// Adds a whole number; null where there are texts.
    pub fn push_int(&mut self, value: i64) {
        match self.values() {
            Values::Int(values) => values.append_value(value),
            Values::Real(values) => values.append_value(value as f64),
            Values::Text(values) => values.append_null(),
        }
    }

    /// Adds a floating point number; null where there are others.
    pub fn push_real(&mut self, value: f64) {
        match self.values() {
            Values::Real(values) => values.append_value(value),
            others => others.append_nulls(1),
        }
    }

    /// Adds a text; null where there are numbers.
    pub fn push_text(&mut self, value: &str) {
        match self.values() {
            Values::Text(values) => values.append_value(value),
            others => others.append_nulls(1),
        }
    }

    /// The chunk, under the column's name; none if all values are null.
    ///
    /// # Errors
    /// When there are more values than a chunk can have.
    pub fn finish(self, name: &str) -> Result<Option<Vec<u8>>, ChunkError> {
        let Some(values) = self.values else { return Ok(None) };
        let (array, few): (ArrayRef, _) = match values {
            Values::Int(mut values) => (Arc::new(values.finish()), FEW_NUMBERS),
            Values::Real(mut values) => (Arc::new(values.finish()), FEW_NUMBERS),
            Values::Text(mut values) => (Arc::new(values.finish()), ALL_TEXTS),
        };
        encode(name, array, few).map(Some).map_err(|error| ChunkError(error.to_string()))
    }
}

impl fmt::Debug for ChunkBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkBuilder").field("affinity", &self.affinity).finish_non_exhaustive()
    }
}

fn encode(name: &str, array: ArrayRef, few: usize) -> parquet::errors::Result<Vec<u8>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_dictionary_page_size_limit(few)
        .set_max_row_group_row_count(Some(array.len()))
        .build();
    let options =
        ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let schema = schema(name, array.data_type().clone());
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![array])?;
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), schema, options)?;
    writer.write(&batch)?;
    writer.into_inner()
}

fn schema(name: &str, ty: DataType) -> Arc<Schema> {
    Arc::new(Schema::new(vec![Field::new(name, ty, true)]))
}

/// The column that a chunk has, of which the name, the affinity and the number of rows are known.
///
/// # Errors
/// When the bytes are no such chunk.
pub fn decode(
    bytes: Bytes,
    (name, affinity): (&str, Affinity),
    rows: usize,
) -> Result<Column, ChunkError> {
    let array = array(bytes, (name, affinity), rows);
    let array = array.map_err(|error| ChunkError(error.to_string()))?;
    if array.len() != rows {
        return Err(ChunkError(format!("it has {} rows instead of {rows}", array.len())));
    }
    Ok(match affinity {
        Affinity::Integer => Column::Int(numbers(array.as_primitive::<Int64Type>())),
        Affinity::Real => Column::Real(numbers(array.as_primitive::<Float64Type>())),
        Affinity::Text => {
            let coded = array.as_dictionary::<Int32Type>();
            let texts = coded.values().as_string::<i32>().iter();
            let texts = texts.map(|text| text.unwrap_or_default().into()).collect();
            let code = |code: Option<i32>| code.map_or(NULL, i32::cast_unsigned);
            Column::Text(Texts { codes: coded.keys().iter().map(code).collect(), texts })
        }
    })
}

fn array(
    bytes: Bytes,
    (name, affinity): (&str, Affinity),
    rows: usize,
) -> parquet::errors::Result<ArrayRef> {
    let ty = match affinity {
        Affinity::Integer => DataType::Int64,
        Affinity::Real => DataType::Float64,
        Affinity::Text => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    };
    let options = ArrowReaderOptions::new().with_schema(schema(name, ty));
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options)?;
    let mut batches = builder.with_batch_size(rows.max(1)).build()?;
    let empty = || parquet::errors::ParquetError::General("it has no rows".to_owned());
    let batch = batches.next().ok_or_else(empty)??;
    Ok(Arc::clone(batch.column(0)))
}

fn numbers<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> Numbers<T::Native> {
    let is_null = array.nulls().filter(|nulls| nulls.null_count() > 0);
    let is_null = is_null.map(|nulls| nulls.iter().map(|is_there| !is_there).collect());
    Numbers::new(array.values().to_vec(), is_null)
}
