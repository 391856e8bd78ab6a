//! Conditions, orders and calculations as requests write them.

use std::borrow::Cow;

use super::*;
use crate::bound::{Place, Query};
use crate::eval::{Exhausted, Fault, Pager, Pipeline, Sieve, Sizes, Window};
use crate::json::write_node;
use crate::tests::parse;

const RECORD: &str = r##"{"id":"E523D2ED-2966-4B6B-925B-754A88034CC5","version":3,
    "type":"groupCall","modalities":["audio","video"],
    "startDateTime":"2020-02-29T23:00:00.5+01:00","endDateTime":"2020-02-29T22:30:00.5Z",
    "joinWebUrl":"https://Meet.example/Zo\u00eb","duration":"PT30M",
    "organizer":{"id":"u1","displayName":"Ann","tenantId":"T","Echo":true,"Score":2.5},
    "organizer_v2":{"id":"u1","identity":{"displayName":"Ann"}},
    "participants_v2":[{"id":"u1"},{"id":"u2","identity":{"displayName":"Bob"}}],
    "sessions":[
      {"id":"s1","isTest":true,"startDateTime":"2020-02-29T22:00:00Z",
       "caller":{"@odata.type":"#microsoft.graph.callRecords.participantEndpoint",
                 "userAgent":"Teams","name":"pc","identity":{"id":"u1"}},
       "segments":[{"id":"g1","startDateTime":"2020-02-29T22:00:00Z"},{"id":"g2"}]},
      {"id":"s2","isTest":false,"startDateTime":"2020-02-29T22:10:00Z",
       "caller":{"@odata.type":"#microsoft.graph.callRecords.endpoint","userAgent":"Bot"},
       "segments":[]}]}"##;

fn query(options: &[(&str, &str)]) -> Query {
    let option =
        |(name, value): &(&str, &str)| format!("${name}={}", crate::percent::encode_query(value));
    let text = options.iter().map(option).collect::<Vec<_>>().join("&");
    match parse("communications/callRecords", &text) {
        Ok((_, query)) => query,
        Err(error) => panic!("{text}: {error}"),
    }
}

fn ty() -> Type {
    Type::Structured(structured("callRecord"))
}

#[track_caller]
fn holds(condition: &str) -> bool {
    let query = query(&[("filter", condition)]);
    let node = Node::parse(RECORD).unwrap();
    let program = Program::new(&query.filter.unwrap());
    program.holds(&Scope::new(Item { node: &node, ty: ty() }, environment()))
}

#[test]
fn conditions_that_hold() {
    for condition in [
        "id eq 'e523d2ed-2966-4b6b-925b-754a88034cc5'",
        "version eq 3 and version lt 3.5 and version in (1,2,3)",
        "version add 1 eq 4 and version div 2 eq 1 and version divby 2 eq 1.5 and -version eq -3",
        "type eq 'groupCall' and type lt 'peerToPeer' and type has 'groupCall'",
        "type in ('peerToPeer','groupCall')",
        "'audio' in modalities and modalities/any(m:m eq 'video') and modalities/$count eq 2",
        "hassubset(modalities,['video','audio']) and not hassubsequence(modalities,['video','audio'])",
        "contains(tolower(joinWebUrl),'meet') and endswith(joinWebUrl,'ë') and length(joinWebUrl) eq 24",
        "matchesPattern(joinWebUrl,'^https?://[A-Z]\\w+')",
        "startDateTime eq 2020-02-29T22:00:00.5Z and year(startDateTime) eq 2020",
        "date(startDateTime) eq 2020-02-29 and time(startDateTime) gt 22:00:00",
        "totaloffsetminutes(startDateTime) eq 60 and fractionalseconds(startDateTime) eq 0.5",
        "endDateTime sub startDateTime eq duration'PT30M' and duration mul 2 eq duration'PT1H'",
        "startDateTime add duration'PT30M' eq endDateTime and totalseconds(duration) eq 1800",
        "endDateTime lt now() and startDateTime gt mindatetime()",
        "organizer/displayName eq 'Ann' and organizer/tenantId eq 'T'",
        "organizer/Echo eq true and organizer/Score gt 2 and organizer/Missing eq null",
        "organizer ne null and organizer_v2/identity/displayName eq 'Ann'",
        "participants_v2/any(p:p/identity/displayName eq 'Bob')",
        "participants_v2/all(p:startswith(p/id,'u')) and participants_v2/any()",
        "participants_v2/$count($filter=identity ne null) eq 1",
        "sessions/any(s:s/isTest and s/segments/any(g:g/startDateTime eq s/startDateTime))",
        "sessions/any(s:s/caller/microsoft.graph.callRecords.participantEndpoint/name eq 'pc')",
        "sessions/any(s:isof(s/caller,microsoft.graph.callRecords.participantEndpoint))",
        "sessions/any(s:not isof(s/caller,microsoft.graph.callRecords.participantEndpoint))",
        "sessions/$filter(isTest eq true)/$count eq 1",
        "cast(version,Edm.String) eq '3' and cast('5',Edm.Int64) eq 5",
        "case(version gt 5:'big',true:'small') eq 'small'",
        "case(version gt 5:1,true:2.5) mul 2 eq 5 and case(true:1,false:2.5) div 2 eq 0.5",
        "round(2.5) eq 3 and floor(-2.5) eq -3 and ceiling(version) eq 3",
        "version mod 2 eq 1 and 7 div 2 eq 3 and 7 div 2.0 eq 3.5",
        "concat(organizer/id,'x') eq 'u1x' and substring(organizer/id,1) eq '1'",
        "indexof(joinWebUrl,'Zo') eq 21 and trim(' a ') eq 'a' and toupper('ë') eq 'Ë'",
    ] {
        assert!(holds(condition), "{condition}");
    }
}

