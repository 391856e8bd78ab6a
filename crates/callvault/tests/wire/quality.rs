//! `callvault.quality`: verdicts on records, sessions and streams, in every option and by every way.

use odata::percent::encode_query;
use quality::{Medium, Profiles, expression, vectors};
use serde_json::{Value, json};

use super::{READ, RECORDS, TENANT, served};
use testkit::Client;

/// A record with one session for each of these streams: label of the media, and the stream.
pub(super) fn call(id: &str, streams: &[(Option<&str>, &str)]) -> Value {
    let (start, end) = ("2025-05-18T10:00:00Z", "2025-05-18T10:05:00Z");
    let party = |id: &str| {
        json!({"@odata.type": "#microsoft.graph.callRecords.participantEndpoint",
            "identity": {"user": {"id": id, "displayName": id}}})
    };
    let session = |(number, (label, stream)): (usize, &(Option<&str>, &str))| {
        let mut stream: Value = serde_json::from_str(stream).unwrap();
        let direction = if number % 2 == 0 { "callerToCallee" } else { "calleeToCaller" };
        stream["streamDirection"] = json!(direction);
        json!({"id": format!("{id}-{number}"), "startDateTime": start, "endDateTime": end,
            "segments": [{"id": format!("{id}-{number}"), "startDateTime": start,
                "endDateTime": end, "caller": party("anna"), "callee": party("ben"),
                "media": [{"label": label, "streams": [stream]}]}]})
    };
    let sessions: Vec<Value> = streams.iter().enumerate().map(session).collect();
    json!({"id": id, "version": 1, "type": "peerToPeer", "modalities": ["audio"],
        "startDateTime": start, "endDateTime": end, "sessions": sessions})
}

