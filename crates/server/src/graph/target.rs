//! What a bound path addresses: something of the service, narrowed by filters, and what of it.

use odata::bound::{Expr, PathStep, Resource, Step};
use odata::edm::Type;
use odata::literal::Literal;
use store::RowSet;

use crate::router::Route;

/// A record, or one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordRef {
    pub(super) id: String,
    /// `None` is the newest.
    pub(super) version: Option<i64>,
}

/// What a path addresses.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) base: Base,
    /// `/$filter(…)` segments at the end, all of which items have to meet.
    pub(super) filters: Vec<Expr>,
    pub(super) tail: Tail,
}

/// Something that the service keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    Communications,
    Import,
    /// All records of a tenant, or all of what is inside them.
    Rows(RowSet),
    Record(RecordRef),
    Versions(String),
    Organizer(RecordRef),
    Participants(RecordRef),
    Participant(RecordRef, String),
    Sessions(RecordRef),
    Session(RecordRef, String),
    Segments(RecordRef, String),
    Segment(RecordRef, String, String),
}

/// What of it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tail {
    /// All of it.
    Whole,
    /// `/$count`
    Count,
    /// `/$ref`
    Ref,
    /// A property, however deep.
    Property { path: Vec<PathStep>, form: PropertyForm },
}

/// How the value of a property is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PropertyForm {
    /// In an object.
    Object,
    /// `/$value`: bare.
    Raw,
    /// `/$count`: how many items it has.
    Count,
}

/// What a path means that binds but that nothing answers yet: its name, for the error.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotBuilt(pub(super) String);

impl Target {
    /// Reads a bound path.
    pub(super) fn of(resource: &Resource) -> Result<Self, NotBuilt> {
        let steps = without_own_casts(&resource.steps);
        let steps = steps.as_slice();
        let (base, rest) = match steps {
            [Step::Singleton { name: "communications", .. }] => (Base::Communications, &steps[1..]),
            [
                Step::Singleton { name: "communications", .. },
                Step::Navigation(property),
                rest @ ..,
            ] if property.name == "callRecords" => records(rest)?,
            steps => return Err(unbuilt(steps)),
        };
        let is_filter = |step: &Step| matches!(step, Step::Filter(_));
        let at = rest.iter().position(is_filter).unwrap_or(rest.len());
        let (path, behind) = rest.split_at(at);
        let (filters, end) =
            behind.split_at(behind.iter().take_while(|step| is_filter(step)).count());
        if !filters.is_empty() && !matches!(end, [] | [Step::Count | Step::Ref]) {
            return Err(unbuilt(rest));
        }
        let filters = filters.iter().filter_map(|step| match step {
            Step::Filter(condition) => Some((**condition).clone()),
            _ => None,
        });
        Ok(Self { base, filters: filters.collect(), tail: tail(&[path, end].concat())? })
    }

    /// Its route, for metrics and the access log.
    pub(super) fn route(&self) -> Route {
        let is_count = self.tail == Tail::Count;
        match &self.base {
            Base::Communications => Route::Communications,
            Base::Import => Route::Import,
            Base::Rows(RowSet::Records) if is_count => Route::CallRecordsCount,
            Base::Rows(RowSet::Records) => Route::CallRecords,
            Base::Rows(_) => Route::Rows,
            Base::Record(record) if record.version.is_some() => Route::Version,
            Base::Record(_) => Route::CallRecord,
            Base::Versions(_) => Route::Versions,
            Base::Organizer(_) => Route::Organizer,
            Base::Participants(_) if is_count => Route::ParticipantsCount,
            Base::Participants(_) => Route::Participants,
            Base::Participant(..) => Route::Participant,
            Base::Sessions(_) if is_count => Route::SessionsCount,
            Base::Sessions(_) => Route::Sessions,
            Base::Session(..) => Route::Session,
            Base::Segments(..) if is_count => Route::SegmentsCount,
            Base::Segments(..) => Route::Segments,
            Base::Segment(..) => Route::Segment,
        }
    }

