//! The upkeep of a mirror's subscription at its source: made, renewed at half its life, looked at, made anew.
//! Whatever fails here makes nothing incomplete: the list is read more often while no subscription lives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use odata::json::Node;
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use reqwest::Method;
use serde_json::json;
use store::{FencedResult, MirrorGap, MirrorSubscription};
use tokio::sync::Notify;

use crate::client::Ask;
use crate::context::{Context, Stop};
use crate::fault::{Fault, Refusal};
use crate::reception::{Address, CLIENT_STATE};

const MINUTE: i64 = 60 * TICKS_PER_SECOND;
/// How long a subscription is asked for; Graph gives at most 4,230 minutes.
const ASKED_FOR: i64 = 4_200 * MINUTE;
/// Life that is left when it is renewed.
const RENEWED_AT: i64 = ASKED_FOR / 2;
/// Time between two looks whether it is still there, since one that is gone says nothing.
const LOOKED_AT: Duration = Duration::from_mins(30);
/// Time until what failed is tried again.
const TRIED_AGAIN: Duration = Duration::from_mins(5);
/// The id of the one that is being made: its notifications may come before the answer that names it.
const PENDING: &str = "pending";
/// Why a stretch without one is a gap.
const UNSUBSCRIBED: &str = "no subscription";

/// Where a mirror is notified, and what wakes it then.
pub(crate) struct NotificationAddress {
    pub(crate) url: String,
    pub(crate) woken: Arc<Notify>,
    /// None while it works.
    pub(crate) upkeep: Option<Upkeep>,
}

impl NotificationAddress {
    /// At the address of a mirror of that name, below the public address of the server.
    pub(crate) fn at(address: &Address, name: &str, base: &str) -> Self {
        let url = format!("{}/{}", base.trim_end_matches('/'), address.path(name));
        Self { url, woken: Arc::clone(&address.woken), upkeep: Some(Upkeep::default()) }
    }
}

/// Waits until something was notified; for ever if nothing ever is.
pub(crate) async fn wake(woken: Option<&Arc<Notify>>) {
    match woken {
        Some(woken) => woken.notified().await,
        None => std::future::pending().await,
    }
}

/// What is known of the upkeep in this process.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    /// When the subscription is looked at next.
    next_look: Option<Instant>,
    /// When something is tried again that failed.
    next_try: Option<Instant>,
    /// When it was last known to be alive, by the source's clock.
    alive_at: Option<i64>,
    /// What went wrong last.
    pub(crate) problem: Option<String>,
}

