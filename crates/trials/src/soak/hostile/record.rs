//! Records to attack with.

use std::fmt::Write as _;

/// The times of a record, as members.
const TIMES: &str =
    "\"startDateTime\":\"2025-01-01T10:00:00Z\",\"endDateTime\":\"2025-01-01T10:00:30Z\"";

/// A record without sessions.
pub(super) fn small(id: &str) -> String {
    with(id, "")
}

/// A record with further members, each with a comma before it.
pub(super) fn with(id: &str, members: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"version\":1,\"type\":\"groupCall\",\"modalities\":[\"audio\"],{TIMES}{members}}}"
    )
}

/// A record with so many sessions, each with a text of so many letters that nobody knows.
pub(super) fn large(id: &str, sessions: usize, letters: usize) -> String {
    let padding = "x".repeat(letters);
    let mut text = String::with_capacity(sessions * (letters + 150) + 200);
    for number in 0..sessions {
        let comma = if number > 0 { "," } else { "" };
        // Each of its own length and beginning, so that what is asked of them is asked of each.
        let _ = write!(
            text,
            "{comma}{{\"id\":\"s{number}\",\"startDateTime\":\"2025-01-01T10:00:{:02}Z\",\
             \"endDateTime\":\"2025-01-01T10:01:{:02}Z\",\"padding\":\"{padding}\"}}",
            number % 60,
            number % 60
        );
    }
    with(id, &format!(",\"sessions\":[{text}]"))
}
