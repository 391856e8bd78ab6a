//! `GET callRecords/delta`, and lists with the preference `track-changes`: all records, and then only what
//! has changed (OData Protocol sections 8.2.8.6 and 11.3; "Use delta query to track changes" of Graph).

use http::HeaderValue;
use http::header::LOCATION;
use odata::bound::{Query, Step};
use store::RowSet;
use web::{Code, Problem, Response};

use crate::compose::Question;
use crate::read_request::ReadRequest;
use crate::target::{Base, Tail, Target};
use crate::tracking::{DELTA, TrackedPage};

/// Answers with a page of changes, or of the records that they begin with.
///
/// # Errors
/// 501 for options with which changes can't be told, 400 for a token of another request, and 410 with the
/// address to begin at where the change log does not go back to the link's beginning.
pub(crate) async fn answer(read: ReadRequest<'_>) -> Result<Response, Problem> {
    refuse(read.query)?;
    read.format()?;
    let addresses = read.scope.addresses(DELTA);
    let page = TrackedPage::of(read.query, &addresses, read.scope.max_page_size)?;
    let mut resource = read.resource.clone().into_owned();
    resource.steps.retain(|step| !matches!(step, Step::Operation { .. }));
    let base = Base::Rows(RowSet::Records);
    let question = Question {
        target: Target { base, filters: Vec::new(), tail: Tail::Whole },
        resource,
        path: DELTA.to_owned(),
        query: Query { skiptoken: None, deltatoken: None, ..read.query.clone() },
    };
    let composer = read.composer();
    let made = read.elsewhere(move |reader| composer.delta(reader, &question, &page)).await;
    let out = made.map_err(|problem| match problem.code() {
        Code::ResyncRequired => problem.with_header(LOCATION, fresh_start(&read)),
        _ => problem,
    })?;
    let mut applied = read.applied();
    applied.track_changes = read.request.preferences.track_changes;
    Ok(read.answer_with(out, None)?.applied(applied))
}

/// Where a client begins again.
fn fresh_start(read: &ReadRequest<'_>) -> HeaderValue {
    let options = read.query.to_query_string();
    let question = if options.is_empty() { "" } else { "?" };
    let address = format!("{}/{DELTA}{question}{options}", read.scope.root);
    HeaderValue::from_str(&address).expect("addresses are visible ASCII")
}

/// Refuses what would make of changes something else than records.
fn refuse(query: &Query) -> Result<(), Problem> {
    let options = [
        ("$apply", query.apply.is_some()),
        ("$compute", !query.compute.is_empty()),
        ("$count", query.count),
        ("$orderby", !query.orderby.is_empty()),
        ("$search", query.search.is_some()),
        ("$skip", query.skip.is_some()),
    ];
    match options.into_iter().find(|(_, is_used)| *is_used) {
        None => Ok(()),
        Some((name, _)) => {
            let message = format!(
                "The query option '{name}' is not supported where changes are tracked: only $filter, \
                 $select, $expand and $top are."
            );
            Err(Problem::not_supported(message).with_target(name))
        }
    }
}
