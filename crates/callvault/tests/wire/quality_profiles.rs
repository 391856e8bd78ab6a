//! `callvault.quality(profile='…')`: verdicts of a profile that the query names, in every option and by every
//! way.

use odata::percent::encode_query;
use quality::{Profiles, vectors};
use serde_json::{Value, json};

use super::quality::{call, keep, rows, texts, vectors};
use super::{RECORDS, TENANT, served, served_with};
use testkit::Client;

/// Poor by `teams-live` for its loss, good by the default.
const LOSSY: usize = 16;
const LIVE: &str = "callvault.quality(profile='teams-live')";

/// A record `one` with such a stream, and `two` with one that is good by both.
fn filled(client: &mut Client) {
    for (id, number) in [("one", LOSSY), ("two", 1)] {
        let vector = vectors::all().find(|vector| vector.number == number).unwrap();
        keep(client, &call(id, &[(vector.label, vector.stream)]));
    }
}

#[test]
fn the_vectors_have_the_verdicts_of_each_profile_that_is_named() {
    let (_callvault, _server, mut client) = served();
    vectors(&mut client);
    for profile in Profiles::shipped().iter() {
        for verdict in ["good", "poor", "unclassified", "notApplicable"] {
            let of = vectors::all().filter(|vector| {
                vector.profile == profile.name && vector.expected.split(' ').next() == Some(verdict)
            });
            let mut expected: Vec<String> =
                of.map(|vector| format!("v{}", vector.number)).collect();
            expected.sort_unstable();
            let name = &profile.name;
            let named = format!("callvault.quality(profile='{name}')/verdict eq '{verdict}'");
            let aliased = format!("callvault.quality(profile=@p)/verdict eq '{verdict}'");
            let aliased = format!("{}&@p='{name}'", encode_query(&aliased));
            for filter in [encode_query(&named), aliased] {
                for (path, member) in [
                    ("", "id"),
                    ("/callvault.sessions()", "callRecordId"),
                    ("/callvault.streams()", "callRecordId"),
                ] {
                    let target = format!("{RECORDS}{path}?$filter={filter}&$select={member}");
                    let found = rows(&mut client, &target);
                    assert_eq!(texts(&found, member), expected, "{target}");
                }
            }
        }
    }
}

/// Each answer has the verdict at the end of its pointer.
fn assert_poor(client: &mut Client, asked: &[(String, &str)]) {
    for (target, pointer) in asked {
        let answer = client.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(
            answer.json().pointer(pointer),
            Some(&json!("poor")),
            "{target}: {}",
            answer.text()
        );
    }
}

#[test]
fn a_verdict_by_a_profile_can_be_addressed_and_shown() {
    let (_callvault, _server, mut client) = served();
    filled(&mut client);
    let encoded = encode_query(LIVE);
    let compute = format!("$compute={encoded}%20as%20q&$select=id,q");
    let asked = [
        (format!("{RECORDS}/one/{LIVE}"), "/verdict"),
        (format!("{RECORDS}/one/{LIVE}/verdict"), "/value"),
        (format!("{RECORDS}/one/callvault.quality(profile=@p)?@p='teams-live'"), "/verdict"),
        (format!("{RECORDS}/one/sessions('one-0')/{LIVE}"), "/verdict"),
        (format!("{RECORDS}/one/callvault.version(version=1)/{LIVE}"), "/verdict"),
        (format!("{RECORDS}/one?{compute}"), "/q/verdict"),
        (format!("{RECORDS}?$filter=id%20eq%20'one'&{compute}"), "/value/0/q/verdict"),
        (format!("{RECORDS}/one/sessions?{compute}"), "/value/0/q/verdict"),
        (format!("{RECORDS}/one/sessions('one-0')?{compute}"), "/q/verdict"),
        (
            format!("{RECORDS}/one?$expand=sessions($compute={encoded}%20as%20q;$select=id,q)"),
            "/sessions/0/q/verdict",
        ),
        (
            format!(
                "{RECORDS}/one?$expand=sessions($filter={encoded}/isPoor;$compute={encoded}/verdict%20as%20v)"
            ),
            "/sessions/0/v",
        ),
    ];
    assert_poor(&mut client, &asked);
    let bare = client.get(&format!("{RECORDS}/one/{LIVE}/verdict/$value"));
    assert_eq!((bare.status, bare.text().as_str()), (200, "poor"));
}

