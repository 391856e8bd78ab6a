//! Arguments of the commands that read records: `get`, `list` and `query`.

use clap::{Args, Subcommand, ValueEnum};
use model::TenantId;
use odata::primitive::DateTimeOffset;

use super::values;

/// Whose records are printed, and what is expanded.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// Tenant of the records [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Also print these collections; repeatable, or separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) expand: Vec<Expand>,
}

/// Collections that can be printed with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Expand {
    /// Sessions without their segments
    Sessions,
    /// Sessions with their segments
    Segments,
    /// Participants
    #[value(name = "participants_v2")]
    Participants,
}

/// `get`
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// Id of the record
    pub(crate) id: String,
    /// Version to print instead of the latest
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<i64>,
    /// Whose records are printed, and what is expanded.
    #[command(flatten)]
    pub(crate) record: RecordArgs,
}

/// `list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only calls that started at this time or later (2026-11-01, 2026-11-01T08:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) from: Option<DateTimeOffset>,
    /// Only calls that started before this time
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) to: Option<DateTimeOffset>,
    /// Only calls with this participant id; repeatable, then all of them must have taken part
    #[arg(long, value_name = "ID")]
    pub(crate) participant: Vec<String>,
    /// Condition, as in $filter
    #[arg(long, value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
    /// Words to search for, as in $search
    #[arg(long, value_name = "WORDS")]
    pub(crate) search: Option<String>,
    /// Sort order, as in $orderby
    #[arg(long, value_name = "KEYS")]
    pub(crate) orderby: Option<String>,
    /// Members to print, as in $select
    #[arg(long, value_name = "MEMBERS", conflicts_with = "apply")]
    pub(crate) select: Option<String>,
    /// Members to compute, as in $compute
    #[arg(long, value_name = "MEMBERS")]
    pub(crate) compute: Option<String>,
    /// Transformations, as in $apply
    #[arg(long, value_name = "STEPS", conflicts_with = "expand")]
    pub(crate) apply: Option<String>,
    /// What to list
    #[arg(long, value_enum, default_value = "records")]
    pub(crate) of: Rows,
    /// Maximum number of rows
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Output format
    #[arg(long, value_enum, default_value = "ndjson")]
    pub(crate) output: Output,
    /// Whose records are printed, and what is expanded.
    #[command(flatten)]
    pub(crate) record: RecordArgs,
}

/// Kinds of rows that can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rows {
    /// Call records
    Records,
    /// Sessions of the records
    Sessions,
    /// Segments of the sessions
    Segments,
    /// Media streams of the segments
    Streams,
    /// Both ends of each stream, with who and where they were
    Legs,
}

/// Output formats of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// One JSON array
    Json,
    /// One line of JSON per row
    Ndjson,
    /// Comma-separated values, one column per member
    Csv,
    /// Aligned columns for reading
    Table,
}

/// `query`
#[derive(Debug, Subcommand)]
pub(crate) enum Query {
    /// Print how Callvault parses and runs a query: syntax, SQL, the engine's plan, bound tree
    Explain(Explain),
}

/// `query explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The URL after the version, with its query, quoted:
    /// '/communications/callRecords?$filter=type eq %27groupCall%27'
    pub(crate) url: String,
    /// Tenant of the records [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
}
