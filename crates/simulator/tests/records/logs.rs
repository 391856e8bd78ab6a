//! Rows of the telephone logs have their shape and agree with the records.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hasher;

use serde_json::Value;
use simulator::{Calls, Log, LogRows, Mix};

use super::determinism::Fnv;
use super::ordered::Ordered;
use super::{instant, items, options, text, time};

const PSTN: &str = "id callId userId userPrincipalName userDisplayName startDateTime endDateTime \
    duration charge callType currency calleeNumber usageCountryCode tenantCountryCode \
    connectionCharge callerNumber destinationContext destinationName conferenceId \
    licenseCapability inventoryType operator callDurationSource otherPartyCountryCode \
    clientLocalIpV4Address clientLocalIpV6Address clientPublicIpV4Address \
    clientPublicIpV6Address administrativeUnitInfos";
const DIRECT_ROUTING: &str = "id correlationId userId userPrincipalName userDisplayName \
    startDateTime inviteDateTime failureDateTime endDateTime duration callType successfulCall \
    callerNumber calleeNumber mediaPathLocation signalingLocation finalSipCode callEndSubReason \
    finalSipCodePhrase trunkFullyQualifiedDomainName mediaBypassEnabled transferorCorrelationId \
    userCountryCode otherPartyCountryCode administrativeUnitInfos";
const SMS: &str = "id smsId userId userPrincipalName userDisplayName userCountryCode \
    tenantCountryCode sourceNumber destinationNumber sentDateTime callCharge currency smsType \
    destinationContext destinationName otherPartyCountryCode licenseCapability smsUnits \
    administrativeUnitInfos";
const BLOCKED: &str = "userId userPrincipalName userDisplayName blockDateTime \
    userTelephoneNumber userBlockMode blockReason remediationId";
const REPORT: &str = "@callvault.startDateTime userId userPrincipalName userDisplayName \
    usageLocation destinationContext currency totalCalls totalCallCharge totalCallSeconds";

/// As many as there are before the first meeting of 2,000.
const WITH_RECORDS: u64 = 690;
const NEVER: &str = "0001-01-01T00:00:00Z";

fn rows(calls: u64) -> impl Iterator<Item = (Log, Value)> {
    LogRows::new(options(Mix::Realistic, calls))
        .map(|(log, line)| (log, serde_json::from_slice(&line).expect("a line is JSON")))
}

/// First versions by id.
fn records() -> HashMap<String, Value> {
    let mut calls = Calls::new(options(Mix::Realistic, 0));
    let mut line = Vec::new();
    let mut records = HashMap::new();
    for index in 0..WITH_RECORDS {
        line.clear();
        assert!(calls.write_record(&mut line, index, 1));
        let record: Value = serde_json::from_slice(&line).expect("a line is JSON");
        records.insert(text(&record, "id").to_owned(), record);
    }
    records
}

/// The members of the user who is participant `id`.
fn check_user(record: &Value, row: &Value) {
    let participants = items(record, "participants_v2");
    let user = participants.iter().find(|participant| participant["id"] == row["userId"]);
    let user = &user.unwrap_or_else(|| panic!("nobody of the record in {row}"))["identity"]["user"];
    assert_eq!(user["userPrincipalName"], row["userPrincipalName"]);
    assert_eq!(user["displayName"], row["userDisplayName"]);
}

/// The number of the telephone in a call of two.
fn phone(record: &Value) -> &str {
    let participants = items(record, "participants_v2");
    let is_phone = |participant: &&Value| !participant["identity"]["phone"].is_null();
    text(participants.iter().find(is_phone).expect("a telephone"), "id")
}

fn cents(row: &Value, name: &str) -> u64 {
    (row[name].as_f64().unwrap_or_else(|| panic!("no amount {name}")) * 100.0).round() as u64
}

#[test]
fn every_row_has_the_declared_members_in_order() {
    for (log, line) in LogRows::new(options(Mix::Realistic, 2_000)) {
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
        let row: Ordered = serde_json::from_slice(&line).expect("a line is JSON");
        let members = match log {
            Log::PstnCalls => PSTN,
            Log::DirectRoutingCalls => DIRECT_ROUTING,
            Log::Sms => SMS,
            Log::BlockedUsers => BLOCKED,
            Log::DialoutReport => REPORT,
        };
        assert_eq!(row.keys(), members.split_whitespace().collect::<Vec<_>>());
        let line = String::from_utf8(line).unwrap();
        for amount in line.match_indices("harge\":").map(|(at, name)| &line[at + name.len()..]) {
            let printed = amount.split(',').next().unwrap();
            let (_, decimals) = printed.split_once('.').expect("an amount has decimals");
            assert_eq!(decimals.len(), 2, "{line}");
        }
    }
}

