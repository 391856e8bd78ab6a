//! What queries have to answer, by evaluating them over the JSON of every row.

use std::borrow::Cow;
use std::collections::HashMap;

use model::fragment::{Item as Part, Pack, RecordFragment};
use model::generated;
use model::rows::{
    QUALITY, RecordKeys, RowSet, StreamSource, push_segment, push_session, segments,
};
use model::search;
use odata::bound::{Query, Search};
use odata::edm::Type;
use odata::eval::{Environment, Item, Meter, Pager, Pipeline, Searcher, Sieve, Sizes, Window};
use odata::json::{Node, write_node};
use odata::percent::encode_query;
use odata::primitive::DateTimeOffset;
use odata::{Limits, parse_request};
use store::{Reader, ResultRow, RowQuery};

use crate::engine::tenant;
use crate::sample::budget;

/// Every row of every set as JSON, in the order that rows have when none is asked for.
pub(crate) struct Oracle {
    rows: HashMap<RowSet, Vec<Vec<u8>>>,
}

struct Words;

impl Searcher for Words {
    fn matches(&self, search: &Search, item: Item<'_>) -> bool {
        let Type::Structured(ty) = item.ty else { return false };
        search::Query::new(search).matches(item.node, ty)
    }
}

/// Without an end.
fn environment() -> Environment<'static> {
    Environment { searcher: &Words, meter: Box::leak(Box::new(Meter::unlimited())) }
}

/// The query that a URL asks; `options` are names and values, not encoded.
pub(crate) fn query(rows: RowSet, options: &[(&str, &str)]) -> RowQuery {
    let path = match rows {
        RowSet::Records => "communications/callRecords",
        RowSet::Sessions => "communications/callRecords/callvault.sessions()",
        RowSet::Segments => "communications/callRecords/callvault.segments()",
        RowSet::Streams => "communications/callRecords/callvault.streams()",
        RowSet::Legs => "communications/callRecords/callvault.legs()",
    };
    let options: Vec<String> =
        options.iter().map(|(name, value)| format!("{name}={}", encode_query(value))).collect();
    let text = options.join("&");
    let now = DateTimeOffset::parse("2026-03-09").unwrap();
    let (_, query) = parse_request(&generated::V1_0, path, &text, &Limits::default(), now)
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    RowQuery { rows, query, not_before: None }
}

impl Oracle {
    pub(crate) fn new(reader: &mut Reader) -> Self {
        Self::with_places(reader, &|_, _| "null".to_owned())
    }

    /// With what ends have as their place, by the JSON of their row and the start of their call.
    pub(crate) fn with_places(
        reader: &mut Reader,
        place: &dyn Fn(&Node<'_>, i64) -> String,
    ) -> Self {
        let mut rows: HashMap<RowSet, Vec<Vec<u8>>> = HashMap::new();
        let all = query(RowSet::Records, &[]);
        let page = reader.page(&tenant(), &all, None, 100_000, &budget()).unwrap();
        let records = page.rows.into_iter().map(|found| match found {
            ResultRow::Record(record) => record,
            other => panic!("{other:?}"),
        });
        // In the order that is promised, whatever the store says of it.
        let mut records: Vec<_> = records.collect();
        records.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| a.id.cmp(&b.id)));
        for record in records {
            let keys = RecordKeys::read(&record.fragment).unwrap();
            let (mut sessions, mut participants) = (Vec::new(), Vec::new());
            let (mut pack, mut number) = (Vec::new(), 0);
            while reader.session_pack(record.record_key, number, &mut pack).unwrap() {
                for session in Pack::read(&pack).unwrap().items() {
                    let session = session.unwrap();
                    add_rows(&mut rows, (&keys, &session), place);
                    let inner = [b",\"segments\":[", session.inner, b"]"].concat();
                    sessions.push(braced(&[session.members, &inner]));
                }
                number += 1;
            }
            number = 0;
            while reader.participant_pack(record.record_key, number, &mut pack).unwrap() {
                for participant in Pack::read(&pack).unwrap().items() {
                    participants.push(braced(&[participant.unwrap().members]));
                }
                number += 1;
            }
            let members = RecordFragment::members(&record.fragment).unwrap();
            let (sessions, participants) = (sessions.join(&b','), participants.join(&b','));
            rows.entry(RowSet::Records).or_default().push(braced(&[
                members,
                b",\"sessions\":[",
                &sessions,
                b"],\"participants_v2\":[",
                &participants,
                b"]",
            ]));
        }
        Self { rows }
    }

    pub(crate) fn nodes(&self, set: RowSet) -> impl Iterator<Item = Node<'_>> {
        let texts = self.rows.get(&set).into_iter().flatten();
        texts.map(|text| Node::parse(std::str::from_utf8(text).unwrap()).unwrap())
    }

    /// The rows that meet a query, each by what tells it from others.
    pub(crate) fn rows(&self, set: RowSet, query: &Query) -> Vec<String> {
        let sieve = Sieve::new(query);
        let window = Window::of(query, 0, usize::MAX);
        let ty = Type::Structured(set.ty());
        let mut pager = Pager::new(&sieve, window, ty, environment());
        for node in self.nodes(set) {
            if pager.offer(Cow::Owned(node), |node| name_of(set, node)).is_break() {
                break;
            }
        }
        pager.finish().unwrap().items
    }

    /// What `$apply` makes of the rows.
    pub(crate) fn apply(&self, set: RowSet, query: &Query) -> Vec<String> {
        let ty = Type::Structured(set.ty());
        let pipeline = Pipeline::new(query.apply.as_ref().unwrap(), ty).unwrap();
        let sizes = Sizes { groups: 1_000_000, items: 1_000_000, values: 10_000_000 };
        let mut run = pipeline.start(sizes, environment());
        for node in self.nodes(set) {
            if run.push(Cow::Owned(node)).unwrap().is_break() {
                break;
            }
        }
        let sieve = Sieve::new(query);
        let mut pager = Pager::new(&sieve, Window::of(query, 0, usize::MAX), ty, environment());
        for mut node in run.finish().unwrap() {
            leave_related(&mut node);
            if pager.offer(Cow::Owned(node), text).is_break() {
                break;
            }
        }
        pager.finish().unwrap().items
    }
}

