//! Where a list of changes goes on: the tokens of its links, which hold positions of the change log.

use odata::bound::Query;
use store::LogPosition;
use web::Problem;

use crate::paging::{Addresses, MOST_SESSIONS, Page};

/// The path of the changes of call records, as links write it.
pub(crate) const DELTA: &str = "communications/callRecords/delta";

/// What Graph's clients write for a link to what changes from now on.
const LATEST: &str = "latest";

/// A page of changes, or of the records that they begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrackedPage {
    /// Records on a page.
    pub(crate) size: usize,
    pub(crate) place: TrackedPlace,
}

/// Where such a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TrackedPlace {
    /// At the first of all records.
    Start,
    /// At now: it has nothing but a link to what changes.
    Latest,
    /// Behind some of the records; those that have changed since the position are told of later.
    Records { since: LogPosition, after: Vec<u8> },
    /// At the first change since a position.
    Since(LogPosition),
    /// Behind some of the changes between two positions.
    Changes { since: LogPosition, until: LogPosition, after: i64 },
}

impl TrackedPage {
    /// The page that a request asks for. `$top` is the size of a page here.
    ///
    /// # Errors
    /// 400 for a token that was made for another request.
    pub(crate) fn of(
        query: &Query,
        to: &Addresses<'_>,
        wanted: Option<u32>,
    ) -> Result<Self, Problem> {
        let first = Page::first(query, MOST_SESSIONS, wanted);
        let size = first.room().max(1);
        let (option, token) = match (&query.skiptoken, query.deltatoken.as_deref()) {
            (None, None) => return Ok(Self { size, place: TrackedPlace::Start }),
            (None, Some(LATEST)) => return Ok(Self { size, place: TrackedPlace::Latest }),
            (None, Some(token)) => ("$deltatoken", token),
            (Some(token), None) => ("$skiptoken", token.as_str()),
            (Some(_), Some(_)) => {
                let message = "A link has a $skiptoken or a $deltatoken, and not both.";
                return Err(Problem::bad_request(message).with_target("$deltatoken"));
            }
        };
        let page = Page::following((option, token), query, to, MOST_SESSIONS)?;
        let place = TrackedPlace::read(&page.after)
            .filter(|place| matches!(place, TrackedPlace::Since(_)) == (option == "$deltatoken"));
        let invalid = || {
            Problem::bad_request(format!("The {option} is not valid for this request."))
                .with_target(option)
        };
        let place = place.ok_or_else(invalid)?;
        // A round keeps the size of its pages; the next one may have another.
        let is_new_round = matches!(place, TrackedPlace::Since(_)) && wanted.is_some();
        Ok(Self { size: if is_new_round { size } else { page.size }, place })
    }

    /// The link to the page of the same size at another place.
    pub(crate) fn link(&self, place: &TrackedPlace, to: &Addresses<'_>, query: &Query) -> String {
        let option = match place {
            TrackedPlace::Since(_) => "$deltatoken",
            _ => "$skiptoken",
        };
        let page = Page { size: self.size, left: None, after: place.write(), version: None };
        page.link_by(option, to, query)
    }
}

impl TrackedPlace {
    fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            // No link leads there.
            Self::Start | Self::Latest => {}
            Self::Records { since, after } => {
                out.push(1);
                write_position(&mut out, since);
                out.extend_from_slice(after);
            }
            Self::Since(since) => {
                out.push(2);
                write_position(&mut out, since);
            }
            Self::Changes { since, until, after } => {
                out.push(3);
                write_position(&mut out, since);
                write_position(&mut out, until);
                out.extend(after.to_le_bytes());
            }
        }
        out
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (kind, mut rest) = bytes.split_first()?;
        let since = read_position(&mut rest)?;
        match kind {
            1 => Some(Self::Records { since, after: rest.to_vec() }),
            2 => rest.is_empty().then_some(Self::Since(since)),
            3 => {
                let until = read_position(&mut rest)?;
                let after = i64::from_le_bytes(rest.try_into().ok()?);
                Some(Self::Changes { since, until, after })
            }
            _ => None,
        }
    }
}

fn write_position(out: &mut Vec<u8>, position: &LogPosition) {
    out.push(position.incarnation.len() as u8);
    out.extend_from_slice(position.incarnation.as_bytes());
    out.extend(position.sequence.to_le_bytes());
    out.extend(position.committed_at.to_le_bytes());
}

fn read_position(rest: &mut &[u8]) -> Option<LogPosition> {
    let (length, behind) = rest.split_first()?;
    let (incarnation, behind) = behind.split_at_checked(usize::from(*length))?;
    let (sequence, behind) = behind.split_first_chunk::<8>()?;
    let (committed_at, behind) = behind.split_first_chunk::<8>()?;
    *rest = behind;
    Some(LogPosition {
        incarnation: String::from_utf8(incarnation.to_vec()).ok()?,
        sequence: i64::from_le_bytes(*sequence),
        committed_at: i64::from_le_bytes(*committed_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_and_nothing_else_is() {
        let position = |sequence| LogPosition {
            incarnation: "0f".repeat(16),
            sequence,
            committed_at: -sequence,
        };
        let (since, until) = (position(3), position(i64::MAX));
        for place in [
            TrackedPlace::Records { since: since.clone(), after: vec![1, 2, 3] },
            TrackedPlace::Since(since.clone()),
            TrackedPlace::Changes { since, until, after: 7 },
        ] {
            let bytes = place.write();
            assert_eq!(TrackedPlace::read(&bytes), Some(place.clone()));
            for length in 0..bytes.len() {
                assert_ne!(TrackedPlace::read(&bytes[..length]), Some(place.clone()));
            }
        }
        assert_eq!(TrackedPlace::read(&[9]), None);
    }
}
