//! Requests by what they ask for.

use odata::percent::{encode_query, encode_segment};

use super::super::client::Dice;
use super::request::{Case, Request};
use super::stock::{FORMS, LARGE, Stock, WRITTEN, record};
use crate::paths::CALL_RECORDS;

/// One of some.
pub(super) fn one<'t, T: ?Sized>(dice: &mut Dice, all: &[&'t T]) -> &'t T {
    all[dice.below(all.len() as u64) as usize]
}

/// A record's address, of one that is there or is not.
pub(super) fn record_target(stock: &Stock, dice: &mut Dice) -> String {
    let root = if dice.below(4) == 0 { "/beta/communications/callRecords" } else { CALL_RECORDS };
    let id = match dice.below(12) {
        0 => LARGE.to_owned(),
        1 => "00000000-0000-4000-8000-00000000dead".to_owned(),
        2 => stock.ids[dice.below(stock.ids.len() as u64) as usize].to_uppercase(),
        _ => stock.ids[dice.below(stock.ids.len() as u64) as usize].clone(),
    };
    format!("{root}/{id}{}", one(dice, &FORMS))
}

/// A plain read, with lines that matter to nobody.
pub(super) fn plain(stock: &Stock, dice: &mut Dice) -> Request {
    let mut request = Request::get(&record_target(stock, dice), &stock.reader);
    for line in [
        "User-Agent: kiota/1.0",
        "SdkVersion: graph-python/1.0",
        "Cache-Control: no-cache",
        "Accept: application/json",
        "Accept: */*",
        "Connection: keep-alive",
        "Accept-Encoding: identity",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "X-Forwarded-For: 10.0.0.1",
        "client-request-id: 11111111-2222-4333-8444-555555555555",
    ] {
        if dice.below(5) == 0 {
            request = request.with(line);
        }
    }
    request
}

pub(super) fn records(stock: &Stock, dice: &mut Dice) -> Case {
    plain(stock, dice).into()
}

pub(super) fn lists(stock: &Stock, dice: &mut Dice) -> Case {
    let options = one(
        dice,
        &[
            "",
            "?$top=3",
            "?$top=0",
            "?$select=id,version",
            "?$expand=sessions&$top=2",
            "?$count=true&$top=1",
            "?$skip=5&$top=5",
            "?$orderby=endDateTime%20desc&$top=4",
            "?$top=-1",
            "?$top=1&$top=2",
            "?$unknown=1",
            "?unknown=1&$top=1",
            "?$skiptoken=AAAA",
            "?$format=json&$top=1",
        ],
    );
    let place = one(
        dice,
        &[
            "",
            "/callvault.sessions()",
            "/callvault.segments()",
            "/callvault.streams()",
            "/callvault.legs()",
            "/",
        ],
    );
    Request::get(&format!("{CALL_RECORDS}{place}{options}"), &stock.reader).into()
}

pub(super) fn queries(stock: &Stock, dice: &mut Dice) -> Case {
    let filter = one(
        dice,
        &[
            "version ge 1",
            "type eq 'groupCall'",
            "sessions/any(s:s/isTest eq true)",
            "startDateTime ge 2020-01-01T00:00:00Z and endDateTime lt 2030-01-01T00:00:00Z",
            "contains(id,'a')",
            "nonsense eq 1",
            "id eq",
            "id eq 'it''s'",
            "tolower(id) eq 'x' or not (version in (1,2,3))",
            "matchesPattern(id,'^[0-9]')",
            "hour(startDateTime) ge 9 and callvault.ratio(version,2) lt 1",
            "callvault.bucket(startDateTime,duration'PT0S') eq null",
        ],
    );
    let text = if dice.below(3) == 0 { filter.replace(' ', "+") } else { encode_query(filter) };
    if dice.below(3) == 0 {
        let body = format!("$filter={text}&$top=3");
        let target = format!("{CALL_RECORDS}/$query");
        let request = Request::sending("POST", &target, &stock.reader, body.as_bytes());
        return request.without("Content-Type").with("Content-Type: text/plain").into();
    }
    let rest = one(dice, &["", "&$top=2", "&$select=id", "&$count=true&$top=1", "&$search=a"]);
    Request::get(&format!("{CALL_RECORDS}?$filter={text}{rest}"), &stock.reader).into()
}

pub(super) fn batches(stock: &Stock, dice: &mut Dice) -> Case {
    let urls = [
        format!("/communications/callRecords/{}", stock.ids[0]),
        "/communications/callRecords?$top=2&$select=id".to_owned(),
        "/communications/callRecords/$count".to_owned(),
        "/nowhere".to_owned(),
    ];
    let count = dice.below(5);
    let requests = (0..count).map(|number| {
        let url = &urls[dice.below(urls.len() as u64) as usize];
        format!("{{\"id\":\"{number}\",\"method\":\"GET\",\"url\":\"{url}\"}}")
    });
    let mut body = format!("{{\"requests\":[{}]}}", requests.collect::<Vec<_>>().join(","));
    if dice.below(6) == 0 {
        body.truncate(body.len() / 2);
    }
    Request::sending("POST", "/v1.0/$batch", &stock.reader, body.as_bytes()).into()
}

pub(super) fn counts(stock: &Stock, dice: &mut Dice) -> Case {
    let place = one(
        dice,
        &["", "/LARGE/sessions", "/LARGE/participants_v2", "/LARGE/sessions/s1/segments"],
    );
    let options = one(dice, &["", "?$filter=id%20ne%20'x'", "?$top=1", "?$search=zzz"]);
    let place = place.replace("LARGE", LARGE);
    Request::get(&format!("{CALL_RECORDS}{place}/$count{options}"), &stock.reader).into()
}

