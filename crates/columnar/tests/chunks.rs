//! What goes into a chunk comes out of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use columnar::{ChunkBuilder, Column, decode};
use model::columns::Affinity;
use proptest::prelude::*;

const NAME: &str = "stream.average_jitter";

fn numbers(values: &[Option<i64>]) -> Option<Vec<u8>> {
    let mut builder = ChunkBuilder::new(Affinity::Integer);
    for value in values {
        match value {
            Some(value) => builder.push_int(*value),
            None => builder.push_null(),
        }
    }
    builder.finish(NAME).unwrap()
}

fn reals(values: &[Option<f64>]) -> Option<Vec<u8>> {
    let mut builder = ChunkBuilder::new(Affinity::Real);
    for value in values {
        match value {
            Some(value) => builder.push_real(*value),
            None => builder.push_null(),
        }
    }
    builder.finish(NAME).unwrap()
}

fn texts(values: &[Option<String>]) -> Option<Vec<u8>> {
    let mut builder = ChunkBuilder::new(Affinity::Text);
    for value in values {
        match value {
            Some(value) => builder.push_text(value),
            None => builder.push_null(),
        }
    }
    builder.finish(NAME).unwrap()
}

fn read(chunk: Vec<u8>, affinity: Affinity, rows: usize) -> Column {
    decode(chunk.into(), (NAME, affinity), rows).unwrap()
}

proptest! {
    #[test]
    fn whole_numbers_and_times_to_a_tick_are_kept(
        values in prop::collection::vec(prop::option::of(any::<i64>()), 0..400),
    ) {
        let Some(chunk) = numbers(&values) else {
            prop_assert!(values.iter().all(Option::is_none));
            return Ok(());
        };
        let column = read(chunk, Affinity::Integer, values.len());
        let found: Vec<_> = (0..values.len()).map(|row| column.int(row)).collect();
        prop_assert_eq!(found, values);
    }

    #[test]
    fn numbers_are_kept_bit_by_bit(
        values in prop::collection::vec(prop::option::of(any::<f64>()), 0..400),
    ) {
        let Some(chunk) = reals(&values) else { return Ok(()) };
        let Column::Real(column) = read(chunk, Affinity::Real, values.len()) else { panic!() };
        for (row, value) in values.iter().enumerate() {
            prop_assert_eq!(column.get(row).map(f64::to_bits), value.map(f64::to_bits));
        }
    }

    #[test]
    fn texts_are_kept(
        values in prop::collection::vec(prop::option::of("[a-c\\PC]{0,3}"), 0..400),
    ) {
        let Some(chunk) = texts(&values) else { return Ok(()) };
        let Column::Text(column) = read(chunk, Affinity::Text, values.len()) else { panic!() };
        for (row, value) in values.iter().enumerate() {
            prop_assert_eq!(column.get(row), value.as_deref());
        }
    }
}

#[test]
fn odd_numbers_are_kept() {
    let values = [Some(-0.0), None, Some(f64::NAN), Some(f64::INFINITY), Some(0.0), Some(5e-324)];
    let chunk = reals(&values).unwrap();
    let Column::Real(column) = read(chunk, Affinity::Real, values.len()) else { panic!() };
    for (row, value) in values.iter().enumerate() {
        assert_eq!(column.get(row).map(f64::to_bits), value.map(f64::to_bits), "{row}");
    }
}

#[test]
fn many_different_numbers_are_kept_when_a_dictionary_would_be_too_long() {
    let values: Vec<_> =
        (0..100_000).map(|row| (row % 7 != 0).then_some(row * 1_000_003)).collect();
    let chunk = numbers(&values).unwrap();
    let column = read(chunk, Affinity::Integer, values.len());
    assert!(values.iter().enumerate().all(|(row, value)| column.int(row) == *value));
}

#[test]
fn a_column_of_nulls_has_no_chunk() {
    assert_eq!(numbers(&[None, None]), None);
    assert_eq!(texts(&[]), None);
}

#[test]
fn bytes_that_are_no_chunk_are_refused() {
    let chunk = numbers(&[Some(1), Some(2)]).unwrap();
    let cut = chunk[..chunk.len() / 2].to_vec();
    for (bytes, affinity, rows) in [
        (Vec::new(), Affinity::Integer, 2),
        (b"PAR1".to_vec(), Affinity::Integer, 2),
        (cut, Affinity::Integer, 2),
        (chunk.clone(), Affinity::Text, 2),
        (chunk, Affinity::Integer, 3),
    ] {
        assert!(decode(bytes.into(), (NAME, affinity), rows).is_err(), "{affinity:?} {rows}");
    }
}
