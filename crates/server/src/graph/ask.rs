//! A read request, understood: who asks for what in which form, and how answers are finished.

use std::borrow::Cow;
use std::cell::RefMut;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use identity::Caller;
use model::TenantId;
use model::assemble::push_annotation;
use model::fragment::Corrupt;
use model::variation::{MetadataLevel, Shape, Subject, vary};
use odata::bound::{Query, Resource, Step};
use odata::context;
use odata::edm::{Property, StructuredType};
use odata::page_token::Keys;
use odata::primitive::TICKS_PER_DAY;
use store::{Budget, Reader, StoredRecord, clock};

use super::compose::{Answer, Composer, Question};
use super::logs;
use super::page_text::PageForm;
use super::paging::{Asked, MOST_PARTICIPANTS, MOST_SESSIONS, Page};
use super::tag::{TagOf, TagSeed};
use super::target::{PropertyForm, RecordRef, Tail, Target};
use crate::auth::role;
use crate::negotiate::Format;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::{Applied, ETag, Response};
use crate::worker::Worker;

/// A read request and everything that answering it needs.
pub(super) struct Ask<'a> {
    pub(super) worker: &'a Rc<Worker>,
    pub(super) request: &'a Request,
    /// What contexts name: the resource without the functions on the way to it.
    pub(super) resource: Cow<'a, Resource>,
    pub(super) query: &'a Query,
    pub(super) caller: Arc<Caller>,
    pub(super) tenant: TenantId,
    pub(super) shape: Shape,
    /// The resource's path as links and tokens carry it.
    pub(super) path: String,
    /// When it was understood; its time runs from then on.
    began: Instant,
}

/// The declared type and the path of what an answer holds.
pub(super) struct Content<'a> {
    pub(super) ty: &'static StructuredType,
    pub(super) is_collection: bool,
    pub(super) path: &'a str,
    /// Holds enumeration members that not everyone may see.
    pub(super) has_unsettled_enum: bool,
}

impl<'a> Ask<'a> {
    /// Checks that the caller may read call records and in which form the answer can go out.
    pub(super) fn new(
        worker: &'a Rc<Worker>,
        request: &'a Request,
        resource: &'a Resource,
        query: &'a Query,
    ) -> Result<Self, Problem> {
        Self::with_roles(worker, request, resource, query, &[role::READ])
    }

    /// The same for what others may read too: whoever has one of the roles.
    pub(super) fn with_roles(
        worker: &'a Rc<Worker>,
        request: &'a Request,
        resource: &'a Resource,
        query: &'a Query,
        roles: &[&str],
    ) -> Result<Self, Problem> {
        Self::by(worker, request, resource, query, request.require(roles)?)
    }

    /// Shows a caller what it has just written; for that the role to write is enough.
    pub(super) fn after_write(
        worker: &'a Rc<Worker>,
        request: &'a Request,
        resource: &'a Resource,
        query: &'a Query,
    ) -> Result<Self, Problem> {
        Self::by(worker, request, resource, query, request.require(&[role::WRITE])?)
    }

    fn by(
        worker: &'a Rc<Worker>,
        request: &'a Request,
        resource: &'a Resource,
        query: &'a Query,
        caller: Arc<Caller>,
    ) -> Result<Self, Problem> {
        let tenant = tenant(&caller)?;
        let shape = Shape {
            metadata: MetadataLevel::Minimal,
            ieee754_compatible: false,
            omit_nulls: request.preferences.omit_nulls,
            unknown_enum_members: request.preferences.unknown_enum_members,
            legacy_identities: worker.settings.legacy_identities,
        };
        let path = resource.to_string();
        let resource = without_functions(resource);
        let began = Instant::now();
        Ok(Self { worker, request, resource, query, caller, tenant, shape, path, began })
    }

    /// The form of a JSON answer.
    pub(super) fn format(&self) -> Result<Format, Problem> {
        self.request.preferences.json()
    }

