//! `import`, and its report of rejected records.

use std::fs;

use serde_json::{Value, json};
use testkit::TENANT;

use crate::{callvault, id, record};

fn counts(stdout: &str) -> Value {
    serde_json::from_str(stdout).expect("import ends with one JSON object")
}

#[test]
fn a_folder_with_bad_records_is_imported_in_part_with_a_report() {
    let callvault = callvault();
    let folder = callvault.folder().join("in");
    fs::create_dir_all(folder.join("inner")).unwrap();
    let bad = record(2, 1).replace("\"peerToPeer\"", "7");
    let lines = format!("{}\n{bad}\n{{\"id\":\n{}\n", record(1, 1), record(3, 1));
    fs::write(folder.join("a.ndjson"), lines).unwrap();
    let list = format!("{{\"value\":[{},{{}}]}}", record(4, 1));
    fs::write(folder.join("inner/b.json"), list).unwrap();
    let pretty: Value = serde_json::from_str(&record(5, 1)).unwrap();
    fs::write(folder.join("inner/c.json"), format!("{pretty:#}\n{pretty:#}")).unwrap();
    fs::write(folder.join("README.txt"), "not read").unwrap();

    let arguments = ["import", "--tenant", TENANT, folder.to_str().unwrap()];
    let ended = callvault.run(&arguments);
    assert_eq!(ended.status.code(), Some(3), "{}", ended.stderr);
    let expected = json!({"read": 8, "created": 4, "replaced": 0, "merged": 0, "unchanged": 1,
        "archived": 0, "rejected": 3, "incomplete": 0, "warnings": 0});
    assert_eq!(counts(&ended.stdout), expected);
    for place in ["a.ndjson:2: /type: ", "a.ndjson:3: ", "inner/b.json:1: /value/1"] {
        assert!(ended.stderr.contains(place), "{place}: {}", ended.stderr);
    }

    let rejects = callvault.folder().join("rejects.ndjson");
    let mut arguments = arguments.to_vec();
    arguments.extend(["--rejects", rejects.to_str().unwrap()]);
    let again = callvault.run(&arguments);
    assert_eq!(again.status.code(), Some(3));
    assert_eq!(counts(&again.stdout)["unchanged"], 5);
    assert!(!again.stderr.contains("a.ndjson"), "{}", again.stderr);
    let lines = fs::read_to_string(rejects).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let bad = lines.iter().find(|line| line["pointer"] == "/type").unwrap();
    assert_eq!(bad["line"], 2);
    assert!(bad["file"].as_str().unwrap().ends_with("a.ndjson"));
}

#[test]
fn fault_in_a_record_of_several_lines_is_told_with_its_own_line() {
    let callvault = callvault();
    let printed: Value = serde_json::from_str(&record(1, 1)).unwrap();
    let printed = format!("[\n{printed:#}\n]");
    let line = |text: &str, part: &str| 1 + text[..text.find(part).unwrap()].matches('\n').count();
    let arguments = ["import", "--tenant", TENANT, "-"];
    for (broken, wrong, pointer) in [
        (printed.replace("\"peerToPeer\"", "17"), "\"type\"", "/0/type"),
        (printed.replace("\"version\":", "\"version\""), "\"version\"", "/0"),
    ] {
        let ended = callvault.run_with_input(&arguments, broken.as_bytes());
        let told = format!("-:{}: {pointer}: ", line(&broken, wrong));
        assert!(ended.stderr.contains(&told), "{told}: {}", ended.stderr);
    }
    let misspelt = printed.replace("peerToPeer", "gruopCall");
    let ended = callvault.run_with_input(&arguments, misspelt.as_bytes());
    let told = format!("-:{}: warning: /0/type: ", line(&misspelt, "gruopCall"));
    assert!(ended.stderr.contains(&told), "{told}: {}", ended.stderr);
}

