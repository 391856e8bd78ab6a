//! A callRecord in the forms that are asked for most: with nothing expanded, with its sessions, or with
//! these and their segments. A form is known by the text of the query, so that nothing is parsed again.
//!
//! Whatever is not answered here (an error, a record with more sessions than a page) is left to the
//! other files, which would answer everything here with the same bytes and the same tag.

use std::rc::Rc;

use identity::Caller;
use model::TenantId;
use model::assemble::{
    SessionForm, Window, push_annotation, push_items, push_record, push_session,
};
use model::fragment::Item;
use model::generated;
use model::variation::{Shape, Subject, vary};
use odata::bound::{ExpandItem, ExpandKind, Query, Resource};
use odata::primitive::DateTimeOffset;
use odata::{context, key};
use store::{Reader, StoredRecord};
use web::response::ETag;

use super::answers::Answers;
use crate::caller::role;
use crate::paging::{LinkOwner, MOST_SESSIONS, Page};
use crate::record::{has_unsettled_enum, record_path};
use crate::routes;
use crate::strict;
use crate::tag::{TagOf, TagSeed};
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
    known: Vec<(ApiVersion, Box<str>, Rc<Form>)>,
    read: u64,
}

/// A form of a record.
#[derive(Debug)]
pub(super) struct Form {
    query: Query,
    /// From the brace to the comma behind the context.
    opening: Vec<u8>,
    seed: TagSeed,
    shape: Shape,
    sessions: Option<Sessions>,
    /// Never given to two forms of a thread.
    number: u64,
}

/// How sessions are shown: what stands behind the record's path in their context, and behind a
/// session's path in that of its segments, if these are shown.
#[derive(Debug)]
struct Sessions {
    query: Query,
    context: String,
    segments: Option<String>,
}

/// Who asks for which record.
pub(super) struct PlainRequest<'a> {
    pub(super) version: ApiVersion,
    pub(super) caller: &'a Caller,
    pub(super) id: &'a str,
    pub(super) form: &'a Form,
}

impl Forms {
    /// The form that a query asks for, if it is one of these.
    pub(super) fn find(
        &mut self,
        worker: &Worker,
        version: ApiVersion,
        query: &str,
    ) -> Option<Rc<Form>> {
        let is_it =
            |(of, text, _): &&(ApiVersion, Box<str>, Rc<Form>)| *of == version && **text == *query;
        if let Some((.., form)) = self.known.iter().find(is_it) {
            return Some(Rc::clone(form));
        }
        let form = Rc::new(Form::read(worker, version, query, self.read)?);
        self.read += 1;
        if self.known.len() >= MOST_FORMS {
            self.known.clear();
        }
        self.known.push((version, query.into(), Rc::clone(&form)));
        Some(form)
    }
}

impl Form {
    fn read(worker: &Worker, version: ApiVersion, text: &str, number: u64) -> Option<Self> {
        if text.len() > LONGEST_QUERY {
            return None;
        }
        let limits = &worker.shared.query.language;
        let now = DateTimeOffset(store::clock::now());
        let (resource, query) =
            odata::parse_request(version.model(), ANY_PATH, text, limits, now).ok()?;
        let sessions = match query.expand.as_slice() {
            [] => None,
            [item] => Some(Sessions::read(item)?),
            _ => return None,
        };
        if query != (Query { expand: query.expand.clone(), ..Query::default() }) {
            return None;
        }
        if worker.settings.is_strict {
            strict::check(&routes::target(&resource).ok()?, &query).ok()?;
        }
        Some(Self::new(worker, version, (&resource, query, text), sessions, number))
    }

    fn new(
        worker: &Worker,
        version: ApiVersion,
        (resource, query, text): (&Resource, Query, &str),
        sessions: Option<Sessions>,
        number: u64,
    ) -> Self {
        let metadata = &worker.urls().context(version);
        let shape =
            Shape { legacy_identities: worker.settings.legacy_identities, ..Shape::default() };
        let key = &worker.shared.etag_key;
        let seed = TagSeed::new(key, TagOf::Record, metadata, text, shape, None);
        let mut opening = vec![b'{'];
        let context = context::of(resource, &query);
        push_annotation(&mut opening, "@odata.context", &[metadata, &context]);
        opening.push(b',');
        Self { query, opening, seed, shape, sessions, number }
    }
}

impl Sessions {
    fn read(item: &ExpandItem) -> Option<Self> {
        let is_whole = |item: &ExpandItem, name: &str| {
            item.property.name == name && item.kind == ExpandKind::Entities
        };
        if !is_whole(item, "sessions") {
            return None;
        }
        let inside = &*item.query;
        let segments = match inside.expand.as_slice() {
            [] => None,
            [item] if is_whole(item, "segments") && *item.query == Query::default() => {
                Some(context::nested("", item.property, &item.query))
            }
            _ => return None,
        };
        if *inside != (Query { expand: inside.expand.clone(), ..Query::default() }) {
            return None;
        }
        let context = context::nested("", item.property, inside);
        Some(Self { query: inside.clone(), context, segments })
    }
}

