//! Forms that are sent: where they come from, and what they hold.

use http::HeaderMap;
use http::header::{HeaderName, ORIGIN};
use odata::percent::{Plus, decode};

/// What browsers say of where a request comes from (Fetch Metadata).
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a form comes from a page of this server: the browser says so, or names its address.
pub(crate) fn is_own(headers: &HeaderMap, public_url: &str) -> bool {
    let mut sites = headers.get_all(SITE).iter();
    if let Some(site) = sites.next() {
        return site == "same-origin" && sites.next().is_none();
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    origins.next().is_some_and(|origin| origin == public_url) && origins.next().is_none()
}

/// The value of a field of a form (`application/x-www-form-urlencoded`).
pub(crate) fn field(body: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    text.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| decode(value, Plus::Space).ok().map(std::borrow::Cow::into_owned))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_form_of_another_page_is_not_ours() {
        let ours = "https://vault.example";
        let with = |lines: &[(HeaderName, &'static str)]| {
            let values =
                lines.iter().map(|(key, value)| (key.clone(), HeaderValue::from_static(value)));
            is_own(&values.collect(), ours)
        };
        assert!(with(&[(SITE, "same-origin")]));
        assert!(with(&[(ORIGIN, "https://vault.example")]));
        for foreign in [
            &[][..],
            &[(SITE, "cross-site")],
            &[(SITE, "same-site"), (ORIGIN, "https://vault.example")],
            &[(ORIGIN, "https://vault.example.evil")],
            &[(ORIGIN, "null")],
        ] {
            assert!(!with(foreign), "{foreign:?}");
        }
        assert_eq!(field(b"a=1&code=x%2By+z", "code").as_deref(), Some("x+y z"));
        assert_eq!(field(b"a=1", "code"), None);
    }
}
