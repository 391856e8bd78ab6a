//! One query, asked of the store and of the reference.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use model::generated;
use model::rows::{QUALITY, RowSet};
use odata::Limits;
use odata::bound::{Query, Step};
use odata::error::Kind;
use odata::eval::{Allowance, Exhausted, Meter};
use odata::primitive::DateTimeOffset;
use serde_json::Value as Json;
use store::{Budget, Error, Reader, ResultRow, RowQuery};
use testkit::queries::{Asked, Random};
use testkit::reference::{self, Answer, agrees};

use crate::world::{PATIENCE, World, tenant};

/// What became of a query.
pub(crate) enum Verdict {
    /// Both say the same; so many rows meet the conditions.
    Agrees { count: usize },
    /// It is not in the language, or beyond its limits.
    Refused { reason: String },
    /// They say different things.
    Differs { how: String },
}

/// What else there is to a question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// Records that started before are not there.
    pub(crate) not_before: Option<i64>,
    /// Rows that the store's own evaluator may look at in a call.
    pub(crate) rows_scanned: u64,
}

impl Setting {
    pub(crate) const PLAIN: Self = Self { not_before: None, rows_scanned: u64::MAX };

    /// Mostly the plain one.
    pub(crate) fn random(random: &mut Random) -> Self {
        let not_before = DateTimeOffset::parse("2024-01-01").filter(|_| random.chance(10));
        let rows_scanned = if random.chance(15) { 1 + random.below(40) as u64 } else { u64::MAX };
        Self { not_before: not_before.map(|instant| instant.0), rows_scanned }
    }
}

/// Asks both; a panic of either is a failure as well.
pub(crate) fn judge(world: &World, set: RowSet, asked: &Asked, setting: Setting) -> Verdict {
    let asking = AssertUnwindSafe(|| ask(world, set, asked, setting));
    catch_unwind(asking).unwrap_or_else(|_| Verdict::Differs { how: "failed: panicked".into() })
}

/// A query as the store takes it, unless it is refused, or has a condition in its path.
pub(crate) fn parsed(set: RowSet, asked: &Asked) -> Option<RowQuery> {
    let request = (asked.address(set), asked.text());
    let now = DateTimeOffset::parse(NOW).unwrap();
    let parsed = odata::parse_request(&generated::V1_0, &request.0, &request.1, &limits(), now);
    let (_, query) = parsed.ok().filter(|_| asked.path.is_none())?;
    Some(RowQuery { rows: set, query, not_before: None })
}

/// What a query may use.
pub(crate) fn budget(rows_scanned: u64) -> Budget {
    let meter = Meter::new(Allowance::until(Instant::now() + PATIENCE));
    Budget { rows_scanned, groups: 1_000_000, meter }
}

/// When questions are asked.
const NOW: &str = "2025-03-10T12:00:00Z";

fn limits() -> Limits {
    Limits {
        nodes: 2000,
        url: 64 * 1024,
        filter: 32 * 1024,
        functions: quality::function::shipped(),
        ..Limits::default()
    }
}

fn ask(world: &World, set: RowSet, asked: &Asked, setting: Setting) -> Verdict {
    let now = DateTimeOffset::parse(NOW).unwrap();
    let request = (asked.address(set), asked.text());
    let parsed = odata::parse_request(&generated::V1_0, &request.0, &request.1, &limits(), now);
    let (resource, query) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Verdict::Refused { reason: reason(&error.kind) },
    };
    let (mut rows, mut values) = world.since(set, setting.not_before);
    reference::took_fault();
    let mut asked_of_store = query.clone();
    for step in &resource.steps {
        let Step::Filter(condition) = step else { continue };
        let filter = Query { filter: Some((**condition).clone()), ..Query::default() };
        let kept = reference::answer(&filter, &values).places;
        rows = kept.iter().map(|at| rows[*at]).collect();
        values = kept.iter().map(|at| values[*at].clone()).collect();
        asked_of_store = asked_of_store.narrowed((**condition).clone());
    }
    let expected = reference::answer(&query, &values);
    let has_fault = reference::took_fault();
    let reader = world.store.reader().unwrap();
    let mut store = Asking { reader, set, query: asked_of_store, setting };
    let result = if store.query.apply.is_some() {
        store.applied(&expected, !asked.orderby.is_empty())
    } else {
        store.rows(&rows, &expected)
    };
    match result {
        Err(Failure::TooMuch) if setting.rows_scanned == u64::MAX => {
            Verdict::Differs { how: "failed: too many rows".into() }
        }
        Err(Failure::Calculation) if !has_fault => {
            Verdict::Differs { how: "failed: a calculation without a result".into() }
        }
        // Which calculations an answer needs depends on what leads to its rows.
        _ if has_fault => Verdict::Agrees { count: expected.count },
        Ok(()) | Err(Failure::TooMuch | Failure::Calculation) => {
            Verdict::Agrees { count: expected.count }
        }
        Err(Failure::Other(how)) => Verdict::Differs { how },
    }
}

