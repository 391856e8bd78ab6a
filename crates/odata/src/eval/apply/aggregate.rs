//! Figures of many values: sums, averages, extremes, counts and percentiles.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::identity::push_identity;
use super::sum::Sum;
use crate::bound::{Aggregate, Method, Place};
use crate::eval::arithmetic::nearest;
use crate::eval::meter::{Exhausted, Fault};
use crate::eval::{HeapSize, Value};
use crate::primitive::{Fine, Moment};

/// Collects values and makes figures of them. Null, and values that a figure can't be made of,
/// are left out; of no values the figure is null, a count 0. The order in which values of one type come does not
/// matter.
///
/// The sum of whole numbers is a whole number, that of durations a duration. An average is a number or a duration, as is a percentile, which may be an instant.
#[derive(Debug)]
pub struct Aggregator {
    figures: Vec<(Figure, Place)>,
}

#[derive(Debug)]
enum Figure {
    Items(i64),
    Values(i64),
    Sum(Total),
    Average(Total, i64),
    Extreme {
        wanted: Ordering,
        best: Option<Value<'static>>,
    },
    /// The values so far, and room to write the one at hand.
    Distinct(HashSet<Box<[u8]>>, Vec<u8>),
    Percentile(f64, Sample),
}

/// A sum, rounded at the end if at all.
#[derive(Debug)]
enum Total {
    Nothing,
    Whole(i128),
    /// Picoseconds.
    Time(i128),
    Real(Sum),
}

/// Values of one type.
#[derive(Debug)]
enum Sample {
    Nothing,
    Numbers(Vec<f64>),
    Durations(Vec<i64>),
    Instants(Vec<i64>),
}

impl Aggregator {
    /// For these figures.
    pub fn new(aggregates: &[Aggregate]) -> Self {
        let figure = |aggregate: &Aggregate| (Figure::new(aggregate), aggregate.place);
        Self { figures: aggregates.iter().map(figure).collect() }
    }

    /// Takes an item, given by a value for each figure; the value for one that counts items is
    /// ignored. Returns how many bytes more are kept in memory.
    pub fn push(&mut self, values: &[Value<'_>]) -> usize {
        let mut kept = 0;
        for ((figure, _), value) in self.figures.iter_mut().zip(values) {
            figure.count_item();
            kept += figure.add(value, 1);
        }
        kept
    }

    /// Counts an item for the figure with that index, if it counts items.
    pub fn count_item(&mut self, index: usize) {
        self.count_items(index, 1);
    }

    /// Counts so many items for the figure with that index, if it counts items.
    pub fn count_items(&mut self, index: usize, count: u32) {
        if let Some((Figure::Items(items), _)) = self.figures.get_mut(index) {
            *items += i64::from(count);
        }
    }

    /// Takes one of perhaps many values of an item for the figure with that index. Returns how
    /// many bytes more are kept in memory.
    pub fn add(&mut self, index: usize, value: &Value<'_>) -> usize {
        self.add_times(index, value, 1)
    }

    /// Takes a value that so many items have for the figure with that index. Returns how many bytes more are
    /// kept in memory.
    pub fn add_times(&mut self, index: usize, value: &Value<'_>, times: u32) -> usize {
        self.figures.get_mut(index).map_or(0, |(figure, _)| figure.add(value, times))
    }

    /// The figures, in the order in which they were asked for.
    ///
    /// # Errors
    /// When a sum or an average is beyond what its type can hold.
    pub fn finish(self) -> Result<Vec<Value<'static>>, Exhausted> {
        let finish = |(figure, place): (Figure, Place)| {
            figure.finish().map_err(|fault| Exhausted::Calculation { fault, place })
        };
        self.figures.into_iter().map(finish).collect()
    }
}

impl Figure {
    fn new(aggregate: &Aggregate) -> Self {
        match aggregate.method {
            Method::Sum => Self::Sum(Total::Nothing),
            Method::Min => Self::Extreme { wanted: Ordering::Less, best: None },
            Method::Max => Self::Extreme { wanted: Ordering::Greater, best: None },
            Method::Average => Self::Average(Total::Nothing, 0),
            Method::CountDistinct => Self::Distinct(HashSet::new(), Vec::new()),
            Method::Count if aggregate.value.is_none() => Self::Items(0),
            Method::Count => Self::Values(0),
            Method::Percentile(share) => Self::Percentile(share.clamp(0.0, 1.0), Sample::Nothing),
        }
    }