pub(super) fn subscriptions(stock: &Stock, dice: &mut Dice) -> Case {
    let target = "/v1.0/subscriptions";
    let wrong = one(
        dice,
        &[
            "{}",
            "{\"resource\":\"/users\"}",
            "[",
            "{\"changeType\":\"created\",\"notificationUrl\":\"http://127.0.0.1:1/\",\
             \"resource\":\"communications/callRecords\"}",
        ],
    );
    match dice.below(4) {
        0 => Request::sending("POST", target, &stock.reader, wrong.as_bytes()).into(),
        1 => Request::sending("PATCH", &format!("{target}/none"), &stock.reader, wrong.as_bytes())
            .into(),
        2 => Request::get(&format!("{target}/none"), &stock.reader).by("DELETE").into(),
        _ => Request::get(&format!("{target}?$select=id"), &stock.reader).into(),
    }
}

pub(super) fn functions(stock: &Stock, dice: &mut Dice) -> Case {
    let place = one(
        dice,
        &[
            "/LARGE/callvault.versions()",
            "/LARGE/callvault.version(version=1)",
            "/LARGE/callvault.version(version=9)",
            "/LARGE/callvault.nonsense()",
            "/LARGE/sessions",
            "/LARGE/sessions/s3",
            "/LARGE/sessions('s3')/segments",
            "/LARGE/organizer_v2",
            "/LARGE/participants_v2",
            "/LARGE/version/$value",
            "/LARGE/type",
            "('LARGE')",
            "/LARGE/$value",
            "/getPstnCalls(fromDateTime=2025-01-01,toDateTime=2025-01-02)",
            "/getDirectRoutingCalls(fromDateTime=2025-01-01toDateTime=2025-01-02)",
            "/callvault.import",
            "/$filter(version%20eq%201)/$count",
        ],
    );
    let root = one(dice, &[CALL_RECORDS, "/beta/communications/callRecords"]);
    Request::get(&format!("{root}{}", place.replace("LARGE", LARGE)), &stock.reader).into()
}

pub(super) fn unknown_paths(stock: &Stock, dice: &mut Dice) -> Case {
    let known = format!("{CALL_RECORDS}/{}", stock.ids[0]);
    let target = match dice.below(16) {
        0 => "/".to_owned(),
        1 => "*".to_owned(),
        2 => format!("http://elsewhere.example{known}"),
        3 => known.replace("callRecords", "callrecords"),
        4 => known.replace("/v1.0", "/V1.0"),
        5 => known.replace("/v1.0", "/v2.0"),
        6 => format!("/{known}"),
        7 => known.replace("/communications", "//communications"),
        8 => format!("{known}/"),
        9 => format!("{known}/../{}", stock.ids[1]),
        10 => format!("{known}?"),
        11 => format!("{known}??$expand=sessions"),
        12 => format!("{known}#fragment"),
        13 => format!("{known};a=b"),
        14 => format!("/beta/$metadata?{}", dice.below(9)),
        _ => format!("/{}", "x/".repeat(dice.below(3_000) as usize)),
    };
    Request::get(&target, &stock.reader).into()
}

pub(super) fn percent_encodings(stock: &Stock, dice: &mut Dice) -> Case {
    let id = &stock.ids[dice.below(4) as usize];
    let at = dice.below(id.len() as u64) as usize;
    let odd = one(
        dice,
        &[
            "%",
            "%4",
            "%zz",
            "%00",
            "%2F",
            "%2f",
            "%25",
            "%C0%AF",
            "%FF",
            "%E2%80%A8",
            "%20",
            "+",
            "%0d%0a",
        ],
    );
    let target = match dice.below(5) {
        0 => format!("{CALL_RECORDS}/{}%{:02X}{}", &id[..at], id.as_bytes()[at], &id[at + 1..]),
        1 => format!("{CALL_RECORDS}/{}{odd}{}", &id[..at], &id[at..]),
        2 => format!("{CALL_RECORDS}/{id}?$expand=sessions{odd}"),
        3 => format!("{CALL_RECORDS}/{id}?{odd}$expand=sessions"),
        _ => format!(
            "{CALL_RECORDS}/{}?%24expand={}",
            encode_segment(id),
            encode_query("sessions($expand=segments)")
        ),
    };
    Request::get(&target, &stock.reader).into()
}

/// Records that come in; told twice, so that the second time says the same whichever way it goes.
pub(super) fn writes(stock: &Stock, dice: &mut Dice) -> Case {
    let whole = record(WRITTEN, 1);
    let other = whole.replace("groupCall", "peerToPeer");
    let body = one(dice, &[&*whole, &other, "{}", "{\"id\":", "[]", "null", ""]);
    let target = match dice.below(3) {
        0 => format!("{CALL_RECORDS}/{WRITTEN}"),
        1 => format!("{CALL_RECORDS}/callvault.import"),
        _ => CALL_RECORDS.to_owned(),
    };
    let method = one(dice, &["POST", "PUT", "PATCH"]);
    let token = if dice.below(5) == 0 { &stock.reader } else { &stock.writer };
    let mut request = Request::sending(method, &target, token, body.as_bytes());
    let lines = [
        "Prefer: return=minimal",
        "Content-Encoding: gzip",
        "If-Match: \"x\"",
        "Expect: 100-continue",
    ];
    for line in lines {
        if dice.below(6) == 0 {
            request = request.with(line);
        }
    }
    request.into()
}
