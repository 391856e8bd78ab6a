//! Groups of rows and their figures, from several blocks and from elsewhere.

use std::cmp::Ordering;
use std::collections::HashMap;

use foldhash::fast::FixedState;
use odata::bound::{Aggregate, Method};
use odata::eval::{Aggregator, Excess, HeapSize, Meter, Sizes, Value, push_identity};

use crate::block::Block;
use crate::calculation::{Calculation, Coded};
use crate::places::{FEW, Places};
use crate::question::Grouping;

/// Bytes of a group beside its keys, roughly.
const GROUP: usize = 256;
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
    pub ties: Vec<Tie>,
    /// The keys as the first row has them: texts of a group may differ in case.
    pub keys: Vec<Value<'static>>,
    /// Its figures.
    pub aggregator: Aggregator,
}

/// A row that may be the first of its group, with the keys as it has them.
#[derive(Debug)]
pub struct Tie {
    /// Where it is.
    pub row: First,
    /// Its keys.
    pub keys: Vec<Value<'static>>,
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

/// Rows of a block by their keys: of each a place, and of each place the group.
struct Cells {
    places: Places,
    groups: Vec<u32>,
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
            self.groups[*index as usize].meet(first, keys);
            return Ok(*index);
        }
        let limit = self.sizes.groups;
        if self.groups.len() >= limit {
            return Err(Excess::TooManyGroups(limit));
        }
        let keys = owned(keys);
        let size: usize = keys.iter().map(HeapSize::heap_size).sum();
        meter.keep(GROUP + size + identity.len());
        meter.check()?;
        let index = self.groups.len() as u32;
        let aggregator = Aggregator::new(self.aggregates);
        self.groups.push(Group { first, ties: Vec::new(), keys, aggregator });
        self.found.insert(identity.into(), index);
        Ok(index)
    }

    /// Counts rows of a group for a figure that counts rows.
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
        self.add_times(group, figure, (value, 1), meter)
    }

    fn add_times(
        &mut self,
        group: u32,
        figure: usize,
        (value, times): (&Value<'_>, u32),
        meter: &Meter,
    ) -> Result<(), Excess> {
        let bytes = self.groups[group as usize].aggregator.add_times(figure, value, times);
        if bytes > 0 {
            self.kept += times as usize;
            meter.keep(bytes);
            let limit = self.sizes.values;
            if self.kept > limit {
                return Err(Excess::TooManyValues(limit));
            }
        }
        Ok(())
    }

    /// Takes rows of a block, in their order, that meet the question's conditions, as far as they meet those of
    /// the grouping.
    ///
    /// # Errors
    /// When there are too many groups or values, and when the meter has run out.
    pub fn add_block(
        &mut self,
        grouping: &Grouping,
        block: &Block,
        rows: &[u32],
        meter: &Meter,
    ) -> Result<(), Excess> {
        let rows = &*grouping.rows(block, rows, meter);
        meter.check()?;
        if rows.is_empty() {
            return Ok(());
        }
        let cells = self.cells(grouping, block, rows, meter)?;
        let mut counts: Option<Vec<u32>> = None;
        for (figure, calculation) in grouping.figures.iter().enumerate() {
            let Some(calculation) = calculation else {
                let counts = counts.get_or_insert_with(|| counts_of(&cells.places));
                for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                    self.count(cells.groups[place], figure, *count);
                }
                continue;
            };
            match calculation.coded(block, rows, meter) {
                Some(coded) => self.add_coded(figure, &cells, &coded, meter)?,
                None => self.add_each(figure, &cells, (calculation, block, rows), meter)?,
            }
            meter.check()?;
        }
        meter.check()?;
        Ok(())
    }

    /// Takes values of which there are few different ones: each together with how many rows have it.
    fn add_coded(
        &mut self,
        figure: usize,
        cells: &Cells,
        coded: &Coded<'_>,
        meter: &Meter,
    ) -> Result<(), Excess> {
        let different = coded.values.len();
        // What an extreme or a distinct count is made of counts once, however often it comes.
        let counts_once = matches!(
            self.aggregates[figure].method,
            Method::Min | Method::Max | Method::CountDistinct
        );
        if different * cells.places.count > FEW {
            for (place, code) in cells.places.of.iter().zip(&coded.places.of) {
                let value = &coded.values[*code as usize];
                self.add(cells.groups[*place as usize], figure, value, meter)?;
            }
            return Ok(());
        }
        let counts = counts_of(&cells.places.clone().and(&coded.places));
        // Where there is one place or one value, places are those of the other.
        for (both, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            let (place, value) = (both / different, &coded.values[both % different]);
            let times = if counts_once { 1 } else { count };
            self.add_times(cells.groups[place], figure, (value, times), meter)?;
        }
        Ok(())
    }

    /// Takes the value of each row.
    fn add_each(
        &mut self,
        figure: usize,
        cells: &Cells,
        (calculation, block, rows): (&Calculation, &Block, &[u32]),
        meter: &Meter,
    ) -> Result<(), Excess> {
        let mut failure = None;
        calculation.each(block, rows, meter, |at, value, _| {
            if failure.is_none() {
                let group = cells.groups[cells.places.of[at] as usize];
                failure = self.add(group, figure, value, meter).err();
            }
        });
        failure.map_or(Ok(()), Err)
    }

    /// The groups of rows.
    fn cells(
        &mut self,
        grouping: &Grouping,
        block: &Block,
        rows: &[u32],
        meter: &Meter,
    ) -> Result<Cells, Excess> {
        if grouping.keys.is_empty() {
            return Ok(Cells { places: Places::one(rows.len()), groups: vec![0] });
        }
        let keys = grouping.keys.iter().map(|key| {
            let coded = key.coded(block, rows, meter);
            coded.unwrap_or_else(|| different(key, block, rows, meter))
        });
        let keys: Vec<Coded<'_>> = keys.collect();
        meter.check()?;
        let mut others = keys.iter().skip(1);
        let places = keys[0].places.clone();
        let places = others.by_ref().fold(places, |all, key| all.and(&key.places));
        let mut groups = vec![NO_GROUP; places.count];
        for (at, place) in places.of.iter().enumerate() {
            let group = &mut groups[*place as usize];
            if *group == NO_GROUP {
                let values = keys.iter().map(|key| key.values[key.places.of[at] as usize].clone());
                let values: Vec<_> = values.collect();
                let row = rows[at] as usize;
                let start = block.starts.int(row).unwrap_or(i64::MIN);
                let first = First { start, source: block.number, row: block.place(row) };
                *group = self.find(&values, first, meter)?;
            }
        }
        Ok(Cells { places, groups })
    }

    /// The groups.
    pub fn finish(self) -> Vec<Group> {
        self.groups
    }
}

