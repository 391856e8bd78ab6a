//! The application behind a verified token, and the roles it can have.

/// An application whose token was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant whose data the application may ask for: a lower-case GUID.
    pub tenant: String,
    /// The application (client) id, as the token has it in `azp` or `appid`.
    pub app_id: String,
    /// Application roles, as the token lists them. Compared exactly.
    pub roles: Vec<String>,
    /// Seconds since 1970 at which the token ends, leeway not included.
    pub expires_at: i64,
    /// Whether the built-in issuer made it, which knows its applications.
    pub is_own: bool,
}

impl Caller {
    /// Whether the application has exactly this role.
    pub fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }

    /// Whether the application has at least one of these roles.
    pub fn has_any(&self, roles: &[&str]) -> bool {
        roles.iter().any(|role| self.has(role))
    }
}

/// The application roles that mean something here.
pub mod role {
    /// Graph's role for reading call records.
    pub const READ_CALL_RECORDS: &str = "CallRecords.Read.All";
    /// Graph's role for the PSTN, direct routing and SMS logs.
    pub const READ_PSTN_CALLS: &str = "CallRecord-PstnCalls.Read.All";
    /// Our own role: bringing records in.
    pub const WRITE_CALL_RECORDS: &str = "CallRecords.Write.All";
    /// Our own role: administration of the tenant.
    pub const ADMINISTER: &str = "Callvault.Admin";
    /// Every role there is, in the order of documentation.
    pub const ALL: [&str; 4] = [READ_CALL_RECORDS, READ_PSTN_CALLS, WRITE_CALL_RECORDS, ADMINISTER];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_compared_exactly() {
        let caller = Caller {
            tenant: String::new(),
            app_id: String::new(),
            roles: vec!["CallRecords.Read.AllX".into(), "callrecords.read.all".into()],
            expires_at: 0,
            is_own: false,
        };
        assert!(!caller.has(role::READ_CALL_RECORDS));
        assert!(caller.has("CallRecords.Read.AllX"));
        assert!(!caller.has_any(&role::ALL));
    }
}