/// What tells a row from others: a record's id, the whole text of any other row but its segments.
pub(crate) fn name_of(set: RowSet, node: &Node<'_>) -> String {
    if set == RowSet::Records {
        return node.get("id").and_then(Node::as_text).unwrap().value().into_owned();
    }
    let Node::Object(members) = node else { panic!("a row is no object") };
    let mut members = members.clone();
    members.retain(|member| {
        let name = member.name.value();
        name != "segments" && name != QUALITY && !name.starts_with("ComputedMember")
    });
    text(&Node::Object(members))
}

/// An answer shows what is related to a row only where it is expanded.
fn leave_related(node: &mut Node<'_>) {
    let Node::Object(members) = node else { return };
    let related = ["sessions", "segments", "participants_v2"];
    members.retain(|member| {
        let is_related = related.iter().any(|name| member.name.is(name));
        !(is_related && member.value.as_array().is_some())
    });
}

fn text(node: &Node<'_>) -> String {
    let mut out = Vec::new();
    write_node(&mut out, node);
    String::from_utf8(out).unwrap()
}

fn add_rows(
    rows: &mut HashMap<RowSet, Vec<Vec<u8>>>,
    (keys, session): (&RecordKeys, &Part<'_>),
    place: &dyn Fn(&Node<'_>, i64) -> String,
) {
    let mut row = Vec::new();
    push_session(&mut row, keys, session, true).unwrap();
    rows.entry(RowSet::Sessions).or_default().push(row);
    for segment in segments(session).unwrap() {
        let mut row = Vec::new();
        push_segment(&mut row, keys, session, segment).unwrap();
        rows.entry(RowSet::Segments).or_default().push(row);
        let source = StreamSource::read(segment).unwrap();
        for position in source.positions() {
            let mut row = Vec::new();
            source.push(&mut row, keys, session, position).unwrap();
            rows.entry(RowSet::Streams).or_default().push(row);
            for end in 0..2 {
                let mut row = Vec::new();
                let (media, stream) = position;
                source.push_leg(&mut row, keys, session, (media, stream, end)).unwrap();
                let known = [row.as_slice(), b"}"].concat();
                let known = Node::parse(std::str::from_utf8(&known).unwrap()).unwrap();
                let place = place(&known, keys.start());
                row.extend_from_slice(format!(",\"place\":{place}").as_bytes());
                let verdict = quality::member::of_stream(&known, quality::profile::standard());
                quality::member::push(&mut row, &verdict);
                row.push(b'}');
                rows.entry(RowSet::Legs).or_default().push(row);
            }
        }
    }
}

fn braced(parts: &[&[u8]]) -> Vec<u8> {
    [b"{", parts.concat().as_slice(), b"}"].concat()
}