#[test]
fn conditions_that_do_not_hold() {
    for condition in [
        "joinWebUrl eq null",
        "organizer/Missing gt 1",
        "not (organizer/Missing add 1 gt 1) and false",
        "contains(organizer/Missing,'x')",
        "not contains(organizer/Missing,'x')",
        "version mod 0.0 eq version mod 0.0",
        "organizer/Echo eq 'true'",
        "organizer/Score in (1,2)",
        "type gt 'unknownFutureValue'",
        "sessions/all(s:s/isTest)",
        "participants_v2/any(p:p/identity/displayName eq 'Ann')",
        "startDateTime gt maxdatetime()",
        "duration gt duration'PT30M'",
    ] {
        assert!(!holds(condition), "{condition}");
    }
}

/// The `n` of the records that are chosen, in their order.
fn chosen(options: &[(&str, &str)], records: &[String]) -> Vec<String> {
    let query = query(options);
    let sieve = Sieve::new(&query);
    let mut pager = Pager::new(&sieve, Window::of(&query, 0, 100), ty(), environment());
    for record in records {
        let id = |item: &Node<'_>| item.get("id").unwrap().as_text().unwrap().value().into_owned();
        if pager.offer(Cow::Owned(Node::parse(record).unwrap()), id).is_break() {
            break;
        }
    }
    pager.finish().unwrap().items
}

fn records() -> Vec<String> {
    ["PT5M", "PT2M", "PT30S", "PT2M"]
        .iter()
        .enumerate()
        .map(|(index, duration)| {
            let kind = ["groupCall", "peerToPeer", "holoCall", "groupCall"][index];
            format!(
                r#"{{"id":"{index}","version":{index},"type":"{kind}","duration":"{duration}","organizer":{{"id":"u{}"}},"modalities":["audio"{}]}}"#,
                index % 2,
                if index > 1 { ",\"video\"" } else { "" },
            )
        })
        .collect()
}

#[test]
fn calculated_members_keep_their_types_in_conditions_and_orders() {
    let half = ("compute", "duration div 2 as half,version mul 10 as tens");
    let found = chosen(
        &[half, ("filter", "half ge duration'PT1M'"), ("orderby", "half desc,tens desc")],
        &records(),
    );
    assert_eq!(found, ["0", "3", "1"]);
    assert_eq!(chosen(&[("orderby", "type,id desc")], &records()), ["3", "0", "1", "2"]);
    assert_eq!(chosen(&[("skip", "1"), ("top", "2")], &records()), ["1", "2"]);
}

#[test]
fn patterns_that_can_not_be_matched_are_refused() {
    let refusal = |pattern: &str| {
        let condition = format!("matchesPattern(id,'{pattern}')");
        let text = format!("$filter={}", crate::percent::encode_query(&condition));
        parse("communications/callRecords", &text).unwrap_err().to_string()
    };
    for pattern in ["(", "[z-a]", "(?=x)"] {
        let expected = format!(
            "Regular expression expected but found '{pattern}' at position 18 in \
             'matchesPattern(id,'{pattern}')'."
        );
        assert_eq!(refusal(pattern), expected);
    }
    let expected = "Too much in '$filter': bytes of a compiled regular expression, at most 262144.";
    assert_eq!(refusal("(((a{100}){100}){100}){100}"), expected);
}

#[test]
fn patterns_count_among_the_nodes_of_a_request() {
    let condition = vec!["matchesPattern(id,'a')"; 20].join(" or ");
    let text = format!("$filter={}", crate::percent::encode_query(&condition));
    let error = parse("communications/callRecords", &text).unwrap_err().to_string();
    assert!(error.contains("nodes of expressions"), "{error}");
}

fn applied(apply: &str) -> Vec<String> {
    let query = query(&[("apply", apply)]);
    let pipeline = Pipeline::new(&query.apply.unwrap(), ty()).unwrap();
    let sizes = Sizes { groups: 100, items: 100, values: 100 };
    let mut run = pipeline.start(sizes, environment());
    for record in &records() {
        if run.push(Cow::Owned(Node::parse(record).unwrap())).unwrap().is_break() {
            break;
        }
    }
    run.finish().unwrap().iter().map(shown).collect()
}

