//! Rows of the ends of streams, and the places that they were in.

use std::collections::{BTreeMap, BTreeSet};

use model::rows::RowSet::{Legs, Streams};
use odata::json::Node;
use odata::primitive::DateTimeOffset;
use simulator::{Cause, Mix};
use store::{PlaceMapImport, Reader, Store};

use crate::engine::tenant;
use crate::oracle::{Oracle, query};
use crate::plain::{applied, columns_only, store_of};
use crate::queries::all;
use crate::sample::budget;

/// Chains that need none of the rows' JSON but for the keys of groups.
const CHAINS: &[&str] = &[
    "groupby((place/building,callvault.quality/verdict),aggregate($count as n))",
    "groupby((network/subnet,direction),aggregate($count as n,averageJitter with max as j))",
    "groupby((person/kind,person/id),aggregate($count as n))/topcount(5,n)/orderby(n desc)",
    "groupby((place/isp,place/asNumber,place/asCountry),aggregate($count as n))",
    "groupby((place/floor,place/accessPoint),aggregate($count as n))",
    "groupby((place/endpoint/make,place/endpoint/model),aggregate($count as n))",
    "groupby((place/endpoint/type,place/endpoint/label1,place/endpoint/label2,place/endpoint/label3))",
    "groupby((end,isService,isFirst),aggregate($count as n))",
    "filter(place/isInside and not place/isVpn)/groupby((place/city),aggregate($count as n))",
    "filter(place/region eq 'West')/compute(date(callStartDateTime) as d)\
     /groupby((d),aggregate($count as n,person/id with countdistinct as people))",
    "groupby((userAgent/microsoft.graph.callRecords.clientUserAgent/platform,peerPlatform),\
     aggregate($count as n))",
    "aggregate($count as n,peerPerson/id with countdistinct as people)",
];

/// Filters that SQL decides alone.
const FILTERS: &[&str] = &[
    "end eq 'caller' and direction eq 'sender'",
    "direction ne 'sender'",
    "isService or peerIsService",
    "isFirst and not isService",
    "person/kind eq 'user' and peerPerson/kind eq null",
    "startswith(person/id,'4') or endswith(peerPerson/id,'1')",
    "startswith(endpointName,'PC-2')",
    "network/connectionType eq 'wifi' and peerConnectionType ne 'wifi'",
    "network/subnet eq peerSubnet or network ne null",
    "device/captureDeviceName ne null",
    "userAgent/headerValue ne null and feedback/rating eq 'notRated'",
    "associatedIdentity/id ne null",
    "callvault.quality/verdict eq 'poor' and direction eq 'receiver'",
    "place/building eq 'B1'",
    "place/building ne 'B1' and callStartDateTime ge 2026-03-04T12:00:00Z",
    "place/isVpn",
    "place/isInside eq false or place/hasExpressRoute",
    "contains(place/networkName,'net') and place/ownership eq 'Contoso'",
    "place/buildingType ne null or place/officeType ne null or place/state eq 'WA'",
    "place/zipCode in ('1','2') and place/country eq 'US'",
    "place/asNumber gt 100 and place/isp ne null",
    "place/accessPoint eq null and place/floor eq null",
    "place/endpoint/make eq 'Lenovo'",
];

const ORDERS: &[&str] = &[
    "person/id desc",
    "place/building,isFirst desc",
    "network/subnet desc,averageJitter",
    "place/asNumber desc,place/endpoint/make",
];

/// Conditions that only our own evaluator decides.
const EVALUATED: &[&str] = &[
    "place eq null",
    "person ne null and matchesPattern(person/id,'^4')",
    "matchesPattern(place/building,'[24]$') and place/isInside",
    "contains(identity/user/displayName,'a') or place/endpoint ne null",
];

/// When the second version of the buildings begins to hold.
const TURN: &str = "2026-03-04T12:00:00Z";

/// What the files say, as they are written below.
#[derive(Default)]
struct World {
    /// Numbers of subnets, of addresses of VPNs, of access points, of public addresses, of endpoints.
    subnets: BTreeMap<String, usize>,
    vpns: BTreeMap<String, usize>,
    access_points: BTreeMap<String, usize>,
    systems: BTreeMap<String, usize>,
    endpoints: BTreeMap<String, usize>,
}

pub(crate) fn text(node: &Node<'_>, path: &[&str]) -> Option<String> {
    let value = path.iter().try_fold(node, |node, name| node.get(name))?;
    Some(value.as_text()?.value().into_owned())
}

impl World {
    /// Of what ends say; every other one, so that others are in no map.
    fn of(oracle: &Oracle) -> Self {
        let numbered = |path: &[&str], fits: &dyn Fn(&str) -> bool| {
            let found: BTreeSet<_> =
                oracle.nodes(Legs).filter_map(|row| text(&row, path)).collect();
            let fitting = found.into_iter().filter(|text| fits(text)).enumerate();
            fitting.filter(|(at, _)| at % 2 == 0).map(|(at, text)| (text, at)).collect()
        };
        let is_v4 = |text: &str| text.parse::<std::net::Ipv4Addr>().is_ok();
        Self {
            subnets: numbered(&["network", "subnet"], &|text| is_v4(text) && text.ends_with(".0")),
            vpns: numbered(&["network", "ipAddress"], &|text| is_v4(text) && text.ends_with('7')),
            access_points: numbered(&["network", "basicServiceSetIdentifier"], &|text| {
                !text.is_empty()
            }),
            systems: numbered(&["network", "reflexiveIPAddress"], &is_v4),
            endpoints: numbered(&["endpointName"], &|text| text.is_ascii()),
        }
    }

