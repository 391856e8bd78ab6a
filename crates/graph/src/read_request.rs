//! A read request, understood: who asks for what in which form, and how answers are finished.

use std::borrow::Cow;
use std::cell::RefMut;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use identity::Caller;
use model::variation::Shape;
use odata::bound::{Query, Resource, Step};
use odata::edm::{Property, StructuredType};
use store::{Budget, Reader, StoredRecord};
use web::negotiate::{AppliedPreferences, Format};
use web::response::ETag;
use web::{Problem, Response};

use crate::caller::tenant;
use crate::compose::{Answer, Composer, Question};
use crate::form::{Form, FormSource};
use crate::page_text::PageForm;
use crate::paging::{MOST_PARTICIPANTS, MOST_SESSIONS, Page, PageLimit};
use crate::query_form::selects;
use crate::request::Request;
use crate::scope::{Application, Content, Scope};
use crate::tag::{TagOf, TagSeed};
use crate::target::{PropertyForm, RecordRef, Tail, Target};
use crate::worker::Worker;

/// A read request and everything that answering it needs.
pub(crate) struct ReadRequest<'a> {
    pub(crate) worker: &'a Rc<Worker>,
    pub(crate) request: &'a Request,
    /// What contexts name: the resource without the functions on the way to it.
    pub(crate) resource: Cow<'a, Resource>,
    pub(crate) query: &'a Query,
    pub(crate) caller: Arc<Caller>,
    /// In the usual form of JSON; which one is asked for, [`Self::wanted`] says.
    pub(crate) scope: Scope,
    /// The resource's path as links and tokens carry it.
    pub(crate) path: String,
    /// Most entities that this answer could give of a collection.
    largest_page: usize,
    /// When it was understood; its time runs from then on.
    began: Instant,
}

impl<'a> ReadRequest<'a> {
    /// Checks that the caller has one of the roles and a tenant.
    pub(crate) fn new(
        worker: &'a Rc<Worker>,
        request: &'a Request,
        resource: &'a Resource,
        query: &'a Query,
        roles: &[&str],
    ) -> Result<Self, Problem> {
        let caller = request.require(roles)?;
        let version = request.place.version;
        let scope = Scope {
            tenant: tenant(&caller)?,
            application: Application::Of(Arc::clone(&caller)),
            keys: Arc::clone(&worker.shared.keys),
            root: Arc::clone(worker.urls().root(version)),
            metadata: Arc::clone(worker.urls().context(version)),
            shape: Shape {
                omit_nulls: request.preferences.omit_nulls,
                unknown_enum_members: request.preferences.unknown_enum_members,
                legacy_identities: worker.settings.legacy_identities,
                ..Shape::default()
            },
            max_page_size: request.preferences.max_page_size,
            not_before: worker.oldest_shown(),
            warns: !worker.settings.is_strict,
            lacking_columns: worker.store.lacking_columns(),
        };
        let path = resource.to_string();
        let resource = without_functions(resource);
        let largest_page = if is_of_rows(&resource, query) {
            worker.shared.query.cost.page.max(MOST_SESSIONS)
        } else {
            largest_page(&resource, query)
        };
        let began = Instant::now();
        Ok(Self { worker, request, resource, query, caller, scope, path, largest_page, began })
    }

    /// For an answer that could give as many entities as `most`.
    pub(crate) fn with_largest_page(self, most: usize) -> Self {
        Self { largest_page: most, ..self }
    }

    /// The form of a JSON answer.
    pub(crate) fn format(&self) -> Result<Format, Problem> {
        self.request.preferences.json()
    }

