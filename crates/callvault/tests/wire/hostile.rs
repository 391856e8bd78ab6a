//! Text stays one value in every form of a response, and links with it work.

mod bodies;
mod damage;
mod events;

use odata::json::{Json, Node, push_string};
use odata::key;
use serde_json::json;
use testkit::{Answer, Callvault, Client, Receiver, Server, TENANT, until};

use super::{READ, RECORDS, WRITE, callvault};

/// Each is an id, and every other text, of a record of its own.
const HOSTILE: &[&str] = &[
    r#"a","evil":"x"#,
    r#"c1","version":99,"x":""#,
    r"\",
    r#"\","evil":{"a":"b"#,
    "'",
    "it''s ('odd')/sessions",
    "..",
    ".",
    "%2F%2e%00",
    "a/b?c#d&e=f;g",
    "$count",
    "$filter(id eq 'x')",
    "callvault.versions()",
    "line\nbreak\r\ttab\u{1f}\u{7f}",
    "\u{0}nul",
    "\u{2028}\u{2029}\u{85}\u{feff}",
    "\u{202e}evil\u{2066}\u{200f}",
    "</script><!--&amp;-->",
    "é漢\u{1f600}e\u{301}",
    " space ",
    "+1 555 0100",
];

/// A record of which every text is this one. What has no length of its own gets a number behind it.
fn record(text: &str, sessions: usize) -> String {
    let quoted = |end: &str| {
        let mut out = Vec::new();
        push_string(&mut out, &format!("{text}{end}"));
        String::from_utf8(out).unwrap()
    };
    let t = quoted("");
    let identity =
        format!(r#"{{"user":{{"id":{t},"displayName":{t},"tenantId":{t},{}:{t}}}}}"#, quoted("m"));
    let endpoint = |ty: &str, more: &str| {
        format!(
            r##"{{"@odata.type":"#microsoft.graph.callRecords.{ty}","userAgent":{{"@odata.type":"#microsoft.graph.callRecords.clientUserAgent","headerValue":{t},"applicationVersion":{t},"productFamily":"teams","platform":"windows"}}{more}}}"##
        )
    };
    let caller = endpoint(
        "participantEndpoint",
        &format!(r#","name":{t},"cpuName":{t},"identity":{identity}"#),
    );
    let callee = endpoint("serviceEndpoint", "");
    let media = format!(
        r#"[{{"label":{t},"callerNetwork":{{"ipAddress":{t},"dnsSuffix":{t}}},"callerDevice":{{"captureDeviceName":{t}}},"streams":[{{"streamId":{t},"wasMediaBypassed":true,"averageJitter":"PT1S"}}]}}]"#
    );
    let sessions: Vec<String> = (0..sessions)
        .map(|number| {
            let id = if number == 0 { t.clone() } else { quoted(&number.to_string()) };
            format!(
                r#"{{"id":{id},"modalities":["audio"],"startDateTime":"2026-03-01T10:00:00Z","endDateTime":"2026-03-01T10:10:00Z","caller":{caller},"callee":{callee},"failureInfo":{{"reason":{t},"stage":"midcall"}},{}:{t},"segments":[{{"id":{t},"startDateTime":"2026-03-01T10:00:00Z","endDateTime":"2026-03-01T10:10:00Z","caller":{caller},"callee":{callee},"media":{media}}}]}}"#,
                quoted("s")
            )
        })
        .collect();
    format!(
        r#"{{"id":{t},"version":9007199254740993,"type":"groupCall","modalities":["audio"],"startDateTime":"2026-03-01T10:00:00Z","endDateTime":"2026-03-01T10:10:00Z","joinWebUrl":{t},{}:{{{}:[{t},"\ud800",null]}},"organizer_v2":{{"id":{t},"identity":{identity}}},"participants_v2":[{{"id":{t},"identity":{identity}}}],"sessions":[{}]}}"#,
        quoted("r"),
        quoted("q"),
        sessions.join(",")
    )
}

fn parsed<'a>(what: &str, text: &'a str) -> Node<'a> {
    Node::parse(text).unwrap_or_else(|error| panic!("{what}: {error} in {text}"))
}

/// Where `all` says something else than `part`.
fn difference(all: &Node<'_>, part: &Node<'_>) -> Option<String> {
    match (all, part) {
        (Node::Object(_), Node::Object(part)) => part.iter().find_map(|member| {
            let name = member.name.value();
            // Responses rewrite everything but the values.
            if name.contains("@odata.") {
                return None;
            }
            match all.get(&name) {
                None => Some(format!("/{name} is missing")),
                Some(found) => difference(found, &member.value).map(|at| format!("/{name}{at}")),
            }
        }),
        (Node::Array(all), Node::Array(part)) if all.len() == part.len() => {
            all.iter().zip(part).find_map(|(all, part)| difference(all, part))
        }
        (all, part) => (all != part).then(|| format!(" is {all:?}, not {part:?}")),
    }
}

