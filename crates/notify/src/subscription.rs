//! The rules of subscriptions: what may be asked for, in Graph's words where it refuses
//! (Graph, "subscription resource type", "create subscription").

use model::TenantId;
use odata::json::Node;
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use store::SubscriptionRow;

use crate::resource::{Resource, ResourceError};
use crate::secrets::{Secrets, Vault};

/// The longest life, in minutes.
const EXPIRY_MINUTES: i64 = 4_230;
/// The shortest life: a request for less gets this.
const LEAST_MINUTES: i64 = 45;

const MINUTE: i64 = 60 * TICKS_PER_SECOND;
const LONGEST_CLIENT_STATE: usize = 128;
const LONGEST_URL: usize = 2_048;
const TLS_VERSIONS: [&str; 4] = ["v1_0", "v1_1", "v1_2", "v1_3"];

/// Members that a subscription may be sent with; those that it has by itself are ignored.
const MEMBERS: [&str; 14] = [
    "id",
    "resource",
    "applicationId",
    "changeType",
    "clientState",
    "notificationUrl",
    "notificationQueryOptions",
    "lifecycleNotificationUrl",
    "expirationDateTime",
    "creatorId",
    "includeResourceData",
    "latestSupportedTlsVersion",
    "encryptionCertificate",
    "encryptionCertificateId",
];

/// What an installation allows.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Subscriptions of a tenant at a time.
    pub quota: u64,
    /// How much of the query language a condition may use.
    pub limits: odata::Limits,
}

/// Whose a subscription is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The application.
    pub application_id: &'a str,
}

/// A subscription that an application asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscription {
    /// `created`, `updated` or both, as written.
    pub change_type: String,
    /// As written.
    pub resource: String,
    /// Where notifications are to go.
    pub notification_url: String,
    /// Where lifecycle events are to go.
    pub lifecycle_notification_url: Option<String>,
    /// When it is to end (ticks), within the bounds.
    pub expires: i64,
    /// What notifications are to repeat.
    pub client_state: Option<String>,
    /// As written, or the default.
    pub latest_supported_tls_version: String,
}

/// Why a subscription is not made or changed. `Display` writes the sentence for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is no subscription.
    #[error(
        "Could not process subscription creation payload. Are all property names spelled and \
         camelCased properly?"
    )]
    Payload {
        /// The member that is wrong, if one is.
        member: Option<String>,
    },
    /// A member is missing.
    #[error("{0} is a required property for subscription creation")]
    Missing(&'static str),
    /// It would live too long.
    #[error(
        "Operation: {operation}; Exception: [Status Code: BadRequest; Reason: Subscription \
         expiration can only be 4230 minutes in the future.]"
    )]
    TooLong {
        /// `Create` or `Update`.
        operation: &'static str,
    },
    /// A value that can't be.
    #[error("{message}")]
    Value {
        /// Of which member.
        member: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl NewSubscription {
    /// The row of the subscription, from `now` (ticks) on, with the secrets that sign its messages.
    pub fn into_row(
        self,
        owner: Owner<'_>,
        id: String,
        secrets: &Secrets,
        vault: &Vault,
        now: i64,
    ) -> SubscriptionRow {
        let Owner { tenant, application_id } = owner;
        let state = self.client_state.as_ref();
        SubscriptionRow {
            key: 0,
            tenant,
            application_id: application_id.to_owned(),
            creator_id: Some(application_id.to_owned()),
            resource: self.resource,
            change_type: self.change_type,
            notification_url: self.notification_url,
            lifecycle_notification_url: self.lifecycle_notification_url,
            latest_supported_tls_version: self.latest_supported_tls_version,
            sealed_client_state: state.map(|state| vault.seal_client_state(&id, state)),
            sealed_secrets: vault.seal_secrets(&id, secrets),
            created: now,
            expires: self.expires,
            created_after: 0,
            id,
        }
    }

    /// Reads the body of a request that makes a subscription.
    ///
    /// # Errors
    /// When it breaks a rule.
    pub fn read(body: &[u8], rules: &Rules, now: i64) -> Result<Self, Refusal> {
        let node = object(body)?;
        let required = |name: &'static str| text(&node, name)?.ok_or(Refusal::Missing(name));
        let change_type = required("changeType")?;
        check_change_type(&change_type)?;
        let notification_url = required("notificationUrl")?;
        check_url("notificationUrl", &notification_url)?;
        let resource = required("resource")?;
        Resource::read(&resource, &rules.limits, DateTimeOffset(now)).map_err(wrong_resource)?;
        let expiry = text(&node, "expirationDateTime")?;
        let expires = expiry.ok_or(Refusal::Missing("expirationDateTime"))?;
        let lifecycle_notification_url = text(&node, "lifecycleNotificationUrl")?;
        if let Some(url) = &lifecycle_notification_url {
            check_url("lifecycleNotificationUrl", url)?;
        }
        if matches!(node.get("includeResourceData"), Some(Node::Bool(true))) {
            return Err(Refusal::Value {
                member: "includeResourceData",
                message: "Notifications of call records can not include resource data.".to_owned(),
            });
        }
        Ok(Self {
            change_type,
            resource,
            notification_url,
            lifecycle_notification_url,
            expires: self::expires(&expires, now, "Create")?,
            client_state: client_state(&node)?,
            latest_supported_tls_version: tls_version(&node)?,
        })
    }
}

/// What a request that changes a subscription asks for; members that it states anew as they are
/// change nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// When it is to end (ticks), within the bounds.
    pub expires: Option<i64>,
    /// Where notifications are to go.
    pub notification_url: Option<String>,
}

