//! The cookie that holds the secret of a session.

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

/// Over TLS. A browser takes a cookie of this prefix from this host and for all of its paths only.
const SECURE: &str = "__Host-callvault";
/// Over plain HTTP, which only the loopback is for.
const PLAIN: &str = "callvault-local";

/// The name of the cookie.
fn name(is_secure: bool) -> &'static str {
    if is_secure { SECURE } else { PLAIN }
}

/// What the cookie of a request holds.
pub(crate) fn read(headers: &HeaderMap, is_secure: bool) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';'));
    pairs.find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name(is_secure) && !value.is_empty()).then_some(value)
    })
}

/// The header line that sets it.
pub(crate) fn set(secret: &str, is_secure: bool) -> HeaderValue {
    line(secret, is_secure, "")
}

/// The header line that removes it.
pub(crate) fn remove(is_secure: bool) -> HeaderValue {
    line("", is_secure, "; Max-Age=0")
}

fn line(value: &str, is_secure: bool, end: &str) -> HeaderValue {
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{end}", name(is_secure));
    HeaderValue::from_str(&text).expect("secrets are letters, digits, '-' and '_'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b; xcallvault-local=1"));
        headers.append(COOKIE, HeaderValue::from_static("callvault-local=abc; c=d"));
        assert_eq!(read(&headers, false), Some("abc"));
        assert_eq!(read(&headers, true), None);
        let line = set("abc", true);
        assert_eq!(line, "__Host-callvault=abc; Path=/; HttpOnly; SameSite=Lax; Secure");
    }
}