impl Group {
    /// Takes note of another of its rows, with its keys.
    fn meet(&mut self, row: First, keys: &[Value<'_>]) {
        match row.start.cmp(&self.first.start) {
            Ordering::Less => {}
            Ordering::Equal if self.first.source == row.source => {
                if row.row < self.first.row {
                    (self.first, self.keys) = (row, owned(keys));
                }
            }
            Ordering::Equal => {
                let known = self.ties.iter_mut().find(|tie| tie.row.source == row.source);
                match known {
                    Some(tie) if row.row < tie.row.row => *tie = Tie { row, keys: owned(keys) },
                    Some(_) => {}
                    None => self.ties.push(Tie { row, keys: owned(keys) }),
                }
            }
            Ordering::Greater => {
                (self.first, self.keys) = (row, owned(keys));
                self.ties.clear();
            }
        }
    }
}

fn owned(keys: &[Value<'_>]) -> Vec<Value<'static>> {
    keys.iter().map(|key| key.clone().into_owned()).collect()
}

/// How many rows have each number.
fn counts_of(places: &Places) -> Vec<u32> {
    let mut counts = vec![0; places.count];
    for place in &places.of {
        counts[*place as usize] += 1;
    }
    counts
}

/// The different values of an expression, by looking at that of each row.
fn different<'b>(key: &'b Calculation, block: &'b Block, rows: &[u32], meter: &Meter) -> Coded<'b> {
    let mut known: HashMap<Vec<u8>, u32, FixedState> = HashMap::default();
    let (mut of, mut values) = (Vec::with_capacity(rows.len()), Vec::new());
    let (mut identity, mut last) = (Vec::new(), 0);
    key.each(block, rows, meter, |_, value, is_same| {
        if !is_same {
            identity.clear();
            push_identity(&mut identity, value);
            last = if let Some(place) = known.get(&identity) {
                *place
            } else {
                let place = values.len() as u32;
                known.insert(identity.clone(), place);
                values.push(value.clone());
                place
            };
        }
        of.push(last);
    });
    Coded { places: Places { of, count: values.len() }, values }
}
