//! What an answer says beside its items, as annotations of ours or, where it is text, as lines before it: that
//! a query may not mean what its author thinks, which depends on the query alone and never on what is stored;
//! and that an older store is still being brought up, so that the query takes longer than it will.

use http::{HeaderName, HeaderValue};
use model::assemble::push_annotation;
use model::columns::recent_members;
use odata::bound::{Query, Resource, Step, undeclared_members};
use odata::json::push_string;
use web::Response;

/// Stands behind the context of an answer.
const WARNING: &str = "@callvault.warning";
/// The same among the lines before an answer that has no place for it.
pub(crate) const WARNING_LINE: HeaderName = HeaderName::from_static("callvault-warning");
/// The records whose typed columns an older version wrote. Until there are none, a query that uses the newer
/// columns looks at each record.
const LACKING: &str = "@callvault.recordsLackingColumns";
const LACKING_LINE: HeaderName = HeaderName::from_static("callvault-records-lacking-columns");

/// The annotations of an answer.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    pub(crate) warning: Option<String>,
    /// None if there are no such records, or the query does not need these columns.
    pub(crate) lacking: Option<u64>,
}

/// What is to be said of members that nothing declares; services may add such at any time.
pub fn warning(resource: &Resource, query: &Query) -> Option<String> {
    let members = undeclared_members(resource, query);
    let sentences = members
        .iter()
        .map(|member| format!("'{}' is not a declared member of {}.", member.name, member.ty));
    let text = sentences.collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// Whether a query needs columns that records of older versions may lack.
pub fn uses_recent_columns(resource: &Resource, query: &Query) -> bool {
    let is_of_ends =
        |step: &Step| matches!(step, Step::Operation { operation, .. } if operation.name == "legs");
    resource.steps.iter().any(is_of_ends) || recent_members().any(|name| query.uses_member(name))
}

impl Remarks {
    /// Writes them into an object that was opened, behind what it has so far.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        if let Some(warning) = &self.warning {
            push_comma(out);
            push_annotation(out, WARNING, &[warning]);
        }
        if let Some(lacking) = self.lacking {
            push_comma(out);
            push_string(out, LACKING);
            out.extend_from_slice(format!(":{lacking}").as_bytes());
        }
    }

    /// Says them in lines before an answer that is text.
    pub(crate) fn stamp(&self, mut response: Response) -> Response {
        // What came in decoded may break a line.
        let line = |text: &String| HeaderValue::try_from(text.replace(char::is_control, " ")).ok();
        if let Some(warning) = self.warning.as_ref().and_then(line) {
            response = response.with_header(WARNING_LINE, warning);
        }
        if let Some(lacking) = self.lacking {
            response = response.with_header(LACKING_LINE, HeaderValue::from(lacking));
        }
        response
    }
}

fn push_comma(out: &mut Vec<u8>) {
    if !out.ends_with(b"{") {
        out.push(b',');
    }
}