#[test]
fn a_verdict_by_a_profile_can_be_calculated_with() {
    let (_callvault, _server, mut client) = served();
    filled(&mut client);
    let encoded = encode_query(LIVE);
    let compute = format!("$compute={encoded}%20as%20q&$select=id,q");
    let asked = [
        (
            format!("{RECORDS}/callvault.sessions()?$filter={encoded}/isPoor&{compute}"),
            "/value/0/q/verdict",
        ),
        (
            format!(
                "{RECORDS}/callvault.streams()?$orderby={encoded}/verdict%20desc&$compute={encoded}%20as%20q&$select=q"
            ),
            "/value/0/q/verdict",
        ),
        (
            format!(
                "{RECORDS}?$orderby={encoded}/poorShare%20desc&$compute={encoded}/verdict%20as%20v&$select=v"
            ),
            "/value/0/v",
        ),
        (
            format!("{RECORDS}?$compute={encoded}%20as%20q&$filter=q/isPoor&$select=q"),
            "/value/0/q/verdict",
        ),
        (
            format!("{RECORDS}?$filter=sessions/any(s:s/{encoded}/isPoor)&{compute}"),
            "/value/0/q/verdict",
        ),
        (
            format!(
                "{RECORDS}/callvault.streams()?$filter={encoded}/reasons/any(r:r/reason%20eq%20'packetLoss')&$compute={encoded}%20as%20q"
            ),
            "/value/0/q/verdict",
        ),
        (
            format!(
                "{RECORDS}?$apply=groupby(({encoded}/verdict))/orderby({encoded}/verdict%20desc)"
            ),
            "/value/0/callvault.quality(profile='teams-live')/verdict",
        ),
        (
            format!(
                "{RECORDS}?$apply=compute({encoded}/verdict%20as%20v)/groupby((v),aggregate($count%20as%20n))/orderby(v%20desc)"
            ),
            "/value/0/v",
        ),
        (
            format!(
                "{RECORDS}/callvault.streams()?$apply=filter({encoded}/verdict%20eq%20'poor')/compute({encoded}%20as%20q)"
            ),
            "/value/0/q/verdict",
        ),
    ];
    assert_poor(&mut client, &asked);
    let sum = encode_query(&format!("aggregate({LIVE}/audio/poor with sum as n)"));
    assert_eq!(rows(&mut client, &format!("{RECORDS}?$apply={sum}"))[0]["n"], 1);
    let sum = encode_query(&format!("aggregate(sessions/{LIVE}/audio/poor with sum as n)"));
    assert_eq!(rows(&mut client, &format!("{RECORDS}?$apply={sum}"))[0]["n"], 1);
    let count = client.get(&format!("{RECORDS}/$count?$filter={encoded}/isPoor"));
    assert_eq!(count.text(), "1");
}

#[test]
fn the_whole_verdict_is_shown_with_its_type_and_nothing_else_changes() {
    let (_callvault, _server, mut client) = served();
    filled(&mut client);
    let encoded = encode_query(LIVE);
    let target = format!(
        "{RECORDS}/callvault.streams()?$filter={encoded}/verdict%20eq%20'poor'&$compute={encoded}%20as%20q&$select=q"
    );
    let reason = json!({"reason": "packetLoss", "metric": "averagePacketLossRate", "value": 0.06,
        "op": "ge", "threshold": 0.05});
    assert_eq!(
        rows(&mut client, &target),
        [json!({"q": {"@odata.type": "#callvault.streamQuality", "profile": "teams-live/1",
            "verdict": "poor", "reason": "packetLoss", "reasons": [reason], "watch": [],
            "decidedBy": null, "missing": [], "implausible": []}})]
    );
    // What is asked for by it shows no more than without.
    let plain = client
        .get(&format!("{RECORDS}/callvault.streams()?$filter=averagePacketLossRate%20gt%200.05"));
    let asked = client
        .get(&format!("{RECORDS}/callvault.streams()?$filter={encoded}/verdict%20eq%20'poor'"));
    assert_eq!(plain.json()["value"], asked.json()["value"]);
    let plain = client.get(&format!("{RECORDS}?$filter=id%20eq%20'one'"));
    let asked = client.get(&format!("{RECORDS}?$filter={encoded}/isPoor"));
    assert_eq!(plain.json()["value"], asked.json()["value"]);
}

