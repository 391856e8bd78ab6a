//! The capability annotations of `$metadata` are true: each one is tested. An annotation without a test is a
//! failure.

use serde_json::{Value, json};
use testkit::{Client, TENANT};

use super::{Asked, RECORDS, encoded};
use crate::{READ, WRITE};

const SERVICE: &str = "microsoft.graph.GraphService";

/// A condition for each function that the service may state.
const FUNCTIONS: &[(&str, &str)] = &[
    ("concat", "concat(id,'x') eq 'r1x'"),
    ("contains", "contains(id,'r1')"),
    ("endswith", "endswith(id,'1')"),
    ("indexof", "indexof(id,'r1') eq 0"),
    ("length", "length(id) eq 2 and id eq 'r1'"),
    ("startswith", "startswith(id,'r1')"),
    ("substring", "substring(id,1) eq '1'"),
    ("hassubset", "hassubset(modalities,[]) and id eq 'r1'"),
    ("hassubsequence", "hassubsequence(modalities,[\"audio\"]) and id eq 'r1'"),
    ("matchesPattern", "matchesPattern(id,'^r1$')"),
    ("tolower", "tolower(id) eq 'r1'"),
    ("toupper", "toupper(id) eq 'R1'"),
    ("trim", "trim(concat(' ',id)) eq 'r1'"),
    ("year", "year(startDateTime) eq 2025 and id eq 'r1'"),
    ("month", "month(startDateTime) eq 3 and id eq 'r1'"),
    ("day", "day(startDateTime) eq 1 and id eq 'r1'"),
    ("hour", "hour(startDateTime) eq 9 and minute(startDateTime) eq 0"),
    ("minute", "minute(endDateTime) eq 10"),
    ("second", "second(startDateTime) eq 0 and id eq 'r1'"),
    ("fractionalseconds", "fractionalseconds(startDateTime) eq 0 and id eq 'r1'"),
    ("date", "date(startDateTime) eq 2025-03-01 and id eq 'r1'"),
    ("time", "time(startDateTime) eq 09:00:00"),
    ("totaloffsetminutes", "totaloffsetminutes(startDateTime) eq 0 and id eq 'r1'"),
    ("totalseconds", "totalseconds(endDateTime sub startDateTime) eq 600"),
    ("now", "startDateTime lt now() and id eq 'r1'"),
    ("mindatetime", "startDateTime gt mindatetime() and id eq 'r1'"),
    ("maxdatetime", "startDateTime lt maxdatetime() and id eq 'r1'"),
    ("ceiling", "ceiling(version divby 2) eq 1 and id eq 'r1'"),
    ("floor", "floor(version divby 2) eq 0 and id eq 'r1'"),
    ("round", "round(version divby 2) eq 1 and id eq 'r1'"),
    (
        "callvault.bucket",
        "callvault.bucket(startDateTime,duration'PT1H') eq 2025-03-01T09:00:00Z and id eq 'r1'",
    ),
    ("callvault.ratio", "callvault.ratio(version,4) eq 0.25 and id eq 'r1'"),
    ("callvault.wilson", "callvault.wilson(version,2) lt 0.095 and id eq 'r1'"),
    ("cast", "cast(version,Edm.String) eq '1' and id eq 'r1'"),
    ("isof", "isof(version,Edm.Int64) and id eq 'r1'"),
    ("isdefined", "isdefined(version) and id eq 'r1'"),
    ("case", "case(id eq 'r1':1,true:2) eq 1"),
];

/// An example of each transformation, and how many items it gives.
const TRANSFORMATIONS: &[(&str, &str, usize)] = &[
    ("filter", "filter(version eq 7)", 1),
    ("search", "search(jabra)", 3),
    ("compute", "compute(version mul 2 as twice)", 8),
    ("aggregate", "aggregate($count as n)", 1),
    ("groupby", "groupby((type))", 4),
    ("join", "join(sessions as s)", 9),
    ("outerjoin", "outerjoin(sessions as s)", 11),
    ("topcount", "topcount(2,version)", 2),
    ("bottomcount", "bottomcount(2,version)", 2),
    ("topsum", "filter(version lt 9)/topsum(10,version)", 2),
    ("bottomsum", "filter(version lt 9)/bottomsum(4,version)", 4),
    ("toppercent", "filter(version lt 9)/toppercent(50,version)", 2),
    ("bottompercent", "filter(version lt 9)/bottompercent(25,version)", 4),
    ("concat", "concat(identity,filter(version eq 7))", 9),
    ("identity", "identity", 8),
    ("orderby", "orderby(id)", 8),
    ("skip", "skip(3)", 5),
    ("top", "top(3)", 3),
];