    fn count_item(&mut self) {
        if let Self::Items(count) = self {
            *count += 1;
        }
    }

    fn add(&mut self, value: &Value<'_>, times: u32) -> usize {
        match self {
            Self::Items(_) => {}
            Self::Values(_) if value.is_null() => {}
            Self::Values(count) => *count += i64::from(times),
            Self::Sum(total) => {
                total.add(value, times);
            }
            Self::Average(total, count) => {
                *count += if total.add(value, times) { i64::from(times) } else { 0 };
            }
            Self::Extreme { wanted, best } => {
                let is_better = match best {
                    Some(best) => match value.order(best) {
                        // Texts that differ in case only, and the zeros.
                        Some(Ordering::Equal) => order_of_equals(value, best) == *wanted,
                        order => order == Some(*wanted),
                    },
                    // What has no place in an order is not even equal to itself.
                    None => value.order(value).is_some(),
                };
                if is_better {
                    let before = best.as_ref().map_or(0, HeapSize::heap_size);
                    *best = Some(match value {
                        // Of many rows with zones of their own.
                        Value::Instant(moment) => Value::Instant(Moment { offset: 0, ..*moment }),
                        value => value.clone().into_owned(),
                    });
                    return value.heap_size().saturating_sub(before);
                }
            }
            Self::Distinct(seen, identity) => {
                identity.clear();
                push_identity(identity, value);
                let is_new = !value.is_null() && !seen.contains(identity.as_slice());
                if is_new {
                    seen.insert(identity.as_slice().into());
                    return identity.len() + size_of::<Box<[u8]>>();
                }
            }
            Self::Percentile(_, sample) => {
                return sample.add(value, times as usize) * size_of::<f64>();
            }
        }
        0
    }

    fn finish(self) -> Result<Value<'static>, Fault> {
        Ok(match self {
            Self::Items(count) | Self::Values(count) => Value::Int(count),
            Self::Sum(total) => return total.sum(),
            Self::Average(total, count) => return total.average(count),
            Self::Extreme { best, .. } => best.unwrap_or(Value::Null),
            Self::Distinct(seen, _) => Value::Int(seen.len() as i64),
            Self::Percentile(share, sample) => sample.percentile(share),
        })
    }
}

impl Total {
    /// Adds a value so many times; whether it could be added.
    fn add(&mut self, value: &Value<'_>, times: u32) -> bool {
        if matches!(self, Self::Nothing) {
            *self = match value {
                Value::Int(_) => Self::Whole(0),
                Value::Double(_) => Self::Real(Sum::default()),
                Value::Duration(_) => Self::Time(0),
                _ => return false,
            };
        }
        if let (Self::Whole(whole), Value::Double(_)) = (&*self, value) {
            let mut sum = Sum::default();
            sum.add_whole(*whole);
            *self = Self::Real(sum);
        }
        match (self, value) {
            (Self::Whole(sum), Value::Int(value)) => {
                *sum += i128::from(*value) * i128::from(times);
            }
            (Self::Time(sum), Value::Duration(length)) => {
                *sum += length.picoseconds() * i128::from(times);
            }
            (Self::Real(sum), Value::Double(value)) => sum.add_times(*value, times),
            (Self::Real(sum), Value::Int(value)) => {
                sum.add_whole(i128::from(*value) * i128::from(times));
            }
            _ => return false,
        }
        true
    }

    fn sum(self) -> Result<Value<'static>, Fault> {
        let sum = match self {
            Self::Nothing => Some(Value::Null),
            Self::Whole(sum) => i64::try_from(sum).ok().map(Value::Int),
            Self::Time(sum) => Fine::from_picoseconds(sum).map(Value::Duration),
            Self::Real(sum) => Some(Value::Double(sum.value())),
        };
        sum.ok_or(Fault::Overflow)
    }

    fn average(self, count: i64) -> Result<Value<'static>, Fault> {
        Ok(match self {
            Self::Nothing => Value::Null,
            Self::Whole(sum) => Value::Double(sum as f64 / count as f64),
            Self::Time(sum) => {
                // To the nearest tick, halves away from zero.
                let parts = i128::from(count.max(1)) * Fine::of(1).picoseconds();
                let ticks = (sum.abs() + parts / 2) / parts * sum.signum();
                let ticks = i64::try_from(ticks).map_err(|_| Fault::Overflow)?;
                Value::Duration(Fine::of(ticks))
            }
            Self::Real(sum) => Value::Double(sum.value() / count as f64),
        })
    }
}