    fn import(&self, store: &Store) {
        let turn = DateTimeOffset::parse(TURN).unwrap().0;
        let lines = |all: &BTreeMap<String, usize>, line: &dyn Fn(&str, usize) -> String| {
            all.iter().map(|(text, at)| line(text, *at)).collect::<String>()
        };
        for (version, validity) in [(1, (None, Some(turn))), (2, (Some(turn), None))] {
            let mut file =
                lines(&self.subnets, &|subnet, at| building(subnet, 24, (at, version), 0));
            if version == 2 {
                file += &lines(&self.vpns, &|address, at| building(address, 32, (at, version), 1));
            }
            import(store, ("offices", "building", validity), file);
        }
        let always = (None, None);
        let file = lines(&self.access_points, &|bssid, at| {
            format!("{bssid},AP-{at},A{},{}\n", at % 3, at % 5)
        });
        import(store, ("access-points", "bssid", always), file);
        let file = lines(&self.systems, &|address, at| {
            format!("{address}\t{address}\t{}\tUS\tISP {}\n", 90 + at, at % 4)
        });
        import(store, ("systems", "asn", always), file);
        let file = lines(&self.endpoints, &|name, at| {
            let make = ["Lenovo", "Dell"][at % 4 / 2];
            format!("{name},{make},M{},Laptop,L{},,\n", at % 5, at % 3)
        });
        import(store, ("endpoints", "endpoint", always), file);
    }

    /// The member `place` of a row.
    fn place(&self, row: &Node<'_>, start: i64) -> String {
        let number = |path: &[&str], all: &BTreeMap<String, usize>| {
            text(row, path).and_then(|text| all.get(&text).copied())
        };
        let version = if start < DateTimeOffset::parse(TURN).unwrap().0 { 1 } else { 2 };
        let by_subnet = number(&["network", "subnet"], &self.subnets).map(|at| (at, 0));
        let by_address = number(&["network", "ipAddress"], &self.vpns).map(|at| (at, 1));
        let building = by_address.filter(|_| version == 2).or(by_subnet);
        let access_point = number(&["network", "basicServiceSetIdentifier"], &self.access_points);
        let system = number(&["network", "reflexiveIPAddress"], &self.systems);
        let endpoint = number(&["endpointName"], &self.endpoints);
        if building.is_none() && access_point.is_none() && system.is_none() && endpoint.is_none() {
            return "null".to_owned();
        }
        let parts = [
            building.map_or_else(
                || without_building(access_point),
                |(at, vpn)| of_building((at, version), vpn),
            ),
            access_point.map_or_else(
                || "\"floor\":null,\"accessPoint\":null".to_owned(),
                |at| format!("\"floor\":\"{}\",\"accessPoint\":\"AP-{at}\"", at % 5),
            ),
            system.map_or_else(
                || "\"isp\":null,\"asNumber\":null,\"asCountry\":null".to_owned(),
                |at| {
                    format!(
                        "\"isp\":\"ISP {}\",\"asNumber\":{},\"asCountry\":\"US\"",
                        at % 4,
                        90 + at
                    )
                },
            ),
            endpoint.map_or_else(|| "\"endpoint\":null".to_owned(), of_endpoint),
        ];
        format!("{{{}}}", parts.join(","))
    }
}

fn without_building(access_point: Option<usize>) -> String {
    let building = access_point.map_or("null".into(), |at| format!("\"A{}\"", at % 3));
    let others = [
        "networkName",
        "ownership",
        "buildingType",
        "officeType",
        "city",
        "zipCode",
        "country",
        "state",
        "region",
        "isInside",
        "hasExpressRoute",
        "isVpn",
    ];
    let others = others.map(|name| format!("\"{name}\":null")).join(",");
    format!("\"building\":{building},{others}")
}

fn of_endpoint(at: usize) -> String {
    let make = ["Lenovo", "Dell"][at % 4 / 2];
    let (model, label) = (at % 5, at % 3);
    format!(
        "\"endpoint\":{{\"make\":\"{make}\",\"model\":\"M{model}\",\"type\":\"Laptop\",\
         \"label1\":\"L{label}\",\"label2\":null,\"label3\":null}}"
    )
}

/// A line of a building file.
fn building(network: &str, prefix: u8, (at, version): (usize, usize), vpn: u8) -> String {
    let (name, region) = (at % 4 + version, ["West", "East", "North"][at % 3]);
    let (inside, express) = (u8::from(at % 4 != 0), u8::from(at % 8 == 0));
    format!(
        "{network},net {at},{prefix},B{name},Contoso,Office,,C{},{},US,WA,{region},{inside},{express},{vpn}\n",
        at % 5,
        at % 7
    )
}