#[test]
fn the_default_is_the_member() {
    let (_callvault, _server, mut client) = served();
    filled(&mut client);
    let member = client.get(&format!("{RECORDS}/one/callvault.quality")).json();
    for call in ["callvault.quality()", "callvault.quality(profile='cqd-2021')"] {
        let answer = client.get(&format!("{RECORDS}/one/{call}"));
        assert_eq!((answer.status, answer.json()), (200, member.clone()), "{call}");
        let filter = encode_query(&format!("{call}/verdict eq 'good'"));
        let found = rows(&mut client, &format!("{RECORDS}?$filter={filter}&$select=id"));
        assert_eq!(texts(&found, "id"), ["one", "two"]);
        let compute = encode_query(&format!("{call} as q"));
        let found = rows(&mut client, &format!("{RECORDS}?$compute={compute}&$select=q"));
        assert_eq!(found[0]["q"]["verdict"], "good");
    }
}

#[test]
fn batches_posted_queries_and_pages_answer_alike() {
    let (callvault, _server, mut client) = served();
    filled(&mut client);
    let query = format!("$filter={LIVE}/isPoor&$select=id");
    let text = [("Content-Type", "text/plain")];
    let posted = client.send("POST", &format!("{RECORDS}/$query"), &text, query.as_bytes());
    assert_eq!(texts(posted.json()["value"].as_array().unwrap(), "id"), ["one"]);
    let batch = json!({"requests": [
        {"id": "1", "method": "GET", "url": format!("/communications/callRecords?{query}")},
        {"id": "2", "method": "GET", "url": format!("/communications/callRecords/one/{LIVE}/verdict")},
        {"id": "3", "method": "GET", "url": "/communications/callRecords?$filter=callvault.quality(profile='no')/isPoor"},
    ]});
    let answers = client.post("/v1.0/$batch", batch.to_string().as_bytes()).json();
    let answer = |id: &str| {
        let all = answers["responses"].as_array().unwrap();
        all.iter().find(|answer| answer["id"] == id).unwrap().clone()
    };
    assert_eq!(answer("1")["body"]["value"], json!([{"id": "one"}]));
    assert_eq!(answer("2")["body"]["value"], "poor");
    assert_eq!(answer("3")["status"], 400);
    // A link goes on with the same profile.
    let order = encode_query(&format!("{LIVE}/poorShare desc,id"));
    let size = [("Prefer", "odata.maxpagesize=1")];
    let first = client.get_with(&format!("{RECORDS}?$orderby={order}&$select=id"), &size).json();
    assert_eq!(texts(first["value"].as_array().unwrap(), "id"), ["one"]);
    let next = client.get(first["@odata.nextLink"].as_str().unwrap()).json();
    assert_eq!(texts(next["value"].as_array().unwrap(), "id"), ["two"]);
    // And the command line asks the same.
    let filter = format!("{LIVE}/verdict eq 'poor'");
    let asked = [
        "list",
        "--tenant",
        TENANT,
        "--of",
        "streams",
        "--filter",
        &filter,
        "--select",
        "callRecordId",
    ];
    assert_eq!(callvault.succeed(&asked).matches("one").count(), 1);
    let refused = callvault.run(&[
        "list",
        "--tenant",
        TENANT,
        "--filter",
        "callvault.quality(profile='no')/isPoor",
    ]);
    assert!(
        refused.stderr.contains("Known: cqd-2021, cqd-2020, cri-2, teams-live."),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_profile_that_is_not_known_is_told_with_its_place_and_those_that_are() {
    let (_callvault, _server, mut client) = served();
    filled(&mut client);
    let message = |client: &mut Client, target: &str| {
        let answer = client.get(target);
        assert_eq!(answer.status, 400, "{target}: {}", answer.text());
        answer.json()["error"]["message"].as_str().unwrap().to_owned()
    };
    let known = "Known: cqd-2021, cqd-2020, cri-2, teams-live.";
    let wrong = "id ne 'x' and callvault.quality(profile='cri-3')/isPoor";
    let target = format!("{RECORDS}?$filter={}", encode_query(wrong));
    let expected = format!(
        "Unknown profile 'cri-3' at position 40 in '{wrong}'. Did you mean 'cri-2'? {known}"
    );
    assert_eq!(message(&mut client, &target), expected);
    let told = message(&mut client, &format!("{RECORDS}/one/callvault.quality(profile='ours')"));
    assert!(
        told.starts_with("Unknown profile 'ours' at position 8") && told.ends_with(known),
        "{told}"
    );
    let aliased = format!("{RECORDS}?$compute=callvault.quality(profile=@p)%20as%20q&@p='ours'");
    assert!(message(&mut client, &aliased).ends_with(known));
    let selected = format!("{RECORDS}?$select=callvault.quality(profile='cri-2')");
    assert_eq!(client.get(&selected).status, 400);
}

#[test]
fn it_is_declared_and_graph_alone_does_not_know_it() {
    let (_callvault, _server, mut client) = served();
    for version in ["v1.0", "beta"] {
        let xml = client.get(&format!("/{version}/$metadata")).text();
        for (parameter, ty, returns) in [
            ("callRecord", "microsoft.graph.callRecords.callRecord", "callQuality"),
            ("session", "microsoft.graph.callRecords.session", "callQuality"),
            ("stream", "callvault.streamRow", "streamQuality"),
        ] {
            let lines = [
                "<Function Name=\"quality\" IsBound=\"true\" IsComposable=\"true\">".to_owned(),
                format!("<Parameter Name=\"{parameter}\" Type=\"{ty}\" Nullable=\"false\" />"),
                "<Parameter Name=\"profile\" Type=\"Edm.String\" Nullable=\"false\">".to_owned(),
                "<Annotation Term=\"Core.OptionalParameter\">".to_owned(),
                "<Record />".to_owned(),
                "</Annotation>".to_owned(),
                "</Parameter>".to_owned(),
                format!("<ReturnType Type=\"callvault.{returns}\" Nullable=\"false\" />"),
                "</Function>".to_owned(),
            ];
            let flat: Vec<&str> = xml.lines().map(str::trim).collect();
            assert!(
                flat.windows(lines.len()).any(|window| window == lines),
                "{version} {parameter}"
            );
        }
        let json = client.get(&format!("/{version}/$metadata?$format=json")).json();
        let overloads = json["callvault"]["quality"].as_array().unwrap().clone();
        assert_eq!(overloads.len(), 4);
        let optional =
            |overload: &Value| overload["$Parameter"][1]["@Core.OptionalParameter"] == json!({});
        assert!(overloads.iter().all(optional), "{overloads:?}");
    }
    let (_callvault, _server, mut client) = served_with("[graph]\nstrict = \"on\"\n");
    filled(&mut client);
    let encoded = encode_query(LIVE);
    for target in [
        format!("/one/{LIVE}"),
        "/one/callvault.quality()".to_owned(),
        format!("?$filter={encoded}/isPoor"),
        format!("/one?$compute={encoded}%20as%20q"),
    ] {
        let answer = client.get(&format!("{RECORDS}{target}"));
        assert_eq!(answer.status, 400, "{target}: {}", answer.text());
    }
}

/// A profile of one's own, for which a loss of more than so much is poor.
fn office(version: u8, loss: &str) -> String {
    format!(
        "[[profile]]\nname = \"office\"\nversion = {version}\ntitle = \"Ours\"\n[[profile.rule]]\n\
         medium = \"audio\"\nmode = \"any\"\n\
         poor = [{{ reason = \"loss\", metric = \"averagePacketLossRate\", above = {loss} }}]\n"
    )
}

#[test]
fn a_profile_of_the_owner_is_kept_by_the_store_and_asked_for_by_its_name() {
    let callvault = super::callvault();
    let [config, file] =
        ["callvault.toml", "office.toml"].map(|name| callvault.folder().join(name));
    let settings = format!("[quality]\nprofiles = [{:?}]\n", file.to_str().unwrap());
    std::fs::write(&config, settings).unwrap();
    let token = callvault.token(TENANT, &[super::READ, super::WRITE]);
    let named = |name: &str| encode_query(&format!("callvault.quality(profile='{name}')"));
    let start = ["--config", config.to_str().unwrap()];
    std::fs::write(&file, office(1, "0.01")).unwrap();
    {
        let server = callvault.serve(&start);
        let mut client = server.client().bearer(&token);
        filled(&mut client);
        let target = format!("{RECORDS}?$filter={}/isPoor&$select=id", named("office"));
        // 0.06 and 0.012.
        assert_eq!(texts(&rows(&mut client, &target), "id"), ["one", "two"]);
        let verdict = client.get(&format!("{RECORDS}/one/{}", named("office"))).json();
        assert_eq!((&verdict["profile"], &verdict["reason"]), (&json!("office/1"), &json!("loss")));
        let unknown = client.get(&format!("{RECORDS}?$filter={}/isPoor", named("home")));
        assert!(unknown.text().contains("teams-live, office."), "{}", unknown.text());
    }
    // The same version with other rules.
    std::fs::write(&file, office(1, "0.05")).unwrap();
    let mut refused = vec!["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    refused.extend(start);
    let refused = callvault.run(&refused);
    assert!(!refused.status.success());
    assert!(refused.stderr.contains("other rules for office/1"), "{}", refused.stderr);
    // A shipped name.
    std::fs::write(&file, office(1, "0.05").replace("\"office\"", "\"cri-2\"")).unwrap();
    let mut refused = vec!["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    refused.extend(start);
    let refused = callvault.run(&refused);
    assert!(refused.stderr.contains("there is a profile \"cri-2\" already"), "{}", refused.stderr);
    // The next version; and what the store keeps needs no file.
    std::fs::write(&file, office(2, "0.05")).unwrap();
    for arguments in [&start[..], &[]] {
        let server = callvault.serve(arguments);
        let mut client = server.client().bearer(&token);
        let target = format!("{RECORDS}?$filter={}/isPoor&$select=id", named("office"));
        assert_eq!(texts(&rows(&mut client, &target), "id"), ["one"]);
    }
    let listed = callvault.succeed(&["quality", "profiles", "office"]);
    assert!(listed.starts_with("office/2  Ours"), "{listed}");
    let asked = [
        "list",
        "--tenant",
        TENANT,
        "--filter",
        "callvault.quality(profile='office')/isPoor",
        "--select",
        "id",
    ];
    assert_eq!(callvault.succeed(&asked).matches("one").count(), 1);
    let explained = callvault.succeed(&["quality", "explain", "one", "--profile", "office"]);
    assert!(explained.contains("poor by office/2"), "{explained}");
}

#[test]
fn a_group_has_the_verdict_that_it_was_made_by_and_a_kept_row_does_not_show_its_own() {
    let (_callvault, _server, mut client) = served();
    filled(&mut client);
    let mut applied =
        |chain: &str| rows(&mut client, &format!("{RECORDS}?$apply={}", encode_query(chain)));
    let count = |rows: &[Value]| rows.len();
    let by_verdict = format!("groupby(({LIVE}/verdict))/filter(isdefined({LIVE}/verdict))");
    assert_eq!(count(&applied(&by_verdict)), 2);
    let by_type = format!("groupby((type))/filter(isdefined({LIVE}/verdict))");
    assert_eq!(count(&applied(&by_type)), 0, "groups by something else have none");
    for chain in [
        "filter(callvault.quality/verdict ne null)",
        "groupby((callvault.quality/verdict),top(1))",
        "concat(filter(callvault.quality/verdict eq 'good'),aggregate($count as n))",
    ] {
        let found = applied(chain);
        assert!(found.iter().any(|row| row.get("id").is_some()), "{chain}: {found:?}");
        assert!(found.iter().all(|row| row.get("callvault.quality").is_none()), "{found:?}");
    }
    let keys = applied("groupby((callvault.quality/verdict,callvault.quality/isPoor))");
    assert_eq!(keys[0]["callvault.quality"], json!({"verdict": "good", "isPoor": false}));
}
