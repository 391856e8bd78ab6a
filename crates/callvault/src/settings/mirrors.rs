//! `mirror`: mirrors that the settings set up.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use mirror::{Cloud, MirrorSettings};
use model::TenantId;

use super::raw;

/// Days before now from which on calls are brought, and the most that Graph has.
const BACKFILL_DAYS: i64 = 30;

/// A mirror of the settings.
#[derive(Debug)]
pub(crate) struct MirrorEntry {
    pub(crate) name: String,
    pub(crate) tenant: TenantId,
    pub(crate) settings: MirrorSettings,
    pub(crate) secret: SecretPlace,
    pub(crate) backfill_days: i64,
}

/// Where a secret is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretPlace {
    /// In a file; `-` is standard input.
    File(PathBuf),
    /// In a variable of the environment.
    Variable(String),
}

/// Checks a mirror of the settings.
pub(super) fn entry(raw: raw::Mirror) -> Result<MirrorEntry> {
    let raw::Mirror { name, tenant, application, secret_file, secret_env, .. } = raw;
    ensure!(mirror::is_name(&name), "mirror: '{name}' is no name of a mirror");
    let of = |what: &str| format!("mirror: {name}: {what}");
    let tenant = TenantId::parse(&tenant)
        .with_context(|| of(&format!("the tenant '{tenant}' is no GUID")))?;
    let secret = match (secret_file, secret_env) {
        (Some(file), None) => SecretPlace::File(file),
        (None, Some(variable)) => SecretPlace::Variable(variable),
        _ => bail!(of("expected secret_file or secret_env")),
    };
    let mut settings = match (&raw.source, &raw.cloud) {
        (Some(source), None) => {
            for address in [Some(source), raw.authority.as_ref()].into_iter().flatten() {
                mirror::check_address(address).map_err(|why| anyhow::anyhow!(of(&why)))?;
            }
            MirrorSettings::of_source(source, raw.authority.as_deref(), application)
        }
        (None, cloud) => {
            let cloud = cloud.as_deref().unwrap_or(Cloud::Global.name());
            let names = Cloud::ALL.map(Cloud::name).join(", ");
            let cloud = Cloud::parse(cloud);
            cloud.with_context(|| of(&format!("cloud: expected {names}")))?.settings(application)
        }
        (Some(_), Some(_)) => bail!(of("expected source or cloud, and not both")),
    };
    if let Some(rate) = raw.rate {
        settings.rate = rate;
    }
    let backfill_days = raw.backfill_days.unwrap_or(BACKFILL_DAYS);
    ensure!(
        (0..=BACKFILL_DAYS).contains(&backfill_days),
        "{}",
        of("backfill_days: expected 0 to 30, since Graph has no more")
    );
    Ok(MirrorEntry { name, tenant, settings, secret, backfill_days })
}
