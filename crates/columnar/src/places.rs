//! Rows by what decides about them: each gets a number, and rows with the same number are the same to the
//! question.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::aspect::Aspect;
use crate::column::{Column, NULL, Numbers};

/// Numbers up to which nothing is gained by giving new ones.
pub(crate) const FEW: usize = 1 << 16;

/// Of each row a number.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) of: Vec<u32>,
    /// All of them are less.
    pub(crate) count: usize,
}

impl Places {
    /// All rows the same.
    pub(crate) fn one(rows: usize) -> Self {
        Self { of: vec![0; rows], count: 1 }
    }

    /// By what decides of the values of a column.
    pub(crate) fn new(aspect: &Aspect, column: &Column, rows: &[u32]) -> Self {
        match (aspect, column) {
            (_, Column::Nothing) => Self::one(rows.len()),
            (Aspect::Whole, Column::Text(texts)) => {
                let null = texts.texts.len() as u32;
                let place = |row: &u32| match texts.codes[*row as usize] {
                    NULL => null,
                    code => code,
                };
                Self { of: rows.iter().map(place).collect(), count: texts.texts.len() + 1 }
            }
            (Aspect::Whole, Column::Int(flags)) => {
                Self::by(flags, rows, 2, |flag| u32::from(flag != 0))
            }
            (Aspect::Among(marks), Column::Int(numbers)) => {
                among(marks, numbers, rows, |number, mark| {
                    u32::from(number >= mark) + u32::from(number > mark)
                })
            }
            (Aspect::RealAmong(marks), Column::Real(numbers)) => {
                among(marks, numbers, rows, |number, mark| {
                    u32::from(number >= mark) + u32::from(number > mark)
                })
            }
            (Aspect::Stretch(ticks), Column::Int(instants)) => stretches(*ticks, instants, rows),
            // The question takes a column for what it is not; every row is then one of its own.
            _ => Self { of: (0..rows.len() as u32).collect(), count: rows.len() },
        }
    }

    /// By what a number that is not null says, which is less than `null`.
    fn by<T: Copy>(
        numbers: &Numbers<T>,
        rows: &[u32],
        null: u32,
        place: impl Fn(T) -> u32,
    ) -> Self {
        let place = |row: &u32| numbers.get(*row as usize).map_or(null, &place);
        Self { of: rows.iter().map(place).collect(), count: null as usize + 1 }
    }

    /// By both.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        if self.count == 1 {
            return other.clone();
        }
        if other.count == 1 {
            return self;
        }
        let count = self.count * other.count;
        if count <= FEW {
            let times = other.count as u32;
            for (place, its) in self.of.iter_mut().zip(&other.of) {
                *place = *place * times + its;
            }
            return Self { count, ..self };
        }
        let mut known: HashMap<u64, u32, FixedState> = HashMap::default();
        for (place, its) in self.of.iter_mut().zip(&other.of) {
            let next = known.len() as u32;
            *place = *known.entry(u64::from(*place) << 32 | u64::from(*its)).or_insert(next);
        }
        Self { count: known.len(), ..self }
    }
}

/// Where numbers stand among marks.
fn among<T: Copy>(
    marks: &[T],
    numbers: &Numbers<T>,
    rows: &[u32],
    steps: impl Fn(T, T) -> u32,
) -> Places {
    let null = 2 * marks.len() as u32 + 1;
    match marks {
        [mark] => Places::by(numbers, rows, null, |number| steps(number, *mark)),
        _ => Places::by(numbers, rows, null, |number| {
            marks.iter().map(|mark| steps(number, *mark)).sum()
        }),
    }
}

/// Which stretches instants are in. Rows come by time, so most are in that of the row before.
fn stretches(ticks: i64, instants: &Numbers<i64>, rows: &[u32]) -> Places {
    let mut known: HashMap<i64, u32, FixedState> = HashMap::default();
    let (mut of, mut count) = (Vec::with_capacity(rows.len()), 0);
    let mut new = || {
        count += 1;
        count - 1
    };
    let mut null = None;
    // The stretch of the row before, and its number.
    let mut last = (0, 0, 0);
    for row in rows {
        let Some(instant) = instants.get(*row as usize) else {
            of.push(*null.get_or_insert_with(&mut new));
            continue;
        };
        if !(last.0..last.1).contains(&instant) {
            let stretch = instant.div_euclid(ticks);
            let number = *known.entry(stretch).or_insert_with(&mut new);
            let from = stretch.saturating_mul(ticks);
            last = (from, from.saturating_add(ticks), number);
        }
        of.push(last.2);
    }
    Places { of, count: count as usize }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(values: &[Option<i64>]) -> Column {
        let is_null = values.iter().map(Option::is_none).collect();
        let values = values.iter().map(|value| value.unwrap_or_default()).collect();
        Column::Int(Numbers::new(values, Some(is_null)))
    }

    #[test]
    fn a_number_is_below_at_or_above_each_mark() {
        let column = ints(&[Some(1), Some(5), Some(6), Some(9), Some(10), None]);
        let places = Places::new(&Aspect::Among(vec![5, 9]), &column, &[0, 1, 2, 3, 4, 5]);
        assert_eq!((places.of.as_slice(), places.count), ([0, 1, 2, 3, 4, 5].as_slice(), 6));
    }

    #[test]
    fn instants_of_one_stretch_have_one_number_also_before_1970() {
        let column = ints(&[Some(25), Some(21), None, Some(-1), Some(-10), Some(-11), Some(20)]);
        let places = Places::new(&Aspect::Stretch(10), &column, &[0, 1, 2, 3, 4, 5, 6]);
        assert_eq!((places.of.as_slice(), places.count), ([0, 0, 1, 2, 2, 3, 0].as_slice(), 4));
    }

    #[test]
    fn rows_that_differ_in_one_of_two_have_two_numbers() {
        let few = Places { of: vec![0, 1, 0, 1], count: 2 };
        assert_eq!(few.clone().and(&Places { of: vec![0, 0, 1, 0], count: 2 }).of, [0, 2, 1, 2]);
        let many = Places { of: vec![70_000, 9, 70_000, 9], count: 70_001 };
        let both = many.and(&few);
        assert_eq!((both.of.as_slice(), both.count), ([0, 1, 0, 1].as_slice(), 2));
    }
}