pub(super) fn keep(client: &mut Client, record: &Value) {
    let answer = client.post(RECORDS, record.to_string().as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
}

pub(super) fn rows(client: &mut Client, target: &str) -> Vec<Value> {
    let answer = client.get_with(target, &[("Prefer", "odata.maxpagesize=200")]);
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.json()["value"].as_array().unwrap().clone()
}

pub(super) fn texts(rows: &[Value], member: &str) -> Vec<String> {
    let mut texts: Vec<String> =
        rows.iter().map(|row| row[member].as_str().unwrap_or_default().to_owned()).collect();
    texts.sort_unstable();
    texts
}

/// A record for each of the vectors.
pub(super) fn vectors(client: &mut Client) {
    for vector in vectors::all().filter(|vector| vector.profile == "cqd-2021") {
        keep(client, &call(&format!("v{}", vector.number), &[(vector.label, vector.stream)]));
    }
}

#[test]
fn the_vectors_have_their_verdicts_by_filters_and_by_the_printed_expressions() {
    let (_callvault, _server, mut client) = served();
    vectors(&mut client);
    let expected = |profile: &str, verdict: &str| {
        let of = vectors::all().filter(|vector| {
            vector.profile == profile && vector.expected.split(' ').next() == Some(verdict)
        });
        let mut ids: Vec<String> = of.map(|vector| format!("v{}", vector.number)).collect();
        ids.sort_unstable();
        ids
    };
    for verdict in ["good", "poor", "unclassified", "notApplicable"] {
        let filter = encode_query(&format!("callvault.quality/verdict eq '{verdict}'"));
        // What has to be evaluated on JSON says the same.
        let evaluated =
            format!("{filter}%20and%20matchesPattern(callvault.quality/profile,'cqd-2021')");
        for filter in [&filter, &evaluated] {
            let ids = rows(&mut client, &format!("{RECORDS}?$filter={filter}&$select=id"));
            assert_eq!(texts(&ids, "id"), expected("cqd-2021", verdict), "{filter}");
            for (function, member) in [("sessions", "callRecordId"), ("streams", "callRecordId")] {
                let target = format!("{RECORDS}/callvault.{function}()?$filter={filter}");
                let ids = rows(&mut client, &target);
                assert_eq!(texts(&ids, member), expected("cqd-2021", verdict), "{target}");
                assert!(ids.iter().all(|row| row.get("callvault.quality").is_none()), "hidden");
            }
        }
    }
    for profile in Profiles::shipped().iter() {
        for medium in Medium::ALL {
            let Some(rule) = profile.rule(medium) else { continue };
            let target = format!(
                "{RECORDS}/callvault.streams()?$filter={}&$compute={}&$select=callRecordId,verdict",
                encode_query(&expression::medium(medium, expression::LABEL)),
                encode_query(&format!("{} as verdict", expression::rule(rule)))
            );
            for row in rows(&mut client, &target) {
                let number: usize = row["callRecordId"].as_str().unwrap()[1..].parse().unwrap();
                let vector =
                    vectors::all().find(|it| it.number == number && it.profile == profile.name);
                let expected = vector.unwrap().expected.split(' ').next();
                assert_eq!(row["verdict"].as_str(), expected, "{profile:?} {number}");
            }
        }
    }
}

#[test]
fn levels_roll_up_from_streams_to_the_call() {
    let (_callvault, _server, mut client) = served();
    let stream = |number: usize| {
        let vector = vectors::all().find(|vector| vector.number == number).unwrap();
        (vector.label, vector.stream)
    };
    let streams = |numbers: &[usize]| numbers.iter().map(|it| stream(*it)).collect::<Vec<_>>();
    keep(&mut client, &call("half", &streams(&[3, 1])));
    keep(&mut client, &call("good", &streams(&[1, 1, 11, 6])));
    keep(&mut client, &call("unknown", &streams(&[11])));
    keep(&mut client, &call("data", &streams(&[30])));
    let verdict = |client: &mut Client, id: &str| {
        let answer = client.get(&format!("{RECORDS}/{id}?$select=id,callvault.quality")).json();
        answer["callvault.quality"].clone()
    };
    let counts = |good: u8, poor: u8, unclassified: u8| json!({"good": good, "poor": poor, "unclassified": unclassified});
    let nothing = counts(0, 0, 0);
    assert_eq!(
        verdict(&mut client, "half"),
        json!({"profile": "cqd-2021/1", "verdict": "poor", "reason": "packetLoss",
            "audio": counts(1, 1, 0), "video": nothing, "screenSharing": nothing,
            "heard": counts(1, 1, 0), "wasHeard": counts(1, 1, 0),
            "people": 2, "poorPeople": 2, "poorShare": 1, "isPoor": true})
    );
    let good = verdict(&mut client, "good");
    assert_eq!((&good["verdict"], &good["audio"]), (&json!("good"), &counts(2, 0, 2)));
    assert_eq!((&good["reason"], &good["poorShare"]), (&Value::Null, &json!(0)));
    let unknown = verdict(&mut client, "unknown");
    assert_eq!(
        (&unknown["verdict"], &unknown["poorShare"]),
        (&json!("unclassified"), &Value::Null)
    );
    assert_eq!(verdict(&mut client, "data")["verdict"], "notApplicable");

    let counted = |client: &mut Client, apply: &str| {
        let apply = encode_query(apply);
        rows(client, &format!("{RECORDS}?$apply={apply}"))[0]["n"].clone()
    };
    let sum = "aggregate(callvault.quality/audio/good with sum as n)";
    assert_eq!(counted(&mut client, sum), 3);
    let groups =
        "groupby((callvault.quality/verdict,callvault.quality/reason),aggregate($count as n))";
    let mut groups = rows(&mut client, &format!("{RECORDS}?$apply={}", encode_query(groups)));
    groups.sort_by_key(|group| group["callvault.quality"]["verdict"].to_string());
    let group = |verdict: &str, reason: Value| {
        let key = json!({"verdict": verdict, "reason": reason});
        json!({"callvault.quality": key, "n": 1, "n@odata.type": "#Int64"})
    };
    assert_eq!(
        groups,
        [
            group("good", Value::Null),
            group("notApplicable", Value::Null),
            group("poor", json!("packetLoss")),
            group("unclassified", Value::Null),
        ]
    );
    let target =
        format!("{RECORDS}?$orderby=callvault.quality/poorShare%20desc,id&$select=id&$top=1");
    assert_eq!(texts(&rows(&mut client, &target), "id"), ["half"]);
}

#[test]
fn a_verdict_is_shown_only_where_it_is_selected_and_is_never_kept() {
    let (_callvault, _server, mut client) = served();
    let vector = vectors::all().find(|vector| vector.number == 5).unwrap();
    let mut record = call("one", &[(vector.label, vector.stream)]);
    record["callvault.quality"] = json!({"verdict": "good"});
    record["sessions"][0]["callvault.quality"] = json!({"a": 1});
    let stream = "/sessions/0/segments/0/media/0/streams/0";
    record.pointer_mut(stream).unwrap()["callvault.quality"] = json!({"verdict": "good"});
    keep(&mut client, &record);
    let whole = "$expand=sessions($expand=segments)";
    let answers = |client: &mut Client| {
        [
            format!("{RECORDS}/one?{whole}"),
            format!("{RECORDS}?{whole}"),
            format!("{RECORDS}/one?$filter=callvault.quality/verdict%20eq%20'poor'"),
            format!("{RECORDS}?$filter=callvault.quality/verdict%20eq%20'poor'&{whole}"),
            format!("{RECORDS}/one/sessions?$filter=callvault.quality/verdict%20eq%20'poor'"),
            format!("{RECORDS}?$apply=filter(callvault.quality/verdict%20eq%20'poor')"),
            format!("{RECORDS}/callvault.streams()?$orderby=callvault.quality/verdict"),
        ]
        .map(|target| client.get(&target).text())
    };
    for text in answers(&mut client).iter().enumerate().filter(|(at, _)| *at != 2) {
        assert!(!text.1.contains("callvault.quality"), "{text:?}");
        assert!(text.1.contains("\"one\"") || text.1.contains("one-0"), "{text:?}");
    }
}

#[test]
fn a_verdict_can_be_selected_addressed_and_calculated_with() {
    let (_callvault, _server, mut client) = served();
    let vector = vectors::all().find(|vector| vector.number == 5).unwrap();
    keep(&mut client, &call("one", &[(vector.label, vector.stream)]));
    for (target, pointer) in [
        (format!("{RECORDS}/one?$select=callvault.quality"), "/callvault.quality/verdict"),
        (format!("{RECORDS}/one?$select=callvault.quality/verdict"), "/callvault.quality/verdict"),
        (format!("{RECORDS}?$select=callvault.quality"), "/value/0/callvault.quality/verdict"),
        (
            format!("{RECORDS}/one?$expand=sessions($select=id,callvault.quality)"),
            "/sessions/0/callvault.quality/verdict",
        ),
        (
            format!("{RECORDS}/one/sessions('one-0')?$select=callvault.quality"),
            "/callvault.quality/verdict",
        ),
        (
            format!("{RECORDS}/callvault.sessions()?$select=id,callvault.quality"),
            "/value/0/callvault.quality/verdict",
        ),
        (
            format!("{RECORDS}/callvault.streams()?$select=callvault.quality"),
            "/value/0/callvault.quality/verdict",
        ),
        (format!("{RECORDS}/one/callvault.quality"), "/verdict"),
        (format!("{RECORDS}/one/callvault.quality/verdict"), "/value"),
        (
            format!("{RECORDS}?$compute=callvault.quality/verdict%20as%20v&$select=id,v"),
            "/value/0/v",
        ),
        (
            format!(
                "{RECORDS}/callvault.streams()?$compute=cast(callvault.quality/verdict,Edm.String)\
                 %20as%20v&$select=v"
            ),
            "/value/0/v",
        ),
        (
            format!("{RECORDS}/one/sessions('one-0')?$compute=callvault.quality/verdict%20as%20v"),
            "/v",
        ),
        (
            format!("{RECORDS}?$apply=groupby((callvault.quality/verdict))"),
            "/value/0/callvault.quality/verdict",
        ),
    ] {
        let answer = client.get(&target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(
            answer.json().pointer(pointer),
            Some(&json!("poor")),
            "{target}: {}",
            answer.text()
        );
    }
    let target = format!("{RECORDS}/callvault.streams()?$select=callvault.quality");
    let quality = &rows(&mut client, &target)[0]["callvault.quality"];
    assert_eq!(quality["reason"], "packetLoss");
    assert_eq!(
        quality["reasons"][0],
        json!({"reason": "roundTrip", "metric": "averageRoundTripTime", "value": 0.62, "op": "gt", "threshold": 0.5})
    );
    let misspelt = client.get(&format!("{RECORDS}?$filter=callvault.quality/verdict%20eq%20'por'"));
    assert_eq!(misspelt.status, 400);
    assert!(misspelt.text().contains("'poor'"), "{}", misspelt.text());
}

#[test]
fn answers_say_how_many_records_lack_columns_that_they_need() {
    let (callvault, server, mut client) = served();
    keep(&mut client, &call("a", &[(None, "{}")]));
    keep(&mut client, &call("b", &[(None, "{}")]));
    server.stop();
    // As an older version has left them, while another process has the work of filling them in.
    callvault.edit("UPDATE call_record SET flags = flags & ~384");
    callvault.edit(
        "INSERT INTO lease (name, holder, fence, expires) VALUES ('verdicts', 'x', 1, 9000000000000000000)
         ON CONFLICT (name) DO UPDATE SET holder = 'x', expires = 9000000000000000000",
    );
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&callvault.token(TENANT, &[READ]));
    let lacking = |client: &mut Client, query: &str| {
        let answer = client.get(&encode_query(query));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["@callvault.recordsLackingColumns"].clone()
    };
    let asks = [
        "/callvault.legs()?$top=1",
        "?$filter=callvault.quality/verdict eq 'good'",
        "?$apply=groupby((callvault.quality/verdict),aggregate($count as n))",
    ];
    for ask in asks {
        assert_eq!(lacking(&mut client, &format!("{RECORDS}{ask}")), 2, "{ask}");
    }
    for ask in ["", "?$filter=version eq 1", "/callvault.streams()?$top=1"] {
        assert_eq!(lacking(&mut client, &format!("{RECORDS}{ask}")), Value::Null, "{ask}");
    }
    server.stop();
    callvault.edit("UPDATE call_record SET flags = flags | 384");
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&callvault.token(TENANT, &[READ]));
    for ask in asks {
        assert_eq!(lacking(&mut client, &format!("{RECORDS}{ask}")), Value::Null, "{ask}");
    }
}

