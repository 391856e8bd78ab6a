//! Every route, in one table.

use http::Method;
use places::is_name;
use store::RowSet;
use web::Problem;
use web::layers::METHODS;

use crate::caller::role;
use crate::label::Label;
use crate::target::{Base, Ids};
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
    PlaceMaps,
    MirrorNotices,
    Pages,
    Clock,
    Faults,
    Requests,
    /// Something of the call records, or of what is inside them: what the ids of the path name.
    Read(fn(Ids) -> Base),
    Delta,
    CreateRecord,
    PutRecord,
    EraseRecord,
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

/// Where pages for people are.
const PAGES: &str = "/ui";
/// Where maps of places are.
const PLACE_MAPS: &str = "/callvault/places";
/// Where sources notify mirrors.
const MIRRORS: &str = "/callvault/mirror/";
const MIRROR_NOTICES: &str = "/callvault/mirror/{name}/{secret}";
const MIRROR_LIFECYCLE: &str = "/callvault/mirror/{name}/{secret}/lifecycle";

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
    row(M::GET,    PAGES,                                              ANYONE,     Label::Pages,           H::Pages),
    row(M::POST,   PAGES,                                              ANYONE,     Label::Pages,           H::Pages),
    row(M::GET,    PLACE_MAPS,                                         ADMIN,      Label::PlaceMaps,       H::PlaceMaps),
    row(M::POST,   PLACE_MAPS,                                         ADMIN,      Label::PlaceMaps,       H::PlaceMaps),
    row(M::GET,    "/callvault/places/{name}",                         ADMIN,      Label::PlaceMap,        H::PlaceMaps),
    row(M::DELETE, "/callvault/places/{name}",                         ADMIN,      Label::PlaceMap,        H::PlaceMaps),
    row(M::GET,    "/callvault/places/{name}/{version}",               ADMIN,      Label::PlaceMapVersion, H::PlaceMaps),
    row(M::DELETE, "/callvault/places/{name}/{version}",               ADMIN,      Label::PlaceMapVersion, H::PlaceMaps),
    row(M::GET,    MIRROR_NOTICES,                                     ANYONE,     Label::MirrorNotices,   H::MirrorNotices),
    row(M::POST,   MIRROR_NOTICES,                                     ANYONE,     Label::MirrorNotices,   H::MirrorNotices),
    row(M::GET,    MIRROR_LIFECYCLE,                                   ANYONE,     Label::MirrorNotices,   H::MirrorNotices),
    row(M::POST,   MIRROR_LIFECYCLE,                                   ANYONE,     Label::MirrorNotices,   H::MirrorNotices),
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
pub(crate) static RESOURCES: &[Row] = &[
    row(M::GET,    "communications",                                   READER,     Label::Communications,  H::Read(|_| Base::Communications)),
    row(M::GET,    "communications/callRecords",                       READER,     Label::CallRecords,     H::Read(|_| Base::Rows(RowSet::Records))),
    row(M::GET,    "communications/callRecords/delta()",               READER,     Label::Delta,           H::Delta),
    row(M::POST,   "communications/callRecords",                       WRITER,     Label::CallRecords,     H::CreateRecord),
    row(M::GET,    "communications/callRecords/{id}",                  READER,     Label::CallRecord,      H::Read(|ids| Base::Record(ids.record))),
    row(M::PUT,    "communications/callRecords/{id}",                  WRITER,     Label::CallRecord,      H::PutRecord),
    row(M::DELETE, "communications/callRecords/{id}",                  ADMIN,      Label::CallRecord,      H::EraseRecord),
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
    row(M::GET,    "communications/callRecords/legs()",                READER,     Label::Rows,            H::Read(|_| Base::Rows(RowSet::Legs))),
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
    /// To maps of places: all, those of a name, or a version.
    PlaceMaps { rows: Rows, name: Option<&'p str>, version: Option<i64> },
    /// To the address of a mirror, with its secret part.
    MirrorNotices { rows: Rows, name: &'p str, secret: &'p str },
    /// To pages for people.
    Pages(Rows),
    /// To the page for those who open the address in a browser.
    Root(Rows),
}

/// 404 for a path that begins with no version of the API.
fn no_version(first: &str) -> Problem {
    if first.is_empty() {
        let message = "There is no resource at a path that begins with two slashes: the address that the \
                       client puts before its paths must not end with one.";
        return Problem::not_there(message);
    }
    let is_version = first
        .strip_prefix(['v', 'V'])
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let is_resource = |row: &Row| row.path.split('/').next() == Some(first);
    if is_version || first.starts_with('$') || RESOURCES.iter().any(is_resource) {
        let message = format!(
            "There is no resource at '/{first}': those of the API are below /v1.0 and /beta."
        );
        return Problem::not_there(message);
    }
    Problem::no_such_route()
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
    if let Some(rest) = path.strip_prefix(PAGES)
        && (rest.is_empty() || rest.starts_with('/'))
    {
        let rows = Rows::at(ADDRESSES, |pattern| pattern == PAGES);
        return rows.map(Lead::Pages).ok_or_else(Problem::no_such_route);
    }
    if let Some(rest) = path.strip_prefix(PLACE_MAPS)
        && (rest.is_empty() || rest.starts_with('/'))
    {
        return place_maps(rest);
    }
    if let Some(rest) = path.strip_prefix(MIRRORS) {
        return mirror_notices(rest);
    }
    let below = path.strip_prefix('/').ok_or_else(Problem::no_such_route)?;
    let first = below.split('/').next().unwrap_or_default();
    let (path_start, rest) = (1 + first.len(), &below[first.len()..]);
    let Some(version) = ApiVersion::of_segment(first) else {
        let is_it = |pattern: &str| pattern.strip_prefix("/{tenant}") == Some(rest);
        let rows = Rows::at(ADDRESSES, is_it).ok_or_else(|| no_version(first))?;
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

/// Leads a path behind the address of maps of places.
fn place_maps(rest: &str) -> Result<Lead<'_>, Problem> {
    let mut segments = rest.split('/').skip(1);
    let (name, version) = (segments.next().filter(|name| !name.is_empty()), segments.next());
    let pattern = match (name, version) {
        (None, None) => PLACE_MAPS,
        (Some(_), None) => "/callvault/places/{name}",
        _ => "/callvault/places/{name}/{version}",
    };
    let number = version.map(|text| text.parse::<i64>().ok().filter(|number| *number > 0));
    let is_wrong = segments.next().is_some()
        || number == Some(None)
        || name.map_or(version.is_some(), |name| !is_name(name));
    match Rows::at(ADDRESSES, |path| path == pattern) {
        Some(rows) if !is_wrong => Ok(Lead::PlaceMaps { rows, name, version: number.flatten() }),
        _ => Err(Problem::no_such_route()),
    }
}

/// Leads a path behind the address of mirrors.
fn mirror_notices(rest: &str) -> Result<Lead<'_>, Problem> {
    let mut segments = rest.split('/');
    let (name, secret) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let pattern = match (segments.next(), segments.next()) {
        (None, _) => MIRROR_NOTICES,
        (Some("lifecycle"), None) => MIRROR_LIFECYCLE,
        _ => return Err(Problem::no_such_route()),
    };
    match Rows::at(ADDRESSES, |path| path == pattern) {
        Some(rows) if !name.is_empty() && !secret.is_empty() => {
            Ok(Lead::MirrorNotices { rows, name, secret })
        }
        _ => Err(Problem::no_such_route()),
    }
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
    pub(crate) fn at(section: &'static [Row], is_it: impl Fn(&str) -> bool) -> Option<Self> {
        let row = section.iter().find(|row| is_it(row.path))?;
        Some(Self { section, path: row.path })
    }

    /// Those of the path of one of them.
    pub(crate) fn of(section: &'static [Row], row: &Row) -> Self {
        Self { section, path: row.path }
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
    pub(crate) fn refuse(self, counts: impl Fn(&Row) -> bool) -> Problem {
        let knows = |method: &&Method| {
            let wanted = if **method == Method::HEAD { &Method::GET } else { *method };
            self.all().any(|row| row.method == *wanted && counts(row))
        };
        Problem::method_not_allowed(METHODS.iter().filter(knows))
    }
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
            ("/callvault/places".to_owned(), "/callvault/places None None"),
            ("/callvault/places/".to_owned(), "/callvault/places None None"),
            ("/callvault/places/a.b".to_owned(), "/callvault/places/{name} Some(\"a.b\") None"),
            (
                "/callvault/places/a/2".to_owned(),
                "/callvault/places/{name}/{version} Some(\"a\") Some(2)",
            ),
            ("/callvault/mirror/a.b/x".to_owned(), "/callvault/mirror/{name}/{secret} a.b x"),
            (
                "/callvault/mirror/a/x/lifecycle".to_owned(),
                "/callvault/mirror/{name}/{secret}/lifecycle a x",
            ),
            (
                format!("/{tenant}/v2.0/.well-known/openid-configuration"),
                "/{tenant}/v2.0/.well-known/openid-configuration",
            ),
            (format!("/{tenant}/discovery/v2.0/keys"), "/{tenant}/discovery/v2.0/keys"),
        ];
        for (path, expected) in cases {
            let found = match lead(&path).unwrap() {
                Lead::Root(rows) | Lead::Pages(rows) => rows.path.to_owned(),
                Lead::MirrorNotices { rows, name, secret } => {
                    format!("{} {name} {secret}", rows.path)
                }
                Lead::PlaceMaps { rows, name, version } => {
                    format!("{} {name:?} {version:?}", rows.path)
                }
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
            ("/callvault/placesx", Code::NotFound),
            ("/callvault/places/a b", Code::NotFound),
            ("/callvault/places/a/0", Code::NotFound),
            ("/callvault/places/a/x", Code::NotFound),
            ("/callvault/places/a/1/", Code::NotFound),
            ("/callvault/places//1", Code::NotFound),
            ("/callvault/mirror/a", Code::NotFound),
            ("/callvault/mirror/a/", Code::NotFound),
            ("/callvault/mirror/a/x/y", Code::NotFound),
            ("/callvault/mirror/a/x/lifecycle/", Code::NotFound),
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