/// All links of an answer: next links, ids, and addresses of what is beside; contexts with a key in
/// them as the address that they name.
fn links(node: &Node<'_>, root: &str, found: &mut Vec<String>) {
    match node {
        Node::Array(items) => items.iter().for_each(|item| links(item, root, found)),
        Node::Object(members) => {
            for member in members {
                let name = member.name.raw();
                let value = member.value.as_text().map(|text| text.value().into_owned());
                let is = |term: &str| name.ends_with(term);
                match value {
                    Some(link) if is("odata.nextLink") || is("odata.navigationLink") => {
                        found.push(link);
                    }
                    Some(link) if is("odata.id") || is("odata.editLink") => {
                        found.push(format!("{root}/{link}"));
                    }
                    Some(link)
                        if is("organizer_v2@odata.context") || is("segments@odata.context") =>
                    {
                        let path = link.split_once("$metadata#").unwrap().1;
                        let path = path.strip_suffix("/$entity").unwrap_or(path);
                        found.push(format!("{root}/{path}"));
                    }
                    _ => links(&member.value, root, found),
                }
            }
        }
        _ => {}
    }
}

struct Reading {
    client: Client,
    root: String,
    faults: Vec<String>,
}

impl Reading {
    /// An answer that must be JSON; its links must lead somewhere.
    fn body(&mut self, target: &str, accept: &str) -> String {
        let answer = self.client.get_with(target, &[("Accept", accept)]);
        self.checked(target, &answer)
    }

    fn checked(&mut self, target: &str, answer: &Answer) -> String {
        let text = answer.text();
        if answer.status != 200 {
            self.faults.push(format!("{target}: {} {text}", answer.status));
            return "{}".to_owned();
        }
        match Node::parse(&text) {
            Ok(node) => {
                let mut found = Vec::new();
                links(&node, &self.root, &mut found);
                found.sort();
                found.dedup();
                for link in found {
                    let linked = self.client.get(&link);
                    if !matches!(linked.status, 200 | 204) {
                        self.faults.push(format!("{target}: {link}: {}", linked.text()));
                    }
                }
            }
            Err(error) => self.faults.push(format!("{target}: {error} in {text}")),
        }
        text
    }

    fn says(&mut self, target: &str, all: Option<&Node<'_>>, part: Option<&Node<'_>>) {
        match (all, part) {
            (Some(all), Some(part)) => {
                if let Some(difference) = difference(all, part) {
                    self.faults.push(format!("{target}: {difference}"));
                }
            }
            _ => self.faults.push(format!("{target}: nothing to compare")),
        }
    }
}

fn first<'n, 'a>(node: &'n Node<'a>, path: &[&str]) -> Option<&'n Node<'a>> {
    path.iter().try_fold(node, |node, name| match *name {
        "0" => node.as_array()?.first(),
        name => node.get(name),
    })
}

/// A server with a hostile record, and what came in.
fn kept(text: &str, sessions: usize) -> (Callvault, Server, Reading, String) {
    let callvault = callvault();
    let token = callvault.token(TENANT, &[READ, WRITE]);
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&token);
    let record = record(text, sessions);
    let answer = client.post(RECORDS, record.as_bytes());
    assert_eq!(answer.status, 201, "{text:?}: {}", answer.text());
    let location = answer.header("location").unwrap().to_owned();
    assert_eq!(client.get(&location).status, 200, "{location}");
    let root = format!("http://{}/v1.0", server.address);
    (callvault, server, Reading { client, root, faults: Vec::new() }, record)
}