#[test]
fn rows_of_direct_routing_agree_with_their_records() {
    let records = records();
    let mut successes: HashMap<bool, usize> = HashMap::new();
    for (_, row) in rows(WITH_RECORDS).filter(|(log, _)| *log == Log::DirectRoutingCalls) {
        let record = &records[text(&row, "correlationId")];
        assert_ne!(row["id"], row["correlationId"]);
        check_user(record, &row);
        assert_eq!(row["startDateTime"], record["startDateTime"]);
        assert!(time(&row, "inviteDateTime") < time(&row, "startDateTime"));
        let is_outgoing = row["callType"] == "ByotOut";
        let (own, other) = if is_outgoing {
            ("callerNumber", "calleeNumber")
        } else {
            ("calleeNumber", "callerNumber")
        };
        let number = phone(record);
        assert_eq!(text(&row, other), format!("{}***", &number[..number.len() - 3]));
        assert!(text(&row, own).starts_with("+1555011") && text(&row, own).ends_with("***"));
        let session = &items(record, "sessions")[0];
        let caller = &session["caller"]["identity"]["phone"];
        assert_eq!(caller.is_null(), is_outgoing);

        let never_talked = session["startDateTime"] == session["endDateTime"]
            || session["failureInfo"]["stage"] == "callSetup";
        assert_eq!(row["successfulCall"], !never_talked, "{row}");
        *successes.entry(never_talked).or_default() += 1;
        if never_talked {
            assert_eq!((&row["endDateTime"], &row["duration"]), (&Value::Null, &0.into()));
            assert_eq!(row["failureDateTime"], record["endDateTime"]);
            let code = row["finalSipCode"].as_u64().unwrap();
            assert!([480, 486, 487, 503].contains(&code), "{code}");
        } else {
            assert_eq!(row["endDateTime"], record["endDateTime"]);
            assert_eq!((text(&row, "failureDateTime"), &row["finalSipCode"]), (NEVER, &0.into()));
            assert_eq!(row["finalSipCodePhrase"], "BYE");
            check_duration(&row);
        }
    }
    assert!(successes[&false] > 10 && successes[&true] > 2, "{successes:?}");
}

fn check_duration(row: &Value) {
    let ticks = time(row, "endDateTime").0 - time(row, "startDateTime").0;
    assert_eq!(row["duration"], ticks / 10_000_000);
}

#[test]
fn only_the_calls_of_operators_name_their_records() {
    let records = records();
    let mut named = HashMap::from([(true, 0), (false, 0)]);
    for (_, row) in rows(WITH_RECORDS).filter(|(log, _)| *log == Log::PstnCalls) {
        check_duration(&row);
        let record = records.get(text(&row, "callId"));
        let call_type = text(&row, "callType");
        assert_eq!(record.is_some(), call_type.starts_with("oc_"), "{row}");
        *named.entry(record.is_some()).or_default() += 1;
        assert!(!records.contains_key(text(&row, "id")));
        let Some(record) = record else { continue };
        assert_eq!(row["startDateTime"], record["startDateTime"]);
        assert_eq!(row["endDateTime"], items(record, "sessions")[0]["endDateTime"]);
        let other = if call_type == "oc_user_out" { "calleeNumber" } else { "callerNumber" };
        assert_eq!(text(&row, other), phone(record));
        if call_type == "oc_ucap_in" {
            for member in ["userId", "userPrincipalName", "userDisplayName"] {
                assert!(row[member].is_null(), "{row}");
            }
        } else {
            check_user(record, &row);
        }
    }
    assert!(named[&true] > 20 && named[&false] > 50, "{named:?}");
}

