//! What a bound path addresses: something of the service, narrowed by filters, and what of it.

use model::log::Log;
use odata::bound::{Expr, PathStep, Step};
use store::RowSet;

use crate::unsupported::Unsupported;

/// A record, or one of its versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordRef {
    pub(crate) id: String,
    /// `None` is the newest.
    pub(crate) version: Option<i64>,
}

/// What a path addresses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub(crate) base: Base,
    /// `/$filter(…)` segments at the end, all of which items have to meet.
    pub(crate) filters: Vec<Expr>,
    pub(crate) tail: Tail,
}

/// Something that the service keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
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

/// The ids that a path names.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    pub(crate) record: RecordRef,
    /// Behind the record, or of something that is no record.
    pub(crate) first: String,
    pub(crate) second: String,
    /// The telephone log that is meant.
    pub(crate) log: Option<Log>,
}

/// What of it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tail {
    /// All of it.
    Whole,
    /// `/$count`
    Count,
    /// `/$ref`
    Ref,
    /// A property, or the value of a function, however deep.
    Property { path: Vec<PathStep>, form: PropertyForm },
}

/// How the value of a property is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PropertyForm {
    /// In an object.
    Object,
    /// `/$value`: bare.
    Raw,
    /// `/$count`: how many items it has.
    Count,
}

impl Tail {
    /// Reads what stands behind something on a path: conditions, and what is asked of it.
    ///
    /// # Errors
    /// When nothing answers it yet.
    pub(crate) fn behind(steps: &[Step]) -> Result<(Vec<Expr>, Self), Unsupported> {
        let is_filter = |step: &Step| matches!(step, Step::Filter(_));
        let at = steps.iter().position(is_filter).unwrap_or(steps.len());
        let (path, behind) = steps.split_at(at);
        let (filters, end) =
            behind.split_at(behind.iter().take_while(|step| is_filter(step)).count());
        if !filters.is_empty() && !matches!(end, [] | [Step::Count | Step::Ref]) {
            return Err(Unsupported::path(steps));
        }
        let filters = filters.iter().filter_map(|step| match step {
            Step::Filter(condition) => Some((**condition).clone()),
            _ => None,
        });
        Ok((filters.collect(), Self::of(&[path, end].concat())?))
    }

    fn of(steps: &[Step]) -> Result<Self, Unsupported> {
        let (path, form) = match steps {
            [] => return Ok(Self::Whole),
            [Step::Count] => return Ok(Self::Count),
            [Step::Ref] => return Ok(Self::Ref),
            [path @ .., Step::Value] => (path, PropertyForm::Raw),
            [path @ .., Step::Count] => (path, PropertyForm::Count),
            path => (path, PropertyForm::Object),
        };
        let path = path.iter().map(|step| match step {
            Step::Property(property) => Some(PathStep::Property(property)),
            Step::Call(call) => Some(PathStep::Call(call.clone())),
            Step::Cast(ty) => Some(PathStep::Cast(ty)),
            _ => None,
        });
        let path: Option<Vec<PathStep>> = path.collect();
        path.map(|path| Self::Property { path, form }).ok_or_else(|| Unsupported::path(steps))
    }
}