#[test]
fn every_form_of_an_answer_says_what_came_in() {
    let mut faults = Vec::new();
    for text in HOSTILE {
        let (_callvault, _server, mut reading, record) = kept(text, 1);
        one_record(&mut reading, text, &record);
        collections(&mut reading, text, &record);
        others(&mut reading, text, &record);
        faults.extend(reading.faults.iter().map(|fault| format!("{text:?}: {fault}")));
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

const FORMS: [&str; 5] = [
    "application/json",
    "application/json;odata.metadata=none",
    "application/json;odata.metadata=full",
    "application/json;IEEE754Compatible=false;odata.metadata=minimal",
    "application/json;odata.metadata=full;IEEE754Compatible=true",
];

fn one_record(reading: &mut Reading, text: &str, record: &str) {
    let record = parsed("record", record);
    let (path, quoted) = (key::in_path(text), key::in_parentheses(text));
    let everything = "?$expand=sessions($expand=segments),participants_v2";
    for accept in FORMS {
        let is_exact = !accept.contains("IEEE754Compatible=true");
        let target = format!("{RECORDS}{path}{everything}");
        let body = reading.body(&target, accept);
        if is_exact {
            reading.says(&target, Some(&parsed(&target, &body)), Some(&record));
        }
        for (target, place) in [
            (format!("{RECORDS}{quoted}?$select=id,joinWebUrl"), vec!["joinWebUrl"]),
            (format!("{RECORDS}{path}/sessions?$expand=segments"), vec!["value", "0", "caller"]),
            (format!("{RECORDS}{path}/sessions{quoted}?$expand=segments"), vec!["segments"]),
            (format!("{RECORDS}{path}/sessions{quoted}/segments{quoted}"), vec!["media"]),
            (format!("{RECORDS}{quoted}/participants_v2"), vec!["value", "0", "identity"]),
            (format!("{RECORDS}{path}/participants_v2{quoted}"), vec!["identity"]),
            (format!("{RECORDS}{path}/organizer_v2"), vec!["identity"]),
        ] {
            let body = reading.body(&target, accept);
            let expected = match place.as_slice() {
                ["joinWebUrl"] => first(&record, &["joinWebUrl"]),
                ["segments"] => first(&record, &["sessions", "0", "segments"]),
                ["media"] => first(&record, &["sessions", "0", "segments", "0", "media"]),
                [.., "caller"] => first(&record, &["sessions", "0", "caller"]),
                _ => first(&record, &["participants_v2", "0", "identity"]),
            };
            reading.says(&target, first(&parsed(&target, &body), &place), expected);
        }
    }
    let value = reading.client.get(&format!("{RECORDS}{path}/joinWebUrl/$value"));
    assert_eq!((value.status, value.text().as_str()), (200, text), "{value:?}");
    let property = format!("{RECORDS}{path}/joinWebUrl");
    let body = reading.body(&property, FORMS[0]);
    let wanted = first(&record, &["joinWebUrl"]);
    reading.says(&property, parsed(&property, &body).get("value"), wanted);
}

fn collections(reading: &mut Reading, text: &str, record: &str) {
    let record = parsed("record", record);
    let path = key::in_path(text);
    let literal = odata::percent::encode_query(&format!("'{}'", text.replace('\'', "''")));
    let literal = literal.replace('\'', "%27");
    let items: &[(String, &[&str])] = &[
        (RECORDS.to_owned(), &["joinWebUrl"]),
        (format!("{RECORDS}?$select=id,joinWebUrl"), &["joinWebUrl"]),
        (format!("{RECORDS}?$count=true&$expand=participants_v2"), &["participants_v2"]),
        (
            format!("{RECORDS}?$expand=sessions($filter=id%20eq%20{literal};$expand=segments)"),
            &["sessions"],
        ),
        (format!("{RECORDS}?$filter=id%20eq%20{literal}"), &["organizer_v2"]),
        (
            format!("{RECORDS}?$filter=joinWebUrl%20eq%20{literal}&$orderby=joinWebUrl"),
            &["organizer_v2"],
        ),
        (format!("{RECORDS}?$filter=contains(joinWebUrl,{literal})"), &["organizer_v2"]),
        (format!("{RECORDS}{path}/callvault.versions()"), &["joinWebUrl"]),
        (format!("{RECORDS}{path}/callvault.versions()?$filter=version%20ge%201"), &["joinWebUrl"]),
        (
            format!("{RECORDS}?$compute=concat(id,joinWebUrl)%20as%20c&$select=id,c,joinWebUrl"),
            &["joinWebUrl"],
        ),
        (format!("{RECORDS}?$apply=groupby((joinWebUrl))"), &["joinWebUrl"]),
        (
            format!("{RECORDS}?$apply=groupby((joinWebUrl,version),aggregate($count%20as%20n))"),
            &["joinWebUrl"],
        ),
        (format!("{RECORDS}?$apply=filter(id%20eq%20{literal})"), &["joinWebUrl"]),
    ];
    for accept in FORMS {
        for (target, place) in items {
            let body = reading.body(target, accept);
            let body = parsed(target, &body);
            let item = first(&body, &["value", "0"]).and_then(|item| first(item, place));
            reading.says(target, item, first(&record, place));
        }
        for rows in ["sessions", "segments", "streams"] {
            let target = format!("{RECORDS}/callvault.{rows}()");
            let body = reading.body(&target, accept);
            let body = parsed(&target, &body);
            let row = first(&body, &["value", "0"]);
            reading.says(&target, row.and_then(|row| row.get("callRecordId")), record.get("id"));
        }
        for target in [
            format!("{RECORDS}/$ref"),
            format!("{RECORDS}{path}/$ref"),
            format!("{RECORDS}{path}/sessions/$ref"),
            format!("{RECORDS}{path}/participants_v2/$ref"),
            format!("{RECORDS}{path}?$expand=sessions/$ref,participants_v2/$ref"),
            format!("{RECORDS}/callvault.sessions()?$expand=segments"),
        ] {
            reading.body(&target, accept);
        }
    }
    for target in [format!("{RECORDS}/$count"), format!("{RECORDS}{path}/sessions/$count")] {
        let count = reading.client.get(&target);
        assert_eq!(count.text(), "1", "{target}");
    }
}

fn others(reading: &mut Reading, text: &str, record: &str) {
    let record = parsed("record", record);
    let path = key::in_path(text);
    let request =
        |id: &str, url: &str| json!({"id": id, "method": "GET", "url": url, "headers": {"x": "y"}});
    let batch = json!({"requests": [
        request(text, &format!("/communications/callRecords{path}")),
        request("list", "/communications/callRecords?$select=id,joinWebUrl"),
        request("none", &format!("/communications/callRecords{}", key::in_path(&format!("{text}-")))),
    ]});
    let answer = reading.client.post("/v1.0/$batch", batch.to_string().as_bytes());
    let body = reading.checked("$batch", &answer);
    let body = parsed("$batch", &body);
    let answers = body.get("responses").and_then(Node::as_array).unwrap_or_default();
    reading.says("$batch", answers[0].get("id"), record.get("id"));
    let kept = answers[0].get("body").and_then(|body| body.get("joinWebUrl"));
    reading.says("$batch", kept, record.get("joinWebUrl"));

    let query = [("Content-Type", "text/plain")];
    let target = format!("{RECORDS}/$query");
    let answer = reading.client.send("POST", &target, &query, b"$select=id,joinWebUrl");
    let body = reading.checked(&target, &answer);
    let item = parsed(&target, &body);
    reading.says(&target, first(&item, &["value", "0", "joinWebUrl"]), record.get("joinWebUrl"));

    // Errors are JSON too, and quote the input.
    for (method, target, body) in [
        (
            "GET",
            format!("{RECORDS}/{}", key::in_path(&format!("{text}-")).trim_start_matches('/')),
            String::new(),
        ),
        ("GET", format!("{RECORDS}?$filter={}", odata::percent::encode_query(text)), String::new()),
        (
            "GET",
            format!("{RECORDS}?$search=%22{}%22", odata::percent::encode_query(text)),
            String::new(),
        ),
        ("PUT", format!("{RECORDS}/other-id"), Json::of(&record).as_str().to_owned()),
        ("POST", RECORDS.to_owned(), Json::of(&record).as_str().replace("groupCall", "peerToPeer")),
    ] {
        let json = [("Content-Type", "application/json")];
        let answer = reading.client.send(method, &target, &json, body.as_bytes()).text();
        parsed(&target, &answer);
    }
}

#[test]
fn pages_of_a_hostile_record_can_be_followed_to_their_end() {
    for text in ["a\",\"evil\":\"x", "it's/%2F", ".."] {
        let (_callvault, _server, mut reading, _) = kept(text, 130);
        let path = key::in_path(text);
        for target in [
            format!("{RECORDS}{path}?$expand=sessions"),
            format!("{RECORDS}{path}?$expand=sessions($expand=segments)"),
            format!("{RECORDS}{path}/sessions?$expand=segments"),
            format!("{RECORDS}?$expand=sessions($select=id)"),
            format!("{RECORDS}/callvault.sessions()?$select=id,callRecordId"),
        ] {
            let mut next = Some(target.clone());
            let mut pages = 0;
            while let Some(target) = next {
                let body = reading.body(&target, FORMS[0]);
                let body = parsed(&target, &body);
                let mut found = Vec::new();
                links(&body, &reading.root, &mut found);
                next = found.into_iter().find(|link| link.contains("$skiptoken"));
                pages += 1;
            }
            assert_eq!(pages, 3, "{text:?}: {target}");
        }
        assert!(reading.faults.is_empty(), "{text:?}: {:#?}", reading.faults);
    }
}

#[test]
fn names_that_are_written_with_escapes_are_no_others() {
    let callvault = callvault();
    let token = callvault.token(TENANT, &[READ, WRITE]);
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&token);
    let record = r#"{"\u0069d":"x-1","\u0076ersion":3,"\u0040odata.context":"evil","sessions\u0040odata.nextLink":"evil","@\u006fdata.id":"evil","\u0040error":{"code":"evil"},"startDateTime":"2026-03-01T10:00:00Z","endDateTime":"2026-03-01T10:10:00Z","own":1,"sessions":[]}"#;
    let answer = client.post(RECORDS, record.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    for target in [
        format!("{RECORDS}/x-1?$expand=sessions"),
        format!("{RECORDS}/x-1?$select=id,version"),
        format!("{RECORDS}/x-1?$compute=concat(id,id)%20as%20own"),
        format!("{RECORDS}?$compute=concat(id,id)%20as%20own"),
        format!("{RECORDS}?$expand=sessions&$compute=concat(id,id)%20as%20own"),
    ] {
        let text = client.get(&target).text();
        let body = parsed(&target, &text);
        let item = first(&body, &["value", "0"]).unwrap_or(&body);
        assert!(!text.contains("evil"), "{target}: {text}");
        assert_eq!(item.get("id").unwrap().as_text().unwrap().value(), "x-1", "{text}");
        if target.contains("$compute") {
            assert_eq!(item.get("own").unwrap().as_text().unwrap().value(), "x-1x-1", "{text}");
        } else {
            assert_eq!(*item.get("version").unwrap(), Node::Number("3".into()), "{text}");
        }
    }
}

#[test]
fn notifications_name_a_record_by_an_address_that_leads_to_it() {
    let callvault = callvault();
    let config = callvault.folder().join("callvault.toml");
    let settings =
        "[notifications]\nallow_insecure_urls = true\nallow_networks = [\"127.0.0.0/8\"]\n";
    std::fs::write(&config, settings).unwrap();
    let token = callvault.token(TENANT, &[READ, WRITE]);
    let server = callvault.serve(&["--config", config.to_str().unwrap()]);
    let mut client = server.client().bearer(&token);
    let receiver = Receiver::new();
    let in_an_hour = std::time::SystemTime::now() + std::time::Duration::from_hours(1);
    let in_an_hour = in_an_hour.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let expires = odata::primitive::DateTimeOffset::from_unix_seconds(in_an_hour.cast_signed());
    let wish = json!({
        "changeType": "created", "notificationUrl": receiver.url("/hook"),
        "resource": "/communications/callRecords", "expirationDateTime": expires.to_string(),
        "clientState": "a\",\"evil\":\"x\u{202e}",
    });
    let answer = client.post("/v1.0/subscriptions", wish.to_string().as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    for text in HOSTILE {
        let answer = client.post(RECORDS, record(text, 1).as_bytes());
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let items =
        || receiver.messages().iter().flat_map(testkit::Received::items).collect::<Vec<_>>();
    until("all notifications", || items().len() == HOSTILE.len());
    for (item, text) in items().iter().zip(HOSTILE) {
        assert_eq!(item["resourceData"]["id"], *text);
        let resource = item["resource"].as_str().unwrap();
        let found = client.get(&format!("/v1.0/{resource}")).text();
        assert_eq!(parsed(resource, &found).get("id").unwrap().as_text().unwrap().value(), *text);
    }
}

#[test]
fn commands_print_what_came_in() {
    let texts = HOSTILE.iter().filter(|text| !text.contains('\0'));
    let callvault = callvault();
    let records: Vec<String> = texts.clone().map(|text| record(text, 1)).collect();
    let import = ["import", "--tenant", TENANT, "-"];
    let ended = callvault.run_with_input(&import, records.join("\n").as_bytes());
    assert!(ended.status.success(), "{}", ended.stderr);
    for (text, record) in texts.zip(&records) {
        let get = ["get", "--expand", "participants_v2", "--expand", "segments", "--", text];
        let printed = callvault.succeed(&get);
        let difference = difference(&parsed(text, &printed), &parsed(text, record));
        assert_eq!(difference, None, "{text:?}");
    }
    for list in [
        &["list"][..],
        &["list", "--select", "id,joinWebUrl"],
        &["list", "--select", "id,joinWebUrl", "--output", "json"],
        &["list", "--of", "streams", "--select", "callRecordId,mediaLabel"],
    ] {
        let printed = callvault.succeed(list);
        let is_whole = list.contains(&"json");
        let lines: Vec<&str> =
            if is_whole { vec![&printed] } else { printed.split_terminator('\n').collect() };
        let count = match parsed("a line", lines[0]) {
            Node::Array(items) => items.len(),
            _ => lines.iter().inspect(|line| drop(parsed("a line", line))).count(),
        };
        assert_eq!(count, records.len(), "{list:?}");
    }
}
