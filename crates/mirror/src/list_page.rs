//! A page of the source's list of call records. It counts only if it is whole: anything else is a fault, and
//! never "no rows".

use odata::json::Node;
use odata::primitive::DateTimeOffset;
use store::ListedRecord;

/// Rows of a page, and where the list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListPage {
    /// The rows.
    pub(crate) rows: Vec<ListedRecord>,
    /// `@odata.nextLink`.
    pub(crate) link: Option<String>,
}

/// Reads the answer to a request for the list.
///
/// # Errors
/// What is wrong with it, without anything that it says.
pub(crate) fn read(text: &str) -> Result<ListPage, String> {
    let page =
        Node::parse_foreign(text).map_err(|error| format!("the list is no JSON: {error}"))?;
    let rows = page.get("value").and_then(Node::as_array).ok_or("the list has no array 'value'")?;
    let rows = rows.iter().enumerate().map(|(place, row)| {
        listed(row).ok_or_else(|| {
            format!("row {place} of the list lacks an id, a version or a startDateTime")
        })
    });
    Ok(ListPage { rows: rows.collect::<Result<_, _>>()?, link: link(&page, "")? })
}

fn listed(row: &Node<'_>) -> Option<ListedRecord> {
    let text = |name| Some(row.get(name)?.as_text()?.value().into_owned());
    let id = text("id").filter(|id| !id.is_empty() && id.len() <= model::key::LONGEST_ID)?;
    let start = DateTimeOffset::parse(&text("startDateTime")?)?.0;
    Some(ListedRecord { id, start, version: integer(row.get("version")?)? })
}

/// A whole number, which may stand in quotes (OData JSON Format, `IEEE754Compatible`).
pub(crate) fn integer(node: &Node<'_>) -> Option<i64> {
    match node {
        Node::Number(text) => text.parse().ok(),
        Node::String(text) => text.value().parse().ok(),
        _ => None,
    }
}

/// The link behind a collection of an object: the annotation of a member, or of the object itself.
pub(crate) fn link(object: &Node<'_>, member: &str) -> Result<Option<String>, String> {
    let names = [format!("{member}@odata.nextLink"), format!("{member}@nextLink")];
    match names.iter().find_map(|name| object.get(name)) {
        None | Some(Node::Null) => Ok(None),
        Some(Node::String(link)) => Ok(Some(link.value().into_owned())),
        Some(other) => Err(format!("a nextLink is {}", other.kind())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_link_are_read() {
        let text = r#"{"@odata.context":"x","value":[{"id":"a","version":2,
            "startDateTime":"1970-01-01T00:00:01Z"}],"@odata.nextLink":"http://x/?a=b"}"#;
        let row = ListedRecord { id: "a".to_owned(), start: 10_000_000, version: 2 };
        let link = Some("http://x/?a=b".to_owned());
        assert_eq!(read(text), Ok(ListPage { rows: vec![row], link }));
        assert_eq!(read(r#"{"value":[]}"#), Ok(ListPage { rows: Vec::new(), link: None }));
    }

    #[test]
    fn what_is_no_whole_list_is_a_fault_and_not_an_empty_list() {
        for text in [
            "",
            "<html>Sign in to the network</html>",
            "{}",
            "[]",
            r#"{"value":{}}"#,
            r#"{"value":[{"id":"a","version":1,"startDateTime":"1970-01-01T00:00:01Z"}"#,
            r#"{"value":[{"id":"a","startDateTime":"1970-01-01T00:00:01Z"}]}"#,
            r#"{"value":[{"id":"","version":1,"startDateTime":"1970-01-01T00:00:01Z"}]}"#,
            r#"{"value":[{"id":"a","version":1,"startDateTime":"yesterday"}]}"#,
            r#"{"value":[null]}"#,
            r#"{"value":[],"@odata.nextLink":7}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
