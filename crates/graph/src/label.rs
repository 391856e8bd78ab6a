//! What routes are called in metrics and in the access log.

use web::Route;

/// Declares the labels with their texts, in the order of the metrics.
macro_rules! labels {
    ($($name:ident = $text:literal,)*) => {
        /// The label of a route: the path with placeholders, below the version for Graph's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Label {
            $($name,)*
        }

        impl Label {
            /// The texts of all labels, by their numbers.
            pub(crate) const TEXTS: &'static [&'static str] = &[$($text,)*];
        }
    };
}

labels! {
    Unknown = "unknown",
    FrontPage = "front page",
    ServiceDocument = "/",
    Metadata = "/$metadata",
    Batch = "/$batch",
    Communications = "/communications",
    CallRecords = "/communications/callRecords",
    CallRecord = "/communications/callRecords/{id}",
    Delta = "/communications/callRecords/delta()",
    CallRecordsCount = "/communications/callRecords/$count",
    Sessions = "/communications/callRecords/{id}/sessions",
    Session = "/communications/callRecords/{id}/sessions/{id}",
    SessionsCount = "/communications/callRecords/{id}/sessions/$count",
    Segments = "/communications/callRecords/{id}/sessions/{id}/segments",
    Segment = "/communications/callRecords/{id}/sessions/{id}/segments/{id}",
    SegmentsCount = "/communications/callRecords/{id}/sessions/{id}/segments/$count",
    Participants = "/communications/callRecords/{id}/participants_v2",
    Participant = "/communications/callRecords/{id}/participants_v2/{id}",
    ParticipantsCount = "/communications/callRecords/{id}/participants_v2/$count",
    Organizer = "/communications/callRecords/{id}/organizer_v2",
    Versions = "/communications/callRecords/{id}/callvault.versions()",
    Version = "/communications/callRecords/{id}/callvault.version()",
    Rows = "/communications/callRecords/callvault.{rows}()",
    Import = "/communications/callRecords/callvault.import",
    Log = "/communications/callRecords/{log}()",
    LogImport = "/communications/callRecords/callvault.import{log}",
    Calls = "/communications/calls",
    Call = "/communications/calls/{id}",
    CallEvents = "/communications/callvault.callEvents",
    Deliveries = "/communications/callvault.deliveries()",
    Subscriptions = "/subscriptions",
    Subscription = "/subscriptions/{id}",
    Pages = "/ui",
    PlaceMaps = "/callvault/places",
    PlaceMap = "/callvault/places/{name}",
    PlaceMapVersion = "/callvault/places/{name}/{version}",
    MirrorNotices = "/callvault/mirror/{name}/{secret}",
    Token = "/{tenant}/oauth2/v2.0/token",
    Discovery = "/{tenant}/v2.0/.well-known/openid-configuration",
    Keys = "/{tenant}/discovery/v2.0/keys",
}

impl Label {
    /// The label of the number of items, where that has one of its own.
    pub(crate) fn of_count(self) -> Self {
        match self {
            Self::CallRecords => Self::CallRecordsCount,
            Self::Sessions => Self::SessionsCount,
            Self::Segments => Self::SegmentsCount,
            Self::Participants => Self::ParticipantsCount,
            other => other,
        }
    }
}

impl From<Label> for Route {
    fn from(label: Label) -> Self {
        Self { number: label as u8, template: Label::TEXTS[label as usize] }
    }
}
