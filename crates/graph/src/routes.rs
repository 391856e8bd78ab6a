//! Every route, in one table.

use http::Method;
use model::log::Log;
use odata::bound::{Resource, Step};
use odata::edm::{Operation, Type};
use odata::literal::Literal;
use store::RowSet;
use web::Problem;
use web::layers::METHODS;

use crate::caller::role;
use crate::label::Label;
use crate::target::{Base, RecordRef, Tail, Target};
use crate::unsupported::Unsupported;
use crate::version::ApiVersion;
use Handler as H;
use Method as M;

/// A method of an address.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) method: Method,
    /// The path with placeholders. Of a resource it is that behind the version: `{id}` stands for a key,
    /// `{record}` for the key of a record, perhaps with one of its versions, and `{log}` for the name of
    /// a telephone log.
    pub(crate) path: &'static str,
    /// A caller has one of these roles, if any are named.
    pub(crate) roles: &'static [&'static str],
    pub(crate) label: Label,
    pub(crate) handler: Handler,
}

/// What answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handler {
    FrontPage,
    ServiceDocument,
    Metadata,
    Batch,
    Token,
    Discovery,
    Keys,
    Clock,
    Faults,
    Requests,
    /// Something of the call records, or of what is inside them: what the ids of the path name.
    Read(fn(Ids) -> Base),
    CreateRecord,
    PutRecord,
    ImportRecords,
    Log,
    ImportLog,
    Calls,
    CallCount,
    Call,
    EventsOfCall,
    ReceiveEvents,
    Deliveries,
    Subscriptions(Of),
}

/// What is done with subscriptions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of {
    List,
    Count,
    Show,
    Create,
    Change,
    Delete,
    Reauthorize,
    RotateSecret,
    Replay,
}

const ANYONE: &[&str] = &[];
const ADMIN: &[&str] = &[identity::role::ADMINISTER];
const READER: &[&str] = &[role::READ];
const LOG_READER: &[&str] = &[role::READ_PSTN, role::READ];
const WRITER: &[&str] = &[role::WRITE];

/// The addresses of the server itself, as they stand in a request.
#[rustfmt::skip]
static ADDRESSES: &[Row] = &[
    row(M::GET,    "/",                                                ANYONE,     Label::FrontPage,       H::FrontPage),
    row(M::GET,    "/{version}",                                       ANYONE,     Label::ServiceDocument, H::ServiceDocument),
    row(M::GET,    "/{version}/$metadata",                             ANYONE,     Label::Metadata,        H::Metadata),
    row(M::POST,   "/{version}/$batch",                                ANYONE,     Label::Batch,           H::Batch),
    row(M::POST,   "/{tenant}/oauth2/v2.0/token",                      ANYONE,     Label::Token,           H::Token),
    row(M::GET,    "/{tenant}/v2.0/.well-known/openid-configuration",  ANYONE,     Label::Discovery,       H::Discovery),
    row(M::GET,    "/{tenant}/discovery/v2.0/keys",                    ANYONE,     Label::Keys,            H::Keys),
];

/// The addresses that control an emulator, where there is one.
#[rustfmt::skip]
static EMULATOR: &[Row] = &[
    row(M::GET,    "/callvault.clock",                                 ADMIN,      Label::Unknown,         H::Clock),
    row(M::POST,   "/callvault.clock",                                 ADMIN,      Label::Unknown,         H::Clock),
    row(M::GET,    "/callvault.faults",                                ADMIN,      Label::Unknown,         H::Faults),
    row(M::PUT,    "/callvault.faults",                                ADMIN,      Label::Unknown,         H::Faults),
    row(M::DELETE, "/callvault.faults",                                ADMIN,      Label::Unknown,         H::Faults),
    row(M::GET,    "/callvault.requests",                              ADMIN,      Label::Unknown,         H::Requests),
    row(M::DELETE, "/callvault.requests",                              ADMIN,      Label::Unknown,         H::Requests),
];