struct Tried {
    asked: Asked,
    writer: Client,
    service: Value,
    navigation: Vec<Value>,
}

fn tried() -> Tried {
    let mut asked = Asked::new();
    let mut documents = ["v1.0", "beta"].map(|version| {
        let document = asked.body(&format!("/{version}/$metadata?$format=json"));
        let schemas = document.as_object().unwrap();
        let said = schemas.values().filter_map(|schema| schema.get("$Annotations"));
        let said: Vec<Value> = said.cloned().collect();
        assert_eq!(said.len(), 1, "one schema has the annotations");
        said[0].clone()
    });
    assert_eq!(documents[0], documents[1], "both versions can do the same");
    let said = documents[0].as_object_mut().unwrap();
    let service = said.remove(SERVICE).unwrap();
    let communications = said.remove(&format!("{SERVICE}/communications")).unwrap();
    assert!(said.is_empty(), "nobody tries {said:?}");
    let mut terms = communications.as_object().unwrap().clone();
    let mut restrictions = terms.remove("@Capabilities.NavigationRestrictions").unwrap();
    assert!(terms.is_empty(), "nobody tries {terms:?}");
    let navigation = restrictions["RestrictedProperties"].take();
    let writer = asked.writer();
    let navigation = navigation.as_array().unwrap().clone();
    Tried { asked, writer, service, navigation }
}

