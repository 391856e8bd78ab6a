//! `mirror`: mirrors that the settings set up.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use mirror::{Cloud, MirrorSettings, NotificationSetting};
use model::TenantId;

use super::raw;

/// Days before now from which on calls are brought, and the most that Graph has.
const BACKFILL_DAYS: i64 = 30;

/// A mirror of the settings.
#[derive(Debug, Clone)]
pub(crate) struct MirrorEntry {
    pub(crate) name: String,
    pub(crate) tenant: TenantId,
    pub(crate) settings: MirrorSettings,
    pub(crate) credential: CredentialPlace,
    pub(crate) backfill_days: i64,
}

/// Where the credential of a mirror is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CredentialPlace {
    /// A secret in a file; `-` is standard input.
    File(PathBuf),
    /// A secret in a variable of the environment.
    Variable(String),
    /// A certificate with its key in a file.
    Certificate(PathBuf),
    /// A token of another issuer in a file.
    Federated(PathBuf),
}

impl CredentialPlace {
    /// The file, if it is one.
    pub(crate) fn file(&self) -> &Path {
        match self {
            Self::File(path) | Self::Certificate(path) | Self::Federated(path) => path,
            Self::Variable(_) => Path::new(""),
        }
    }
}

/// Checks a mirror of the settings.
pub(super) fn entry(raw: raw::Mirror) -> Result<MirrorEntry> {
    let raw::Mirror { name, tenant, application, secret_file, secret_env, .. } = raw;
    ensure!(mirror::is_name(&name), "mirror: '{name}' is no name of a mirror");
    let of = |what: &str| format!("mirror: {name}: {what}");
    let tenant = TenantId::parse(&tenant)
        .with_context(|| of(&format!("the tenant '{tenant}' is no GUID")))?;
    let places = [
        secret_file.map(CredentialPlace::File),
        secret_env.map(CredentialPlace::Variable),
        raw.certificate_file.map(CredentialPlace::Certificate),
        raw.federated_token_file.map(CredentialPlace::Federated),
    ];
    let mut places = places.into_iter().flatten();
    let (Some(credential), None) = (places.next(), places.next()) else {
        bail!(of(
            "expected one of secret_file, secret_env, certificate_file and federated_token_file"
        ));
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
    settings.notifications = match (raw.notifications, raw.notification_url) {
        (Some(false), None) => NotificationSetting::Off,
        (None | Some(true), Some(url)) => {
            mirror::check_address(&url).map_err(|why| anyhow::anyhow!(of(&why)))?;
            NotificationSetting::At(url)
        }
        (None | Some(true), None) => NotificationSetting::Auto,
        (Some(false), Some(_)) => bail!(of("expected notification_url or notifications = false")),
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
    Ok(MirrorEntry { name, tenant, settings, credential, backfill_days })
}
