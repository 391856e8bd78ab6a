//! What messages are signed with (Standard Webhooks 1.0): a secret for each subscription, and after
//! a change the one before it for another day.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use odata::primitive::TICKS_PER_SECOND;

/// How long the secret before the last one still signs.
const OVERLAP: i64 = 24 * 3600 * TICKS_PER_SECOND;

/// What the secrets themselves are kept under.
#[derive(Clone)]
pub struct Vault {
    /// Seals a text for a purpose.
    pub seal: Arc<Seal>,
    /// Opens what was sealed for a purpose; none if it was sealed under another key.
    pub open: Arc<Open>,
}

type Seal = dyn Fn(&str, &[u8]) -> Vec<u8> + Send + Sync;
type Open = dyn Fn(&str, &[u8]) -> Option<Vec<u8>> + Send + Sync;

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// Seals what notifications of a subscription repeat.
    pub fn seal_client_state(&self, id: &str, state: &str) -> Vec<u8> {
        (self.seal)(&format!("client-state/{id}"), state.as_bytes())
    }

    pub(crate) fn open_client_state(&self, id: &str, sealed: &[u8]) -> Option<String> {
        String::from_utf8((self.open)(&format!("client-state/{id}"), sealed)?).ok()
    }

    /// Seals the secrets of a subscription.
    pub fn seal_secrets(&self, id: &str, secrets: &Secrets) -> Vec<u8> {
        (self.seal)(&format!("webhook-secrets/{id}"), secrets.to_text().as_bytes())
    }

    /// Opens the secrets of a subscription.
    pub fn open_secrets(&self, id: &str, sealed: &[u8]) -> Option<Secrets> {
        Secrets::of_text(
            &String::from_utf8((self.open)(&format!("webhook-secrets/{id}"), sealed)?).ok()?,
        )
    }
}

/// The secrets of a subscription.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    current: [u8; 32],
    /// The one before, with the instant until which it signs (ticks).
    before: Option<([u8; 32], i64)>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// A first one.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { current: secret, before: None }
    }

    /// With a new one from an instant (ticks) on.
    #[must_use]
    pub fn rotated(&self, secret: [u8; 32], now: i64) -> Self {
        Self { current: secret, before: Some((self.current, now.saturating_add(OVERLAP))) }
    }

    /// The secret as its owner is shown it.
    pub fn shown(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.current))
    }

    /// The header `webhook-signature` of a message.
    pub(crate) fn sign(&self, id: &str, timestamp: i64, body: &[u8], now: i64) -> String {
        let before = self.before.filter(|(_, until)| *until > now).map(|(secret, _)| secret);
        let signature = |secret: [u8; 32]| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            let mut context = hmac::Context::with_key(&key);
            context.update(format!("{id}.{timestamp}.").as_bytes());
            context.update(body);
            format!("v1,{}", STANDARD.encode(context.sign()))
        };
        let all: Vec<String> = [self.current].into_iter().chain(before).map(signature).collect();
        all.join(" ")
    }

    fn to_text(&self) -> String {
        let before =
            self.before.map(|(secret, until)| format!(" {} {until}", STANDARD.encode(secret)));
        format!("{}{}", STANDARD.encode(self.current), before.unwrap_or_default())
    }

    fn of_text(text: &str) -> Option<Self> {
        let secret = |text: &str| <[u8; 32]>::try_from(STANDARD.decode(text).ok()?).ok();
        let mut words = text.split(' ');
        let current = secret(words.next()?)?;
        let before = match (words.next(), words.next()) {
            (Some(before), Some(until)) => Some((secret(before)?, until.parse().ok()?)),
            _ => None,
        };
        Some(Self { current, before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_as_they_were_written() {
        let first = Secrets::new([7; 32]);
        let second = first.rotated([8; 32], 1_000);
        for secrets in [first, second] {
            assert_eq!(Secrets::of_text(&secrets.to_text()), Some(secrets));
        }
        assert_eq!(Secrets::of_text("x"), None);
    }

    #[test]
    fn messages_are_signed_as_standard_webhooks_says() {
        // The example of the specification's own libraries.
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let signed =
            hmac::sign(&key, b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}");
        assert_eq!(STANDARD.encode(signed), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let secrets = Secrets::new([1; 32]);
        let alone = secrets.sign("msg_1", 5, b"{}", 0);
        let rotated = secrets.rotated([2; 32], 0);
        let both = rotated.sign("msg_1", 5, b"{}", OVERLAP - 1);
        assert!(both.ends_with(&alone) && both.matches("v1,").count() == 2, "{both}");
        assert_eq!(rotated.sign("msg_1", 5, b"{}", OVERLAP).matches("v1,").count(), 1);
    }
}
