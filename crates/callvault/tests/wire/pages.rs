//! Pages for people: signing in, who sees what, and that pages show what the API answers.

use odata::percent::encode_query;
use serde_json::{Value, json};

use super::quality::{call, keep};
use super::{READ, RECORDS, TENANT, served, served_with};
use testkit::{Answer, Callvault, Client, Server};

const OTHER_TENANT: &str = "22222222-3333-4444-8555-666666666666";
const PLAIN: &str = "callvault-local=";

/// A client that is signed in by a link.
fn signed_in(callvault: &Callvault, server: &Server) -> (Client, String) {
    let mut client = server.client();
    let answer = sign_in(&mut client, &code(callvault));
    assert_eq!(answer.status, 303, "{}", answer.text());
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    (client, cookie)
}

/// The code of a new link.
fn code(callvault: &Callvault) -> String {
    let link = callvault.succeed(&["ui", "link", "--tenant", TENANT, "--name", "Ada"]);
    link.trim().split_once("/ui/sign-in#").unwrap().1.to_owned()
}

fn sign_in(client: &mut Client, code: &str) -> Answer {
    let headers =
        [("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/x-www-form-urlencoded")];
    client.send("POST", "/ui/sign-in", &headers, format!("code={code}").as_bytes())
}

fn page(client: &mut Client, cookie: &str, target: &str) -> Answer {
    client.get_with(target, &[("Cookie", cookie)])
}

fn at(rest: &str) -> String {
    format!("/ui/{TENANT}{rest}")
}

/// Good and poor audio.
fn streams() -> [(Option<&'static str>, &'static str); 2] {
    [
        (
            Some("main-audio"),
            r#"{"streamId":"1","packetUtilization":1200,"averagePacketLossRate":0.13,"averageJitter":"PT0.01S","averageRoundTripTime":"PT0.05S"}"#,
        ),
        (
            Some("main-audio"),
            r#"{"streamId":"2","packetUtilization":1200,"averagePacketLossRate":0.01,"averageJitter":"PT0.01S","averageRoundTripTime":"PT0.05S"}"#,
        ),
    ]
}

#[test]
fn a_link_opens_the_pages_once_and_the_cookie_opens_nothing_else() {
    let (callvault, server, mut api) = served();
    keep(&mut api, &call("a", &streams()));
    let mut client = server.client();
    let start = client.get_with("/", &[("Accept", "text/html")]);
    assert_eq!((start.status, start.header("location")), (303, Some("/ui/")));
    let asked = client.get("/ui/");
    assert_eq!(asked.status, 200);
    assert!(asked.text().contains("callvault ui link"), "{}", asked.text());
    let code = code(&callvault);
    let first = sign_in(&mut client, &code);
    assert_eq!(first.header("location"), Some(at("/").as_str()));
    let line = first.header("set-cookie").unwrap().to_owned();
    assert!(line.contains("; Path=/; HttpOnly; SameSite=Lax"), "{line}");
    let again = sign_in(&mut client, &code);
    assert_eq!(again.status, 403);
    assert!(again.text().contains("This link opens nothing"), "{}", again.text());
    let cut = sign_in(&mut client, "http://127.0.0.1:8080/ui/sign-in");
    assert!(cut.text().contains("The part behind # is missing"), "{}", cut.text());
    let other = sign_in(&mut client, "hello");
    assert!(other.text().contains("a code has 43 characters, and this 5"), "{}", other.text());
    assert_eq!(again.header("set-cookie"), None);

    let cookie = line.split(';').next().unwrap().to_owned();
    assert_eq!(page(&mut client, &cookie, &at("/")).status, 200);
    assert_eq!(page(&mut client, &cookie, RECORDS).status, 401, "the API knows no cookies");
    let token = callvault.token(TENANT, &[READ]);
    let bearer = format!("Bearer {token}");
    let asked = client.get_with(&at("/calls"), &[("Authorization", &bearer)]);
    assert!(asked.text().contains("Sign in"), "pages know no tokens");
    assert!(!asked.text().contains("<table>"));

    let sessions = callvault.succeed(&["ui", "sessions"]);
    let session: Value = serde_json::from_str(sessions.trim()).unwrap();
    assert_eq!((&session["name"], &session["tenant"]), (&json!("Ada"), &json!(TENANT)));
    callvault.succeed(&["ui", "sign-out", session["session"].as_str().unwrap()]);
    let over = page(&mut client, &cookie, &at("/"));
    assert!(over.text().contains("Your session is over"), "{}", over.text());
}

