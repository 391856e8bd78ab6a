//! Maps of places over HTTP: they come in, are listed, read and deleted, by administrators of their tenant.

use serde_json::{Value, json};
use testkit::{Answer, Callvault, Client, OTHER_TENANT, Server, TENANT};

use super::erasing::ADMIN;
use super::{READ, RECORDS, WRITE, callvault, served_with};

const PLACES: &str = "/callvault/places";
const CSV: [(&str, &str); 1] = [("Content-Type", "text/csv")];
const OFFICE: &str = "10.1.2.0,USA/Seattle/ONE,24,Building One,Contoso,Office,Engineering,Seattle,98001,US,WA,MSUS,1,0,0\n";
const VPN: &str = "172.16.18.0,VPN,24,VPN,Contoso,,,,,,,,1,0,1\n";

fn admin(callvault: &Callvault, server: &Server, tenant: &str) -> Client {
    server.client().bearer(&callvault.token(tenant, &[ADMIN, READ, WRITE]))
}

fn put(client: &mut Client, options: &str, file: &str) -> Answer {
    client.send("POST", &format!("{PLACES}?{options}"), &CSV, file.as_bytes())
}

fn listed(client: &mut Client) -> Vec<Value> {
    client.get(PLACES).json()["value"].as_array().unwrap().clone()
}

#[test]
fn a_map_comes_in_by_versions_and_goes() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = admin(&callvault, &server, TENANT);
    assert!(listed(&mut client).is_empty());
    let made = put(&mut client, "name=offices&from=2026-01-01&to=2026-12-31", OFFICE);
    assert_eq!(made.status, 201, "{}", made.text());
    let expected = json!({
        "outcome": "created", "name": "offices", "version": 1, "kind": "building", "rows": 1,
        "noteCount": 0, "notes": [], "effect": null,
    });
    assert_eq!(made.json(), expected);
    let outcome = |answer: Answer| {
        let body = answer.json();
        (answer.status, body["outcome"].as_str().unwrap().to_owned(), body["version"].clone())
    };
    let again = put(&mut client, "name=offices", OFFICE);
    assert_eq!(outcome(again), (200, "unchanged".to_owned(), json!(1)));
    let longer = put(&mut client, "name=offices&from=2026-01-01", OFFICE);
    assert_eq!(outcome(longer), (200, "changed".to_owned(), json!(1)));
    let both = format!("{OFFICE}{VPN}");
    let next = put(&mut client, "name=offices&from=2027-01-01T08:00:00Z", &both);
    assert_eq!(outcome(next), (201, "created".to_owned(), json!(2)));
    let rows = listed(&mut client);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["validFrom"], "2026-01-01T00:00:00Z");
    assert_eq!((&rows[0]["validTo"], &rows[1]["rows"]), (&Value::Null, &json!(2)));
    assert_eq!(rows[1]["validFrom"], "2027-01-01T08:00:00Z");
    assert_eq!(rows[1]["contentHash"].as_str().unwrap().len(), 64);
    assert_eq!(client.get(&format!("{PLACES}/offices")).text(), both);
    let first = client.get(&format!("{PLACES}/offices/1"));
    assert_eq!(first.text(), OFFICE);
    assert_eq!(first.header("content-type"), Some("text/plain; charset=utf-8"));
    let mut delete =
        |path: &str| client.send("DELETE", &format!("{PLACES}{path}"), &[], b"").status;
    assert_eq!([delete("/offices/2"), delete("/offices/2"), delete("/offices/9")], [204, 404, 404]);
    assert_eq!([delete("/offices"), delete("/offices"), delete("")], [204, 404, 405]);
    assert!(listed(&mut client).is_empty());
    assert!(callvault.succeed(&["doctor"]).starts_with("sound\n"));
}

#[test]
fn a_version_never_changes_its_content_nor_a_map_its_kind() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = admin(&callvault, &server, TENANT);
    assert_eq!(put(&mut client, "name=offices&version=7", OFFICE).status, 201);
    let refused = put(&mut client, "name=offices&version=7", VPN);
    assert_eq!((refused.status, refused.code()), (409, "Conflict".to_owned()));
    assert!(refused.text().contains("Version 7 of the map 'offices' is there with other content"));
    let refused = put(&mut client, "name=offices", "PC-1,Fabrikam,Model 1,Laptop,a,b,c\n");
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("is of another kind than endpoint"), "{}", refused.text());
    let tried = put(&mut client, "name=offices&version=7&dryRun=true", VPN);
    assert_eq!(tried.status, 409, "a trial says so too");
    assert_eq!(listed(&mut client).len(), 1);
    assert_eq!(client.get(&format!("{PLACES}/offices")).text(), OFFICE);
}

