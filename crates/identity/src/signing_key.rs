//! The keys that the built-in issuer signs with, as rows to be stored.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::claims::MAX_TTL;
use crate::master_key::{MasterKey, OpenError};

/// Seconds for which a key is published after it was replaced, so that every token that it signed
/// lives its life: the longest one, and the clocks' leeway.
pub const OVERLAP: i64 = MAX_TTL + crate::claims::LEEWAY;

/// A signing key as it is stored. Its private half is sealed under the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// The key's id in tokens and in the published set: its thumbprint (RFC 7638).
    pub kid: String,
    /// The signature algorithm, `RS256`.
    pub algorithm: String,
    /// The private key (PKCS #8, DER), sealed.
    pub sealed_private_key: Vec<u8>,
    /// The public key as a JSON Web Key.
    pub public_jwk: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Seconds since 1970 after which the key counts no more; `None` while it signs.
    pub not_after: Option<i64>,
}

/// Why a key can't be made or used, or a token not be issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No stored key may sign.
    #[error("there is no key to sign with")]
    NoSigningKey,
    /// The private key doesn't open.
    #[error("signing key {kid}: {source}")]
    Sealed {
        /// The key.
        kid: String,
        /// Why.
        source: OpenError,
    },
    /// The stored row is not an RSA key of its own id.
    #[error("signing key {kid} is damaged")]
    Damaged {
        /// The key.
        kid: String,
    },
    /// The public URL is not `http://` or `https://` with a host.
    #[error("{0:?} is not a public URL")]
    PublicUrl(String),
    /// A token was asked for with a lifetime outside 1 second to [`MAX_TTL`].
    #[error("a token lives from 1 second to 24 hours")]
    Lifetime,
    /// A token was asked for a tenant that is not a GUID.
    #[error("a tenant is a GUID")]
    Tenant,
    /// The cryptographic library refused.
    #[error("the cryptographic library refused to {0}")]
    Cryptography(&'static str),
}

impl SigningKey {
    /// Makes a new RSA key of 2048 bits. Takes some 100 ms of CPU time.
    ///
    /// # Errors
    /// [`KeyError::Cryptography`], which a sound system never gives.
    pub fn generate(master: &MasterKey, now: i64) -> Result<Self, KeyError> {
        let refused = |_| KeyError::Cryptography("make a key");
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(refused)?;
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let n = URL_SAFE_NO_PAD.encode(public.n);
        let e = URL_SAFE_NO_PAD.encode(public.e);
        // RFC 7638, section 3: the required members in this order, without spaces.
        let canonical = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()));
        let public_jwk =
            json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e});
        let private = pair.as_der().map_err(refused)?;
        Ok(Self {
            sealed_private_key: master.seal(&purpose(&kid), private.as_ref()),
            kid,
            algorithm: "RS256".into(),
            public_jwk: public_jwk.to_string(),
            created: now,
            not_after: None,
        })
    }

    /// Whether the private key opens with this master key.
    pub fn opens_with(&self, master: &MasterKey) -> bool {
        self.open(master).is_ok()
    }

    /// The private key, opened.
    pub(crate) fn open(&self, master: &MasterKey) -> Result<RsaKeyPair, KeyError> {
        let private = master
            .open(&purpose(&self.kid), &self.sealed_private_key)
            .map_err(|source| KeyError::Sealed { kid: self.kid.clone(), source })?;
        RsaKeyPair::from_pkcs8(&private).map_err(|_| KeyError::Damaged { kid: self.kid.clone() })
    }
}

/// What a private key is sealed for: itself, so that rows can't be exchanged.
fn purpose(kid: &str) -> String {
    format!("token signing key {kid}")
}

/// Replaces the keys that sign: makes a new one, and lets the old ones count for `overlap` seconds
/// more ([`OVERLAP`], or 0 when a key was stolen). The caller stores all of them together.
///
/// # Errors
/// As [`SigningKey::generate`]; the old keys are unchanged then.
pub fn rotate(
    keys: &mut [SigningKey],
    master: &MasterKey,
    now: i64,
    overlap: i64,
) -> Result<SigningKey, KeyError> {
    let new = SigningKey::generate(master, now)?;
    for key in keys.iter_mut().filter(|key| key.not_after.is_none()) {
        key.not_after = Some(now.saturating_add(overlap));
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master() -> MasterKey {
        MasterKey::from_text(&"5".repeat(64)).expect("a key")
    }

    #[test]
    fn a_key_opens_under_its_master_key_and_its_own_id_only() {
        let key = SigningKey::generate(&master(), 7).expect("made");
        assert!(key.open(&master()).is_ok());
        assert_eq!((key.created, key.not_after), (7, None));
        let other = MasterKey::from_text(&"6".repeat(64)).expect("a key");
        assert!(matches!(key.open(&other), Err(KeyError::Sealed { .. })));
        let renamed = SigningKey { kid: "x".into(), ..key.clone() };
        assert!(matches!(renamed.open(&master()), Err(KeyError::Sealed { .. })));
        let sealed_private_key = master().seal(&purpose(&key.kid), b"no key");
        let damaged = SigningKey { sealed_private_key, ..key };
        assert!(matches!(damaged.open(&master()), Err(KeyError::Damaged { .. })));
    }

    #[test]
    fn rotation_ends_what_signed_and_leaves_what_had_ended() {
        let mut keys = [
            SigningKey { not_after: Some(50), ..SigningKey::generate(&master(), 1).expect("made") },
            SigningKey::generate(&master(), 2).expect("made"),
        ];
        let new = rotate(&mut keys, &master(), 100, 10).expect("rotated");
        assert_eq!([keys[0].not_after, keys[1].not_after], [Some(50), Some(110)]);
        assert_eq!((new.created, new.not_after), (100, None));
        assert_ne!(new.kid, keys[1].kid);
    }
}
