//! A callRecord in the forms that are asked for most: with nothing expanded, with its sessions, or with
//! these and their segments. A form is known by the text of the query, so that nothing is parsed again.
//!
//! Whatever is not answered here (an error, a record with more sessions than a page) is left to the long
//! way, which would answer everything here with the same bytes and the same tag, by the same [`Form`].

use std::borrow::Cow;
use std::rc::Rc;

use identity::Caller;
use model::TenantId;
use model::variation::Shape;
use odata::bound::{ExpandItem, ExpandKind, Query};
use odata::primitive::DateTimeOffset;
use store::{Reader, StoredRecord};
use web::response::ETag;

use super::answer_cache::AnswerCache;
use crate::caller::role;
use crate::copying::Copier;
use crate::destination;
use crate::form::{Form, FormSource};
use crate::paging::Addresses;
use crate::strict;
use crate::tag::TagOf;
use crate::version::ApiVersion;
use crate::worker::Worker;

/// Forms that are kept; clients write the few that there are in few ways.
const MOST_FORMS: usize = 16;
/// Longer queries have none of the forms.
const LONGEST_QUERY: usize = 256;
/// A path that every id could stand in.
const ANY_PATH: &str = "/communications/callRecords/00000000-0000-0000-0000-000000000000";

/// The forms that were asked for lately.
#[derive(Debug, Default)]
pub(super) struct Forms {
    known: Vec<KnownForm>,
    read: u64,
}

/// A form with the request that asks for it.
#[derive(Debug)]
struct KnownForm {
    version: ApiVersion,
    query: Box<str>,
    form: Rc<PlainForm>,
}

/// A form of a record, ready to be copied.
#[derive(Debug)]
pub(super) struct PlainForm {
    form: Form<'static>,
    /// From the brace to the context.
    opening: Vec<u8>,
    /// Never given to two forms of a thread.
    number: u64,
}

/// Who asks for which record.
pub(super) struct PlainRequest<'a> {
    pub(super) version: ApiVersion,
    pub(super) caller: &'a Caller,
    pub(super) id: &'a str,
    pub(super) form: &'a PlainForm,
}

impl Forms {
    /// The form that a query asks for, if it is one of these.
    pub(super) fn find(
        &mut self,
        worker: &Worker,
        version: ApiVersion,
        query: &str,
    ) -> Option<Rc<PlainForm>> {
        let is_it = |known: &&KnownForm| known.version == version && *known.query == *query;
        if let Some(known) = self.known.iter().find(is_it) {
            return Some(Rc::clone(&known.form));
        }
        let form = Rc::new(PlainForm::read(worker, version, query, self.read)?);
        self.read += 1;
        if self.known.len() >= MOST_FORMS {
            self.known.clear();
        }
        self.known.push(KnownForm { version, query: query.into(), form: Rc::clone(&form) });
        Some(form)
    }
}

impl PlainForm {
    fn read(worker: &Worker, version: ApiVersion, text: &str, number: u64) -> Option<Self> {
        if text.len() > LONGEST_QUERY {
            return None;
        }
        let limits = &worker.shared.query.language;
        let now = DateTimeOffset(store::clock::now());
        let (resource, query) =
            odata::parse_request(version.model(), ANY_PATH, text, limits, now).ok()?;
        if !query.expand.iter().all(is_of_sessions) || query.expand.len() > 1 {
            return None;
        }
        if query != (Query { expand: query.expand.clone(), ..Query::default() }) {
            return None;
        }
        if worker.settings.is_strict {
            strict::check(&destination::target(&resource).ok()?, &query).ok()?;
        }
        let metadata = worker.urls().context(version);
        let form = Form::new(FormSource {
            of: TagOf::Record,
            resource: &resource,
            query: Cow::Owned(query),
            key: &worker.shared.etag_key,
            text,
            metadata,
            shape: Shape {
                legacy_identities: worker.settings.legacy_identities,
                ..Shape::default()
            },
            max_page_size: None,
        });
        Some(Self { opening: form.open(metadata, 256), form, number })
    }
}

