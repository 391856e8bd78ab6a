//! The rows of each table, on either engine: the statements, and the transaction that writes.
//!
//! [`session`] is the writer's transaction. Beside it stand the tables of records ([`version_rows`],
//! [`search`], [`fragments`], [`change_log`], and [`record_keys`] with [`record_locks`] on PostgreSQL),
//! which [`versions`] writes together, and the tables of everything else, a file for each.

pub(crate) mod administration;
pub(crate) mod app_credentials;
pub(crate) mod block_columns;
pub(crate) mod blocks;
pub(crate) mod calls;
pub(crate) mod change_log;
pub(crate) mod changed_records;
pub(crate) mod deliveries;
pub(crate) mod fragments;
pub(crate) mod head;
pub(crate) mod keys;
pub(crate) mod leases;
pub(crate) mod log_positions;
pub(crate) mod logs;
pub(crate) mod mirror_ledger;
pub(crate) mod mirror_reception;
pub(crate) mod mirrors;
pub(crate) mod networks;
pub(crate) mod pages;
pub(crate) mod partitions;
pub(crate) mod place_maps;
pub(crate) mod profiles;
pub(crate) mod record_keys;
pub(crate) mod record_locks;
pub(crate) mod records;
pub(crate) mod search;
pub(crate) mod session;
pub(crate) mod subscriptions;
pub(crate) mod tenants;
pub(crate) mod version_rows;
pub(crate) mod versions;
