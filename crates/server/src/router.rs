//! Every route, on one screen.

use crate::problem::Problem;

/// A version of Graph's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ApiVersion {
    /// `/v1.0`
    V1,
    /// `/beta`
    Beta,
}

impl ApiVersion {
    /// The path segment.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }

    /// The version that a path segment names.
    pub(crate) fn of_segment(segment: &str) -> Option<Self> {
        [Self::V1, Self::Beta]
            .into_iter()
            .find(|version| version.segment().eq_ignore_ascii_case(segment))
    }
}

/// Who answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// Graph's resources. `path_start` is where the path behind the version begins.
    Graph { version: ApiVersion, path_start: usize },
    /// The same, for what Graph tells without a token: the model and the list of its roots.
    PublicGraph { version: ApiVersion, path_start: usize },
    /// Several requests of a version in one.
    Batch { version: ApiVersion },
    /// The page for those who open the address in a browser.
    FrontPage,
    /// The built-in issuer. `tenant` is the raw segment.
    Issuer { tenant: &'a str, endpoint: Endpoint },
}

/// An address of the built-in issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Gives tokens.
    Token,
    /// Says where the others are.
    Discovery,
    /// The public keys.
    Keys,
}

/// Leads a raw path to its target.
pub(crate) fn route(path: &str) -> Result<Target<'_>, Problem> {
    if path == "/" {
        return Ok(Target::FrontPage);
    }
    let mut segments = path.strip_prefix('/').ok_or_else(Problem::no_such_route)?.split('/');
    let first = segments.next().unwrap_or_default();
    let Some(version) = ApiVersion::of_segment(first) else {
        return issuer(first, &path[1 + first.len()..]);
    };
    let path_start = 1 + first.len();
    Ok(match &path[path_start..] {
        "" | "/" | "/$metadata" | "/%24metadata" => Target::PublicGraph { version, path_start },
        "/$batch" | "/%24batch" => Target::Batch { version },
        _ => Target::Graph { version, path_start },
    })
}

fn issuer<'a>(tenant: &'a str, rest: &str) -> Result<Target<'a>, Problem> {
    let endpoint = match rest {
        "/oauth2/v2.0/token" => Endpoint::Token,
        "/v2.0/.well-known/openid-configuration" => Endpoint::Discovery,
        "/discovery/v2.0/keys" => Endpoint::Keys,
        _ => return Err(Problem::no_such_route()),
    };
    // Entra's names for "whatever tenant the user is of": there are no users here.
    if ["common", "organizations", "consumers"].iter().any(|name| tenant.eq_ignore_ascii_case(name))
    {
        return Err(Problem::bad_request(
            "Only application tokens are issued: name the tenant by its GUID.",
        ));
    }
    Ok(Target::Issuer { tenant, endpoint })
}

/// A route by its template: the label of metrics and of the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub(crate) enum Route {
    #[default]
    Unknown,
    FrontPage,
    ServiceDocument,
    Metadata,
    Batch,
    Communications,
    CallRecords,
    CallRecord,
    CallRecordsCount,
    Sessions,
    Session,
    SessionsCount,
    Segments,
    Segment,
    SegmentsCount,
    Participants,
    Participant,
    ParticipantsCount,
    Organizer,
    Versions,
    Version,
    Rows,
    Import,
    Log,
    LogImport,
    Calls,
    Call,
    CallEvents,
    Deliveries,
    Subscriptions,
    Subscription,
    Token,
    Discovery,
    Keys,
}

impl Route {
    /// Every route, by its number.
    pub(crate) const ALL: [Self; 34] = [
        Self::Unknown,
        Self::FrontPage,
        Self::ServiceDocument,
        Self::Metadata,
        Self::Batch,
        Self::Communications,
        Self::CallRecords,
        Self::CallRecord,
        Self::CallRecordsCount,
        Self::Sessions,
        Self::Session,
        Self::SessionsCount,
        Self::Segments,
        Self::Segment,
        Self::SegmentsCount,
        Self::Participants,
        Self::Participant,
        Self::ParticipantsCount,
        Self::Organizer,
        Self::Versions,
        Self::Version,
        Self::Rows,
        Self::Import,
        Self::Log,
        Self::LogImport,
        Self::Calls,
        Self::Call,
        Self::CallEvents,
        Self::Deliveries,
        Self::Subscriptions,
        Self::Subscription,
        Self::Token,
        Self::Discovery,
        Self::Keys,
    ];

