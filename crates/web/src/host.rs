//! The `Host` of a request. No answer is made from it, but a proxy before us may go by it: one that is
//! missing, there twice or malformed could mean one server to it and another to us (RFC 9112 section
//! 3.2, RFC 9113 section 8.3.1).

use http::header::HOST;
use http::request::Parts;
use http::{HeaderValue, Version};

use crate::problem::Problem;

/// 400 unless a request says in one way, and understandably, which host it is for.
pub fn check(head: &Parts) -> Result<(), Problem> {
    let refuse = |message: &'static str| Err(Problem::bad_request(message).with_target("Host"));
    let mut lines = head.headers.get_all(HOST).iter().map(HeaderValue::as_bytes);
    let named = match (lines.next(), lines.next()) {
        (_, Some(_)) => return refuse("The request has more than one Host."),
        (Some(line), None) if !is_host(line) => {
            return refuse("The Host of the request is malformed.");
        }
        (named, None) => named,
    };
    let authority = head.uri.authority().map(|authority| authority.as_str().as_bytes());
    if head.version != Version::HTTP_2 {
        // HTTP/1.0 knows no Host.
        let is_missing = named.is_none() && head.version == Version::HTTP_11;
        return if is_missing { refuse("The request has no Host.") } else { Ok(()) };
    }
    match (named, authority) {
        (_, Some(authority)) if !is_host(authority) => {
            refuse("The authority of the request is malformed.")
        }
        (None, None) => refuse("The request has no Host."),
        (Some(named), Some(authority)) if !named.eq_ignore_ascii_case(authority) => {
            refuse("The Host of the request is not its authority.")
        }
        _ => Ok(()),
    }
}

/// Whether the value of a line is a host with or without a port: a name, or an address in brackets
/// (RFC 3986 section 3.2.2). A comma, which a name could have there, parts the values of several lines.
pub fn is_host(value: &[u8]) -> bool {
    let (host, port) = match value.iter().rposition(|byte| *byte == b':') {
        Some(at) if !value[at..].contains(&b']') => (&value[..at], &value[at + 1..]),
        _ => (value, &[][..]),
    };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=".contains(byte);
    let is_of_address = |byte: &u8| byte.is_ascii_hexdigit() || b":.".contains(byte);
    let is_address = |host: &[u8]| {
        let inside = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]"));
        inside.is_some_and(|inside| !inside.is_empty() && inside.iter().all(is_of_address))
    };
    let is_host = !host.is_empty() && host.iter().all(is_name) || is_address(host);
    is_host && port.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_or_without_a_port() {
        for host in ["x", "calls.contoso.com:443", "127.0.0.1", "[::1]", "[::1]:8080", "x:", "a_b"]
        {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "", " ", "a b", "a\tb", "a:b", "a:1:2", "::1", "[::1", "[]", "[x]", "u@a", "a/b",
            "a?b", "a#b", "a,b", "\"a\"", "a\\b", "ä",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    fn is_taken(version: Version, uri: &str, hosts: &[&str]) -> bool {
        let mut request = Request::get(uri).version(version);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        check(&request.body(()).unwrap().into_parts().0).is_ok()
    }

    #[test]
    fn one_host_is_asked_for_and_no_other_beside_it() {
        for (uri, hosts, expected) in [
            ("/", &["a"][..], true),
            ("/", &[], false),
            ("/", &["a", "a"], false),
            ("/", &["a b"], false),
            ("http://b/", &["a"], true),
            ("http://b/", &[], false),
        ] {
            assert_eq!(is_taken(Version::HTTP_11, uri, hosts), expected, "{uri} {hosts:?}");
        }
        assert!(is_taken(Version::HTTP_10, "/", &[]));
        assert!(!is_taken(Version::HTTP_10, "/", &["a", "b"]));
        for (uri, hosts, expected) in [
            ("http://a/", &[][..], true),
            ("http://u@a/", &[], false),
            ("http://a/", &["A"], true),
            ("http://a/", &["b"], false),
            ("/", &[], false),
            ("/", &["a"], true),
        ] {
            assert_eq!(is_taken(Version::HTTP_2, uri, hosts), expected, "{uri} {hosts:?}");
        }
    }
}