impl Asked {
    fn writer(&self) -> Client {
        self.server.client().bearer(&self.callvault.token(TENANT, &[READ, WRITE]))
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn every_statement_about_the_service_is_known_and_true() {
    let Tried { mut asked, service, .. } = tried();
    for (term, value) in service.as_object().unwrap() {
        let mut status = |target: &str| asked.get(target).status;
        match (term.as_str(), value) {
            ("@Capabilities.ConformanceLevel", value) => {
                assert!(
                    ["Intermediate", "1"].contains(&&*value.to_string().replace('"', "")),
                    "{value}"
                );
            }
            ("@Capabilities.SupportedFormats", value) => {
                for format in texts(value) {
                    assert_eq!(status(&format!("{RECORDS}?$format={format}")), 200, "{format}");
                }
                assert_eq!(status(&format!("{RECORDS}?$format=application/atom%2Bxml")), 406);
            }
            ("@Capabilities.SupportedMetadataFormats", value) => {
                for format in texts(value) {
                    assert_eq!(
                        status(&format!("/v1.0/$metadata?$format={format}")),
                        200,
                        "{format}"
                    );
                }
            }
            ("@Capabilities.AsynchronousRequestsSupported", Value::Bool(false)) => {
                let answer = asked.client.get_with(RECORDS, &[("Prefer", "respond-async")]);
                assert_eq!(answer.status, 200);
                let applied = answer.header("preference-applied").unwrap_or_default();
                assert!(!applied.contains("respond-async"), "{applied}");
            }
            ("@Capabilities.BatchSupported", Value::Bool(true)) => {
                let batch =
                    json!({"requests": [{"id": "1", "method": "GET", "url": "/$metadata"}]});
                let answer = asked.client.post("/v1.0/$batch", batch.to_string().as_bytes());
                assert_eq!(answer.json()["responses"][0]["status"], 200);
            }
            ("@Capabilities.BatchSupport", value) => {
                // What else it says is tried beside the batches themselves.
                assert_eq!(
                    value["SupportedFormats"],
                    json!(["application/json", "multipart/mixed"])
                );
                let mixed = [("Content-Type", "multipart/mixed; boundary=b")];
                let batch =
                    b"--b\r\nContent-Type: application/http\r\n\r\nGET / HTTP/1.1\r\n\r\n--b--";
                let answer = asked.client.send("POST", "/v1.0/$batch", &mixed, batch);
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
            ("@Core.ODataVersions", value) => {
                for version in value.as_str().unwrap().split(' ') {
                    let most = [("OData-MaxVersion", version)];
                    let answer = asked.client.get_with(RECORDS, &most);
                    assert_eq!(answer.header("odata-version"), Some(version));
                }
            }
            ("@Capabilities.CrossJoinSupported", Value::Bool(false)) => {
                assert_ne!(status("/v1.0/$crossjoin(communications)"), 200);
            }
            ("@Capabilities.KeyAsSegmentSupported", Value::Bool(true)) => {
                assert_eq!(status(&format!("{RECORDS}/r1")), 200);
            }
            ("@Capabilities.QuerySegmentSupported", value) => {
                assert_eq!(value, &json!({"Supported": true}));
                let text = [("Content-Type", "text/plain")];
                let target = format!("{RECORDS}/$query");
                let answer = asked.client.send("POST", &target, &text, b"$filter=version eq 7");
                assert_eq!(super::names(&answer.json()["value"]).as_deref(), Some("r7"));
            }
            ("@Capabilities.AnnotationValuesInQuerySupported", Value::Bool(false)) => {
                assert_eq!(status(&format!("{RECORDS}?$filter=@core.x eq 1")), 501);
            }
            ("@Capabilities.FilterFunctions", value) => functions(&mut asked, &texts(value)),
            ("@Aggregation.ApplySupportedDefaults", value) => aggregation(&mut asked, value),
            (term, value) => panic!("nobody tries {term}: {value}"),
        }
    }
}

fn functions(asked: &mut Asked, said: &[&str]) {
    let known: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(said, known, "each function has an example, and each example is stated");
    for (name, filter) in FUNCTIONS {
        let found = asked.names(&format!("{RECORDS}?$filter={filter}"));
        assert_eq!(found.as_deref(), Ok("r1"), "{name}");
    }
}

fn size(asked: &mut Asked, apply: &str) -> usize {
    let body = asked.body(&format!("{RECORDS}?$apply={apply}"));
    body["value"].as_array().unwrap().len()
}

fn aggregation(asked: &mut Asked, said: &Value) {
    for (member, value) in said.as_object().unwrap() {
        match member.as_str() {
            "Transformations" => {
                let known: Vec<&str> = TRANSFORMATIONS.iter().map(|(name, ..)| *name).collect();
                assert_eq!(texts(value), known);
                for (_, apply, expected) in TRANSFORMATIONS {
                    assert_eq!(size(asked, apply), *expected, "{apply}");
                }
            }
            "CustomAggregationMethods" => {
                for method in texts(value) {
                    assert_eq!(
                        size(asked, &format!("aggregate(version with {method} as x)")),
                        1,
                        "{method}"
                    );
                }
            }
            "Rollup" => {
                assert!(value.to_string().contains("MultipleHierarchies"), "{value}");
                let rolled = "groupby((rollup($all,type),rollup($all,version)))";
                // Types 4; versions 1, 2, 3, 7 and the large one; pairs as they occur: 6.
                assert_eq!(size(asked, rolled), 1 + 4 + 5 + 6);
            }
            "From" => {
                assert_eq!(value, &json!(false));
                let from = "aggregate(version with sum as s from type with average as a)";
                let answer = asked.get(&format!("{RECORDS}?$apply={from}"));
                assert!([400, 501].contains(&answer.status), "{}", answer.text());
            }
            other => panic!("nobody tries {other}"),
        }
    }
}

/// An instance of a collection or entity that a navigation path names: its address, and the id of
/// an item that a collection has.
fn instance(path: &str) -> (String, Option<&'static str>) {
    let (path, id) = match path {
        "callRecords" => ("", Some("r2")),
        "callRecords/sessions" => ("/r2/sessions", Some("r2b")),
        "callRecords/sessions/segments" => ("/r2/sessions/r2a/segments", Some("r2a2")),
        "callRecords/participants_v2" => ("/r2/participants_v2", Some("visitor-7")),
        "callRecords/organizer_v2" => ("/r2/organizer_v2", None),
        other => panic!("nobody tries {other}"),
    };
    (format!("{RECORDS}{path}"), id)
}

#[test]
fn every_statement_about_a_collection_is_known_and_true() {
    let Tried { mut asked, mut writer, navigation, .. } = tried();
    for said in &navigation {
        let mut said = said.as_object().unwrap().clone();
        let path = said.remove("NavigationProperty").unwrap();
        let path = path.as_str().unwrap_or_else(|| panic!("{path} is no path"));
        let (base, id) = instance(path);
        for (member, value) in &said {
            let id = id.unwrap_or_default();
            match (member.as_str(), value) {
                ("SelectSupport", value) => select_support(&mut asked, &base, value),
                ("IndexableByKey", Value::Bool(true)) => {
                    for address in [format!("{base}/{id}"), format!("{base}('{id}')")] {
                        assert_eq!(asked.body(&address)["id"], id, "{address}");
                    }
                }
                ("InsertRestrictions" | "UpdateRestrictions" | "DeleteRestrictions", value) => {
                    writes(&mut writer, path, &base, member, value);
                }
                (member, value) => questions(&mut asked, &base, id, member, value),
            }
        }
    }
}

/// Tries what is said of the questions that a collection answers.
fn questions(asked: &mut Asked, base: &str, id: &str, member: &str, said: &Value) {
    let mut ids = |options: &str| asked.names(&format!("{base}{options}")).unwrap();
    match (member, said) {
        ("FilterRestrictions", said) => {
            assert_eq!(said, &json!({"Filterable": true}));
            assert_eq!(ids(&format!("?$filter=id eq '{id}'")), id);
        }
        ("SearchRestrictions", said) => {
            assert_eq!(said, &json!({"Searchable": true}));
            assert_eq!(ids("?$search=thisWordIsNowhere"), "");
        }
        ("SortRestrictions", said) => {
            assert_eq!(said, &json!({"Sortable": true}));
            let upwards = ids("?$orderby=id");
            let downwards: Vec<&str> = upwards.split(' ').rev().collect();
            assert_eq!(ids("?$orderby=id desc"), downwards.join(" "));
        }
        ("TopSupported", Value::Bool(true)) => assert!(!ids("?$top=1").contains(' ')),
        ("SkipSupported", Value::Bool(true)) => {
            let all = ids("");
            assert_eq!(ids("?$skip=1"), all.split_once(' ').unwrap().1);
        }
        (member, said) => panic!("nobody tries {member}: {said}"),
    }
}

fn select_support(asked: &mut Asked, base: &str, said: &Value) {
    let mut is_answered = |options: &str| {
        let answer = asked.get(&format!("{base}?{options}"));
        assert!([200, 400, 501].contains(&answer.status), "{options}: {}", answer.text());
        answer.status == 200
    };
    for (member, is_supported) in said.as_object().unwrap() {
        let (property, value) = if base.ends_with("segments") {
            ("media", "label")
        } else if base.ends_with("sessions") {
            ("modalities", "$it")
        } else if base.ends_with("participants_v2") {
            ("administrativeUnitInfos", "id")
        } else {
            ("participants", "user/id")
        };
        // Names have no members to calculate with.
        if (member.as_str(), value) == ("ComputeSupported", "$it") {
            continue;
        }
        let inside = |option: &str| format!("$select={property}({option})");
        let options = match member.as_str() {
            "Supported" => "$select=id".to_owned(),
            "InstanceAnnotationsSupported" => "$select=@core.x".to_owned(),
            "Expandable" => inside("$expand=x"),
            "Filterable" => inside(&format!("$filter={value} ne null")),
            "Searchable" => inside("$search=x"),
            "Sortable" => inside(&format!("$orderby={value}")),
            "TopSupported" => inside("$top=1"),
            "SkipSupported" => inside("$skip=1"),
            "ComputeSupported" => inside(&format!("$compute=length({value}) as x")),
            "Countable" => inside("$count=true"),
            other => panic!("nobody tries {other}"),
        };
        assert_eq!(json!(is_answered(&options)), *is_supported, "{member}: {options}");
    }
}

fn writes(writer: &mut Client, path: &str, base: &str, member: &str, said: &Value) {
    let json = [("Content-Type", "application/json")];
    let body = |id: &str| {
        format!(
            r#"{{"id":"{id}","version":1,"type":"unknown","modalities":[],"startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2025-01-01T00:00:01Z"}}"#
        )
    };
    let mut send = |method: &str, target: &str, body: &str| {
        writer.send(method, &encoded(target), &json, body.as_bytes()).status
    };
    let item = match path {
        "callRecords" => format!("{base}/r2"),
        "callRecords/sessions" => format!("{base}/r2b"),
        "callRecords/sessions/segments" => format!("{base}/r2a2"),
        "callRecords/participants_v2" => format!("{base}/visitor-7"),
        _ => base.to_owned(),
    };
    match (member, said.to_string().contains("true")) {
        ("InsertRestrictions", true) => {
            assert_eq!(send("POST", base, &body("posted")), 201);
        }
        ("InsertRestrictions", false) => assert_eq!(send("POST", base, "{}"), 405, "{base}"),
        ("UpdateRestrictions", true) => {
            assert_eq!(said["Updatable"], true);
            assert_eq!(said["Upsertable"], true);
            assert!(said["UpdateMethod"].to_string().contains("PUT"), "{said}");
            assert_eq!(send("PUT", &format!("{base}/put"), &body("put")), 201);
            let newer = body("put").replace("\"version\":1", "\"version\":2");
            assert_eq!(send("PUT", &format!("{base}/put"), &newer), 200);
            assert_eq!(send("PATCH", &format!("{base}/put"), &newer), 405);
        }
        ("UpdateRestrictions", false) => {
            for method in ["PUT", "PATCH"] {
                assert_eq!(send(method, &item, "{}"), 405, "{method} {item}");
            }
        }
        // For those who may: see the tests of erasing.
        ("DeleteRestrictions", true) => {
            assert_eq!(send("DELETE", &format!("{base}/none"), ""), 403, "{base}");
        }
        ("DeleteRestrictions", false) => assert_eq!(send("DELETE", &item, ""), 405, "{item}"),
        (member, _) => panic!("nobody tries {member}: {said}"),
    }
}
