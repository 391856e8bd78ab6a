//! Profiles of the owner.

use store::{ProfileOutcome, ProfileRow};

use crate::engine::{Folder, serve};

fn profile(name: &str, version: u32, body: &str) -> ProfileRow {
    let content_hash = [u8::try_from(body.len()).unwrap(); 32];
    ProfileRow { name: name.to_owned(), version, content_hash, body: body.to_owned() }
}

#[test]
fn a_version_of_a_profile_keeps_its_rules_and_the_newest_is_read() {
    let folder = Folder::new();
    let store = serve(&folder);
    let import = |row: ProfileRow| store.import_profile(row).wait().unwrap();
    assert_eq!(import(profile("office", 2, "two")), ProfileOutcome::Created);
    assert_eq!(import(profile("office", 1, "first")), ProfileOutcome::Created);
    assert_eq!(import(profile("home", 1, "home")), ProfileOutcome::Created);
    assert_eq!(import(profile("office", 1, "first")), ProfileOutcome::Unchanged);
    assert_eq!(import(profile("office", 2, "other")), ProfileOutcome::OtherContent);
    let newest = [profile("home", 1, "home"), profile("office", 2, "two")];
    assert_eq!(store.reader().unwrap().profiles().unwrap(), newest);
    assert_eq!(import(profile("office", 10, "the tenth")), ProfileOutcome::Created);
    assert_eq!(store.reader().unwrap().profiles().unwrap()[1].version, 10);
}