impl Sample {
    /// Takes a value so many times; how many were taken.
    fn add(&mut self, value: &Value<'_>, times: usize) -> usize {
        if matches!(self, Self::Nothing) {
            *self = match value {
                Value::Int(_) | Value::Double(_) => Self::Numbers(Vec::new()),
                Value::Duration(_) => Self::Durations(Vec::new()),
                Value::Instant(_) => Self::Instants(Vec::new()),
                _ => return 0,
            };
        }
        match (self, value) {
            (Self::Numbers(values), Value::Int(value)) => push(values, *value as f64, times),
            (Self::Numbers(values), Value::Double(value)) => push(values, *value, times),
            (Self::Durations(values), Value::Duration(length)) => push(values, length.ticks, times),
            (Self::Instants(values), Value::Instant(moment)) => {
                push(values, moment.at.ticks, times);
            }
            _ => return 0,
        }
        times
    }

    fn percentile(self, share: f64) -> Value<'static> {
        match self {
            Self::Nothing => Value::Null,
            Self::Numbers(mut values) => {
                let (low, high, part) = neighbours(&mut values, share, f64::total_cmp);
                if part == 0.0 || low.total_cmp(&high).is_eq() {
                    return Value::Double(low);
                }
                Value::Double(low * (1.0 - part) + high * part)
            }
            Self::Durations(values) => {
                between(values, share).map_or(Value::Null, |ticks| Value::Duration(Fine::of(ticks)))
            }
            Self::Instants(values) => between(values, share)
                .map_or(Value::Null, |ticks| Value::Instant(Moment::utc(ticks))),
        }
    }
}

fn push<T: Copy>(values: &mut Vec<T>, value: T, times: usize) {
    match times {
        1 => values.push(value),
        _ => values.resize(values.len() + times, value),
    }
}

/// Which of two values that are the same to an order comes first, so that the order in which they come decides
/// nothing.
fn order_of_equals(one: &Value<'_>, other: &Value<'_>) -> Ordering {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Value::Double(one), Value::Double(other)) => one.total_cmp(other),
        _ => Ordering::Equal,
    }
}

/// The nearest tick at the place that a share has.
fn between(mut values: Vec<i64>, share: f64) -> Option<i64> {
    let (low, high, part) = neighbours(&mut values, share, i64::cmp);
    let distance = i128::from(high) - i128::from(low);
    let step = nearest(distance as f64 * part).unwrap_or(0);
    low.checked_add(step)
}

/// The two values between which the place of a share lies, and how far from the first it is.
/// `values` is not empty.
fn neighbours<T: Copy>(
    values: &mut [T],
    share: f64,
    order: impl Fn(&T, &T) -> Ordering,
) -> (T, T, f64) {
    let place = share * (values.len() - 1) as f64;
    let index = place.floor() as usize;
    let (_, low, above) = values.select_nth_unstable_by(index, &order);
    let low = *low;
    let high = above.iter().copied().min_by(|a, b| order(a, b)).unwrap_or(low);
    (low, high, place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_and_greatest_do_not_depend_on_the_order_of_values() {
        let text = |text: &'static str| Value::Text(text.into());
        let cases: [(Vec<Value<'static>>, [Value<'static>; 2]); 3] = [
            (vec![text("Lync"), text("lync"), text("lYNC")], [text("Lync"), text("lync")]),
            (
                vec![Value::Double(0.0), Value::Double(-0.0)],
                [Value::Double(-0.0), Value::Double(0.0)],
            ),
            (vec![Value::Int(2), Value::Null, Value::Int(1)], [Value::Int(1), Value::Int(2)]),
        ];
        for (values, expected) in cases {
            for turn in 0..values.len() {
                let mut values = values.clone();
                values.rotate_left(turn);
                for (wanted, expected) in [Ordering::Less, Ordering::Greater].iter().zip(&expected)
                {
                    let mut figure = Figure::Extreme { wanted: *wanted, best: None };
                    for value in &values {
                        figure.add(value, 1);
                    }
                    let found = figure.finish().map(|found| format!("{found:?}"));
                    assert_eq!(found.ok(), Some(format!("{expected:?}")), "{values:?}");
                }
            }
        }
    }
}
