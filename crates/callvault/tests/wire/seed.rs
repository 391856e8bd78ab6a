//! The two most important responses.

use serde_json::Value;
use testkit::json::{additions, missing};

use super::{READ, TENANT, callvault, fixture, fixture_path};

const ID: &str = "e523d2ed-2966-4b6b-925b-754a88034cc5";

#[test]
fn the_founding_examples_are_right() {
    let callvault = callvault();
    callvault.succeed(&["import", "--tenant", TENANT, &fixture_path("expanded-beta-2020")]);
    let token = callvault.token(TENANT, &[READ]);
    let server = callvault.serve(&[]);
    let mut client = server.client().bearer(&token);
    let root = format!("http://{}/", server.address);
    for (name, options) in
        [("basic-beta-2020", ""), ("expanded-beta-2020", "?$expand=sessions($expand=segments)")]
    {
        let answer = client.get(&format!("/beta/communications/callRecords/{ID}{options}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        let seed = fixture(name).replace("https://graph.microsoft.com/", &root);
        let seed: Value = serde_json::from_str(&seed).unwrap();
        let lost = missing(&answer, &seed, &|name| name == "sessions@odata.nextLink");
        assert!(lost.is_empty(), "{name}: {lost:#?}");
        let mut more = additions(&answer, &seed);
        more.sort();
        assert_eq!(more, ["/organizer_v2", "/organizer_v2@odata.context"], "{name}");
    }
}
