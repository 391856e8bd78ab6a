//! The call record: what a record may say, its one canonical form, and the fragments and typed
//! columns that the store keeps of it.
//!
//! Pure: no I/O. The shape of a record is data ([`generated`], made from `schema/*.csdl.xml`);
//! records that come in are walked once against those tables and never turned into structs.

pub mod assemble;
pub mod call;
pub mod columns;
pub mod ends;
pub mod flags;
pub mod fragment;
pub mod generated;
pub mod identity;
pub mod key;
pub mod log;
pub mod merge;
mod misplaced;
pub mod rows;
pub mod search;
pub mod shred;
mod telephone_log;
pub mod variation;

pub use columns::Value;
pub use key::{TenantId, key};
pub use misplaced::Misplaced;
pub use odata::canonical::UndeclaredName;
pub use rows::RowSet;
pub use shred::{Error, ShreddedRecord, shred, shred_own};