/// The resources of a version. What a path has behind a row of `Read` (`$count`, `$ref`, a property,
/// conditions) is asked of what the row names.
#[rustfmt::skip]
static RESOURCES: &[Row] = &[
    row(M::GET,    "communications",                                   READER,     Label::Communications,  H::Read(|_| Base::Communications)),
    row(M::GET,    "communications/callRecords",                       READER,     Label::CallRecords,     H::Read(|_| Base::Rows(RowSet::Records))),
    row(M::POST,   "communications/callRecords",                       WRITER,     Label::CallRecords,     H::CreateRecord),
    row(M::GET,    "communications/callRecords/{id}",                  READER,     Label::CallRecord,      H::Read(|ids| Base::Record(ids.record))),
    row(M::PUT,    "communications/callRecords/{id}",                  WRITER,     Label::CallRecord,      H::PutRecord),
    row(M::GET,    "communications/callRecords/{id}/version()",        READER,     Label::Version,         H::Read(|ids| Base::Record(ids.record))),
    row(M::GET,    "communications/callRecords/{id}/versions()",       READER,     Label::Versions,        H::Read(|ids| Base::Versions(ids.record.id))),
    row(M::GET,    "communications/callRecords/{record}/organizer_v2", READER,     Label::Organizer,       H::Read(|ids| Base::Organizer(ids.record))),
    row(M::GET,    "communications/callRecords/{record}/participants_v2",       READER, Label::Participants, H::Read(|ids| Base::Participants(ids.record))),
    row(M::GET,    "communications/callRecords/{record}/participants_v2/{id}",  READER, Label::Participant,  H::Read(|ids| Base::Participant(ids.record, ids.first))),
    row(M::GET,    "communications/callRecords/{record}/sessions",              READER, Label::Sessions,     H::Read(|ids| Base::Sessions(ids.record))),
    row(M::GET,    "communications/callRecords/{record}/sessions/{id}",         READER, Label::Session,      H::Read(|ids| Base::Session(ids.record, ids.first))),
    row(M::GET,    "communications/callRecords/{record}/sessions/{id}/segments",      READER, Label::Segments, H::Read(|ids| Base::Segments(ids.record, ids.first))),
    row(M::GET,    "communications/callRecords/{record}/sessions/{id}/segments/{id}", READER, Label::Segment,  H::Read(|ids| Base::Segment(ids.record, ids.first, ids.second))),
    row(M::GET,    "communications/callRecords/sessions()",            READER,     Label::Rows,            H::Read(|_| Base::Rows(RowSet::Sessions))),
    row(M::GET,    "communications/callRecords/segments()",            READER,     Label::Rows,            H::Read(|_| Base::Rows(RowSet::Segments))),
    row(M::GET,    "communications/callRecords/streams()",             READER,     Label::Rows,            H::Read(|_| Base::Rows(RowSet::Streams))),
    row(M::POST,   "communications/callRecords/import()",              WRITER,     Label::Import,          H::ImportRecords),
    row(M::GET,    "communications/callRecords/get{log}()",            LOG_READER, Label::Log,             H::Log),
    row(M::POST,   "communications/callRecords/import{log}()",         WRITER,     Label::LogImport,       H::ImportLog),
    row(M::GET,    "communications/calls",                             READER,     Label::Calls,           H::Calls),
    row(M::GET,    "communications/calls/$count",                      READER,     Label::Calls,           H::CallCount),
    row(M::GET,    "communications/calls/{id}",                        READER,     Label::Call,            H::Call),
    row(M::GET,    "communications/calls/{id}/events()",               READER,     Label::Call,            H::EventsOfCall),
    row(M::POST,   "communications/callEvents()",                      WRITER,     Label::CallEvents,      H::ReceiveEvents),
    row(M::GET,    "communications/deliveries()",                      READER,     Label::Deliveries,      H::Deliveries),
    row(M::GET,    "subscriptions",                                    READER,     Label::Subscriptions,   H::Subscriptions(Of::List)),
    row(M::POST,   "subscriptions",                                    READER,     Label::Subscriptions,   H::Subscriptions(Of::Create)),
    row(M::GET,    "subscriptions/$count",                             READER,     Label::Subscriptions,   H::Subscriptions(Of::Count)),
    row(M::GET,    "subscriptions/{id}",                               READER,     Label::Subscription,    H::Subscriptions(Of::Show)),
    row(M::PATCH,  "subscriptions/{id}",                               READER,     Label::Subscription,    H::Subscriptions(Of::Change)),
    row(M::DELETE, "subscriptions/{id}",                               READER,     Label::Subscription,    H::Subscriptions(Of::Delete)),
    row(M::POST,   "subscriptions/{id}/reauthorize()",                 READER,     Label::Subscription,    H::Subscriptions(Of::Reauthorize)),
    row(M::POST,   "subscriptions/{id}/rotateSecret()",                READER,     Label::Subscription,    H::Subscriptions(Of::RotateSecret)),
    row(M::POST,   "subscriptions/{id}/replay()",                      READER,     Label::Subscription,    H::Subscriptions(Of::Replay)),
];

