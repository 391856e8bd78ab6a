//! `callvault.legs()`: a row for each end of each stream, and where it was.

use serde_json::{Value, json};
use testkit::{Callvault, Client, Server, TENANT};

use super::erasing::ADMIN;
use super::quality::{keep, rows};
use super::{READ, RECORDS, WRITE, callvault};

const LEGS: &str = "/v1.0/communications/callRecords/callvault.legs()";
const BUILDINGS: &str = "\
    10.1.2.0,Floor 1,24,Building One,Contoso,Office,,Seattle,98001,US,WA,West,1,0,0\n\
    172.16.18.0,Tunnel,24,VPN,Contoso,VPN,,,,,,,1,0,1\n";

/// A call between an office and a tunnel that says that it is wired.
fn call(id: &str, start: &str) -> Value {
    let end = |id: &str, name: &str| {
        json!({"@odata.type": "#microsoft.graph.callRecords.participantEndpoint", "name": name,
            "identity": {"user": {"id": id, "displayName": id}},
            "userAgent": {"@odata.type": "#microsoft.graph.callRecords.clientUserAgent",
                "platform": "windows", "productFamily": "teams"}})
    };
    let network = |subnet: &str, address: &str| json!({"subnet": subnet, "ipAddress": address, "connectionType": "wired"});
    let stream = |id: &str, direction: &str, loss: f64| {
        json!({"streamId": id, "streamDirection": direction, "packetUtilization": 900,
            "averagePacketLossRate": loss})
    };
    let times = json!({"startDateTime": start, "endDateTime": start});
    let with_times = |mut value: Value| {
        let members = value.as_object_mut().unwrap();
        members.extend(times.as_object().unwrap().clone());
        value
    };
    let segment = with_times(json!({"id": id, "caller": end("anna", "PC-1"),
        "callee": end("ben", "PC-2"), "media": [{"label": "main-audio",
            "callerNetwork": network("10.1.2.0", "10.1.2.7"),
            "calleeNetwork": network("192.168.1.0", "172.16.18.7"),
            "streams": [stream("1", "callerToCallee", 0.2), stream("2", "calleeToCaller", 0.0)]}]}));
    let session = with_times(json!({"id": id, "segments": [segment]}));
    with_times(json!({"id": id, "version": 1, "type": "peerToPeer", "modalities": ["audio"],
        "sessions": [session]}))
}

/// A server with two calls and a map that holds for the second one.
fn placed() -> (Callvault, Server, Client) {
    let callvault = callvault();
    let server = callvault.serve(&[]);
    let token = callvault.token(TENANT, &[ADMIN, READ, WRITE]);
    let mut client = server.client().bearer(&token);
    keep(&mut client, &call("before", "2026-02-01T10:00:00Z"));
    keep(&mut client, &call("after", "2026-03-01T10:00:00Z"));
    let csv = [("Content-Type", "text/csv")];
    let target = "/callvault/places?name=offices&from=2026-02-15";
    let answer = client.send("POST", target, &csv, BUILDINGS.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    (callvault, server, client)
}

#[test]
fn either_end_says_who_and_where_it_was() {
    let (_callvault, _server, mut client) = placed();
    let all = rows(&mut client, LEGS);
    assert_eq!(all.len(), 8);
    let row = &all[0];
    for (pointer, expected) in [
        ("/callRecordId", json!("after")),
        ("/end", json!("caller")),
        ("/direction", json!("sender")),
        ("/isService", json!(false)),
        ("/isFirst", json!(true)),
        ("/person", json!({"kind": "user", "id": "anna"})),
        ("/endpointName", json!("PC-1")),
        ("/identity/user/displayName", json!("anna")),
        ("/network/subnet", json!("10.1.2.0")),
        ("/peerSubnet", json!("192.168.1.0")),
        ("/peerPerson/id", json!("ben")),
        ("/peerPlatform", json!("windows")),
        ("/place/building", json!("Building One")),
        ("/place/isInside", json!(true)),
        ("/place/endpoint", Value::Null),
    ] {
        assert_eq!(row.pointer(pointer), Some(&expected), "{pointer}: {row}");
    }
    assert_eq!(row["userAgent"]["@odata.type"], "#microsoft.graph.callRecords.clientUserAgent");
    assert_eq!(row.get("callvault.quality"), None);
    assert_eq!(all[1]["place"]["networkName"], "Tunnel", "by its address: {}", all[1]);
    let before = all.iter().filter(|row| row["callRecordId"] == "before");
    assert!(before.clone().all(|row| row["place"].is_null()), "the map did not hold then");
    assert_eq!(before.count(), 4);
}

#[test]
fn ends_are_asked_by_every_option() {
    let (_callvault, _server, mut client) = placed();
    let mut count = |filter: &str| {
        let filter = odata::percent::encode_query(filter);
        let answer = client.get(&format!("{LEGS}/$count?$filter={filter}"));
        assert_eq!(answer.status, 200, "{filter}: {}", answer.text());
        answer.text().parse::<u64>().unwrap()
    };
    for (filter, expected) in [
        ("place/isVpn", 2),
        ("place ne null", 4),
        ("place/building eq 'Building One' and direction eq 'receiver'", 1),
        ("callvault.quality/verdict eq 'poor'", 4),
        ("callvault.quality(profile='cri-2')/verdict eq 'poor'", 0),
        ("person/id eq 'anna' and callvault.quality/verdict eq 'poor'", 2),
        ("identity/user/id eq 'ben' and end eq 'callee'", 4),
    ] {
        assert_eq!(count(filter), expected, "{filter}");
    }
    let apply = "filter(place/building ne null)\
        /groupby((place/building,callvault.quality/verdict),aggregate($count as ends))";
    let found = rows(&mut client, &format!("{LEGS}?$apply={apply}&$orderby=place/building"));
    let told: Vec<_> =
        found.iter().map(|row| (row["place"]["building"].as_str(), &row["ends"])).collect();
    let one = json!(1);
    let (office, vpn) = (Some("Building One"), Some("VPN"));
    assert_eq!(told, [(office, &one), (office, &one), (vpn, &one), (vpn, &one)]);
    let shown = format!("{LEGS}?$select=person,place/city,callvault.quality&$top=1");
    let found = rows(&mut client, &shown);
    assert_eq!(found[0]["place"], json!({"city": "Seattle"}));
    assert_eq!(found[0]["callvault.quality"]["verdict"], "poor");
    let post = client.send(
        "POST",
        &format!("{LEGS}/$query"),
        &[("Content-Type", "text/plain")],
        b"$filter=place/region eq 'West'&$orderby=person/id desc&$count=true",
    );
    assert_eq!(post.status, 200, "{}", post.text());
    assert_eq!(post.json()["@odata.count"], 2);
    let beta = rows(&mut client, &format!("{}?$filter=place/isVpn", LEGS.replace("v1.0", "beta")));
    assert_eq!(beta.len(), 2);
    assert_eq!(rows(&mut client, &format!("{RECORDS}?$filter=id eq 'after'")).len(), 1);
}

#[test]
fn a_wrong_name_is_told_with_its_place() {
    let (_callvault, _server, mut client) = placed();
    for (filter, told) in [
        ("place/bilding eq 'x'", "building"),
        ("end eq 'callr'", "caller"),
        ("direction eq 'sends'", "sender"),
    ] {
        let target = format!("{LEGS}?$filter={}", odata::percent::encode_query(filter));
        let answer = client.get(&target);
        assert_eq!(answer.status, 400, "{filter}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(told), "{message}");
    }
}
