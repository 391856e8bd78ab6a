//! One text out of the answers that tell of a record: the record with its first sessions, more pages of
//! sessions, and its participants. Every value is copied as it came; only links are left out, since nothing
//! is missing any more.

use std::collections::HashSet;

use odata::json::{Node, Scanner};

use crate::list_page::{integer, link};

/// A record as an answer shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordPage {
    /// The version that it tells of.
    pub(crate) version: i64,
    /// All members but the collections below, as they stand between braces.
    members: String,
    /// `sessions`, if it has them.
    pub(crate) sessions: Option<Items>,
    /// `participants_v2`, if it has them.
    pub(crate) participants: Option<Items>,
}

/// Items of a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Items {
    /// As they stand between brackets.
    text: String,
    ids: Vec<Vec<u8>>,
    /// Where the collection goes on.
    pub(crate) link: Option<String>,
}

impl Items {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Bytes of their text.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Appends the items of the page behind.
    ///
    /// # Errors
    /// When an item was there already: then another may be missing.
    pub(crate) fn append(&mut self, page: Items) -> Result<(), String> {
        let known: HashSet<&Vec<u8>> = self.ids.iter().collect();
        if page.ids.iter().any(|id| known.contains(id)) {
            return Err("an item stands on two pages".to_owned());
        }
        if !page.is_empty() {
            if !self.is_empty() {
                self.text.push(',');
            }
            self.text.push_str(&page.text);
        }
        self.ids.extend(page.ids);
        self.link = page.link;
        Ok(())
    }
}

/// Reads the answer to a request for one record.
///
/// # Errors
/// What is wrong with it, without anything that it says.
pub(crate) fn record(text: &str) -> Result<RecordPage, String> {
    let mut scanner = Scanner::foreign(text);
    let no_json = |error| format!("the record is no JSON: {error}");
    scanner.enter_object().map_err(no_json)?;
    let (mut members, mut version, mut is_first) = (String::new(), None, true);
    let mut collections = [None, None];
    let mut links = [None, None];
    while let Some(name) = scanner.next_member(is_first).map_err(no_json)? {
        is_first = false;
        let name = name.value().into_owned();
        let at = COLLECTIONS.iter().position(|collection| {
            name.strip_prefix(collection).is_some_and(|rest| NAMES.contains(&rest))
        });
        if let Some(at) = at.filter(|_| scanner.at_array()) {
            collections[at] = Some(items(&mut scanner, text)?);
            continue;
        }
        let from = scanner.offset();
        let value = scanner.value().map_err(no_json)?;
        match (at, &value) {
            (Some(_), Node::Null) => continue,
            (Some(at), Node::String(link)) if name.len() > COLLECTIONS[at].len() => {
                links[at] = Some(link.value().into_owned());
                continue;
            }
            _ if name == "version" => version = integer(&value),
            _ => {}
        }
        if !members.is_empty() {
            members.push(',');
        }
        let mut quoted = Vec::new();
        odata::json::push_string(&mut quoted, &name);
        members.push_str(&String::from_utf8_lossy(&quoted));
        members.push(':');
        members.push_str(&text[from..scanner.offset()]);
    }
    scanner.end().map_err(no_json)?;
    let version = version.ok_or("the record has no version")?;
    for (collection, link) in collections.iter_mut().zip(links) {
        match collection {
            Some(items) => items.link = link,
            None if link.is_some() => *collection = Some(Items { link, ..Items::default() }),
            None => {}
        }
    }
    let [sessions, participants] = collections;
    Ok(RecordPage { version, members, sessions, participants })
}

/// The collections of a record that come in pages.
const COLLECTIONS: [&str; 2] = ["sessions", "participants_v2"];
/// What stands behind their names for them and for their links.
const NAMES: [&str; 3] = ["", "@odata.nextLink", "@nextLink"];

/// Reads a page behind the first of sessions or participants.
///
/// # Errors
/// What is wrong with it, without anything that it says.
pub(crate) fn page(text: &str) -> Result<Items, String> {
    let mut scanner = Scanner::foreign(text);
    let no_json = |error| format!("the page is no JSON: {error}");
    scanner.enter_object().map_err(no_json)?;
    let (mut found, mut goes_on, mut is_first) = (None, None, true);
    while let Some(name) = scanner.next_member(is_first).map_err(no_json)? {
        is_first = false;
        let name = name.value().into_owned();
        if name == "value" && scanner.at_array() {
            found = Some(items(&mut scanner, text)?);
            continue;
        }
        let value = scanner.value().map_err(no_json)?;
        if NAMES[1..].contains(&name.as_str()) {
            goes_on = match value {
                Node::String(link) => Some(link.value().into_owned()),
                Node::Null => None,
                other => return Err(format!("a nextLink is {}", other.kind())),
            };
        }
    }
    scanner.end().map_err(no_json)?;
    let mut items = found.ok_or("the page has no array 'value'")?;
    items.link = goes_on;
    Ok(items)
}

