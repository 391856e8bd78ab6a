//! The tenant of a command: a GUID that is mistyped names a tenant of which there is nothing, so it is told.

use anyhow::{Result, bail};
use model::TenantId;
use store::Reader;

use crate::logging;

/// Number of tenants that are named.
const NAMED: usize = 5;

/// The tenant that a flag names, or else the only one in the store. Tells if the store holds nothing of it.
pub(super) fn resolve(named: Option<&TenantId>, reader: &mut Reader) -> Result<TenantId> {
    if let Some(tenant) = named {
        note_unknown(Some(tenant), reader)?;
        return Ok(tenant.clone());
    }
    let tenants = reader.tenants()?;
    let store = reader.place();
    match tenants.as_slice() {
        [tenant] => Ok(tenant.clone()),
        [] => bail!(
            "the store {store} holds no records yet, so nothing says which tenant is meant: bring records in with \
             `callvault import --tenant GUID FILE`, or name a tenant with --tenant, a GUID"
        ),
        _ => bail!("the store {store} holds records of {}: name one with --tenant", list(&tenants)),
    }
}

/// Tells if the store holds nothing of the tenant that a flag names.
pub(super) fn note_unknown(named: Option<&TenantId>, reader: &mut Reader) -> Result<()> {
    let Some(tenant) = named else { return Ok(()) };
    let tenants = reader.tenants()?;
    let store = reader.place();
    if tenants.is_empty() {
        logging::note(&format!("the store {store} holds no records yet"));
    } else if !tenants.contains(tenant) {
        let others = list(&tenants);
        logging::note(&format!("the store {store} holds no records of {tenant}, but of {others}"));
    }
    Ok(())
}

/// Tenants with their number: `2 tenants (…, …)`.
pub(super) fn list(tenants: &[TenantId]) -> String {
    let mut names: Vec<&str> = tenants.iter().take(NAMED).map(TenantId::as_str).collect();
    if tenants.len() > NAMED {
        names.push("…");
    }
    let plural = if tenants.len() == 1 { "" } else { "s" };
    format!("{} tenant{plural} ({})", tenants.len(), names.join(", "))
}