#[test]
fn standard_input_is_read_and_a_conflict_is_refused_with_its_pointer() {
    let callvault = callvault();
    let arguments = ["import", "--tenant", TENANT, "-"];
    let lines = format!("{}\n{}\n", record(1, 1), record(1, 2));
    let ended = callvault.run_with_input(&arguments, lines.as_bytes());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let found = counts(&ended.stdout);
    assert_eq!((&found["created"], &found["replaced"]), (&json!(1), &json!(1)));

    let differing = record(1, 2).replace("audio", "video");
    let ended = callvault.run_with_input(&arguments, differing.as_bytes());
    assert_eq!(ended.status.code(), Some(3));
    assert!(ended.stderr.contains("-:1: /modalities"), "{}", ended.stderr);
}

#[test]
fn a_path_that_does_not_exist_is_a_failure() {
    let ended = callvault().run(&["import", "--tenant", TENANT, "no/such.json"]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("no/such.json"), "{}", ended.stderr);
}

#[test]
fn printed_records_are_imported_as_unchanged() {
    let callvault = callvault();
    let arguments = ["import", "--tenant", TENANT, "-"];
    let simulated = callvault.succeed(&["simulate", "--calls", "40", "--seed", "7"]);
    let ended = callvault.run_with_input(&arguments, simulated.as_bytes());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);

    let printed = callvault.succeed(&["list", "--expand", "segments,participants_v2"]);
    assert_eq!(printed.lines().count(), 40);
    let again = callvault.run_with_input(&arguments, printed.as_bytes());
    let found = counts(&again.stdout);
    assert_eq!((&found["read"], &found["unchanged"]), (&json!(40), &json!(40)), "{}", again.stderr);
}

#[test]
fn records_are_printed_one_or_all_by_time_and_participant() {
    let callvault = callvault();
    let lines: String = (1..=5).map(|number| record(number, 1) + "\n").collect();
    let lines = lines + &record(3, 2);
    let ended = callvault.run_with_input(&["import", "--tenant", TENANT, "-"], lines.as_bytes());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);

    let ids = |arguments: &[&str]| -> Vec<String> {
        let all = [&["list"], arguments].concat();
        let printed = callvault.succeed(&all);
        let records = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&[]), [id(5), id(4), id(3), id(2), id(1)]);
    assert_eq!(ids(&["--from", "2026-11-03", "--to", "2026-11-05"]), [id(3), id(2)]);
    assert_eq!(ids(&["--limit", "1", "--tenant", TENANT]), [id(5)]);
    assert_eq!(ids(&["--participant", "user-2"]), [id(2)]);

    let get = |arguments: &[&str]| -> Value {
        let printed = callvault.succeed(&[&["get", &id(3)], arguments].concat());
        serde_json::from_str(&printed).unwrap()
    };
    assert_eq!(get(&[])["version"], 2);
    let old = get(&["--version", "1", "--expand", "segments"]);
    assert_eq!(
        (&old["version"], &old["sessions"][0]["segments"][0]["id"]),
        (&json!(1), &json!("g1"))
    );
    let without_segments = get(&["--expand", "sessions", "--expand", "participants_v2"]);
    assert_eq!(without_segments["sessions"][0].get("segments"), None);
    assert_eq!(without_segments["participants_v2"][0]["id"], "user-3");
    assert_eq!(callvault.run(&["get", &id(9)]).status.code(), Some(1));
}

