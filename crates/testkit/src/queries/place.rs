//! Where names in an expression start, which paths lead on from there, and which values stand at
//! their ends in the records at hand.

use std::sync::LazyLock;

use model::generated::VERDICT;
use model::rows::QUALITY;
use odata::edm::{EnumType, Primitive, Property, StructuredType, Type};
use serde_json::Value as Json;

use super::random::Random;

/// Values that are kept of a path at most, to choose literals from.
const SAMPLES: usize = 60;

/// What kind of value an expression has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Bool,
    Int,
    Float,
    Text,
    Instant,
    Duration,
    Date,
    Time,
    Enum(&'static EnumType),
}

impl Kind {
    pub(super) fn of(ty: Type) -> Option<Self> {
        Some(match ty {
            Type::Enum(ty) => Self::Enum(ty),
            Type::Primitive(primitive) => match primitive {
                Primitive::Boolean => Self::Bool,
                Primitive::Int32 | Primitive::Int64 => Self::Int,
                Primitive::Single | Primitive::Double | Primitive::Decimal => Self::Float,
                Primitive::String | Primitive::Guid => Self::Text,
                Primitive::DateTimeOffset => Self::Instant,
                Primitive::Duration => Self::Duration,
                Primitive::Date => Self::Date,
                Primitive::TimeOfDay => Self::Time,
                Primitive::Stream => return None,
            },
            Type::Structured(_) | Type::Undeclared(_) => return None,
        })
    }

    /// Whether values of both can be compared.
    pub(super) fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Enum(a), Self::Enum(b)) => std::ptr::eq(a, b),
            (Self::Int | Self::Float, Self::Int | Self::Float) => true,
            (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        }
    }
}

/// Where names start: at the item, or at a lambda variable.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    /// What stands before a name, for example `s/`; the variable itself where the items have no
    /// members.
    pub(super) prefix: String,
    /// The type of the items.
    pub(super) ty: Type,
    /// Some of them.
    pub(super) samples: Vec<&'a Json>,
}

/// The end of a path.
#[derive(Debug, Clone)]
pub(super) struct End<'a> {
    pub(super) path: String,
    pub(super) ty: Type,
    pub(super) is_collection: bool,
    /// The last step is over a relation, or behind one.
    pub(super) samples: Vec<&'a Json>,
}

impl End<'_> {
    pub(super) fn kind(&self) -> Option<Kind> {
        Kind::of(self.ty)
    }
}

impl<'a> Place<'a> {
    /// A path to a value or to a collection, mostly one at which something stands.
    pub(super) fn walk(&self, random: &mut Random) -> End<'a> {
        let mut end = End {
            path: self.prefix.clone(),
            ty: self.ty,
            is_collection: false,
            samples: self.samples.clone(),
        };
        while let Type::Structured(mut ty) = end.ty {
            if end.is_collection {
                break;
            }
            if ty.member(QUALITY).is_some() && random.chance(6) {
                return verdict(end, random);
            }
            if let Some(derived) = derived(ty, &end.samples, random) {
                end.path.push_str(derived.name);
                end.path.push('/');
                ty = derived;
            }
            let Some(property) = property(ty, &end.samples, random) else {
                // An open type of which nothing is known but what the items have.
                return dynamic(end, ty, random);
            };
            if ty.is_open && random.chance(15) {
                return dynamic(end, ty, random);
            }
            end.path.push_str(property.name);
            end.ty = property.ty;
            end.is_collection = property.is_collection;
            end.samples = inside(&end.samples, property.name, random);
            if matches!(end.ty, Type::Structured(_)) && !end.is_collection {
                end.path.push('/');
            }
        }
        end
    }

    /// A path to a single value of that kind, if a few tries find one.
    pub(super) fn value(&self, kind: Kind, random: &mut Random) -> Option<End<'a>> {
        let fits = |end: &End<'_>| !end.is_collection && end.kind().is_some_and(|k| k.meets(kind));
        (0..12).map(|_| self.walk(random)).find(fits)
    }

    /// A path to a collection, if a few tries find one.
    pub(super) fn collection(&self, random: &mut Random) -> Option<End<'a>> {
        (0..12).map(|_| self.walk(random)).find(|end| end.is_collection)
    }
}

