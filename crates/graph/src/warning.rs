//! What an answer says of a query that may not mean what its author thinks: an annotation of ours, which
//! depends on the query alone and never on what is stored.

use model::assemble::push_annotation;
use odata::bound::{Query, Resource, undeclared_members};

/// The annotation, which stands behind the context of an answer.
const WARNING: &str = "@callvault.warning";

/// What is to be said of members that nothing declares; services may add such at any time.
pub fn warning(resource: &Resource, query: &Query) -> Option<String> {
    let members = undeclared_members(resource, query);
    let sentences = members
        .iter()
        .map(|member| format!("'{}' is not a declared member of {}.", member.name, member.ty));
    let text = sentences.collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// Writes the annotation into an object that was opened, behind what it has so far.
pub(crate) fn push_warning(out: &mut Vec<u8>, warning: Option<&str>) {
    let Some(warning) = warning else { return };
    if !out.ends_with(b"{") {
        out.push(b',');
    }
    push_annotation(out, WARNING, &[warning]);
}
