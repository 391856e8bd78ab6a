//! What a request asks for, in a form in which two ways of writing the same are equal.
//!
//! Percent-encoding, the order of options, the letters of paths and the two ways of writing a key
//! make no difference, since clients' libraries change them without being asked. Values of options
//! do.

use std::borrow::Cow;

use odata::percent::{Plus, decode};
use odata::plus;
use odata::primitive::parse_guid;

use crate::chance;

/// Characters of a `$skiptoken` that the log shows.
const SHOWN_OF_TOKEN: usize = 12;
/// Characters of an address that the log shows.
const SHOWN_OF_URL: usize = 2_048;

/// Functions whose links go on by `$skip`.
const LOG_FUNCTIONS: [&str; 5] = [
    "getpstncalls(",
    "getdirectroutingcalls(",
    "getsmslog(",
    "getpstnblockeduserslog(",
    "getpstnonlinemeetingdialoutreport(",
];

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Percent-decoded, with keys as segments.
    pub(crate) path: String,
    /// The id of the call record that it is, or that it is something of; in small letters.
    pub(crate) record: Option<String>,
    /// A number for the path.
    pub(crate) path_print: u64,
    /// A number for version, path and query.
    pub(crate) print: u64,
    /// Whether it goes on with something, as only links do.
    pub(crate) follows: bool,
}

impl Target {
    /// Reads what stands in a request; `path` is that below the version.
    pub(crate) fn new(version: &str, path: &str, query: Option<&str>) -> Self {
        let decoded = decode(path, Plus::Literal).unwrap_or(Cow::Borrowed(path));
        let path = with_keys_as_segments(decoded.trim_end_matches('/'));
        let lower = path.to_ascii_lowercase();
        let query = query.unwrap_or_default();
        let plus = plus::of_query(query);
        let mut options: Vec<(String, Cow<'_, str>)> = query
            .split('&')
            .filter(|option| !option.is_empty())
            .map(|option| option_of(option, plus))
            .collect();
        options.sort();
        let has = |name: &str| options.iter().any(|(known, _)| known == name);
        let is_log = LOG_FUNCTIONS.iter().any(|function| lower.contains(function));
        // With other options it is a question of the client's own.
        let follows = has("skiptoken") || is_log && has("skip") && options.len() == 1;
        let path_print = chance::of_text(0, &without_namespaces(&lower));
        let version = version.trim_matches('/').to_ascii_lowercase();
        let begin = chance::of_text(path_print, &version);
        let print = options.iter().fold(begin, |print, (name, value)| {
            chance::of_text(chance::of_text(print, name), value)
        });
        Self { record: record(&lower), path, path_print, print, follows }
    }

    /// Reads a link. `None` if it leads to nothing below the version.
    pub(crate) fn of_link(version: &str, link: &str) -> Option<Self> {
        let behind = link.split_once("://").map_or(link, |(_, behind)| behind);
        let local = &behind[behind.find('/')?..];
        let (path, query) = match local.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (local, None),
        };
        // The address may have a path of its own before the version.
        let version = version.trim_matches('/');
        let start = format!("/{}/", version.to_ascii_lowercase());
        let at = path.to_ascii_lowercase().find(&start)? + start.len() - 1;
        Some(Self::new(version, &path[at..], query))
    }
}

/// Name and value of an option, decoded. The dollar may be left out.
fn option_of(text: &str, plus: Plus) -> (String, Cow<'_, str>) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (option_name(name), plus::decode_value(value, plus).unwrap_or(Cow::Borrowed(value)))
}

fn option_name(name: &str) -> String {
    let name = decode(name, Plus::Space).unwrap_or(Cow::Borrowed(name));
    name.strip_prefix('$').unwrap_or(&name).to_ascii_lowercase()
}

/// `callRecords('x')` becomes `callRecords/x`. Arguments of functions stay.
fn with_keys_as_segments(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for (place, segment) in path.split('/').enumerate() {
        if place > 0 {
            out.push('/');
        }
        let parts = segment.strip_suffix(')').and_then(|front| front.split_once('('));
        let key = parts.and_then(|(name, inside)| {
            let quoted = inside.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            let key = quoted.or_else(|| parse_guid(inside).map(|_| inside))?;
            Some((name, key))
        });
        match key {
            Some((name, key)) => out.extend([name, "/", key]),
            None => out.push_str(segment),
        }
    }
    out
}

/// A path in small letters with the short names of Graph's functions.
fn without_namespaces(lower: &str) -> String {
    lower.replace("/microsoft.graph.callrecords.", "/").replace("/callrecords.", "/")
}

/// The id of the record in a path in small letters. Operations and `$count` are no ids.
fn record(lower: &str) -> Option<String> {
    let rest = lower.strip_prefix("/communications/callrecords/")?;
    let id = rest.split('/').next()?;
    (!id.is_empty() && !id.starts_with('$') && !id.contains(['.', '('])).then(|| id.to_owned())
}

