//! Calls: the list, with search and conditions.

use maud::{Markup, html};

use crate::format::{length, verdict, visible};
use crate::message::note;

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    /// What the form holds.
    pub wanted: CallFilter,
    /// A page of calls.
    pub rows: Vec<Row>,
    /// The address of the next page.
    pub older: Option<String>,
    /// The address of the list without conditions.
    pub all: String,
}

/// The conditions of the list, as the form holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Words to search for.
    pub q: String,
    /// First day, `2026-10-01`, or nothing.
    pub from: String,
    /// Last day, which belongs to the range.
    pub to: String,
    /// A verdict, or nothing.
    pub verdict: String,
    /// A type of call, or nothing.
    pub kind: String,
    /// A subnet of one of the ends, or nothing.
    pub subnet: String,
}

/// A call in the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The address of its page.
    pub address: String,
    /// `2026-10-01T10:00:00Z`
    pub start: String,
    /// In seconds.
    pub seconds: u64,
    /// `groupCall` and the like.
    pub kind: String,
    /// Who organized it, if that is known.
    pub organizer: Option<String>,
    /// People at the ends of streams.
    pub people: Option<u64>,
    /// Those with a poor stream.
    pub poor_people: Option<u64>,
    /// `audio, video`
    pub modalities: String,
    /// Verdict, and the reason to name first.
    pub verdict: String,
    /// Of a poor call.
    pub reason: Option<String>,
}

/// Verdicts that the form offers.
const VERDICTS: [&str; 3] = ["poor", "good", "unclassified"];
/// Types of calls that the form offers.
const KINDS: [&str; 2] = ["groupCall", "peerToPeer"];

/// The page below its heading.
pub fn page(view: &Calls, base: &str) -> Markup {
    html! {
        (filters(&view.wanted, base))
        @if view.rows.is_empty() {
            (note("No call meets these conditions.", Some(("Show all calls", &view.all))))
        } @else {
            div class="wide" { (table(&view.rows)) }
        }
        @if let Some(older) = &view.older {
            p class="pager" { a rel="next" href=(older) { "Older calls" } }
        }
    }
}

/// The form of the conditions.
pub fn filters(wanted: &CallFilter, base: &str) -> Markup {
    html! {
        form class="filters" action=(format!("{base}/calls")) {
            label { "Words" input type="search" name="q" value=(wanted.q); }
            label { "From" input type="date" name="from" value=(wanted.from); }
            label { "To" input type="date" name="to" value=(wanted.to); }
            (choice("Verdict", "verdict", &VERDICTS, &wanted.verdict))
            (choice("Type", "type", &KINDS, &wanted.kind))
            label { "Subnet" input name="subnet" value=(wanted.subnet) size="14"; }
            button { "Show" }
        }
    }
}

fn choice(title: &str, name: &str, options: &[&str], chosen: &str) -> Markup {
    html! {
        label {
            (title)
            select name=(name) {
                option value="" { "any" }
                @for option in options {
                    option value=(option) selected[*option == chosen] { (option) }
                }
            }
        }
    }
}

fn table(rows: &[Row]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Start" }
                    th scope="col" class="number" { "Length" }
                    th scope="col" { "Verdict" }
                    th scope="col" { "Organizer" }
                    th scope="col" class="later" { "Type" }
                    th scope="col" class="number later" { "People" }
                    th scope="col" class="later" { "Modalities" }
                }
            }
            tbody { @for row in rows { (call(row)) } }
        }
    }
}

fn call(row: &Row) -> Markup {
    let start = row.start.replace('T', " ");
    let start = start.trim_end_matches('Z').split('.').next().unwrap_or_default().to_owned();
    html! {
        tr {
            td { a href=(row.address) { time datetime=(row.start) { (start) } } }
            td class="number" { (length(row.seconds)) }
            td {
                (verdict(&row.verdict))
                @if let Some(reason) = &row.reason { br; span class="soft" { (visible(reason)) } }
            }
            td { @if let Some(organizer) = &row.organizer { (visible(organizer)) } }
            td class="later" { (visible(&row.kind)) }
            td class="number later" {
                @if let Some(people) = row.people {
                    (people)
                    @if let Some(poor @ 1..) = row.poor_people { span class="soft" { " (" (poor) " poor)" } }
                }
            }
            td class="later" { (visible(&row.modalities)) }
        }
    }
}
