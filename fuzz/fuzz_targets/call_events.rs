//! Events of calls: nothing makes the reader panic, what was taken in reads the same when it is read
//! again, and a record can be made of whatever was taken in, the same in every order of arrival.
#![no_main]

use calls::{Event, Leg, events, members, record};
use libfuzzer_sys::fuzz_target;
use model::call::{CallRow, Ending};
use model::fragment::Uncompressed;
use model::{TenantId, shred};
use odata::json::{Node, write_node};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut bodies: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Ok((event, row)) = Event::check(line, 1) {
            let again = Event::read(&row.body).expect("what was taken in can be read");
            assert_eq!((&event.id, event.time, event.kind), (&again.id, again.time, again.kind));
            // Of the same id only the first is kept.
            if !bodies.iter().any(|body| Event::read(body).is_ok_and(|it| it.id == event.id)) {
                bodies.push(row.body);
            }
        }
    }
    if bodies.is_empty() {
        return;
    }
    let made = made(&bodies);
    if let Err(error) = shred(&made.0, &mut Uncompressed) {
        panic!("refused {}: {error} in {}", error.pointer(), made.0);
    }
    bodies.reverse();
    assert_eq!(made, self::made(&bodies));
});

/// The record and the call that are made of events.
fn made(bodies: &[String]) -> (String, String) {
    let events = events(bodies).expect("they were read before");
    let call = CallRow {
        key: 1,
        id: "call".to_owned(),
        chain_id: "chain".to_owned(),
        start: 0,
        ending: Ending::Ended,
    };
    let leg = Leg::of(&call, &events);
    let tenant = TenantId::parse("dc368399-474c-4d40-900c-6265431fd81f").expect("it is a GUID");
    let mut shown = Vec::new();
    write_node(&mut shown, &Node::Object(members(&leg, &tenant)));
    let shown = String::from_utf8(shown).expect("JSON is text");
    assert!(Node::parse(&shown).is_ok(), "{shown}");
    (record("chain", 1, 0, &[leg]), shown)
}