#[test]
fn signing_in_leads_to_the_page_that_was_asked_for_and_nowhere_else() {
    let (callvault, server, _api) = served();
    let mut client = server.client();
    let wanted = at("/calls?verdict=poor");
    let asked = client.get(&wanted).text();
    assert!(asked.contains(&format!("name=\"to\" value=\"{wanted}\"")), "{asked}");
    let headers = [("Sec-Fetch-Site", "same-origin")];
    let whole = format!("http://{}/ui/sign-in#{}", server.address, code(&callvault));
    let body = format!("code={}", encode_query(&format!(" {whole}\n")));
    let answer = client.send("POST", "/ui/sign-in", &headers, body.as_bytes());
    assert_eq!(answer.header("location"), Some(at("/").as_str()), "the whole link");
    for (to, expected) in [
        (wanted.as_str(), wanted.as_str()),
        ("https://evil.example/", &at("/")),
        ("//evil.example/", &at("/")),
        ("/v1.0/", &at("/")),
        ("", &at("/")),
    ] {
        let body = format!("to={}&code={}", encode_query(to), code(&callvault));
        let answer = client.send("POST", "/ui/sign-in", &headers, body.as_bytes());
        assert_eq!(answer.header("location"), Some(expected), "{to}");
    }
}

#[test]
fn forms_of_other_pages_and_other_sessions_do_nothing() {
    let (callvault, server, _api) = served();
    let (mut client, cookie) = signed_in(&callvault, &server);
    let body = format!("code={}", code(&callvault));
    for headers in [
        &[][..],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Origin", "https://evil.example")],
        &[("Sec-Fetch-Site", "same-site")],
    ] {
        let answer = client.send("POST", "/ui/sign-in", headers, body.as_bytes());
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    let sign_out = |client: &mut Client, site: &str, token: &str| {
        let headers = [("Cookie", cookie.as_str()), ("Sec-Fetch-Site", site)];
        client.send("POST", "/ui/sign-out", &headers, format!("token={token}").as_bytes()).status
    };
    let text = page(&mut client, &cookie, &at("/")).text();
    let (_, rest) = text.split_once("name=\"token\" value=\"").unwrap();
    let token = rest.split('"').next().unwrap().to_owned();
    assert_eq!(sign_out(&mut client, "cross-site", &token), 403);
    assert_eq!(sign_out(&mut client, "same-origin", "x"), 403);
    assert_eq!(page(&mut client, &cookie, &at("/")).status, 200, "still signed in");
    assert_eq!(sign_out(&mut client, "same-origin", &token), 303);
    assert!(page(&mut client, &cookie, &at("/")).text().contains("Your session is over"));
    let get = client.get_with("/ui/sign-out", &[("Cookie", cookie.as_str())]);
    assert_eq!(get.status, 405);
}

#[test]
fn nobody_sees_another_tenant_and_every_view_is_in_the_access_log() {
    let (callvault, server, mut api) = served();
    keep(&mut api, &call("a", &streams()));
    let token = callvault.token(OTHER_TENANT, &[READ, super::WRITE]);
    let mut other = server.client().bearer(&token);
    keep(&mut other, &call("theirs", &streams()));
    let (mut client, cookie) = signed_in(&callvault, &server);
    for rest in ["/", "/calls", "/calls/theirs", "/calls/theirs.json"] {
        let answer = page(&mut client, &cookie, &format!("/ui/{OTHER_TENANT}{rest}"));
        assert_eq!(answer.status, 404, "{rest}");
        assert!(!answer.text().contains("theirs"), "{rest}");
    }
    assert_eq!(page(&mut client, &cookie, &at("/calls/theirs")).status, 404);
    assert_eq!(page(&mut client, &cookie, &at("/calls/a")).status, 200);
    assert_eq!(page(&mut client, &cookie, &at("/calls/a.json")).status, 200);
    assert_eq!(page(&mut client, &cookie, &at("/calls?verdict=poor")).status, 200);
    let log = callvault.succeed(&["access-log"]);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|it| (&it["page"], &it["call"], &it["calls"])).collect();
    let (one, none) = (json!("call"), Value::Null);
    let (a, calls, count) = (json!("a"), json!("calls"), json!(1));
    assert_eq!(told, [(&one, &a, &none), (&one, &a, &none), (&calls, &none, &count)]);
    assert!(lines.iter().all(|line| line["name"] == "Ada" && line["tenant"] == TENANT));
}

