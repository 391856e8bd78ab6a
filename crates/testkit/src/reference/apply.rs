//! `$apply` (Data Aggregation 4.0, section 3): each transformation makes a new list of items.

use std::cmp::Ordering;
use std::collections::HashMap;

use model::rows::QUALITY;
use odata::bound::{
    Aggregate, Apply, ComputedMember, Extreme, GroupKey, Method, OrderKey, Path, PathStep,
    Transformation,
};

use super::arithmetic::{TICK, fail, ticks};
use super::expression::{Scope, at_end, holds, value};
use super::search;
use super::value::{Value, plain, sorted};

/// The items that a chain of transformations makes of others.
pub(super) fn apply(chain: &Apply, items: Vec<Value>) -> Vec<Value> {
    chain.steps.iter().fold(items, |items, step| transform(step, items))
}

fn transform(step: &Transformation, mut items: Vec<Value>) -> Vec<Value> {
    match step {
        Transformation::Identity => items,
        Transformation::Filter(condition) => {
            items.retain(|item| holds(condition, &Scope::of(item)));
            items
        }
        Transformation::Search(words) => {
            items.retain(|item| search::found(words, item));
            items
        }
        Transformation::Compute(computed) => {
            items.iter().map(|item| with_computed(item, computed)).collect()
        }
        Transformation::OrderBy(keys) => ordered(keys, items),
        Transformation::Skip(count) => items.into_iter().skip(*count as usize).collect(),
        Transformation::Top(count) => items.into_iter().take(*count as usize).collect(),
        Transformation::Aggregate(aggregates) => vec![aggregate(aggregates, &items)],
        Transformation::GroupBy { keys, apply } => group_by(keys, apply.as_ref(), &items),
        Transformation::Concat(chains) => {
            chains.iter().flat_map(|chain| self::apply(chain, items.clone())).collect()
        }
        Transformation::Join { path, alias, apply, is_outer } => {
            let joined = |item: Value| {
                let mut related = value(path, &Scope::of(&item)).items().to_vec();
                if let Some(chain) = apply {
                    related = self::apply(chain, related);
                }
                if related.is_empty() && *is_outer {
                    related.push(Value::Null);
                }
                let with = move |other| item.with_member(alias, other);
                related.into_iter().map(with).collect::<Vec<_>>()
            };
            items.into_iter().flat_map(joined).collect()
        }
        Transformation::Extreme { kind, amount, by } => {
            let amount = value(amount, &Scope::of(&Value::Null));
            extreme(*kind, &amount, |item| value(by, &Scope::of(item)), items)
        }
    }
}

/// The item with what is computed, none of which sees another.
pub(super) fn with_computed(item: &Value, computed: &[ComputedMember]) -> Value {
    let scope = Scope::of(item);
    let add = |with: Value, member: &ComputedMember| {
        with.with_member(&member.alias, value(&member.value, &scope))
    };
    computed.iter().fold(item.clone(), add)
}

/// The items by the keys; equal ones stay as they are.
fn ordered(keys: &[OrderKey], items: Vec<Value>) -> Vec<Value> {
    order_of(keys, items.iter()).into_iter().map(|place| items[place].clone()).collect()
}

/// The places of the items in the order of the keys.
pub(super) fn order_of<'a>(
    keys: &[OrderKey],
    items: impl Iterator<Item = &'a Value>,
) -> Vec<usize> {
    let by = |item| {
        let scope = Scope::of(item);
        keys.iter().map(|key| value(&key.value, &scope)).collect::<Vec<_>>()
    };
    let values: Vec<_> = items.map(by).collect();
    let mut places: Vec<_> = (0..values.len()).collect();
    places.sort_by(|a, b| {
        keys.iter().enumerate().fold(Ordering::Equal, |so_far, (at, key)| {
            let by_key = sorted(&values[*a][at], &values[*b][at]);
            so_far.then(if key.is_descending { by_key.reverse() } else { by_key })
        })
    });
    places
}