#[test]
fn calls_of_plans_and_meetings_are_sessions_of_telephones() {
    let mut sessions: HashMap<(String, String, String), String> = HashMap::new();
    for record in records().into_values() {
        for session in items(&record, "sessions") {
            for end in ["caller", "callee"] {
                if let Some(number) = session[end]["identity"]["phone"]["id"].as_str() {
                    let times = ["startDateTime", "endDateTime"];
                    let [start, end] = times.map(|name| text(session, name).to_owned());
                    let organizer = text(&record["organizer_v2"], "id").to_owned();
                    sessions.insert((number.to_owned(), start, end), organizer);
                }
            }
        }
    }
    let mut found = HashSet::new();
    for (_, row) in rows(WITH_RECORDS).filter(|(log, _)| *log == Log::PstnCalls) {
        let call_type = text(&row, "callType");
        let other = if call_type.ends_with("_out") { "calleeNumber" } else { "callerNumber" };
        let key = [other, "startDateTime", "endDateTime"].map(|name| text(&row, name).to_owned());
        let organizer = sessions.get(&key.into()).unwrap_or_else(|| panic!("no session of {row}"));
        let is_meeting = call_type.starts_with("conf_");
        assert_eq!(is_meeting, row["conferenceId"].is_string());
        if is_meeting {
            assert_eq!(text(&row, "userId"), organizer);
        }
        let is_charged = cents(&row, "charge") > 0;
        assert_eq!(is_charged, call_type == "conf_out" || is_abroad(&row), "{row}");
        found.insert(call_type.to_owned());
    }
    for call_type in ["user_in", "user_out", "conf_in", "conf_out"] {
        assert!(found.contains(call_type), "{found:?}");
    }
}

/// Whether the row is one of a calling plan to another country.
fn is_abroad(row: &Value) -> bool {
    row["callType"] == "user_out" && row["destinationContext"] == "International"
}

#[test]
fn the_report_on_dialling_out_is_the_sum_of_its_calls() {
    let mut sums: BTreeMap<[String; 5], [u64; 3]> = BTreeMap::new();
    let mut reported = Vec::new();
    for (log, row) in rows(6_000) {
        if log == Log::DialoutReport {
            let key = [
                "@callvault.startDateTime",
                "userId",
                "usageLocation",
                "destinationContext",
                "currency",
            ];
            let key = key.map(|name| text(&row, name).to_owned());
            let number = |name: &str| row[name].as_u64().unwrap();
            let totals =
                [number("totalCalls"), cents(&row, "totalCallCharge"), number("totalCallSeconds")];
            reported.push((key, totals));
            continue;
        }
        assert!(reported.is_empty(), "the report comes last");
        if row["callType"] == "conf_out" {
            let day = format!("{}T00:00:00Z", &text(&row, "startDateTime")[..10]);
            let group = ["userId", "usageCountryCode", "destinationContext", "currency"];
            let [user, country, context, currency] = group.map(|name| text(&row, name).to_owned());
            let sum = sums.entry([day, user, country, context, currency]).or_default();
            let charge = cents(&row, "charge");
            for (sum, part) in sum.iter_mut().zip([1, charge, row["duration"].as_u64().unwrap()]) {
                *sum += part;
            }
        }
    }
    assert!(reported.len() > 100, "{}", reported.len());
    assert!(reported.iter().any(|(_, [calls, ..])| *calls > 1));
    assert_eq!(reported, sums.into_iter().collect::<Vec<_>>());
}

#[test]
fn what_happens_beside_calls_lies_in_the_span() {
    let span = instant("2025-06-01")..instant("2025-07-01");
    let mut incidents: HashMap<String, Vec<Value>> = HashMap::new();
    for (log, row) in rows(6_000) {
        match log {
            Log::Sms => {
                assert!(span.contains(&time(&row, "sentDateTime")));
                let is_outgoing = row["smsType"] == "sms_out";
                let own = if is_outgoing { "sourceNumber" } else { "destinationNumber" };
                assert!(text(&row, own).starts_with("+1555011"));
                assert_eq!(cents(&row, "callCharge") > 0, is_outgoing);
            }
            Log::BlockedUsers => {
                assert!(span.contains(&time(&row, "blockDateTime")));
                let incident = text(&row, "remediationId").to_owned();
                incidents.entry(incident).or_default().push(row);
            }
            _ => {}
        }
    }
    assert!((8..25).contains(&incidents.len()), "{}", incidents.len());
    for rows in incidents.values() {
        let [first, second] = rows.as_slice() else { panic!("not a pair: {rows:?}") };
        assert_eq!(
            (text(first, "userBlockMode"), text(second, "userBlockMode")),
            ("blocked", "unblocked")
        );
        assert!(time(first, "blockDateTime") < time(second, "blockDateTime"));
        for same in ["userId", "userTelephoneNumber"] {
            assert_eq!(first[same], second[same]);
        }
    }
}