/// Whether whole sessions are expanded, perhaps with whole segments.
fn is_of_sessions(item: &ExpandItem) -> bool {
    let is_whole = |item: &ExpandItem, name: &str| {
        item.property.name == name && item.kind == ExpandKind::Entities
    };
    let inside = &*item.query;
    let are_whole_inside = match inside.expand.as_slice() {
        [] => true,
        [item] => is_whole(item, "segments") && *item.query == Query::default(),
        _ => false,
    };
    is_whole(item, "sessions")
        && are_whole_inside
        && *inside == (Query { expand: inside.expand.clone(), ..Query::default() })
}

/// Appends the answer's body to `out` and gives its tag; only the tag if `is_known` says that the client
/// has it already. `None` where the other files have to answer: then `out` may hold anything.
pub(super) fn answer(
    worker: &Worker,
    answers: &mut AnswerCache,
    asked: &PlainRequest<'_>,
    is_known: impl FnOnce(ETag) -> bool,
    out: &mut Vec<u8>,
) -> Option<ETag> {
    if !asked.caller.has_any(&[role::READ]) {
        return None;
    }
    let tenant = TenantId::parse(&asked.caller.tenant)?;
    let mut reader = worker.web.reader.borrow_mut();
    let id_key = model::key(asked.id);
    let are_kept = answers.follow(&mut reader).ok()?;
    let ready = if are_kept { answers.find(&tenant, &id_key) } else { None };
    let read = Read { worker, asked, tenant: &tenant };
    if let Some(known) = ready {
        let record = &known.record;
        let tag = asked.form.form.tag(record);
        if !read.is_shown(record) {
            return None;
        }
        if is_known(tag) {
            return Some(tag);
        }
        if let Some(body) = known.body(asked.form.number) {
            out.extend_from_slice(body);
            read.close(record, asked.form.form.shown_last(record), out);
            return Some(tag);
        }
        return read.in_store(&mut reader, answers, (id_key, are_kept), |_| false, out);
    }
    read.in_store(&mut reader, answers, (id_key, are_kept), is_known, out)
}

/// A read of one record.
struct Read<'a> {
    worker: &'a Worker,
    asked: &'a PlainRequest<'a>,
    tenant: &'a TenantId,
}

impl Read<'_> {
    fn in_store(
        &self,
        reader: &mut Reader,
        answers: &mut AnswerCache,
        (id_key, are_kept): (Vec<u8>, bool),
        is_known: impl FnOnce(ETag) -> bool,
        out: &mut Vec<u8>,
    ) -> Option<ETag> {
        let PlainForm { form, opening, number } = self.asked.form;
        let mut is_unchanged = false;
        let found =
            reader.current_unless(self.tenant, &id_key, form.expands_sessions(), |record| {
                is_unchanged = is_known(form.tag(record));
                is_unchanged
            });
        let record = found.ok().flatten()?;
        if !self.is_shown(&record) {
            return None;
        }
        let tag = form.tag(&record);
        if is_unchanged {
            return Some(tag);
        }
        let begin = out.len();
        out.extend_from_slice(opening);
        let to = self.addresses();
        let mut sink = Copier { reader, metadata: to.metadata, out };
        let shown = form.push(&mut sink, &to, &record, None).ok()?;
        let end = out.len();
        self.close(&record, shown, out);
        if !form.is_kept(&record) {
            form.vary(to.root, &record, begin, out).ok()?;
            return Some(tag);
        }
        if are_kept {
            answers.offer(self.tenant, id_key, record, *number, &out[begin..end]);
        }
        Some(tag)
    }

    fn is_shown(&self, record: &StoredRecord) -> bool {
        self.worker.oldest_shown().is_none_or(|oldest| record.start >= oldest)
    }

    /// Ends the body, with the link to sessions behind the first page.
    fn close(&self, record: &StoredRecord, shown: usize, out: &mut Vec<u8>) {
        self.asked.form.form.close(&self.addresses(), record, None, shown, out);
    }

    fn addresses(&self) -> Addresses<'_> {
        Addresses {
            root: self.worker.urls().root(self.asked.version),
            metadata: self.worker.urls().context(self.asked.version),
            // A record has no pages.
            resource: "",
            keys: &self.worker.shared.keys,
            tenant: self.tenant.as_str(),
            application: &self.asked.caller.app_id,
            is_local: false,
        }
    }
}
