//! The list of calls.

use graph::Local;
use graph::pages::PageWorker;
use odata::json::Node;
use odata::percent::{Plus, decode, encode_segment};
use odata::primitive::DateTimeOffset;
use pages::calls::{CallFilter, Calls, Row, filters, page as calls_page};
use pages::frame::Tab;
use store::{AccessRow, Reader};
use web::{Code, Problem, Response};

use super::ends::name_of;
use crate::page::{self, Content, Surroundings};
use crate::parameters::{Days, Parameters, day, wanted};
use crate::questions::{self, Question, RECORDS, in_utc, items, quoted, string};
use crate::sign_in::to;
use crate::visitor::Visitor;

const KNOWN: [&str; 7] = ["q", "from", "to", "verdict", "type", "subnet", "after"];
const SELECT: &str = "id,startDateTime,endDateTime,type,modalities,organizer_v2,callvault.quality";

pub(crate) async fn answer(
    worker: &PageWorker,
    visitor: &Visitor,
    query: Option<&str>,
) -> Result<Response, Problem> {
    let base = page::base(visitor);
    let visit = Some((visitor, Tab::Calls));
    let refused = |wanted: &CallFilter, problem: &Problem| {
        let around = Surroundings { version: worker.version(), visit, search: &wanted.q };
        page::problem_with(around, problem, &filters(wanted, &base))
    };
    let parameters = match Parameters::read(query, &KNOWN) {
        Ok(parameters) => parameters,
        Err(message) => {
            return Ok(refused(&CallFilter::default(), &Problem::bad_request(message)));
        }
    };
    let wanted = wanted(&parameters);
    if is_id(&wanted.q) && is_there(worker, visitor, &wanted.q).await? {
        return Ok(page::guarded(to(&format!("{base}/calls/{}", encode_segment(&wanted.q)))));
    }
    let question = match question(&wanted, parameters.get("after")) {
        Ok(question) => question,
        Err(problem) => return Ok(refused(&wanted, &problem)),
    };
    let (asked, at) = (question.clone(), base.clone());
    let work = move |reader: &mut Reader, local: &Local| list(reader, local, &asked, &at);
    let (rows, after) = worker.ask(&visitor.session.name, &visitor.session.tenant, work).await?;
    let digest = blake3::hash(question.url.as_bytes()).as_bytes().to_vec();
    let count = Some(rows.len() as i64);
    let access = AccessRow { digest: Some(digest), count, ..visitor.access("calls") };
    worker.store().note_access(access).await?;
    let older = after.map(|after| format!("{base}/calls{}", parameters.with(&[("after", &after)])));
    let search = wanted.q.clone();
    let view = Calls { wanted, rows, older, all: format!("{base}/calls") };
    let content = Content {
        title: "Calls".to_owned(),
        main: calls_page(&view, &base),
        requests: vec![question.request(worker.public_url())],
    };
    let around = Surroundings { version: worker.version(), visit, search: &search };
    Ok(page::answer(around, &content))
}

/// Whether a text may be the id of a record rather than a word: a GUID.
fn is_id(text: &str) -> bool {
    text.len() == 36 && model::TenantId::parse(&text.to_ascii_lowercase()).is_some()
}

