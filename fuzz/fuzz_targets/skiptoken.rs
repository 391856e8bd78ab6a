//! `$skiptoken`: a token that we did not seal never opens, one that we sealed opens to what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odata::page_token::{Keys, PageToken, open, seal};

const TENANT: &str = "5b6c1a52-7f0e-4c39-9d1c-2f3a8f1f7c01";
const APP: &str = "ca11a017-0000-4000-8000-000000000001";

fuzz_target!(|text: &str| {
    let keys = Keys::new(vec![(2, [7; 32]), (1, [3; 32])]).expect("there are keys");
    if let Ok(token) = open(&keys, "$skiptoken", text, (TENANT, APP)) {
        // Only a seed can be one: sealing it again must give the same text with the same key.
        let other = Keys::new(vec![(1, [3; 32])]).expect("there is a key");
        assert!([seal(&keys, &token), seal(&other, &token)].iter().any(|sealed| sealed == text));
    }
    let token = PageToken {
        tenant: TENANT.to_owned(),
        app: APP.to_owned(),
        resource: "communications/callRecords".to_owned(),
        query: text.to_owned(),
        position: text.as_bytes().to_vec(),
        version: text.len().is_multiple_of(2).then_some(text.len() as i64),
    };
    let sealed = seal(&keys, &token);
    assert_eq!(open(&keys, "$skiptoken", &sealed, (TENANT, APP)).as_ref(), Ok(&token));
    assert!(open(&keys, "$skiptoken", &sealed, (TENANT, "another")).is_err());
});