/// Appends the answer's body to `out` and gives its tag; only the tag if `is_known` says that the client
/// has it already. `None` where the other files have to answer: then `out` may hold anything.
pub(super) fn answer(
    worker: &Worker,
    answers: &mut Answers,
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
        let tag = asked.form.seed.tag(record);
        if !read.is_shown(record) {
            return None;
        }
        if is_known(tag) {
            return Some(tag);
        }
        if let Some(body) = known.body(asked.form.number) {
            out.extend_from_slice(body);
            read.close(record, out)?;
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
        answers: &mut Answers,
        (id_key, are_kept): (Vec<u8>, bool),
        is_known: impl FnOnce(ETag) -> bool,
        out: &mut Vec<u8>,
    ) -> Option<ETag> {
        let form = self.asked.form;
        let mut is_unchanged = false;
        let with_sessions = form.sessions.is_some();
        let found = reader.current_unless(self.tenant, &id_key, with_sessions, |record| {
            is_unchanged = is_known(form.seed.tag(record));
            is_unchanged
        });
        let record = found.ok().flatten()?;
        if !self.is_shown(&record) {
            return None;
        }
        let tag = form.seed.tag(&record);
        if is_unchanged {
            return Some(tag);
        }
        let begin = out.len();
        self.push(reader, &record, out)?;
        if !form.shape.is_plain(has_unsettled_enum(&record)) {
            self.vary(&record, begin, out)?;
            return Some(tag);
        }
        let end = out.len();
        self.close(&record, out)?;
        if are_kept {
            answers.offer(self.tenant, id_key, record, form.number, &out[begin..end]);
        }
        Some(tag)
    }

    fn is_shown(&self, record: &StoredRecord) -> bool {
        self.worker.oldest_shown().is_none_or(|oldest| record.start >= oldest)
    }

    /// Appends all but what [`Self::close`] does.
    fn push(&self, reader: &mut Reader, record: &StoredRecord, out: &mut Vec<u8>) -> Option<()> {
        let metadata = &self.worker.urls().context(self.asked.version);
        let path = record_path(record);
        out.extend_from_slice(&self.asked.form.opening);
        push_record(out, metadata, &path, &record.fragment).ok()?;
        match &self.asked.form.sessions {
            Some(sessions) => sessions.push(metadata, &path, reader, record, out),
            None => Some(()),
        }
    }

    /// Ends the body; before that comes the link to sessions behind the first page, which is made for
    /// whoever asks.
    fn close(&self, record: &StoredRecord, out: &mut Vec<u8>) -> Option<()> {
        if let Some(sessions) = &self.asked.form.sessions
            && record.session_count > MOST_SESSIONS as i64
        {
            let page = Page::first(&sessions.query, MOST_SESSIONS, None);
            let after = (MOST_SESSIONS as u64).to_le_bytes().to_vec();
            let next = page.next(MOST_SESSIONS, after, Some(record.version))?;
            let key = key::in_path(&record.id);
            let owner = LinkOwner {
                tenant: self.tenant.as_str(),
                app: &self.asked.caller.app_id,
                resource: &format!("communications/callRecords{key}/sessions"),
            };
            let root = self.worker.urls().root(self.asked.version);
            let link = next.link(&root, &self.worker.shared.keys, owner, &sessions.query);
            out.push(b',');
            push_annotation(out, "sessions@odata.nextLink", &[&link]);
        }
        out.push(b'}');
        Some(())
    }

    /// Ends a body that is not shown as it is kept.
    fn vary(&self, record: &StoredRecord, begin: usize, out: &mut Vec<u8>) -> Option<()> {
        self.close(record, out)?;
        let root = format!("{}/", self.worker.urls().root(self.asked.version));
        let (ty, path) = (&generated::CALL_RECORD, record_path(record));
        let subject = Subject { ty, is_collection: false, path: &path, root: &root };
        let form = self.asked.form;
        let varied = vary(&out[begin..], &subject, &form.query, &form.shape).ok()?;
        out.truncate(begin);
        out.extend_from_slice(&varied);
        Some(())
    }
}

impl Sessions {
    fn push(
        &self,
        metadata: &str,
        path: &str,
        reader: &mut Reader,
        record: &StoredRecord,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        out.push(b',');
        push_annotation(out, "sessions@odata.context", &[metadata, path, &self.context]);
        out.extend_from_slice(b",\"sessions\":[");
        let mut pack = Vec::new();
        if reader.session_pack(record.record_key, 0, &mut pack).ok()? {
            let form = match &self.segments {
                Some(segments) => SessionForm::with_segments(metadata, path, segments),
                None => SessionForm::ALONE,
            };
            let window = Window { skip: 0, take: MOST_SESSIONS, is_first: true };
            let push = |out: &mut Vec<u8>, session: &Item<'_>| {
                push_session(out, &form, session);
            };
            push_items(out, &pack, window, push).ok()?;
        }
        out.push(b']');
        Some(())
    }
}