#[test]
fn pages_show_what_the_api_answers() {
    let (callvault, server, mut api) = served();
    for number in 0..70 {
        let some = streams();
        let some = if number % 7 == 0 { &some[..] } else { &some[1..] };
        keep(&mut api, &call(&format!("c{number}"), some));
    }
    let (mut client, cookie) = signed_in(&callvault, &server);
    let overview = page(&mut client, &cookie, &at("/?from=2025-05-18&to=2025-05-18")).text();
    assert!(overview.contains("<span class=\"value\">70</span>"), "{overview}");
    // 10 of 80 streams.
    assert!(overview.contains("12.5\u{202f}%"), "{overview}");
    assert!(overview.contains("10 of 80"), "{overview}");
    // The requests that it names give these figures.
    let (_, rest) = overview.split_once("/v1.0/communications/callRecords/$count?").unwrap();
    let query = rest.split('\'').next().unwrap().replace("&amp;", "&");
    assert_eq!(api.get(&format!("{RECORDS}/$count?{query}")).text(), "70");

    let poor = page(&mut client, &cookie, &at("/calls?verdict=poor")).text();
    assert_eq!(poor.matches("<td><a href=\"/ui/").count(), 10, "{poor}");
    let mut target = at("/calls");
    let mut seen = 0;
    loop {
        let text = page(&mut client, &cookie, &target).text();
        seen += text.matches("<td><a href=\"/ui/").count();
        let Some((_, rest)) = text.split_once("<a rel=\"next\" href=\"") else { break };
        target = rest.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(seen, 70, "all pages together");

    let shown = page(&mut client, &cookie, &at("/calls/c0")).text();
    assert!(
        shown.contains("ben heard anna: 13 % of the packets were lost (poor above 10 %)."),
        "{shown}"
    );
    assert!(shown.contains("streams: 1 good, 1 poor, 0 unclassified"), "{shown}");
    let record = api.get(&format!("{RECORDS}/c0?$expand=sessions($expand=segments)")).json();
    let raw = page(&mut client, &cookie, &at("/calls/c0.json")).json();
    assert_eq!(raw["sessions"][0]["segments"][0]["id"], record["sessions"][0]["segments"][0]["id"]);
    for (target, status) in [
        ("/calls/nothing", 404),
        ("/calls/c0?version=7", 404),
        ("/calls/c0?version=x", 400),
        ("/calls?from=yesterday", 400),
        ("/calls?x=1", 400),
        ("/?from=2025-05-19&to=2025-05-18", 400),
        ("/nowhere", 404),
    ] {
        let answer = page(&mut client, &cookie, &at(target));
        assert_eq!(answer.status, status, "{target}: {}", answer.text());
        let text = answer.text();
        assert!(text.starts_with("<!DOCTYPE html>"), "{target}");
        assert!(text.contains(">Overview</a>"), "{target}: the way on");
        // What was wrong can be corrected where it is told.
        let has_form = target.contains("from=") || target.contains("x=1");
        assert_eq!(text.contains("name=\"from\""), has_form, "{target}");
        assert!(!text.contains("30 days"), "{target}: nothing is hidden here");
    }
}

#[test]
fn times_are_utc_and_what_a_record_does_not_say_is_not_made_up() {
    let (callvault, server, mut api) = served();
    let mut record = call("o", &streams());
    record["startDateTime"] = json!("2025-05-18T20:22:00+02:00");
    record["endDateTime"] = json!("2025-05-18T20:32:00+02:00");
    for name in ["startDateTime", "endDateTime"] {
        record["sessions"][0].as_object_mut().unwrap().remove(name);
    }
    keep(&mut api, &record);
    let (mut client, cookie) = signed_in(&callvault, &server);
    let shown = page(&mut client, &cookie, &at("/calls/o")).text();
    assert!(shown.contains("<dd>2025-05-18T18:22:00Z</dd>"), "{shown}");
    assert!(!shown.contains("+02:00"), "{shown}");
    assert!(shown.contains("<td class=\"number\">–</td>"), "{shown}");
    let list = page(&mut client, &cookie, &at("/calls")).text();
    assert!(list.contains(">2025-05-18 18:22:00<"), "{list}");
}

#[test]
fn strangers_text_stays_text_and_nothing_foreign_is_loaded() {
    let (callvault, server, mut api) = served();
    let hostile = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "javascript:alert(1)",
        "</title><svg onload=alert(1)>",
        "\u{202e}txt.exe",
        "{{7*7}}",
    ];
    let mut record = call("h", &streams());
    record["organizer_v2"] =
        json!({"id": "o", "identity": {"user": {"id": "o", "displayName": hostile[0]}}});
    record["joinWebUrl"] = json!(hostile[3]);
    for (at, session) in record["sessions"].as_array_mut().unwrap().iter_mut().enumerate() {
        session["failureInfo"] = json!({"stage": "midcall", "reason": hostile[4 + at]});
        let caller = &mut session["segments"][0]["caller"];
        caller["name"] = json!(hostile[1]);
        caller["identity"]["user"]["displayName"] = json!(hostile[2]);
        let media = &mut session["segments"][0]["media"][0];
        media["callerDevice"] = json!({"captureDeviceName": hostile[1]});
        media["callerNetwork"] = json!({"subnet": hostile[0]});
    }
    keep(&mut api, &record);
    let (mut client, cookie) = signed_in(&callvault, &server);
    let query = encode_query(&format!("q={}", hostile[1]));
    for target in ["/", "/calls", "/calls/h", &format!("/calls?{query}"), "/calls/%3Cscript%3E"] {
        let answer = page(&mut client, &cookie, &at(target));
        let text = answer.text();
        for element in ["<script>", "<img", "<svg onload", "\u{202e}"] {
            assert!(!text.contains(element), "{target}: {element}: {text}");
        }
        assert!(!text.contains(" style="), "{target}");
        assert!(!text.contains("href=\"javascript:"), "{target}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    }
    let shown = page(&mut client, &cookie, &at("/calls/h")).text();
    assert!(shown.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{shown}");
    // Attributes stand in double quotes, which no text has as they are.
    assert!(shown.contains("&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"), "{shown}");
    // A control: what is looked for would be found.
    assert!(record.to_string().contains("<script>"));
}

#[test]
fn files_are_kept_for_good_and_where_pages_are_off_there_are_none() {
    let (_callvault, server, _api) = served();
    let mut client = server.client();
    let text = client.get("/ui/").text();
    for start in ["href=\"/ui/a/", "src=\"/ui/a/"] {
        let (_, rest) = text.split_once(start).unwrap();
        let name = rest.split('"').next().unwrap();
        let file = client.get(&format!("/ui/a/{name}"));
        assert_eq!(file.status, 200, "{name}");
        assert!(file.header("cache-control").unwrap().contains("immutable"), "{name}");
    }
    assert_eq!(client.get("/ui/a/x.css").status, 404);
    assert_eq!(client.get("/ui/a/../../v1.0").status, 404);

    let (_callvault, server, _api) = served_with("[ui]\nenabled = \"off\"\n");
    let mut client = server.client();
    for target in ["/ui", "/ui/", "/ui/sign-in", at("/calls").as_str()] {
        let answer = client.get_with(target, &[("Cookie", PLAIN)]);
        assert_eq!(answer.status, 404, "{target}");
        assert!(answer.text().contains("\"error\""), "{target}: Graph's error");
    }
    let start = client.get_with("/", &[("Accept", "text/html")]);
    assert_eq!(start.status, 200, "the page of a server without pages");
}
