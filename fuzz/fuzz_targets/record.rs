//! The JSON of a record: nothing makes the reader panic, what was taken in says the same when it
//! comes again, as it came and as it is answered, and its rows can be made again from its fragments.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::fragment::{Corrupt, Fragments, Pack, RecordFragment, Uncompressed};
use model::merge::{Merge, merge};
use model::rows::{self, RecordKeys, StreamSource};
use model::shred::stored_rows;
use model::{ShreddedRecord, shred};
use odata::json::Node;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(record) = shred(text, &mut Uncompressed) else { return };
    assert_unchanged(&record, &record, "the record itself");
    assert_same_rows(&record);
    assert_rows_are_json(&record).expect("own fragments are whole");
    let answer = answer(&record).expect("own fragments are whole");
    match shred(&answer, &mut Uncompressed) {
        Ok(again) => assert_unchanged(&record, &again, &answer),
        Err(error) => panic!("refused {}: {error} in {answer}", error.pointer()),
    }
});

fn assert_unchanged(stored: &ShreddedRecord, incoming: &ShreddedRecord, what: &str) {
    match merge(&mut Kept(stored), incoming, &mut Uncompressed) {
        Ok(Merge::Unchanged) => {}
        Ok(Merge::Merged(_)) => panic!("something new in {what}"),
        Ok(Merge::Conflict { pointer }) => panic!("differs at {pointer}: {what}"),
        Err(Corrupt) => panic!("corrupt: {what}"),
    }
}

fn assert_same_rows(record: &ShreddedRecord) {
    let mut again = stored_rows(&mut Kept(record)).expect("own fragments are whole");
    let sorted = |words: &str| {
        let mut words: Vec<_> = words.split(' ').map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    assert_eq!(sorted(&again.words), sorted(&record.rows.words));
    again.words.clone_from(&record.rows.words);
    assert_eq!(again, record.rows);
}

fn assert_rows_are_json(record: &ShreddedRecord) -> Result<(), Corrupt> {
    let keys = RecordKeys::read(&record.record)?;
    let assert_json = |row: &[u8]| {
        let text = std::str::from_utf8(row).expect("rows are text");
        assert!(Node::parse(text).is_ok(), "{text}");
    };
    for pack in &record.session_packs {
        for session in Pack::read(pack)?.items() {
            let session = session?;
            let mut row = Vec::new();
            rows::push_session(&mut row, &keys, &session, true)?;
            assert_json(&row);
            for segment in rows::segments(&session)? {
                row.clear();
                rows::push_segment(&mut row, &keys, &session, segment)?;
                assert_json(&row);
                let source = StreamSource::read(segment)?;
                for position in source.positions() {
                    row.clear();
                    source.push(&mut row, &keys, &session, position)?;
                    assert_json(&row);
                }
            }
        }
    }
    Ok(())
}

/// The record with all that is stored of it, as one text.
fn answer(record: &ShreddedRecord) -> Result<String, Corrupt> {
    let mut out = b"{".to_vec();
    out.extend_from_slice(RecordFragment::members(&record.record)?);
    for (name, packs) in
        [("sessions", &record.session_packs), ("participants_v2", &record.participant_packs)]
    {
        let mut items: Vec<Vec<u8>> = Vec::new();
        for pack in packs {
            for item in Pack::read(pack)?.items() {
                let item = item?;
                let mut text = [b"{", item.members].concat();
                if name == "sessions" {
                    text.extend_from_slice(b",\"segments\":[");
                    text.extend_from_slice(item.inner);
                    text.push(b']');
                }
                text.push(b'}');
                items.push(text);
            }
        }
        out.extend_from_slice(format!(",\"{name}\":[").as_bytes());
        out.extend_from_slice(&items.join(&b','));
        out.push(b']');
    }
    out.push(b'}');
    String::from_utf8(out).map_err(|_| Corrupt)
}

/// A record as a store would hand it out.
struct Kept<'a>(&'a ShreddedRecord);

impl Fragments for Kept<'_> {
    type Error = Corrupt;

    fn flags(&self) -> u32 {
        self.0.flags
    }

    fn record(&mut self, out: &mut Vec<u8>) -> Result<(), Corrupt> {
        out.clone_from(&self.0.record);
        Ok(())
    }

    fn session_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Corrupt> {
        Ok(copied(self.0.session_packs.get(number), out))
    }

    fn participant_pack(&mut self, number: usize, out: &mut Vec<u8>) -> Result<bool, Corrupt> {
        Ok(copied(self.0.participant_packs.get(number), out))
    }
}

fn copied(pack: Option<&Vec<u8>>, out: &mut Vec<u8>) -> bool {
    out.clear();
    out.extend_from_slice(pack.map_or(&[], Vec::as_slice));
    pack.is_some()
}