fn of_building((at, version): (usize, usize), vpn: u8) -> String {
    let (name, region) = (at % 4 + version, ["West", "East", "North"][at % 3]);
    let (inside, express) = (at % 4 != 0, at % 8 == 0);
    format!(
        "\"building\":\"B{name}\",\"networkName\":\"net {at}\",\"ownership\":\"Contoso\",\
         \"buildingType\":\"Office\",\"officeType\":null,\"city\":\"C{}\",\"zipCode\":\"{}\",\
         \"country\":\"US\",\"state\":\"WA\",\"region\":\"{region}\",\"isInside\":{inside},\
         \"hasExpressRoute\":{express},\"isVpn\":{}",
        at % 5,
        at % 7,
        vpn == 1
    )
}

pub(crate) fn import(
    store: &Store,
    (name, kind, validity): (&str, &'static str, (Option<i64>, Option<i64>)),
    file: String,
) {
    let kind_of_places = places::Kind::parse(kind);
    let read = places::read(file.as_bytes(), kind_of_places);
    read.read.unwrap_or_else(|faults| panic!("{name}: {faults:?}\n{file}"));
    let import = PlaceMapImport {
        name: name.to_owned(),
        version: None,
        kind,
        validity: Some(validity),
        rows: 1,
        imported_by: "test".to_owned(),
        bytes: file.into_bytes(),
        is_dry_run: false,
    };
    store.import_place_map(&tenant(), import).unwrap().wait().unwrap();
}

/// Whether the store finds what the evaluator finds in all rows.
fn check(reader: &mut Reader, oracle: &Oracle, (option, text): (&str, &str), is_exact: bool) {
    let query = query(Legs, &[(option, text)]);
    if option == "$apply" {
        let found = applied(reader, &query, &budget()).unwrap();
        assert_eq!(found, oracle.apply(Legs, &query.query), "{text}");
        if is_exact {
            let found = applied(reader, &query, &columns_only());
            let explained = reader.explain(&tenant(), &query).unwrap();
            assert!(found.is_ok(), "{text}: {found:?} {explained:?}");
        }
        return;
    }
    let expected = oracle.rows(Legs, &query.query);
    assert!(!expected.is_empty(), "{text} finds nothing");
    let found = all(reader, &query, 2_000, &budget());
    assert_eq!(found.len(), expected.len(), "{text}");
    let other = found.iter().zip(&expected).find(|(found, expected)| found != expected);
    assert_eq!(other, None, "{text}");
    if is_exact {
        let explained = reader.explain(&tenant(), &query).unwrap();
        assert_eq!(explained.residual, None, "{text}");
    }
}

#[test]
fn ends_and_their_places_are_found_by_sql_as_by_the_evaluator() {
    let (_folder, store) = store_of(Mix::Realistic, 40, &Cause::ALL);
    let mut reader = store.reader().unwrap();
    let world = World::of(&Oracle::new(&mut reader));
    world.import(&store);
    let oracle = Oracle::with_places(&mut reader, &|row, start| world.place(row, start));
    assert_eq!(oracle.nodes(Legs).count(), 2 * oracle.nodes(Streams).count());
    for text in CHAINS {
        check(&mut reader, &oracle, ("$apply", text), true);
    }
    for text in FILTERS {
        check(&mut reader, &oracle, ("$filter", text), true);
    }
    for text in ORDERS {
        check(&mut reader, &oracle, ("$orderby", text), true);
    }
    for text in EVALUATED {
        check(&mut reader, &oracle, ("$filter", text), false);
    }
    check(&mut reader, &oracle, ("$search", "realtek"), false);
    let by_place = query(Legs, &[("$apply", CHAINS[0])]);
    let plan = reader.explain(&tenant(), &by_place).unwrap().engine_plan.join("\n");
    assert!(!plan.contains("SCAN b") && !plan.contains("SCAN a"), "a scan for each row: {plan}");
}

#[test]
fn a_map_holds_for_the_next_question_and_no_longer_than_it_is_there() {
    let (_folder, store) = store_of(Mix::Realistic, 40, &Cause::ALL);
    let mut reader = store.reader().unwrap();
    let count = |reader: &mut Reader, text: &str| {
        reader.count_rows(&tenant(), &query(Legs, &[("$filter", text)]), &budget()).unwrap()
    };
    let asked = "place/building ne null";
    assert_eq!(count(&mut reader, asked), 0);
    let world = World::of(&Oracle::new(&mut reader));
    world.import(&store);
    let all = count(&mut reader, asked);
    assert!(all > 0, "the map has places");
    let by_subnet = count(&mut reader, "place/networkName ne null");
    store.delete_place_map(&tenant(), "access-points", None).wait().unwrap();
    assert_eq!(count(&mut reader, asked), by_subnet);
    store.delete_place_map(&tenant(), "offices", None).wait().unwrap();
    assert_eq!(count(&mut reader, asked), 0);
}