/// A broken file, or the broken line of one: the place, the name and the words of its fault.
type Broken = (&'static str, &'static str, &'static str, &'static str);

/// Lines of building files, behind a good one.
const BROKEN_LINES: [Broken; 9] = [
    (
        "10.1.256.0,n,24,B,,,,,,,,,1,0,0",
        "2/NetworkIP",
        "notAnAddress",
        "line 2, column 1 (NetworkIP): \"10.1.256.0\" is no IP address",
    ),
    (
        "10.1.4.0,n,33,B,,,,,,,,,1,0,0",
        "2/NetworkRange",
        "notANumber",
        "line 2, column 3 (NetworkRange): \"33\" is no whole number from 8 to 32",
    ),
    (
        "10.1.4.9,n,24,B,,,,,,,,,1,0,0",
        "2/NetworkIP",
        "notTheFirstAddress",
        "line 2, column 1 (NetworkIP): \"10.1.4.9\" is not the first address of its network, which is 10.1.4.0",
    ),
    (
        "10.1.4.0,n,24,B,,,,,,,,,yes,0,0",
        "2/InsideCorp",
        "notABit",
        "line 2, column 13 (InsideCorp): \"yes\" is neither 0 nor 1",
    ),
    (
        "10.1.4.0,n,24,B,,,,,,,,,1,,0",
        "2/ExpressRoute",
        "missing",
        "line 2, column 14 (ExpressRoute): \"\" is empty, and must not be",
    ),
    (
        "10.1.4.0,n,24,B,,,,,,,,,1,0",
        "2",
        "columnCount",
        "line 2: the line has 14 columns, and the file 15",
    ),
    (
        "10.1.2.0,n,24,B,,,,,,,,,1,0,0",
        "2/NetworkIP",
        "duplicate",
        "line 2, column 1 (NetworkIP): \"10.1.2.0\" stands with the same range in line 1 already",
    ),
    (
        "10.1.4.0,\"n,24,B",
        "2/NetworkName",
        "quoteNotClosed",
        "line 2, column 2 (NetworkName): \"n,24,B\" begins with a quotation mark that is not closed on its line",
    ),
    (
        "10.0.0.0,VPN,8,VPN,,,,,,,,,1,0,1",
        "2",
        "tooManyRows",
        "line 2: the file has more than 1000000 rows; a VPN row counts once for each of its addresses",
    ),
];

const BROKEN_FILES: [Broken; 3] = [
    (
        "PC-1,,,,,,\nPC-2,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,,,,,\n",
        "2/EndpointMake",
        "tooLong",
        "line 2, column 2 (EndpointMake): \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" is longer than 64 characters",
    ),
    (
        "00:00:5e:00:53,one,B,1\n",
        "1/BSSID",
        "notABssid",
        "line 1, column 1 (BSSID): \"00:00:5e:00:53\" is no BSSID, which is 12 hexadecimal digits as in 00:00:5e:00:53:01",
    ),
    (
        "192.0.2.0\t192.0.2.9\t1\tUS\tA\n192.0.2.9\t192.0.2.99\t2\tUS\tB\n",
        "2/RangeStart",
        "overlap",
        "line 2, column 1 (RangeStart): \"192.0.2.9\" begins a range that overlaps the one of line 1",
    ),
];

#[test]
fn twelve_broken_files_are_told_by_line_column_value_and_rule_and_nothing_is_kept() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = admin(&callvault, &server, TENANT);
    let lines = BROKEN_LINES.iter().map(|broken| (format!("{OFFICE}{}\n", broken.0), broken));
    let files = BROKEN_FILES.iter().map(|broken| (broken.0.to_owned(), broken));
    for (file, (_, target, code, message)) in lines.chain(files) {
        let refused = put(&mut client, "name=broken", &file);
        assert_eq!((refused.status, refused.code()), (400, "BadRequest".to_owned()), "{message}");
        let error = refused.json()["error"].clone();
        assert_eq!(error["message"], "The file has 1 fault. Nothing was imported.");
        let detail = json!({"code": code, "message": message, "target": target});
        assert_eq!(error["details"], json!([detail]));
    }
    // As curl's -d sends a file.
    let refused = put(&mut client, "name=broken", &OFFICE.trim_end().repeat(3)).json();
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.ends_with("curl sends a file as it is with --data-binary."), "{message}");
    let detail = refused["error"]["details"][0]["message"].as_str().unwrap();
    assert!(detail.contains("; it begins \"10.1.2.0,"), "{detail}");
    assert!(listed(&mut client).is_empty());
}

