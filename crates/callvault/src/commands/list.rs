//! `list`: prints records or what is inside them, by the engine that answers the API.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use graph::{Local, QuerySettings};
use model::TenantId;
use odata::eval::Meter;
use odata::json::Node;
use odata::percent::encode_query;
use odata::primitive::DateTimeOffset;
use store::{Budget, Found, Reader, RowQuery, RowSet};

use super::listing::Listing;
use super::{open_store, printing};
use crate::cli::{Expand, List, Output, Rows};
use crate::settings::Settings;

/// Records read at a time.
const PAGE: usize = 500;

pub(super) fn run(args: &List, settings: &Settings) -> Result<ExitCode> {
    let mut reader = open_store(settings)?.reader()?;
    let tenant = printing::tenant(args.form.tenant.as_ref(), &mut reader)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let is_whole = args.select.is_none() && args.compute.is_none() && args.apply.is_none();
    if is_whole && args.of == Rows::Records && args.output == Output::Ndjson {
        whole_records(args, settings, &mut reader, &tenant, &mut out)?;
    } else {
        answers(args, settings, &mut reader, &tenant, &mut out)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// How much a command may take: it has all the time that its user has.
pub(super) fn unhurried(settings: &Settings) -> QuerySettings {
    let mut settings = settings.limits.of_queries();
    settings.cost.rows_scanned = u64::MAX;
    settings.cost.time = std::time::Duration::from_hours(24);
    settings
}

/// Records as they are kept, which can be imported again.
fn whole_records(
    args: &List,
    settings: &Settings,
    reader: &mut Reader,
    tenant: &TenantId,
    out: &mut impl Write,
) -> Result<()> {
    let settings = unhurried(settings);
    let (path, query) = address(args);
    let model = &model::generated::BETA;
    let now = DateTimeOffset::from_unix_seconds(crate::clock::now());
    let (_, query) = odata::parse_request(model, &path, &query, &settings.language, now)?;
    let query = RowQuery { rows: RowSet::Records, query, not_before: None };
    let budget = Budget {
        rows_scanned: settings.cost.rows_scanned,
        groups: settings.cost.groups,
        meter: Meter::unlimited(),
    };
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = reader.page(tenant, &query, after.as_deref(), PAGE, &budget)?;
        for row in &page.rows {
            if let Found::Record(record) = row {
                printing::print_in_list(out, reader, record, &args.form.expand)?;
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// Anything else, as the API answers it.
fn answers(
    args: &List,
    settings: &Settings,
    reader: &mut Reader,
    tenant: &TenantId,
    out: &mut impl Write,
) -> Result<()> {
    let local = Local::new(tenant.clone(), [0; 32], unhurried(settings))
        .context("there is no key for links")?;
    let mut listing = Listing::new(args.output);
    let (path, query) = address(args);
    let mut next = Some(format!("{path}?{query}"));
    while let Some(url) = next {
        let answer = local.get(reader, &url)?.context("the answer is empty")?;
        let answer = String::from_utf8(answer)?;
        let answer = Node::parse(&answer)?;
        let link = answer.get("@odata.nextLink").and_then(Node::as_text);
        next = link.map(|link| link.value().into_owned());
        for item in answer.get("value").and_then(Node::as_array).unwrap_or_default() {
            listing.add(item, out)?;
        }
    }
    listing.end(out)
}

/// Path and query of what is asked for.
fn address(args: &List) -> (String, String) {
    let rows = match args.of {
        Rows::Records => "",
        Rows::Sessions => "/callvault.sessions()",
        Rows::Segments => "/callvault.segments()",
        Rows::Streams => "/callvault.streams()",
    };
    let mut options = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        options.extend(value.map(|value| format!("{name}={}", encode_query(&value))));
    };
    add("$apply", args.apply.clone());
    add("$compute", args.compute.clone());
    add("$filter", condition(args));
    add("$search", args.search.clone());
    add("$orderby", args.orderby.clone());
    add("$select", args.select.clone());
    add("$top", args.limit.map(|limit| limit.to_string()));
    add("$expand", expand(args));
    (format!("/communications/callRecords{rows}"), options.join("&"))
}

/// The condition, narrowed by the flags that stand for one.
fn condition(args: &List) -> Option<String> {
    let start = match args.of {
        Rows::Records => "startDateTime",
        _ => "callStartDateTime",
    };
    let mut parts: Vec<String> = Vec::new();
    parts.extend(args.from.as_ref().map(|time| format!("{start} ge {time}")));
    parts.extend(args.to.as_ref().map(|time| format!("{start} lt {time}")));
    for id in &args.participant {
        parts.push(format!("participants_v2/any(p:p/id eq '{}')", id.replace('\'', "''")));
    }
    let Some(filter) = &args.filter else {
        return (!parts.is_empty()).then(|| parts.join(" and "));
    };
    // Alone it stands as it was typed, so that errors name its own positions.
    if parts.is_empty() {
        return Some(filter.clone());
    }
    parts.push(format!("({filter})"));
    Some(parts.join(" and "))
}

fn expand(args: &List) -> Option<String> {
    let with_segments = args.form.expand.contains(&Expand::Segments);
    let mut items: Vec<&str> = Vec::new();
    if with_segments {
        items.push(if args.of == Rows::Records {
            "sessions($expand=segments)"
        } else {
            "segments"
        });
    } else if args.form.expand.contains(&Expand::Sessions) {
        items.push("sessions");
    }
    if args.form.expand.contains(&Expand::Participants) {
        items.push("participants_v2");
    }
    (!items.is_empty()).then(|| items.join(","))
}
