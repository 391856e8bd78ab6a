//! Rules of the emulator: nothing makes the reader panic, be it TOML or JSON, and rules that were read
//! are written so that they read the same.
#![no_main]

use emulator::{Rules, Scenario};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(rules) = Rules::from_json(bytes) {
        let again = Rules::from_json(&rules.to_json()).expect("what was written can be read");
        assert_eq!(again, rules);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(rules) = Rules::from_toml(text) {
        let again = Rules::from_json(&rules.to_json()).expect("what was written can be read");
        assert_eq!(again, rules);
    }
    let _ = Scenario::from_toml(text);
});
