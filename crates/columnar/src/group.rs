//! Groups of rows and their figures, from several blocks and from elsewhere.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::FixedState;
use odata::bound::Aggregate;
use odata::eval::{Aggregator, Excess, HeapSize, Meter, Sizes, Value, push_identity};

use crate::block::Block;
use crate::calculation::Calculation;
use crate::column::NULL;
use crate::question::Question;

/// Bytes of a group beside its keys, roughly.
const GROUP: usize = 256;
/// Combinations of keys up to which each has a place of its own in a table.
const FEW_COMBINATIONS: u128 = 1 << 16;
/// The group of a combination that has not come yet.
const NO_GROUP: u32 = u32::MAX;

/// Groups of rows.
#[derive(Debug)]
pub struct Groups<'q> {
    aggregates: &'q [Aggregate],
    sizes: Sizes,
    found: HashMap<Box<[u8]>, u32, FixedState>,
    groups: Vec<Group>,
    /// Values kept.
    kept: usize,
}

/// Rows with the same keys.
#[derive(Debug)]
pub struct Group {
    /// The first of its rows.
    pub first: First,
    /// Rows of other sources that may be the first as well: their calls started at the same instant.
    pub ties: Vec<First>,
    /// By the keys.
    pub keys: Vec<Value<'static>>,
    /// Its figures.
    pub aggregator: Aggregator,
}

/// Where the first row of a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct First {
    /// When its call started, in ticks.
    pub start: i64,
    /// What has the row.
    pub source: usize,
    /// Which of its rows, in order.
    pub row: usize,
}

/// A key of the rows of a block: for each row the place of its value among the different ones.
struct Key<'b> {
    places: Vec<u32>,
    values: Vec<Value<'b>>,
}

impl<'q> Groups<'q> {
    /// No group yet; or one of all rows, where there are no keys.
    pub fn new(aggregates: &'q [Aggregate], has_keys: bool, sizes: Sizes) -> Self {
        let mut groups = Vec::new();
        if !has_keys {
            let first = First { start: i64::MIN, source: 0, row: 0 };
            let aggregator = Aggregator::new(aggregates);
            groups.push(Group { first, ties: Vec::new(), keys: Vec::new(), aggregator });
        }
        Self { aggregates, sizes, found: HashMap::default(), groups, kept: 0 }
    }

