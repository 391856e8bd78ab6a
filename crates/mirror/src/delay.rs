//! How late the source is: the time from the end of a call until it was first heard of, in classes.

use odata::primitive::TICKS_PER_SECOND;
use store::DelayCount;

use crate::hours::DAY;

const MINUTE: i64 = 60 * TICKS_PER_SECOND;
/// Upper bounds of the classes, in minutes.
const BOUNDS: [i64; 20] = [
    1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 150, 180, 240, 360, 720, 1_440, 2_880, 10_080, 43_200,
];
/// Days over which delays are looked at.
pub(crate) const DAYS: i64 = 7;

/// The day (from 1970) and the class of a call that ended then and was first heard of later. None if it ended
/// before `since`, when nobody listened yet.
pub(crate) fn class(ended: i64, heard: i64, since: i64) -> Option<(i64, i64)> {
    if ended < since {
        return None;
    }
    let minutes = ((heard - ended).max(0) + MINUTE - 1) / MINUTE;
    let bound = BOUNDS.iter().find(|bound| minutes <= **bound).unwrap_or(&BOUNDS[19]);
    Some((heard.div_euclid(DAY), *bound))
}

/// The delay (minutes, rounded up to its class) that so large a share of the calls did not exceed.
pub fn quantile(counts: &[DelayCount], share: f64) -> Option<i64> {
    let all: u64 = counts.iter().map(|count| count.records).sum();
    let wanted = (all as f64 * share).ceil().max(1.0) as u64;
    let mut so_far = 0;
    counts
        .iter()
        .find(|count| {
            so_far += count.records;
            so_far >= wanted
        })
        .filter(|_| all > 0)
        .map(|count| count.minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_fall_into_classes_and_what_ended_before_is_left_out() {
        let day = 20_000 * DAY;
        assert_eq!(class(day, day + 3 * MINUTE, day), Some((20_000, 5)));
        assert_eq!(class(day, day - 1, 0), Some((20_000 - 1, 1)));
        assert_eq!(class(day, day + 400 * DAY, 0), Some((20_400, 43_200)));
        assert_eq!(class(day, day + MINUTE, day + 1), None);
    }

    #[test]
    fn quantiles_are_those_of_all_calls() {
        let counts = [(5, 50), (30, 45), (150, 5)];
        let counts = counts.map(|(minutes, records)| DelayCount { minutes, records });
        let of = |share| quantile(&counts, share);
        assert_eq!((of(0.5), of(0.95), of(1.0)), (Some(5), Some(30), Some(150)));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