fn derived(
    ty: &'static StructuredType,
    samples: &[&Json],
    random: &mut Random,
) -> Option<&'static StructuredType> {
    if ty.derived.is_empty() || random.chance(15) {
        return None;
    }
    let of_sample = |json: &&Json| {
        let name = json["@odata.type"].as_str()?.trim_start_matches('#');
        ty.derived.iter().copied().find(|derived| derived.name == name)
    };
    let found: Vec<_> = samples.iter().filter_map(of_sample).filter(|ty| ty.is_served).collect();
    (!found.is_empty()).then(|| *random.pick(&found))
}

fn property(
    ty: &'static StructuredType,
    samples: &[&Json],
    random: &mut Random,
) -> Option<&'static Property> {
    // See [`verdict`].
    let kept = ty.dynamic.iter().filter(|property| property.name != QUALITY);
    let all = ty.properties.iter().chain(kept);
    let served: Vec<_> = all
        .filter(|property| property.is_served || !property.is_navigation)
        .filter(|property| !matches!(property.ty, Type::Undeclared(_)))
        .collect();
    let says = |property: &&&Property| {
        samples.iter().any(|json| match &json[property.name] {
            Json::Null => false,
            Json::Array(items) => !items.is_empty(),
            _ => true,
        })
    };
    let telling: Vec<_> = served.iter().filter(says).copied().collect();
    if telling.is_empty() || random.chance(8) {
        return (!served.is_empty()).then(|| *random.pick(&served));
    }
    // What is inside is chosen more often than its many neighbours.
    let deep: Vec<_> = telling
        .iter()
        .filter(|property| property.is_collection || matches!(property.ty, Type::Structured(_)))
        .copied()
        .collect();
    if !deep.is_empty() && random.chance(30) {
        return Some(*random.pick(&deep));
    }
    Some(*random.pick(&telling))
}

/// What the reference says of a verdict: by the profile whose verdicts are kept, or by one that is named.
fn verdict<'a>(mut end: End<'a>, random: &mut Random) -> End<'a> {
    static VERDICTS: LazyLock<Vec<Json>> =
        LazyLock::new(|| VERDICT.members.iter().map(|(name, _)| (*name).into()).collect());
    static REASONS: LazyLock<Vec<Json>> = LazyLock::new(|| {
        ["packetLoss", "jitter", "roundTrip", "gate", "noMetrics"].map(Json::from).into()
    });
    end.path.push_str(QUALITY);
    match random.below(6) {
        0..=2 => {}
        3 => end.path.push_str("()"),
        _ => {
            let profiles = ["cqd-2021", "cqd-2020", "cri-2", "teams-live"];
            end.path.extend(["(profile='", *random.pick(&profiles), "')"]);
        }
    }
    let (name, ty, samples) = match random.below(3) {
        0 => ("/reason", Type::Primitive(Primitive::String), &REASONS),
        _ => ("/verdict", Type::Enum(&VERDICT), &VERDICTS),
    };
    end.path.push_str(name);
    (end.ty, end.samples) = (ty, samples.iter().collect());
    end
}

/// A member that only the items know.
fn dynamic<'a>(mut end: End<'a>, ty: &'static StructuredType, random: &mut Random) -> End<'a> {
    let mut names: Vec<&str> = end
        .samples
        .iter()
        .filter_map(|json| json.as_object())
        .flat_map(|members| members.keys().map(String::as_str))
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .filter(|name| ty.member(name).is_none())
        .collect();
    names.sort_unstable();
    names.dedup();
    let name = if names.is_empty() || random.chance(10) { "Nowhere" } else { random.pick(&names) };
    end.path.push_str(name);
    end.samples = inside(&end.samples, name, random);
    end.ty = Type::Undeclared("");
    end
}

fn inside<'a>(samples: &[&'a Json], name: &str, random: &mut Random) -> Vec<&'a Json> {
    let mut found: Vec<&Json> = samples
        .iter()
        .flat_map(|json| match &json[name] {
            Json::Array(items) => items.iter().collect(),
            other => vec![other],
        })
        .collect();
    while found.len() > SAMPLES {
        found.swap_remove(random.below(found.len()));
    }
    found
}
