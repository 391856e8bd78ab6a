//! Answers to questions of any form: from a target, a bound query and a reader to the finished
//! text, without a word of HTTP.
//!
//! What has a faster way of its own (plain reads, `call_records`, `sessions`, `participants`) gives
//! the same text by it. Everything that a composer needs it owns, so that it can go to another
//! thread together with the work.

mod entity;
mod inside;
mod property;
mod rows;
mod selection;

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::TenantId;
use model::assemble::push_annotation;
use model::search::Finder;
use model::variation::{Shape, Subject, vary};
use odata::bound::{Query, Resource};
use odata::context;
use odata::edm::StructuredType;
use odata::eval::{Allowance, Environment, Meter, Pool};
use odata::page_token::Keys;
use store::{Budget, Reader, StoredRecord};

pub(super) use selection::{Objects, applied, exhausted};

use super::ask::damaged;
use super::page_text::{PageForm, PageText};
use super::paging::{Asked, Page};
use super::target::{Base, RecordRef, Tail, Target};
use crate::problem::Problem;

/// Who asks, in which form the answer goes out, and how much it may cost.
#[derive(Debug)]
pub(crate) struct Composer {
    pub(crate) tenant: TenantId,
    pub(crate) app: String,
    pub(crate) keys: Keys,
    /// The service root with the version.
    pub(crate) root: Arc<str>,
    /// The metadata document's address up to and with `#`.
    pub(crate) metadata: Arc<str>,
    pub(crate) shape: Shape,
    pub(crate) max_page_size: Option<u32>,
    /// Records that started before this instant are not shown.
    pub(crate) not_before: Option<i64>,
    pub(crate) limits: QueryLimits,
    /// What is left of them.
    pub(crate) budget: Budget,
}

/// How much a query may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLimits {
    /// Rows that are looked at one by one, where no index and no column decides.
    pub rows_scanned: u64,
    /// Groups of `$apply`, and rows that it holds at once.
    pub groups: usize,
    /// Time for the whole query.
    pub time: Duration,
    /// Steps of our own evaluator.
    pub steps: u64,
    /// Bytes of values that the query makes, and of items that it keeps.
    pub bytes: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            rows_scanned: 100_000,
            groups: 10_000,
            time: Duration::from_secs(2),
            steps: 100_000_000,
            bytes: 16 << 20,
        }
    }
}

impl QueryLimits {
    /// Of the time, 1 in so many is left for making the answer of the rows that were found; of steps
    /// there are as many more for that.
    const FOR_THE_ANSWER: u32 = 12;

    /// What a question that came at an instant may take.
    pub(crate) fn budget(&self, pool: &Arc<Pool>, began: Instant) -> Budget {
        let allowance = Allowance {
            steps: self.steps,
            deadline: Some(began + self.time * (Self::FOR_THE_ANSWER - 1) / Self::FOR_THE_ANSWER),
            bytes: self.bytes,
        };
        let meter = Meter::of(pool, allowance);
        Budget { rows_scanned: self.rows_scanned, groups: self.groups, meter }
    }

    /// Gives what was left for the answer.
    pub(crate) fn release_the_rest(&self, budget: &Budget) {
        let end = budget.deadline() + self.time / Self::FOR_THE_ANSWER;
        budget.meter.extend(self.steps / u64::from(Self::FOR_THE_ANSWER), Some(end));
    }
}

/// Rows of a page that are copied in less than a millisecond.
const SHORT_PAGE: u64 = 100;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) target: Target,
    /// The resource without functions that contexts do not name.
    pub(crate) resource: Resource,
    /// The resource's path as links and tokens carry it.
    pub(crate) path: String,
    /// The options, as the links of the answer repeat them.
    pub(crate) query: Query,
}

/// An answer's body.
#[derive(Debug)]
pub(crate) enum Answer {
    Json(Vec<u8>),
    /// The same with what tells the shown records from others, in place of all of its bytes.
    Rows(Vec<u8>, [u8; 32]),
    Text(String),
    /// There is no value (OData Protocol 11.2.4).
    Nothing,
}

impl Composer {
    /// Answers. `reader` is anybody's.
    pub(crate) fn answer(
        &self,
        reader: &mut Reader,
        question: &Question,
    ) -> Result<Answer, Problem> {
        let answer = self.dispatch(reader, question);
        // The budget ran out in a calculated member: the error says in which.
        answer.map_err(|problem| match self.budget.meter.place() {
            Some(place) => problem.in_calculation(&place),
            None => problem,
        })
    }

    fn dispatch(&self, reader: &mut Reader, question: &Question) -> Result<Answer, Problem> {
        let effective = question.effective_query();
        match (&question.target.base, &question.target.tail) {
            (Base::Communications, _) => self.communications(question),
            (Base::Import, _) => Err(Problem::method_not_allowed("POST")),
            (Base::Rows(rows), Tail::Whole) => self.rows(reader, question, *rows, &effective),
            (Base::Rows(rows), Tail::Count) => self.count_rows(reader, *rows, &effective),
            (Base::Rows(_), Tail::Ref) => self.row_refs(reader, question, &effective),
            (
                Base::Sessions(_) | Base::Segments(..) | Base::Participants(_) | Base::Versions(_),
                Tail::Whole | Tail::Count | Tail::Ref,
            ) => self.inside(reader, question, &effective),
            (_, Tail::Property { path, form }) => {
                self.property(reader, question, path, *form, &effective)
            }
            (_, Tail::Whole | Tail::Ref) => self.single(reader, question),
            (_, Tail::Count) => Err(Problem::no_such_route()),
        }
    }

