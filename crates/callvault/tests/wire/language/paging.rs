//! Pages of every kind of collection: following the links returns each item once, in order.

use serde_json::Value;

use super::{Asked, RECORDS, encoded, names};

/// All names along the links, and the sizes of the pages.
fn pages(asked: &mut Asked, target: &str, size: usize) -> (String, Vec<usize>) {
    let prefer = format!("odata.maxpagesize={size}");
    let mut all = Vec::new();
    let mut sizes = Vec::new();
    let mut next = Some(encoded(target));
    while let Some(target) = next {
        // The link carries the size, so that only the first request has to say it.
        let headers = [("Prefer", prefer.as_str())];
        let headers = if sizes.is_empty() { &headers[..] } else { &[] };
        let answer = asked.client.get_with(&target, headers);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        let body = answer.json();
        let items = names(&body["value"]).unwrap_or_else(|| panic!("{target}: {body}"));
        sizes.push(items.split_whitespace().count());
        if !items.is_empty() {
            all.push(items);
        }
        assert!(sizes.len() < 30, "{target} does not end: {all:?}");
        next = body["@odata.nextLink"].as_str().map(str::to_owned);
    }
    (all.join(" "), sizes)
}

#[test]
fn each_item_stands_on_one_page() {
    let mut asked = Asked::new();
    for (target, expected) in [
        ("", "r8 r7 r6 r5 r4 r3 r2 r1"),
        ("?$select=id", "r8 r7 r6 r5 r4 r3 r2 r1"),
        ("?$filter=version eq 1", "r8 r6 r4 r1"),
        ("?$filter=contains(joinWebUrl,'teams')", "r7 r2"),
        ("?$filter=modalities/any(m:m eq 'audio')", "r7 r6 r5 r3 r2 r1"),
        ("?$orderby=startDateTime", "r1 r2 r3 r4 r5 r6 r8 r7"),
        ("?$orderby=id desc", "r7 r6 r5 r4 r3 r2 r1 r8"),
        ("?$orderby=joinWebUrl", "r8 r6 r5 r4 r1 r3 r2 r7"),
        ("?$orderby=joinWebUrl desc", "r7 r2 r3 r8 r6 r5 r4 r1"),
        ("?$orderby=type", "r4 r7 r3 r2 r8 r6 r1 r5"),
        ("?$orderby=version,id desc", "r6 r4 r1 r8 r2 r3 r7 r5"),
        ("?$orderby=endDateTime sub startDateTime desc", "r7 r3 r2 r5 r1 r6 r8 r4"),
        ("?$orderby=sessions/$count desc", "r2 r7 r8 r6 r3 r1 r5 r4"),
        ("?$orderby=contains(joinWebUrl,'teams')", "r8 r6 r5 r4 r1 r3 r7 r2"),
        ("?$orderby=organizer_v2/identity/user/displayName,id", "r8 r4 r1 r2 r5 r3 r6 r7"),
        ("?$top=5", "r8 r7 r6 r5 r4"),
        ("?$skip=3", "r5 r4 r3 r2 r1"),
        ("?$skip=3&$top=3", "r5 r4 r3"),
        ("?$orderby=id&$skip=2&$top=4", "r2 r3 r4 r5"),
        ("?$count=true&$filter=version eq 1", "r8 r6 r4 r1"),
        ("?$search=bob", "r7 r6 r3 r1"),
        ("?$search=bob&$orderby=id", "r1 r3 r6 r7"),
        ("?$search=bob&$filter=version gt 1&$top=2", "r7 r3"),
        ("?$compute=length(id) as l&$orderby=l,id", "r1 r2 r3 r4 r5 r6 r7 r8"),
        ("?$expand=sessions($select=id)", "r8 r7 r6 r5 r4 r3 r2 r1"),
        ("/$filter(version eq 1)", "r8 r6 r4 r1"),
        ("?$filter=version eq @v&@v=1", "r8 r6 r4 r1"),
        ("?$filter=startDateTime lt now()", "r8 r7 r6 r5 r4 r3 r2 r1"),
    ] {
        for size in [1, 2, 3] {
            let (found, sizes) = pages(&mut asked, &format!("{RECORDS}{target}"), size);
            assert_eq!(found, expected, "{target} by {size}");
            assert!(sizes.iter().all(|it| *it <= size), "{target}: {sizes:?}");
        }
    }
}

