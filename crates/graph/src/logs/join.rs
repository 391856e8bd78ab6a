//! Which record tells of the call that a row of a telephone log is about.
//!
//! By ids where there are some: a row of direct routing names its record by `correlationId`, one of an
//! operator by `callId`. Calling plans name none. Their record is the one that was under way when the
//! row's call began, has the row's user among its participants, and the other party's number, of
//! which either side may have masked digits; if there are several of these, the one that began with
//! the row. What fits two records is left alone.

use std::cell::RefCell;
use std::collections::HashMap;

use model::log::Log;
use odata::bound::Query;
use odata::json::Node;
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use store::Reader;
use web::{Code, Problem};

use crate::compose::{Answer, Composer, Question};
use crate::destination;
use crate::kept_json::parse;
use crate::read_request::ReadRequest;

/// How far the clocks of row and record may be apart.
const APART: i64 = 120 * TICKS_PER_SECOND;
/// What began within this began together.
const TOGETHER: i64 = 5 * TICKS_PER_SECOND;
/// Digits that a masked number must show to be compared.
const LEAST_SHOWN: usize = 5;

/// A record that a row leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) id: String,
    /// What leads to it.
    pub(super) by: &'static str,
}

/// Finds the records of rows, and shows them.
pub(super) struct Join {
    composer: Composer,
    /// What was found for the rows of this request, by their ids.
    known: RefCell<HashMap<String, Option<Match>>>,
}

impl Join {
    pub(super) fn new(read: &ReadRequest<'_>) -> Self {
        Self { composer: read.composer(), known: RefCell::default() }
    }

    /// The record of a row, if it can be told.
    pub(super) fn record(
        &self,
        reader: &mut Reader,
        log: Log,
        row: &Node<'_>,
    ) -> Result<Option<Match>, Problem> {
        let id = text(row, "id").unwrap_or_default();
        if let Some(known) = self.known.borrow().get(&id) {
            return Ok(known.clone());
        }
        let found = self.look(reader, log, row)?;
        self.known.borrow_mut().insert(id, found.clone());
        Ok(found)
    }

    fn look(
        &self,
        reader: &mut Reader,
        log: Log,
        row: &Node<'_>,
    ) -> Result<Option<Match>, Problem> {
        let by = match log {
            Log::DirectRoutingCalls => "correlationId",
            Log::PstnCalls => "callId",
            _ => return Ok(None),
        };
        if let Some(id) = text(row, by)
            && self.exists(reader, &id)?
        {
            return Ok(Some(Match { id, by }));
        }
        if log == Log::DirectRoutingCalls {
            return Ok(None);
        }
        let found = self.by_participants(reader, row)?;
        Ok(found.map(|id| Match { id, by: "participants" }))
    }

    fn exists(&self, reader: &mut Reader, id: &str) -> Result<bool, Problem> {
        match self.ask(reader, &path_of(id), "$select=id") {
            Ok(_) => Ok(true),
            Err(problem) if problem.code() == Code::NotFound => Ok(false),
            Err(problem) => Err(problem),
        }
    }