    pub(super) fn reader(&self) -> RefMut<'a, Reader> {
        self.worker.reader.borrow_mut()
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.worker.graph.keys
    }

    /// The service root with the version.
    pub(super) fn root(&self) -> &'a str {
        self.worker.urls.root(self.request.version)
    }

    /// The metadata document's address up to and with `#`.
    pub(super) fn metadata(&self) -> &'a str {
        self.worker.urls.context(self.request.version)
    }

    pub(super) fn asked<'r>(&'r self, resource: &'r str) -> Asked<'r> {
        Asked { tenant: self.tenant.as_str(), app: &self.caller.app_id, resource }
    }

    /// The page that is asked for.
    pub(super) fn page(&self, most: usize) -> Result<Page, Problem> {
        let wanted = self.request.preferences.max_page_size;
        Page::of(self.query, self.keys(), self.asked(&self.path), most, wanted)
    }

    /// The start before which records are not shown, if there is one.
    pub(super) fn not_before(&self) -> Option<i64> {
        oldest_shown(self.worker)
    }

    /// The record, or 404.
    pub(super) fn find(
        &self,
        reader: &mut Reader,
        record: &RecordRef,
    ) -> Result<StoredRecord, Problem> {
        self.shown(reader.record(&self.tenant, &model::key(&record.id), record.version)?)
    }

    /// The same for an answer that shows nothing else of it than its first sessions.
    pub(super) fn find_alone(
        &self,
        reader: &mut Reader,
        record: &RecordRef,
        with_sessions: bool,
    ) -> Result<StoredRecord, Problem> {
        self.shown(reader.current(&self.tenant, &model::key(&record.id), with_sessions)?)
    }

    fn shown(&self, found: Option<StoredRecord>) -> Result<StoredRecord, Problem> {
        found
            .filter(|found| self.not_before().is_none_or(|oldest| found.start >= oldest))
            .ok_or_else(Problem::not_found)
    }

    /// The record of a page: in the version that the link was made for, or 410 when that is gone.
    pub(super) fn find_for_page(
        &self,
        reader: &mut Reader,
        record: &RecordRef,
        page: &Page,
    ) -> Result<StoredRecord, Problem> {
        if page.version.is_none() {
            return self.find(reader, record);
        }
        let pinned = RecordRef { id: record.id.clone(), version: page.version };
        self.find(reader, &pinned).map_err(|_| {
            Problem::gone("The version of the record that this link reads was erased. Start again.")
        })
    }

    /// The tag of an answer that shows something of a stored record: it changes with the record
    /// and with everything that shapes the answer.
    pub(super) fn etag(&self, of: TagOf, record: &StoredRecord) -> Result<ETag, Problem> {
        Ok(self.tag_seed(of, self.format()?).tag(record))
    }

    fn tag_seed(&self, of: TagOf, format: Format) -> TagSeed {
        let shape = self.shape_of(format);
        let query = self.request.query().unwrap_or_default();
        let size = self.request.preferences.max_page_size;
        let key = &self.worker.graph.etag_key;
        TagSeed::new(key, of, self.metadata(), query, shape, size)
    }

    /// Opens an answer's object with its context.
    pub(super) fn open(&self, capacity: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(capacity);
        out.push(b'{');
        let context = context::of(&self.resource, self.query);
        push_annotation(&mut out, "@odata.context", &[self.metadata(), &context]);
        out
    }

    /// Gives an assembled answer the form that was asked for. Without a tag the bytes make one.
    pub(super) fn finish(
        &self,
        mut out: Vec<u8>,
        content: &Content<'_>,
        etag: Option<ETag>,
    ) -> Result<Response, Problem> {
        let shape = self.shape_of(self.format()?);
        if self.selects() || !shape.is_plain(content.has_unsettled_enum) {
            let root = format!("{}/", self.root());
            let subject = Subject {
                ty: content.ty,
                is_collection: content.is_collection,
                path: content.path,
                root: &root,
            };
            out = vary(&out, &subject, self.query, &shape).map_err(damaged)?;
        }
        self.answer_with(out, etag)
    }

    /// The form of a page of items that are no records.
    pub(super) fn page_form(&self, ty: &'static StructuredType) -> Result<PageForm<'_>, Problem> {
        let shape = self.shape_of(self.format()?);
        Ok(PageForm { ty, path: &self.path, root: self.root(), query: self.query, shape })
    }

    /// Whether items don't go out as they are kept.
    pub(super) fn varies(&self, form: &PageForm<'_>, has_unsettled_enum: bool) -> bool {
        selects(self.query) || !form.shape.is_plain(has_unsettled_enum)
    }

    /// The answer with a body in its form. Without a tag the bytes make one.
    pub(super) fn answer_with(
        &self,
        out: Vec<u8>,
        etag: Option<ETag>,
    ) -> Result<Response, Problem> {
        let etag = etag.unwrap_or_else(|| {
            let mut hasher = blake3::Hasher::new_keyed(&self.worker.graph.etag_key);
            ETag::new(truncated(hasher.update(&out)))
        });
        Ok(Response::json(self.format()?, out).with_etag(etag).applied(self.applied()))
    }

    fn shape_of(&self, format: Format) -> Shape {
        Shape { metadata: format.metadata, ieee754_compatible: format.ieee754, ..self.shape }
    }

    /// The form that was asked for.
    pub(super) fn wanted(&self) -> Result<(Format, Shape), Problem> {
        let format = self.format()?;
        Ok((format, self.shape_of(format)))
    }

    /// Whether members are left out anywhere.
    pub(super) fn selects(&self) -> bool {
        selects(self.query)
    }

    /// Answers a question of any form: on this thread if that costs no more than what is shown,
    /// else on a thread and a connection of its own.
    pub(super) async fn compose(self, target: Target) -> Result<Response, Problem> {
        let is_text = matches!(
            target.tail,
            Tail::Count | Tail::Property { form: PropertyForm::Raw | PropertyForm::Count, .. }
        );
        if is_text {
            self.request.preferences.text()?;
        } else {
            self.format()?;
        }
        let question = Question {
            target,
            resource: self.resource.clone().into_owned(),
            path: self.path.clone(),
            query: self.query.clone(),
        };
        let composer = self.composer();
        let here = composer
            .is_bounded(&question)
            .then(|| composer.answer(&mut self.reader(), &question))
            .filter(|answer| !answer.as_ref().is_err_and(Problem::is_of_size));
        let answer = match here {
            Some(answer) => answer?,
            None => self.elsewhere(move |reader| composer.answer(reader, &question)).await?,
        };
        Ok(match answer {
            Answer::Nothing => Response::empty(http::StatusCode::NO_CONTENT),
            Answer::Text(text) => Response::text(text),
            Answer::Rows(out, shown) => {
                let format = self.format()?;
                let etag = self.tag_seed(TagOf::Rows, format).tag_of(&shown);
                Response::json(format, out).with_etag(etag).applied(self.applied())
            }
            Answer::Json(out) => {
                let mut hasher = blake3::Hasher::new_keyed(&self.worker.graph.etag_key);
                let etag = ETag::new(truncated(hasher.update(&out)));
                let format = self.format()?;
                Response::json(format, out).with_etag(etag).applied(self.applied())
            }
        })
    }

    /// Reads on one of the threads for questions.
    pub(super) async fn elsewhere<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Reader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let who = Arc::from(format!("{}/{}", self.tenant.as_str(), self.caller.app_id));
        let deadline = self.began + self.worker.shared.options.query.cost.time;
        self.worker.questions.ask(&who, deadline, work).await
    }

    /// What answering may take.
    pub(super) fn budget(&self) -> Budget {
        let limits = self.worker.shared.options.query.cost;
        limits.budget(&self.worker.shared.question_memory, self.began)
    }

    pub(super) fn composer(&self) -> Composer {
        // Text has no form of JSON.
        let format = self.format().unwrap_or_default();
        Composer {
            tenant: self.tenant.clone(),
            app: self.caller.app_id.clone(),
            keys: self.keys().clone(),
            root: self.root().into(),
            metadata: self.metadata().into(),
            shape: Shape {
                metadata: format.metadata,
                ieee754_compatible: format.ieee754,
                ..self.shape
            },
            max_page_size: self.request.preferences.max_page_size,
            not_before: self.not_before(),
            limits: self.worker.shared.options.query.cost,
            budget: self.budget(),
        }
    }

    /// Most entities that this answer could give of a collection.
    fn largest_page(&self) -> u32 {
        if logs::of(&self.resource).is_some() {
            return logs::most_rows(self.query) as u32;
        }
        let is_participants = |property: &Property| property.name == "participants_v2";
        let shown = self.resource.steps.iter().rev().find_map(|step| match step {
            Step::Navigation(property) => Some(is_participants(property)),
            _ => None,
        });
        let expand = &self.query.expand;
        let expands_only_participants =
            !expand.is_empty() && expand.iter().all(|item| is_participants(item.property));
        let most = if shown == Some(true) || expands_only_participants {
            MOST_PARTICIPANTS
        } else {
            MOST_SESSIONS
        };
        most as u32
    }

    pub(super) fn applied(&self) -> Applied {
        let preferences = &self.request.preferences;
        Applied {
            max_page_size: preferences.max_page_size.map(|size| size.clamp(1, self.largest_page())),
            omit_nulls: preferences.omit_nulls,
            unknown_enum_members: preferences.unknown_enum_members,
            ..Applied::default()
        }
    }
}

