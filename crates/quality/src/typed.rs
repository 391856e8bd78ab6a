//! Verdicts on a record from its typed rows, as the store writes them.

use std::sync::LazyLock;

use model::Value;
use model::columns::STREAM;
use model::generated::MEDIA_STREAM;
use model::shred::{SegmentRow, StreamRow, TypedRows};

use crate::classify::classify;
use crate::figures::{Figure, Figures};
use crate::levels::{Levels, People};
use crate::medium::Medium;
use crate::metric::Metric;
use crate::outcome::Outcome;
use crate::profile::Profile;
use crate::summary::{Summary, WorstReason};

/// Verdicts on a record, its sessions and its streams: values of the columns that
/// [`model::columns::Table::verdicts`] names, in the order of the rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdicts {
    /// On the record.
    pub record: Vec<Value>,
    /// On the sessions.
    pub sessions: Vec<Vec<Value>>,
    /// On the streams.
    pub streams: Vec<[Value; 2]>,
}

/// Metrics with the places of their columns.
static FIGURES: LazyLock<Vec<(Metric, usize)>> = LazyLock::new(|| {
    let place = |metric: Metric| {
        let name = MEDIA_STREAM.property(metric.name())?.column?;
        Some((metric, STREAM.iter().position(|column| column.name == name)?))
    };
    Metric::all().filter_map(place).collect()
});

/// Places in [`STREAM`] of the label and the direction.
static LABEL: LazyLock<usize> = LazyLock::new(|| place("label"));
static DIRECTION: LazyLock<usize> = LazyLock::new(|| place("stream_direction"));
/// Place of `isTest` in [`model::columns::SESSION`].
const IS_TEST: usize = 2;

fn place(name: &str) -> usize {
    STREAM.iter().position(|column| column.name == name).expect("streams have such a column")
}

/// Streams of a session or a record.
#[derive(Default)]
struct Part<'p> {
    levels: Levels,
    reason: WorstReason<'p>,
}

/// Judges all streams of a record.
pub fn judge(profile: &Profile, rows: &TypedRows) -> Verdicts {
    let mut record = Part::default();
    let mut verdicts = Verdicts::default();
    let (mut segments, mut streams) = (rows.segments.as_slice(), rows.streams.as_slice());
    for session in &rows.sessions {
        let mut part = Part::default();
        let is_test = session.columns.get(IS_TEST) == Some(&Value::Int(1));
        let own_segments = split(&mut segments, |segment| segment.session == session.ordinal);
        for stream in split(&mut streams, |stream| stream.session == session.ordinal) {
            let segment = own_segments.iter().find(|segment| segment.ordinal == stream.segment);
            let outcome = of_stream(profile, stream);
            part.add(stream, segment, &outcome);
            if !is_test {
                record.add(stream, segment, &outcome);
            }
            let reason = outcome.headline().map(|reason| reason.name().to_owned());
            verdicts.streams.push([
                Value::Text(outcome.verdict.name().to_owned()),
                reason.map_or(Value::Null, Value::Text),
            ]);
        }
        verdicts.sessions.push(part.columns());
    }
    verdicts.record = record.columns();
    verdicts
}

/// Takes the rows in front of which something holds.
fn split<'r, T>(rows: &mut &'r [T], is_in: impl Fn(&T) -> bool) -> &'r [T] {
    let end = rows.iter().position(|row| !is_in(row)).unwrap_or(rows.len());
    let (own, rest) = rows.split_at(end);
    *rows = rest;
    own
}

fn of_stream<'p>(profile: &'p Profile, stream: &StreamRow) -> Outcome<'p> {
    let mut figures = Figures::default();
    for (metric, place) in FIGURES.iter() {
        match stream.columns[*place] {
            Value::Int(value) => figures.set(*metric, Figure::Int(value)),
            Value::Real(value) => figures.set(*metric, Figure::Real(value)),
            Value::Null | Value::Text(_) => {}
        }
    }
    classify(profile, text(&stream.columns[*LABEL]), &figures)
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

impl<'p> Part<'p> {
    fn add(&mut self, stream: &StreamRow, segment: Option<&SegmentRow>, outcome: &Outcome<'p>) {
        let ends = segment.map(|it| it.parties.each_ref().map(|party| party.as_deref()));
        let [caller, callee] = ends.unwrap_or_default();
        let is_to_caller = text(&stream.columns[*DIRECTION]) == Some("calleeToCaller");
        let (sender, receiver) = if is_to_caller { (callee, caller) } else { (caller, callee) };
        let medium = Medium::of_label(text(&stream.columns[*LABEL]));
        self.levels.add(medium, People { sender, receiver }, outcome.verdict);
        self.reason.add(outcome);
    }

    fn columns(&self) -> Vec<Value> {
        Summary::of(&self.levels, &self.reason).columns()
    }
}
