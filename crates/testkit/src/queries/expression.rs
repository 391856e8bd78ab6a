//! Random expressions of a given kind.

use odata::edm::Type;
use serde_json::Value as Json;

use super::literal::{literal, part, quoted};
use super::place::{End, Kind, Place};
use super::random::Random;

/// Makes expressions that start at any of some places, the innermost last.
#[derive(Debug)]
pub(super) struct Writer<'r, 'a> {
    pub(super) random: &'r mut Random,
    pub(super) places: Vec<Place<'a>>,
}

impl<'a> Writer<'_, 'a> {
    /// The place that most names start at.
    pub(super) fn place(&mut self) -> Place<'a> {
        let last = self.places.len() - 1;
        let at = if self.random.chance(85) { last } else { self.random.below(last + 1) };
        let mut place = self.places[at].clone();
        if at == 0 && last > 0 && place.prefix.is_empty() && self.random.chance(50) {
            "$it/".clone_into(&mut place.prefix);
        }
        place
    }

    /// A path to a value of the kind, and what stands there; a literal where there is none.
    pub(super) fn path(&mut self, kind: Kind) -> Option<End<'a>> {
        let place = self.place();
        place.value(kind, self.random)
    }

    pub(super) fn literal(&mut self, kind: Kind, samples: &[&Json]) -> String {
        literal(kind, samples, self.random)
    }

    /// An expression of the kind, simple at depth 0.
    pub(super) fn value(&mut self, kind: Kind, depth: usize) -> String {
        if depth == 0 || self.random.chance(25) {
            return self.simple(kind);
        }
        if self.random.chance(8) {
            return self.case(kind, depth - 1);
        }
        if self.random.chance(6) {
            return self.cast(kind);
        }
        match kind {
            Kind::Bool => self.simple(kind),
            Kind::Int => self.int(depth - 1),
            Kind::Float => self.float(depth - 1),
            Kind::Text => self.text(depth - 1),
            Kind::Instant => self.instant(depth - 1),
            Kind::Duration => self.duration(depth - 1),
            Kind::Date if self.random.chance(30) => {
                let operator = *self.random.pick(&["add", "sub"]);
                let length = self.operand(Kind::Duration, 0);
                format!("date({}) {operator} {length}", self.simple(Kind::Instant))
            }
            Kind::Date => format!("date({})", self.value(Kind::Instant, depth - 1)),
            Kind::Time => format!("time({})", self.value(Kind::Instant, depth - 1)),
            Kind::Enum(_) => self.simple(kind),
        }
    }

    /// A path, or else a literal.
    fn simple(&mut self, kind: Kind) -> String {
        match self.path(kind) {
            Some(end) if self.random.chance(92) => end.path,
            Some(end) => self.literal(kind, &end.samples),
            None if matches!(kind, Kind::Date | Kind::Time) && self.random.chance(90) => {
                let function = if matches!(kind, Kind::Date) { "date" } else { "time" };
                match self.path(Kind::Instant) {
                    Some(end) => format!("{function}({})", end.path),
                    None => self.literal(kind, &[]),
                }
            }
            None => self.literal(kind, &[]),
        }
    }

    fn case(&mut self, kind: Kind, depth: usize) -> String {
        let mut pairs = Vec::new();
        for _ in 0..=self.random.below(2) {
            pairs.push(format!("{}:{}", self.leaf(), self.value(kind, depth)));
        }
        if self.random.chance(60) {
            pairs.push(format!("true:{}", self.simple(kind)));
        }
        format!("case({})", pairs.join(","))
    }

    fn cast(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Text => match self.random.below(3) {
                0 => format!("cast({},Edm.String)", self.simple(Kind::Int)),
                1 => format!("cast({},Edm.String)", self.simple(Kind::Duration)),
                _ => format!("cast({},Edm.String)", self.simple(Kind::Bool)),
            },
            Kind::Int => match self.random.below(3) {
                0 => format!("cast({},Edm.Int32)", self.simple(Kind::Float)),
                1 => format!("cast({},Edm.Int64)", self.simple(Kind::Text)),
                _ => format!("cast({},Edm.Int32)", self.simple(Kind::Int)),
            },
            Kind::Float => format!("cast({},Edm.Double)", self.simple(Kind::Int)),
            Kind::Instant => format!("cast({},Edm.DateTimeOffset)", self.simple(Kind::Text)),
            kind => self.simple(kind),
        }
    }

    fn int(&mut self, depth: usize) -> String {
        let random = &mut *self.random;
        match random.below(9) {
            0 => format!("length({})", self.value(Kind::Text, depth)),
            1 => {
                let of = self.path(Kind::Text);
                let (of, needle) = self.with_part(of);
                format!("indexof({of},{needle})")
            }
            2 => {
                let part = *random.pick(&["year", "month", "day"]);
                let kind = if random.chance(30) { Kind::Date } else { Kind::Instant };
                format!("{part}({})", self.value(kind, depth))
            }
            3 => {
                let part = *random.pick(&["hour", "minute", "second"]);
                let kind = if random.chance(30) { Kind::Time } else { Kind::Instant };
                format!("{part}({})", self.value(kind, depth))
            }
            4 => format!("totaloffsetminutes({})", self.simple(Kind::Instant)),
            5 => format!("-{}", self.operand(Kind::Int, 0)),
            6 => self.count(depth),
            _ => {
                let operator = *self.random.pick(&["add", "sub", "mul", "div", "mod"]);
                format!(
                    "{} {operator} {}",
                    self.operand(Kind::Int, depth),
                    self.operand(Kind::Int, 0)
                )
            }
        }
    }

    fn float(&mut self, depth: usize) -> String {
        match self.random.below(8) {
            6..=7 => {
                let function = *self.random.pick(&["callvault.ratio", "callvault.wilson"]);
                let kind = if self.random.chance(30) { Kind::Float } else { Kind::Int };
                format!("{function}({},{})", self.value(kind, depth), self.simple(Kind::Int))
            }
            0 => format!("totalseconds({})", self.value(Kind::Duration, depth)),
            1 => format!("fractionalseconds({})", self.value(Kind::Instant, depth)),
            2 => {
                let function = *self.random.pick(&["round", "floor", "ceiling"]);
                format!("{function}({})", self.value(Kind::Float, depth))
            }
            3 => format!("{} divby {}", self.operand(Kind::Int, depth), self.operand(Kind::Int, 0)),
            _ => {
                let operator = *self.random.pick(&["add", "sub", "mul", "div", "divby", "mod"]);
                let kind = if self.random.chance(50) { Kind::Float } else { Kind::Int };
                format!("{} {operator} {}", self.operand(Kind::Float, depth), self.operand(kind, 0))
            }
        }
    }

    fn text(&mut self, depth: usize) -> String {
        match self.random.below(6) {
            0 => format!("tolower({})", self.value(Kind::Text, depth)),
            1 => format!("toupper({})", self.value(Kind::Text, depth)),
            2 => format!("trim({})", self.value(Kind::Text, depth)),
            3 => format!("concat({},{})", self.value(Kind::Text, depth), self.simple(Kind::Text)),
            4 => {
                let start = self.random.below(8) as i64 - 2;
                format!("substring({},{start})", self.value(Kind::Text, depth))
            }
            _ => {
                let (start, length) = (self.random.below(6), self.random.below(6));
                format!("substring({},{start},{length})", self.value(Kind::Text, depth))
            }
        }
    }

    fn instant(&mut self, depth: usize) -> String {
        match self.random.below(8) {
            0 => "mindatetime()".to_owned(),
            1 => "maxdatetime()".to_owned(),
            2 => "now()".to_owned(),
            3..=4 => {
                let size = *self.random.pick(&["PT15M", "PT1H", "P1D", "P7D", "PT0.1234567S"]);
                let at = self.value(Kind::Instant, depth);
                match self.random.below(3) {
                    0 => {
                        format!(
                            "callvault.bucket({at},duration'{size}',{})",
                            self.simple(Kind::Duration)
                        )
                    }
                    1 => format!("callvault.bucket({at},duration'{size}',duration'-PT9H30M')"),
                    _ => format!("callvault.bucket({at},duration'{size}')"),
                }
            }
            _ => {
                let operator = *self.random.pick(&["add", "sub"]);
                format!(
                    "{} {operator} {}",
                    self.simple(Kind::Instant),
                    self.operand(Kind::Duration, depth)
                )
            }
        }
    }

    fn duration(&mut self, depth: usize) -> String {
        match self.random.below(7) {
            0 => format!("-{}", self.operand(Kind::Duration, 0)),
            3 => {
                let (first, second) = (self.simple(Kind::Instant), self.simple(Kind::Instant));
                format!("date({first}) sub date({second})")
            }
            1 => {
                format!("{} sub {}", self.operand(Kind::Instant, 0), self.operand(Kind::Instant, 0))
            }
            2 => {
                let operator = *self.random.pick(&["add", "sub"]);
                format!(
                    "{} {operator} {}",
                    self.operand(Kind::Duration, depth),
                    self.operand(Kind::Duration, 0)
                )
            }
            _ => {
                let operator = *self.random.pick(&["mul", "div", "divby"]);
                let kind = if self.random.chance(50) { Kind::Int } else { Kind::Float };
                format!(
                    "{} {operator} {}",
                    self.operand(Kind::Duration, depth),
                    self.operand(kind, 0)
                )
            }
        }
    }

    /// An expression that binds more strongly than any operator.
    fn operand(&mut self, kind: Kind, depth: usize) -> String {
        let value = if depth == 0 { self.simple(kind) } else { self.value(kind, depth) };
        let is_negative = value.starts_with('-') && !value.starts_with("-P");
        if value.contains(' ') && !value.starts_with('\'') || is_negative {
            format!("({value})")
        } else {
            value
        }
    }

    fn count(&mut self, depth: usize) -> String {
        let place = self.place();
        let Some(end) = place.collection(self.random) else { return self.simple(Kind::Int) };
        if self.random.chance(55) || !matches!(end.ty, Type::Structured(_)) {
            return format!("{}/$count", end.path);
        }
        let inner = Place { prefix: String::new(), ty: end.ty, samples: end.samples };
        if self.random.chance(15) {
            let words = super::search::search(&inner, self.random);
            return format!("{}/$count($search={words})", end.path);
        }
        format!("{}/$count($filter={})", end.path, self.inside(inner, depth.min(1)))
    }

    /// A condition on the items of a collection, whose names start at them.
    pub(super) fn inside(&mut self, items: Place<'a>, depth: usize) -> String {
        let prefix = if self.random.chance(20) { "$this/" } else { "" };
        let items = Place { prefix: prefix.to_owned(), ..items };
        Writer { random: self.random, places: vec![items] }.condition(depth)
    }

    /// A path to text, and a literal of a part of what stands there.
    pub(super) fn with_part(&mut self, end: Option<End<'a>>) -> (String, String) {
        let Some(end) = end else {
            return (self.simple(Kind::Text), self.literal(Kind::Text, &[]));
        };
        let texts: Vec<_> = end.samples.iter().filter_map(|json| json.as_str()).collect();
        if texts.is_empty() {
            let needle = self.literal(Kind::Text, &[]);
            return (end.path, needle);
        }
        let text = *self.random.pick(&texts);
        (end.path, quoted(&part(text, self.random)))
    }
}
