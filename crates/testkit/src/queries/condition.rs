//! Random conditions, most of which hold for some items and not for others.

use odata::edm::{Kind as TypeKind, Type};
use serde_json::Value as Json;

use super::expression::Writer;
use super::literal::quoted;
use super::place::{End, Kind, Place};

const OPERATORS: [&str; 6] = ["eq", "ne", "lt", "le", "gt", "ge"];
/// Kinds in the proportion in which comparisons of expressions have them.
const KINDS: [Kind; 9] = [
    Kind::Int,
    Kind::Int,
    Kind::Float,
    Kind::Text,
    Kind::Text,
    Kind::Instant,
    Kind::Duration,
    Kind::Date,
    Kind::Time,
];

impl Writer<'_, '_> {
    /// A condition, simple at depth 0.
    pub(super) fn condition(&mut self, depth: usize) -> String {
        if depth == 0 || self.random.chance(25) {
            return self.leaf();
        }
        match self.random.below(10) {
            0..=2 => self.joined("and", depth),
            3..=4 => self.joined("or", depth),
            5 => format!("not ({})", self.condition(depth - 1)),
            _ => self.lambda(depth),
        }
    }

    fn joined(&mut self, word: &str, depth: usize) -> String {
        let count = 2 + self.random.below(2);
        let parts: Vec<_> = (0..count)
            .map(|_| {
                let part = self.condition(depth - 1);
                let needs_group = part.contains(" or ") || part.contains(" and ");
                if needs_group { format!("({part})") } else { part }
            })
            .collect();
        parts.join(&format!(" {word} "))
    }

    fn lambda(&mut self, depth: usize) -> String {
        let place = self.place();
        let Some(end) = place.collection(self.random) else { return self.leaf() };
        if self.random.chance(10) {
            return format!("{}/any()", end.path);
        }
        let quantifier = if self.random.chance(75) { "any" } else { "all" };
        let variable = format!("v{}", self.places.len());
        let is_structured = matches!(end.ty, Type::Structured(_));
        let prefix = if is_structured { format!("{variable}/") } else { variable.clone() };
        let mut path = end.path;
        if is_structured && self.random.chance(8) {
            let items = Place { prefix: String::new(), ty: end.ty, samples: end.samples.clone() };
            path = format!("{path}/$filter({})", self.inside(items, 0));
        }
        self.places.push(Place { prefix, ty: end.ty, samples: end.samples });
        let body = self.condition(depth - 1);
        self.places.pop();
        format!("{path}/{quantifier}({variable}:{body})")
    }

    /// A condition without `and`, `or` and lambdas.
    pub(super) fn leaf(&mut self) -> String {
        match self.random.below(20) {
            0..=8 => self.near(),
            9..=11 => self.comparison(),
            12 => self.list(),
            13..=14 => self.text_function(),
            15 => self.of_type(),
            16 => self.null(),
            17 => match self.random.below(3) {
                0 => self.of_key(),
                _ => self.of_collection(),
            },
            18 => self.negated_bool(),
            _ => self.of_enum(),
        }
    }

    /// A path against a value that stands at its end in some record.
    fn near(&mut self) -> String {
        let place = self.place();
        for _ in 0..8 {
            let end = place.walk(self.random);
            if end.is_collection {
                continue;
            }
            let operator = *self.random.pick(&OPERATORS);
            let Some(kind) = end.kind() else {
                if let Some(literal) = self.dynamic_literal(&end) {
                    return format!("{} {operator} {literal}", end.path);
                }
                continue;
            };
            let mut literal = self.literal(kind, &end.samples);
            if self.random.chance(30) {
                // What stands against a duration may leave out its type.
                literal = literal.replace("duration'", "'");
            }
            return if self.random.chance(90) {
                format!("{} {operator} {literal}", end.path)
            } else {
                format!("{literal} {operator} {}", end.path)
            };
        }
        self.comparison()
    }

    fn dynamic_literal(&mut self, end: &End<'_>) -> Option<String> {
        let json =
            if end.samples.is_empty() { &Json::Null } else { *self.random.pick(&end.samples) };
        Some(match json {
            Json::Bool(value) => value.to_string(),
            Json::Number(number) => number.to_string(),
            Json::String(text) => quoted(text),
            Json::Null => (*self.random.pick(&["null", "true", "'x'", "1"])).to_owned(),
            Json::Array(_) | Json::Object(_) => return None,
        })
    }

    fn comparison(&mut self) -> String {
        let kind = *self.random.pick(&KINDS);
        let left = self.value(kind, 2);
        let right = if self.random.chance(50) {
            self.value(kind, 1)
        } else {
            let end = self.path(kind);
            let samples = end.map(|end| end.samples).unwrap_or_default();
            self.literal(kind, &samples)
        };
        format!("{left} {} {right}", self.random.pick(&OPERATORS))
    }