    /// The methods that it knows, for `Allow`.
    pub(super) fn methods(&self) -> &'static str {
        match (&self.base, &self.tail) {
            (Base::Rows(RowSet::Records), Tail::Whole) => "GET, HEAD, POST",
            (Base::Import, _) => "POST",
            (Base::Record(record), Tail::Whole) if record.version.is_none() => "GET, HEAD, PUT",
            _ => "GET, HEAD",
        }
    }
}

/// A cast to the type that something has anyway says nothing.
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

fn tail(steps: &[Step]) -> Result<Tail, NotBuilt> {
    let (path, form) = match steps {
        [] => return Ok(Tail::Whole),
        [Step::Count] => return Ok(Tail::Count),
        [Step::Ref] => return Ok(Tail::Ref),
        [path @ .., Step::Value] => (path, PropertyForm::Raw),
        [path @ .., Step::Count] => (path, PropertyForm::Count),
        path => (path, PropertyForm::Object),
    };
    let path = path.iter().map(|step| match step {
        Step::Property(property) => Some(PathStep::Property(property)),
        Step::Cast(ty) => Some(PathStep::Cast(ty)),
        _ => None,
    });
    let path: Option<Vec<PathStep>> = path.collect();
    path.map(|path| Tail::Property { path, form }).ok_or_else(|| unbuilt(steps))
}

/// What is meant behind `communications/callRecords`, and the steps behind that.
fn records(steps: &[Step]) -> Result<(Base, &[Step]), NotBuilt> {
    let (base, rest) = match steps {
        [Step::Operation { operation, .. }, rest @ ..] => {
            let base = match operation.name {
                "import" => Base::Import,
                "sessions" => Base::Rows(RowSet::Sessions),
                "segments" => Base::Rows(RowSet::Segments),
                "streams" => Base::Rows(RowSet::Streams),
                _ => return Err(unbuilt(steps)),
            };
            (base, rest)
        }
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
            (Base::Versions(id.clone()), rest)
        }
        [Step::Key(id), rest @ ..] => record(RecordRef { id: id.clone(), version: None }, rest),
        rest => (Base::Rows(RowSet::Records), rest),
    };
    Ok((base, rest))
}

fn record(record: RecordRef, steps: &[Step]) -> (Base, &[Step]) {
    let [Step::Navigation(property), rest @ ..] = steps else {
        return (Base::Record(record), steps);
    };
    match (property.name, rest) {
        ("organizer_v2", rest) => (Base::Organizer(record), rest),
        ("participants_v2", [Step::Key(id), rest @ ..]) => {
            (Base::Participant(record, id.clone()), rest)
        }
        ("participants_v2", rest) => (Base::Participants(record), rest),
        ("sessions", [Step::Key(id), Step::Navigation(_), Step::Key(segment), rest @ ..]) => {
            (Base::Segment(record, id.clone(), segment.clone()), rest)
        }
        ("sessions", [Step::Key(id), Step::Navigation(_), rest @ ..]) => {
            (Base::Segments(record, id.clone()), rest)
        }
        ("sessions", [Step::Key(id), rest @ ..]) => (Base::Session(record, id.clone()), rest),
        ("sessions", rest) => (Base::Sessions(record), rest),
        _ => (Base::Record(record), steps),
    }
}

fn unbuilt(steps: &[Step]) -> NotBuilt {
    let what = steps.iter().rev().find_map(|step| match step {
        Step::Operation { operation, .. } => Some(format!("the operation '{}'", operation.name)),
        Step::Property(property) => Some(format!("the path segment '{}'", property.name)),
        Step::Cast(ty) => Some(format!("the type cast '{}'", ty.name)),
        _ => None,
    });
    NotBuilt(what.unwrap_or_else(|| "this path".to_owned()))
}
