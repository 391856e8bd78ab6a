//! Paths of the API that several trials ask for.

/// The call records.
pub(crate) const CALL_RECORDS: &str = "/v1.0/communications/callRecords";
/// Their streams.
pub(crate) const STREAMS: &str = "/v1.0/communications/callRecords/callvault.streams()";
/// Rows of the ends of streams.
pub(crate) const LEGS: &str = "/v1.0/communications/callRecords/callvault.legs()";
/// Their import.
pub(crate) const IMPORT: &str = "/v1.0/communications/callRecords/callvault.import";