    /// The path with placeholders, below the version for Graph's.
    pub(crate) fn template(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::FrontPage => "front page",
            Self::ServiceDocument => "/",
            Self::Metadata => "/$metadata",
            Self::Batch => "/$batch",
            Self::Communications => "/communications",
            Self::CallRecords => "/communications/callRecords",
            Self::CallRecord => "/communications/callRecords/{id}",
            Self::CallRecordsCount => "/communications/callRecords/$count",
            Self::Sessions => "/communications/callRecords/{id}/sessions",
            Self::Session => "/communications/callRecords/{id}/sessions/{id}",
            Self::SessionsCount => "/communications/callRecords/{id}/sessions/$count",
            Self::Segments => "/communications/callRecords/{id}/sessions/{id}/segments",
            Self::Segment => "/communications/callRecords/{id}/sessions/{id}/segments/{id}",
            Self::SegmentsCount => "/communications/callRecords/{id}/sessions/{id}/segments/$count",
            Self::Participants => "/communications/callRecords/{id}/participants_v2",
            Self::Participant => "/communications/callRecords/{id}/participants_v2/{id}",
            Self::ParticipantsCount => "/communications/callRecords/{id}/participants_v2/$count",
            Self::Organizer => "/communications/callRecords/{id}/organizer_v2",
            Self::Versions => "/communications/callRecords/{id}/callvault.versions()",
            Self::Version => "/communications/callRecords/{id}/callvault.version()",
            Self::Rows => "/communications/callRecords/callvault.{rows}()",
            Self::Import => "/communications/callRecords/callvault.import",
            Self::Log => "/communications/callRecords/{log}()",
            Self::LogImport => "/communications/callRecords/callvault.import{log}",
            Self::Calls => "/communications/calls",
            Self::Call => "/communications/calls/{id}",
            Self::CallEvents => "/communications/callvault.callEvents",
            Self::Deliveries => "/communications/callvault.deliveries()",
            Self::Subscriptions => "/subscriptions",
            Self::Subscription => "/subscriptions/{id}",
            Self::Token => "/{tenant}/oauth2/v2.0/token",
            Self::Discovery => "/{tenant}/v2.0/.well-known/openid-configuration",
            Self::Keys => "/{tenant}/discovery/v2.0/keys",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[test]
    fn paths_lead_to_their_targets() {
        use ApiVersion::{Beta, V1};
        let tenant = "11111111-2222-3333-4444-555555555555";
        let graph = |version, path_start| Target::Graph { version, path_start };
        let public = |version, path_start| Target::PublicGraph { version, path_start };
        let issuer = |endpoint| Target::Issuer { tenant, endpoint };
        let cases = [
            ("/v1.0/communications/callRecords".to_owned(), graph(V1, 5)),
            ("/".to_owned(), Target::FrontPage),
            ("/V1.0/communications".to_owned(), graph(V1, 5)),
            ("/beta/communications".to_owned(), graph(Beta, 5)),
            ("/v1.0".to_owned(), public(V1, 5)),
            ("/beta/".to_owned(), public(Beta, 5)),
            ("/v1.0/$metadata".to_owned(), public(V1, 5)),
            ("/beta/%24metadata".to_owned(), public(Beta, 5)),
            ("/v1.0/$metadata/".to_owned(), graph(V1, 5)),
            ("/beta/$batch".to_owned(), Target::Batch { version: Beta }),
            ("/v1.0/%24batch".to_owned(), Target::Batch { version: V1 }),
            ("/v1.0/$batch/".to_owned(), graph(V1, 5)),
            (format!("/{tenant}/oauth2/v2.0/token"), issuer(Endpoint::Token)),
            (
                format!("/{tenant}/v2.0/.well-known/openid-configuration"),
                issuer(Endpoint::Discovery),
            ),
            (format!("/{tenant}/discovery/v2.0/keys"), issuer(Endpoint::Keys)),
        ];
        for (path, expected) in cases {
            assert_eq!(route(&path).ok(), Some(expected), "{path}");
        }
    }

    #[test]
    fn other_paths_are_404_and_tenants_of_users_400() {
        let cases = [
            ("*", Code::NotFound),
            ("//v1.0/communications", Code::NotFound),
            ("/v1.0x/communications", Code::NotFound),
            ("/v2.0/communications", Code::NotFound),
            ("/t/oauth2/v2.0/token/", Code::NotFound),
            ("/common/oauth2/v2.0/token", Code::BadRequest),
            ("/Organizations/v2.0/.well-known/openid-configuration", Code::BadRequest),
        ];
        for (path, code) in cases {
            assert_eq!(route(path).unwrap_err().code(), code, "{path}");
        }
    }

    #[test]
    fn the_list_of_routes_is_in_the_order_of_their_numbers() {
        for (number, route) in Route::ALL.into_iter().enumerate() {
            assert_eq!(route as usize, number, "{}", route.template());
        }
    }
}