const fn row(
    method: Method,
    path: &'static str,
    roles: &'static [&'static str],
    label: Label,
    handler: Handler,
) -> Row {
    Row { method, path, roles, label, handler }
}

/// An address of the server itself, or the resources of a version.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lead<'p> {
    /// To the resources of a version; the path of the resource begins at `path_start`.
    Resources { version: ApiVersion, path_start: usize },
    /// To something that the server says of a version.
    Version { version: ApiVersion, path_start: usize, rows: Rows },
    /// To an address of the issuer for a tenant, which is the raw segment.
    Tenant { tenant: &'p str, rows: Rows },
    /// To the page for those who open the address in a browser.
    Root(Rows),
}

/// Leads a raw path.
///
/// # Errors
/// 404 where it leads nowhere, 400 for a tenant that is none.
pub(crate) fn lead(path: &str) -> Result<Lead<'_>, Problem> {
    if path == "/" {
        let rows = Rows::at(ADDRESSES, |pattern| pattern == "/");
        return rows.map(Lead::Root).ok_or_else(Problem::no_such_route);
    }
    let below = path.strip_prefix('/').ok_or_else(Problem::no_such_route)?;
    let first = below.split('/').next().unwrap_or_default();
    let (path_start, rest) = (1 + first.len(), &below[first.len()..]);
    let Some(version) = ApiVersion::of_segment(first) else {
        let is_it = |pattern: &str| pattern.strip_prefix("/{tenant}") == Some(rest);
        let rows = Rows::at(ADDRESSES, is_it).ok_or_else(Problem::no_such_route)?;
        check_tenant(first)?;
        return Ok(Lead::Tenant { tenant: first, rows });
    };
    let rest = rest.strip_suffix('/').filter(|rest| rest.is_empty()).unwrap_or(rest);
    let is_it = |pattern: &str| {
        let pattern = pattern.strip_prefix("/{version}");
        pattern.is_some_and(|pattern| {
            if pattern.is_empty() { rest.is_empty() } else { reserved(pattern) == reserved(rest) }
        })
    };
    Ok(match Rows::at(ADDRESSES, is_it) {
        Some(rows) => Lead::Version { version, path_start, rows },
        None => Lead::Resources { version, path_start },
    })
}

/// The name of a path that OData reserves, behind its dollar sign.
fn reserved(path: &str) -> Option<&str> {
    path.strip_prefix("/$").or_else(|| path.strip_prefix("/%24"))
}

/// Entra's names for "whatever tenant the user is of": there are no users here.
fn check_tenant(tenant: &str) -> Result<(), Problem> {
    let of_users = ["common", "organizations", "consumers"];
    if of_users.iter().any(|name| tenant.eq_ignore_ascii_case(name)) {
        let message = "Only application tokens are issued: name the tenant by its GUID.";
        return Err(Problem::bad_request(message));
    }
    Ok(())
}

/// An address of an emulator.
pub(crate) fn of_emulator(path: &str) -> Result<Rows, Problem> {
    Rows::at(EMULATOR, |pattern| pattern == path).ok_or_else(Problem::no_such_route)
}

