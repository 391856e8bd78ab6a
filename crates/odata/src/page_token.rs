//! `$skiptoken` and `$deltatoken`: where a list goes on, in a form that only this service can make.
//!
//! base64url of: format version (1 byte), key id (2), payload, keyed BLAKE3 of all that cut to 16
//! bytes. The payload isn't secret from its bearer, who asked for all of it; it can't be changed,
//! and it is good only for the tenant and application that it was made for.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Kind};

/// Version of the layout of the bytes.
const FORMAT: u8 = 1;
const MAC_BYTES: usize = 16;

/// Secret keys by id. The first seals; all of them open, so that links outlive a rotation.
#[derive(Clone)]
pub struct Keys {
    keys: Vec<(u16, [u8; 32])>,
}

impl Keys {
    /// Takes keys, the one that seals first; `None` when there is none.
    pub fn new(keys: Vec<(u16, [u8; 32])>) -> Option<Self> {
        (!keys.is_empty()).then_some(Self { keys })
    }

    fn find(&self, id: u16) -> Option<&[u8; 32]> {
        self.keys.iter().find(|(known, _)| *known == id).map(|(_, key)| key)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

/// All that is needed to go on with a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageToken {
    /// Who it was made for.
    pub tenant: String,
    /// The application that it was made for.
    pub app: String,
    /// The canonical path.
    pub resource: String,
    /// The canonical query.
    pub query: String,
    /// The last key, as the store writes it.
    pub position: Vec<u8>,
    /// The version of the record whose parts are listed.
    pub version: Option<i64>,
}

/// Writes a token with the first key.
pub fn seal(keys: &Keys, token: &PageToken) -> String {
    let (id, key) = &keys.keys[0];
    let mut bytes = vec![FORMAT];
    bytes.extend(id.to_be_bytes());
    for field in [&token.tenant, &token.app, &token.resource, &token.query] {
        push_field(&mut bytes, field.as_bytes());
    }
    push_field(&mut bytes, &token.position);
    if let Some(version) = token.version {
        bytes.extend(version.to_be_bytes());
    }
    let mac = mac(key, &bytes);
    bytes.extend(mac);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a token that [`seal`] wrote with any of the keys, for this tenant and application. `option` is
/// where it stands.
pub fn open(
    keys: &Keys,
    option: &'static str,
    text: &str,
    (tenant, app): (&str, &str),
) -> Result<PageToken, Error> {
    parse(keys, text)
        .filter(|token| token.tenant == tenant && token.app == app)
        .ok_or_else(|| Error::at(Kind::BadPageToken, option, "", 0))
}

fn parse(keys: &Keys, text: &str) -> Option<PageToken> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (sealed, found) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
    let (head, mut rest) = sealed.split_at_checked(3)?;
    let key = keys.find(u16::from_be_bytes([head[1], head[2]]))?;
    // Every byte is compared, so that the time taken doesn't tell how many were right.
    let difference = mac(key, sealed).iter().zip(found).fold(0, |sum, (a, b)| sum | (a ^ b));
    if std::hint::black_box(difference) != 0 || head[0] != FORMAT {
        return None;
    }
    let mut text = || String::from_utf8(take_field(&mut rest)?.to_vec()).ok();
    let (tenant, app, resource, query) = (text()?, text()?, text()?, text()?);
    let position = take_field(&mut rest)?.to_vec();
    let version = match rest {
        [] => None,
        version => Some(i64::from_be_bytes(version.try_into().ok()?)),
    };
    Some(PageToken { tenant, app, resource, query, position, version })
}

fn mac(key: &[u8; 32], bytes: &[u8]) -> [u8; MAC_BYTES] {
    let mut mac = [0; MAC_BYTES];
    mac.copy_from_slice(&blake3::keyed_hash(key, bytes).as_bytes()[..MAC_BYTES]);
    mac
}

fn push_field(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.extend((field.len() as u32).to_be_bytes());
    bytes.extend(field);
}

fn take_field<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (field, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> PageToken {
        PageToken {
            tenant: "11111111-2222-3333-4444-555555555555".into(),
            app: "app".into(),
            resource: "communications/callRecords".into(),
            query: "$top=5".into(),
            position: vec![0, 255, 7],
            version: Some(2),
        }
    }

    fn keys(ids: &[u16]) -> Keys {
        Keys::new(ids.iter().map(|id| (*id, [*id as u8; 32])).collect()).unwrap()
    }

    fn reopened(keys: &Keys, text: &str) -> Option<PageToken> {
        let PageToken { tenant, app, .. } = token();
        open(keys, "$skiptoken", text, (&tenant, &app)).ok()
    }

    #[test]
    fn a_sealed_token_opens_to_what_it_was() {
        for version in [None, Some(0), Some(i64::MAX)] {
            let token = PageToken { version, ..token() };
            assert_eq!(reopened(&keys(&[1]), &seal(&keys(&[1]), &token)), Some(token));
        }
    }

    #[test]
    fn a_token_outlives_key_rotation_until_its_key_is_dropped() {
        let text = seal(&keys(&[1]), &token());
        assert!(reopened(&keys(&[2, 1]), &text).is_some());
        assert!(reopened(&keys(&[2]), &text).is_none());
    }

    #[test]
    fn a_token_is_good_for_one_tenant_and_application() {
        let keys = keys(&[1]);
        let text = seal(&keys, &token());
        let error = open(&keys, "$skiptoken", &text, ("other", "app")).unwrap_err();
        assert_eq!(error.kind, Kind::BadPageToken);
        assert!(open(&keys, "$skiptoken", &text, (&token().tenant, "other")).is_err());
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_refused() {
        let keys = keys(&[1, 2]);
        let text = seal(&keys, &token());
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(reopened(&keys, &URL_SAFE_NO_PAD.encode(changed)), None, "bit {bit}");
        }
        for length in 0..bytes.len() {
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..length]);
            assert_eq!(reopened(&keys, &cut), None, "length {length}");
        }
        for at in 0..text.len() {
            for bit in 0..7 {
                let mut changed = text.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(reopened(&keys, &changed), None, "character {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn keys_are_not_printed() {
        assert_eq!(format!("{:?}", keys(&[3])), "[3]");
    }
}
