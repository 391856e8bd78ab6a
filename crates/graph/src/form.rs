//! The plan of an answer that is a copy of what is kept of a record: the record itself, perhaps with its
//! sessions and participants, or a page of these.
//!
//! All such answers are written by [`Form::push`] and [`Form::close`], whoever asks for them and however:
//! at once, or piece by piece where the record is large ([`Sink`]). Questions of any other form are the
//! composer's.

use std::borrow::Cow;
use std::ops::Range;

use model::assemble::{SessionForm, push_annotation};
use model::fragment::{PARTICIPANTS_PER_PACK, SESSIONS_PER_PACK};
use model::generated;
use model::variation::{Shape, Subject, vary};
use odata::bound::{ExpandItem, Query, Resource};
use odata::edm::{StructuredType, Type};
use odata::{context, key};
use store::StoredRecord;
use web::Problem;
use web::response::ETag;

use crate::paging::{Addresses, MOST_PARTICIPANTS, MOST_SESSIONS, Page};
use crate::query_form::selects;
use crate::record::{has_unsettled_enum, record_path};
use crate::tag::{TagOf, TagSeed};

const _: () = assert!(SESSIONS_PER_PACK == MOST_SESSIONS, "a page is a copy of one pack");

/// A form of an answer.
#[derive(Debug)]
pub(crate) struct Form<'q> {
    of: TagOf,
    query: Cow<'q, Query>,
    /// What the answer's context says behind the address of the model.
    context: String,
    seed: TagSeed,
    shape: Shape,
    max_page_size: Option<u32>,
    expansions: Vec<Expansion<'q>>,
}

/// What a form is made from.
pub(crate) struct FormSource<'s, 'q> {
    pub(crate) of: TagOf,
    pub(crate) resource: &'s Resource,
    pub(crate) query: Cow<'q, Query>,
    /// The key of entity tags.
    pub(crate) key: &'s [u8; 32],
    /// The options as they came.
    pub(crate) text: &'s str,
    pub(crate) metadata: &'s str,
    pub(crate) shape: Shape,
    pub(crate) max_page_size: Option<u32>,
}

/// A collection inside a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collection {
    Sessions,
    Participants,
}

/// A collection that is shown inside its record.
#[derive(Debug)]
struct Expansion<'q> {
    collection: Collection,
    query: Cow<'q, Query>,
    /// What its context says behind the record's path.
    context: String,
    /// What the context of a session's segments says behind the session's path, if they are shown.
    segments: Option<String>,
}

/// Where the pieces of an answer go, in their order.
pub(crate) trait Sink {
    /// What is written between fragments.
    fn text(&mut self) -> &mut Vec<u8>;

    /// The members of a record.
    fn record(&mut self, row: &StoredRecord, path: &str) -> Result<(), Problem>;

    /// The items at those places, in this form; how many there were.
    fn items(
        &mut self,
        collection: Collection,
        row: &StoredRecord,
        places: Range<usize>,
        form: &SessionForm,
    ) -> Result<usize, Problem>;
}

impl Collection {
    fn of(name: &str) -> Option<Self> {
        match name {
            "sessions" => Some(Self::Sessions),
            "participants_v2" => Some(Self::Participants),
            // The organizer is there without being asked for.
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Participants => "participants_v2",
        }
    }

    fn ty(self) -> &'static StructuredType {
        match self {
            Self::Sessions => &generated::SESSION,
            Self::Participants => &generated::PARTICIPANT,
        }
    }

    /// Items on a page at most.
    pub(crate) fn most(self) -> usize {
        match self {
            Self::Sessions => MOST_SESSIONS,
            Self::Participants => MOST_PARTICIPANTS,
        }
    }

    /// How many items a record has.
    pub(crate) fn count(self, row: &StoredRecord) -> usize {
        let count = match self {
            Self::Sessions => row.session_count,
            Self::Participants => row.participant_count,
        };
        count as usize
    }

    /// Items that are kept together.
    pub(crate) fn pack_size(self) -> usize {
        match self {
            Self::Sessions => SESSIONS_PER_PACK,
            Self::Participants => PARTICIPANTS_PER_PACK,
        }
    }
}

impl<'q> Expansion<'q> {
    fn new(item: &ExpandItem, query: Cow<'q, Query>) -> Option<Self> {
        let collection = Collection::of(item.property.name)?;
        let context = context::nested("", item.property, &query);
        let segments = segments_context(&query);
        Some(Self { collection, query, context, segments })
    }