/// The rows of one path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    section: &'static [Row],
    path: &'static str,
}

impl Rows {
    fn at(section: &'static [Row], is_it: impl Fn(&str) -> bool) -> Option<Self> {
        let row = section.iter().find(|row| is_it(row.path))?;
        Some(Self { section, path: row.path })
    }

    fn all(self) -> impl Iterator<Item = &'static Row> {
        self.section.iter().filter(move |row| row.path == self.path)
    }

    /// The label of them all.
    pub(crate) fn label(self) -> Label {
        self.first().label
    }

    /// The first of them.
    pub(crate) fn first(self) -> &'static Row {
        self.all().next().expect("rows are made of one")
    }

    /// The row of a method; HEAD is answered as GET. 405 where there is none.
    pub(crate) fn select(self, method: &Method) -> Result<&'static Row, Problem> {
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        self.all().find(|row| row.method == *wanted).ok_or_else(|| self.refuse(|_| true))
    }

    /// 405 with the methods of those rows that count here.
    fn refuse(self, counts: impl Fn(&Row) -> bool) -> Problem {
        let knows = |method: &&Method| {
            let wanted = if **method == Method::HEAD { &Method::GET } else { *method };
            self.all().any(|row| row.method == *wanted && counts(row))
        };
        Problem::method_not_allowed(METHODS.iter().filter(knows))
    }
}

/// The ids that a path names.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    pub(crate) record: RecordRef,
    /// Behind the record, or of something that is no record.
    pub(crate) first: String,
    pub(crate) second: String,
    pub(crate) log: Option<Log>,
}

/// What a bound path leads to.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(crate) rows: Rows,
    pub(crate) ids: Ids,
    /// What is asked of what the rows name.
    pub(crate) tail: Tail,
    filters: Vec<odata::bound::Expr>,
}

impl Destination {
    /// Reads a bound path.
    ///
    /// # Errors
    /// When it leads to something that nothing answers yet.
    pub(crate) fn of(resource: &Resource) -> Result<Self, Unsupported> {
        let steps = resource.steps.as_slice();
        if !steps.iter().any(|step| matches!(step, Step::Cast(_))) {
            return Self::find(steps, |_| true).unwrap_or_else(|| Err(unmatched(steps)));
        }
        match steps {
            [Step::EntitySet { .. }, ..] => Err(unmatched(steps)),
            [Step::Singleton { .. }, Step::Navigation(property), ..]
                if property.name == "calls" =>
            {
                Err(unmatched(steps))
            }
            _ => Self::of_records(steps),
        }
    }

    /// Reads a path of call records, or of what is inside them. A cast to the type that something has
    /// anyway says nothing there.
    fn of_records(steps: &[Step]) -> Result<Self, Unsupported> {
        let steps = without_own_casts(steps);
        Self::find(&steps, Row::is_of_records).unwrap_or_else(|| Err(Unsupported::path(&steps)))
    }

