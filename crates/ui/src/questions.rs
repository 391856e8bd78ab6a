//! Questions to the API: their addresses, and the values of answers.

use graph::Local;
use odata::json::Node;
use odata::percent::{encode_query, encode_segment};
use odata::primitive::{DateTimeOffset, Duration};
use pages::frame::Request;
use store::Reader;
use web::Problem;

/// Where call records are.
pub(crate) const RECORDS: &str = "/communications/callRecords";

/// A question: what it gives, and its address below the version.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    title: &'static str,
    pub(crate) url: String,
}

impl Question {
    /// Options are encoded here; what is empty is left out.
    pub(crate) fn new(title: &'static str, path: &str, options: &[(&str, &str)]) -> Self {
        let options: Vec<_> = options
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode_query(value)))
            .collect();
        let and = if options.is_empty() { "" } else { "?" };
        Self { title, url: format!("{path}{and}{}", options.join("&")) }
    }

    /// As a program would ask it.
    pub(crate) fn request(&self, public_url: &str) -> Request {
        // It stands between quotes of a shell.
        let url = format!("{public_url}/v1.0{}", self.url).replace('\'', "%27");
        Request { title: self.title.to_owned(), url }
    }

    /// The answer as JSON text.
    pub(crate) fn text(&self, reader: &mut Reader, local: &Local) -> Result<String, Problem> {
        text(reader, local, &self.url)
    }
}

/// The answer to an address as JSON text.
pub(crate) fn text(reader: &mut Reader, local: &Local, url: &str) -> Result<String, Problem> {
    let body = local.answer(reader, url)?.unwrap_or_default();
    String::from_utf8(body).map_err(Problem::internal)
}

/// An answer that was written by this program.
pub(crate) fn parse(text: &str) -> Result<Node<'_>, Problem> {
    Node::parse(text).map_err(|error| Problem::internal(error.message))
}

/// The path of a record, or of one of its versions.
pub(crate) fn record(id: &str, version: Option<i64>) -> String {
    let record = format!("{RECORDS}/{}", encode_segment(id));
    match version {
        Some(version) => format!("{record}/callvault.version(version={version})"),
        None => record,
    }
}

/// A text as the language writes it.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The items of an answer.
pub(crate) fn items<'n, 'a>(node: &'n Node<'a>, name: &str) -> &'n [Node<'a>] {
    match node.get(name) {
        Some(Node::Array(items)) => items,
        _ => &[],
    }
}

/// The value at the end of a path of members.
pub(crate) fn at<'n, 'a>(node: &'n Node<'a>, path: &[&str]) -> Option<&'n Node<'a>> {
    path.iter().try_fold(node, |node, name| node.get(name))
}

/// A text at the end of a path of members, if it is not empty.
pub(crate) fn string(node: &Node<'_>, path: &[&str]) -> Option<String> {
    let text = at(node, path)?.as_text()?.value().into_owned();
    (!text.is_empty()).then_some(text)
}

/// An instant at the end of a path of members, as UTC has it whatever offset it came with.
pub(crate) fn in_utc(node: &Node<'_>, path: &[&str]) -> Option<String> {
    let text = string(node, path)?;
    Some(DateTimeOffset::parse(&text).map_or(text, |at| at.to_string()))
}

/// A number at the end of a path of members.
pub(crate) fn number(node: &Node<'_>, path: &[&str]) -> Option<f64> {
    match at(node, path)? {
        Node::Number(digits) => digits.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// A count at the end of a path of members; 0 where there is none.
pub(crate) fn whole(node: &Node<'_>, path: &[&str]) -> u64 {
    number(node, path).map_or(0, |number| number.max(0.0) as u64)
}

/// A duration at the end of a path of members, in milliseconds.
pub(crate) fn milliseconds(node: &Node<'_>, path: &[&str]) -> Option<f64> {
    let Duration(ticks) = Duration::parse(&string(node, path)?)?;
    Some(ticks as f64 / 10_000.0)
}
