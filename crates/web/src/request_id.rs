//! The two ids of a request: ours, and the one that the client gave it.

use std::cell::Cell;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

/// Ours, in every answer and every line of the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// The client's, echoed.
pub const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// A client's id longer than this is not echoed.
const CLIENT_ID_LIMIT: usize = 128;

/// The ids of one request. Both are visible ASCII.
#[derive(Debug, Clone)]
pub struct RequestIds {
    request: HeaderValue,
    client: HeaderValue,
}

impl RequestIds {
    /// Ids of a new request. A client's id that could carry more than an id (spaces, quotes,
    /// control characters, great length) is replaced by ours, as is an absent one.
    pub fn new(generator: &Generator, headers: &HeaderMap) -> Self {
        let request = generator.next();
        let client = headers
            .get(CLIENT_REQUEST_ID)
            .filter(|value| is_echoed(value.as_bytes()))
            .map_or_else(|| request.clone(), HeaderValue::clone);
        Self { request, client }
    }

    #[cfg(test)]
    pub(crate) fn for_test(request: &str, client: &str) -> Self {
        Self { request: request.parse().unwrap(), client: client.parse().unwrap() }
    }

    /// Our id.
    pub fn request(&self) -> &str {
        self.request.to_str().unwrap_or_default()
    }

    /// The client's id, or ours.
    pub fn client(&self) -> &str {
        self.client.to_str().unwrap_or_default()
    }

    /// Adds both header lines.
    pub fn stamp(self, headers: &mut HeaderMap) {
        headers.insert(REQUEST_ID, self.request);
        headers.insert(CLIENT_REQUEST_ID, self.client);
    }
}

/// Whether a client's id can only be an id.
pub fn is_echoed(id: &[u8]) -> bool {
    (1..=CLIENT_ID_LIMIT).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:{}".contains(byte))
}

/// Makes UUIDs of version 4 for one thread. They must be distinct, not secret, so a fast generator
/// seeded by the system is enough.
#[derive(Debug)]
pub struct Generator([Cell<u64>; 2]);

impl Generator {
    /// A generator with a seed of its own.
    pub(crate) fn new() -> Self {
        let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
        let (other_high, other_low) = uuid::Uuid::new_v4().as_u64_pair();
        // Six bits of each UUID are fixed; two of them make one whole seed.
        Self([Cell::new(high ^ other_low.rotate_left(32)), Cell::new(low ^ other_high)])
    }

    fn next(&self) -> HeaderValue {
        HeaderValue::from_str(self.next_text().as_str()).expect("a UUID is visible ASCII")
    }

    /// The next one as text.
    pub fn next_text(&self) -> RequestIdText {
        let [high, low] = [&self.0[0], &self.0[1]].map(|state| u128::from(split_mix(state)));
        let id = uuid::Builder::from_random_bytes(((high << 64) | low).to_be_bytes()).into_uuid();
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        id.hyphenated().encode_lower(&mut text);
        RequestIdText(text)
    }
}

/// An id of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestIdText([u8; uuid::fmt::Hyphenated::LENGTH]);

impl RequestIdText {
    /// Its text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a UUID is visible ASCII")
    }
}

/// SplitMix64: one multiplication chain per number, full period, each state once.
fn split_mix(state: &Cell<u64>) -> u64 {
    let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    state.set(next);
    let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn client_id(given: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(CLIENT_REQUEST_ID, HeaderValue::from_bytes(given.as_bytes()).unwrap());
        let ids = RequestIds::new(&Generator::new(), &headers);
        (ids.client() != ids.request()).then(|| ids.client().to_owned())
    }

    #[test]
    fn ids_are_distinct_uuids_of_version_4() {
        let generator = Generator::new();
        let mut seen = HashSet::new();
        for _ in 0..1_000 {
            let id = generator.next();
            let parsed = uuid::Uuid::parse_str(id.to_str().unwrap()).unwrap();
            assert_eq!(parsed.get_version_num(), 4);
            assert!(seen.insert(parsed));
        }
    }

    #[test]
    fn a_clients_id_is_echoed_when_it_can_only_be_an_id() {
        let guid = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
        assert_eq!(client_id(guid).as_deref(), Some(guid));
        assert_eq!(client_id("{ABC}").as_deref(), Some("{ABC}"));
        for unsafe_id in ["", "a b", "a\"b", "<script>", "ä", "a\tb", &"x".repeat(129)] {
            assert_eq!(client_id(unsafe_id), None, "{unsafe_id}");
        }
    }

    #[test]
    fn without_a_clients_id_ours_is_sent_as_both() {
        let ids = RequestIds::new(&Generator::new(), &HeaderMap::new());
        assert_eq!(ids.client(), ids.request());
    }
}