    /// The row that matches most of a path, of those that count; `None` if none does.
    fn find(steps: &[Step], counts: impl Fn(&Row) -> bool) -> Option<Result<Self, Unsupported>> {
        let mut best: Option<(&'static Row, Ids, usize)> = None;
        for row in RESOURCES.iter().filter(|row| counts(row)) {
            let Some((ids, length)) = matched(row.path, steps) else { continue };
            let fits = length == steps.len() || row.takes_tail();
            if fits && best.as_ref().is_none_or(|(.., longest)| length > *longest) {
                best = Some((row, ids, length));
            }
        }
        let (row, ids, length) = best?;
        let rows = Rows { section: RESOURCES, path: row.path };
        let behind = Tail::behind(&steps[length..]);
        Some(behind.map(|(filters, tail)| Self { rows, ids, tail, filters }))
    }

    /// Its label, for metrics and the access log.
    pub(crate) fn label(&self) -> Label {
        let label = self.rows.label();
        if self.tail == Tail::Count { label.of_count() } else { label }
    }

    /// 405 with the methods that it knows. Only a whole record, or list of them, is written.
    pub(crate) fn refuse_method(&self) -> Problem {
        let is_whole = self.tail == Tail::Whole;
        let is_write =
            |row: &Row| matches!(row.handler, Handler::CreateRecord | Handler::PutRecord);
        self.rows.refuse(|row| is_whole || !is_write(row))
    }

    /// Whether it is call records, or inside of them.
    pub(crate) fn is_of_records(&self) -> bool {
        self.rows.first().is_of_records()
    }

    /// What the query language calls it, where that is call records or inside of them.
    pub(crate) fn target(self) -> Option<Target> {
        let base = match self.rows.first().handler {
            Handler::Read(base) => base(self.ids),
            Handler::ImportRecords => Base::Import,
            _ => return None,
        };
        Some(Target { base, filters: self.filters, tail: self.tail })
    }
}

/// What a bound path of call records, or of what is inside them, addresses.
///
/// # Errors
/// When it leads to nothing of these.
pub(crate) fn target(resource: &Resource) -> Result<Target, Unsupported> {
    let destination = Destination::of_records(&resource.steps)?;
    destination.target().ok_or_else(|| Unsupported::path(&resource.steps))
}

impl Row {
    fn is_of_records(&self) -> bool {
        matches!(
            self.handler,
            Handler::Read(_) | Handler::CreateRecord | Handler::PutRecord | Handler::ImportRecords
        )
    }

