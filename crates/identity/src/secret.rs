//! Client secrets: made at random, kept as Argon2id hashes.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Memory in KiB, passes and lanes: OWASP's first choice for Argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// A hash of the same cost that no secret has, verified against where there is no application, so
/// that the time tells nobody which client ids exist.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA\
    $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A new client secret: 40 characters that are safe in URLs and forms, 240 random bits.
pub fn generate_secret() -> String {
    URL_SAFE_NO_PAD.encode(crate::random::bytes::<30>())
}

/// The Argon2id hash of a secret as a PHC string, with a salt of its own.
///
/// Takes some 20 ms and 19 MiB: not for a thread that serves requests.
pub fn hash_secret(secret: &str) -> String {
    let salt: [u8; 16] = crate::random::bytes();
    hasher()
        .hash_password_with_salt(secret.as_bytes(), &salt)
        .expect("cost and salt are within Argon2's limits")
        .to_string()
}

/// Whether the hash is of this secret. Without a hash the answer is no, at the same cost.
///
/// Takes some 20 ms and 19 MiB: not for a thread that serves requests.
pub fn verify_secret(secret: &str, hash: Option<&str>) -> bool {
    let matches = hasher().verify_password(secret.as_bytes(), hash.unwrap_or(NOBODY)).is_ok();
    matches && hash.is_some()
}

fn hasher() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).expect("within Argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_40_characters_that_need_no_escaping() {
        let secret = generate_secret();
        assert_eq!(secret.len(), 40);
        assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert_ne!(secret, generate_secret());
    }

    #[test]
    fn a_hash_fits_its_own_secret_only_and_costs_what_nobody_costs() {
        let hash = hash_secret("right");
        assert!(verify_secret("right", Some(&hash)));
        assert!(!verify_secret("wrong", Some(&hash)));
        let cost = |hash: &str| hash.split('$').skip(1).take(3).collect::<Vec<_>>().join("$");
        assert_eq!(cost(&hash), "argon2id$v=19$m=19456,t=2,p=1");
        assert_eq!(cost(&hash), cost(NOBODY));
        assert_eq!(hash.len(), NOBODY.len());
    }

    #[test]
    fn no_hash_and_a_damaged_hash_fit_nothing() {
        assert!(!verify_secret("", None));
        assert!(!verify_secret("right", Some("$argon2id$v=19$m=1")));
    }
}