#[test]
fn a_simulation_depends_on_its_seed_and_ends_quietly_on_a_closed_pipe() {
    let callvault = callvault();
    let simulate =
        |seed| callvault.succeed(&["simulate", "--calls", "20", "--seed", seed, "--mix", "bench"]);
    assert_eq!(simulate("1"), simulate("1"));
    assert_ne!(simulate("1"), simulate("2"));
    let mut command = callvault.command(&["simulate", "--calls", "100000", "--seed", "1"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn empty_files_and_folders_are_told() {
    let callvault = callvault();
    let folder = callvault.folder().join("in");
    fs::create_dir(&folder).unwrap();
    fs::write(callvault.folder().join("a.ndjson"), "\n").unwrap();
    fs::write(callvault.folder().join("b.json.gz"), "no gzip").unwrap();
    let [a, b] = ["a.ndjson", "b.json.gz"].map(|name| callvault.folder().join(name));
    let paths = [&folder, &a, &b].map(|path| path.to_str().unwrap());
    let ended = callvault.run(&[&["import", "--tenant", TENANT][..], &paths].concat());
    assert_eq!(ended.status.code(), Some(3), "{}", ended.stderr);
    assert_eq!(counts(&ended.stdout)["rejected"], 1);
    for told in [
        "in: no file in this folder ends in .json",
        "a.ndjson: no record in this file",
        "b.json.gz: cannot be read: its name ends in .gz, and it is not gzip",
    ] {
        assert!(ended.stderr.contains(told), "{told}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("is new"), "nothing came in: {}", ended.stderr);
}

#[test]
fn an_interrupted_import_prints_what_it_has_imported() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let callvault = callvault();
    callvault.succeed(&["migrate"]);
    let mut command = callvault.command(&["import", "--tenant", TENANT, "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // More than one batch, so that some are written; the input stays open.
    for number in 0..2_000 {
        writeln!(stdin, "{}", record(number, 1)).unwrap();
    }
    testkit::until("some are imported", || {
        !callvault.succeed(&["list", "--tenant", TENANT, "--limit", "1"]).is_empty()
    });
    assert!(
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success()
    );
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(output.status.code(), Some(130));
    let found = counts(&String::from_utf8(output.stdout).unwrap());
    let created = found["created"].as_u64().unwrap();
    assert!(created > 0 && created <= 2_000, "{found}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("interrupted: what is counted is in the store"), "{said}");
    let listed = callvault.succeed(&["list", "--tenant", TENANT]).lines().count() as u64;
    assert!(listed >= created, "{listed}, {created}");
}

#[test]
fn on_a_terminal_counts_are_explained_and_tables_fit() {
    let callvault = callvault();
    let lines = format!("{}\n{}\n{}\n", record(1, 1), record(1, 3), record(1, 2));
    let file = callvault.folder().join("a.ndjson");
    fs::write(&file, lines).unwrap();
    let file = file.to_str().unwrap();
    let said = on_a_terminal(&callvault, &["import", "--tenant", TENANT, file]);
    for told in ["1 replaced: a higher version", "1 archived: lower than"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let ended = callvault.run(&["import", "--tenant", TENANT, file]);
    assert!(!ended.stderr.contains("higher version"), "{}", ended.stderr);
    for of in ["records", "sessions", "segments", "streams"] {
        let table = on_a_terminal(&callvault, &["list", "--output", "table", "--of", of]);
        let rows = table.lines().filter(|line| !line.contains("callvault: "));
        let widest = rows.map(|line| line.trim_end().chars().count()).max().unwrap_or_default();
        assert!(widest <= 80, "{of}: {widest}: {table}");
    }
    let table = on_a_terminal(&callvault, &["list", "--output", "table"]);
    for part in ["id", "startDateTime", "type", &id(1), "more columns", "--select"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(!table.contains("organizer"), "{table}");
    let piped = callvault.succeed(&["list", "--output", "table"]);
    assert!(piped.contains("endDateTime") && !piped.contains("organizer"), "{piped}");
}

/// What a command prints on a terminal of 80 columns.
fn on_a_terminal(callvault: &testkit::Callvault, arguments: &[&str]) -> String {
    let plain = callvault.command(arguments);
    let script = "import os, pty, sys, fcntl, termios, struct\n\
                  pid, end = pty.fork()\n\
                  if pid == 0:\n    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))\n    \
                  os.execv(sys.argv[1], sys.argv[1:])\n\
                  out = b''\n\
                  while True:\n    \
                  try: part = os.read(end, 65536)\n    \
                  except OSError: break\n    \
                  if not part: break\n    \
                  out += part\n\
                  sys.stdout.buffer.write(out)";
    let mut python = std::process::Command::new("python3");
    python.args(["-c", script]).arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => python.env(name, value),
            None => python.env_remove(name),
        };
    }
    String::from_utf8(python.output().unwrap().stdout).unwrap()
}

#[test]
fn what_is_no_call_record_is_refused_with_the_way_on_and_blocks_no_record() {
    let callvault = callvault();
    let folder = callvault.folder();
    let record_id = id(1);
    // Graph's answer to `.../callRecords('ID')/sessions`, of which an item has the id of a record.
    let times = r#""startDateTime":"2026-11-01T08:00:00Z","endDateTime":"2026-11-01T09:00:00Z""#;
    let session = format!(r#"{{"id":"{record_id}","modalities":["audio"],{times}"#);
    let context = |path: &str| {
        format!(
            r#""@odata.context":"https://graph.microsoft.com/v1.0/$metadata#communications/callRecords{path}""#
        )
    };
    let of_sessions = context(&format!("('{record_id}')/sessions"));
    let of_segments = context("('a')/sessions('b')/segments").replace('\'', "\\u0027");
    let of_rows = r#""@odata.context":"https://graph.microsoft.com/v1.0/$metadata#Collection(microsoft.graph.callRecords.pstnCallLogRow)""#;
    let whole = "$expand=sessions($expand=segments)";
    for (text, place, words) in [
        (format!("{{{of_sessions},\"value\":[{session}}}]}}"), ":1: /value/0: a session is no", whole),
        (format!("{{{of_segments},\"value\":[{session}}}]}}"), ":1: /value/0: a segment is no", whole),
        (format!("{{{of_rows},\"value\":[{session}}}]}}"), ":1: /value/0: a row of", "--kind pstn"),
        (format!("{session},\"caller\":null,\"callee\":null}}"), ":1: /caller: a session", whole),
        (format!("{session},\"isTest\":null}}\n"), ":1: /isTest: a session", whole),
        (format!("{session},\"segments\":[]}}"), ":1: /segments: a session", whole),
        (format!("{session},\"media\":[]}}"), ":1: /media: a segment", whole),
        (format!("{session},{}}}", context("('a')/sessions/$entity")), ":1: /@odata.context", whole),
        (r#"[{"id":"a","identity":{}}]"#.to_owned(), ":1: /0/identity: a participant", "participants_v2"),
        (r#"{"error":{"code":"NotFound"}}"#.to_owned(), ":1: /error: an error", "request"),
        (
            r#"{"value":[{"subscriptionId":"a","changeType":"created","resource":"communications/callRecords/b"}]}"#
                .to_owned(),
            ":1: /value/0/subscriptionId: a change notification",
            "'resource'",
        ),
        (r#"{"responses":[{"id":"1","status":200}]}"#.to_owned(), ":1: /responses: the answer to", "'body'"),
        (r#"{"id":"1","status":200,"body":{}}"#.to_owned(), ":1: /body: a response of", "'body'"),
        (r#"{"id":"a","smsId":"b","smsUnits":1}"#.to_owned(), ":1: /smsId: a row of getSmsLog", "--kind sms"),
        (
            r#"{"userId":"a","blockDateTime":"2026-11-01T08:00:00Z"}"#.to_owned(),
            ":1: /userId: a row of getPstnBlockedUsersLog",
            "--kind blocked",
        ),
        (
            r#"{"userId":"a","totalCalls":1}"#.to_owned(),
            ":1: /userId: a row of getPstnOnlineMeetingDialoutReport",
            "--kind dialout",
        ),
        (r#"{"Id":"a"}"#.to_owned(), ":1: /id: 'id' is required; did you mean it by 'Id'?", ""),
    ] {
        let file = folder.join("a.json");
        fs::write(&file, &text).unwrap();
        let ended = callvault.run(&["import", "--tenant", TENANT, file.to_str().unwrap()]);
        assert_eq!(ended.status.code(), Some(3), "{text}: {}", ended.stderr);
        assert!(ended.stderr.contains(place), "{text}: no {place:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{text}: no {words:?}: {}", ended.stderr);
    }
    let arguments = ["import", "--tenant", TENANT, "-"];
    let ended = callvault.run_with_input(&arguments, record(1, 1).as_bytes());
    assert_eq!(counts(&ended.stdout)["created"], 1, "{}", ended.stderr);
    // Little is enough for a record, and rows of a log are told from records as well.
    let little = format!(r#"{{"id":"b",{times}}}"#);
    let ended = callvault.run_with_input(&arguments, little.as_bytes());
    assert_eq!(counts(&ended.stdout)["created"], 1, "{}", ended.stderr);
    let rows = [&arguments[..], &["--kind", "pstn"]].concat();
    let ended = callvault.run_with_input(&rows, record(1, 1).as_bytes());
    assert!(ended.stderr.contains("import them with --kind records"), "{}", ended.stderr);
}

#[test]
fn properties_that_are_nearly_named_as_declared_ones_are_kept_and_told() {
    let callvault = callvault();
    let arguments = ["import", "--tenant", TENANT, "-"];
    let misspelt = record(1, 1).replace("\"sessions\":", "\"x\":1,\"sesions\":");
    // What is there already was not meant, nor was what is like nothing.
    let other = record(2, 1).replacen('{', r#"{"versions":7,"tenantRegion":"EU","ip":1,"#, 1);
    let lines = format!("{misspelt}\n{other}\n");
    let ended = callvault.run_with_input(&arguments, lines.as_bytes());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let told = "-:1: warning: /sesions: 'sesions' is not a declared member of \
                microsoft.graph.callRecords.callRecord; did you mean 'sessions'? It is kept as it is";
    assert!(ended.stderr.lines().any(|line| line == told), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("warning").count(), 1, "{}", ended.stderr);
    // Of types as well, and of identities, whose kinds are short.
    let ends = r##""caller":{"@odata.type":"#microsoft.graph.callRecords.participantEndpont","identity":{"usr":{"id":"a"}}},"##;
    let misspelt = record(4, 1).replacen("\"segments\":[{", &format!("\"segments\":[{{{ends}"), 1);
    let ended = callvault.run_with_input(&arguments, misspelt.as_bytes());
    for told in [
        "/caller/@odata.type: '#microsoft.graph.callRecords.participantEndpont' is not a declared type",
        "did you mean 'microsoft.graph.callRecords.participantEndpoint'?",
    ] {
        assert!(ended.stderr.contains(told), "{told}: {}", ended.stderr);
    }
    let without_sign = misspelt.replace("\"#", "\"").replace(&id(4), &id(6));
    let ended = callvault.run_with_input(&arguments, without_sign.as_bytes());
    assert!(
        ended.stderr.contains("participantEndpont' is not a declared type"),
        "{}",
        ended.stderr
    );
    let misspelt = misspelt.replace("Endpont", "Endpoint").replace(&id(4), &id(5));
    let ended = callvault.run_with_input(&arguments, misspelt.as_bytes());
    assert!(ended.stderr.contains("did you mean 'user'?"), "{}", ended.stderr);
    // Within a session as well.
    let nested = record(3, 1).replacen("\"sessions\":[{", "\"sessions\":[{\"modalites\":[],", 1);
    let ended = callvault.run_with_input(&arguments, nested.as_bytes());
    assert!(
        ended.stderr.contains("warning: /sessions/0/modalites: 'modalites' is not"),
        "{}",
        ended.stderr
    );
}

#[test]
fn members_that_nothing_declares_are_kept_and_told() {
    let callvault = callvault();
    let arguments = ["import", "--tenant", TENANT, "-"];
    let misspelt = record(1, 1).replace("peerToPeer", "gruopCall");
    let new = record(2, 1).replace("peerToPeer", "townhall");
    let lines = format!("{}\n{misspelt}\n{new}\n", record(3, 1));
    let ended = callvault.run_with_input(&arguments, lines.as_bytes());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(counts(&ended.stdout)["created"], 3);
    assert_eq!(counts(&ended.stdout)["warnings"], 2);
    let said = |line: &str| ended.stderr.lines().filter(|it| it.contains(line)).count();
    let told = "-:2: warning: /type: 'gruopCall' is not a declared member of \
                microsoft.graph.callRecords.callType; did you mean 'groupCall'? It is kept as it is";
    assert_eq!(said(told), 1, "{}", ended.stderr);
    assert_eq!(said("-:3: warning: /type: 'townhall' is not"), 1, "{}", ended.stderr);
    assert_eq!(said("warning"), 2, "{}", ended.stderr);
    // The record can be found, and what it is replaced by can come in.
    let ended = callvault.run(&["list", "--filter", "type eq 'gruopCall'"]);
    let condition = "cast(type,Edm.String) eq 'gruopCall'";
    assert!(ended.stderr.contains("Did you mean 'groupCall'"), "{}", ended.stderr);
    assert!(ended.stderr.contains(condition), "{}", ended.stderr);
    assert!(callvault.succeed(&["list", "--filter", condition]).contains(&id(1)));
    for (filter, operand) in
        [("type in ('gruopCall')", "type"), ("modalities/any(m:m eq 'vidoe')", "m")]
    {
        let ended = callvault.run(&["list", "--filter", filter]);
        let advice = format!("found by cast({operand},Edm.String) eq '");
        assert!(ended.stderr.contains(&advice), "{filter}: {}", ended.stderr);
    }
    let right = record(1, 1).replace("peerToPeer", "groupCall");
    let ended = callvault.run_with_input(&arguments, right.as_bytes());
    let erase = format!("`callvault erase --tenant {TENANT} {}`", id(1));
    for part in ["-:1: /type: differs from the stored record of version 1", "raise the", &erase] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    // Many of them fill no screen.
    let lines: String =
        (1..=25).map(|number| record(number, 2).replace("peerToPeer", "townhall") + "\n").collect();
    let ended = callvault.run_with_input(&arguments, lines.as_bytes());
    assert_eq!(ended.stderr.lines().count(), 11, "{}", ended.stderr);
    assert_eq!(counts(&ended.stdout)["warnings"], 25, "counted though not all are named");
    assert!(ended.stderr.contains("15 more records: 'townhall' is not"), "{}", ended.stderr);
}

#[test]
fn records_that_are_incomplete_are_named_with_what_to_do() {
    let callvault = callvault();
    let part =
        record(1, 1).replace("\"sessions\":", "\"sessions@odata.nextLink\":\"x\",\"sessions\":");
    let lines = format!("{}\n{part}\n", record(2, 1));
    let arguments = ["import", "--tenant", TENANT, "-"];
    let ended = callvault.run_with_input(&arguments, lines.as_bytes());
    assert_eq!(counts(&ended.stdout)["incomplete"], 1, "{}", ended.stderr);
    let told = format!(
        "-:2: incomplete: {} has more sessions than came: follow its sessions@odata.nextLink",
        id(1)
    );
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
}

#[test]
fn a_first_import_says_that_it_needs_the_tenant() {
    let callvault = callvault();
    let temporary = callvault.folder().join("temporary");
    // What a demo that was killed has left.
    let left = temporary.join("callvault-demo-left");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("callvault.db"), "").unwrap();
    let mut command = callvault.command(&["import", "/dev/null"]);
    let ended = command.env("TMPDIR", &temporary).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("give --tenant GUID"), "{said}");
    assert!(!said.contains("callvault-demo-"), "{said}");
}