/// The address of a request as the log shows it: tokens shortened, since what they say is the
/// server's own.
pub(crate) fn shown(version: &str, path: &str, query: Option<&str>) -> String {
    let mut url = format!("/{}{path}", version.trim_matches('/'));
    for (place, option) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        url.push(if place == 0 { '?' } else { '&' });
        match option.split_once('=') {
            Some((name, value)) if option_name(name) == "skiptoken" => {
                url.extend([name, "=", &shortened(value, SHOWN_OF_TOKEN)]);
            }
            _ => url.push_str(option),
        }
    }
    shortened(&url, SHOWN_OF_URL).into_owned()
}

fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "E523D2ED-2966-4b6b-925b-754a88034cc5";

    #[test]
    fn records_are_found_in_paths() {
        let lower = ID.to_ascii_lowercase();
        for (path, expected) in [
            (format!("/communications/callRecords/{ID}"), Some(&lower)),
            (format!("/communications/callRecords/{ID}/"), Some(&lower)),
            (format!("/Communications/callRecords('{ID}')/sessions"), Some(&lower)),
            (format!("/communications/callRecords({ID})"), Some(&lower)),
            (format!("/communications/callRecords%28%27{ID}%27%29"), Some(&lower)),
            ("/communications/callRecords".to_owned(), None),
            ("/communications/callRecords/$count".to_owned(), None),
            ("/communications/callRecords/callvault.streams()".to_owned(), None),
            ("/communications/callRecords/getPstnCalls(from=1,to=2)".to_owned(), None),
            ("/subscriptions/a".to_owned(), None),
        ] {
            let target = Target::new("v1.0", &path, None);
            assert_eq!(target.record.as_ref(), expected, "{path}");
        }
    }

    #[test]
    fn ways_of_writing_the_same_are_equal() {
        let print = |path: &str, query: &str| Target::new("v1.0", path, Some(query)).print;
        let one =
            print("/communications/callRecords/a/sessions", "$expand=segments&$skiptoken=x y");
        for (path, query) in [
            ("/communications/callRecords/A/sessions/", "$skiptoken=x%20y&$expand=segments"),
            ("/communications/callRecords('a')/sessions", "%24expand=segments&%24skiptoken=x%20y"),
            ("/communications/callRecords/%61/sessions", "$expand=segments&&skipToken=x%20y"),
        ] {
            assert_eq!(print(path, query), one, "{path} {query}");
        }
        for (path, query) in [
            ("/communications/callRecords/a/sessions", "$skiptoken=x y"),
            ("/communications/callRecords/a/sessions", "$expand=segments&$skiptoken=X y"),
            ("/communications/callRecords/a/sessions", "$expand=segments&$skiptoken=x y&$top=5"),
            ("/communications/callRecords/b/sessions", "$expand=segments&$skiptoken=x y"),
        ] {
            assert_ne!(print(path, query), one, "{path} {query}");
        }
        let of = |name: &str| print(&format!("/communications/callRecords/{name}(a=1)"), "$skip=5");
        assert_eq!(of("getPstnCalls"), of("microsoft.graph.callRecords.getPstnCalls"));
        assert_eq!(of("getPstnCalls"), of("callRecords.getPstnCalls"));
        let path = "/communications/callRecords";
        assert_ne!(Target::new("beta", path, None).print, Target::new("v1.0", path, None).print);
    }

    #[test]
    fn links_are_what_the_requests_along_them_are() {
        let path = "/communications/callRecords";
        let asked = Target::new("v1.0", path, Some("$skiptoken=abc"));
        for link in [
            "https://graph.example/v1.0/communications/callRecords?$skiptoken=abc",
            "http://127.0.0.1:8080/graph/V1.0/communications/callRecords?$skiptoken=abc",
        ] {
            assert_eq!(Target::of_link("v1.0", link), Some(asked.clone()), "{link}");
        }
        assert_eq!(Target::of_link("v1.0", "https://graph.example/other?$skiptoken=abc"), None);
        assert_eq!(Target::of_link("v1.0", "nowhere"), None);
    }

    #[test]
    fn only_links_go_on() {
        let follows = |path: &str, query: &str| Target::new("v1.0", path, Some(query)).follows;
        assert!(follows("/communications/callRecords", "%24skiptoken=a"));
        assert!(follows("/communications/callRecords/getPstnCalls(fromDateTime=a)", "$skip=1000"));
        assert!(!follows("/communications/callRecords", "$skip=10"));
        assert!(!follows("/communications/callRecords/getPstnCalls(a=1)", "$skip=10&$top=5"));
        assert!(!follows("/communications/callRecords", "$filter=a eq 'skiptoken'"));
    }

    #[test]
    fn addresses_are_shown_with_short_tokens() {
        let query = Some("$top=5&$skiptoken=abcdefghijklmnop");
        assert_eq!(shown("v1.0", "/a", query), "/v1.0/a?$top=5&$skiptoken=abcdefghijkl…");
        assert_eq!(shown("v1.0", "/a", Some("$skiptoken=abc")), "/v1.0/a?$skiptoken=abc");
        assert_eq!(shown("/beta", "/ä%20", None), "/beta/ä%20");
        assert!(shown("beta", &"/a".repeat(10_000), None).ends_with('…'));
    }
}