#[test]
fn the_same_person_counts_once_however_their_id_is_written() {
    let (_callvault, _server, mut client) = served();
    let poor = r#"{"streamId":"1","packetUtilization":1200,"averagePacketLossRate":0.5}"#;
    let mut record = call("a", &[(Some("main-audio"), poor), (Some("main-audio"), poor)]);
    let guid = "aaaaaaaa-0000-4000-8000-00000000000b";
    for (at, id) in [guid.to_owned(), guid.to_uppercase()].into_iter().enumerate() {
        record["sessions"][at]["segments"][0]["caller"]["identity"]["user"]["id"] = json!(id);
    }
    keep(&mut client, &record);
    let select = "$select=id,callvault.quality";
    let quality = |client: &mut Client, id: &str| {
        rows(client, &format!("{RECORDS}?{select}&$filter=id eq '{id}'").replace(' ', "%20"))[0]
            ["callvault.quality"]
            .clone()
    };
    let first = quality(&mut client, "a");
    assert_eq!((&first["people"], &first["poorPeople"]), (&json!(2), &json!(2)), "{first}");
    let mut record = call("b", &[(Some("main-audio"), poor), (Some("main-audio"), poor)]);
    for (at, number) in ["+15550100182", "tel:+1-555-010-0182"].into_iter().enumerate() {
        record["sessions"][at]["segments"][0]["caller"]["identity"] =
            json!({"phone": {"id": number}});
    }
    keep(&mut client, &record);
    let second = quality(&mut client, "b");
    assert_eq!(second["people"], 2, "{second}");
}