    fn by_participants(
        &self,
        reader: &mut Reader,
        row: &Node<'_>,
    ) -> Result<Option<String>, Problem> {
        let instant = text(row, "startDateTime").and_then(|text| DateTimeOffset::parse(&text));
        let Some(began) = instant.map(|instant| instant.0) else { return Ok(None) };
        let numbers: Vec<String> =
            ["callerNumber", "calleeNumber"].iter().filter_map(|name| text(row, name)).collect();
        let whole = numbers.iter().find(|number| !number.contains('*'));
        let Some(party) = text(row, "userId").or_else(|| whole.cloned()) else { return Ok(None) };
        let options = format!(
            "$filter=startDateTime le {} and endDateTime ge {} and \
             participants_v2/any(p:p/id eq '{}')&$select=id,startDateTime\
             &$expand=participants_v2&$top=50",
            DateTimeOffset(began + APART),
            DateTimeOffset(began - APART),
            quoted(&party)
        );
        let Some(answer) = self.ask(reader, "communications/callRecords", &options)? else {
            return Ok(None);
        };
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let answer = parse(&answer)?;
        let records = answer.get("value").and_then(Node::as_array).unwrap_or_default();
        let fitting: Vec<&Node<'_>> =
            records.iter().filter(|record| has_other_party(record, &numbers)).collect();
        let began_with_row = |record: &Node<'_>| {
            let start = text(record, "startDateTime").and_then(|it| DateTimeOffset::parse(&it));
            start.is_some_and(|start| (start.0 - began).abs() <= TOGETHER)
        };
        let found = match fitting.as_slice() {
            [] => None,
            [only] => Some(*only),
            several => {
                let mut together = several.iter().filter(|record| began_with_row(record));
                together.next().filter(|_| together.next().is_none()).copied()
            }
        };
        Ok(found.and_then(|record| text(record, "id")))
    }

    /// A record with everything in it, for conditions to look at.
    pub(super) fn whole(&self, reader: &mut Reader, id: &str) -> Result<Node<'static>, Problem> {
        let options = "$expand=sessions($expand=segments),participants_v2";
        owned(self.ask(reader, &path_of(id), options)?)
    }

    /// A record as it is to be shown.
    pub(super) fn shown(
        &self,
        reader: &mut Reader,
        id: &str,
        query: &Query,
    ) -> Result<Node<'static>, Problem> {
        let mut question = question(&path_of(id), "")?;
        question.query = query.clone();
        owned(self.answer(reader, &question)?)
    }

    /// Asks for what one row is decided by. The next row's takes its place, so that what was kept for it is
    /// given back.
    fn ask(
        &self,
        reader: &mut Reader,
        path: &str,
        options: &str,
    ) -> Result<Option<Vec<u8>>, Problem> {
        let meter = &self.composer.budget.meter;
        let (made, kept) = (meter.made(), meter.kept());
        let answer = self.answer(reader, &question(path, options)?);
        meter.forget(made);
        meter.release(meter.kept().saturating_sub(kept));
        answer
    }

    fn answer(&self, reader: &mut Reader, question: &Question) -> Result<Option<Vec<u8>>, Problem> {
        Ok(match self.composer.answer(reader, question)? {
            Answer::Json(body) | Answer::Rows(body, _) => Some(body),
            Answer::Text(_) | Answer::Nothing => None,
        })
    }
}

fn question(path: &str, options: &str) -> Result<Question, Problem> {
    let limits = odata::Limits::default();
    let model = &model::generated::BETA;
    let (resource, query) = odata::parse_request(model, path, options, &limits, DateTimeOffset(0))?;
    let target = destination::target(&resource)?;
    Ok(Question { target, path: resource.to_string(), resource, query })
}

fn path_of(id: &str) -> String {
    format!("communications/callRecords{}", odata::key::in_parentheses(id))
}

/// An answer as a value inside another, where it has no context of its own.
fn owned(answer: Option<Vec<u8>>) -> Result<Node<'static>, Problem> {
    let text = String::from_utf8_lossy(&answer.unwrap_or_default()).into_owned();
    let mut node = parse(&text)?.into_owned();
    if let Node::Object(members) = &mut node {
        members.retain(|member| !member.name.is("@odata.context"));
    }
    Ok(node)
}

/// Whether a telephone among the participants of a record has one of the numbers.
fn has_other_party(record: &Node<'_>, numbers: &[String]) -> bool {
    let participants = record.get("participants_v2").and_then(Node::as_array).unwrap_or_default();
    let phone = |participant: &Node<'_>| {
        let phone = participant.get("identity")?.get("phone")?;
        text(phone, "id")
    };
    participants
        .iter()
        .filter_map(phone)
        .any(|phone| numbers.iter().any(|number| is_same_number(&phone, number)))
}

/// Whether two numbers can be the same one: digits that either of them masks can be any.
fn is_same_number(one: &str, other: &str) -> bool {
    let is_shown = |pair: &(u8, u8)| pair.0 != b'*' && pair.1 != b'*';
    let pairs = || one.bytes().zip(other.bytes());
    one.len() == other.len()
        && pairs().filter(is_shown).all(|(a, b)| a == b)
        && pairs().filter(is_shown).count() >= LEAST_SHOWN
}

fn text(node: &Node<'_>, name: &str) -> Option<String> {
    let text = node.get(name)?.as_text()?.value().into_owned();
    (!text.is_empty()).then_some(text)
}

/// Text for a literal between quotes, in an address.
fn quoted(text: &str) -> String {
    odata::percent::encode_query(&text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_digits_can_be_any() {
        assert!(is_same_number("+15550100182", "+15550100182"));
        assert!(is_same_number("+15550100***", "+15550100182"));
        assert!(is_same_number("+15550100182", "+1555010****"));
        assert!(!is_same_number("+15550100***", "+15550200182"));
        assert!(!is_same_number("+15550100***", "+155501001820"));
        assert!(!is_same_number("+***********", "+15550100182"), "says next to nothing");
    }
}
