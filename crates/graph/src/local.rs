//! Answers without HTTP: the same engine for commands of the same program.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use model::TenantId;
use model::variation::Shape;
use odata::MetadataLevel;
use odata::eval::Meter;
use odata::page_token::Keys;
use odata::primitive::DateTimeOffset;
use store::{Budget, Explanation, Reader, RowQuery, RowSet};
use web::Problem;

use crate::compose::{Answer, Composer, Question};
use crate::destination;
use crate::options::QuerySettings;
use crate::posted_query;
use crate::scope::{Application, Scope};
use crate::target::{Base, Tail};
use crate::unsupported::Unsupported;

/// What links begin with, so that they can be followed here again.
const ROOT: &str = "callvault:/v1.0";

/// Asks a store as a client would, in the name of its owner.
#[derive(Debug)]
pub struct Local {
    composer: Composer,
    settings: QuerySettings,
}

/// Why a question has no answer: the message that a client would get.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LocalError(String);

impl Local {
    /// Asks for the records of a tenant. `key` seals the positions in links.
    pub fn new(tenant: TenantId, key: [u8; 32], settings: QuerySettings) -> Option<Self> {
        let keys = Arc::new(Keys::new(vec![(0, key)])?);
        let budget = Budget {
            rows_scanned: settings.cost.rows_scanned,
            groups: settings.cost.groups,
            meter: Meter::unlimited(),
        };
        Some(Self::of_server(tenant, (keys, None), (settings, budget)))
    }

    /// Asks as somebody who looks at the pages: with the keys of links and the oldest start of the server, and
    /// within a budget.
    pub(crate) fn of_server(
        tenant: TenantId,
        (keys, not_before): (Arc<Keys>, Option<i64>),
        (settings, budget): (QuerySettings, Budget),
    ) -> Self {
        let scope = Scope {
            tenant,
            application: Application::Local,
            keys,
            root: ROOT.into(),
            metadata: Arc::from(format!("{ROOT}/$metadata#")),
            shape: Shape { metadata: MetadataLevel::None, ..Shape::default() },
            max_page_size: None,
            not_before,
            warns: false,
            lacking_columns: 0,
        };
        Self { composer: Composer { scope, limits: settings.cost, budget }, settings }
    }

    /// What [`Self::get`] answers, with the problem that a client would get.
    ///
    /// # Errors
    /// 400 for a question that can't be understood, and those of answering it.
    pub fn answer(&self, reader: &mut Reader, url: &str) -> Result<Option<Vec<u8>>, Problem> {
        let question = self.question(url).map_err(|error| Problem::bad_request(error.0))?;
        Ok(match self.composer.answer(reader, &question)? {
            Answer::Json(body) | Answer::Rows(body, _) => Some(body),
            Answer::Text(text) => Some(text.into_bytes()),
            Answer::Nothing => None,
        })
    }

    /// The answer to a path below the version with its query, or to a next link of such an answer:
    /// JSON, or text for counts and bare values; `None` where there is no value.
    pub fn get(&self, reader: &mut Reader, url: &str) -> Result<Option<Vec<u8>>, LocalError> {
        self.answer(reader, url).map_err(|problem| LocalError(problem.to_string()))
    }

    /// The bound tree of a question about rows, and how the store would answer it.
    pub fn explain(
        &self,
        reader: &mut Reader,
        url: &str,
    ) -> Result<(String, Option<Explanation>), LocalError> {
        let question = self.question(url)?;
        let tree = format!("{}\n{:#?}", question.query, question.query);
        let Base::Rows(rows) = question.target.base else { return Ok((tree, None)) };
        let asked = self.row_query(rows, &question);
        let explanation = reader.explain(&self.composer.scope.tenant, &asked);
        Ok((tree, Some(explanation.map_err(|it| LocalError(it.to_string()))?)))
    }

    fn row_query(&self, rows: RowSet, question: &Question) -> RowQuery {
        let not_before = self.composer.scope.not_before;
        RowQuery { rows, query: question.effective_query().into_owned(), not_before }
    }

    fn question(&self, url: &str) -> Result<Question, LocalError> {
        let url = url.strip_prefix(ROOT).unwrap_or(url);
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
        let now = DateTimeOffset::from_unix_seconds(now.cast_signed());
        let language = &posted_query::limits(&self.settings.language);
        let model = &model::generated::BETA;
        let (resource, query) = odata::parse_request(model, path, query, language, now)
            .map_err(|error| LocalError(error.to_string()))?;
        let target = destination::target(&resource)
            .map_err(|Unsupported(what)| LocalError(format!("{what} is not supported")))?;
        let path = resource.to_string();
        let query = query.with_options_for_apply(target.tail == Tail::Count);
        Ok(Question { target, resource, path, query })
    }
}
