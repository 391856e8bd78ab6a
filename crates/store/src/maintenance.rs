//! What keeps a store in order: its schema, its age limits, its copies, and a look at its health.

pub(crate) mod backup;
pub(crate) mod compaction;
pub(crate) mod doctor;
pub(crate) mod erasure;
pub(crate) mod migration;
pub(crate) mod plain_words;
pub(crate) mod statistics;
pub(crate) mod verdicts;
pub(crate) mod word_removal;
