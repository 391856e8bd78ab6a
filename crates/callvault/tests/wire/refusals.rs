//! Rejected requests and their errors.

use super::{READ, RECORDS, TENANT, WRITE, callvault, served};

const CHALLENGE: &str = "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"";

#[test]
fn without_a_valid_token_nothing_is_answered() {
    let (callvault, server, _client) = served();
    let token = callvault.token(TENANT, &["CallRecords.Read.All"]);
    let parts: Vec<&str> = token.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let unsigned = format!("{none}.{}.", parts[1]);
    let tampered = format!("{}.{}.{}", parts[0], parts[1], "A".repeat(parts[2].len()));
    for authorization in [
        None,
        Some("Bearer ".to_owned()),
        Some("Basic Zm9vOmJhcg==".to_owned()),
        Some("Bearer nonsense".to_owned()),
        Some(format!("Bearer {unsigned}")),
        Some(format!("Bearer {tampered}")),
    ] {
        let headers: Vec<(&str, &str)> =
            authorization.iter().map(|value| ("Authorization", value.as_str())).collect();
        let answer = server.client().get_with(RECORDS, &headers);
        assert_eq!(answer.status, 401, "{authorization:?}");
        assert_eq!(answer.header("www-authenticate"), Some(CHALLENGE));
        assert_eq!(answer.code(), "InvalidAuthenticationToken");
    }
    let answer = server.client().get(RECORDS).json();
    assert_eq!(answer["error"]["message"], "Access token is empty.");
}

#[test]
fn errors_have_the_shape_of_graph() {
    let (_callvault, _server, mut client) = served();
    let target = format!("{RECORDS}/00000000-0000-4000-8000-000000000000");
    let id = "66666666-aaaa-4bbb-8ccc-000000000006";
    let answer = client.get_with(&target, &[("client-request-id", id)]);
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("client-request-id"), Some(id));
    let error = answer.json()["error"].clone();
    assert_eq!(error["code"], "NotFound");
    assert_eq!(
        error["message"],
        "Could not find the requested call record. Records about calls or online meetings that started more than 30 days ago are not available."
    );
    let inner = &error["innerError"];
    assert_eq!(inner["client-request-id"], id);
    assert_eq!(inner["request-id"].as_str(), answer.header("request-id"));
    assert_eq!(inner["date"].as_str().map(str::len), Some("2021-02-23T13:54:17".len()));
}

#[test]
fn a_token_without_the_role_is_forbidden_and_told_which() {
    let callvault = callvault();
    let token = callvault.token(TENANT, &["CallRecord-PstnCalls.Read.All"]);
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&token);
    for (answer, role) in [
        (client.get(RECORDS), READ),
        (client.post(RECORDS, b"{}"), WRITE),
        (client.get("/v1.0/communications/calls"), READ),
        (client.get(&format!("{RECORDS}/callvault.streams()")), READ),
    ] {
        assert_eq!(answer.status, 403);
        let error = answer.json()["error"].clone();
        let message = format!("The token has no role that this request needs: {role}.");
        assert_eq!(
            (error["code"].as_str(), error["message"].as_str()),
            (Some("Forbidden"), Some(message.as_str()))
        );
    }
    assert_eq!(server.client().get(RECORDS).status, 401);
    let log = server.stop();
    for part in [
        "INFO",
        &format!("its token has no role {WRITE}"),
        "[\"CallRecord-PstnCalls.Read.All\"]",
        "no bearer token",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    // Graph's own message is empty.
    let config = callvault.folder().join("strict.toml");
    std::fs::write(&config, "[graph]\nstrict = 'on'\n").unwrap();
    let server = callvault.serve(&["--config", config.to_str().unwrap()]);
    let answer = server.client().bearer(&token).get(RECORDS);
    assert_eq!((answer.status, &answer.json()["error"]["message"]), (403, &"".into()));
}

