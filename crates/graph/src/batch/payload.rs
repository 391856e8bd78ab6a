//! What a batch says: its members, checked and in their order, with nothing done yet.

use std::borrow::Cow;
use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName,
    HeaderValue, TRANSFER_ENCODING,
};
use http::{HeaderMap, Method, Uri};
use odata::json::{Node, Scanner, write_node};
use odata::percent::encode_address;
use web::Problem;
use web::layers::METHODS;

use crate::version::ApiVersion;

/// Most members of a batch (Graph, "JSON batching": batch size limitations).
pub(super) const MOST: usize = 20;
/// Levels around the body of a member.
const AROUND_BODY: usize = 3;
/// Lines that belong to a connection, or say who asks, which the batch says for all.
pub(super) const NOT_TAKEN: [HeaderName; 6] =
    [ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING];
/// Base64 in the alphabet of URLs, with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One request of a batch.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) method: Method,
    /// From the version on: `/v1.0/…`.
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The places of those that have to be answered before.
    pub(super) depends_on: Vec<usize>,
}

/// A fault of the batch, with its place as a JSON pointer.
type Fault = Problem;

fn fault(place: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Fault {
    Problem::bad_request(message).with_target(place.into())
}

/// Reads a batch of a version. `public` is the address that all links begin with.
pub(super) fn read(text: &str, version: ApiVersion, public: &str) -> Result<Vec<Member>, Fault> {
    let requests = requests(text)?;
    let mut members = Vec::with_capacity(requests.len());
    let mut names = HashSet::new();
    for (place, request) in requests.iter().enumerate() {
        let member = member(request, &format!("/requests/{place}"), version, public)?;
        if !names.insert(member.id.clone()) {
            let message = format!("The id '{}' is another request's already.", member.id);
            return Err(fault(format!("/requests/{place}/id"), message));
        }
        members.push(member);
    }
    for (place, request) in requests.iter().enumerate() {
        members[place].depends_on = depends_on(request, place, &members)?;
    }
    match circle(&members) {
        None => Ok(members),
        Some(place) => {
            let message = format!("The request '{}' waits for itself.", members[place].id);
            Err(fault(format!("/requests/{place}/dependsOn"), message))
        }
    }
}

/// The requests, of which no more are read than a batch may have.
fn requests(text: &str) -> Result<Vec<Node<'_>>, Fault> {
    let unfit = |error: odata::json::Error| fault("", error.to_string());
    let no_array = || fault("/requests", "The member 'requests' must be an array of requests.");
    let mut scanner = Scanner::foreign(text).around(AROUND_BODY);
    let mut found = None;
    scanner.enter_object().map_err(unfit)?;
    let mut is_first = true;
    while let Some(name) = scanner.next_member(is_first).map_err(unfit)? {
        is_first = false;
        if !name.is("requests") {
            scanner.value().map_err(unfit)?;
            continue;
        }
        if found.is_some() {
            return Err(fault("/requests", "The member 'requests' stands twice."));
        }
        if !scanner.at_array() {
            return Err(no_array());
        }
        scanner.enter_array().map_err(unfit)?;
        let mut requests = Vec::new();
        while scanner.next_item(requests.is_empty()).map_err(unfit)? {
            if requests.len() == MOST {
                let message = format!("A batch has 1 to {MOST} requests, this one has more.");
                return Err(fault("/requests", message));
            }
            requests.push(scanner.value().map_err(unfit)?);
        }
        found = Some(requests);
    }
    scanner.end().map_err(unfit)?;
    match found {
        Some(requests) if requests.is_empty() => {
            Err(fault("/requests", format!("A batch has 1 to {MOST} requests, this one none.")))
        }
        found => found.ok_or_else(no_array),
    }
}