impl Upkeep {
    /// Does what is due, for notifications to this address.
    pub(crate) async fn keep(&mut self, context: &Context, url: &str) -> Result<(), Stop> {
        if self.next_try.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        self.next_try = None;
        match self.step(context, url).await {
            Ok(()) => self.problem = None,
            Err(Stop::Fault(Fault::Stopped)) => return Err(Fault::Stopped.into()),
            Err(Stop::Fault(fault)) => {
                tracing::warn!(%fault, "the subscription could not be kept up; the list goes on");
                self.problem = Some(fault.to_string());
                self.next_try = Some(Instant::now() + TRIED_AGAIN);
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    async fn step(&mut self, context: &Context, url: &str) -> Result<(), Stop> {
        let now = context.client.clock.now();
        let known = context.store.reader()?.mirror_subscriptions(context.mirror.key)?;
        let alive = known.iter().find(|known| known.is_alive(now) && known.notification_url == url);
        let Some(alive) = alive.cloned() else {
            return self.create(context, url, &known).await;
        };
        if alive.asks_reauthorization {
            let path = format!("subscriptions/{}/reauthorize", alive.id);
            self.unless_gone(context, &alive, Method::POST, &path, None).await?;
            return self.renew(context, alive).await;
        }
        if alive.expires - now < RENEWED_AT {
            return self.renew(context, alive).await;
        }
        if self.next_look.is_none_or(|at| Instant::now() >= at) {
            let path = format!("subscriptions/{}", alive.id);
            self.unless_gone(context, &alive, Method::GET, &path, None).await?;
            self.next_look = Some(Instant::now() + LOOKED_AT);
        }
        Ok(())
    }

    /// Asks something of a subscription. If the source does not have it, that is noted, and the next step
    /// makes another one.
    async fn unless_gone(
        &mut self,
        context: &Context,
        subscription: &MirrorSubscription,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Option<String>, Stop> {
        let url = context.client.url(path)?;
        let answer = context.client.ask(Ask { method, url: &url, body }).await;
        let now = context.client.clock.now();
        match answer {
            Ok(text) => {
                self.alive_at = Some(now);
                Ok(Some(text))
            }
            Err(Fault::NotFound(_) | Fault::Refused(Refusal { status: 400, .. })) => {
                tracing::warn!("the subscription is gone at the source");
                let began = self.alive_at.take().unwrap_or(subscription.created);
                let gap = MirrorGap { began, ended: now, why: UNSUBSCRIBED.to_owned() };
                context.store.note_mirror_gap(context.mirror.key, gap).await?;
                put(context, &MirrorSubscription { ended: Some(now), ..subscription.clone() })
                    .await?;
                self.next_look = None;
                Ok(None)
            }
            Err(fault) => Err(fault.into()),
        }
    }

    async fn renew(&mut self, context: &Context, old: MirrorSubscription) -> Result<(), Stop> {
        let until = DateTimeOffset(context.client.clock.now() + ASKED_FOR).to_string();
        let body = json!({ "expirationDateTime": until }).to_string();
        let path = format!("subscriptions/{}", old.id);
        let answer = self.unless_gone(context, &old, Method::PATCH, &path, Some(body)).await?;
        let Some(answer) = answer else { return Ok(()) };
        let (_, expires) = named(&answer)?;
        put(context, &MirrorSubscription { expires, asks_reauthorization: false, ..old }).await
    }

    async fn create(
        &mut self,
        context: &Context,
        url: &str,
        known: &[MirrorSubscription],
    ) -> Result<(), Stop> {
        let (client, now) = (&context.client, context.client.clock.now());
        let state = URL_SAFE_NO_PAD.encode(identity::random_key());
        let sealed_client_state = (context.seal)(CLIENT_STATE, state.as_bytes());
        let pending = MirrorSubscription {
            id: PENDING.to_owned(),
            notification_url: url.to_owned(),
            sealed_client_state,
            created: now,
            expires: now,
            ended: Some(now),
            asks_reauthorization: false,
        };
        put(context, &pending).await?;
        let body = json!({
            "changeType": "created,updated",
            "resource": "/communications/callRecords",
            "notificationUrl": url,
            "lifecycleNotificationUrl": format!("{url}/lifecycle"),
            "expirationDateTime": DateTimeOffset(now + ASKED_FOR).to_string(),
            "clientState": state,
            "latestSupportedTlsVersion": "v1_2",
        });
        let at = client.url("subscriptions")?;
        let ask = Ask { method: Method::POST, url: &at, body: Some(body.to_string()) };
        let answer = match client.ask(ask).await {
            Err(Fault::Refused(Refusal { status: 409, .. })) => {
                // One of an earlier life, whose client state nobody knows any more.
                remove_others(context, url).await?;
                return Err(
                    Fault::Unsound("a subscription of this address was there".to_owned()).into()
                );
            }
            answer => answer?,
        };
        let (id, expires) = named(&answer)?;
        put(context, &MirrorSubscription { id, expires, ended: None, ..pending }).await?;
        tracing::info!("subscribed to notifications of the source");
        // What was between the one before and this one.
        let ends = known.iter().filter(|known| known.id != PENDING);
        let before =
            ends.map(|known| known.ended.unwrap_or(known.expires).min(known.expires)).max();
        if let Some(began) = before {
            let ended = client.clock.now();
            let gap = MirrorGap { began, ended, why: UNSUBSCRIBED.to_owned() };
            context.store.note_mirror_gap(context.mirror.key, gap).await?;
        }
        self.next_look = Some(Instant::now() + LOOKED_AT);
        self.alive_at = Some(now);
        Ok(())
    }
}

/// Deletes subscriptions of the application that notify our address.
async fn remove_others(context: &Context, url: &str) -> Result<(), Stop> {
    let client = &context.client;
    let at = client.url("subscriptions")?;
    let text = client.ask(Ask { method: Method::GET, url: &at, body: None }).await?;
    let list = Node::parse_foreign(&text).map_err(|_| unsound())?;
    for item in list.get("value").and_then(Node::as_array).unwrap_or_default() {
        let text = |name: &str| Some(item.get(name)?.as_text()?.value().into_owned());
        if text("notificationUrl").as_deref() != Some(url) {
            continue;
        }
        let Some(id) = text("id").filter(|id| is_id(id)) else { continue };
        let at = client.url(&format!("subscriptions/{id}"))?;
        match client.ask(Ask { method: Method::DELETE, url: &at, body: None }).await {
            Ok(_) | Err(Fault::NotFound(_)) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(())
}

/// Deletes the living subscriptions of a mirror at its source.
pub(crate) async fn remove(context: &Context) -> Result<(), Stop> {
    let known = context.store.reader()?.mirror_subscriptions(context.mirror.key)?;
    let now = context.client.clock.now();
    for known in known.iter().filter(|known| known.is_alive(now)) {
        let url = context.client.url(&format!("subscriptions/{}", known.id))?;
        match context.client.ask(Ask { method: Method::DELETE, url: &url, body: None }).await {
            Ok(_) | Err(Fault::NotFound(_)) => {}
            Err(fault) => return Err(fault.into()),
        }
        put(context, &MirrorSubscription { ended: Some(now), ..known.clone() }).await?;
    }
    Ok(())
}

async fn put(context: &Context, subscription: &MirrorSubscription) -> Result<(), Stop> {
    let put = context.store.put_mirror_subscription(context.lease, subscription.clone());
    match put.await? {
        FencedResult::Done(()) => Ok(()),
        FencedResult::Lost => Err(Stop::Lost),
    }
}

fn unsound() -> Fault {
    Fault::Unsound("the answer about a subscription can't be read".to_owned())
}

/// The id of a subscription and when it ends, as an answer says them.
fn named(text: &str) -> Result<(String, i64), Fault> {
    let answer = Node::parse_foreign(text).map_err(|_| unsound())?;
    let text = |name: &str| Some(answer.get(name)?.as_text()?.value().into_owned());
    let id = text("id").filter(|id| is_id(id)).ok_or_else(unsound)?;
    let ends = text("expirationDateTime").and_then(|text| DateTimeOffset::parse(&text));
    Ok((id, ends.ok_or_else(unsound)?.0))
}

/// Whether an id may stand in an address as it is.
fn is_id(id: &str) -> bool {
    (1..=100).contains(&id.len())
        && id != PENDING
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_a_subscription_that_can_stand_in_an_address() {
        let answer = r#"{"id":"5f0b1a52-9a0e","expirationDateTime":"1970-01-01T00:00:01Z"}"#;
        assert_eq!(named(answer), Ok(("5f0b1a52-9a0e".to_owned(), TICKS_PER_SECOND)));
        for bad in ["", "{}", r#"{"id":"../x","expirationDateTime":"1970-01-01T00:00:01Z"}"#] {
            assert!(named(bad).is_err(), "{bad}");
        }
    }
}
