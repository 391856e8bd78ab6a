//! `list`: prints records, sessions, segments, streams or their ends, with the query engine of the API.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use graph::{Local, QuerySettings};
use model::{TenantId, generated};
use odata::bound::{Query, Resource, Transformation};
use odata::error::Kind;
use odata::eval::Meter;
use odata::json::Node;
use odata::percent::encode_query;
use odata::primitive::DateTimeOffset;
use store::{Budget, Reader, ResultRow, RowQuery, RowSet};

use super::list_writer::ListWriter;
use super::opening::open_store;
use super::table::{Fit, terminal_width};
use super::{profiles, record_json, tenants};
use crate::cli::{Expand, List, Output, Rows};
use crate::settings::Settings;

/// Records read at a time.
const PAGE: usize = 500;

pub(super) fn run(args: &List, settings: &Settings) -> Result<ExitCode> {
    let store = open_store(settings)?;
    let mut reader = store.reader()?;
    let tenant = tenants::resolve(args.record.tenant.as_ref(), &mut reader)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let queries = profiles::for_queries(without_time_limit(settings), settings, &mut reader)?;
    let (resource, query) = parsed(args, &queries)?;
    if let Some(warning) = graph::warning(&resource, &query) {
        writeln!(io::stderr(), "warning: {warning}")?;
    }
    let lacking = store.lacking_columns();
    if lacking > 0 && graph::uses_recent_columns(&resource, &query) {
        writeln!(
            io::stderr(),
            "note: {lacking} records lack columns that this needs, so each record is looked at; 'callvault serve' fills them in"
        )?;
    }
    let has_whole_rows = args.select.is_none() && args.compute.is_none() && args.apply.is_none();
    if has_whole_rows && args.of == Rows::Records && args.output == Output::Ndjson {
        stored_records((args, query), &queries, &mut reader, &tenant, &mut out)?;
    } else {
        api_rows(args, (&resource, &query), queries, &mut reader, &tenant, &mut out)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Query limits of a command, which may take as long as its user waits.
fn without_time_limit(settings: &Settings) -> QuerySettings {
    let mut settings = settings.limits.of_queries();
    settings.cost.rows_scanned = u64::MAX;
    settings.cost.time = std::time::Duration::from_hours(24);
    settings
}

/// What is asked for.
fn parsed(args: &List, queries: &QuerySettings) -> Result<(Resource, Query)> {
    let model = &model::generated::BETA;
    let now = DateTimeOffset::from_unix_seconds(crate::clock::now());
    let language = &queries.language;
    odata::parse_request(model, &path(args), &query(args), language, now).map_err(|error| {
        let advice = advice_on_member(&error).unwrap_or_default();
        anyhow!("{error}{advice}")
    })
}

/// How records are found that have a member of an enumeration that is taken for misspelt: they came in with
/// it, and a warning.
fn advice_on_member(error: &odata::Error) -> Option<String> {
    let Kind::UnknownMember { name, .. } = &error.kind else { return None };
    error.suggestion.as_ref()?;
    let before: String = error.text.chars().take(error.position).collect();
    let words: Vec<&str> = before.split_whitespace().collect();
    let operator = words.iter().rposition(|word| matches!(*word, "eq" | "ne" | "in"))?;
    let operand = words.get(operator.checked_sub(1)?)?;
    let operand = operand.rsplit(['(', ':']).next().filter(|name| !name.is_empty())?;
    Some(format!(
        " Records that came in with '{name}' are found by cast({operand},Edm.String) eq '{name}'."
    ))
}

/// Prints records in their stored form, which can be imported again.
fn stored_records(
    (args, query): (&List, Query),
    queries: &QuerySettings,
    reader: &mut Reader,
    tenant: &TenantId,
    out: &mut impl Write,
) -> Result<()> {
    let query = RowQuery { rows: RowSet::Records, query, not_before: None };
    let budget = Budget {
        rows_scanned: queries.cost.rows_scanned,
        groups: queries.cost.groups,
        meter: Meter::unlimited(),
    };
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = reader.page(tenant, &query, after.as_deref(), PAGE, &budget)?;
        for row in &page.rows {
            if let ResultRow::Record(record) = row {
                record_json::write_or_error(out, reader, record, &args.record.expand)?;
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// Prints any other list as the API returns it.
fn api_rows(
    args: &List,
    bound: (&Resource, &Query),
    queries: QuerySettings,
    reader: &mut Reader,
    tenant: &TenantId,
    out: &mut impl Write,
) -> Result<()> {
    let local = Local::new(tenant.clone(), [0; 32], queries).context("no key for links")?;
    let default = default_columns(args);
    let fit = Fit { width: terminal_width(), is_chosen: default.is_none() };
    let mut list = ListWriter::new(args.output, fit, default.unwrap_or_default());
    list.expect_columns(columns(args, bound));
    let mut next = Some(format!("{}?{}", path(args), query(args)));
    while let Some(url) = next {
        let answer = local.get(reader, &url)?.context("the answer is empty")?;
        let answer = String::from_utf8(answer)?;
        let answer = Node::parse(&answer)?;
        let link = answer.get("@odata.nextLink").and_then(Node::as_text);
        next = link.map(|link| link.value().into_owned());
        for item in answer.get("value").and_then(Node::as_array).unwrap_or_default() {
            list.add(item, out)?;
        }
    }
    list.end(out)
}

/// The path of the list after the version of the API.
fn path(args: &List) -> String {
    let rows = match args.of {
        Rows::Records => "",
        Rows::Sessions => "/callvault.sessions()",
        Rows::Segments => "/callvault.segments()",
        Rows::Streams => "/callvault.streams()",
        Rows::Legs => "/callvault.legs()",
    };
    format!("/communications/callRecords{rows}")
}

/// The query options of the list.
fn query(args: &List) -> String {
    let mut options = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        options.extend(value.map(|value| format!("{name}={}", encode_query(&value))));
    };
    add("$apply", args.apply.clone());
    add("$compute", args.compute.clone());
    add("$filter", condition(args));
    add("$search", args.search.clone());
    add("$orderby", args.orderby.clone());
    add("$select", args.select.clone().or_else(|| default_columns(args).map(str::to_owned)));
    add("$top", args.limit.map(|limit| limit.to_string()));
    add("$expand", expand(args));
    options.join("&")
}

/// The columns of a table if its user names none: few of a hundred, those first that tell most.
fn default_columns(args: &List) -> Option<&'static str> {
    let is_chosen = args.select.is_some() || args.compute.is_some() || args.apply.is_some();
    if args.output != Output::Table || is_chosen {
        return None;
    }
    Some(match args.of {
        Rows::Records => "id,startDateTime,type,modalities,endDateTime",
        Rows::Sessions => "callRecordId,startDateTime,callRecordType,modalities,endDateTime,id",
        Rows::Segments => "callRecordId,startDateTime,callRecordType,endDateTime,sessionId,id",
        Rows::Streams => {
            "callRecordId,mediaLabel,averageJitter,averagePacketLossRate,averageRoundTripTime,audioCodec,\
             streamDirection"
        }
        Rows::Legs => {
            "callRecordId,mediaLabel,end,direction,person,network/subnet,network/connectionType,\
             place/building,averageJitter,averagePacketLossRate"
        }
    })
}

/// The columns of a list without rows.
fn columns(args: &List, (resource, bound): (&Resource, &Query)) -> Vec<String> {
    // The context of an answer names what an aggregation gives.
    let context = odata::context::of(resource, bound);
    if let Some(columns) = args.apply.as_ref().and_then(|_| columns_of_context(&context)) {
        return columns;
    }
    if let Some(select) = &args.select {
        let is_name = |name: &&str| !name.is_empty() && !name.contains(['(', ')', '$', '*']);
        return select.split(',').map(str::trim).filter(is_name).map(str::to_owned).collect();
    }
    let ty = match args.of {
        Rows::Records => &generated::CALL_RECORD,
        Rows::Sessions => &generated::SESSION_ROW,
        Rows::Segments => &generated::SEGMENT_ROW,
        Rows::Streams => &generated::STREAM_ROW,
        Rows::Legs => &generated::LEG_ROW,
    };
    let own = ty.properties.iter().filter(|property| property.is_served && !property.is_navigation);
    let own = own.map(|property| property.name.to_owned());
    own.chain(calculated(bound)).collect()
}

/// The names of members that a query adds to items.
fn calculated(query: &Query) -> impl Iterator<Item = String> {
    let of_steps =
        query.apply.iter().flat_map(|apply| &apply.steps).filter_map(|step| match step {
            Transformation::Compute(members) => Some(members),
            _ => None,
        });
    of_steps.chain([&query.compute]).flatten().map(|member| member.alias.clone())
}

/// The members that the list of a context names; none if it has no list, as the items are whole.
fn columns_of_context(context: &str) -> Option<Vec<String>> {
    let rest = match context.strip_prefix("Collection(") {
        Some(ty) => ty.split_once(')')?.1,
        None => context,
    };
    let list = rest[rest.find('(')?..].strip_prefix('(')?.strip_suffix(')')?;
    let mut columns = Vec::new();
    push_columns(list, "", &mut columns);
    Some(columns)
}

/// Adds the members of a list; those in the parentheses behind one are inside it.
fn push_columns(list: &str, prefix: &str, columns: &mut Vec<String>) {
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                let item = &list[start..at];
                start = at + 1;
                match item.split_once('(') {
                    Some((name, inside)) if inside != ")" => {
                        let inside = inside.strip_suffix(')').unwrap_or(inside);
                        push_columns(inside, &format!("{prefix}{name}/"), columns);
                    }
                    Some((name, _)) => columns.push(format!("{prefix}{name}")),
                    None => columns.push(format!("{prefix}{item}")),
                }
            }
            _ => {}
        }
    }
}

