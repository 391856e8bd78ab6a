//! The resource of a subscription: call records, perhaps only those that meet a condition.

use model::generated::V1_0;
use odata::bound::Expr;
use odata::percent::encode_query;
use odata::plus::{self, decode_value};
use odata::primitive::DateTimeOffset;
use odata::{Limits, parse_request};
use store::{Budget, CommittedVersion, Reader, RowQuery, RowSet};

const PATH: &str = "communications/callRecords";

/// A resource that can be subscribed to.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// The condition, as text.
    filter: Option<String>,
    /// The condition, bound.
    condition: Option<Expr>,
}

/// Why a resource can't be subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ResourceError {
    /// Something else than call records.
    #[error("The resource '{0}' can not be subscribed to, only communications/callRecords.")]
    Other(String),
    /// Its options.
    #[error("{0}")]
    Options(Box<odata::Error>),
    /// Another option than `$filter`.
    #[error("A subscription's resource can have the query option $filter only.")]
    OtherOption,
}

impl Resource {
    /// Reads `communications/callRecords`, with a slash before it or none, and perhaps a `$filter`.
    ///
    /// # Errors
    /// When it is something else, or the condition can't be read.
    pub(crate) fn read(
        text: &str,
        limits: &Limits,
        now: DateTimeOffset,
    ) -> Result<Self, ResourceError> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        if path.strip_prefix('/').unwrap_or(path) != PATH {
            return Err(ResourceError::Other(text.to_owned()));
        }
        if query.is_empty() {
            return Ok(Self { filter: None, condition: None });
        }
        let Some(filter) = query.strip_prefix("$filter=").or(query.strip_prefix("%24filter="))
        else {
            return Err(ResourceError::OtherOption);
        };
        // Graph's name for it, which has no ids in the model.
        let filter = decode_value(filter, plus::of_query(query)).unwrap_or(filter.into());
        let filter = filter
            .replace("participants/any(", "participants_v2/any(")
            .replace("participants/all(", "participants_v2/all(");
        let query = parse(&filter, limits, now);
        let query = query.map_err(|error| ResourceError::Options(Box::new(error)))?;
        Ok(Self { filter: Some(filter), condition: query.filter })
    }

    /// What records have to meet, if anything.
    pub(crate) fn condition(&self) -> Option<&Expr> {
        self.condition.as_ref()
    }

    /// Whether a version of a record meets the condition, also when a higher one has come meanwhile.
    pub(crate) fn matches(
        &self,
        reader: &mut Reader,
        version: &CommittedVersion,
        limits: &Limits,
        now: DateTimeOffset,
        budget: &Budget,
    ) -> Result<bool, store::Error> {
        let (Some(filter), Some(condition)) = (&self.filter, &self.condition) else {
            return Ok(true);
        };
        let id = version.id.replace('\'', "''");
        let Ok(query) = parse(&format!("id eq '{id}' and ({filter})"), limits, now) else {
            // It could be read when the subscription was made.
            return Ok(false);
        };
        // Rows are those of the current version. That there is a higher one is known for sure only
        // afterwards.
        let query = RowQuery { rows: RowSet::Records, query, not_before: None };
        let meets = reader.count_rows(&version.tenant, &query, budget)? > 0;
        let key = (version.id_key.as_slice(), version.version);
        Ok(reader
            .superseded_meets(&version.tenant, key, (condition, &budget.meter))?
            .unwrap_or(meets))
    }
}

fn parse(
    filter: &str,
    limits: &Limits,
    now: DateTimeOffset,
) -> Result<odata::bound::Query, odata::Error> {
    let limits = Limits { filter: limits.filter + 1_024, url: limits.url * 4, ..limits.clone() };
    let query = format!("$filter={}", encode_query(filter));
    Ok(parse_request(&V1_0, PATH, &query, &limits, now)?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<String>, ResourceError> {
        Resource::read(text, &Limits::default(), DateTimeOffset(0)).map(|resource| resource.filter)
    }

    #[test]
    fn call_records_with_and_without_a_condition() {
        assert_eq!(read("communications/callRecords"), Ok(None));
        assert_eq!(read("/communications/callRecords"), Ok(None));
        let filter = "participants_v2/any(p:p/id eq 'a')".to_owned();
        for text in [
            "/communications/callRecords?$filter=participants/any(p:p/id eq 'a')",
            "communications/callRecords?$filter=participants_v2/any(p:p/id%20eq%20'a')",
            "communications/callRecords?%24filter=participants/any(p:p/id eq 'a')",
        ] {
            assert_eq!(read(text), Ok(Some(filter.clone())), "{text}");
        }
        assert!(read("communications/callRecords?$filter=type eq 'groupCall'").is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "/users", "//communications/callRecords", "communications/callRecords/x"] {
            assert_eq!(read(text), Err(ResourceError::Other(text.to_owned())), "{text}");
        }
        assert_eq!(read("communications/callRecords?$top=1"), Err(ResourceError::OtherOption));
        let error = read("communications/callRecords?$filter=typ eq 'x'").unwrap_err();
        assert!(error.to_string().contains("Did you mean 'type'?"), "{error}");
    }
}