    /// The group with these keys. Rows of a source are to be given in their order.
    ///
    /// # Errors
    /// When there are too many.
    pub fn find(&mut self, keys: &[Value<'_>], first: First, meter: &Meter) -> Result<u32, Excess> {
        if keys.is_empty() {
            return Ok(0);
        }
        let mut identity = Vec::new();
        for key in keys {
            push_identity(&mut identity, key);
        }
        if let Some(index) = self.found.get(identity.as_slice()) {
            self.groups[*index as usize].meet(first);
            return Ok(*index);
        }
        let limit = self.sizes.groups;
        if self.groups.len() >= limit {
            return Err(Excess::TooManyGroups(limit));
        }
        let keys: Vec<_> = keys.iter().map(|key| key.clone().into_owned()).collect();
        let size: usize = keys.iter().map(HeapSize::heap_size).sum();
        meter.keep(GROUP + size + identity.len());
        meter.check()?;
        let index = self.groups.len() as u32;
        let aggregator = Aggregator::new(self.aggregates);
        self.groups.push(Group { first, ties: Vec::new(), keys, aggregator });
        self.found.insert(identity.into(), index);
        Ok(index)
    }

    /// Counts a row of a group for a figure that counts rows.
    pub fn count(&mut self, group: u32, figure: usize, rows: u32) {
        self.groups[group as usize].aggregator.count_items(figure, rows);
    }

    /// Takes a value of a group for a figure.
    ///
    /// # Errors
    /// When too many values have to be kept.
    pub fn add(
        &mut self,
        group: u32,
        figure: usize,
        value: &Value<'_>,
        meter: &Meter,
    ) -> Result<(), Excess> {
        let bytes = self.groups[group as usize].aggregator.add(figure, value);
        if bytes > 0 {
            self.kept += 1;
            meter.keep(bytes);
            let limit = self.sizes.values;
            if self.kept > limit {
                return Err(Excess::TooManyValues(limit));
            }
        }
        Ok(())
    }

    /// Takes rows of a block, in their order, that meet the question's conditions.
    ///
    /// # Errors
    /// When there are too many groups or values, and when the meter has run out.
    pub fn add_block(
        &mut self,
        question: &Question,
        block: &Block,
        rows: &[u32],
        meter: &Meter,
    ) -> Result<(), Excess> {
        if rows.is_empty() {
            return Ok(());
        }
        let groups = self.groups_of(question, block, rows, meter)?;
        for (figure, calculation) in question.figures.iter().enumerate() {
            let Some(calculation) = calculation else {
                let mut counts = vec![0_u32; self.groups.len()];
                for group in &groups {
                    counts[*group as usize] += 1;
                }
                for (group, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                    self.count(group as u32, figure, *count);
                }
                continue;
            };
            let mut failure = None;
            calculation.each(block, rows, meter, |at, value, _| {
                if failure.is_none() {
                    failure = self.add(groups[at], figure, value, meter).err();
                }
            });
            if let Some(failure) = failure {
                return Err(failure);
            }
            meter.check()?;
        }
        meter.check()?;
        Ok(())
    }

    /// The group of each row.
    fn groups_of(
        &mut self,
        question: &Question,
        block: &Block,
        rows: &[u32],
        meter: &Meter,
    ) -> Result<Vec<u32>, Excess> {
        if question.keys.is_empty() {
            return Ok(vec![0; rows.len()]);
        }
        let keys = question.keys.iter().map(|key| keys_of(key, block, rows, meter));
        let keys: Vec<Key<'_>> = keys.collect();
        meter.check()?;
        let count = keys.iter().map(|key| key.values.len() as u128).product::<u128>();
        let mut new_group = |at: usize| {
            let values = keys.iter().map(|key| key.values[key.places[at] as usize].clone());
            let values: Vec<_> = values.collect();
            let row = rows[at] as usize;
            let start = block.starts.int(row).unwrap_or(i64::MIN);
            self.find(&values, First { start, source: block.number, row }, meter)
        };
        let mut groups = Vec::with_capacity(rows.len());
        if count <= FEW_COMBINATIONS {
            let mut known = vec![NO_GROUP; count as usize];
            for at in 0..rows.len() {
                let place = keys
                    .iter()
                    .fold(0, |place, key| place * key.values.len() + key.places[at] as usize);
                if known[place] == NO_GROUP {
                    known[place] = new_group(at)?;
                }
                groups.push(known[place]);
            }
            return Ok(groups);
        }
        let mut known: HashMap<u128, u32, FixedState> = HashMap::default();
        for at in 0..rows.len() {
            let place = keys.iter().fold(0_u128, |place, key| {
                place * key.values.len() as u128 + u128::from(key.places[at])
            });
            let group = match known.entry(place) {
                Entry::Occupied(group) => *group.get(),
                Entry::Vacant(vacant) => *vacant.insert(new_group(at)?),
            };
            groups.push(group);
        }
        Ok(groups)
    }

    /// The groups.
    pub fn finish(self) -> Vec<Group> {
        self.groups
    }
}

impl Group {
    /// Takes note of another of its rows.
    fn meet(&mut self, row: First) {
        match row.start.cmp(&self.first.start) {
            Ordering::Less => {}
            Ordering::Equal => {
                let is_known = |known: &First| known.source == row.source;
                if !is_known(&self.first) && !self.ties.iter().any(is_known) {
                    self.ties.push(row);
                }
            }
            Ordering::Greater => {
                self.first = row;
                self.ties.clear();
            }
        }
    }
}

fn keys_of<'b>(key: &'b Calculation, block: &'b Block, rows: &[u32], meter: &Meter) -> Key<'b> {
    if let Some(coded) = key.coded(block, meter) {
        let null = coded.values.len() as u32;
        let place = |row: &u32| match coded.codes[*row as usize] {
            NULL => null,
            code => code,
        };
        let places = rows.iter().map(place).collect();
        let mut values = coded.values;
        values.push(coded.of_null);
        return Key { places, values };
    }
    let mut known: HashMap<Vec<u8>, u32, FixedState> = HashMap::default();
    let mut found = Key { places: Vec::with_capacity(rows.len()), values: Vec::new() };
    let (mut identity, mut last) = (Vec::new(), 0);
    key.each(block, rows, meter, |_, value, is_same| {
        if !is_same {
            identity.clear();
            push_identity(&mut identity, value);
            last = if let Some(place) = known.get(&identity) {
                *place
            } else {
                let place = found.values.len() as u32;
                known.insert(identity.clone(), place);
                found.values.push(value.clone());
                place
            };
        }
        found.places.push(last);
    });
    found
}
