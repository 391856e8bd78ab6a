//! Which of Graph's resources a bound path addresses.

use odata::bound::{Resource, Step};
use odata::literal::Literal;

use crate::router::Route;

/// A record, or one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordRef {
    pub(super) id: String,
    /// `None` is the newest.
    pub(super) version: Option<i64>,
}

/// A resource of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Communications,
    Records,
    RecordCount,
    Import,
    Record(RecordRef),
    Versions(String),
    VersionCount(String),
    Organizer(RecordRef),
    Participants(RecordRef),
    ParticipantCount(RecordRef),
    Participant(RecordRef, String),
    Sessions(RecordRef),
    SessionCount(RecordRef),
    Session(RecordRef, String),
    Segments(RecordRef, String),
    SegmentCount(RecordRef, String),
    Segment(RecordRef, String, String),
}

/// What a path means that binds but that nothing answers yet: its name, for the error.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotBuilt(pub(super) String);

impl Target {
    /// Reads a bound path.
    pub(super) fn of(resource: &Resource) -> Result<Self, NotBuilt> {
        match resource.steps.as_slice() {
            [Step::Singleton { name: "communications", .. }] => Ok(Self::Communications),
            [
                Step::Singleton { name: "communications", .. },
                Step::Navigation(property),
                rest @ ..,
            ] if property.name == "callRecords" => records(rest),
            steps => Err(unbuilt(steps)),
        }
    }

    /// Its route, for metrics and the access log.
    pub(super) fn route(&self) -> Route {
        match self {
            Self::Communications => Route::Communications,
            Self::Records => Route::CallRecords,
            Self::RecordCount => Route::CallRecordsCount,
            Self::Import => Route::Import,
            Self::Record(record) if record.version.is_some() => Route::Version,
            Self::Record(_) => Route::CallRecord,
            Self::Versions(_) | Self::VersionCount(_) => Route::Versions,
            Self::Organizer(_) => Route::Organizer,
            Self::Participants(_) => Route::Participants,
            Self::ParticipantCount(_) => Route::ParticipantsCount,
            Self::Participant(..) => Route::Participant,
            Self::Sessions(_) => Route::Sessions,
            Self::SessionCount(_) => Route::SessionsCount,
            Self::Session(..) => Route::Session,
            Self::Segments(..) => Route::Segments,
            Self::SegmentCount(..) => Route::SegmentsCount,
            Self::Segment(..) => Route::Segment,
        }
    }

    /// The methods that it knows, for `Allow`.
    pub(super) fn methods(&self) -> &'static str {
        match self {
            Self::Records => "GET, HEAD, POST",
            Self::Import => "POST",
            Self::Record(record) if record.version.is_none() => "GET, HEAD, PUT",
            _ => "GET, HEAD",
        }
    }
}

fn records(steps: &[Step]) -> Result<Target, NotBuilt> {
    match steps {
        [] => Ok(Target::Records),
        [Step::Count] => Ok(Target::RecordCount),
        [Step::Operation { operation, .. }] if operation.name == "import" => Ok(Target::Import),
        [Step::Key(id), Step::Operation { operation, arguments, .. }, rest @ ..]
            if operation.name == "version" =>
        {
            let Some((_, Literal::Integer(version))) = arguments.first() else {
                return Err(unbuilt(steps));
            };
            record(RecordRef { id: id.clone(), version: Some(*version) }, rest)
        }
        [Step::Key(id), Step::Operation { operation, .. }, rest @ ..]
            if operation.name == "versions" =>
        {
            match rest {
                [] => Ok(Target::Versions(id.clone())),
                [Step::Count] => Ok(Target::VersionCount(id.clone())),
                _ => Err(unbuilt(rest)),
            }
        }
        [Step::Key(id), rest @ ..] => record(RecordRef { id: id.clone(), version: None }, rest),
        _ => Err(unbuilt(steps)),
    }
}

fn record(record: RecordRef, steps: &[Step]) -> Result<Target, NotBuilt> {
    let [Step::Navigation(property), rest @ ..] = steps else {
        return if steps.is_empty() { Ok(Target::Record(record)) } else { Err(unbuilt(steps)) };
    };
    match (property.name, rest) {
        ("organizer_v2", []) => Ok(Target::Organizer(record)),
        ("participants_v2", []) => Ok(Target::Participants(record)),
        ("participants_v2", [Step::Count]) => Ok(Target::ParticipantCount(record)),
        ("participants_v2", [Step::Key(id)]) => Ok(Target::Participant(record, id.clone())),
        ("sessions", []) => Ok(Target::Sessions(record)),
        ("sessions", [Step::Count]) => Ok(Target::SessionCount(record)),
        ("sessions", [Step::Key(id)]) => Ok(Target::Session(record, id.clone())),
        ("sessions", [Step::Key(id), Step::Navigation(property), rest @ ..])
            if property.name == "segments" =>
        {
            match rest {
                [] => Ok(Target::Segments(record, id.clone())),
                [Step::Count] => Ok(Target::SegmentCount(record, id.clone())),
                [Step::Key(segment)] => Ok(Target::Segment(record, id.clone(), segment.clone())),
                _ => Err(unbuilt(rest)),
            }
        }
        _ => Err(unbuilt(rest)),
    }
}

fn unbuilt(steps: &[Step]) -> NotBuilt {
    let what = steps.iter().rev().find_map(|step| match step {
        Step::Operation { operation, .. } => Some(format!("the operation '{}'", operation.name)),
        Step::Property(property) => Some(format!("the path segment '{}'", property.name)),
        Step::Cast(ty) => Some(format!("the type cast '{}'", ty.name)),
        Step::Ref => Some("the path segment '$ref'".to_owned()),
        Step::Value => Some("the path segment '$value'".to_owned()),
        _ => None,
    });
    NotBuilt(what.unwrap_or_else(|| "this path".to_owned()))
}