fn shown(node: &Node<'_>) -> String {
    let mut out = Vec::new();
    write_node(&mut out, node);
    String::from_utf8(out).unwrap().replace("@odata.type", "@")
}

#[test]
fn aggregates_keep_their_types_along_the_chain() {
    let chain = "groupby((organizer/id),aggregate(duration with sum as total,$count as n))\
                 /compute(total div n as mean)/filter(mean gt duration'PT2M')/orderby(total desc)";
    let expected = r##"{"organizer":{"id":"u0"},"total@":"#Duration","total":"PT5M30S","n@":"#Int64","n":2,"mean@":"#Duration","mean":"PT2M45S"}"##;
    assert_eq!(applied(chain), [expected]);
    let share = "aggregate(version with average as mean)/compute(mean div 2 as half)";
    assert_eq!(applied(share), [r#"{"mean":1.5,"half":0.75}"#]);
    let whole = "aggregate(version with sum as v)/compute(v div 4 as quarter)";
    assert_eq!(applied(whole), [r##"{"v@":"#Int64","v":6,"quarter@":"#Int64","quarter":1}"##]);
}

/// What `groupby` makes of the sessions of [`RECORD`].
fn grouped_sessions(keys: &str) -> Vec<String> {
    let text = format!("$apply=groupby(({keys}))");
    let (_, query) = parse("communications/callRecords('x')/sessions", &text).unwrap();
    let session = Type::Structured(structured("session"));
    let pipeline = Pipeline::new(&query.apply.unwrap(), session).unwrap();
    let sizes = Sizes { groups: 100, items: 100, values: 100 };
    let mut run = pipeline.start(sizes, environment());
    let record = Node::parse(RECORD).unwrap();
    for session in record.get("sessions").and_then(Node::as_array).unwrap() {
        assert!(run.push(Cow::Borrowed(session)).unwrap().is_continue());
    }
    run.finish().unwrap().iter().map(shown).collect()
}

#[test]
fn groups_are_of_the_types_that_their_paths_cast_to_unless_the_key_is_null() {
    let participant = "microsoft.graph.callRecords.participantEndpoint";
    let expected = [
        r##"{"caller":{"@":"#microsoft.graph.callRecords.participantEndpoint","name":"pc"},"isTest":true}"##,
        r#"{"caller":{"name":null},"isTest":false}"#,
    ];
    assert_eq!(grouped_sessions(&format!("caller/{participant}/name,isTest")), expected);
    let expected = [
        r##"{"caller":{"@":"#microsoft.graph.callRecords.participantEndpoint","userAgent":"Teams"}}"##,
        r#"{"caller":{"userAgent":"Bot"}}"#,
    ];
    for keys in ["caller/userAgent,caller/P/userAgent", "caller/P/userAgent,caller/userAgent"] {
        assert_eq!(grouped_sessions(&keys.replace('P', participant)), expected, "{keys}");
    }
}

#[test]
fn transformations_of_requests_run() {
    assert_eq!(applied("groupby((type))").len(), 3);
    assert_eq!(
        applied("filter(version gt 1)/aggregate($count as n)"),
        [r##"{"n@":"#Int64","n":2}"##]
    );
    assert_eq!(
        applied("groupby((rollup($all,organizer/id,type)),aggregate($count as n))").len(),
        3 + 2 + 1 + 1
    );
    assert_eq!(applied("topcount(1,duration)/groupby((id))"), [r#"{"id":"0"}"#]);
    assert_eq!(applied("concat(identity,skip(3))").len(), 5);
    assert_eq!(
        applied("aggregate(modalities with countdistinct as kinds)"),
        [r##"{"kinds@":"#Int64","kinds":2}"##]
    );
    let median = applied("aggregate(duration with callvault.median as m)");
    assert_eq!(median, [r##"{"m@":"#Duration","m":"PT2M"}"##]);
}

#[test]
fn calculation_without_a_result_ends_the_evaluation_with_its_place() {
    for (condition, fault, position) in [
        ("version div 0 eq 1", Fault::DivisionByZero, 0),
        ("1 eq 2 or version mod 0 ge 0", Fault::DivisionByZero, 10),
        ("9223372036854775807 add version gt 0", Fault::Overflow, 0),
        ("1 div 0 eq 1", Fault::DivisionByZero, 0),
    ] {
        let query = query(&[("filter", condition)]);
        let sieve = Sieve::new(&query);
        let meter = Meter::unlimited();
        let environment = Environment { searcher: &NoSearch, meter: &meter };
        let mut pager = Pager::new(&sieve, Window::of(&query, 0, 100), ty(), environment);
        let _ = pager.offer(Cow::Owned(Node::parse(RECORD).unwrap()), |_| String::new());
        let place = Place { option: "$filter", position };
        let expected = Exhausted::Calculation { fault, place };
        let exhausted = pager.finish().map(|selection| selection.items).unwrap_err();
        assert_eq!(exhausted, expected, "{condition}");
        assert!(exhausted.to_string().ends_with(&format!("at position {position} of '$filter'")));
    }
}
