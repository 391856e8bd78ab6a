//! No query exceeds its budget. It ends there with the name of the budget, and others are answered meanwhile.

use serde_json::json;
use testkit::{Answer, Client};

use super::{RECORDS, served_with};

/// Few steps and little memory, and all the time in the world.
const SCARCE: &str =
    "[limits]\nquery_steps = 300000\nquery_bytes = 1000000\nquery_milliseconds = 120000\n";

/// A call with that many sessions, and a long id, so that doubling it costs memory.
fn meeting(sessions: usize) -> String {
    let session = |number: usize| {
        json!({
            "id": format!("s{number}"), "modalities": ["audio"],
            "startDateTime": "2025-01-01T00:00:00Z", "endDateTime": "2025-01-01T00:30:00Z",
            "caller": {"@odata.type": "#microsoft.graph.callRecords.participantEndpoint"},
            "callee": {"@odata.type": "#microsoft.graph.callRecords.participantEndpoint"},
            "segments": [{
                "id": format!("g{number}"), "startDateTime": "2025-01-01T00:00:00Z",
                "endDateTime": "2025-01-01T00:30:00Z",
            }],
        })
    };
    json!({
        "id": id(), "version": 1, "type": "groupCall", "modalities": ["audio"],
        "startDateTime": "2025-01-01T00:00:00Z", "endDateTime": "2025-01-01T00:30:00Z",
        "participants_v2": [{"id": "user-1"}],
        "sessions": (0..sessions).map(session).collect::<Vec<_>>(),
    })
    .to_string()
}

fn id() -> String {
    "m".repeat(200)
}

fn keep(client: &mut Client, sessions: usize) {
    let answer = client.post(RECORDS, meeting(sessions).as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// Asks as a URL would, with blanks.
fn ask(client: &mut Client, target: &str) -> Answer {
    client.get(&target.replace(' ', "%20"))
}

#[track_caller]
fn is_refused(answer: &Answer, target: &str, why: &str) {
    assert_eq!(answer.status, 400, "{target}: {}", answer.text());
    let message = answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains(why), "{target}: {message}");
}

/// All sessions with each other, five levels deep. SQL has no word for patterns.
const ALL_WITH_ALL: &str = "sessions/all(a:$it/sessions/all(b:$it/sessions/all(c:\
    $it/sessions/all(d:$it/sessions/all(e:matchesPattern(e/id,'^s') and a/id ne 'x')))))";

#[test]
fn loops_inside_one_record_end_at_the_budget() {
    let (_callvault, _server, mut client) = served_with(SCARCE);
    keep(&mut client, 40);
    let one = format!("{RECORDS}/{}", id());
    let pairs = "$it/sessions/$count($filter=$it/sessions/$count($filter=id ne 'x') gt 1) gt 1";
    for target in [
        format!("{RECORDS}?$filter=id eq '{}' and {ALL_WITH_ALL}", id()),
        format!("{RECORDS}?$filter={ALL_WITH_ALL}"),
        format!("{RECORDS}/$count?$filter={ALL_WITH_ALL}"),
        format!("{RECORDS}?$filter={ALL_WITH_ALL}&$count=true"),
        format!("{RECORDS}?$orderby={ALL_WITH_ALL}"),
        format!("{RECORDS}?$compute={ALL_WITH_ALL} as c"),
        format!("{RECORDS}?$apply=filter({ALL_WITH_ALL})"),
        format!("{RECORDS}?$apply=compute({ALL_WITH_ALL} as c)/filter(c)/aggregate($count as n)"),
        format!("{RECORDS}/$filter({ALL_WITH_ALL})"),
        format!("{one}?$compute={ALL_WITH_ALL} as c"),
        format!("{one}/callvault.versions()?$filter={ALL_WITH_ALL}"),
        format!(
            "{one}?$expand=sessions($filter={pairs} and {pairs} and {pairs} and {pairs} and {pairs} and {pairs} and {pairs} and {pairs})"
        ),
    ] {
        is_refused(&ask(&mut client, &target), &target, "steps (limits.query_steps)");
        // Queries of others still work.
        assert_eq!(client.get(&one).status, 200);
    }
}

#[test]
fn values_that_double_end_at_the_budget() {
    let (_callvault, _server, mut client) = served_with(SCARCE);
    keep(&mut client, 2);
    let one = format!("{RECORDS}/{}", id());
    let level = |level: usize| format!("concat(c{0},c{0}) as c{level}", level - 1);
    let levels: Vec<String> = (1..20).map(level).collect();
    let doubled = format!("concat(id,id) as c0,{}", levels.join(","));
    for target in [
        format!("{RECORDS}?$compute={doubled}"),
        format!("{RECORDS}?$compute={doubled}&$select=id"),
        format!("{RECORDS}?$compute={doubled}&$orderby=c19"),
        format!("{RECORDS}?$compute={doubled}&$filter=contains(c19,'x')"),
        format!("{RECORDS}?$apply=compute({doubled})"),
        format!("{RECORDS}?$apply=compute({doubled})/groupby((c19))"),
        format!("{RECORDS}?$apply=compute({doubled})/aggregate(c19 with max as m)"),
        format!("{one}?$compute={doubled}"),
        format!("{one}/sessions?$compute={doubled}"),
        format!("{one}?$expand=sessions($compute={doubled})"),
        format!("{one}/callvault.versions()?$compute={doubled}"),
    ] {
        let answer = ask(&mut client, &target);
        is_refused(&answer, &target, "values of more than 1000000 bytes");
        is_refused(&answer, &target, "' at position ");
        assert_eq!(client.get(&one).status, 200);
    }
    // A few levels are nothing out of the ordinary.
    let few = "$compute=concat(id,id) as c0,concat(c0,c0) as c1&$filter=length(c1) eq 800";
    let answer = ask(&mut client, &format!("{RECORDS}?{few}"));
    assert_eq!((answer.status, answer.json()["value"].as_array().unwrap().len()), (200, 1));
}