    fn list(&mut self) -> String {
        let place = self.place();
        for _ in 0..8 {
            let end = place.walk(self.random);
            let Some(kind) = end.kind().filter(|_| !end.is_collection) else { continue };
            let mut items: Vec<_> =
                (0..=self.random.below(3)).map(|_| self.literal(kind, &end.samples)).collect();
            if self.random.chance(15) {
                items.push("null".to_owned());
            }
            return format!("{} in ({})", end.path, items.join(","));
        }
        self.near()
    }

    fn text_function(&mut self) -> String {
        let end = self.path(Kind::Text);
        let (path, needle) = self.with_part(end);
        let path = match self.random.below(6) {
            0 => format!("tolower({path})"),
            1 => format!("toupper({path})"),
            _ => path,
        };
        if self.random.chance(20) {
            let patterns =
                ["^[0-9a-f]+$", "\\d{2}", "^.a", "(?i)TEAMS|win", "[^ -~]", "^$", "a.*e$"];
            return format!(
                "matchesPattern({path},{})",
                quoted(self.random.pick::<&str>(&patterns))
            );
        }
        let function = self.random.pick(&["contains", "startswith", "endswith"]);
        format!("{function}({path},{needle})")
    }

    fn of_type(&mut self) -> String {
        let types = [
            "microsoft.graph.callRecords.participantEndpoint",
            "microsoft.graph.callRecords.serviceEndpoint",
        ];
        let agents = [
            "microsoft.graph.callRecords.clientUserAgent",
            "microsoft.graph.callRecords.serviceUserAgent",
        ];
        let place = self.place();
        let Type::Structured(ty) = place.ty else { return self.near() };
        let Some(end) = ["caller", "callee"].into_iter().find(|end| ty.property(end).is_some())
        else {
            return self.near();
        };
        let prefix = place.prefix;
        if self.random.chance(50) {
            format!("isof({prefix}{end},{})", self.random.pick(&types))
        } else {
            format!("isof({prefix}{end}/userAgent,{})", self.random.pick(&agents))
        }
    }

    fn null(&mut self) -> String {
        let place = self.place();
        let end = (0..8).map(|_| place.walk(self.random)).find(|end| !end.is_collection);
        let Some(end) = end else { return self.near() };
        // Behind a cast or an open type that has no members the path ends with its step.
        let path = end.path.trim_end_matches('/');
        format!("{path} {} null", self.random.pick(&["eq", "ne", "eq", "ne", "gt", "le"]))
    }

    fn of_collection(&mut self) -> String {
        let place = self.place();
        let end = (0..20)
            .filter_map(|_| place.collection(self.random))
            .find(|end| matches!(end.ty, Type::Enum(_)));
        let Some(end) = end else {
            let count = self.value(Kind::Int, 1);
            return format!("{count} gt {}", self.random.below(3));
        };
        let mut items: Vec<_> = (0..=self.random.below(2))
            .filter_map(|_| end.samples.get(self.random.below(end.samples.len().max(1))))
            .filter_map(|json| json.as_str())
            .map(|name| format!("\"{name}\""))
            .collect();
        items.dedup();
        let items = items.join(",");
        match self.random.below(5) {
            0 => format!("hassubset({},[{items}])", end.path),
            1 => format!("hassubsequence({},[{items}])", end.path),
            2 => format!("length({}) ge {}", end.path, self.random.below(4)),
            3 => {
                let Some(kind) = end.kind() else { return self.near() };
                let literal = self.literal(kind, &end.samples);
                format!("{literal} in {}", end.path)
            }
            _ => format!("{}/$count le {}", end.path, self.random.below(4)),
        }
    }

    /// A value of the item of a collection with a key.
    fn of_key(&mut self) -> String {
        let place = self.place();
        let is_entity =
            |end: &End<'_>| matches!(end.ty, Type::Structured(ty) if ty.kind == TypeKind::Entity);
        let end = (0..20).filter_map(|_| place.collection(self.random)).find(is_entity);
        let Some(end) = end else { return self.near() };
        let ids: Vec<_> = end.samples.iter().filter_map(|json| json["id"].as_str()).collect();
        if ids.is_empty() {
            return self.near();
        }
        let key = quoted(self.random.pick::<&str>(&ids));
        let prefix = format!("{}({key})/", end.path);
        let item = Place { prefix, ty: end.ty, samples: end.samples };
        Writer { random: self.random, places: vec![item] }.near()
    }

    fn negated_bool(&mut self) -> String {
        match self.path(Kind::Bool) {
            Some(end) if self.random.chance(50) => format!("not {}", end.path),
            Some(end) => end.path,
            None => self.near(),
        }
    }

    fn of_enum(&mut self) -> String {
        let place = self.place();
        for _ in 0..12 {
            let end = place.walk(self.random);
            let Some(kind @ Kind::Enum(ty)) = end.kind().filter(|_| !end.is_collection) else {
                continue;
            };
            let literal = self.literal(kind, &end.samples);
            return match self.random.below(3) {
                0 => format!(
                    "{} has {}{literal}",
                    end.path,
                    if literal.starts_with('\'') { ty.name } else { "" }
                ),
                1 => format!("{} gt {literal}", end.path),
                _ => format!("{} ne {literal}", end.path),
            };
        }
        self.near()
    }
}
