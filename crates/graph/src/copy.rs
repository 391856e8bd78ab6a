//! Answers that are a copy of what is kept of a record, on the worker's thread.

use store::{Reader, StoredRecord};
use web::{Problem, Response};

use crate::copying::Copier;
use crate::form::Form;
use crate::paging::Page;
use crate::read_request::ReadRequest;
use crate::tag::TagOf;
use crate::target::{Base, RecordRef};

/// What of which record a target shows, if that can be a copy.
pub(crate) fn source(base: &Base) -> Option<(TagOf, &RecordRef)> {
    match base {
        Base::Record(record) => Some((TagOf::Record, record)),
        Base::Sessions(record) => Some((TagOf::Sessions, record)),
        Base::Participants(record) => Some((TagOf::Participants, record)),
        _ => None,
    }
}

/// The page of a collection that is asked for; none of a record.
pub(crate) fn page(read: &ReadRequest<'_>, of: TagOf) -> Result<Option<Page>, Problem> {
    Form::collection(of).map(|collection| read.page(collection.most())).transpose()
}

/// `callRecords/{id}`, or its `sessions` or `participants_v2`.
pub(crate) fn answer(
    read: &ReadRequest<'_>,
    of: TagOf,
    record: &RecordRef,
) -> Result<Response, Problem> {
    let page = page(read, of)?;
    let mut reader = read.reader();
    let row = match &page {
        Some(page) => read.scope.find_for_page(&mut reader, record, page)?,
        None => find(read, &mut reader, record)?,
    };
    let form = read.form(of)?;
    let etag = form.tag(&row);
    if read.request.matches_none(&etag) {
        return Ok(Response::not_modified(etag));
    }
    let to = read.scope.addresses(&read.path);
    let mut out = form.open(to.metadata, capacity(read, of, &row));
    let mut sink = Copier { reader: &mut reader, metadata: to.metadata, out: &mut out };
    let shown = form.push(&mut sink, &to, &row, page.as_ref())?;
    form.close(&to, &row, page.as_ref(), shown, &mut out);
    form.vary(to.root, &row, 0, &mut out)?;
    read.answer_with(out, Some(etag))
}

/// Bytes that an answer takes, roughly.
fn capacity(read: &ReadRequest<'_>, of: TagOf, row: &StoredRecord) -> usize {
    match of {
        TagOf::Record if read.query.expand.is_empty() => row.fragment.len() + 512,
        TagOf::Record => row.fragment.len() + 512 + 12 * 1024,
        _ => 16 * 1024,
    }
}

fn find(
    read: &ReadRequest<'_>,
    reader: &mut Reader,
    record: &RecordRef,
) -> Result<StoredRecord, Problem> {
    let expands = |name| read.query.expand.iter().any(|item| item.property.name == name);
    if record.version.is_some() || expands("participants_v2") {
        return read.scope.find(reader, record);
    }
    read.find_alone(reader, record, expands("sessions"))
}