impl Changes {
    /// Reads the body of a request that changes a subscription, which has this resource and these
    /// changes.
    ///
    /// # Errors
    /// When it breaks a rule, or would change what can't be changed.
    pub fn read(body: &[u8], now: i64, resource: &str, changes: &str) -> Result<Self, Refusal> {
        let node = object(body)?;
        for (member, is) in [("resource", resource), ("changeType", changes)] {
            if text(&node, member)?.is_some_and(|asked| asked != is) {
                let message =
                    format!("The property '{member}' of a subscription can not be changed.");
                return Err(Refusal::Value { member, message });
            }
        }
        let expires = text(&node, "expirationDateTime")?;
        let expires = expires.map(|text| self::expires(&text, now, "Update")).transpose()?;
        let notification_url = text(&node, "notificationUrl")?;
        if let Some(url) = &notification_url {
            check_url("notificationUrl", url)?;
        }
        client_state(&node)?;
        Ok(Self { expires, notification_url })
    }
}

fn object(body: &[u8]) -> Result<Node<'_>, Refusal> {
    let payload = |member: Option<String>| Refusal::Payload { member };
    let body = std::str::from_utf8(body).map_err(|_| payload(None))?;
    let node = Node::parse_foreign(body).map_err(|_| payload(None))?;
    let Node::Object(members) = &node else { return Err(payload(None)) };
    let is_known = |name: &str| {
        name.contains('@') || name == "notificationUrlAppId" || MEMBERS.contains(&name)
    };
    match members.iter().find(|member| !is_known(&member.name.value())) {
        Some(unknown) => Err(payload(Some(unknown.name.value().into_owned()))),
        None => Ok(node),
    }
}

/// The text of a member; none when it is null or missing.
fn text(node: &Node<'_>, name: &'static str) -> Result<Option<String>, Refusal> {
    match node.get(name) {
        None | Some(Node::Null) => Ok(None),
        Some(Node::String(text)) => Ok(Some(text.value().into_owned())),
        Some(_) => Err(Refusal::Payload { member: Some(name.to_owned()) }),
    }
}

fn check_change_type(text: &str) -> Result<(), Refusal> {
    let mut kinds = text.split(',').map(str::trim);
    if kinds.all(|kind| kind == "created" || kind == "updated") {
        return Ok(());
    }
    let message = format!(
        "The changeType '{text}' is not supported for call records: it is created, updated, or both."
    );
    Err(Refusal::Value { member: "changeType", message })
}

/// Which of the changes a subscription asks for: `created`, and `updated`.
pub(crate) fn wants(change_type: &str) -> (bool, bool) {
    let has = |wanted: &str| change_type.split(',').any(|kind| kind.trim() == wanted);
    (has("created"), has("updated"))
}

fn check_url(member: &'static str, url: &str) -> Result<(), Refusal> {
    let is_hub = ["eventhub:", "eventgrid:"]
        .iter()
        .any(|hub| url.get(..hub.len()).is_some_and(|start| start.eq_ignore_ascii_case(hub)));
    let message = if is_hub {
        "This service sends notifications to https:// addresses, not to Azure's event services."
    } else if url.len() > LONGEST_URL {
        "The address is too long."
    } else {
        return Ok(());
    };
    Err(Refusal::Value { member, message: message.to_owned() })
}

fn wrong_resource(error: ResourceError) -> Refusal {
    Refusal::Value { member: "resource", message: error.to_string() }
}

fn expires(text: &str, now: i64, operation: &'static str) -> Result<i64, Refusal> {
    let Some(asked) = DateTimeOffset::parse(text) else {
        let message = "expirationDateTime has to be an instant such as 2026-11-28T22:00:00Z.";
        return Err(Refusal::Value { member: "expirationDateTime", message: message.to_owned() });
    };
    if asked.0 > now.saturating_add(EXPIRY_MINUTES * MINUTE) {
        return Err(Refusal::TooLong { operation });
    }
    Ok(asked.0.max(now.saturating_add(LEAST_MINUTES * MINUTE)))
}

fn client_state(node: &Node<'_>) -> Result<Option<String>, Refusal> {
    let state = text(node, "clientState")?;
    if state.as_ref().is_some_and(|state| state.chars().count() > LONGEST_CLIENT_STATE) {
        let message = format!("clientState can have {LONGEST_CLIENT_STATE} characters at most.");
        return Err(Refusal::Value { member: "clientState", message });
    }
    Ok(state)
}

