//! The page at `/`: what a person sees who opens the address in a browser.

use http::StatusCode;
use http::header::{ACCEPT, CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, LOCATION};
use web::response::ContentType;
use web::{Arrival, Problem, Response, Shared, Trace};

use crate::routes::Rows;

/// Nothing but the text itself is loaded, and nobody may frame it.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");

/// Leads a browser to the pages, or shows it this page where there are none. Any other client gets 404.
pub(crate) fn answer(
    (shared, has_pages): (&Shared, bool),
    rows: Rows,
    arrival: &Arrival,
    trace: &mut Trace,
) -> Result<Response, Problem> {
    trace.route = rows.label().into();
    rows.select(&arrival.method)?;
    if !wants_html(&arrival.headers) {
        let pages = if has_pages { ", and pages for people at /ui/" } else { "" };
        return Err(Problem::not_there(format!(
            "There is no resource at '/': those of the API are below /v1.0 and /beta{pages}."
        )));
    }
    if has_pages {
        let start = HeaderValue::from_static("/ui/");
        return Ok(Response::empty(StatusCode::SEE_OTHER).with_header(LOCATION, start));
    }
    let text = page(&shared.public_url, shared.options.version);
    let mut response = Response::of(ContentType::Html, text);
    response.headers.push((CONTENT_SECURITY_POLICY, POLICY));
    Ok(response)
}

/// Whether a line of `Accept` names HTML (RFC 9110 section 12.5.1), as those of browsers do.
fn wants_html(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut types = lines.flat_map(|line| line.split(','));
    types.any(|item| {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let is_refused = parameters.split(';').any(|it| matches!(it.trim(), "q=0" | "q=0.0"));
        name.trim().eq_ignore_ascii_case("text/html") && !is_refused
    })
}

/// The page of a server that is reached at this address.
fn page(address: &str, version: &str) -> String {
    let (address, version) = (escape(address), escape(version));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Callvault</title>\n</head>\n\
         <body>\n<h1>Callvault</h1>\n\
         <p>This is Callvault {version}. It keeps call records and serves them by the API of \
         Microsoft Graph.</p>\n\
         <h2>What is stored</h2>\n\
         <p>Every version of each call record: the call, its participants, sessions, segments, \
         media and streams, with network, device and quality figures. Beside them the logs of PSTN and \
         direct routing calls, and calls that are still under way.</p>\n\
         <h2>Where it is</h2>\n<ul>\n\
         <li><code>{address}/v1.0/communications/callRecords</code>: the records, with a bearer token</li>\n\
         <li><a href=\"/v1.0/$metadata\"><code>{address}/v1.0/$metadata</code></a>: the model, without one\
         </li>\n\
         <li><code>{address}/beta</code>: the same with the members of beta</li>\n</ul>\n\
         <h2>Documents</h2>\n\
         <p><code>README.md</code> in the sources says how to get a token and ask for records; \
         <code>docs/query-cookbook.md</code> has questions with their answers; \
         <code>callvault --help</code> lists the commands.</p>\n\
         </body>\n</html>\n"
    )
}

/// Text as the content of an element or of a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_html_and_programs_do_not() {
        let wants = |lines: &[&'static str]| {
            let values = lines.iter().map(|line| (ACCEPT, HeaderValue::from_static(line)));
            wants_html(&values.collect())
        };
        assert!(wants(&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"]));
        assert!(wants(&["application/json", "Text/HTML;q=0.5"]));
        for lines in [&[][..], &["*/*"], &["application/json"], &["text/html;q=0, */*"]] {
            assert!(!wants(lines), "{lines:?}");
        }
    }

    #[test]
    fn an_address_stays_text() {
        let page = page("https://a.example/\"><script>", "1.2.3 & more");
        assert!(page.contains("https://a.example/&quot;&gt;&lt;script&gt;/v1.0/"), "{page}");
        assert!(page.contains("Callvault 1.2.3 &amp; more."), "{page}");
        assert!(!page.contains("<script>"), "{page}");
    }
}