fn group_by(keys: &[GroupKey], chain: Option<&Apply>, items: &[Value]) -> Vec<Value> {
    let levels = levels(keys);
    levels.iter().flat_map(|paths| group_by_paths(paths, chain, items)).collect()
}

/// The lists of paths that are grouped by, one behind the other; without `rollup` it is one.
fn levels(keys: &[GroupKey]) -> Vec<Vec<&Path>> {
    let mut levels: Vec<Vec<&Path>> = vec![Vec::new()];
    for key in keys {
        let choices: Vec<Vec<&Path>> = match key {
            GroupKey::Path(path) => vec![vec![path]],
            GroupKey::Rollup { paths, all } => {
                let coarsest = usize::from(!all);
                (coarsest..=paths.len())
                    .rev()
                    .map(|count| paths[..count].iter().collect())
                    .collect()
            }
        };
        levels = levels
            .iter()
            .flat_map(|level| choices.iter().map(|choice| [level.as_slice(), choice].concat()))
            .collect();
    }
    levels
}

fn group_by_paths(paths: &[&Path], chain: Option<&Apply>, items: &[Value]) -> Vec<Value> {
    let mut places: HashMap<Vec<String>, usize> = HashMap::new();
    let mut groups: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    for item in items {
        let values: Vec<_> = paths.iter().map(|path| at_end(path, &Scope::of(item))).collect();
        let same: Vec<_> = values.iter().map(identity).collect();
        let place = *places.entry(same).or_insert(groups.len());
        if place == groups.len() {
            groups.push((values, Vec::new()));
        }
        groups[place].1.push(item.clone());
    }
    let mut result = Vec::new();
    for (values, members) in groups {
        let made = match chain {
            Some(chain) => apply(chain, members),
            None => vec![Value::Object(std::rc::Rc::default())],
        };
        for item in made {
            let keys = paths.iter().zip(&values).filter(|(path, _)| !keeps(&item, path));
            let keys: Vec<_> = keys.collect();
            result.push(
                keys.into_iter().fold(item, |item, (path, value)| put(&item, &path.steps, value)),
            );
        }
    }
    result
}

/// Whether an item is a row that still has what it is grouped by, as it stands there; its verdict, which it
/// doesn't show, too.
fn keeps(item: &Value, path: &Path) -> bool {
    let Value::Object(object) = item else { return false };
    let name = match path.steps.iter().find(|step| !matches!(step, PathStep::Cast(_))) {
        Some(PathStep::Property(property)) => property.name,
        Some(PathStep::Member(name)) => name,
        _ => return false,
    };
    object.ty.is_some() && (object.members.contains_key(name) || name == QUALITY)
}

/// A text that two values share if they are the same.
fn identity(value: &Value) -> String {
    match value {
        Value::Float(number) if *number == 0.0 => "Int(0)".to_owned(),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            format!("Int({})", *number as i64)
        }
        Value::Instant { at, .. } => format!("Instant({at})"),
        Value::Text(text) => format!("Text({:?})", plain(text)),
        Value::Member(_, name) => format!("Member({name})"),
        Value::Object(object) => {
            let members = object.members.iter().filter(|(_, value)| !value.is_null());
            let texts = members.map(|(name, value)| format!("{name:?}:{}", identity(value)));
            texts.collect::<Vec<_>>().join(",")
        }
        Value::List(items) => {
            format!("[{}]", items.iter().map(identity).collect::<Vec<_>>().join(","))
        }
        value => format!("{value:?}"),
    }
}

