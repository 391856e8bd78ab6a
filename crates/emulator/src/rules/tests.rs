//! Tests of reading rules.

use super::*;

const ALL: &str = r#"
[[request]]
name = "busy"
path = "/communications/callRecords/*"
method = "GET"
application = "app"
probability = 0.25
every = 2
times = 3
status = 429
retry_after = 7
latency = "500ms"

[[request]]
first = 1
truncate = 100

[[request]]
unseen_for = "5s"

[[notification]]
name = "twice"
change_type = "updated"
subscription = "s"
nth = 2
delay = "1m"
copies = 2
client_state = ""

[[notification]]
drop = true

[[notification]]
out_of_order = true

[[validation]]
host = "*.contoso.com"
path = "/hook/**"
first = 1
time_out = true
"#;

#[test]
fn rules_are_read_from_toml_and_written_to_json_and_back() {
    let rules = Rules::from_toml(ALL).unwrap();
    let counts = (rules.requests.len(), rules.notifications.len(), rules.validations.len());
    assert_eq!(counts, (3, 3, 1));
    assert_eq!(rules.requests[0].retry_after, Some(RetryAfter::Seconds(7)));
    let json = rules.to_json();
    assert_eq!(Rules::from_json(&json).unwrap(), rules);
    let text = String::from_utf8(json).unwrap();
    assert!(text.contains(r#"{"first":1,"truncate":100},{"unseen_for":"5s"}]"#), "{text}");
}

#[test]
fn no_rules_are_rules() {
    for rules in
        [Rules::from_toml(""), Rules::from_json(b"{}"), Rules::from_json(b" {\"request\":[]}")]
    {
        assert!(rules.unwrap().is_empty());
    }
    assert!(Rules::default().is_empty());
}

#[test]
fn errors_in_toml_name_the_line() {
    for (text, expected) in [
        ("[[request]]\nstatus = 429\nlatenzy = \"1s\"\n", "line 3: unknown field `latenzy`"),
        ("\n\n[[requests]]\nstatus = 429\n", "line 3: unknown field `requests`"),
        ("[[request]]\nstatus = \"429\"\n", "line 2: invalid type: string"),
        ("[[request]]\nlatency = \"soon\"\n", "line 2: expected a time"),
        ("[[request]]\nlatency = 5\n", "line 2: invalid type: integer"),
        ("[[request]]\nstatus = 429\nstatus = 503\n", "line 3: duplicate key"),
        ("[[request]]\nstatus = \n", "line 2: "),
        (
            "[[request]]\nfirst = 1\n\nstatus = 200\n",
            "line 4, request 1, status: expected 400 to 599",
        ),
        (
            "[[request]]\nstatus = 500\n[[request]]\nlatency = \"1s\"\nnth = 1\nevery = 2\n",
            "line 6, request 2, every: can't be together with nth",
        ),
        (
            "[[request]]\nstatus = 500\n\n[[request]]\nname = \"idle\"\n",
            "line 4, request 2: has no effect: expected status, latency, truncate, unseen_for,",
        ),
        ("notification = [{ copies = 1 }]\n", "line 1, notification 1, copies: expected 2 to 100"),
    ] {
        let error = Rules::from_toml(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
}

#[test]
fn errors_in_json_name_the_rule_and_its_member() {
    for (text, expected) in [
        (r#"{"request":[{"status":429},{"latenzy":"1s"}]}"#, "request 2, latenzy: unknown field"),
        (
            r#"{"request":[{"nth":1,"status":"x"}]}"#,
            "request 1, status: invalid type: string \"x\"",
        ),
        (r#"{"request":[{"status":70000}]}"#, "request 1, status: invalid value"),
        (r#"{"request":[{"latency":"1 s"}]}"#, "request 1, latency: expected a time"),
        (r#"{"request":[{"status":429,"status":429}]}"#, "request 1: duplicate field `status`"),
        (r#"{"request":[7]}"#, "request 1: invalid type: integer"),
        (r#"{"requests":[]}"#, "line 1, column 11: unknown field `requests`"),
        (r#"{"request":[}"#, "line 1, column 13: expected value"),
        ("", "line 1, column 0: EOF"),
    ] {
        let error = Rules::from_json(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}\n{expected}");
        assert!(!error.contains(" at line"), "{error}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (list, rule, place) in [
        ("request", r#"{"status":429,"probability":1.1}"#, "probability"),
        ("request", r#"{"status":429,"probability":-0.1}"#, "probability"),
        ("request", r#"{"status":429,"nth":0}"#, "nth"),
        ("request", r#"{"status":429,"times":0}"#, "times"),
        ("request", r#"{"status":429,"first":2,"every":2}"#, "first"),
        ("request", r#"{"status":429,"nth":2,"times":2}"#, "times"),
        ("request", r#"{"status":399}"#, "status"),
        ("request", r#"{"status":600}"#, "status"),
        ("request", r#"{"status":500,"retry_after":2}"#, "retry_after"),
        ("request", r#"{"latency":"1s","retry_after":2}"#, "retry_after"),
        ("request", r#"{"status":500,"truncate":2}"#, "truncate"),
        ("request", r#"{"status":404,"unseen_for":"2s"}"#, "unseen_for"),
        ("request", r#"{"truncate":1,"unseen_for":"2s"}"#, "unseen_for"),
        ("request", r#"{"unseen_for":"2s","method":"POST"}"#, "unseen_for"),
        ("request", r#"{"status":404,"path":"communications"}"#, "path"),
        ("request", r#"{"status":404,"path":"/v1.0/communications/**"}"#, "path"),
        ("request", r#"{"status":404,"path":"/x?$top=1"}"#, "path"),
        ("request", r#"{"status":404,"method":"G T"}"#, "method"),
        ("request", r#"{"status":404,"application":""}"#, "application"),
        ("notification", r#"{"drop":false}"#, "drop"),
        ("notification", r#"{"drop":true,"copies":2}"#, "drop"),
        ("notification", r#"{"copies":0}"#, "copies"),
        ("notification", r#"{"delay":"1s","out_of_order":true}"#, "out_of_order"),
        ("notification", r#"{"change_type":"deleted","drop":true}"#, "change_type"),
        ("validation", r#"{"host":"a/b","time_out":true}"#, "host"),
        ("validation", r#"{"time_out":false}"#, "time_out"),
    ] {
        let error = Rules::from_json(format!(r#"{{"{list}":[{rule}]}}"#).as_bytes()).unwrap_err();
        assert_eq!(error.place, format!("{list} 1, {place}"), "{rule} {error}");
    }
    for (list, rule) in [("request", r#"{"nth":1}"#), ("notification", "{}"), ("validation", "{}")]
    {
        let error = Rules::from_json(format!(r#"{{"{list}":[{rule}]}}"#).as_bytes()).unwrap_err();
        assert!(error.message.starts_with("has no effect"), "{error}");
    }
}

#[test]
fn what_may_stand_together_is_taken() {
    for rule in [
        r#"{"status":429,"latency":"1s","probability":0.5,"first":3,"times":2}"#,
        r#"{"truncate":0,"latency":"1s"}"#,
        r#"{"unseen_for":"5s","latency":"1s","method":"get"}"#,
        r#"{"status":503,"retry_after":0}"#,
        r#"{"status":418,"path":"**"}"#,
    ] {
        Rules::from_json(format!(r#"{{"request":[{rule}]}}"#).as_bytes()).unwrap();
    }
}
