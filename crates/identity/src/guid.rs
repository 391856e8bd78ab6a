//! GUIDs as tenants and client ids.

use std::fmt::Write as _;

/// Brings a tenant id to its one form, lower case; `None` when it is not a hyphenated GUID.
pub fn normalize_tenant(text: &str) -> Option<String> {
    let shaped = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    shaped.then(|| text.to_ascii_lowercase())
}

/// A new random GUID (version 4, RFC 9562), lower case.
pub fn random_guid() -> String {
    let mut bytes: [u8; 16] = crate::random::bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_brought_to_lower_case() {
        assert_eq!(
            normalize_tenant("9188040D-6C67-4C5B-B112-36A304B66DAD").as_deref(),
            Some("9188040d-6c67-4c5b-b112-36a304b66dad")
        );
    }

    #[test]
    fn other_spellings_are_no_tenant() {
        for text in [
            "",
            "common",
            "contoso.onmicrosoft.com",
            "9188040d6c674c5bb11236a304b66dad",
            "{9188040d-6c67-4c5b-b112-36a304b66dad}",
            "9188040d-6c67-4c5b-b112-36a304b66da",
            "9188040d-6c67-4c5b-b112-36a304b66dag",
            "9188040d-6c67-4c5b-b112+36a304b66dad",
            "9188040d-6c67-4c5b-b112-36a304b66d\u{e4}",
        ] {
            assert_eq!(normalize_tenant(text), None, "{text:?}");
        }
    }

    #[test]
    fn random_guids_are_guids_of_version_4_and_differ() {
        let (one, two) = (random_guid(), random_guid());
        assert_ne!(one, two);
        assert_eq!(normalize_tenant(&one).as_ref(), Some(&one));
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&one.as_bytes()[19]));
    }
}
