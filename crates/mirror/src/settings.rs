//! What a mirror is set up to do, as the store keeps it: JSON without secrets.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::rate::{GRAPH, Limits};

/// The scope of Microsoft Graph, which a Callvault takes as well.
const GRAPH_SCOPE: &str = "https://graph.microsoft.com/.default";

/// Where a mirror reads, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorSettings {
    /// The address of the source, before the version: `https://graph.microsoft.com`.
    pub source: String,
    /// The address of the issuer of tokens, before the tenant.
    pub authority: String,
    /// What tokens are asked for.
    pub scope: String,
    /// The application.
    pub application: String,
    /// How fast the source may be asked.
    pub rate: Rate,
    /// What it shows to the issuer.
    #[serde(default)]
    pub credential: CredentialKind,
    /// Whether the source notifies the mirror.
    #[serde(default)]
    pub notifications: NotificationSetting,
}

/// Whether a source notifies its mirror, beside the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NotificationSetting {
    /// If the server says a public address that begins with `https`.
    #[default]
    Auto,
    /// Never: the list alone.
    Off,
    /// At this address, before `/callvault/mirror`, which leads to the server.
    At(String),
}

impl NotificationSetting {
    /// The address before `/callvault/mirror` for a server with this public address; none if the source is not
    /// to notify.
    pub fn address(&self, public_url: Option<&str>) -> Option<String> {
        match self {
            Self::Off => None,
            Self::At(url) => Some(url.clone()),
            Self::Auto => public_url.filter(|url| url.starts_with("https://")).map(str::to_owned),
        }
    }
}

/// What a mirror shows to the issuer of its tokens, without what is secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CredentialKind {
    /// A client secret.
    #[default]
    Secret,
    /// A certificate.
    Certificate {
        /// SHA-256 of it in base64url.
        thumbprint: String,
        /// Seconds since 1970 up to which it holds.
        ends: i64,
    },
    /// The file of a token of another issuer.
    Federated(PathBuf),
}

/// How fast a source may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rate {
    /// Within the limits of Microsoft Graph.
    Graph,
    /// As fast as it answers, unless it refuses.
    Off,
}

impl Rate {
    /// The limits.
    pub(crate) fn limits(self) -> Option<Limits> {
        match self {
            Self::Graph => Some(GRAPH),
            Self::Off => None,
        }
    }
}

/// A cloud of Microsoft, with hosts of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// The one that most use.
    Global,
    /// US Government L4.
    UsGovL4,
    /// US Government L5 (DOD).
    UsGovDod,
}

impl Cloud {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Global, Self::UsGovL4, Self::UsGovDod];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovL4 => "usgov-l4",
            Self::UsGovDod => "usgov-dod",
        }
    }

    /// The cloud of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.name() == name)
    }

    /// The settings of a mirror of it.
    pub fn settings(self, application: String) -> MirrorSettings {
        let (source, authority) = match self {
            Self::Global => ("graph.microsoft.com", "login.microsoftonline.com"),
            Self::UsGovL4 => ("graph.microsoft.us", "login.microsoftonline.us"),
            Self::UsGovDod => ("dod-graph.microsoft.us", "login.microsoftonline.us"),
        };
        MirrorSettings {
            source: format!("https://{source}"),
            authority: format!("https://{authority}"),
            scope: format!("https://{source}/.default"),
            application,
            rate: Rate::Graph,
            credential: CredentialKind::Secret,
            notifications: NotificationSetting::Auto,
        }
    }
}

impl MirrorSettings {
    /// The settings of a mirror of another Callvault, or of whatever answers as Graph does; its issuer is
    /// at the same address unless another is named.
    pub fn of_source(source: &str, authority: Option<&str>, application: String) -> Self {
        let trimmed = |url: &str| url.trim_end_matches('/').to_owned();
        Self {
            source: trimmed(source),
            authority: trimmed(authority.unwrap_or(source)),
            scope: GRAPH_SCOPE.to_owned(),
            application,
            rate: Rate::Graph,
            credential: CredentialKind::Secret,
            notifications: NotificationSetting::Auto,
        }
    }

    /// Reads what [`MirrorSettings::to_json`] wrote.
    ///
    /// # Errors
    /// What can't be read in it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The settings as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("all members are text")
    }
}

/// Whether a mirror may have this name: it stands in addresses and names of secrets.
pub fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(is_part)
}

/// Checks the address of a source or of an issuer.
///
/// # Errors
/// What is wrong with it.
pub fn check_address(text: &str) -> Result<(), String> {
    let expected = "expected an address such as https://vault.example";
    let url = reqwest::Url::parse(text).map_err(|_| expected.to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(expected.to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() || url.password().is_some() {
        return Err("expected an address without user, query and fragment".to_owned());
    }
    if url.path().trim_end_matches('/').ends_with("/v1.0") {
        return Err("expected the address before /v1.0".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_they_were_written() {
        for cloud in Cloud::ALL {
            let settings = cloud.settings("app".to_owned());
            assert_eq!(MirrorSettings::from_json(&settings.to_json()), Ok(settings));
            assert_eq!(Cloud::parse(cloud.name()), Some(cloud));
        }
        let own = MirrorSettings::of_source("http://127.0.0.1:8080/", None, "app".to_owned());
        assert_eq!(own.source, "http://127.0.0.1:8080");
        assert_eq!(own.authority, own.source);
    }

    #[test]
    fn addresses_and_names_are_checked() {
        for good in ["https://graph.microsoft.com", "http://127.0.0.1:8080/", "https://a.example/b"]
        {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        for bad in
            ["graph.microsoft.com", "ftp://a", "https://a?b", "https://u:p@a", "https://a/v1.0/"]
        {
            assert!(check_address(bad).is_err(), "{bad}");
        }
        assert!(is_name("contoso-1.eu") && !is_name("") && !is_name("a/b") && !is_name("-a"));
    }
}