/// The items of the array that begins here.
fn items(scanner: &mut Scanner<'_>, text: &str) -> Result<Items, String> {
    let no_json = |error| format!("the answer is no JSON: {error}");
    scanner.enter_array().map_err(no_json)?;
    let (from, mut to, mut ids) = (scanner.offset(), scanner.offset(), Vec::new());
    let mut known = HashSet::new();
    while scanner.next_item(ids.is_empty()).map_err(no_json)? {
        let item = scanner.value().map_err(no_json)?;
        let id = item.get("id").and_then(Node::as_text).ok_or("an item has no id")?;
        let id = model::key(&id.value());
        if !known.insert(id.clone()) {
            return Err("an item stands twice on a page".to_owned());
        }
        ids.push(id);
        if link(&item, "segments")?.is_some() {
            return Err(
                "the segments of a session go on behind a link, which is not read".to_owned()
            );
        }
        scanner.let_go();
        to = scanner.offset();
    }
    Ok(Items { text: text[from..to].to_owned(), ids, link: None })
}

/// The whole record as one text: the members of its page, all sessions, all participants.
pub(crate) fn whole(record: &RecordPage, sessions: &Items, participants: Option<&Items>) -> String {
    let length = record.members.len() + sessions.text.len() + 64;
    let mut text = String::with_capacity(length + participants.map_or(0, |all| all.text.len()));
    text.push('{');
    text.push_str(&record.members);
    for (name, items) in COLLECTIONS.iter().zip([Some(sessions), participants]) {
        let Some(items) = items else { continue };
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        text.push_str(name);
        text.push_str("\":[");
        text.push_str(&items.text);
        text.push(']');
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_become_one_text_in_which_every_value_stands_as_it_came() {
        let first = r#"{"@odata.context":"c", "id":"r","version": 3,"x":0.10,
            "sessions@odata.context":"d",
            "sessions":[ {"id":"s1","a":1e2} , {"id":"s2"}],"sessions@odata.nextLink":"http:\/\/x"}"#;
        let record = record(first).unwrap();
        let mut sessions = record.sessions.clone().unwrap();
        assert_eq!((record.version, sessions.link.as_deref()), (3, Some("http://x")));
        sessions.append(page(r#"{"value":[],"@odata.nextLink":"y"}"#).unwrap()).unwrap();
        assert_eq!(sessions.link.as_deref(), Some("y"));
        sessions.append(page(r#"{"value":[{"id":"s3"}]}"#).unwrap()).unwrap();
        assert_eq!(sessions.link, None);
        let text = whole(&record, &sessions, Some(&Items::default()));
        let expected = r#"{"@odata.context":"c","id":"r","version": 3,"x":0.10,"sessions@odata.context":"d","sessions":[ {"id":"s1","a":1e2} , {"id":"s2"},{"id":"s3"}],"participants_v2":[]}"#;
        assert_eq!(text.replace(": 3", ":3"), expected.replace(": 3", ":3"));
        assert!(Node::parse(&text).is_ok());
    }

    #[test]
    fn an_item_that_comes_twice_is_a_fault() {
        let twice = r#"{"version":1,"sessions":[{"id":"s"},{"id":"s"}]}"#;
        assert!(record(twice).is_err());
        let mut one = page(r#"{"value":[{"id":"S-1"}]}"#).unwrap();
        assert!(one.append(page(r#"{"value":[{"id":"S-1"}]}"#).unwrap()).is_err());
    }

    #[test]
    fn what_is_cut_off_or_something_else_is_a_fault() {
        for text in
            ["", "<html>", "{}", r#"{"version":1,"sessions":[{"id":"s"}"#, r#"{"version":1}x"#]
        {
            assert!(record(text).is_err(), "{text}");
        }
        for text in ["", "{}", r#"{"value":null}"#, r#"{"value":[{"id":"s"}"#, r#"{"value":[{}]}"#]
        {
            assert!(page(text).is_err(), "{text}");
        }
        let inner = r#"{"value":[{"id":"s","segments":[],"segments@odata.nextLink":"x"}]}"#;
        assert!(page(inner).unwrap_err().contains("segments"));
    }

    #[test]
    fn a_collection_of_which_only_the_link_is_there_is_read_behind_it() {
        let record = record(r#"{"version":1,"participants_v2@odata.nextLink":"x"}"#).unwrap();
        assert_eq!(record.participants.unwrap().link.as_deref(), Some("x"));
        assert_eq!(record.sessions, None);
    }
}
