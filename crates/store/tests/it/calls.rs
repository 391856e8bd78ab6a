//! Records for tests.

use model::{ShreddedRecord, shred};
use odata::primitive::DateTimeOffset;
use store::Store;

/// A record as it would come in.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) version: i64,
    /// Seconds since 1970.
    pub(crate) start: i64,
    pub(crate) participants: Vec<String>,
    /// Ids of its sessions, each with a segment and a stream; none: the record doesn't say.
    pub(crate) sessions: Vec<String>,
    /// Further members, each with a comma in front.
    pub(crate) more: String,
}

pub(crate) fn call(number: u32) -> Call {
    Call {
        id: guid(number),
        version: 1,
        start: 1_700_000_000 + i64::from(number),
        participants: Vec::new(),
        sessions: Vec::new(),
        more: String::new(),
    }
}

pub(crate) fn guid(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

impl Call {
    pub(crate) fn version(mut self, version: i64) -> Self {
        self.version = version;
        self
    }

    pub(crate) fn start(mut self, seconds: i64) -> Self {
        self.start = seconds;
        self
    }

    pub(crate) fn participants(mut self, ids: &[&str]) -> Self {
        self.participants = ids.iter().map(|id| (*id).to_owned()).collect();
        self
    }

    pub(crate) fn sessions(mut self, count: u32) -> Self {
        self.sessions = (0..count).map(|number| guid(0x5e00_0000 + number)).collect();
        self
    }

    pub(crate) fn more(mut self, members: &str) -> Self {
        self.more = format!(",{members}");
        self
    }

    pub(crate) fn key(&self) -> Vec<u8> {
        model::key(&self.id)
    }

    pub(crate) fn ticks(&self) -> i64 {
        DateTimeOffset::from_unix_seconds(self.start).0
    }

    pub(crate) fn json(&self) -> String {
        let (start, end) = (instant(self.start), instant(self.start + 60));
        let mut json = format!(
            r#"{{"id":"{}","version":{},"type":"groupCall","modalities":["audio"],"startDateTime":"{start}","endDateTime":"{end}""#,
            self.id, self.version
        );
        json.push_str(&self.more);
        if !self.participants.is_empty() {
            let all: Vec<_> = self.participants.iter().map(|id| participant(id)).collect();
            json = format!(r#"{json},"participants_v2":[{}]"#, all.join(","));
        }
        if !self.sessions.is_empty() {
            let all: Vec<_> = self.sessions.iter().map(|id| session(id, &start, &end)).collect();
            json = format!(r#"{json},"sessions":[{}]"#, all.join(","));
        }
        json.push('}');
        json
    }

    pub(crate) fn shred(&self, store: &Store) -> ShreddedRecord {
        shred(&self.json(), &mut store.codec()).unwrap()
    }
}

fn instant(seconds: i64) -> String {
    DateTimeOffset::from_unix_seconds(seconds).to_string()
}

fn participant(id: &str) -> String {
    format!(r#"{{"id":"{id}","identity":{{"user":{{"id":"{id}","displayName":null}}}}}}"#)
}

fn session(id: &str, start: &str, end: &str) -> String {
    format!(
        r#"{{"id":"{id}","modalities":["audio"],"startDateTime":"{start}","endDateTime":"{end}","segments":[{{"id":"{id}","startDateTime":"{start}","endDateTime":"{end}","media":[{{"label":"main-audio","streams":[{{"streamId":"1","streamDirection":"callerToCallee","averageJitter":"PT0.016S","averagePacketLossRate":0.25}}]}}]}}]}}"#
    )
}