    /// Items of it that the record shows.
    fn page(&self, max_page_size: Option<u32>) -> Page {
        Page::first(&self.query, self.collection.most(), max_page_size)
    }
}

impl<'q> Form<'q> {
    pub(crate) fn new(source: FormSource<'_, 'q>) -> Self {
        let FormSource { of, resource, query, key, text, metadata, shape, max_page_size } = source;
        let expansions = match (&query, of) {
            (Cow::Borrowed(query), TagOf::Record) => {
                let items = query.expand.iter();
                items.filter_map(|it| Expansion::new(it, Cow::Borrowed(&*it.query))).collect()
            }
            (Cow::Owned(query), TagOf::Record) => {
                let items = query.expand.iter();
                items.filter_map(|it| Expansion::new(it, Cow::Owned((*it.query).clone()))).collect()
            }
            _ => Vec::new(),
        };
        let context = context::of(resource, &query);
        let seed = TagSeed::new(key, of, metadata, text, shape, max_page_size);
        Self { of, query, context, seed, shape, max_page_size, expansions }
    }

    /// The tag of a record in this form.
    pub(crate) fn tag(&self, row: &StoredRecord) -> ETag {
        self.seed.tag(row)
    }

    /// Whether sessions are shown inside the record.
    pub(crate) fn expands_sessions(&self) -> bool {
        self.expansions.iter().any(|it| it.collection == Collection::Sessions)
    }

    /// The collection that is shown, where that is not the record itself.
    pub(crate) fn collection(of: TagOf) -> Option<Collection> {
        match of {
            TagOf::Sessions => Some(Collection::Sessions),
            TagOf::Participants => Some(Collection::Participants),
            TagOf::Record | TagOf::Rows => None,
        }
    }

    /// Opens an answer with its context.
    pub(crate) fn open(&self, metadata: &str, capacity: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(capacity);
        out.push(b'{');
        push_annotation(&mut out, "@odata.context", &[metadata, &self.context]);
        out
    }

