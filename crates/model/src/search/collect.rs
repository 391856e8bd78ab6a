//! The searchable values of an item, found by the tables of the schema.

use std::collections::{HashMap, HashSet};
use std::ptr;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use odata::edm::{StructuredType, Type};
use odata::json::{Member, Node};

use super::words;
use crate::generated;

/// Longest word that goes into the index, in bytes. Longer ones are found by their beginning.
pub(super) const LONGEST_WORD: usize = 64;

/// How many values and words there is room for without growing.
const ROOM: usize = 64;

/// A property in which there is something to search.
struct Place {
    name: &'static str,
    /// The member of an enumeration that stands for not known, which is no word.
    default: Option<&'static str>,
    /// The type of what is inside; none for a value that is itself searched.
    inside: Option<&'static StructuredType>,
}

/// The places of a type.
struct Places {
    all: Vec<Place>,
    /// A bit for each length of their names, which tells most members off at once.
    lengths: u64,
}

/// The places of each type that has any, by the type's address.
static PLACES: LazyLock<HashMap<usize, Places, RandomState>> = LazyLock::new(|| {
    let mut places = HashMap::new();
    // A type that both versions share has one address.
    let schemas = generated::V1_0.schemas.iter().chain(generated::BETA.schemas);
    let types = schemas.flat_map(|schema| schema.types);
    types.for_each(|ty| find_places(ty, &mut places));
    places.retain(|_, places: &mut Vec<Place>| !places.is_empty());
    let with_lengths = |all: Vec<Place>| {
        let lengths = all.iter().fold(0, |bits, place| bits | length_bit(place.name));
        Places { all, lengths }
    };
    places.into_iter().map(|(ty, all)| (ty, with_lengths(all))).collect()
});

fn length_bit(name: &str) -> u64 {
    1 << (name.len() & 63)
}

fn address(ty: &'static StructuredType) -> usize {
    ptr::from_ref(ty).addr()
}

/// Finds the places of a type and of all types that its values may have inside.
fn find_places(ty: &'static StructuredType, places: &mut HashMap<usize, Vec<Place>>) {
    if places.contains_key(&address(ty)) {
        return;
    }
    // Types that refer to each other in a circle end here.
    places.insert(address(ty), Vec::new());
    let mut found = Vec::new();
    for property in ty.properties.iter().chain(ty.dynamic) {
        if property.is_searchable {
            found.push(Place { name: property.name, default: property.default, inside: None });
        }
        let Type::Structured(inside) = property.ty else { continue };
        let kinds = || std::iter::once(inside).chain(inside.derived.iter().copied());
        kinds().for_each(|kind| find_places(kind, places));
        if kinds().any(|kind| !places[&address(kind)].is_empty()) {
            found.push(Place { name: property.name, default: None, inside: Some(inside) });
        }
    }
    places.insert(address(ty), found);
}

/// Calls `visit` with each searchable text of an object of type `declared` and of what is inside.
pub(super) fn visit(
    members: &[Member<'_>],
    declared: &'static StructuredType,
    visit_text: &mut dyn FnMut(&str),
) {
    let ty = actual_type(members, declared);
    let Some(places) = PLACES.get(&address(ty)) else { return };
    for member in members {
        let name = member.name.raw();
        // A name with escapes is longer than what it means.
        if places.lengths & length_bit(name) == 0 && !name.as_bytes().contains(&b'\\') {
            continue;
        }
        let place = places.all.iter().find(|place| member.name.is(place.name));
        let Some(place) = place else { continue };
        visit_value(&member.value, place, visit_text);
    }
}

fn visit_value(value: &Node<'_>, place: &Place, visit_text: &mut dyn FnMut(&str)) {
    match (value, place.inside) {
        (Node::Array(items), _) => {
            for item in items {
                visit_value(item, place, visit_text);
            }
        }
        (Node::Object(members), Some(ty)) => visit(members, ty, visit_text),
        (Node::String(text), None) => {
            let is_default = place.default.is_some_and(|default| text.is(default));
            if !is_default {
                visit_text(&text.value());
            }
        }
        _ => {}
    }
}

fn actual_type(
    members: &[Member<'_>],
    declared: &'static StructuredType,
) -> &'static StructuredType {
    if declared.derived.is_empty() {
        return declared;
    }
    let stated = members.iter().find(|member| member.name.is("@odata.type"));
    let name = stated.and_then(|member| member.value.as_text());
    name.and_then(|name| declared.find_derived(name.value().trim_start_matches('#')))
        .unwrap_or(declared)
}

/// Collects the distinct words of a record for the index.
#[derive(Debug)]
pub struct Collector {
    /// Values that were seen: a record names the same parties over and over.
    values: HashSet<String, RandomState>,
    words: HashSet<String, RandomState>,
    document: String,
}

impl Default for Collector {
    /// Empty, with room for what most records have.
    fn default() -> Self {
        let room = || HashSet::with_capacity_and_hasher(ROOM, RandomState::default());
        Self { values: room(), words: room(), document: String::new() }
    }
}

impl Collector {
    /// Adds an object in canonical form and what is inside.
    pub fn add(&mut self, members: &[Member<'_>], ty: &'static StructuredType) {
        visit(members, ty, &mut |text| {
            if self.values.contains(text) {
                return;
            }
            self.values.insert(text.to_owned());
            let whole = words::each(text, |word| {
                push_new(&mut self.words, &mut self.document, word);
                if let Some(plain) = words::plain(word) {
                    push_new(&mut self.words, &mut self.document, &plain);
                }
            });
            if let Some(whole) = whole {
                push_new(&mut self.words, &mut self.document, &whole);
            }
        });
    }

    /// The words, with spaces between.
    pub fn finish(self) -> String {
        self.document
    }
}

fn push_new(seen: &mut HashSet<String, RandomState>, document: &mut String, word: &str) {
    let word = shortened(word);
    if words::is_middle(word) || seen.contains(word) {
        return;
    }
    seen.insert(word.to_owned());
    if !document.is_empty() {
        document.push(' ');
    }
    document.push_str(word);
}

/// A word as the index has it.
pub(super) fn shortened(word: &str) -> &str {
    if word.len() <= LONGEST_WORD {
        return word;
    }
    &word[..word.floor_char_boundary(LONGEST_WORD)]
}