fn member(
    node: &Node<'_>,
    place: &str,
    version: ApiVersion,
    public: &str,
) -> Result<Member, Fault> {
    if !matches!(node, Node::Object(_)) {
        return Err(fault(place, "A request is an object."));
    }
    let text = |name: &str| match node.get(name).and_then(Node::as_text) {
        Some(text) if !text.raw().is_empty() => Ok(text.value().into_owned()),
        _ => Err(fault(format!("{place}/{name}"), format!("A request needs '{name}', as text."))),
    };
    if !matches!(node.get("atomicityGroup"), None | Some(Node::Null)) {
        let message = "Requests can't be grouped: each is carried out by itself.";
        return Err(fault(format!("{place}/atomicityGroup"), message));
    }
    let id = text("id")?;
    let method = text("method")?;
    let method = METHODS.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(&method));
    let method =
        method.ok_or_else(|| fault(format!("{place}/method"), "There is no such method."))?;
    let uri = address(&text("url")?, version, public)
        .ok_or_else(|| fault(format!("{place}/url"), "This is no address."))?;
    let headers = headers(node.get("headers"), &format!("{place}/headers"))?;
    let body = body(node.get("body"), &headers, &format!("{place}/body"))?;
    Ok(Member { id, method, uri, headers, body, depends_on: Vec::new() })
}

/// The address from the version on. What is given is relative to it, with a slash before it or not; the
/// SDKs also send it with the version (JavaScript) and as a whole (Python).
pub(super) fn address(url: &str, version: ApiVersion, public: &str) -> Option<Uri> {
    let of_link = url.strip_prefix(public).filter(|rest| rest.starts_with('/'));
    let relative = of_link.unwrap_or(url);
    let relative = relative.strip_prefix('/').unwrap_or(relative);
    let first = relative.split(['/', '?']).next().unwrap_or_default();
    // Batches carry addresses as people write them: with spaces and quotes.
    let address = if ApiVersion::of_segment(first).is_some() {
        format!("/{relative}")
    } else {
        let slash = if relative.starts_with('?') { "" } else { "/" };
        format!("/{}{slash}{relative}", version.segment())
    };
    encode_address(&address).parse().ok()
}

fn headers(node: Option<&Node<'_>>, place: &str) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    let members = match node {
        None | Some(Node::Null) => return Ok(headers),
        Some(Node::Object(members)) => members,
        Some(_) => return Err(fault(place, "Header lines are an object.")),
    };
    for member in members {
        let name = member.name.value();
        let unfit = || fault(format!("{place}/{name}"), "This is no header line.");
        let value = member.value.as_text().ok_or_else(unfit)?.value();
        let line = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
        let value = HeaderValue::from_str(&value).map_err(|_| unfit())?;
        if !NOT_TAKEN.contains(&line) {
            headers.append(line, value);
        }
    }
    Ok(headers)
}

/// The bytes of a body: JSON as it stands there, anything else in base64url.
fn body(node: Option<&Node<'_>>, headers: &HeaderMap, place: &str) -> Result<Bytes, Fault> {
    let node = match node {
        None | Some(Node::Null) => return Ok(Bytes::new()),
        Some(node) => node,
    };
    let is_json = headers.get(CONTENT_TYPE).is_none_or(|line| {
        let name = line.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"application/json")
    });
    if is_json {
        let mut out = Vec::new();
        write_node(&mut out, node);
        return Ok(out.into());
    }
    let unfit = || fault(place, "A body that is not JSON is a text in base64url.");
    let text = node.as_text().ok_or_else(unfit)?.value();
    let text = text.replace('+', "-").replace('/', "_");
    BASE64.decode(text).map(Bytes::from).map_err(|_| unfit())
}

fn depends_on(request: &Node<'_>, place: usize, members: &[Member]) -> Result<Vec<usize>, Fault> {
    let place = format!("/requests/{place}/dependsOn");
    let ids = match request.get("dependsOn") {
        None | Some(Node::Null) => return Ok(Vec::new()),
        Some(Node::Array(ids)) => ids,
        Some(_) => return Err(fault(place, "The member 'dependsOn' is an array of ids.")),
    };
    let mut places = Vec::with_capacity(ids.len());
    for (number, id) in ids.iter().enumerate() {
        let id = id.as_text().map(odata::json::Text::value);
        let found = members.iter().position(|member| id.as_deref() == Some(&member.id));
        places.push(found.ok_or_else(|| {
            fault(format!("{place}/{number}"), "There is no request of this id in the batch.")
        })?);
    }
    Ok(places)
}

