//! `limits.*`: what a request, a client or a record may use.

use std::time::Duration;

use serde::Deserialize;

/// `limits.*`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    connections: usize,
    connections_per_address: usize,
    rate: Rate,
    url_bytes: usize,
    header_bytes: usize,
    memory: u64,
    ingest_bytes_in_flight: Option<u64>,
    rejections: usize,
    header_seconds: u64,
    body_idle_seconds: u64,
    body_seconds: u64,
    body_bytes_per_second: u64,
    idle_seconds: u64,
    answer_bytes_per_second: u64,
    drain_seconds: u64,
    filter_bytes: usize,
    expression_nodes: usize,
    expression_depth: usize,
    lambda_depth: usize,
    literal_bytes: usize,
    in_items: usize,
    orderby_keys: usize,
    select_items: usize,
    expand_depth: usize,
    expand_items: usize,
    search_words: usize,
    apply_steps: usize,
    top: u64,
    rows_scanned: u64,
    groups: usize,
    query_milliseconds: u64,
    query_steps: u64,
    query_bytes: usize,
    page_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let server = web::Limits::default();
        let graph::QuerySettings { language, cost } = graph::QuerySettings::default();
        Self {
            connections: server.connections,
            connections_per_address: server.connections_per_address,
            rate: Rate::Named(NamedRate::Off),
            url_bytes: server.url,
            header_bytes: server.headers,
            memory: web::MEMORY,
            ingest_bytes_in_flight: None,
            rejections: server.rejections,
            header_seconds: server.head.as_secs(),
            body_idle_seconds: server.body_idle.as_secs(),
            body_seconds: server.body.as_secs(),
            body_bytes_per_second: server.body_rate,
            idle_seconds: server.idle.as_secs(),
            answer_bytes_per_second: server.answer_rate,
            drain_seconds: server.drain.as_secs(),
            filter_bytes: language.filter,
            expression_nodes: language.nodes,
            expression_depth: language.depth,
            lambda_depth: language.lambdas,
            literal_bytes: language.literal,
            in_items: language.in_list,
            orderby_keys: language.orderby,
            select_items: language.select_items,
            expand_depth: language.expand_depth,
            expand_items: language.expand_items,
            search_words: language.search_words,
            apply_steps: language.apply_steps,
            top: language.top,
            rows_scanned: cost.rows_scanned,
            groups: cost.groups,
            query_milliseconds: cost.time.as_millis() as u64,
            query_steps: cost.steps,
            query_bytes: cost.bytes,
            page_size: cost.page,
        }
    }
}

impl Limits {
    /// The limits of the server.
    pub(crate) fn of_server(self) -> web::Limits {
        let memory = web::Memory::of(self.memory);
        web::Limits {
            connections: self.connections,
            connections_per_address: self.connections_per_address,
            url: self.url_bytes,
            headers: self.header_bytes,
            ingest_in_flight: self.ingest_bytes_in_flight.unwrap_or(memory.ingest),
            question_memory: memory.questions,
            answers_in_flight: memory.answers,
            rejections: self.rejections,
            rates: self.rate.of_server(),
            head: Duration::from_secs(self.header_seconds),
            body_idle: Duration::from_secs(self.body_idle_seconds),
            body: Duration::from_secs(self.body_seconds),
            body_rate: self.body_bytes_per_second,
            idle: Duration::from_secs(self.idle_seconds),
            answer_rate: self.answer_bytes_per_second,
            drain: Duration::from_secs(self.drain_seconds),
            ..web::Limits::default()
        }
    }

    /// Bytes of columns that questions have read of the store.
    pub(crate) fn column_memory(self) -> u64 {
        web::Memory::of(self.memory).columns
    }

    /// The limits of the query language and of the cost of queries.
    pub(crate) fn of_queries(self) -> graph::QuerySettings {
        let language = odata::Limits {
            url: self.url_bytes,
            filter: self.filter_bytes,
            nodes: self.expression_nodes,
            depth: self.expression_depth,
            lambdas: self.lambda_depth,
            literal: self.literal_bytes,
            in_list: self.in_items,
            orderby: self.orderby_keys,
            select_items: self.select_items,
            expand_depth: self.expand_depth,
            expand_items: self.expand_items,
            search_words: self.search_words,
            apply_steps: self.apply_steps,
            top: self.top,
            ignores_slips: false,
            functions: quality::function::shipped(),
        };
        let cost = graph::QueryLimits {
            rows_scanned: self.rows_scanned,
            groups: self.groups,
            time: Duration::from_millis(self.query_milliseconds),
            steps: self.query_steps,
            bytes: self.query_bytes,
            page: self.page_size,
        };
        graph::QuerySettings { language, cost }
    }
}

/// `limits.rate`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"off\", \"graph\", or limits such as { record = \"10/20s\" }"
)]
enum Rate {
    Named(NamedRate),
    Own(OwnRate),
}

/// A rate with a name.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum NamedRate {
    Off,
    Graph,
}

/// Rates of the operator's own; a missing one is unlimited.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OwnRate {
    everywhere: Option<Allowance>,
    tenant: Option<Allowance>,
    application: Option<Allowance>,
    record: Option<Allowance>,
    following: Option<Allowance>,
    list: Option<Allowance>,
    list_following: Option<Allowance>,
}

/// A number of requests within a time: `10/20s`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Allowance(web::Allowance);

impl TryFrom<String> for Allowance {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = || {
            let (count, within) = text.split_once('/')?;
            let count = count.trim().parse().ok().filter(|count| *count > 0)?;
            let within = super::parse_time(within.trim())?;
            (!within.is_zero()).then_some(Self(web::Allowance { count, within }))
        };
        read().ok_or_else(|| {
            format!("'{text}' is not a number of requests within a time, such as 10/20s")
        })
    }
}

impl Rate {
    fn of_server(self) -> Option<web::Rates> {
        let own = match self {
            Self::Named(NamedRate::Off) => return None,
            Self::Named(NamedRate::Graph) => return Some(graph::GRAPH_RATES),
            Self::Own(own) => own,
        };
        let inner = |allowance: Option<Allowance>| allowance.map(|Allowance(inner)| inner);
        Some(web::Rates {
            everywhere: inner(own.everywhere),
            tenant: inner(own.tenant),
            application: inner(own.application),
            record: inner(own.record),
            following: inner(own.following),
            list: inner(own.list),
            list_following: inner(own.list_following),
        })
    }
}