#[test]
fn only_administrators_reach_the_maps_and_only_those_of_their_tenant() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = admin(&callvault, &server, TENANT);
    assert_eq!(put(&mut client, "name=offices", OFFICE).status, 201);
    let requests = [("GET", ""), ("POST", "?name=x"), ("GET", "/offices"), ("DELETE", "/offices")];
    let mut reader = server.client().bearer(&callvault.token(TENANT, &[READ, WRITE]));
    for (method, below) in requests {
        let target = format!("{PLACES}{below}");
        assert_eq!(server.client().send(method, &target, &CSV, b"x").status, 401, "{method}");
        let refused = reader.send(method, &target, &CSV, b"x");
        assert_eq!(refused.status, 403, "{method}");
        assert!(refused.text().contains(ADMIN), "{}", refused.text());
    }
    let mut other = admin(&callvault, &server, OTHER_TENANT);
    assert!(listed(&mut other).is_empty());
    assert_eq!(other.get(&format!("{PLACES}/offices")).status, 404);
    assert_eq!(other.send("DELETE", &format!("{PLACES}/offices"), &[], b"").status, 404);
    assert_eq!(listed(&mut client).len(), 1);
}

#[test]
fn requests_that_say_something_else_are_refused_where_they_do() {
    let (callvault, server, _) = served_with("[server]\ncors_origins = [\"*\"]\n");
    let mut client = admin(&callvault, &server, TENANT);
    for (options, target) in [
        ("", "name"),
        ("name=a%2Fb", "name"),
        ("name=a&version=0", "version"),
        ("name=a&kind=room", "kind"),
        ("name=a&from=2026-02-30", "from"),
        ("name=a&from=2026-02-02&to=2026-02-01", "to"),
        ("name=a&dryrun=true", "dryrun"),
    ] {
        let refused = put(&mut client, options, OFFICE);
        assert_eq!(refused.status, 400, "{options}");
        assert_eq!(refused.json()["error"]["target"], target, "{options}");
    }
    let json = client.post(&format!("{PLACES}?name=a"), b"{}");
    assert_eq!(json.status, 415);
    let refused = client.send("PUT", &format!("{PLACES}/a"), &CSV, b"x");
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD, DELETE")));
    for path in ["/a/x", "/a/1/b", "/.a", "x"] {
        assert_eq!(client.get(&format!("{PLACES}{path}")).status, 404, "{path}");
    }
    let origin = [("Origin", "https://app.contoso.com")];
    let answer = client.get_with(PLACES, &origin);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
    let kind = put(&mut client, "name=a&kind=endpoint", OFFICE);
    assert!(kind.text().contains("an endpoint file has 7, or 6 without EndpointMake"));
}

/// A record with one stream for each pair of a caller's subnet and address.
fn record(id: &str, day: u32, ends: &[(&str, &str)]) -> String {
    let times = json!({
        "startDateTime": format!("2026-11-{day:02}T08:00:00Z"),
        "endDateTime": format!("2026-11-{day:02}T09:00:00Z"),
    });
    let media: Vec<Value> = ends
        .iter()
        .map(|(subnet, address)| {
            json!({
                "label": "main-audio",
                "callerNetwork": {"subnet": subnet, "ipAddress": address},
                "streams": [{"streamId": "1", "streamDirection": "callerToCallee"}],
            })
        })
        .collect();
    let with_times = |mut value: Value| {
        let members = value.as_object_mut().unwrap();
        members.extend(times.as_object().unwrap().clone());
        value
    };
    let segment = with_times(json!({"id": "g", "media": media}));
    let session = with_times(json!({"id": "s", "modalities": ["audio"], "segments": [segment]}));
    let record = json!({"id": id, "version": 1, "type": "peerToPeer", "modalities": ["audio"], "sessions": [session]});
    with_times(record).to_string()
}

