//! What requests are about: a server with records, tokens, and the tags that answers have.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};

use super::request::{Case, Request};
use super::ways::{self, Outcome, Route};
use crate::instance::Instance;
use crate::members;
use crate::paths::CALL_RECORDS;
use crate::server_process::ServerProcess;
use xtask::repository::{PROFILE, fresh_folder};

/// Where records are.
/// Simulated records.
const CALLS: u32 = 40;
/// Forms in which a record is asked for the fast way.
pub(super) const FORMS: [&str; 5] = [
    "",
    "?$expand=sessions",
    "?$expand=sessions($expand=segments)",
    "?%24expand=sessions(%24expand%3Dsegments)",
    "?expand=sessions",
];
/// Whose scripts may read answers.
pub(super) const ORIGIN: &str = "https://app.contoso.com";
/// A record with more sessions than a page has.
pub(super) const LARGE: &str = "6b5c8e1a-0000-4000-8000-000000000070";
/// A record that writing requests are about.
pub(super) const WRITTEN: &str = "6b5c8e1a-0000-4000-8000-000000000001";

/// All of it. The server ends with it.
pub(super) struct Stock {
    pub(super) address: SocketAddr,
    /// May read records.
    pub(super) reader: String,
    /// May write them, too.
    pub(super) writer: String,
    /// May read no record.
    pub(super) outsider: String,
    pub(super) ids: Vec<String>,
    /// Targets with the tags of their answers.
    pub(super) tags: Vec<(String, String)>,
    _served: ServerProcess,
}

impl Stock {
    /// Makes a store with records and serves it, also to scripts of one origin.
    pub(super) fn new() -> Result<Self> {
        let folder = fresh_folder("differential")?;
        let instance = Instance::new(PROFILE, folder.join("data"))?;
        let records = folder.join("records.ndjson");
        instance.simulate(CALLS, 5, "bench", &records)?;
        let text = std::fs::read_to_string(&records)?;
        let ids = text.lines().filter_map(|line| members::text(line, "id")).map(str::to_owned);
        let ids: Vec<String> = ids.collect();
        ensure!(ids.len() == CALLS as usize, "{} ids", ids.len());
        std::fs::write(&records, text + &record(LARGE, 70) + "\n" + &record(WRITTEN, 1) + "\n")?;
        instance.import(&records)?;
        let mut serve = instance.serve_command();
        serve.env("CALLVAULT_SERVER__CORS_ORIGINS", format!("[\"{ORIGIN}\"]"));
        let served = ServerProcess::start(&mut serve)?;
        let address = served.url.strip_prefix("http://").context("plain HTTP")?.parse()?;
        let mut stock = Self {
            address,
            reader: instance.token("CallRecords.Read.All")?,
            writer: instance.token_of(&["CallRecords.Read.All", "CallRecords.Write.All"])?,
            outsider: instance.token("CallRecord-PstnCalls.Read.All")?,
            ids,
            tags: Vec::new(),
            _served: served,
        };
        stock.learn_tags()?;
        Ok(stock)
    }

    fn learn_tags(&mut self) -> Result<()> {
        let few: Vec<String> = self.ids.iter().take(6).cloned().chain([LARGE.to_owned()]).collect();
        for id in few {
            for form in FORMS {
                let target = format!("{CALL_RECORDS}/{id}{form}");
                let asked = Case::from(Request::get(&target, &self.reader));
                // Asked some times, each thread of the server knows the token.
                let mut told = Outcome { answers: Vec::new(), fast: 0 };
                for _ in 0..4 {
                    told = ways::ask(self.address, Route::Fast, &asked)?;
                }
                let first = told.answers.iter().find(|answer| answer.line("etag").is_some());
                let tag = first.and_then(|answer| answer.line("etag")).context("no tag")?;
                self.tags.push((target, tag.to_owned()));
            }
        }
        Ok(())
    }
}

/// A record with so many sessions, in one line.
pub(super) fn record(id: &str, sessions: u32) -> String {
    let time =
        "\"startDateTime\":\"2025-01-01T10:00:00Z\",\"endDateTime\":\"2025-01-01T10:00:30Z\"";
    let session = |number| format!("{{\"id\":\"s{number}\",{time}}}");
    let sessions: Vec<String> = (0..sessions).map(session).collect();
    format!(
        "{{\"id\":\"{id}\",\"version\":1,\"type\":\"groupCall\",\"modalities\":[\"audio\"],{time},\
         \"sessions\":[{}]}}",
        sessions.join(",")
    )
}