    /// Writes what stands behind the opening and before the last link; how many items were shown last.
    /// `page` is that of a collection.
    pub(crate) fn push(
        &self,
        sink: &mut impl Sink,
        to: &Addresses<'_>,
        row: &StoredRecord,
        page: Option<&Page>,
    ) -> Result<usize, Problem> {
        let path = record_path(row);
        if let (Some(collection), Some(page)) = (Self::collection(self.of), page) {
            return self.push_collection(sink, to, row, (collection, page));
        }
        sink.text().push(b',');
        sink.record(row, &path)?;
        let mut shown = 0;
        for (number, expansion) in self.expansions.iter().enumerate() {
            if let Some(before) = number.checked_sub(1) {
                self.push_inline_link(&self.expansions[before], to, row, shown, sink.text());
            }
            let name = expansion.collection.name();
            let out = sink.text();
            out.push(b',');
            let context = [to.metadata, &path, &expansion.context];
            push_annotation(out, &format!("{name}@odata.context"), &context);
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":[");
            let form = session_form(to.metadata, &path, expansion.segments.as_deref());
            let places = 0..expansion.page(self.max_page_size).room();
            shown = sink.items(expansion.collection, row, places, &form)?;
            sink.text().push(b']');
        }
        Ok(shown)
    }

    fn push_collection(
        &self,
        sink: &mut impl Sink,
        to: &Addresses<'_>,
        row: &StoredRecord,
        (collection, page): (Collection, &Page),
    ) -> Result<usize, Problem> {
        if self.query.count {
            let count = format!(",\"@odata.count\":{}", collection.count(row));
            sink.text().extend_from_slice(count.as_bytes());
        }
        sink.text().extend_from_slice(b",\"value\":[");
        let segments = segments_context(&self.query);
        let form = session_form(to.metadata, &record_path(row), segments.as_deref());
        let places = page.start()..page.start().saturating_add(page.room());
        let shown = sink.items(collection, row, places, &form)?;
        sink.text().push(b']');
        Ok(shown)
    }

    /// Items that an answer shows last, if all are there that the record has.
    pub(crate) fn shown_last(&self, row: &StoredRecord) -> usize {
        self.expansions
            .last()
            .map_or(0, |it| it.page(self.max_page_size).room().min(it.collection.count(row)))
    }

    /// Ends an answer, with the link to what is behind the items that were shown last: that is made for
    /// whoever asks.
    pub(crate) fn close(
        &self,
        to: &Addresses<'_>,
        row: &StoredRecord,
        page: Option<&Page>,
        shown: usize,
        out: &mut Vec<u8>,
    ) {
        if let (Some(collection), Some(page)) = (Self::collection(self.of), page) {
            self.push_next_link(to, row, (collection, page), shown, out);
        } else if let Some(last) = self.expansions.last() {
            self.push_inline_link(last, to, row, shown, out);
        }
        out.push(b'}');
    }

    /// The link to the page behind one, if there is anything.
    fn push_next_link(
        &self,
        to: &Addresses<'_>,
        row: &StoredRecord,
        (collection, page): (Collection, &Page),
        shown: usize,
        out: &mut Vec<u8>,
    ) {
        let behind = page.start() + shown;
        if shown == 0 || behind >= collection.count(row) {
            return;
        }
        let after = (behind as u64).to_le_bytes().to_vec();
        let Some(next) = page.next(shown, after, Some(row.version)) else { return };
        let query = Query { skiptoken: None, ..Query::clone(&self.query) };
        out.push(b',');
        push_annotation(out, "@odata.nextLink", &[&next.link(to, to.resource, &query)]);
    }

    /// The link from the part of a collection that stands in its record to the rest of it.
    fn push_inline_link(
        &self,
        expansion: &Expansion<'_>,
        to: &Addresses<'_>,
        row: &StoredRecord,
        shown: usize,
        out: &mut Vec<u8>,
    ) {
        if shown >= expansion.collection.count(row) {
            return;
        }
        let after = (shown as u64).to_le_bytes().to_vec();
        let page = expansion.page(self.max_page_size);
        let Some(next) = page.next(shown, after, Some(row.version)) else { return };
        let (key, name) = (key::in_path(&row.id), expansion.collection.name());
        let resource = format!("communications/callRecords{key}/{name}");
        let link = next.link(to, &resource, &expansion.query);
        out.push(b',');
        push_annotation(out, &format!("{name}@odata.nextLink"), &[&link]);
    }

    /// Whether what is kept of a record has this form.
    pub(crate) fn is_kept(&self, row: &StoredRecord) -> bool {
        !selects(&self.query) && self.shape.is_plain(has_unsettled_enum(row))
    }

    /// Gives a whole answer its form, where what is kept has another.
    pub(crate) fn vary(
        &self,
        root: &str,
        row: &StoredRecord,
        begin: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        if self.is_kept(row) {
            return Ok(());
        }
        let varied = self.variation(root, row).of(&out[begin..])?;
        out.truncate(begin);
        out.extend_from_slice(&varied);
        Ok(())
    }

    /// What gives a whole answer its form, on whatever thread.
    pub(crate) fn variation(&self, root: &str, row: &StoredRecord) -> Variation {
        let (ty, inside) = match Self::collection(self.of) {
            Some(collection) => (collection.ty(), format!("/{}", collection.name())),
            None => (&generated::CALL_RECORD, String::new()),
        };
        Variation {
            ty,
            is_collection: !inside.is_empty(),
            path: format!("{}{inside}", record_path(row)),
            root: format!("{root}/"),
            query: Query::clone(&self.query),
            shape: self.shape,
        }
    }
}

/// A form of a whole answer that is not the one in which it is kept.
pub(crate) struct Variation {
    ty: &'static StructuredType,
    is_collection: bool,
    /// The path of what is answered, as contexts write it.
    path: String,
    /// The service root with the version and a closing slash.
    root: String,
    query: Query,
    shape: Shape,
}

impl Variation {
    /// Gives a whole answer this form.
    pub(crate) fn of(&self, text: &[u8]) -> Result<Vec<u8>, Problem> {
        let Self { ty, is_collection, path, root, query, shape } = self;
        let ty = Type::Structured(ty);
        let subject = Subject { ty, is_collection: *is_collection, path, root };
        vary(text, &subject, query, shape).map_err(Problem::damaged)
    }
}

/// What the context of a session's segments says behind the session's path, if they are asked for.
fn segments_context(query: &Query) -> Option<String> {
    let item = query.expand.iter().find(|item| item.property.name == "segments")?;
    Some(context::nested("", item.property, &item.query))
}

fn session_form(metadata: &str, record: &str, segments: Option<&str>) -> SessionForm {
    match segments {
        Some(segments) => SessionForm::with_segments(metadata, record, segments),
        None => SessionForm::ALONE,
    }
}
