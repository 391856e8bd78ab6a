//! Maps as JSON.

use odata::json::Node;
use odata::primitive::DateTimeOffset;
use places::{Map, Note};
use store::{PlaceMapResult, PlaceMapRow};

use super::effect::Effect;

/// What became of a file.
pub(super) struct Import<'i> {
    pub(super) name: &'i str,
    pub(super) result: PlaceMapResult,
    pub(super) map: &'i Map,
    pub(super) notes: &'i [Note],
    pub(super) note_count: usize,
}

fn number(number: impl ToString) -> Node<'static> {
    Node::Number(number.to_string().into())
}

fn instant(ticks: Option<i64>) -> Node<'static> {
    ticks.map_or(Node::Null, |ticks| Node::text(&DateTimeOffset(ticks).to_string()))
}

/// A BLAKE3 hash as people write it.
fn hexadecimal(hash: &[u8]) -> String {
    blake3::Hash::from_slice(hash).map_or_else(|_| String::new(), |hash| hash.to_hex().to_string())
}

/// A version of a map.
pub fn row(row: &PlaceMapRow) -> Node<'static> {
    Node::object([
        ("name", Node::text(&row.name)),
        ("version", number(row.version)),
        ("kind", Node::text(&row.kind)),
        ("rows", number(row.rows)),
        ("validFrom", instant(row.valid_from)),
        ("validTo", instant(row.valid_to)),
        ("contentHash", Node::text(&hexadecimal(&row.content_hash))),
        ("imported", instant(Some(row.imported))),
        ("importedBy", Node::text(&row.imported_by)),
    ])
}

impl Import<'_> {
    pub(super) fn node(&self, effect: Option<&Effect>) -> Node<'static> {
        let notes = self.notes.iter().map(|note| Node::text(&note.to_string())).collect();
        Node::object([
            ("outcome", Node::text(self.result.outcome.name())),
            ("name", Node::text(self.name)),
            ("version", number(self.result.version)),
            ("kind", Node::text(self.map.kind().name())),
            ("rows", number(self.map.rows())),
            ("noteCount", number(self.note_count)),
            ("notes", Node::Array(notes)),
            ("effect", effect.map_or(Node::Null, Effect::json)),
        ])
    }
}

impl Effect {
    /// As an object.
    pub fn json(&self) -> Node<'static> {
        let missing = self.busiest.iter().map(|missing| {
            Node::object([("key", Node::text(&missing.key)), ("streamEnds", number(missing.ends))])
        });
        Node::object([
            ("keys", number(self.keys)),
            ("keysKnown", number(self.known)),
            ("busyKeysMissing", number(self.missing)),
            ("streamEnds", number(self.ends)),
            ("streamEndsKnown", number(self.known_ends)),
            ("busiestMissing", Node::Array(missing.collect())),
        ])
    }
}