async fn is_there(worker: &PageWorker, visitor: &Visitor, id: &str) -> Result<bool, Problem> {
    let question = Question::new("", &questions::record(id, None), &[("$select", "id")]);
    let work = move |reader: &mut Reader, local: &Local| question.text(reader, local);
    match worker.ask(&visitor.session.name, &visitor.session.tenant, work).await {
        Ok(_) => Ok(true),
        Err(problem) if problem.code() == Code::NotFound => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// The question for calls that meet the conditions. `after` goes on behind a page before.
fn question(wanted: &CallFilter, after: &str) -> Result<Question, Problem> {
    let mut conditions = Vec::new();
    match (wanted.from.as_str(), wanted.to.as_str()) {
        ("", "") => {}
        (from, "") => {
            let from = DateTimeOffset(day("from", from).map_err(Problem::bad_request)?);
            conditions.push(format!("startDateTime ge {from}"));
        }
        ("", to) => {
            let days = Days::of(to, to).map_err(Problem::bad_request)?;
            conditions.push(format!("startDateTime lt {}", DateTimeOffset(days.until)));
        }
        (from, to) => {
            let days = Days::of(from, to).map_err(Problem::bad_request)?;
            conditions.push(days.condition("startDateTime"));
        }
    }
    if !wanted.kind.is_empty() {
        conditions.push(format!("type eq {}", quoted(&wanted.kind)));
    }
    if !wanted.verdict.is_empty() {
        conditions.push(format!("callvault.quality/verdict eq {}", quoted(&wanted.verdict)));
    }
    if !wanted.subnet.is_empty() {
        let subnet = quoted(&wanted.subnet);
        conditions.push(format!(
            "sessions/any(s:s/segments/any(g:g/media/any(m:m/callerNetwork/subnet eq {subnet} or \
             m/calleeNetwork/subnet eq {subnet})))"
        ));
    }
    let search = search(&wanted.q);
    let filter = conditions.join(" and ");
    let options = [
        ("$filter", filter.as_str()),
        ("$search", search.as_str()),
        ("$select", SELECT),
        ("$skiptoken", after),
    ];
    Ok(Question::new("Calls", RECORDS, &options))
}

/// All of the words, each as it stands.
fn search(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let plain: String = word.chars().filter(|it| !matches!(it, '"' | '\\')).collect();
        match plain.strip_suffix('*') {
            // The beginning of a word.
            Some(start) if start.chars().all(char::is_alphanumeric) && !start.is_empty() => plain,
            _ => format!("\"{plain}\""),
        }
    });
    words.filter(|word| word != "\"\"").collect::<Vec<_>>().join(" AND ")
}

fn list(
    reader: &mut Reader,
    local: &Local,
    question: &Question,
    base: &str,
) -> Result<(Vec<Row>, Option<String>), Problem> {
    let text = question.text(reader, local)?;
    let answer = questions::parse(&text)?;
    let rows = items(&answer, "value").iter().map(|call| row(call, base)).collect();
    let after = string(&answer, &["@odata.nextLink"]).and_then(|link| {
        let (_, query) = link.split_once('?')?;
        let token = query.split('&').find_map(|pair| pair.strip_prefix("$skiptoken="))?;
        Some(decode(token, Plus::Literal).ok()?.into_owned())
    });
    Ok((rows, after))
}

fn row(call: &Node<'_>, base: &str) -> Row {
    let text = |name: &str| string(call, &[name]).unwrap_or_default();
    let [start, end] = ["startDateTime", "endDateTime"].map(text);
    let ticks = |text: &str| DateTimeOffset::parse(text).map_or(0, |at| at.0);
    let length = ticks(&end).saturating_sub(ticks(&start)).max(0);
    let quality = |name: &str| string(call, &["callvault.quality", name]);
    let people =
        |name: &str| questions::number(call, &["callvault.quality", name]).map(|it| it as u64);
    let modalities = items(call, "modalities").iter().filter_map(Node::as_text);
    Row {
        address: format!("{base}/calls/{}", encode_segment(&text("id"))),
        seconds: (length / odata::primitive::TICKS_PER_SECOND) as u64,
        start: in_utc(call, &["startDateTime"]).unwrap_or(start),
        kind: text("type"),
        organizer: call.get("organizer_v2").and_then(|it| it.get("identity")).and_then(name_of),
        people: people("people"),
        poor_people: people("poorPeople"),
        modalities: modalities.map(|it| it.value().into_owned()).collect::<Vec<_>>().join(", "),
        verdict: quality("verdict").unwrap_or_default(),
        reason: quality("reason"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_become_one_question_whatever_they_hold() {
        let wanted = CallFilter {
            q: "o'neil 14:00 \" zo*".into(),
            from: "2026-10-01".into(),
            to: "2026-10-01".into(),
            verdict: "poor".into(),
            subnet: "10.1.2.0' or true".into(),
            ..CallFilter::default()
        };
        let url = question(&wanted, "").unwrap().url;
        let plain = decode(&url, Plus::Literal).unwrap().into_owned();
        assert!(plain.contains(
            "startDateTime ge 2026-10-01T00:00:00Z and startDateTime lt 2026-10-02T00:00:00Z"
        ));
        assert!(plain.contains("m/callerNetwork/subnet eq '10.1.2.0'' or true'"), "{plain}");
        assert!(plain.contains("$search=\"o'neil\" AND \"14:00\" AND zo*"), "{plain}");
        assert!(question(&CallFilter { from: "x".into(), ..CallFilter::default() }, "").is_err());
    }
}
