//! Names of things: tenants, and ids as they are compared.

use std::fmt;

use odata::primitive::parse_guid;

/// Longest id that is kept, in bytes: Graph's are GUIDs and telephone numbers.
pub const LONGEST_ID: usize = 256;

/// A tenant: a GUID in lower case. Needs no creating: a token for it is enough.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(String);

impl TenantId {
    /// Reads a GUID in either case.
    pub fn parse(text: &str) -> Option<Self> {
        parse_guid(text).map(|_| Self(text.to_ascii_lowercase()))
    }

    /// The GUID in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The form in which ids are compared: the 16 bytes of a GUID, whose case does not matter, else
/// the id's own bytes.
pub fn key(id: &str) -> Vec<u8> {
    parse_guid(id).map_or_else(|| id.as_bytes().to_vec(), |guid| guid.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_compare_without_regard_to_case_and_others_by_their_bytes() {
        let lower = "e523d2ed-2966-4b6b-925b-754a88034cc5";
        assert_eq!(key(lower), key(&lower.to_uppercase()));
        assert_ne!(key("+15550100182"), key("+15550100183"));
        assert_ne!(key("abc"), key("ABC"));
    }

    #[test]
    fn a_tenant_is_a_guid_in_lower_case() {
        let tenant = TenantId::parse("DC368399-474C-4D40-900C-6265431FD81F").unwrap();
        assert_eq!(tenant.as_str(), "dc368399-474c-4d40-900c-6265431fd81f");
        assert_eq!(TenantId::parse("contoso.com"), None);
    }
}
