//! A tenant that is mistyped or left out.

use testkit::{OTHER_TENANT, TENANT};

use crate::{READ, callvault, id, record};

const UNKNOWN: &str = "00000000-1111-4222-8333-444444444444";

#[test]
fn a_tenant_that_the_store_does_not_hold_is_told() {
    let callvault = callvault();
    let import = |tenant: &str, number| {
        let line = record(number, 1);
        callvault.run_with_input(&["import", "--tenant", tenant, "-"], line.as_bytes())
    };
    let said = import(TENANT, 1).stderr;
    assert!(said.contains(&format!("the tenant {TENANT} is new: ")), "{said}");
    assert!(said.contains(&format!("1 tenant ({TENANT})")), "{said}");
    assert!(!import(TENANT, 2).stderr.contains("tenant"));
    let id = id(1);
    for (command, code) in [
        (&["list", "--tenant", UNKNOWN][..], 0),
        (&["list", "--tenant", UNKNOWN, "--of", "streams"], 0),
        (&["get", &id, "--tenant", UNKNOWN], 1),
        (&["query", "explain", "/communications/callRecords", "--tenant", UNKNOWN], 0),
        (&["token", "--role", READ, "--tenant", UNKNOWN], 0),
        (&["app", "create", "--name", "a", "--role", READ, "--tenant", UNKNOWN], 0),
        (&["app", "list", "--tenant", OTHER_TENANT], 0),
        (&["subscriptions", "list", "--tenant", UNKNOWN], 0),
        (&["deliveries", "list", "--tenant", UNKNOWN], 0),
        (&["tail", "--once", "--tenant", UNKNOWN], 0),
    ] {
        let ended = callvault.run(command);
        assert_eq!(ended.status.code(), Some(code), "{command:?}: {}", ended.stderr);
        let told = format!("of 1 tenant ({TENANT})");
        assert!(ended.stderr.contains(&told), "{command:?}: {}", ended.stderr);
    }
    let said = import(UNKNOWN, 3).stderr;
    assert!(said.contains("is new: the store now holds records of 2 tenants"), "{said}");
}

#[test]
fn the_tenant_may_be_left_out_where_there_is_one() {
    let callvault = callvault();
    let line = record(1, 1);
    let import = ["import", "-"];
    let token = ["token", "--role", READ];
    let create = ["app", "create", "--name", "a", "--role", READ];
    callvault.succeed(&["migrate"]);
    for command in [&import[..], &token, &create, &["list"]] {
        let ended = callvault.run(command);
        assert_eq!(ended.status.code(), Some(1), "{command:?}");
        let way = "`callvault import --tenant GUID FILE`";
        for part in [way, "with --tenant"] {
            assert!(ended.stderr.contains(part), "{command:?}: {}", ended.stderr);
        }
    }
    let bare = callvault.run(&["import", TENANT, "-"]);
    let way = format!("{TENANT} is no file: name the tenant of the records with --tenant {TENANT}");
    assert!(bare.stderr.contains(&way), "{}", bare.stderr);
    callvault.run_with_input(&["import", "--tenant", TENANT, "-"], line.as_bytes());
    let again = callvault.run_with_input(&import, record(2, 1).as_bytes());
    assert!(again.status.success() && again.stdout.contains("\"created\":1"), "{}", again.stderr);
    callvault.succeed(&token);
    assert!(callvault.succeed(&create).contains(TENANT));
    callvault.run_with_input(&["import", "--tenant", OTHER_TENANT, "-"], line.as_bytes());
    for command in [&import[..], &token, &create, &["list"]] {
        let ended = callvault.run(command);
        assert_eq!(ended.status.code(), Some(1), "{command:?}");
        for part in [TENANT, OTHER_TENANT, "2 tenants", "--tenant"] {
            assert!(ended.stderr.contains(part), "{command:?}: {part}: {}", ended.stderr);
        }
    }
}
