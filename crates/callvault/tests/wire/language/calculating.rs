//! What SQL calculates: days, hours, buckets of time, shares, and arithmetic.

use serde_json::{Value, json};
use testkit::TENANT;

use super::apply::gives;
use super::{Asked, READ, RECORDS, callvault};

/// Records whose values are all plain, so that SQL calculates with them: on two days, a stream each.
fn plain_records() -> String {
    let starts = [
        "2026-03-01T08:10:00Z",
        "2026-03-01T23:50:00.5Z",
        "2026-03-02T08:20:00Z",
        "2026-03-02T08:59:59.9999999Z",
    ];
    let losses = ["0.25", "0.01", "0.2", "null"];
    let record = |(at, start): (usize, &str)| {
        let stream = json!({
            "streamId": format!("{at}"),
            "streamDirection": "callerToCallee",
            "averagePacketLossRate": serde_json::from_str::<Value>(losses[at]).unwrap(),
            "averageJitter": format!("PT0.0{}5S", at + 1),
            "packetUtilization": 600 + at,
        });
        let segment = json!({
            "id": format!("g{at}"), "startDateTime": start, "endDateTime": "2026-03-03T00:00:00Z",
            "media": [{"label": "main-audio", "streams": [stream]}],
        });
        let session = json!({
            "id": format!("s{at}"), "startDateTime": start, "endDateTime": "2026-03-03T00:00:00Z",
            "segments": [segment],
        });
        json!({
            "id": format!("p{at}"), "startDateTime": start, "endDateTime": "2026-03-03T00:00:00Z",
            "sessions": [session],
        })
        .to_string()
    };
    starts.into_iter().enumerate().map(record).collect::<Vec<_>>().join("\n")
}

#[test]
fn days_hours_and_shares_are_calculated_without_looking_into_records() {
    let callvault = callvault();
    let file = callvault.folder().join("records.ndjson");
    std::fs::write(&file, plain_records()).unwrap();
    callvault.succeed(&["import", "--tenant", TENANT, file.to_str().unwrap()]);
    let config = callvault.folder().join("callvault.toml");
    std::fs::write(&config, "limits.rows_scanned = 1\n").unwrap();
    let token = callvault.token(TENANT, &[READ]);
    let server = callvault.serve(&["--config", config.to_str().unwrap()]);
    let client = server.client().bearer(&token);
    let mut asked = Asked { client, server, callvault };
    let poor = "case(packetUtilization gt 500 and averagePacketLossRate gt 0.1:1,true:0) as poor";
    gives(
        &mut asked,
        "/callvault.streams()",
        true,
        &[
            (
                &format!(
                    "compute(date(callStartDateTime) as day,{poor})/groupby((day),\
                     aggregate(poor with sum as k,$count as n))/compute(callvault.ratio(k,n) as share,\
                     callvault.wilson(k,n) as low)/orderby(low desc,day)/top(10)"
                ),
                json!([
                    {"day": "2026-03-01", "k": 1, "n": 2, "share": 0.5, "low": 0.094_528_654_800_866_11},
                    {"day": "2026-03-02", "k": 1, "n": 2, "share": 0.5, "low": 0.094_528_654_800_866_11},
                ]),
            ),
            (
                "filter(hour(callStartDateTime) eq 8 and callvault.ratio(packetUtilization,1000) gt 0.5)\
                 /compute(callvault.bucket(callStartDateTime,duration'PT30M') as since)\
                 /groupby((since),aggregate(averageJitter mul 2 with max as j,streamId with countdistinct as n,\
                 packetUtilization mod 7 with sum as m))/orderby(since)",
                json!([
                    {"since": "2026-03-01T08:00:00Z", "j": "PT0.03S", "n": 1, "m": 5},
                    {"since": "2026-03-02T08:00:00Z", "j": "PT0.07S", "n": 1, "m": 0},
                    {"since": "2026-03-02T08:30:00Z", "j": "PT0.09S", "n": 1, "m": 1},
                ]),
            ),
            (
                "compute(averagePacketLossRate gt 0.1 as lossy,second(callStartDateTime) as s)\
                 /groupby((lossy),aggregate(s with max as latest,sessionId with countdistinct as n))/orderby(lossy)",
                json!([{"lossy": false, "latest": 59, "n": 2}, {"lossy": true, "latest": 0, "n": 2}]),
            ),
        ],
    );
    for (options, expected) in [
        ("?$filter=date(startDateTime) eq 2026-03-02&$count=true", "p3 p2"),
        ("?$orderby=hour(startDateTime),minute(startDateTime) desc", "p3 p2 p0 p1"),
        ("?$compute=time(startDateTime) as t&$filter=t gt 08:15:00&$orderby=t", "p2 p3 p1"),
    ] {
        assert_eq!(
            asked.names(&format!("{RECORDS}{options}")).as_deref(),
            Ok(expected),
            "{options}"
        );
    }
    let url = "/communications/callRecords?$apply=compute(date(startDateTime) as d)/groupby((d))";
    let told = asked.callvault.succeed(&["query", "explain", url]);
    assert!(!told.contains("Decided by our own evaluator"), "{told}");
}

#[test]
fn calculated_keys_of_groups_say_their_types() {
    let mut asked = Asked::new();
    for (calculated, ty) in [
        ("date(startDateTime)", "#Date"),
        ("time(startDateTime)", "#TimeOfDay"),
        ("hour(startDateTime)", "#Int64"),
        ("startDateTime", "#DateTimeOffset"),
        ("endDateTime sub startDateTime", "#Duration"),
        ("0 divby 0", "#Double"),
    ] {
        let apply =
            format!("$apply=compute({calculated} as k)/groupby((k),aggregate($count as n))");
        for of in ["", "/callvault.sessions()", "/r2/sessions"] {
            for form in ["application/json", "application/json;IEEE754Compatible=true"] {
                let body = asked.body(&format!("{RECORDS}{of}?{apply}&$format={form}"));
                assert_eq!(
                    body["value"][0]["k@odata.type"], ty,
                    "{of} {calculated} {form}: {body}"
                );
            }
        }
    }
    // What a group knows of its key, a condition behind it knows too: nothing is equal to what is no number.
    for (condition, count) in [("k eq k", 0), ("k ne k", 1)] {
        let apply = format!("compute(0 divby 0 as k)/groupby((k))/filter({condition})");
        let body = asked.body(&format!("{RECORDS}?$apply={apply}/aggregate($count as n)"));
        assert_eq!(body["value"][0]["n"], count, "{apply}");
    }
}