    /// Whether something may stand behind its path.
    fn takes_tail(&self) -> bool {
        self.is_of_records() && self.label != Label::Communications
    }
}

/// The ids of a path that begins as a pattern says, and how many steps that are.
fn matched(pattern: &str, steps: &[Step]) -> Option<(Ids, usize)> {
    let (mut ids, mut at, mut keys) = (Ids::default(), 0, 0);
    for segment in pattern.split('/') {
        match (segment, steps.get(at)?) {
            ("{id}" | "{record}", Step::Key(key)) => {
                let place = match keys {
                    0 if pattern.starts_with("communications/callRecords") => &mut ids.record.id,
                    0 => &mut ids.first,
                    1 => &mut ids.first,
                    _ => &mut ids.second,
                };
                place.clone_from(key);
                keys += 1;
                if segment == "{record}"
                    && let Some(version) = steps.get(at + 1).and_then(version)
                {
                    ids.record.version = Some(version);
                    at += 1;
                }
            }
            ("version()", step) => ids.record.version = Some(version(step)?),
            ("get{log}()", Step::Operation { operation, .. }) => {
                ids.log = Some(Log::of_function(operation.name)?);
            }
            ("import{log}()", Step::Operation { operation, .. }) => {
                ids.log = Some(Log::of_action(operation.name)?);
            }
            (name, Step::Operation { operation, .. }) if is_named(operation, name) => {}
            ("$count", Step::Count) => {}
            (name, Step::EntitySet { name: known, .. } | Step::Singleton { name: known, .. })
                if name == *known => {}
            (name, Step::Navigation(property)) if name == property.name => {}
            _ => return None,
        }
        at += 1;
    }
    Some((ids, at))
}

fn is_named(operation: &Operation, pattern: &str) -> bool {
    pattern.strip_suffix("()") == Some(operation.name)
}

/// The version that `callvault.version(version=…)` names.
fn version(step: &Step) -> Option<i64> {
    match step {
        Step::Operation { operation, arguments, .. } if operation.name == "version" => {
            match arguments.first() {
                Some((_, Literal::Integer(version))) => Some(*version),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Names what a path that matches no row asks for.
fn unmatched(steps: &[Step]) -> Unsupported {
    match steps {
        [Step::EntitySet { .. }, ..] => Unsupported::named("this path of a subscription"),
        [Step::Singleton { .. }, Step::Navigation(property), ..] if property.name == "calls" => {
            Unsupported::named("this path of a call")
        }
        steps => Unsupported::path(steps),
    }
}

/// The steps without casts to the type that something has anyway.
fn without_own_casts(steps: &[Step]) -> Vec<Step> {
    let mut ty = None;
    let mut kept = Vec::with_capacity(steps.len());
    for step in steps {
        let next = match step {
            Step::Cast(to) if ty == Some(Type::Structured(to)) => continue,
            Step::Cast(to) => Some(Type::Structured(to)),
            Step::EntitySet { ty, .. } | Step::Singleton { ty, .. } => Some(Type::Structured(ty)),
            Step::Navigation(property) | Step::Property(property) => Some(property.ty),
            Step::Operation { operation, .. } => operation.returns.as_ref().map(|it| it.ty),
            Step::Key(_) | Step::Filter(_) | Step::Count | Step::Ref | Step::Value => ty,
        };
        ty = next;
        kept.push(step.clone());
    }
    kept
}

#[cfg(test)]
mod tests {
    use web::Code;

    use super::*;

    #[test]
    fn paths_lead_to_their_rows() {
        let tenant = "11111111-2222-3333-4444-555555555555";
        let cases = [
            ("/v1.0/communications/callRecords".to_owned(), "v1.0 5"),
            ("/".to_owned(), "/"),
            ("/V1.0/communications".to_owned(), "v1.0 5"),
            ("/beta/communications".to_owned(), "beta 5"),
            ("/v1.0".to_owned(), "v1.0 5 /{version}"),
            ("/beta/".to_owned(), "beta 5 /{version}"),
            ("/beta//".to_owned(), "beta 5"),
            ("/v1.0/$metadata".to_owned(), "v1.0 5 /{version}/$metadata"),
            ("/beta/%24metadata".to_owned(), "beta 5 /{version}/$metadata"),
            ("/v1.0/$metadata/".to_owned(), "v1.0 5"),
            ("/beta/$batch".to_owned(), "beta 5 /{version}/$batch"),
            ("/v1.0/%24batch".to_owned(), "v1.0 5 /{version}/$batch"),
            ("/v1.0/$batch/".to_owned(), "v1.0 5"),
            (format!("/{tenant}/oauth2/v2.0/token"), "/{tenant}/oauth2/v2.0/token"),
            (
                format!("/{tenant}/v2.0/.well-known/openid-configuration"),
                "/{tenant}/v2.0/.well-known/openid-configuration",
            ),
            (format!("/{tenant}/discovery/v2.0/keys"), "/{tenant}/discovery/v2.0/keys"),
        ];
        for (path, expected) in cases {
            let found = match lead(&path).unwrap() {
                Lead::Root(rows) => rows.path.to_owned(),
                Lead::Tenant { tenant: of, rows } => {
                    assert_eq!(of, tenant);
                    rows.path.to_owned()
                }
                Lead::Resources { version, path_start } => {
                    format!("{} {path_start}", version.segment())
                }
                Lead::Version { version, path_start, rows } => {
                    format!("{} {path_start} {}", version.segment(), rows.path)
                }
            };
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn other_paths_are_404_and_tenants_of_users_400() {
        let cases = [
            ("*", Code::NotFound),
            ("//v1.0/communications", Code::NotFound),
            ("/v1.0x/communications", Code::NotFound),
            ("/v2.0/communications", Code::NotFound),
            ("/{version}", Code::NotFound),
            ("/t/oauth2/v2.0/token/", Code::NotFound),
            ("/common/oauth2/v2.0/token", Code::BadRequest),
            ("/Organizations/v2.0/.well-known/openid-configuration", Code::BadRequest),
        ];
        for (path, code) in cases {
            assert_eq!(lead(path).unwrap_err().code(), code, "{path}");
        }
    }

    #[test]
    fn every_path_has_its_methods_once_and_one_label() {
        for section in [ADDRESSES, EMULATOR, RESOURCES] {
            for (number, row) in section.iter().enumerate() {
                let is_twice = |other: &Row| other.path == row.path && other.method == row.method;
                assert!(!section[..number].iter().any(is_twice), "{} {}", row.method, row.path);
                let rows = Rows { section, path: row.path };
                assert_eq!(rows.label(), row.label, "{}", row.path);
            }
        }
    }
}