/// Why there is no answer, or a wrong one.
enum Failure {
    /// The query may not look at as many rows as it has to.
    TooMuch,
    /// A calculation has no result.
    Calculation,
    Other(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::TooManyRows { .. } => Self::TooMuch,
            Error::Exhausted(Exhausted::Calculation { .. }) => Self::Calculation,
            error => Self::Other(format!("failed: {error:?}")),
        }
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
    setting: Setting,
}

impl Asking {
    fn row_query(&self) -> RowQuery {
        let not_before = self.setting.not_before;
        RowQuery { rows: self.set, query: self.query.clone(), not_before }
    }

    fn budget(&self) -> Budget {
        budget(self.setting.rows_scanned)
    }

    fn applied(&mut self, expected: &Answer, is_ordered: bool) -> Result<(), Failure> {
        let query = self.row_query();
        let budget = self.budget();
        let found = self.reader.apply(&tenant(), &query, &budget)?;
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
                return differs(format!(
                    "{} items, not {}; missing {}\nleft over {left:#?}",
                    found.len(),
                    rows.len(),
                    cut(&format!("{row:?}"))
                ));
            };
            left.remove(place);
        }
        match left.first() {
            Some(more) => differs(format!("one too many: {}", cut(&more.to_string()))),
            None if is_ordered => {
                let pair = rows.iter().zip(&found).find(|(row, found)| !agrees(row, found));
                let told = pair.map(|(row, found)| (cut(&format!("{row:?}")), found.to_string()));
                differs(format!("another order, {told:#?}"))
            }
            None => Ok(()),
        }
    }

    fn rows(&mut self, rows: &[&Json], expected: &Answer) -> Result<(), Failure> {
        let query = self.row_query();
        let found = self.pages(&query, expected.rows.len() / 5 + 2)?;
        let names: Vec<_> = found.iter().map(name_of).collect();
        let expected_names: Vec<_> = expected.places.iter().map(|at| name(rows[*at])).collect();
        if let Some(how) = difference(&expected_names, &names) {
            return differs(how);
        }
        let budget = self.budget();
        let count = self.reader.count_rows(&tenant(), &query, &budget)?;
        if count != expected.count as u64 {
            return differs(format!("counted {count}, not {}", expected.count));
        }
        let computed: Vec<_> = query.query.compute.iter().map(|member| &member.alias).collect();
        for (found, place) in found.iter().zip(&expected.places) {
            let ResultRow::Row(text) = found else { continue };
            let mut found = reference::json(text).unwrap();
            let mut row: Json = rows[*place].clone();
            let members = found.as_object_mut().unwrap();
            // A verdict to calculate with, which the caller shows or not.
            members.retain(|name, _| !computed.contains(&name) && name != QUALITY);
            if !members.contains_key("segments") {
                row.as_object_mut().unwrap().remove("segments");
            }
            if found != row {
                return differs(format!("row {found}\nis not {row}"));
            }
        }
        Ok(())
    }

    /// All pages of at most so many rows.
    fn pages(&mut self, query: &RowQuery, limit: usize) -> Result<Vec<ResultRow>, Failure> {
        let mut all = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let budget = self.budget();
            let page = self.reader.page(&tenant(), query, after.as_deref(), limit, &budget)?;
            if page.rows.len() > limit {
                return differs(format!("a page of {} rows", page.rows.len()));
            }
            all.extend(page.rows);
            match page.next {
                Some(next) if after.as_ref() == Some(&next) => {
                    return differs("stands still".to_owned());
                }
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }
}

fn name_of(found: &ResultRow) -> String {
    match found {
        ResultRow::Record(record) => record.id.clone(),
        ResultRow::Row(text) => name(&reference::json(text).unwrap()),
        ResultRow::Damaged { id, cause } => panic!("{id}: {cause}"),
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

fn differs<T>(how: String) -> Result<T, Failure> {
    Err(Failure::Other(how))
}

fn cut(text: &str) -> String {
    text.chars().take(300).collect()
}