/// The item with `value` at the end of a path.
fn put(item: &Value, steps: &[PathStep], value: &Value) -> Value {
    let name = match steps.first() {
        None => return value.clone(),
        Some(PathStep::Property(property)) => property.name,
        Some(PathStep::Member(name)) => name,
        Some(PathStep::Call(call)) => &call.to_string(),
        // Where the item is of another type there is nothing to put, and the value is null.
        Some(PathStep::Cast(_)) if value.is_null() => return item.clone(),
        Some(PathStep::Cast(ty)) => return put(&item.as_type(ty), &steps[1..], value),
        Some(_) => return put(item, &steps[1..], value),
    };
    item.with_member(name, put(&item.member(name), &steps[1..], value))
}

fn aggregate(aggregates: &[Aggregate], items: &[Value]) -> Value {
    let row = Value::Object(std::rc::Rc::default());
    aggregates
        .iter()
        .fold(row, |row, aggregate| row.with_member(&aggregate.alias, figure(aggregate, items)))
}

fn figure(aggregate: &Aggregate, items: &[Value]) -> Value {
    let Some(expression) = &aggregate.value else { return Value::Int(items.len() as i64) };
    let of_each = items.iter().map(|item| value(expression, &Scope::of(item)));
    let flat = of_each.flat_map(|value| match value {
        Value::List(items) => items.to_vec(),
        value => vec![value],
    });
    let values: Vec<_> = flat.filter(|value| !value.is_null()).collect();
    let by_order = |a: &Value, b: &Value| sorted(a, b);
    match aggregate.method {
        Method::Count => Value::Int(values.len() as i64),
        Method::CountDistinct => {
            let distinct: std::collections::HashSet<_> = values.iter().map(identity).collect();
            Value::Int(distinct.len() as i64)
        }
        Method::Min => ranked(values).min_by(by_order).unwrap_or(Value::Null),
        Method::Max => ranked(values).max_by(by_order).unwrap_or(Value::Null),
        Method::Sum => sum(&values),
        Method::Average => average(&values),
        Method::Percentile(share) => percentile(share, values),
    }
}

/// The values that have a place in an order, which NaN has not.
fn ranked(values: Vec<Value>) -> impl Iterator<Item = Value> {
    let is_nan = |value: &Value| matches!(value, Value::Float(number) if number.is_nan());
    values.into_iter().filter(move |value| !is_nan(value))
}

/// The exact sum where all values are whole numbers, or all are durations (in ticks).
fn exact(values: &[Value]) -> Option<i128> {
    let is_same = |value: &&Value| {
        let kinds = (value, &values[0]);
        matches!(kinds, (Value::Int(_), Value::Int(_)) | (Value::Duration(_), Value::Duration(_)))
    };
    let whole = |value: &Value| match value {
        Value::Int(whole) => i128::from(*whole),
        Value::Duration(length) => *length,
        _ => 0,
    };
    values.iter().all(|value| is_same(&value)).then(|| values.iter().map(whole).sum())
}

/// Of whole numbers and of durations exact; what 64 bits don't hold fails.
fn sum(values: &[Value]) -> Value {
    match (values.first(), exact(values)) {
        (None, _) => Value::Null,
        (Some(Value::Duration(_)), Some(sum)) => {
            ticks(sum).map_or_else(fail, |_| Value::Duration(sum))
        }
        (_, Some(sum)) => i64::try_from(sum).map_or_else(|_| fail(), Value::Int),
        (_, None) => real_sum(values).map_or(Value::Null, Value::Float),
    }
}

/// The sum of numbers of any kind, rounded once at its end: parts that don't overlap are kept
/// (Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997).
fn real_sum(values: &[Value]) -> Option<f64> {
    let mut numbers = Vec::new();
    for value in values {
        let number = value.number()?;
        numbers.push(number);
        if let Value::Int(whole) = value {
            numbers.push((i128::from(*whole) - number as i128) as f64);
        }
    }
    let plain: f64 = numbers.iter().sum();
    if !plain.is_finite() {
        return Some(plain);
    }
    let mut parts: Vec<f64> = Vec::new();
    for mut number in numbers {
        let mut kept = Vec::new();
        for mut part in parts {
            if number.abs() < part.abs() {
                std::mem::swap(&mut number, &mut part);
            }
            let sum = number + part;
            let lost = part - (sum - number);
            if lost != 0.0 {
                kept.push(lost);
            }
            number = sum;
        }
        kept.push(number);
        parts = kept;
    }
    Some(parts.iter().sum())
}