#[test]
fn rows_and_what_is_inside_records_are_paged_too() {
    let mut asked = Asked::new();
    for (target, expected) in [
        ("/callvault.sessions()", "r8a r7a r7b r6a r3a r2a r2b r2c r1a"),
        (
            "/callvault.sessions()?$orderby=startDateTime desc,id",
            "r7a r7b r8a r6a r3a r2b r2a r2c r1a",
        ),
        ("/callvault.segments()", "r8a1 r7a1 r7b1 r6a1 r3a1 r2a1 r2a2 r2b1 r1a1"),
        (
            "/callvault.segments()?$filter=media/any()&$orderby=id",
            "r1a1 r2a1 r2b1 r3a1 r6a1 r7a1 r7b1",
        ),
        ("/callvault.streams()", "71 72 61 21 22 23 11 12"),
        ("/callvault.streams()?$orderby=averagePacketLossRate desc", "61 71 12 72 21 23 11 22"),
        ("/callvault.streams()?$orderby=averagePacketLossRate", "22 11 21 23 72 12 71 61"),
        (
            "/callvault.streams()?$orderby=maxPacketLossRate desc,streamId",
            "23 11 12 21 22 61 71 72",
        ),
        ("/callvault.streams()?$orderby=callerNetwork/subnet,streamId", "61 11 12 21 22 72 71 23"),
        ("/callvault.streams()?$orderby=averageJitter mul 2,streamId", "22 23 11 21 12 71 72 61"),
        ("/callvault.streams()?$search=jabra", "71 21 11 12"),
        ("/callvault.streams()?$skip=2&$top=4", "61 21 22 23"),
        ("/r2/sessions", "r2a r2b r2c"),
        ("/r2/sessions?$orderby=id desc", "r2c r2b r2a"),
        ("/r2/sessions?$filter=isTest eq false", "r2a r2b"),
        (
            "/r7/participants_v2?$orderby=id desc",
            "visitor-7 b1b2c3d4-0000-4000-8000-00000000000b a1b2c3d4-0000-4000-8000-00000000000a",
        ),
        ("/r2/sessions/r2a/segments", "r2a1 r2a2"),
        ("/r2/sessions/r2a/segments?$orderby=startDateTime desc", "r2a2 r2a1"),
        ("?$apply=filter(version eq 1)", "r8 r6 r4 r1"),
        (
            "?$apply=groupby((version))&$compute=version as x&$orderby=version&$select=x",
            "1 2 3 7 9007199254740993",
        ),
        (
            "?$apply=groupby((version),aggregate($count as n))/compute(n add version as x)/filter(version lt 9)/orderby(x)",
            "3 4 5 8",
        ),
    ] {
        for size in [1, 2] {
            let (found, _) = pages(&mut asked, &format!("{RECORDS}{target}"), size);
            assert_eq!(found, expected, "{target} by {size}");
        }
    }
}

#[test]
fn expanded_collections_have_their_own_links() {
    let mut asked = Asked::new();
    for (options, member, expected) in [
        ("sessions", "sessions", "r2a r2b r2c"),
        ("sessions($select=id)", "sessions", "r2a r2b r2c"),
        ("sessions($orderby=id desc)", "sessions", "r2c r2b r2a"),
        ("sessions($filter=isTest eq false)", "sessions", "r2a r2b"),
        (
            "sessions($filter=startDateTime le $it/startDateTime;$orderby=id desc)",
            "sessions",
            "r2c r2a",
        ),
        ("sessions($compute=$it/version as v;$select=id,v)", "sessions", "r2a r2b r2c"),
        ("sessions($skip=1)", "sessions", "r2b r2c"),
        ("sessions($top=2)", "sessions", "r2a r2b"),
        ("sessions($search=r2a OR r2b)", "sessions", "r2a r2b"),
        (
            "participants_v2($orderby=id desc)",
            "participants_v2",
            "visitor-7 A1B2C3D4-0000-4000-8000-00000000000A",
        ),
    ] {
        for around in ["/r2?", "?$filter=id eq 'r2'&"] {
            let target = encoded(&format!("{RECORDS}{around}$expand={options}"));
            let prefer = [("Prefer", "odata.maxpagesize=1")];
            let body = asked.client.get_with(&target, &prefer).json();
            let record: &Value = if around == "/r2?" { &body } else { &body["value"][0] };
            let first = names(&record[member]).unwrap_or_else(|| panic!("{target}: {body}"));
            let mut found = vec![first];
            if let Some(link) = record[format!("{member}@odata.nextLink")].as_str() {
                found.push(pages(&mut asked, link, 1).0);
            }
            assert_eq!(found.join(" "), expected, "{options}");
        }
    }
}

#[test]
fn links_lead_on_from_queries_in_a_body_and_only_as_they_are() {
    let mut asked = Asked::new();
    let headers = [("Content-Type", "text/plain"), ("Prefer", "odata.maxpagesize=3")];
    let target = format!("{RECORDS}/$query");
    let answer = asked.client.send("POST", &target, &headers, b"$orderby=id&$select=id");
    let body = answer.json();
    let link = body["@odata.nextLink"].as_str().unwrap().to_owned();
    assert_eq!(names(&body["value"]).as_deref(), Some("r8 r1 r2"));
    assert_eq!(pages(&mut asked, &link, 3).0, "r3 r4 r5 r6 r7");
    for changed in [
        link.replace("orderby=id", "orderby=version"),
        format!("{link}&$filter=true"),
        format!("{link}x"),
        link.replace("callRecords?", "callRecords/callvault.sessions()?"),
    ] {
        assert_ne!(changed, link);
        let answer = asked.client.get(&changed);
        assert_eq!((answer.status, answer.code().as_str()), (400, "BadRequest"), "{changed}");
        assert_eq!(answer.json()["error"]["target"], "$skiptoken", "{changed}");
    }
}