/// A member that waits for itself, be it by others.
fn circle(members: &[Member]) -> Option<usize> {
    let mut is_done = vec![false; members.len()];
    loop {
        let next = members.iter().enumerate().position(|(place, member)| {
            !is_done[place] && member.depends_on.iter().all(|before| is_done[*before])
        });
        match next {
            Some(place) => is_done[place] = true,
            None => return is_done.iter().position(|is_done| !is_done),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq};
    use proptest::proptest;
    use proptest::sample::select;

    use super::*;

    const PUBLIC: &str = "https://calls.contoso.com";

    fn read_all(text: &str) -> Result<Vec<Member>, Fault> {
        read(text, ApiVersion::V1, PUBLIC)
    }

    fn uri(url: &str) -> String {
        let text = format!(r#"{{"requests":[{{"id":"1","method":"get","url":"{url}"}}]}}"#);
        read_all(&text).unwrap()[0].uri.to_string()
    }

    #[test]
    fn addresses_are_below_the_version_however_they_are_written() {
        for (url, expected) in [
            ("/communications/callRecords", "/v1.0/communications/callRecords"),
            ("communications/callRecords?$top=1", "/v1.0/communications/callRecords?$top=1"),
            (
                "/communications/callRecords?$filter=type eq 'groupCall'",
                "/v1.0/communications/callRecords?$filter=type%20eq%20'groupCall'",
            ),
            ("/x?$filter=a%20eq%20'ä'", "/v1.0/x?$filter=a%20eq%20'%C3%A4'"),
            ("https://calls.contoso.com/v1.0/communications", "/v1.0/communications"),
            ("https://calls.contoso.com/beta/communications", "/beta/communications"),
            ("/v1.0/communications?$top=1", "/v1.0/communications?$top=1"),
            ("/v1.0x", "/v1.0/v1.0x"),
            ("https://calls.contoso.com.x/v1.0", "/v1.0/https://calls.contoso.com.x/v1.0"),
            ("https://other.contoso.com/v1.0/a", "/v1.0/https://other.contoso.com/v1.0/a"),
            ("/$metadata#x", "/v1.0/$metadata%23x"),
        ] {
            assert_eq!(uri(url), expected);
        }
    }

    #[test]
    fn a_member_has_its_lines_and_its_body() {
        let members = read_all(
            r#"{"requests":[
              {"id":"a","method":"POST","url":"/x","headers":{"content-type":"application/json; charset=utf-8",
               "Prefer":"return=minimal","Authorization":"Bearer other","host":"x"},"body":{"n":1.50, "t":"\u00e4"}},
              {"id":"b","method":"POST","url":"/x/$query","headers":{"Content-Type":"text/plain"},"body":"JHRvcD0x"},
              {"id":"c","method":"DELETE","url":"/x","body":null,"dependsOn":["b","a"]}]}"#,
        )
        .unwrap();
        let lines = &members[0].headers;
        assert_eq!((lines.len(), &lines["prefer"]), (2, &"return=minimal".parse().unwrap()));
        assert_eq!(members[0].body, r#"{"n":1.50,"t":"\u00e4"}"#);
        assert_eq!(members[1].body, "$top=1");
        assert_eq!(members[2].body, "");
        assert_eq!(members[2].depends_on, [1, 0]);
    }

    #[test]
    fn bodies_that_are_no_json_may_have_either_alphabet_and_no_padding() {
        for body in ["_-8=", "_-8", "/+8=", "/+8"] {
            let text = format!(
                r#"{{"requests":[{{"id":"1","method":"POST","url":"/x",
                   "headers":{{"Content-Type":"application/octet-stream"}},"body":"{body}"}}]}}"#
            );
            assert_eq!(read_all(&text).unwrap()[0].body[..], [0xff, 0xef], "{body}");
        }
    }

    #[test]
    fn faults_name_their_place() {
        let request = r#"{"id":"1","method":"GET","url":"/x"}"#;
        let many = [request; MOST + 1].join(",");
        let with = |more: &str| format!(r#"[{{"id":"1","method":"GET","url":"/x",{more}}}]"#);
        for (requests, place) in [
            ("7".to_owned(), "/requests"),
            ("[]".to_owned(), "/requests"),
            (format!("[{many}]"), "/requests"),
            ("[7]".to_owned(), "/requests/0"),
            (format!("[{request},{request}]"), "/requests/1/id"),
            (r#"[{"id":1,"method":"GET","url":"/x"}]"#.to_owned(), "/requests/0/id"),
            (r#"[{"id":"1","method":"BREW","url":"/x"}]"#.to_owned(), "/requests/0/method"),
            (r#"[{"id":"1","method":"GET","url":""}]"#.to_owned(), "/requests/0/url"),
            (with(r#""headers":[]"#), "/requests/0/headers"),
            (with(r#""headers":{"Prefer":1}"#), "/requests/0/headers/Prefer"),
            (with(r#""headers":{"a b":"1"}"#), "/requests/0/headers/a b"),
            (with(r#""headers":{"Content-Type":"text/plain"},"body":"*""#), "/requests/0/body"),
            (with(r#""headers":{"Content-Type":"text/plain"},"body":{}"#), "/requests/0/body"),
            (with(r#""atomicityGroup":"g""#), "/requests/0/atomicityGroup"),
            (with(r#""dependsOn":"1""#), "/requests/0/dependsOn"),
            (with(r#""dependsOn":["2"]"#), "/requests/0/dependsOn/0"),
            (with(r#""dependsOn":["1"]"#), "/requests/0/dependsOn"),
        ] {
            let problem = read_all(&format!(r#"{{"requests":{requests}}}"#)).unwrap_err();
            assert_eq!(problem.target(), Some(place), "{requests}");
        }
        assert!(read_all("{\"requests\":[").is_err());
    }

    #[test]
    fn circles_are_found_however_long_they_are() {
        let request = |id: usize, before: usize| {
            format!(r#"{{"id":"{id}","method":"GET","url":"/x","dependsOn":["{before}"]}}"#)
        };
        let circle: Vec<String> = (0..5).map(|id| request(id, (id + 1) % 5)).collect();
        assert!(read_all(&format!(r#"{{"requests":[{}]}}"#, circle.join(","))).is_err());
        let mut chain = circle;
        chain[4] = r#"{"id":"4","method":"GET","url":"/x"}"#.to_owned();
        assert!(read_all(&format!(r#"{{"requests":[{}]}}"#, chain.join(","))).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever is changed in a batch, it is refused with a place, or its members can be run.
        #[test]
        fn changed_batches_are_refused_or_whole(
            places in vec((0..400_usize, select(b"{}[]\",:\\ /0a%#\xc3".to_vec())), 0..6),
        ) {
            let mut bytes = br#"{"requests":[{"id":"1","method":"GET","url":"/x?$top=1","headers":
                {"Prefer":"a"},"dependsOn":[]},{"id":"2","method":"POST","url":"y","headers":
                {"Content-Type":"text/plain"},"body":"JHRvcD0x","dependsOn":["1"]}]}"#.to_vec();
            for (place, byte) in places {
                let place = place % bytes.len();
                bytes[place] = byte;
            }
            if let Ok(members) = read_all(&String::from_utf8_lossy(&bytes)) {
                prop_assert!((1..=MOST).contains(&members.len()));
                let ids: HashSet<&str> = members.iter().map(|member| member.id.as_str()).collect();
                prop_assert_eq!(ids.len(), members.len());
                prop_assert!(circle(&members).is_none());
                prop_assert!(members.iter().all(|member| member.uri.path().starts_with('/')));
            }
        }
    }
}
