//! For whom something is read, which of it may be shown, and in which form it goes out.

use std::sync::Arc;

use identity::Caller;
use model::TenantId;
use model::assemble::push_annotation;
use model::variation::{Shape, Subject, vary};
use odata::bound::{Query, Resource};
use odata::context;
use odata::edm::Type;
use odata::page_token::Keys;
use store::{Reader, StoredRecord};
use web::Problem;

use crate::paging::{Addresses, Page, PageLimit};
use crate::record;
use crate::target::RecordRef;
use crate::warning::{Remarks, uses_recent_columns, warning};

/// What every read needs, whether it is answered on the worker's thread or elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) tenant: TenantId,
    pub(crate) application: Application,
    /// Seal page tokens.
    pub(crate) keys: Arc<Keys>,
    /// The service root with the version.
    pub(crate) root: Arc<str>,
    /// The metadata document's address up to and with `#`.
    pub(crate) metadata: Arc<str>,
    pub(crate) shape: Shape,
    pub(crate) max_page_size: Option<u32>,
    /// Records that started before this instant are not shown.
    pub(crate) not_before: Option<i64>,
    /// Answers say what a query may not mean, which Graph's don't.
    pub(crate) warns: bool,
    /// Records that lack columns of this version.
    pub(crate) lacking_columns: u64,
}

/// Whose links they are.
#[derive(Debug, Clone)]
pub(crate) enum Application {
    /// A caller's.
    Of(Arc<Caller>),
    /// A command's of the same program.
    Local,
}

impl Application {
    /// Its id.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Of(caller) => &caller.app_id,
            Self::Local => "local",
        }
    }
}

impl Scope {
    /// What contexts and links of an answer are written with. `resource` is the path of the resource.
    pub(crate) fn addresses<'r>(&'r self, resource: &'r str) -> Addresses<'r> {
        Addresses {
            root: &self.root,
            metadata: &self.metadata,
            resource,
            keys: &self.keys,
            tenant: self.tenant.as_str(),
            application: self.application.id(),
            is_local: matches!(self.application, Application::Local),
        }
    }

    /// The page of a collection that a query asks for. `path` is that of the resource.
    pub(crate) fn page(
        &self,
        query: &Query,
        path: &str,
        limit: impl Into<PageLimit>,
    ) -> Result<Page, Problem> {
        Page::of(query, &self.addresses(path), limit, self.max_page_size)
    }

    /// The link to a page of a resource.
    pub(crate) fn link(&self, page: &Page, resource: &str, query: &Query) -> String {
        page.link(&self.addresses(resource), resource, query)
    }

    /// Whether a record is shown.
    pub(crate) fn shows(&self, record: &StoredRecord) -> bool {
        self.not_before.is_none_or(|oldest| record.start >= oldest)
    }

    /// A record that is shown, or 404.
    pub(crate) fn shown(&self, found: Option<StoredRecord>) -> Result<StoredRecord, Problem> {
        found.filter(|found| self.shows(found)).ok_or_else(record::not_found)
    }

    /// The record, or 404.
    pub(crate) fn find(
        &self,
        reader: &mut Reader,
        record: &RecordRef,
    ) -> Result<StoredRecord, Problem> {
        self.shown(reader.record(&self.tenant, &model::key(&record.id), record.version)?)
    }

    /// The record of a page: in the version that the link was made for, or 410 when that is gone.
    pub(crate) fn find_for_page(
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

    /// Opens an answer's object with its context.
    pub(crate) fn open(&self, resource: &Resource, query: &Query, capacity: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(capacity);
        out.push(b'{');
        let context = context::of(resource, query);
        push_annotation(&mut out, "@odata.context", &[&self.metadata, &context]);
        self.remarks(resource, query).push(&mut out);
        out
    }

    /// What an answer says beside its items.
    pub(crate) fn remarks(&self, resource: &Resource, query: &Query) -> Remarks {
        if !self.warns {
            return Remarks::default();
        }
        let is_lacking = self.lacking_columns > 0 && uses_recent_columns(resource, query);
        Remarks {
            warning: warning(resource, query),
            lacking: is_lacking.then_some(self.lacking_columns),
        }
    }

    /// Gives what is kept another form.
    pub(crate) fn vary(
        &self,
        text: &[u8],
        content: &Content<'_>,
        query: &Query,
        shape: Shape,
    ) -> Result<Vec<u8>, Problem> {
        let root = format!("{}/", self.root);
        let Content { ty, is_collection, path, .. } = *content;
        let subject = Subject { ty, is_collection, path, root: &root };
        vary(text, &subject, query, &shape).map_err(Problem::damaged)
    }
}

/// The declared type and the path of what an answer holds.
pub(crate) struct Content<'a> {
    pub(crate) ty: Type,
    pub(crate) is_collection: bool,
    pub(crate) path: &'a str,
    /// Holds enumeration members that not everyone may see.
    pub(crate) has_unsettled_enum: bool,
}