#[test]
fn a_trial_counts_the_networks_of_stored_calls_and_keeps_nothing() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = admin(&callvault, &server, TENANT);
    let trial = |client: &mut Client, file: &str, more: &str| {
        let answer = put(client, &format!("name=offices&dryRun=true{more}"), file);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let nothing = trial(&mut client, OFFICE, "");
    assert_eq!(nothing["effect"]["keys"], 0);
    let office = ("10.1.2.0", "10.1.2.7");
    let home = ("192.168.1.0", "192.168.1.2");
    let vpn = ("192.168.1.0", "172.16.18.9");
    let lone = ("10.9.9.0", "10.9.9.1");
    let ends = [vec![office; 3], vec![home; 12], vec![vpn; 2], vec![lone; 9]].concat();
    assert_eq!(client.post(RECORDS, record("a", 1, &ends).as_bytes()).status, 201);
    assert_eq!(client.post(RECORDS, record("b", 20, &[office, lone]).as_bytes()).status, 201);
    let told = trial(&mut client, OFFICE, "");
    assert_eq!((&told["outcome"], &told["version"]), (&json!("created"), &json!(1)));
    let expected = json!({
        "keys": 3, "keysKnown": 1, "busyKeysMissing": 2,
        "streamEnds": 28, "streamEndsKnown": 4,
        "busiestMissing": [
            {"key": "192.168.1.0", "streamEnds": 14}, {"key": "10.9.9.0", "streamEnds": 10},
        ],
    });
    assert_eq!(told["effect"], expected);
    let told = trial(&mut client, &format!("{OFFICE}{VPN}"), "&from=2026-11-01&to=2026-11-19");
    let expected = json!({
        "keys": 3, "keysKnown": 2, "busyKeysMissing": 1,
        "streamEnds": 26, "streamEndsKnown": 5,
        "busiestMissing": [{"key": "192.168.1.0", "streamEnds": 12}],
    });
    assert_eq!(told["effect"], expected, "of the days for which it holds");
    assert!(listed(&mut client).is_empty());
}

/// A record whose caller has an access point, a public address and the name of an endpoint, in `count` streams.
fn record_with_ends(
    id: &str,
    (bssid, address, endpoint): (&str, &str, &str),
    count: usize,
) -> String {
    let network = json!({"basicServiceSetIdentifier": bssid, "reflexiveIPAddress": address});
    let stream = json!({"streamId": "1", "streamDirection": "callerToCallee"});
    let media = json!({"label": "main-audio", "callerNetwork": network, "streams": [stream]});
    let times = ["2026-11-01T08:00:00Z", "2026-11-01T09:00:00Z"];
    let caller = json!({
        "@odata.type": "#microsoft.graph.callRecords.participantEndpoint", "name": endpoint,
    });
    let segment = json!({
        "id": "g", "startDateTime": times[0], "endDateTime": times[1], "caller": caller,
        "media": vec![media; count],
    });
    let session = json!({
        "id": "s", "startDateTime": times[0], "endDateTime": times[1], "modalities": ["audio"],
        "segments": [segment],
    });
    json!({
        "id": id, "version": 1, "type": "peerToPeer", "modalities": ["audio"],
        "startDateTime": times[0], "endDateTime": times[1], "sessions": [session],
    })
    .to_string()
}

#[test]
fn a_trial_of_any_kind_of_map_tells_what_it_would_know() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let mut client = admin(&callvault, &server, TENANT);
    let known = ("00-11-22-33-44-55", "203.0.113.9", "PC-1");
    let unknown = ("00-11-22-33-44-66", "198.51.100.7", "PC-2");
    for (id, ends, count) in [("a", known, 4), ("b", unknown, 12)] {
        assert_eq!(client.post(RECORDS, record_with_ends(id, ends, count).as_bytes()).status, 201);
    }
    let trials = [
        ("bssid", "00:11:22:33:44:55,AP One,Building One,1\n", "00-11-22-33-44-66"),
        ("asn", "203.0.113.0\t203.0.113.255\t64500\tUS\tContoso Net\n", "198.51.100.7"),
        ("endpoint", "PC-1,Contoso,Book 1,Laptop,,,\n", "PC-2"),
    ];
    for (kind, file, missing) in trials {
        let answer = put(&mut client, &format!("name=more&dryRun=true&kind={kind}"), file);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let expected = json!({
            "keys": 2, "keysKnown": 1, "busyKeysMissing": 1, "streamEnds": 16, "streamEndsKnown": 4,
            "busiestMissing": [{"key": missing, "streamEnds": 12}],
        });
        assert_eq!(answer.json()["effect"], expected, "{kind}");
    }
    assert!(listed(&mut client).is_empty());
}
