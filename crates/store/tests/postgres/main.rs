//! The promises of the store, on PostgreSQL: the tests of every engine, and what only it has.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../it/applying.rs"]
mod applying;
#[path = "../it/asked.rs"]
mod asked;
#[path = "../it/blocks.rs"]
mod blocks;
#[path = "../it/calls.rs"]
mod calls;
#[path = "../it/chains.rs"]
mod chains;
mod engine;
#[path = "../it/erasing.rs"]
mod erasing;
#[path = "../it/following.rs"]
mod following;
#[path = "../it/keeping.rs"]
mod keeping;
#[path = "../it/legs.rs"]
mod legs;
#[path = "../it/lists.rs"]
mod lists;
mod months;
mod moving;
mod nodes;
#[path = "../it/notifications.rs"]
mod notifications;
#[path = "../it/oracle.rs"]
mod oracle;
#[path = "../it/place_maps.rs"]
mod place_maps;
#[path = "../it/plain.rs"]
mod plain;
#[path = "../it/profiles.rs"]
mod profiles;
#[path = "../it/queries.rs"]
mod queries;
#[path = "../it/sample.rs"]
mod sample;
#[path = "../it/snapshots.rs"]
mod snapshots;
mod statements;
mod statistics;
mod upgrading;
#[path = "../it/versions.rs"]
mod versions;