#[test]
fn the_logs_have_their_shares() {
    const CALLS: u64 = 20_000;
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut tally = |key: String| *seen.entry(key).or_default() += 1;
    for (log, row) in rows(CALLS) {
        tally(format!("{log:?}"));
        if let Some(call_type) = row["callType"].as_str() {
            tally(call_type.to_owned());
            let of_user = call_type.contains("user_") || call_type.starts_with("Byot");
            if of_user && row["successfulCall"] != false {
                tally("answered".to_owned());
                let way = if log == Log::DirectRoutingCalls { "direct" } else { &call_type[..3] };
                tally(format!("by {way}"));
            }
        }
        tally(format!("success {}", row["successfulCall"]));
        tally(format!("code {}", row["finalSipCode"]));
        tally(format!("country {}", row["userCountryCode"]));
        tally(format!("context {}", row["destinationContext"]));
    }
    let per_mille = |part: &str, whole: &str| seen[part] * 1_000 / seen[whole];
    assert!((400..500).contains(&per_mille("by use", "answered")), "{seen:#?}");
    assert!((120..180).contains(&per_mille("by oc_", "answered")), "{seen:#?}");
    assert!((350..450).contains(&per_mille("by direct", "answered")), "{seen:#?}");
    assert!((200..300).contains(&per_mille("success false", "DirectRoutingCalls")), "{seen:#?}");
    let meetings = seen["conf_in"] + seen["conf_out"];
    assert!((250..350).contains(&(seen["conf_out"] * 1_000 / meetings)), "{seen:#?}");
    assert!((40..50).contains(&(seen["oc_ucap_in"] * 1_000 / CALLS)), "{seen:#?}");
    assert!((700..900).contains(&seen["Sms"]), "{seen:#?}");
    for code in ["code 480", "code 486", "code 487", "code 503"] {
        assert!(seen[code] > 20, "{seen:#?}");
    }
    for rare in ["country \"DE\"", "country \"GB\"", "context \"International\""] {
        assert!(seen[rare] > 20, "{seen:#?}");
    }
}

#[test]
fn the_same_options_give_the_same_rows_and_longer_runs_contain_shorter_ones() {
    let run = |mix, calls| LogRows::new(options(mix, calls));
    let is_of_calls = |(log, _): &(Log, Vec<u8>)| *log != Log::DialoutReport;
    for mix in [Mix::Realistic, Mix::Bench] {
        assert!(run(mix, 2_000).eq(run(mix, 2_000)));
        let short: Vec<_> = run(mix, 1_000).filter(is_of_calls).collect();
        let long: Vec<_> = run(mix, 2_000).take(short.len()).collect();
        assert!(short.len() > 100 && short == long);
    }
    assert_eq!(run(Mix::Realistic, 0).next(), None);
}

#[test]
fn single_calls_are_those_of_the_run() {
    let mut run = Calls::new(options(Mix::Realistic, 150));
    let lines: HashSet<Vec<u8>> = run.by_ref().collect();
    let all: Vec<_> = LogRows::new(options(Mix::Realistic, 150)).collect();
    let (mut records, mut rows) = (HashSet::new(), Vec::new());
    // In any order, and whatever was asked for before.
    for index in (0..150).rev() {
        for version in [1, 2, 3] {
            let mut line = Vec::new();
            let exists = run.write_record(&mut line, index, version);
            assert!(exists != line.is_empty() && (exists || version > 1));
            if exists {
                records.insert(line);
            }
        }
        rows.splice(0..0, run.rows(index));
    }
    assert_eq!(records, lines);
    let of_calls = |(log, _): &&(Log, _)| [Log::PstnCalls, Log::DirectRoutingCalls].contains(log);
    assert!(rows.iter().eq(all.iter().filter(of_calls)));
}

/// Fails when a change alters what a seed means. That is allowed between releases, on purpose.
#[test]
fn the_meaning_of_a_seed_is_kept_in_the_logs() {
    let digest = |mix| {
        let mut hasher = Fnv::default();
        LogRows::new(options(mix, 1_000)).for_each(|(_, line)| hasher.write(&line));
        hasher.finish()
    };
    assert_eq!(
        (digest(Mix::Realistic), digest(Mix::Bench)),
        (16_976_998_385_906_312_329, 3_753_436_249_620_549_760)
    );
}
