//! Functions of collections (URL Conventions 5.1.1.5 and 5.1.1.6).

use super::{Meter, Value};

/// Whether the items of `part` are among those of `whole`, each as often.
pub(super) fn has_subset(whole: &[Value<'_>], part: &[Value<'_>], meter: &Meter) -> bool {
    let mut is_used = vec![false; whole.len()];
    part.iter().all(|wanted| {
        let mut free = whole.iter().zip(&mut is_used);
        match free
            .find(|(item, is_used)| meter.step() && !**is_used && are_same(item, wanted, meter))
        {
            Some((_, is_used)) => {
                *is_used = true;
                true
            }
            None => false,
        }
    })
}

/// Whether the items of `part` stand in `whole` in that order, others between them or not.
pub(super) fn has_subsequence(whole: &[Value<'_>], part: &[Value<'_>], meter: &Meter) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|wanted| rest.any(|item| are_same(item, wanted, meter)))
}

/// Where the items of `part` stand in `whole` one behind the other.
pub(super) fn index_of(whole: &[Value<'_>], part: &[Value<'_>], meter: &Meter) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    whole.windows(part.len()).position(|items| are_equal(items, part, meter))
}

/// Whether a collection begins with another.
pub(super) fn starts_with(whole: &[Value<'_>], part: &[Value<'_>], meter: &Meter) -> bool {
    whole.get(..part.len()).is_some_and(|items| are_equal(items, part, meter))
}

/// Whether a collection ends with another.
pub(super) fn ends_with(whole: &[Value<'_>], part: &[Value<'_>], meter: &Meter) -> bool {
    let start = whole.len().checked_sub(part.len());
    start.is_some_and(|start| are_equal(&whole[start..], part, meter))
}

/// The items from `start` on, `count` at most.
pub(super) fn slice(
    mut items: Vec<Value<'_>>,
    start: i64,
    count: Option<i64>,
) -> Option<Vec<Value<'_>>> {
    let length = items.len() as i64;
    let start = if start < 0 { length.saturating_add(start).max(0) } else { start.min(length) };
    items.drain(..usize::try_from(start).ok()?);
    if let Some(count) = count {
        items.truncate(usize::try_from(count).ok()?);
    }
    Some(items)
}

fn are_equal(a: &[Value<'_>], b: &[Value<'_>], meter: &Meter) -> bool {
    a.iter().zip(b).all(|(a, b)| are_same(a, b, meter))
}

/// Whether two items are equal and there was a step left to find out.
fn are_same(a: &Value<'_>, b: &Value<'_>, meter: &Meter) -> bool {
    meter.read(a.weight().min(b.weight())) && a.equals(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(items: &[i64]) -> Vec<Value<'static>> {
        items.iter().map(|item| Value::Int(*item)).collect()
    }

    #[test]
    fn subsets_count_repeated_items_and_ignore_order() {
        for (whole, part, expected) in [
            (&[4, 1, 3][..], &[1, 3, 4][..], true),
            (&[4, 1, 3, 1], &[1, 1], true),
            (&[4, 1, 3], &[], true),
            (&[1, 2], &[1, 1, 2], false),
            (&[4, 1, 3], &[1, 7], false),
        ] {
            let found = has_subset(&ints(whole), &ints(part), &Meter::unlimited());
            assert_eq!(found, expected, "{whole:?} {part:?}");
        }
    }

    #[test]
    fn subsequences_keep_the_order() {
        for (whole, part, expected) in [
            (&[4, 1, 3, 1][..], &[1, 1][..], true),
            (&[4, 1, 3], &[4, 3], true),
            (&[4, 1, 3], &[3, 1], false),
            (&[1, 2], &[1, 1, 2], false),
        ] {
            let found = has_subsequence(&ints(whole), &ints(part), &Meter::unlimited());
            assert_eq!(found, expected, "{whole:?} {part:?}");
        }
    }

    #[test]
    fn parts_of_collections_are_found_like_parts_of_text() {
        let whole = ints(&[1, 2, 3]);
        let meter = &Meter::unlimited();
        assert_eq!(index_of(&whole, &ints(&[2, 3]), meter), Some(1));
        assert_eq!(index_of(&whole, &ints(&[1, 3]), meter), None);
        assert!(starts_with(&whole, &ints(&[1]), meter));
        assert!(!starts_with(&whole, &ints(&[2]), meter));
        assert!(ends_with(&whole, &ints(&[2, 3]), meter));
        assert!(!ends_with(&whole, &ints(&[0, 1, 2, 3]), meter));
        let length = |start, count| slice(whole.clone(), start, count).map(|items| items.len());
        assert_eq!(length(1, Some(1)), Some(1));
        assert_eq!(length(-2, None), Some(2));
        assert_eq!(length(i64::MIN, Some(i64::MAX)), Some(3));
        assert_eq!(length(9, None), Some(0));
        assert_eq!(length(0, Some(-1)), None);
    }
}
