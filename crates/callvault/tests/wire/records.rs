//! Records of the real service, each in its own tenant.

use serde_json::Value;
use testkit::Client;
use testkit::json::missing;

use super::{READ, RECORDS, TENANT, WRITE, callvault, fixture, served};

const EVERYTHING: &str = "$expand=sessions($expand=segments),participants_v2";

const SINGLE: [&str; 6] = [
    "basic-beta-2020",
    "expanded-beta-2020",
    "get-basic-v1",
    "get-expanded-v1",
    "get-participants_v2-v1",
    "group-expanded-2025",
];

fn is_written_anew(name: &str) -> bool {
    name.ends_with("@odata.context") || name.ends_with("@odata.nextLink")
}

fn get(client: &mut Client, id: &str, accept: &str) -> Value {
    let target = format!("{RECORDS}/{id}?{EVERYTHING}");
    let answer = client.get_with(&target, &[("Accept", accept)]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn nothing_is_lost_and_reimporting_the_output_changes_nothing() {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    for (number, name) in SINGLE.iter().enumerate() {
        let tenant = format!("00000000-0000-4000-8000-{number:012}");
        let token = callvault.token(&tenant, &[READ, WRITE]);
        let mut client = server.client().bearer(&token);
        let payload = fixture(name);
        let answer = client.post(RECORDS, payload.as_bytes());
        assert_eq!(answer.status, 201, "{name}: {}", answer.text());
        let record: Value = serde_json::from_str(&payload).unwrap();
        let id = record["id"].as_str().unwrap();
        let kept = get(&mut client, id, "application/json");
        let lost = missing(&kept, &record, &is_written_anew);
        assert!(lost.is_empty(), "{name}: {lost:#?}");

        let mut again = vec![payload];
        for level in ["none", "minimal", "full"] {
            for options in ["", ";IEEE754Compatible=true"] {
                let accept = format!("application/json;odata.metadata={level}{options}");
                again.push(get(&mut client, id, &accept).to_string());
            }
        }
        let basic = client.get_with(&format!("{RECORDS}/{id}"), &[("Prefer", "omit-values=nulls")]);
        again.push(basic.text());
        for text in again {
            let answer = client.post(RECORDS, text.as_bytes());
            assert_eq!(answer.status, 200, "{name}: {}\n{text}", answer.text());
            assert_eq!(answer.header("callvault-result"), Some("unchanged"), "{name}\n{text}");
        }
    }
}

#[test]
fn lists_of_the_service_can_be_imported() {
    let (callvault, _server, mut client) = served();
    let path = super::fixture_path("list-v1");
    let counts: Value =
        serde_json::from_str(&callvault.succeed(&["import", "--tenant", TENANT, &path])).unwrap();
    assert_eq!(counts["created"], 2, "{counts}");
    let list: Value = serde_json::from_str(&fixture("list-v1")).unwrap();
    for record in list["value"].as_array().unwrap() {
        let kept = get(&mut client, record["id"].as_str().unwrap(), "application/json");
        let lost = missing(&kept, record, &is_written_anew);
        assert!(lost.is_empty(), "{lost:#?}");
    }
}

#[test]
fn payloads_of_one_version_are_merged_or_refused_where_they_differ() {
    let (_callvault, _server, mut client) = served();
    let mut post = |name: &str| {
        let answer = client.post(RECORDS, fixture(name).as_bytes());
        let result = answer.header("callvault-result").map(str::to_owned);
        let target = answer.json()["error"]["target"].as_str().map(str::to_owned);
        (answer.status, result.or(target).unwrap_or_default())
    };
    assert_eq!(post("basic-beta-2020"), (201, "created".into()));
    assert_eq!(post("expanded-beta-2020"), (200, "merged".into()));
    assert_eq!(post("basic-beta-2020"), (200, "unchanged".into()));
    assert_eq!(post("get-basic-v1"), (200, "unchanged".into()));
    // This one shows one of the two streams, and says nowhere that there are more.
    let streams = "/sessions/0/segments/0/media/0/streams";
    assert_eq!(post("get-expanded-v1"), (409, streams.into()));
    assert_eq!(post("get-participants_v2-v1"), (200, "merged".into()));
    assert_eq!(post("get-participants_v2-v1"), (200, "unchanged".into()));
}
