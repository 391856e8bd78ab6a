//! The promises of the store, against each engine that there is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod applying;
mod asked;
mod backup;
mod blocks;
mod calls;
mod chains;
mod engine;
mod erased_columns;
mod erasing;
mod following;
mod keeping;
mod legs;
mod lists;
mod log;
mod mirrors;
mod notifications;
mod opening;
mod oracle;
mod place_maps;
mod plain;
mod planted;
mod processes;
mod profiles;
mod queries;
mod refilling;
mod replaced;
mod sample;
mod snapshots;
mod statements;
mod verdicts;
mod versions;
mod words;
