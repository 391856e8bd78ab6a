//! What a caller may do, and for whom.

use identity::Caller;
use model::TenantId;
use web::Problem;

/// The roles that resources ask for.
pub(crate) mod role {
    pub(crate) const READ: &str = identity::role::READ_CALL_RECORDS;
    pub(crate) const READ_PSTN: &str = identity::role::READ_PSTN_CALLS;
    pub(crate) const WRITE: &str = identity::role::WRITE_CALL_RECORDS;
}

/// The tenant of a caller; 403 for one that has none of a tenant's form.
pub(crate) fn tenant(caller: &Caller) -> Result<TenantId, Problem> {
    TenantId::parse(&caller.tenant).ok_or_else(Problem::forbidden)
}