#[test]
fn what_is_wrong_is_400_and_what_is_not_built_is_501_and_both_say_what() {
    let (_callvault, _server, mut client) = served();
    for (options, status, word) in [
        ("?$filter=nonsense eq 1", 400, "nonsense"),
        ("?$filter=startDateTime ge", 400, "$filter"),
        ("?$filter=startDateTime ge 'x'", 400, ""),
        ("?$unknown=1", 400, "$unknown"),
        ("?$top=-1", 400, "$top"),
        ("?$top=1&$top=2", 400, "$top"),
        ("?$top=1&top=2", 400, "top"),
        ("?$select=nonsense", 400, "nonsense"),
        ("?$expand=nonsense", 400, "nonsense"),
        ("?$skiptoken=abc", 400, ""),
        ("?filtr=version gt 1", 400, "'$filter'"),
        ("?selct=id", 400, "'$select'"),
        ("?=x", 400, "single quotes"),
        ("?version%20gt%201", 400, "single quotes"),
        ("/$count?fliter=version gt 1", 400, "'$filter'"),
        ("/a?expnad=sessions", 400, "'$expand'"),
        ("/callvault.streams()?=x", 400, "single quotes"),
        ("/getPstnCalls(fromDateTime=2025-01-01,toDateTime=2025-02-01)?filtr=x", 400, "'$filter'"),
        ("/a/nonsense", 400, "nonsense"),
        ("?$filter=$root/communications/callRecords('a')/version eq 1", 501, "$root"),
        ("?$deltatoken=x", 501, "$deltatoken"),
    ] {
        let answer = client.get(&format!("{RECORDS}{}", options.replace(' ', "%20")));
        assert_eq!(answer.status, status, "{options}: {}", answer.text());
        assert!(answer.text().contains(word), "{options}: {}", answer.text());
        let code = if status == 400 { "BadRequest" } else { "notSupported" };
        assert_eq!(answer.code(), code, "{options}");
    }
}

#[test]
fn slips_in_the_names_of_options_are_refused_everywhere_but_where_graph_is_strict() {
    let (callvault, server, mut client) = served();
    let batch =
        br#"{"requests":[{"id":"1","method":"GET","url":"/communications/callRecords?filtr=x"}]}"#;
    let answer = client.post("/v1.0/$batch", batch).json();
    assert_eq!(answer["responses"][0]["status"], 400, "{answer}");
    let text = [("Content-Type", "text/plain")];
    let answer = client.send("POST", &format!("{RECORDS}/$query"), &text, b"filtr=x");
    assert_eq!(answer.status, 400, "{}", answer.text());
    for target in [
        "/v1.0/subscriptions?selct=id",
        "/v1.0/communications/calls?=x",
        "/beta/communications/callRecords?=x",
    ] {
        let answer = client.get(target);
        assert_eq!(answer.status, 400, "{target}: {}", answer.text());
    }
    for target in ["?custom=1", "?api-version=2", "?debug", "?_=1732900000"] {
        assert_eq!(client.get(&format!("{RECORDS}{target}")).status, 200, "{target}");
    }
    drop(server);
    let config = callvault.folder().join("strict.toml");
    std::fs::write(&config, "[graph]\nstrict = 'on'\n").unwrap();
    let server = callvault.serve(&["--config", config.to_str().unwrap()]);
    let mut client = server.client().bearer(&callvault.token(TENANT, &[READ]));
    for target in ["?filtr=x", "?=x"] {
        assert_eq!(client.get(&format!("{RECORDS}{target}")).status, 200, "{target}");
    }
}

#[test]
fn methods_and_media_types_that_do_not_fit_are_named() {
    let (_callvault, _server, mut client) = served();
    let answer = client.send("DELETE", &format!("{RECORDS}/a/sessions"), &[], b"");
    assert_eq!(answer.status, 405);
    assert!(answer.header("allow").unwrap().contains("GET"));
    let answer = client.send("PATCH", RECORDS, &[("Content-Type", "application/json")], b"null");
    assert_eq!(answer.status, 405);
    let answer = client.send("POST", RECORDS, &[("Content-Type", "text/plain")], b"{}");
    assert_eq!(answer.status, 415);
    let answer = client.get("/v1.0/$batch");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert_eq!(client.get("/nowhere").status, 404);
}

#[test]
fn a_slash_too_many_before_the_path_is_named() {
    let (_callvault, _server, mut client) = served();
    let token = format!("//{TENANT}/oauth2/v2.0/token");
    for target in ["//v1.0/communications/callRecords", "//", &token] {
        let answer = client.get(target);
        assert_eq!((answer.status, answer.code()), (404, "NotFound".to_owned()), "{target}");
        assert!(answer.text().contains("begins with two slashes"), "{target}: {}", answer.text());
    }
}
