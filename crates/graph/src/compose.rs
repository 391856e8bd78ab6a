//! Answers to questions of any form: from a target, a bound query and a reader to the finished
//! text, without a word of HTTP.
//!
//! What has a faster way of its own (plain reads, `call_records`, `sessions`, `participants`) gives
//! the same text by it. Everything that a composer needs it owns, so that it can go to another
//! thread together with the work.

mod delta;
mod entity;
mod expansion;
mod inside;
mod narrowing;
mod property;
mod rows;
mod selection;

use std::borrow::Cow;

use model::search::Finder;
use odata::bound::{Query, Resource};
use odata::context;
use odata::edm::StructuredType;
use odata::eval::Environment;
use store::{Budget, Reader, RowSet};
use web::Problem;

use crate::page_text::{PageForm, PageText};
use crate::paging::{Page, PageLimit};
use crate::query_form::{is_copy, selects};
use crate::query_limits::QueryLimits;
use crate::scope::{Content, Scope};
use crate::target::{Base, Tail, Target};
pub(crate) use selection::{Objects, applied, exhausted};

/// Who asks, in which form the answer goes out, and how much it may cost.
#[derive(Debug)]
pub(crate) struct Composer {
    pub(crate) scope: Scope,
    pub(crate) limits: QueryLimits,
    /// What is left of them.
    pub(crate) budget: Budget,
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
    /// JSON, with a digest of the records that it shows: a tag can be made of that in place of all bytes.
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
        let effective = &*question.effective_query();
        refuse_unanswered(effective, &question.target.tail)?;
        match (&question.target.base, &question.target.tail) {
            (Base::Communications, _) => self.communications(question),
            (Base::Import, _) => Err(Problem::method_not_allowed(&[http::Method::POST])),
            (Base::Rows(rows), Tail::Whole) => self.rows(reader, question, *rows, effective),
            (Base::Rows(rows), Tail::Count) => self.count_rows(reader, *rows, effective),
            (Base::Rows(RowSet::Records), Tail::Ref) => self.row_refs(reader, question, effective),
            (Base::Rows(_), Tail::Ref) => {
                let what = "References to the rows of a function are not supported.";
                Err(Problem::not_supported(what).with_target("path"))
            }
            (
                Base::Sessions(_) | Base::Segments(..) | Base::Participants(_) | Base::Versions(_),
                Tail::Whole | Tail::Count | Tail::Ref,
            ) => self.inside(reader, question, effective),
            (_, Tail::Property { path, form }) => {
                self.property(reader, question, path, *form, effective)
            }
            (_, Tail::Whole | Tail::Ref) => self.single(reader, question),
            (_, Tail::Count) => Err(Problem::no_such_route()),
        }
    }

    /// Whether answering is sure to be quick: nothing is evaluated, an index leads to the rows, and
    /// no more is read than a few rows or an entity.
    pub(crate) fn is_bounded(&self, question: &Question) -> bool {
        let query = question.effective_query().into_owned();
        match (&question.target.base, &question.target.tail) {
            (Base::Rows(rows), Tail::Whole) => {
                let is_short = query.top.is_none_or(|top| top <= SHORT_PAGE)
                    && self.scope.max_page_size.is_none_or(|size| u64::from(size) <= SHORT_PAGE);
                let is_copied = query.expand.is_empty()
                    && query.compute.is_empty()
                    && narrowing::choosing(&query).is_none();
                let asked =
                    store::RowQuery { rows: *rows, query, not_before: self.scope.not_before };
                is_short
                    && is_copied
                    && !question.query.count
                    && store::cost(&asked) == store::Cost::Bounded
            }
            (Base::Sessions(_) | Base::Participants(_), Tail::Count)
            | (Base::Session(..), Tail::Whole | Tail::Ref)
            | (Base::Record(_), Tail::Ref) => is_copy(&query),
            (Base::Communications, _) => true,
            _ => false,
        }
    }

    fn communications(&self, question: &Question) -> Result<Answer, Problem> {
        if question.target.tail != Tail::Whole {
            return Err(Problem::no_such_route());
        }
        if !question.query.expand.is_empty() {
            let what = "Expanding communications is not supported: follow its addresses.";
            return Err(Problem::not_supported(what).with_target("$expand"));
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
    fn page(&self, question: &Question, limit: impl Into<PageLimit>) -> Result<Page, Problem> {
        self.scope.page(&question.query, &question.path, limit)
    }

    /// Opens an answer's object with its context.
    fn open(&self, question: &Question, capacity: usize) -> Vec<u8> {
        self.scope.open(&question.resource, &question.query, capacity)
    }

    fn next_link(&self, question: &Question, next: &Page) -> String {
        let query = Query { skiptoken: None, ..question.query.clone() };
        self.scope.link(next, &question.path, &query)
    }

    /// Opens a page of a collection.
    fn open_page<'q>(
        &'q self,
        question: &'q Question,
        ty: &'static StructuredType,
        path: &'q str,
        capacity: usize,
    ) -> PageText<'q> {
        let context = context::of(&question.resource, &question.query);
        let Scope { root, metadata, shape, .. } = &self.scope;
        let form = PageForm { ty, path, root, query: &question.query, shape: *shape };
        let remarks = self.scope.remarks(&question.resource, &question.query);
        PageText::open(form, &[metadata, &context], &remarks, capacity)
    }

    /// Whether the items of a page don't go out as they are kept; their bytes decide whether members
    /// are among them that not everyone may see.
    fn varies(&self, question: &Question) -> bool {
        selects(&question.query) || !self.scope.shape.is_plain(true)
    }

    /// Gives an assembled answer the form that was asked for.
    fn finish(
        &self,
        out: Vec<u8>,
        question: &Question,
        content: &Content<'_>,
    ) -> Result<Answer, Problem> {
        if !self.varies(question) {
            return Ok(Answer::Json(out));
        }
        self.scope.vary(&out, content, &question.query, self.scope.shape).map(Answer::Json)
    }

    /// Whether what is kept has the form that was asked for, but for members of enumerations.
    fn is_copied(&self, question: &Question) -> bool {
        !selects(&question.query) && self.scope.shape.is_plain(false)
    }
}

impl Question {
    /// The options together with the filters of the path.
    pub(crate) fn effective_query(&self) -> Cow<'_, Query> {
        let conditions = self.target.filters.iter().rev().cloned();
        conditions.fold(Cow::Borrowed(&self.query), |query, condition| {
            Cow::Owned(query.into_owned().narrowed(condition))
        })
    }
}

/// Refuses what is read of `$apply` but not answered, which must not be left out silently.
fn refuse_unanswered(query: &Query, tail: &Tail) -> Result<(), Problem> {
    let (option, what) = match tail {
        _ if query.apply.is_none() => return Ok(()),
        _ if narrowing::choosing(query).is_some() => {
            ("$select", "options inside $select behind $apply")
        }
        Tail::Property { .. } => ("$apply", "$apply on the items of a property"),
        _ if query.expand.is_empty() => return Ok(()),
        _ => ("$expand", "$expand behind an $apply that options can't say"),
    };
    Err(Problem::not_supported(format!("{what} is not supported yet.")).with_target(option))
}
