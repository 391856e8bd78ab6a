//! Random, well-typed queries as the text of a URL, and smaller ones of one that fails.
//!
//! Literals are taken from the records at hand, so that most conditions hold for some items and not
//! for others.

mod apply;
mod condition;
mod expression;
mod literal;
mod place;
mod random;
mod records;
mod search;
mod shrink;
#[cfg(test)]
mod tests;

use std::fmt;

use model::rows::RowSet;
use odata::edm::Type;
use odata::percent;
use serde_json::Value as Json;

use expression::Writer;
use place::{Kind, Place};

pub use random::Random;
pub use records::{odd_records, plain_records};

/// A query as the text of a URL, in parts that can be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The condition of a `$filter` segment.
    pub path: Option<String>,
    /// `$filter`
    pub filter: Option<String>,
    /// `$search`
    pub search: Option<String>,
    /// `$compute`
    pub compute: Vec<String>,
    /// `$apply`
    pub apply: Vec<String>,
    /// `$orderby`
    pub orderby: Vec<String>,
    /// `$skip`
    pub skip: Option<usize>,
    /// `$top`
    pub top: Option<usize>,
    /// Parameter aliases with their values.
    pub aliases: Vec<(String, String)>,
}

/// The path of a row set behind the version of the API.
pub fn path(set: RowSet) -> &'static str {
    match set {
        RowSet::Records => "/communications/callRecords",
        RowSet::Sessions => "/communications/callRecords/callvault.sessions()",
        RowSet::Segments => "/communications/callRecords/callvault.segments()",
        RowSet::Streams => "/communications/callRecords/callvault.streams()",
        RowSet::Legs => "/communications/callRecords/callvault.legs()",
    }
}

/// A query of rows of a set, some of which are at hand.
pub fn query(set: RowSet, rows: &[Json], random: &mut Random) -> Asked {
    let mut samples: Vec<&Json> = rows.iter().collect();
    while samples.len() > 60 {
        samples.swap_remove(random.below(samples.len()));
    }
    let place = Place { prefix: String::new(), ty: Type::Structured(set.ty()), samples };
    let mut asked = Asked::default();
    if random.chance(8) {
        let mut writer = Writer { random: &mut *random, places: vec![place.clone()] };
        asked.path = Some(writer.condition(1));
    }
    if random.chance(25) {
        let (steps, keys) = apply::chain(&place, random);
        asked.apply = steps;
        if let Some(keys) = keys.filter(|keys| !keys.is_empty() && random.chance(30)) {
            asked.orderby = keys;
            asked.top = random.chance(50).then(|| random.below(10));
            asked.skip = random.chance(30).then(|| random.below(4));
        }
        return asked;
    }
    let mut writer = Writer { random, places: vec![place.clone()] };
    if writer.random.chance(12) {
        let kind = *writer.random.pick(&[Kind::Int, Kind::Float, Kind::Text, Kind::Duration]);
        asked.compute.push(format!("{} as Computed", writer.value(kind, 2)));
        match writer.random.below(3) {
            0 => asked.orderby.push("Computed desc".to_owned()),
            1 => asked.filter = Some(format!("Computed gt {}", writer.literal(kind, &[]))),
            _ => {}
        }
    }
    if asked.filter.is_none() && writer.random.chance(85) {
        let depth = 1 + writer.random.below(3);
        asked.filter = Some(writer.condition(depth));
    }
    if writer.random.chance(35) {
        for _ in 0..=writer.random.below(3) {
            asked.orderby.push(order_key(&mut writer));
        }
    }
    if random.chance(10) {
        asked.search = Some(search::search(&place, random));
    }
    asked.skip = random.chance(12).then(|| random.below(10));
    asked.top = random.chance(20).then(|| random.below(25));
    asked.with_alias(random)
}

fn order_key(writer: &mut Writer<'_, '_>) -> String {
    let kinds = [Kind::Int, Kind::Float, Kind::Text, Kind::Instant, Kind::Duration, Kind::Bool];
    let kind = *writer.random.pick(&kinds);
    let depth = usize::from(writer.random.chance(30));
    let key = match writer.path(kind) {
        Some(end) if depth == 0 => end.path,
        _ => writer.value(kind, depth),
    };
    format!("{key}{}", writer.random.pick(&["", " asc", " desc"]))
}

impl Asked {
    /// Puts an alias in the place of a literal at the end of the condition, now and then.
    fn with_alias(mut self, random: &mut Random) -> Self {
        if let Some(filter) = &self.filter
            && random.chance(15)
            && let Some((rest, literal)) = filter.rsplit_once(" eq ").or(filter.rsplit_once(" gt "))
            && !literal.contains(['(', ')', ' '])
            && literal.matches('\'').count() % 2 == 0
        {
            let operator = &filter[rest.len()..filter.len() - literal.len()];
            let alias = ("p1".to_owned(), literal.to_owned());
            self.filter = Some(format!("{rest}{operator}@p1"));
            self.aliases.push(alias);
        }
        self
    }

    /// The path behind the version of the API, with its condition.
    pub fn address(&self, set: RowSet) -> String {
        let condition = |text: &String| format!("/$filter({})", percent::encode_segment(text));
        let behind = self.path.as_ref().map(condition).unwrap_or_default();
        format!("{}{behind}", path(set))
    }

    /// The query, percent-encoded.
    pub fn text(&self) -> String {
        let options = self.options();
        let options: Vec<_> = options
            .iter()
            .map(|(name, value)| format!("{name}={}", percent::encode_query(value)))
            .collect();
        options.join("&")
    }

    fn options(&self) -> Vec<(String, String)> {
        let mut options: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: Option<String>| {
            options.extend(value.map(|value| (name.to_owned(), value)));
        };
        let list = |items: &[String], by: &str| (!items.is_empty()).then(|| items.join(by));
        add("$apply", list(&self.apply, "/"));
        add("$compute", list(&self.compute, ","));
        add("$filter", self.filter.clone());
        add("$search", self.search.clone());
        add("$orderby", list(&self.orderby, ","));
        add("$skip", self.skip.map(|count| count.to_string()));
        add("$top", self.top.map(|count| count.to_string()));
        options
            .extend(self.aliases.iter().map(|(name, value)| (format!("@{name}"), value.clone())));
        options
    }
}

impl fmt::Display for Asked {
    /// For people: the query as it would be written if nothing had to be encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = self.options();
        let options: Vec<_> =
            options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if let Some(path) = &self.path {
            write!(f, "/$filter({path})?")?;
        }
        f.write_str(&options.join("&"))
    }
}
