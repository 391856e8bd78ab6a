//! Records that come in from files: finding them, reading them, putting them into the store.
//!
//! [`Files`] walks and opens what was named, [`Splitter`] cuts the bytes into records, and
//! [`import()`] shreds them in parallel and writes them in order. Streams whose lines are answered one
//! by one, as over HTTP, are cut by [`LineSplitter`] and [`ItemSplitter`].

mod fault_line;
mod files;
mod import;
mod items;
mod lines;
mod logs;
mod open;
mod split;

pub use files::{Empty, FilePiece, Files};
pub use import::{Counts, Event, Remark, import};
pub use items::ItemSplitter;
pub use lines::{BYTE_ORDER_MARK, Line, LineSplitter, LineText, is_cut_elsewhere};
pub use logs::import_log;
pub use split::{Piece, Record, Refusal, Splitter};