#[test]
fn times_beyond_ticks_and_far_away_are_the_same_in_columns_and_in_json() {
    let (_callvault, _server, mut client) = served();
    let jitter = |text: &str| format!(r#"{{"streamId":"1","averageJitter":"{text}"}}"#);
    for (id, text) in [("a", "PT0.03S"), ("b", "PT0.03000000001S"), ("c", "PT0.0300001S")] {
        keep(&mut client, &call(id, &[(Some("main-audio"), &jitter(text))]));
    }
    let mut far = call("far", &[]);
    far["startDateTime"] = json!("0001-01-01T00:00:00Z");
    far["endDateTime"] = json!("9999-12-31T23:59:59.9999999Z");
    keep(&mut client, &far);
    let apply = |client: &mut Client, path: &str, apply: &str| {
        client.get(&format!("{RECORDS}{path}?$apply={}", encode_query(apply)))
    };
    for figures in [
        "aggregate(averageJitter with max as m)",
        "aggregate(averageJitter with min as m,averageJitter with sum as s)",
        "aggregate(averageJitter with countdistinct as n)",
        "groupby((averageJitter),aggregate($count as n))/orderby(averageJitter)",
    ] {
        let answers = ["", "filter(substring(callRecordId,0) ne 'zz')/"].map(|first| {
            apply(&mut client, "/callvault.streams()", &format!("{first}{figures}")).json()["value"]
                .clone()
        });
        assert_eq!(answers[0], answers[1], "{figures}");
    }
    let overflow = "(endDateTime sub startDateTime) mul 3";
    for query in [
        format!("$apply={}", encode_query(&format!("aggregate({overflow} with max as m)"))),
        format!("$filter={}", encode_query(&format!("{overflow} gt duration'PT0S'"))),
        format!("$orderby={}", encode_query(overflow)),
        format!("$compute={}", encode_query(&format!("{overflow} as k"))),
    ] {
        let answer = client.get(&format!("{RECORDS}?{query}"));
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
    }
}
