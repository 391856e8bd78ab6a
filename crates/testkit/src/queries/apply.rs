//! Random chains of transformations for `$apply`. What comes behind a transformation only names
//! what it leaves, and an order comes before whatever depends on one.

use odata::edm::Type;
use serde_json::Value as Json;

use super::expression::Writer;
use super::place::{Kind, Place};
use super::random::Random;

/// What items look like behind a transformation.
#[derive(Debug, Clone)]
struct Shape<'a> {
    /// The items are still those of the collection.
    rows: Option<Place<'a>>,
    /// Members that were made, and of what kind they are.
    made: Vec<(String, Kind)>,
    /// Paths that together tell items apart.
    keys: Vec<String>,
}

/// A chain, and the paths that together tell the items apart that come out of it; none when nothing
/// does.
pub(super) fn chain(place: &Place<'_>, random: &mut Random) -> (Vec<String>, Option<Vec<String>>) {
    let mut chain = Chain {
        random,
        shape: Shape { rows: Some(place.clone()), made: Vec::new(), keys: Vec::new() },
        steps: Vec::new(),
        next: 0,
        is_ordered: true,
    };
    for _ in 0..chain.random.below(3) {
        chain.of_rows();
    }
    match chain.random.below(10) {
        0 => {}
        1..=2 => chain.aggregate(),
        3 => chain.concat(),
        4 => chain.join(),
        _ => {
            chain.group();
            for _ in 0..chain.random.below(3) {
                chain.of_groups();
            }
        }
    }
    if chain.steps.is_empty() {
        chain.steps.push("identity".to_owned());
    }
    let keys = (chain.shape.rows.is_none()).then_some(chain.shape.keys);
    (chain.steps, keys)
}

struct Chain<'r, 'a> {
    random: &'r mut Random,
    shape: Shape<'a>,
    steps: Vec<String>,
    /// Number of the next alias.
    next: usize,
    /// The items have an order that the query settles.
    is_ordered: bool,
}

