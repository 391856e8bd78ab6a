//! The Authorization header: whatever stands there, the answer is a reason to refuse and never a
//! caller, since only the issuer can sign.
#![no_main]

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use identity::{Issuer, MasterKey, SigningKey, Verifier, bearer};
use libfuzzer_sys::fuzz_target;

/// Seconds since 1970: a day in 2026.
const NOW: i64 = 1_790_000_000;

fuzz_target!(|header: &[u8]| {
    let Ok(token) = bearer(Some(header)) else { return };
    let verifier = verifier();
    assert!(verifier.cached(token, NOW).is_none());
    let verification = pin!(verifier.verify(token, NOW));
    // The built-in issuer has its keys at hand: there is nothing to wait for.
    match verification.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => assert!(outcome.is_err(), "admitted {token}"),
        Poll::Pending => panic!("waits for {token}"),
    }
});

/// A verifier of the built-in issuer alone, with a key that is made once.
fn verifier() -> &'static Verifier {
    static VERIFIER: OnceLock<Verifier> = OnceLock::new();
    VERIFIER.get_or_init(|| {
        let master = MasterKey::from_text(&"00".repeat(32)).expect("64 hexadecimal digits");
        let key = SigningKey::generate(&master, NOW).expect("a key can be made");
        let issuer = Issuer::new(Some("https://callvault.example"), &master, &[key]);
        Verifier::new(Some(Arc::new(issuer.expect("the key is its own"))), None)
            .expect("no trusted issuer is configured wrongly")
    })
}
