//! The overview: how calls and their streams were in a range of time.

use maud::{Markup, html};

use crate::format::Column::{Number, Text};
use crate::format::{count, head, percent, verdict, visible};
use crate::message::note;

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// The range, as the form has it: first and last day, `2026-10-01`.
    pub from: String,
    /// The last day, which belongs to the range.
    pub to: String,
    /// Calls that started in the range.
    pub calls: u64,
    /// Calls in the range before, which is as long.
    pub calls_before: u64,
    /// Shares, in the order in which they stand.
    pub shares: Vec<Share>,
    /// Streams of audio by day, ascending.
    pub days: Vec<Day>,
    /// Why streams were poor, the most frequent first.
    pub reasons: Vec<(String, u64)>,
    /// Subnets with the greatest lower bound of the share of poor streams.
    pub subnets: Vec<Subnet>,
    /// The start of the newest call, if there is any.
    pub newest: Option<String>,
}

/// A share with its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// What it is a share of.
    pub title: &'static str,
    /// How many are.
    pub part: u64,
    /// Of how many.
    pub whole: u64,
    /// The same in the range before.
    pub before: (u64, u64),
    /// In percent, at most so much.
    pub target: f64,
    /// What is not in it.
    pub note: Option<String>,
}

/// The streams of a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Day {
    /// `2026-10-01`
    pub day: String,
    /// By verdict.
    pub good: u64,
    /// By verdict.
    pub poor: u64,
    /// By verdict.
    pub unclassified: u64,
}

/// A subnet in which streams had an end.
#[derive(Debug, Clone, PartialEq)]
pub struct Subnet {
    /// As records have it.
    pub subnet: String,
    /// Ends of streams that could be judged.
    pub judged: u64,
    /// Those of poor streams.
    pub poor: u64,
    /// Lower bound of the share of poor ones, in percent.
    pub bound: f64,
    /// Its calls.
    pub address: String,
}

/// The page below its heading. `base` is what addresses of the tenant begin with.
pub fn page(view: &Overview, base: &str) -> Markup {
    html! {
        (filters((&view.from, &view.to), base))
        @if view.calls == 0 { (nothing(view, base)) } @else {
            ul class="figures" {
                li {
                    "Calls"
                    span class="value" { (count(view.calls)) }
                    span class="of" { "before: " (count(view.calls_before)) }
                }
                @for share in &view.shares { (figure(share)) }
            }
            (trend(&view.days))
            (causes(&view.reasons))
            (worst(&view.subnets))
        }
    }
}

/// The form of the range.
pub fn filters((from, to): (&str, &str), base: &str) -> Markup {
    html! {
        form class="filters" action=(format!("{base}/")) {
            label { "From" input type="date" name="from" value=(from); }
            label { "To" input type="date" name="to" value=(to); }
            button { "Show" }
        }
    }
}

/// Why there is nothing: nothing at all, or nothing in the range.
fn nothing(view: &Overview, base: &str) -> Markup {
    let Some(newest) = &view.newest else {
        return note(
            "The store holds no calls of this tenant yet. `callvault import` takes files of records.",
            None,
        );
    };
    let day = newest.get(..10).unwrap_or_default();
    let address = format!("{base}/?from={day}&to={day}");
    note("No call started in this range.", Some(("Show the day of the newest call", &address)))
}

fn figure(share: &Share) -> Markup {
    let Share { title, part, whole, before, target, note } = share;
    let is_above = *whole > 0 && *part as f64 * 100.0 > *target * *whole as f64;
    html! {
        li {
            (title)
            span class={ "value" @if is_above { " above" } } {
                (percent(*part, *whole))
                @if is_above { " ▲" }
            }
            span class="of" {
                (count(*part)) " of " (count(*whole)) " · before: " (percent(before.0, before.1))
                " · target: " (target) "\u{202f}%"
            }
            @if let Some(note) = note { br; span class="of" { (note) } }
        }
    }
}

/// Bars of streams by day, and the same numbers as a table.
fn trend(days: &[Day]) -> Markup {
    let most = days.iter().map(|day| day.good + day.poor + day.unclassified).max().unwrap_or(0);
    let width = 1_000.0 / days.len().max(1) as f64;
    let height = |streams: u64| streams as f64 * 140.0 / most.max(1) as f64;
    html! {
        h2 { "Audio streams by day" }
        p class="soft" { (verdict("good")) " · " (verdict("poor")) " · " (verdict("unclassified")) }
        svg class="chart" viewBox="0 0 1000 144" preserveAspectRatio="none" role="img"
            aria-label="Audio streams by day and verdict; the numbers are in the table below" {
            @for (at, day) in days.iter().enumerate() {
                @let x = at as f64 * width;
                @let poor = height(day.poor);
                @let good = height(day.good);
                @let rest = height(day.unclassified);
                (bar("poor", (x, width), (144.0 - poor, poor)))
                (bar("good", (x, width), (144.0 - poor - good, good)))
                (bar("unclassified", (x, width), (144.0 - poor - good - rest, rest)))
            }
        }
        details {
            summary { "Numbers" }
            div class="wide" {
                table {
                    (head(&[
                        Text("Day"), Number("Good"), Number("Poor"),
                        Number("Unclassified"), Number("Poor of judged"),
                    ]))
                    tbody {
                        @for day in days {
                            tr {
                                th scope="row" { (day.day) }
                                td class="number" { (count(day.good)) }
                                td class="number" { (count(day.poor)) }
                                td class="number" { (count(day.unclassified)) }
                                td class="number" { (percent(day.poor, day.poor + day.good)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn bar(class: &str, (x, width): (f64, f64), (y, height): (f64, f64)) -> Markup {
    html! {
        rect class=(class) x=(format!("{x:.2}")) width=(format!("{:.2}", (width - 1.0).max(0.5)))
            y=(format!("{y:.2}")) height=(format!("{height:.2}")) {}
    }
}

fn causes(reasons: &[(String, u64)]) -> Markup {
    let all: u64 = reasons.iter().map(|(_, streams)| streams).sum();
    html! {
        @if all > 0 {
            h2 { "Poor streams by the reason to name first" }
            table {
                (head(&[Text("Reason"), Number("Streams"), Number("Share")]))
                tbody {
                    @for (reason, streams) in reasons {
                        tr {
                            th scope="row" { (visible(reason)) }
                            td class="number" { (count(*streams)) }
                            td class="number" { (percent(*streams, all)) }
                        }
                    }
                }
            }
        }
    }
}

fn worst(subnets: &[Subnet]) -> Markup {
    html! {
        @if !subnets.is_empty() {
            h2 { "Subnets with the most certain poor audio" }
            p class="soft" {
                "Ends of audio streams, ordered by the lower bound of the 95\u{202f}% Wilson interval. "
                "A stream has two ends, so the rows add up to more than the streams."
            }
            div class="wide" {
                table {
                    (head(&[
                        Text("Subnet"), Number("Poor"), Number("Judged"),
                        Number("Share"), Number("At least"),
                    ]))
                    tbody {
                        @for row in subnets {
                            tr {
                                th scope="row" { a href=(row.address) { (visible(&row.subnet)) } }
                                td class="number" { (count(row.poor)) }
                                td class="number" { (count(row.judged)) }
                                td class="number" { (percent(row.poor, row.judged)) }
                                td class="number" { (format!("{:.1}\u{202f}%", row.bound)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