impl<'a> Chain<'_, 'a> {
    fn alias(&mut self, kind: Kind) -> String {
        self.next += 1;
        let name = format!("A{}", self.next);
        self.shape.made.push((name.clone(), kind));
        name
    }

    fn writer(&mut self) -> Option<Writer<'_, 'a>> {
        let place = self.shape.rows.clone()?;
        Some(Writer { random: self.random, places: vec![place] })
    }

    /// A transformation that leaves items of the collection.
    fn of_rows(&mut self) {
        let Some(mut writer) = self.writer() else { return };
        let step = match writer.random.below(12) {
            0..=3 => format!("filter({})", writer.condition(2)),
            4 => {
                let kind =
                    *writer.random.pick(&[Kind::Int, Kind::Float, Kind::Duration, Kind::Text]);
                let value = writer.value(kind, 2);
                format!("compute({value} as {})", self.alias(kind))
            }
            5 => {
                let kind = *writer.random.pick(&[Kind::Int, Kind::Instant, Kind::Text]);
                let direction = *writer.random.pick(&["", " desc"]);
                format!("orderby({}{direction})", writer.value(kind, 1))
            }
            6 => format!("skip({})", writer.random.below(8)),
            7 => format!("top({})", writer.random.below(30)),
            8 => "identity".to_owned(),
            9 => match writer.path(Kind::Text) {
                Some(end) => {
                    format!("search({})", super::search::word(&end.samples, writer.random))
                }
                None => "identity".to_owned(),
            },
            _ => self.extreme(),
        };
        self.steps.push(step);
    }

    fn extreme(&mut self) -> String {
        let Some(mut writer) = self.writer() else { return "identity".to_owned() };
        let end = *writer.random.pick(&["top", "bottom"]);
        if writer.random.chance(60) {
            let kind =
                *writer.random.pick(&[Kind::Int, Kind::Float, Kind::Instant, Kind::Duration]);
            let count = 1 + writer.random.below(12);
            return format!("{end}count({count},{})", writer.value(kind, 1));
        }
        let by = writer.path(Kind::Float).or_else(|| writer.path(Kind::Int));
        let Some(by) = by else { return "identity".to_owned() };
        let all: f64 = by.samples.iter().filter_map(|json| json.as_f64()).sum();
        if writer.random.chance(50) && all.is_finite() {
            format!("{end}sum({:.3},{})", all / 2.0, by.path)
        } else {
            format!("{end}percent({},{})", 1 + writer.random.below(100), by.path)
        }
    }

    /// Paths to values that groups can have in common.
    fn key(&mut self) -> Option<(String, Kind)> {
        let place = self.shape.rows.clone()?;
        let kinds = |random: &mut Random| {
            let end = place.walk(random);
            let kind = end.kind().filter(|_| !end.is_collection)?;
            Some((end.path, kind, end.samples.iter().any(|json| !json.is_null())))
        };
        for _ in 0..20 {
            if let Some((path, kind, is_telling)) = kinds(self.random)
                && !matches!(kind, Kind::Float)
                && (is_telling || self.random.chance(10))
            {
                return Some((path, kind));
            }
        }
        None
    }

    fn group(&mut self) {
        let mut keys: Vec<(String, Kind)> = Vec::new();
        for _ in 0..=self.random.below(3) {
            let Some(key) = self.key() else { continue };
            let overlaps = |(other, _): &(String, Kind)| {
                other.starts_with(&key.0) || key.0.starts_with(other.as_str())
            };
            if !keys.iter().any(overlaps) {
                keys.push(key);
            }
        }
        if keys.is_empty() {
            return self.aggregate();
        }
        let paths: Vec<_> = keys.iter().map(|(path, _)| path.clone()).collect();
        let list = match paths.len() {
            1 if self.random.chance(8) => format!("rollup($all,{})", paths[0]),
            2 | 3 if self.random.chance(20) => {
                let all = if self.random.chance(40) { "$all," } else { "" };
                format!("rollup({all}{})", paths.join(","))
            }
            _ => paths.join(","),
        };
        let is_rollup = list.starts_with("rollup");
        let inner = match self.random.below(10) {
            0 => None,
            1 if !is_rollup => {
                let rows = self.extreme();
                self.steps.push(format!("groupby(({list}),{rows})"));
                self.is_ordered = false;
                return;
            }
            _ => Some(self.aggregates()),
        };
        self.steps.push(match inner {
            Some(inner) => format!("groupby(({list}),aggregate({inner}))"),
            None => format!("groupby(({list}))"),
        });
        self.is_ordered = false;
        self.shape.rows = None;
        self.shape.made.extend(keys);
        self.shape.keys = if is_rollup { Vec::new() } else { paths };
        if is_rollup {
            self.shape.made.clear();
        }
    }

    fn aggregate(&mut self) {
        let step = format!("aggregate({})", self.aggregates());
        self.steps.push(step);
        self.shape.rows = None;
        self.shape.keys = Vec::new();
    }

    fn aggregates(&mut self) -> String {
        let before = self.shape.made.len();
        let mut all = Vec::new();
        for _ in 0..=self.random.below(3) {
            all.push(self.aggregate_expression());
        }
        self.shape.made.drain(..before);
        all.join(",")
    }

    fn aggregate_expression(&mut self) -> String {
        let Some(mut writer) = self.writer() else { return self.count() };
        let numbers = ["sum", "min", "max", "average", "countdistinct", "callvault.median"];
        let any = ["min", "max", "countdistinct"];
        match writer.random.below(12) {
            0..=1 => self.count(),
            2..=6 => {
                // Through collections as often as not: figures of all that is inside.
                let place = writer.place();
                let Some(path) = through(&place, writer.random) else { return self.count() };
                let percentile = format!("callvault.percentile{}", writer.random.below(100));
                let method = match path.1 {
                    Kind::Int | Kind::Float | Kind::Duration if writer.random.chance(15) => {
                        percentile.as_str()
                    }
                    Kind::Int | Kind::Float | Kind::Duration => *writer.random.pick(&numbers),
                    Kind::Instant => *writer.random.pick(&any),
                    _ => "countdistinct",
                };
                let kind = result(method, path.1);
                format!("{} with {method} as {}", path.0, self.alias(kind))
            }
            7 => {
                let place = writer.place();
                match place.collection(writer.random) {
                    Some(end) => format!("{}/$count as {}", end.path, self.alias(Kind::Int)),
                    None => self.count(),
                }
            }
            _ => {
                let kind = *writer.random.pick(&[Kind::Int, Kind::Float, Kind::Duration]);
                let method = *writer.random.pick(&numbers);
                let value = writer.value(kind, 1);
                format!("{value} with {method} as {}", self.alias(result(method, kind)))
            }
        }
    }

    fn count(&mut self) -> String {
        format!("$count as {}", self.alias(Kind::Int))
    }

    /// The items with what is related to them, and figures of that.
    fn join(&mut self) {
        let Some(place) = self.shape.rows.clone() else { return };
        let end = match place.collection(self.random) {
            Some(end) if matches!(end.ty, Type::Structured(_)) => end,
            _ => return self.aggregate(),
        };
        let name = *self.random.pick(&["join", "outerjoin"]);
        let inside = Place { prefix: String::new(), ty: end.ty, samples: end.samples.clone() };
        let inner = if self.random.chance(40) {
            let mut writer = Writer { random: self.random, places: vec![inside] };
            format!(",filter({})", writer.condition(1))
        } else {
            String::new()
        };
        self.steps.push(format!("{name}({} as Joined{inner})", end.path));
        let related = Place { prefix: "Joined/".to_owned(), ty: end.ty, samples: end.samples };
        let key = (0..20).find_map(|_| {
            let end = related.walk(self.random);
            let kind =
                end.kind().filter(|kind| !end.is_collection && !matches!(kind, Kind::Float))?;
            Some((end.path, kind))
        });
        self.is_ordered = false;
        self.shape = Shape { rows: None, made: Vec::new(), keys: Vec::new() };
        let count = self.count();
        match key {
            Some((path, kind)) => {
                self.steps.push(format!("groupby(({path}),aggregate({count}))"));
                self.shape.made.push((path.clone(), kind));
                self.shape.keys = vec![path];
            }
            None => self.steps.push(format!("aggregate({count})")),
        }
    }

    fn concat(&mut self) {
        let parts: Vec<_> = (0..2 + self.random.below(2))
            .map(|_| match self.random.below(3) {
                0 => format!("aggregate({})", self.aggregates()),
                1 => self.extreme(),
                _ => match self.writer() {
                    Some(mut writer) => format!("filter({})", writer.condition(1)),
                    None => "identity".to_owned(),
                },
            })
            .collect();
        self.steps.push(format!("concat({})", parts.join(",")));
        self.shape = Shape { rows: None, made: Vec::new(), keys: Vec::new() };
        self.is_ordered = false;
    }

    /// A transformation of groups and their figures.
    fn of_groups(&mut self) {
        let made = self.shape.made.clone();
        if made.is_empty() || self.shape.rows.is_some() {
            return;
        }
        let places: Vec<_> = made.iter().map(|(name, kind)| (name, *kind)).collect();
        let (name, kind) = *self.random.pick(&places);
        let step = match self.random.below(6) {
            0 if self.random.chance(20) => format!("filter(isdefined({name}))"),
            0..=1 => {
                let literal = super::literal::literal(kind, &[], self.random);
                format!("filter({name} {} {literal})", self.random.pick(&["gt", "ge", "ne", "eq"]))
            }
            2 if matches!(kind, Kind::Int | Kind::Float) => {
                format!("compute({name} mul 2 as {})", self.alias(kind))
            }
            3 if self.is_ordered || !self.shape.keys.is_empty() => {
                let keys = [vec![format!("{name} desc")], self.shape.keys.clone()].concat();
                let top = self.random.below(6);
                self.is_ordered = true;
                format!("orderby({})/top({top})", keys.join(","))
            }
            4 => {
                self.next += 1;
                let aliases = format!("$count as B{},{name} with max as C{}", self.next, self.next);
                let is_ordinal = !matches!(kind, Kind::Text | Kind::Bool | Kind::Enum(_));
                if !is_ordinal {
                    return;
                }
                let names =
                    [(format!("B{}", self.next), Kind::Int), (format!("C{}", self.next), kind)];
                self.shape.made = names.to_vec();
                self.shape.keys = Vec::new();
                format!("aggregate({aliases})")
            }
            _ => return,
        };
        self.steps.push(step);
    }
}

fn result(method: &str, kind: Kind) -> Kind {
    match (method, kind) {
        ("countdistinct", _) => Kind::Int,
        ("sum" | "min" | "max", kind) | (_, kind @ Kind::Duration) => kind,
        _ => Kind::Float,
    }
}

/// A path to values, over collections where it comes to any.
fn through<'a>(place: &Place<'a>, random: &mut Random) -> Option<(String, Kind, Vec<&'a Json>)> {
    for _ in 0..8 {
        let mut end = place.walk(random);
        while end.is_collection && matches!(end.ty, Type::Structured(_)) {
            let prefix = format!("{}/", end.path);
            end = Place { prefix, ty: end.ty, samples: end.samples }.walk(random);
        }
        if let Some(kind) = end.kind() {
            return Some((end.path, kind, end.samples));
        }
    }
    None
}
