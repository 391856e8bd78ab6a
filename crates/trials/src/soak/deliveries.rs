//! What receivers were told, and whether it is what they had to be told.
//!
//! A notification does not say of which version it is. But the id of a request is made of the numbers
//! of its first and its last message, so what is told again can be taken away; what is left must be
//! one `created` and one `updated` for each further version, no more and no less.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::chaos::ledger::Arrival;
use crate::chaos::receiver::Request;

/// Within this after a node's death its connections are seen to end.
const ENDS_WITHIN: Duration = Duration::from_millis(200);

/// What a subscription was told.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    /// Each message once, in order.
    pub(super) messages: Vec<Arrival>,
    /// Messages that came again.
    pub(super) duplicates: u64,
    /// Requests that do not fit to those before.
    pub(super) wrong: Vec<String>,
}

/// Takes away what was told again.
pub(super) fn unfold(requests: &[Request]) -> Deliveries {
    let mut told = Deliveries::default();
    // Where the messages of a request begin, by the number of its first.
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    let mut last_told = 0;
    for request in requests {
        let Some((first, last)) = numbers(&request.id) else {
            told.wrong.push(format!("a request is called {:?}", request.id));
            continue;
        };
        let place = match places.get(&first) {
            Some(place) => *place,
            None if first > last_told => told.messages.len(),
            None => {
                told.wrong.push(format!("message {first} came after message {last_told}"));
                continue;
            }
        };
        places.insert(first, place);
        last_told = last_told.max(last);
        let before = &told.messages[place..];
        let again = before.len().min(request.arrivals.len());
        if !before.iter().zip(&request.arrivals).all(|(one, other)| one.is_same(other)) {
            told.wrong.push(format!("messages from {first} on are others when they come again"));
        }
        told.duplicates += again as u64;
        told.messages.extend_from_slice(&request.arrivals[again..]);
    }
    told
}

/// `msg_SUBSCRIPTION_FIRST_LAST`
fn numbers(id: &str) -> Option<(u64, u64)> {
    let mut parts = id.rsplit('_');
    let last = parts.next()?.parse().ok()?;
    Some((parts.next()?.parse().ok()?, last))
}

/// What is wrong with what was told, given how many versions there are of each record that the
/// subscription asks for.
pub(super) fn judge(told: &Deliveries, expected: &BTreeMap<String, u64>) -> Vec<String> {
    let mut wrong = told.wrong.clone();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for Arrival { record, is_created, .. } in &told.messages {
        let count = counts.entry(record).or_default();
        *count += 1;
        if *is_created != (*count == 1) {
            let word = if *is_created { "created" } else { "updated" };
            wrong.push(format!("{record} is told as {word} in message {count} of it"));
        }
        if !expected.contains_key(record) {
            wrong.push(format!("{record} is told, and there is none that was asked for"));
        }
    }
    for (record, due) in expected {
        let came = counts.get(record.as_str()).copied().unwrap_or(0);
        if came != *due {
            wrong.push(format!("{record} was told {came} times, and {due} versions are there"));
        }
    }
    wrong
}

/// From each of these deaths to the next request at an address that the dead node was telling.
pub(super) fn takeovers(
    requests: &[Request],
    ends: &BTreeMap<u64, Instant>,
    deaths: &[Instant],
) -> Vec<Duration> {
    let takeover = |death: &Instant| {
        let next = requests.partition_point(|request| request.at <= *death);
        let teller = requests.get(next.checked_sub(1)?)?.connection;
        let ended = ends.get(&teller)?;
        let is_of_dead = *ended >= *death && *ended <= *death + ENDS_WITHIN;
        // What was on its way when the node died came from the dead one.
        let by_another = requests[next..].iter().find(|request| request.connection != teller)?;
        is_of_dead.then(|| by_another.at - *death)
    };
    deaths.iter().filter_map(takeover).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(first: u64, last: u64, items: &[(&str, bool)]) -> Request {
        let at = Instant::now();
        let arrivals = items.iter().map(|(record, is_created)| Arrival {
            message: String::new(),
            record: (*record).to_owned(),
            is_created: *is_created,
            at,
        });
        let id = format!("msg_0a0b_{first}_{last}");
        Request { id, connection: first, at, arrivals: arrivals.collect() }
    }

    fn judged(requests: &[Request]) -> (u64, Vec<String>) {
        let told = unfold(requests);
        let expected = BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]);
        (told.duplicates, judge(&told, &expected))
    }

    #[test]
    fn what_had_to_be_told_is_enough_in_whatever_portions_it_comes_again() {
        let first = request(3, 5, &[("a", true), ("b", true)]);
        let second = request(8, 8, &[("a", false)]);
        assert_eq!(judged(&[first.clone(), second.clone()]), (0, vec![]));
        let all = request(3, 8, &[("a", true), ("b", true), ("a", false)]);
        assert_eq!(judged(&[first.clone(), all.clone()]), (2, vec![]));
        assert_eq!(judged(&[first.clone(), second.clone(), first, second.clone()]), (3, vec![]));
        assert_eq!(judged(&[all, second]).1.len(), 1, "a beginning that nobody knows");
    }

    #[test]
    fn message_that_never_came_is_noticed_behind_one_that_came_twice() {
        let created = request(3, 5, &[("a", true), ("b", true)]);
        assert_eq!(judged(std::slice::from_ref(&created)).1.len(), 1);
        assert_eq!(judged(&[created.clone(), created]).1.len(), 1);
    }

    #[test]
    fn later_version_before_the_first_is_noticed() {
        let requests = [request(3, 4, &[("a", false), ("a", true)]), request(5, 5, &[("b", true)])];
        assert_eq!(judged(&requests).1.len(), 2);
    }

    #[test]
    fn older_message_behind_a_newer_one_is_noticed() {
        let newer = request(7, 8, &[("a", true), ("a", false)]);
        let older = request(3, 3, &[("b", true)]);
        assert!(!judged(&[newer, older]).1.is_empty());
    }

    #[test]
    fn version_that_is_queued_twice_is_noticed() {
        let requests = [
            request(3, 5, &[("a", true), ("a", false), ("b", true)]),
            request(6, 6, &[("a", false)]),
        ];
        assert_eq!(judged(&requests).1.len(), 1);
    }

    #[test]
    fn record_that_nobody_asked_for_is_noticed() {
        let items = [("a", true), ("a", false), ("b", true), ("c", true)];
        assert_eq!(judged(&[request(3, 6, &items)]).1.len(), 1);
    }

    #[test]
    fn takeover_is_from_a_death_to_the_next_request_of_another() {
        let death = Instant::now();
        let at = |connection, milliseconds: u64| {
            let at = death + Duration::from_millis(1_000 + milliseconds);
            Request { connection, at, ..request(1, 1, &[]) }
        };
        let requests = [at(1, 0), at(1, 15), at(2, 700)];
        let death = death + Duration::from_millis(1_010);
        let ended = |place| BTreeMap::from([(place, death + Duration::from_millis(2))]);
        assert_eq!(takeovers(&requests, &ended(1), &[death]), [Duration::from_millis(690)]);
        assert!(takeovers(&requests, &ended(2), &[death]).is_empty());
    }
}
