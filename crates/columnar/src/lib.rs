//! Columns: keeps the typed values of many rows side by side, and answers questions over them.
//!
//! A block holds the rows of one grain column by column. Each column is a chunk of its own, a Parquet file of
//! that one column, so that a question reads no more than it looks at. What a question asks is decided by the
//! evaluator of `odata`: here is only said where values come from, and what has to be decided once for all rows
//! that have the same text, or the same of whatever decides. There is no I/O.

mod aspect;
mod block;
mod calculation;
mod chunk;
mod column;
mod condition;
mod group;
mod leg;
mod places;
mod question;
mod slot;

pub use block::Block;
pub use chunk::{ChunkBuilder, ChunkError, decode};
pub use column::{Column, Numbers, Texts};
pub use group::{First, Group, Groups, Tie};
pub use leg::End;
pub use question::{Grouping, Question};
pub use slot::{ColumnName, Slot};