/// Of durations rounded to the nearest tick.
fn average(values: &[Value]) -> Value {
    let count = values.len() as i128;
    match (values.first(), exact(values)) {
        (None, _) => Value::Null,
        (Some(Value::Duration(_)), Some(sum)) => {
            let parts = count * TICK;
            let nearest = (sum.abs() * 2 + parts) / (parts * 2) * sum.signum();
            ticks(nearest * TICK).map_or_else(fail, |_| Value::Duration(nearest * TICK))
        }
        (_, Some(sum)) => Value::Float(sum as f64 / count as f64),
        (_, None) => real_sum(values).map_or(Value::Null, |sum| Value::Float(sum / count as f64)),
    }
}

/// Between the two neighbours of the place `share * (count - 1)` in the order of the values.
fn percentile(share: f64, mut values: Vec<Value>) -> Value {
    values.sort_by(sorted);
    let Some(last) = values.len().checked_sub(1) else { return Value::Null };
    let place = share * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    let rest = place - place.floor();
    match (&values[low], &values[high.min(last)]) {
        (Value::Duration(low), Value::Duration(high)) => {
            let (low, high) = (low.div_euclid(TICK), high.div_euclid(TICK));
            Value::Duration((low + ((high - low) as f64 * rest).round() as i128) * TICK)
        }
        (low, high) => match (low.number(), high.number()) {
            (Some(low), Some(_)) if rest == 0.0 => Value::float(low),
            (Some(low), Some(high)) if low.total_cmp(&high).is_eq() => Value::float(low),
            (Some(low), Some(high)) => Value::Float(low * (1.0 - rest) + high * rest),
            _ => Value::Null,
        },
    }
}

/// The first items by a value, of equal ones the earlier, in the order of the input. Null stands
/// where `$orderby` puts it, and adds nothing.
fn extreme(
    kind: Extreme,
    amount: &Value,
    by: impl Fn(&Value) -> Value,
    items: Vec<Value>,
) -> Vec<Value> {
    use Extreme::{BottomCount, BottomPercent, BottomSum, TopCount, TopPercent, TopSum};
    let is_top = matches!(kind, TopCount | TopSum | TopPercent);
    let by: Vec<_> = items.iter().map(by).collect();
    let mut places: Vec<_> = (0..items.len()).collect();
    places.sort_by(|a, b| {
        let by_value = sorted(&by[*a], &by[*b]);
        if is_top { by_value.reverse() } else { by_value }
    });
    let numbers = |values: &[Value]| -> Vec<Value> {
        values.iter().filter_map(Value::number).map(Value::Float).collect()
    };
    let all = real_sum(&numbers(&by)).unwrap_or_default();
    let amount = amount.number().unwrap_or_default();
    let mut taken = Vec::new();
    for place in places {
        let so_far = match kind {
            TopCount | BottomCount => taken.len() as f64,
            TopSum | BottomSum | TopPercent | BottomPercent => {
                let taken: Vec<_> = taken.iter().map(|place: &usize| by[*place].clone()).collect();
                real_sum(&numbers(&taken)).unwrap_or_default()
            }
        };
        let is_enough = match kind {
            // Not even when -INF and INF have met.
            TopCount | BottomCount | TopSum | BottomSum => so_far >= amount || so_far.is_nan(),
            TopPercent | BottomPercent if all < 0.0 => so_far * 100.0 <= all * amount,
            TopPercent | BottomPercent => all > 0.0 && so_far * 100.0 >= all * amount,
        };
        if is_enough {
            break;
        }
        taken.push(place);
    }
    taken.sort_unstable();
    taken.into_iter().map(|place| items[place].clone()).collect()
}