    /// Whether answering is sure to be quick: nothing is evaluated, an index leads to the rows, and
    /// no more is read than a few rows or an entity.
    pub(crate) fn is_bounded(&self, question: &Question) -> bool {
        let query = question.effective_query();
        match (&question.target.base, &question.target.tail) {
            (Base::Rows(rows), Tail::Whole) => {
                let is_short = query.top.is_none_or(|top| top <= SHORT_PAGE)
                    && self.max_page_size.is_none_or(|size| u64::from(size) <= SHORT_PAGE);
                let is_copied = query.expand.is_empty() && query.compute.is_empty();
                let asked = store::RowQuery { rows: *rows, query, not_before: self.not_before };
                is_short
                    && is_copied
                    && !question.query.count
                    && store::cost(&asked) == store::Cost::Bounded
            }
            (Base::Sessions(_) | Base::Participants(_), Tail::Count)
            | (Base::Session(..), Tail::Whole | Tail::Ref)
            | (Base::Record(_), Tail::Ref) => super::is_plain(&query),
            (Base::Communications, _) => true,
            _ => false,
        }
    }

    /// The record, or 404.
    pub(super) fn find(
        &self,
        reader: &mut Reader,
        record: &RecordRef,
    ) -> Result<StoredRecord, Problem> {
        let found = reader.record(&self.tenant, &model::key(&record.id), record.version)?;
        found
            .filter(|found| self.not_before.is_none_or(|oldest| found.start >= oldest))
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

    fn communications(&self, question: &Question) -> Result<Answer, Problem> {
        if question.target.tail != Tail::Whole {
            return Err(Problem::no_such_route());
        }
        let mut out = self.open(question, 128);
        out.push(b'}');
        Ok(Answer::Json(out))
    }

    /// What evaluating items needs.
    fn environment<'s>(&'s self, finder: &'s Finder) -> Environment<'s> {
        Environment { searcher: finder, meter: &self.budget.meter }
    }

    /// The page of a collection that is asked for.
    fn page(&self, question: &Question, most: usize) -> Result<Page, Problem> {
        let asked = self.asked(&question.path);
        Page::of(&question.query, &self.keys, asked, most, self.max_page_size)
    }

    fn asked<'r>(&'r self, resource: &'r str) -> Asked<'r> {
        Asked { tenant: self.tenant.as_str(), app: &self.app, resource }
    }

    /// Opens an answer's object with its context.
    fn open(&self, question: &Question, capacity: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(capacity);
        out.push(b'{');
        let context = context::of(&question.resource, &question.query);
        push_annotation(&mut out, "@odata.context", &[&self.metadata, &context]);
        out
    }

    fn next_link(&self, question: &Question, next: &Page) -> String {
        let query = Query { skiptoken: None, ..question.query.clone() };
        next.link(&self.root, &self.keys, self.asked(&question.path), &query)
    }

    /// Opens a page of a collection.
    fn open_page<'q>(
        &'q self,
        question: &'q Question,
        (ty, path): (&'static StructuredType, &'q str),
        capacity: usize,
    ) -> PageText<'q> {
        let context = context::of(&question.resource, &question.query);
        let form =
            PageForm { ty, path, root: &self.root, query: &question.query, shape: self.shape };
        PageText::open(form, &[&self.metadata, &context], capacity)
    }

    /// Whether the items of a page don't go out as they are kept; their bytes decide whether members
    /// are among them that not everyone may see.
    fn varies(&self, question: &Question) -> bool {
        selects(&question.query) || !self.shape.is_plain(true)
    }

    /// Gives an assembled answer the form that was asked for.
    fn finish(
        &self,
        out: Vec<u8>,
        question: &Question,
        ty: &'static StructuredType,
        is_collection: bool,
        path: &str,
    ) -> Result<Answer, Problem> {
        if !self.varies(question) {
            return Ok(Answer::Json(out));
        }
        let root = format!("{}/", self.root);
        let subject = Subject { ty, is_collection, path, root: &root };
        let varied = vary(&out, &subject, &question.query, &self.shape).map_err(damaged)?;
        Ok(Answer::Json(varied))
    }

    /// Whether what is kept has the form that was asked for, but for members of enumerations.
    fn is_copied(&self, question: &Question) -> bool {
        !selects(&question.query) && self.shape.is_plain(false)
    }
}

impl Question {
    /// The options together with the filters of the path.
    pub(super) fn effective_query(&self) -> Query {
        let mut query = self.query.clone();
        for condition in &self.target.filters {
            query.filter = Some(match query.filter.take() {
                Some(filter) => filter.and(condition.clone()),
                None => condition.clone(),
            });
        }
        query
    }
}

/// Whether members are left out anywhere.
pub(super) fn selects(query: &Query) -> bool {
    query.select.is_some() || query.expand.iter().any(|item| selects(&item.query))
}
