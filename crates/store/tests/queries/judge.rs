//! One query, asked of the store and of the reference.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use model::generated;
use model::rows::RowSet;
use odata::Limits;
use odata::bound::Query;
use odata::error::Kind;
use odata::primitive::DateTimeOffset;
use serde_json::Value as Json;
use store::{Budget, Found, Reader, RowQuery};
use testkit::queries::{self, Asked};
use testkit::reference::{self, Answer, agrees};

use crate::world::{World, tenant};

/// What became of a query.
pub(crate) enum Verdict {
    /// Both say the same; so many rows meet the conditions.
    Agrees { count: usize },
    /// It is not in the language, or beyond its limits.
    Refused { reason: String },
    /// They say different things.
    Differs { how: String },
}

/// Asks both; a panic of either is a failure as well.
pub(crate) fn judge(world: &World, set: RowSet, asked: &Asked) -> Verdict {
    let asking = AssertUnwindSafe(|| ask(world, set, asked));
    catch_unwind(asking).unwrap_or_else(|_| Verdict::Differs { how: "failed: panicked".into() })
}

fn ask(world: &World, set: RowSet, asked: &Asked) -> Verdict {
    let limits = Limits { nodes: 2000, url: 64 * 1024, filter: 32 * 1024, ..Limits::default() };
    let now = DateTimeOffset::parse("2025-03-10T12:00:00Z").unwrap();
    let request = (queries::path(set), asked.text());
    let parsed = odata::parse_request(&generated::V1_0, request.0, &request.1, &limits, now);
    let query = match parsed {
        Ok((_, query)) => query,
        Err(error) => return Verdict::Refused { reason: reason(&error.kind) },
    };
    let expected = reference::answer(&query, world.values(set));
    let mut store = Asking { reader: world.store.reader().unwrap(), set, query };
    let result = if store.query.apply.is_some() {
        store.applied(&expected, !asked.orderby.is_empty())
    } else {
        store.rows(world.rows(set), &expected)
    };
    match result {
        Ok(()) => Verdict::Agrees { count: expected.count },
        Err(how) => Verdict::Differs { how },
    }
}

fn reason(kind: &Kind) -> String {
    let text = format!("{kind:?}");
    text.chars().take(110).collect()
}

struct Asking {
    reader: Reader,
    set: RowSet,
    query: Query,
}

impl Asking {
    fn row_query(&self) -> RowQuery {
        RowQuery { rows: self.set, query: self.query.clone(), not_before: None }
    }

    fn applied(&mut self, expected: &Answer, is_ordered: bool) -> Result<(), String> {
        let query = self.row_query();
        let found = self.reader.apply(&tenant(), &query, &budget());
        let found = found.map_err(|error| format!("failed: {error:?}"))?;
        let found: Vec<_> = found.iter().map(|text| reference::json(text).unwrap()).collect();
        let rows = &expected.rows;
        let in_order = rows.len() == found.len()
            && rows.iter().zip(&found).all(|(row, found)| agrees(row, found));
        if in_order {
            return Ok(());
        }
        let mut left: Vec<&Json> = found.iter().collect();
        for row in rows {
            let place = left.iter().position(|found| agrees(row, found));
            let Some(place) = place else {
                let left: Vec<_> = left.iter().take(1).map(|json| cut(&json.to_string())).collect();
                return Err(format!(
                    "{} items, not {}; missing {}\nleft over {left:#?}",
                    found.len(),
                    rows.len(),
                    cut(&format!("{row:?}"))
                ));
            };
            left.remove(place);
        }
        match left.first() {
            Some(more) => Err(format!("one too many: {}", cut(&more.to_string()))),
            None if is_ordered => {
                let pair = rows.iter().zip(&found).find(|(row, found)| !agrees(row, found));
                let told = pair.map(|(row, found)| (cut(&format!("{row:?}")), found.to_string()));
                Err(format!("another order, {told:#?}"))
            }
            None => Ok(()),
        }
    }

    fn rows(&mut self, rows: &[Json], expected: &Answer) -> Result<(), String> {
        let query = self.row_query();
        let count = self.reader.count_rows(&tenant(), &query, &budget());
        let count = count.map_err(|error| format!("count failed: {error:?}"))?;
        let found = self.pages(&query, expected.rows.len() / 5 + 2)?;
        let names: Vec<_> = found.iter().map(name_of).collect();
        let expected_names: Vec<_> = expected.places.iter().map(|at| name(&rows[*at])).collect();
        if let Some(how) = difference(&expected_names, &names) {
            return Err(how);
        }
        if count != expected.count as u64 {
            return Err(format!("counted {count}, not {}", expected.count));
        }
        let computed: Vec<_> = query.query.compute.iter().map(|member| &member.alias).collect();
        for (found, place) in found.iter().zip(&expected.places) {
            let Found::Row(text) = found else { continue };
            let mut found = reference::json(text).unwrap();
            let mut row = rows[*place].clone();
            let members = found.as_object_mut().unwrap();
            members.retain(|name, _| !computed.contains(&name));
            if !members.contains_key("segments") {
                row.as_object_mut().unwrap().remove("segments");
            }
            if found != row {
                return Err(format!("row {found}\nis not {row}"));
            }
        }
        Ok(())
    }

    /// All pages of at most so many rows.
    fn pages(&mut self, query: &RowQuery, limit: usize) -> Result<Vec<Found>, String> {
        let mut all = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.reader.page(&tenant(), query, after.as_deref(), limit, &budget());
            let page = page.map_err(|error| format!("failed: {error:?}"))?;
            if page.rows.len() > limit {
                return Err(format!("a page of {} rows", page.rows.len()));
            }
            all.extend(page.rows);
            match page.next {
                Some(next) if after.as_ref() == Some(&next) => return Err("stands still".into()),
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }
}

fn name_of(found: &Found) -> String {
    match found {
        Found::Record(record) => record.id.clone(),
        Found::Row(text) => name(&reference::json(text).unwrap()),
    }
}

/// What names a row for people and, but for streams that are equal, for the comparison.
fn name(row: &Json) -> String {
    let part = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
    match (row.get("callRecordId"), row.get("segmentId")) {
        (None, _) => part("id"),
        (Some(_), None) => format!("{} {} {}", part("callRecordId"), part("sessionId"), part("id")),
        (Some(_), Some(_)) => format!(
            "{} {} {} {} {}",
            part("callRecordId"),
            part("sessionId"),
            part("segmentId"),
            part("mediaLabel"),
            part("streamId")
        ),
    }
}

fn difference(expected: &[String], found: &[String]) -> Option<String> {
    if expected == found {
        return None;
    }
    let at = expected.iter().zip(found).position(|(a, b)| a != b);
    let at = at.unwrap_or(expected.len().min(found.len()));
    let missing = expected.iter().find(|name| !found.contains(name));
    let extra = found.iter().find(|name| !expected.contains(name));
    Some(format!(
        "{} rows, not {}; from row {at}: {:?}, not {:?}; missing {missing:?}, too many {extra:?}",
        found.len(),
        expected.len(),
        found.get(at),
        expected.get(at),
    ))
}

fn budget() -> Budget {
    let deadline = Instant::now() + Duration::from_mins(1);
    Budget { rows_scanned: u64::MAX, deadline, groups: 1_000_000 }
}

fn cut(text: &str) -> String {
    text.chars().take(300).collect()
}
