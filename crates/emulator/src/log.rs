//! The log as it is shown: what clients sent, what became of it, and what they do wrong.

use odata::primitive::{DateTimeOffset, TICKS_PER_MILLISECOND};
use serde::Serialize;

use crate::history::{History, LoggedRequest};
use crate::messages::Deliveries;
use crate::warnings::{self, Warning};

/// The latest 10,000 requests, and the mistakes that they show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// In the order in which they came in.
    pub requests: Vec<Entry>,
    /// One for each application and kind of mistake.
    pub warnings: Vec<Warning>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// From 1, as they came in.
    pub number: u64,
    /// When it came in (RFC 3339).
    pub time: String,
    /// Who sent it.
    pub application: Option<String>,
    /// The method.
    pub method: String,
    /// Path and query as sent, with what is long shortened.
    pub url: String,
    /// The status of the answer; none while there is no answer.
    pub status: Option<u16>,
    /// What `Retry-After` said, in seconds.
    pub retry_after: Option<u32>,
    /// The names of the rules that acted, or what they did.
    pub fault: Option<String>,
    /// From the request to the end of the answer.
    pub took_ms: Option<u64>,
}

/// Shows what is known.
pub(crate) fn shown(history: &History, deliveries: &Deliveries, is_final: bool) -> Log {
    Log {
        requests: history.entries.iter().map(|entry| shown_entry(entry)).collect(),
        warnings: warnings::all(history, deliveries, is_final),
    }
}

fn shown_entry(logged: &LoggedRequest) -> Entry {
    let answer = logged.answer.as_ref();
    Entry {
        number: logged.number,
        time: DateTimeOffset(logged.at).to_string(),
        application: logged.application.clone(),
        method: logged.method.clone(),
        url: logged.url.clone(),
        status: answer.map(|answer| answer.status),
        retry_after: answer.and_then(|answer| answer.retry_after),
        fault: logged.fault.clone(),
        took_ms: answer
            .map(|answer| ((answer.at - logged.at) / TICKS_PER_MILLISECOND).max(0) as u64),
    }
}
