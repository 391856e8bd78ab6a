//! Values as typed columns hold them, taken from checked JSON.

use std::sync::LazyLock;

use odata::edm::{Primitive, Property, StructuredType, Type};
use odata::json::{Member, Node};
use odata::primitive::{DateTimeOffset, Duration};

use super::members::get;
use crate::columns::{Column, END, ENDS, MEDIA, MEDIA_PARTS, STREAM, TOLD_NULL, Value};
use crate::ends::{self, actual_type};
use crate::generated;

/// Where the properties of a type go among columns.
struct Slots {
    properties: &'static [Property],
    slots: Vec<Option<usize>>,
}

impl Slots {
    /// The properties of `ty` whose columns, with `prefix`, are among `columns`.
    fn new(ty: &'static StructuredType, columns: &[Column], prefix: &str) -> Self {
        let slot = |property: &Property| {
            let name = format!("{prefix}{}", property.column?);
            columns.iter().position(|column| column.name == name)
        };
        let slots = ty.properties.iter().map(slot).collect();
        Self { properties: ty.properties, slots }
    }

    /// Takes the values that an object has. Members nearly always come in the type's order.
    fn fill(&self, members: &[Member<'_>], row: &mut [Value]) {
        let mut expected = 0;
        for member in members {
            let is_next = self.properties.get(expected).is_some_and(|p| member.name.is(p.name));
            let index = if is_next {
                expected
            } else {
                let Some(index) = self.properties.iter().position(|p| member.name.is(p.name))
                else {
                    continue;
                };
                index
            };
            expected = index + 1;
            if let Some(slot) = self.slots[index] {
                row[slot] = typed(&member.value, &self.properties[index]);
            }
        }
    }
}

static STREAM_SLOTS: LazyLock<Slots> =
    LazyLock::new(|| Slots::new(&generated::MEDIA_STREAM, &STREAM, ""));

static MEDIA_SLOTS: LazyLock<Slots> = LazyLock::new(|| Slots::new(&generated::MEDIA, &MEDIA, ""));

static PART_SLOTS: LazyLock<[Slots; 4]> =
    LazyLock::new(|| MEDIA_PARTS.each_ref().map(|part| Slots::new(part.ty, &MEDIA, part.prefix)));

/// For any user agent, and for a clientUserAgent.
static AGENT_SLOTS: LazyLock<[Slots; 2]> = LazyLock::new(|| {
    [&generated::USER_AGENT, &generated::CLIENT_USER_AGENT].map(|ty| Slots::new(ty, &END, ""))
});

/// Position of the label in [`STREAM`].
const LABEL: usize = 0;

/// The row of a media.
pub(super) fn media(media: &Node<'_>) -> Vec<Value> {
    let mut row = vec![Value::Null; MEDIA.len()];
    let members = media.as_object().unwrap_or_default();
    MEDIA_SLOTS.fill(members, &mut row);
    for (part, slots) in MEDIA_PARTS.iter().zip(PART_SLOTS.iter()) {
        if let Some(Node::Object(members)) = get(members, part.property) {
            slots.fill(members, &mut row);
        }
    }
    row
}

/// The row of a stream of a media with that label.
pub(super) fn stream(label: Value, stream: &Node<'_>) -> Vec<Value> {
    let mut row = vec![Value::Null; STREAM.len()];
    row[LABEL] = label;
    STREAM_SLOTS.fill(stream.as_object().unwrap_or_default(), &mut row);
    row
}

/// Appends which end is the first one and the columns of caller and callee to the row of a segment.
pub(super) fn push_ends(row: &mut Vec<Value>, members: &[Member<'_>]) {
    let found = ENDS.map(|(end, _)| get(members, end).filter(|end| end.as_object().is_some()));
    row.push(Value::Int(ends::first_end(found) as i64));
    for (property, _) in ENDS {
        let at = row.len();
        row.resize(at + END.len(), Value::Null);
        if let Some(end @ Node::Object(members)) = get(members, property) {
            fill_end((end, members), &mut row[at..]);
        }
    }
}

fn fill_end((end, members): (&Node<'_>, &[Member<'_>]), row: &mut [Value]) {
    let ty = actual_type(members, &generated::ENDPOINT);
    let is_participant = ty.is_a(&generated::PARTICIPANT_ENDPOINT);
    row[0] = Value::Int(i64::from(is_participant));
    if is_participant {
        let user = get(members, "identity").and_then(|identity| identity.get("user"));
        row[1] = id(user);
        row[2] = id(get(members, "associatedIdentity"));
        row[3] = inner(get(members, "feedback"), &generated::USER_FEEDBACK, "rating");
        row[8] = text(get(members, "name"));
    }
    let agent = get(members, "userAgent");
    if let Some(Node::Object(members)) = agent {
        let ty = actual_type(members, &generated::USER_AGENT);
        if ty.is_a(&generated::SERVICE_USER_AGENT) {
            row[4] = inner(agent, &generated::SERVICE_USER_AGENT, "role");
        }
        let is_client = ty.is_a(&generated::CLIENT_USER_AGENT);
        AGENT_SLOTS[usize::from(is_client)].fill(members, row);
    }
    row[5] = Value::Int(i64::from(ends::is_service(end)));
    if let Some((kind, id)) = ends::person(end) {
        row[6] = Value::Text(kind.to_owned());
        let others = [&row[1], &row[2]].into_iter().find(|id| **id != Value::Null);
        if others != Some(&Value::Text(id.clone())) {
            row[7] = Value::Text(id);
        }
    }
}

/// The value of a property of an object that may be missing.
fn inner(object: Option<&Node<'_>>, ty: &'static StructuredType, name: &str) -> Value {
    let value = object.and_then(|object| object.get(name));
    let property = ty.property(name);
    value.zip(property).map_or(Value::Null, |(value, property)| typed(value, property))
}

fn id(party: Option<&Node<'_>>) -> Value {
    text(party.and_then(|party| party.get("id")))
}

fn text(value: Option<&Node<'_>>) -> Value {
    match value {
        Some(Node::String(text)) => Value::Text(text.value().into_owned()),
        _ => Value::Null,
    }
}

/// The value of a property as a column holds it. The text was checked against the type before.
pub(super) fn typed(node: &Node<'_>, property: &Property) -> Value {
    let Type::Primitive(primitive) = property.ty else {
        return match node {
            Node::String(text) => Value::Text(text.raw().to_owned()),
            _ if property.default.is_some() => Value::Text(TOLD_NULL.to_owned()),
            _ => Value::Null,
        };
    };
    let value = match (primitive, node) {
        (Primitive::Boolean, Node::Bool(value)) => Some(Value::Int(i64::from(*value))),
        (Primitive::Int32 | Primitive::Int64, Node::Number(digits)) => {
            digits.parse().ok().map(Value::Int)
        }
        (_, Node::Number(digits)) => digits.parse().ok().map(Value::Real),
        (Primitive::DateTimeOffset, Node::String(text)) => {
            DateTimeOffset::parse(text.raw()).map(|instant| Value::Int(instant.0))
        }
        (Primitive::Duration, Node::String(text)) => {
            Duration::parse(text.raw()).map(|duration| Value::Int(duration.0))
        }
        (Primitive::Single | Primitive::Double, Node::String(text)) => match text.raw() {
            "INF" => Some(Value::Real(f64::INFINITY)),
            "-INF" => Some(Value::Real(f64::NEG_INFINITY)),
            // NaN counts as no value.
            _ => None,
        },
        (Primitive::String, Node::String(text)) => Some(Value::Text(text.value().into_owned())),
        _ => None,
    };
    value.unwrap_or(Value::Null)
}