/// The start before which records are not shown, if there is one.
pub(super) fn oldest_shown(worker: &Worker) -> Option<i64> {
    let days = i64::from(worker.settings.retention_view?);
    Some(clock::now() - days * TICKS_PER_DAY)
}

/// A version of a record is a callRecord like the newest one, and its contexts say so.
fn without_functions(resource: &Resource) -> Cow<'_, Resource> {
    let of_record = |pair: &[Step]| match pair {
        [Step::Key(_), Step::Operation { operation, .. }] => operation.entity_set_path.is_some(),
        _ => false,
    };
    let Some(at) = resource.steps.windows(2).position(of_record).map(|key| key + 1) else {
        return Cow::Borrowed(resource);
    };
    let mut steps = resource.steps.clone();
    steps.remove(at);
    if resource.is_collection && at == steps.len() {
        steps.pop();
    }
    Cow::Owned(Resource { steps, ..resource.clone() })
}

/// The tenant of a token.
pub(super) fn tenant(caller: &Caller) -> Result<TenantId, Problem> {
    TenantId::parse(&caller.tenant).ok_or_else(Problem::forbidden)
}

/// A fragment in the store that can't be read.
pub(super) fn damaged(corrupt: Corrupt) -> Problem {
    Problem::damaged(corrupt)
}

/// Whether members are left out anywhere.
fn selects(query: &Query) -> bool {
    query.select.is_some() || query.expand.iter().any(|item| selects(&item.query))
}

fn truncated(hasher: &blake3::Hasher) -> u128 {
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    u128::from_le_bytes(bytes)
}