fn tls_version(node: &Node<'_>) -> Result<String, Refusal> {
    let Some(version) = text(node, "latestSupportedTlsVersion")? else {
        return Ok("v1_2".to_owned());
    };
    if TLS_VERSIONS.contains(&version.as_str()) {
        return Ok(version);
    }
    let message = format!("latestSupportedTlsVersion is one of {}.", TLS_VERSIONS.join(", "));
    Err(Refusal::Value { member: "latestSupportedTlsVersion", message })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-26T00:00:00Z";

    fn now() -> i64 {
        DateTimeOffset::parse(NOW).unwrap().0
    }

    fn read(
        change: impl FnOnce(&mut Vec<(&'static str, String)>),
    ) -> Result<NewSubscription, Refusal> {
        let mut members = vec![
            ("changeType", "\"created,updated\"".to_owned()),
            ("notificationUrl", "\"https://contoso.com/hook?x=y\"".to_owned()),
            ("resource", "\"/communications/callRecords\"".to_owned()),
            ("expirationDateTime", "\"2026-11-28T00:00:00Z\"".to_owned()),
            ("clientState", "\"secret\"".to_owned()),
        ];
        change(&mut members);
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let rules = Rules { quota: 100, limits: odata::Limits::default() };
        NewSubscription::read(format!("{{{}}}", members.join(",")).as_bytes(), &rules, now())
    }

    fn with(name: &'static str, value: &str) -> Result<NewSubscription, Refusal> {
        read(|members| {
            members.retain(|(known, _)| *known != name);
            members.push((name, value.to_owned()));
        })
    }

    #[test]
    fn what_is_asked_for_is_kept_letter_for_letter() {
        let asked = with("changeType", "\"updated, created\"").unwrap();
        assert_eq!(asked.change_type, "updated, created");
        assert_eq!(wants(&asked.change_type), (true, true));
        assert_eq!(asked.resource, "/communications/callRecords");
        assert_eq!(asked.client_state.as_deref(), Some("secret"));
        assert_eq!(asked.latest_supported_tls_version, "v1_2");
        assert_eq!(DateTimeOffset(asked.expires).to_string(), "2026-11-28T00:00:00Z");
    }

    #[test]
    fn a_life_has_bounds() {
        let life = |text: &str| {
            let asked = with("expirationDateTime", &format!("\"{text}\""))?;
            Ok::<_, Refusal>((asked.expires - now()) / MINUTE)
        };
        assert_eq!(life("2026-11-26T00:10:00Z"), Ok(45));
        assert_eq!(life("2020-01-01T00:00:00Z"), Ok(45));
        assert_eq!(life("2026-11-28T22:30:00Z"), Ok(4_230));
        assert_eq!(
            life("2026-11-28T22:30:00.0000001Z"),
            Err(Refusal::TooLong { operation: "Create" })
        );
    }

    #[test]
    fn rules_are_told_in_the_words_of_graph() {
        let message = |asked: Result<NewSubscription, Refusal>| asked.unwrap_err().to_string();
        let payload = "Could not process subscription creation payload. Are all property names \
                       spelled and camelCased properly?";
        assert_eq!(message(with("NotificationUrl", "\"x\"")), payload);
        assert_eq!(message(with("resource", "7")), payload);
        assert!(message(with("expirationDateTime", "\"soon\"")).contains("has to be an instant"));
        assert_eq!(
            message(with("expirationDateTime", "null")),
            "expirationDateTime is a required property for subscription creation"
        );
        assert!(message(with("changeType", "\"deleted\"")).contains("'deleted' is not supported"));
        assert!(
            message(with("resource", "\"users\"")).contains("'users' can not be subscribed to")
        );
        assert!(
            message(with("notificationUrl", "\"EventHub:https://x\"")).contains("event services")
        );
        assert!(message(with("includeResourceData", "true")).contains("resource data"));
        assert!(message(with("latestSupportedTlsVersion", "\"v9\"")).contains("v1_3"));
        let long = format!("\"{}\"", "x".repeat(129));
        assert!(message(with("clientState", &long)).contains("128 characters"));
        assert!(with("clientState", &format!("\"{}\"", "ü".repeat(128))).is_ok());
    }

    #[test]
    fn changes_may_repeat_what_is_but_not_change_it() {
        let read = |body: &str| Changes::read(body.as_bytes(), now(), "r", "created");
        let until = DateTimeOffset::parse("2026-11-27").unwrap().0;
        let expected = Changes { expires: Some(until), notification_url: None };
        let body =
            r#"{"expirationDateTime":"2026-11-27T00:00:00Z","resource":"r","clientState":"x"}"#;
        assert_eq!(read(body), Ok(expected));
        assert!(read(r#"{"resource":"s"}"#).unwrap_err().to_string().contains("'resource'"));
        assert!(read("[]").is_err());
    }
}