    pub(crate) fn reader(&self) -> RefMut<'a, Reader> {
        self.worker.web.reader.borrow_mut()
    }

    /// The page that is asked for.
    pub(crate) fn page(&self, limit: impl Into<PageLimit>) -> Result<Page, Problem> {
        self.scope.page(self.query, &self.path, limit)
    }

    /// The record, or 404, for an answer that shows nothing else of it than its first sessions.
    pub(crate) fn find_alone(
        &self,
        reader: &mut Reader,
        record: &RecordRef,
        with_sessions: bool,
    ) -> Result<StoredRecord, Problem> {
        let (tenant, key) = (&self.scope.tenant, model::key(&record.id));
        self.scope.shown(reader.current(tenant, &key, with_sessions)?)
    }

    /// The form of an answer that is a copy: it and its tag change with everything that shapes the
    /// answer.
    pub(crate) fn form(&self, of: TagOf) -> Result<Form<'a>, Problem> {
        let (_, shape) = self.wanted()?;
        Ok(Form::new(FormSource {
            of,
            resource: &self.resource,
            query: Cow::Borrowed(self.query),
            key: &self.worker.shared.etag_key,
            text: self.request.query().unwrap_or_default(),
            metadata: &self.scope.metadata,
            shape,
            max_page_size: self.scope.max_page_size,
        }))
    }

    /// The tag that an answer with all of a record has.
    pub(crate) fn tag(&self, of: TagOf, record: &StoredRecord) -> Result<ETag, Problem> {
        Ok(self.tag_seed(of, self.format()?).tag(record))
    }

    fn tag_seed(&self, of: TagOf, format: Format) -> TagSeed {
        let shape = self.shape_of(format);
        let query = self.request.query().unwrap_or_default();
        let size = self.request.preferences.max_page_size;
        let key = &self.worker.shared.etag_key;
        TagSeed::new(key, of, &self.scope.metadata, query, shape, size)
    }

    /// Opens an answer's object with its context.
    pub(crate) fn open(&self, capacity: usize) -> Vec<u8> {
        self.scope.open(&self.resource, self.query, capacity)
    }

    /// Gives an assembled answer the form that was asked for. Without a tag the bytes make one.
    pub(crate) fn finish(
        &self,
        mut out: Vec<u8>,
        content: &Content<'_>,
        etag: Option<ETag>,
    ) -> Result<Response, Problem> {
        let (_, shape) = self.wanted()?;
        if selects(self.query) || !shape.is_plain(content.has_unsettled_enum) {
            out = self.scope.vary(&out, content, self.query, shape)?;
        }
        self.answer_with(out, etag)
    }

    /// The form of a page of items that are no records.
    pub(crate) fn page_form(&self, ty: &'static StructuredType) -> Result<PageForm<'_>, Problem> {
        let (_, shape) = self.wanted()?;
        Ok(PageForm { ty, path: &self.path, root: &self.scope.root, query: self.query, shape })
    }

    /// Whether items don't go out as they are kept.
    pub(crate) fn varies(&self, form: &PageForm<'_>, has_unsettled_enum: bool) -> bool {
        selects(self.query) || !form.shape.is_plain(has_unsettled_enum)
    }

    /// The answer with a body in its form. Without a tag the bytes make one.
    pub(crate) fn answer_with(
        &self,
        out: Vec<u8>,
        etag: Option<ETag>,
    ) -> Result<Response, Problem> {
        let etag = etag.unwrap_or_else(|| self.tag_of_bytes(&out));
        Ok(Response::json(self.format()?, out).with_etag(etag).applied(self.applied()))
    }

    fn tag_of_bytes(&self, out: &[u8]) -> ETag {
        let mut hasher = blake3::Hasher::new_keyed(&self.worker.shared.etag_key);
        ETag::new(truncated(hasher.update(out)))
    }

    fn shape_of(&self, format: Format) -> Shape {
        Shape { metadata: format.metadata, ieee754_compatible: format.ieee754, ..self.scope.shape }
    }

    /// The form that was asked for.
    pub(crate) fn wanted(&self) -> Result<(Format, Shape), Problem> {
        let format = self.format()?;
        Ok((format, self.shape_of(format)))
    }

    /// Answers a question of any form: on this thread if that costs no more than what is shown,
    /// else on a thread and a connection of its own.
    pub(crate) async fn compose(self, target: Target) -> Result<Response, Problem> {
        let is_text = matches!(
            target.tail,
            Tail::Count | Tail::Property { form: PropertyForm::Raw | PropertyForm::Count, .. }
        );
        if is_text {
            self.request.preferences.text()?;
        } else {
            self.format()?;
        }
        let is_counted = target.tail == Tail::Count;
        let question = Question {
            target,
            resource: self.resource.clone().into_owned(),
            path: self.path.clone(),
            query: self.query.clone().with_options_for_apply(is_counted),
        };
        let composer = self.composer();
        let remarks = self.scope.remarks(&question.resource, &question.query);
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
            Answer::Text(text) => remarks.stamp(Response::text(text)),
            Answer::Rows(out, shown) => {
                let etag = self.tag_seed(TagOf::Rows, self.format()?).tag_of(&shown);
                self.answer_with(out, Some(etag))?
            }
            Answer::Json(out) => self.answer_with(out, None)?,
        })
    }

    /// Reads on one of the threads for questions.
    pub(crate) async fn elsewhere<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Reader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let who = Arc::from(format!("{}/{}", self.scope.tenant.as_str(), self.caller.app_id));
        let deadline = self.began + self.worker.shared.query.cost.time;
        self.worker.questions.ask(&who, deadline, work).await
    }

    /// What answering may take.
    pub(crate) fn budget(&self) -> Budget {
        let limits = self.worker.shared.query.cost;
        limits.budget(&self.worker.shared.question_memory, self.began)
    }

    pub(crate) fn composer(&self) -> Composer {
        // Text has no form of JSON.
        let format = self.format().unwrap_or_default();
        let scope = Scope { shape: self.shape_of(format), ..self.scope.clone() };
        Composer { scope, limits: self.worker.shared.query.cost, budget: self.budget() }
    }

    pub(crate) fn applied(&self) -> AppliedPreferences {
        let preferences = &self.request.preferences;
        AppliedPreferences {
            max_page_size: preferences
                .max_page_size
                .map(|size| size.clamp(1, self.largest_page as u32)),
            omit_nulls: preferences.omit_nulls,
            unknown_enum_members: preferences.unknown_enum_members,
            ..AppliedPreferences::default()
        }
    }
}

/// Whether an answer is rows of what is inside records, or what `$apply` made: Graph has no such lists.
fn is_of_rows(resource: &Resource, query: &Query) -> bool {
    let is_rows = matches!(resource.steps.last(), Some(Step::Operation { operation, .. })
        if matches!(operation.name, "sessions" | "segments" | "streams" | "legs"));
    let applies =
        || query.apply.is_some() && query.clone().with_options_for_apply(false).apply.is_some();
    resource.is_collection && (is_rows || applies())
}

/// Most entities that an answer could give of records, or of what is inside them.
fn largest_page(resource: &Resource, query: &Query) -> usize {
    let is_participants = |property: &Property| property.name == "participants_v2";
    let shown = resource.steps.iter().rev().find_map(|step| match step {
        Step::Navigation(property) => Some(is_participants(property)),
        _ => None,
    });
    let expands_only_participants =
        !query.expand.is_empty() && query.expand.iter().all(|item| is_participants(item.property));
    let is_of_participants = shown == Some(true) || expands_only_participants;
    if is_of_participants { MOST_PARTICIPANTS } else { MOST_SESSIONS }
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

fn truncated(hasher: &blake3::Hasher) -> u128 {
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    u128::from_le_bytes(bytes)
}