/// The condition of `--filter` and of the flags that stand for conditions.
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
    // Alone it stays unchanged, so that positions in errors are right.
    if parts.is_empty() {
        return Some(filter.clone());
    }
    parts.push(format!("({filter})"));
    Some(parts.join(" and "))
}

fn expand(args: &List) -> Option<String> {
    let with_segments = args.record.expand.contains(&Expand::Segments);
    let mut items: Vec<&str> = Vec::new();
    if with_segments {
        items.push(if args.of == Rows::Records {
            "sessions($expand=segments)"
        } else {
            "segments"
        });
    } else if args.record.expand.contains(&Expand::Sessions) {
        items.push("sessions");
    }
    if args.record.expand.contains(&Expand::Participants) {
        items.push("participants_v2");
    }
    (!items.is_empty()).then(|| items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_names_the_columns_of_an_aggregation() {
        for (context, expected) in [
            ("communications/callRecords(type,n)", Some("type n")),
            (
                "communications/callRecords(organizer_v2(id,identity(user(id))),type)",
                Some("organizer_v2/id organizer_v2/identity/user/id type"),
            ),
            ("Collection(callvault.sessionRow)(s(id),n)", Some("s/id n")),
            ("communications/callRecords(sessions())", Some("sessions")),
            ("communications/callRecords", None),
            ("Collection(callvault.sessionRow)", None),
        ] {
            let found = columns_of_context(context);
            assert_eq!(found.map(|columns| columns.join(" ")).as_deref(), expected, "{context}");
        }
    }
}
