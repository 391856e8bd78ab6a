//! Files in every form that is taken, and what is said of those that are not.

use places::{Kind, Map, MapVersion, Maps, Place, Validity, Whereabouts, read};

const OFFICE: &str = "10.1.2.0,USA/Seattle/ONE,24,Building One,Contoso,Office,Engineering,Seattle,98001,US,WA,MSUS,1,0,0\n";
const VPN: &str = "172.16.18.0,VPN,24,VPN,Contoso,,,,,,,,1,0,1\n";

fn map(bytes: &[u8]) -> Map {
    read(bytes, None).read.unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn maps(files: &[&str]) -> Maps {
    let version = |(number, file): (usize, &&str)| MapVersion {
        name: format!("map-{number}"),
        version: 1,
        validity: Validity::default(),
        map: map(file.as_bytes()).into(),
    };
    Maps::new(files.iter().enumerate().map(version).collect())
}

fn by_subnet(subnet: &str) -> Whereabouts<'_> {
    Whereabouts { subnet: Some(subnet), ..Whereabouts::default() }
}

/// Each fault of a file, and how many there are.
fn faults(bytes: &[u8], kind: Option<Kind>) -> (Vec<String>, usize) {
    let faults = read(bytes, kind).read.expect_err("a broken file");
    (faults.kept.iter().map(ToString::to_string).collect(), faults.count)
}

/// Asserts what is said of a file.
fn told(file: &str, expected: &[&str]) {
    told_of(file.as_bytes(), None, expected);
}

fn told_of(file: &[u8], kind: Option<Kind>, expected: &[&str]) {
    let (lines, count) = faults(file, kind);
    assert_eq!(lines, expected);
    assert_eq!(count, expected.len());
}

/// A building file with its lines, and one good line before them.
fn buildings(lines: &[&str]) -> String {
    format!("{OFFICE}{}\n", lines.join("\n"))
}

#[test]
fn a_network_that_is_no_address() {
    told(
        &buildings(&["10.1.256.0,n,24,B,,,,,,,,,1,0,0", "10.1.4.0/24,n,24,B,,,,,,,,,1,0,0"]),
        &[
            "line 2, column 1 (NetworkIP): \"10.1.256.0\" is no IP address",
            "line 3, column 1 (NetworkIP): \"10.1.4.0/24\" is a network: write its first address here, and the length of its prefix in NetworkRange",
        ],
    );
}

#[test]
fn cells_between_semicolons() {
    let office = OFFICE.replace(',', ";");
    assert!(map(office.as_bytes()).has(&by_subnet("10.1.2.0")));
    // The line by which Excel knows them is none of the file's.
    let named = format!("sep=;\r\n{office}x;n;24\r\n");
    let (faults, _) = faults(named.as_bytes(), None);
    assert_eq!(faults, ["line 3: the line has 3 columns, and the file 15"]);
}

#[test]
fn a_range_that_no_network_has() {
    told(
        &buildings(&[
            "10.1.4.0,n,33,B,,,,,,,,,1,0,0",
            "10.0.0.0,n,7,B,,,,,,,,,1,0,0",
            "2001:db8::,n,129,B,,,,,,,,,1,0,0",
            "10.1.4.0,n,many,B,,,,,,,,,1,0,0",
        ]),
        &[
            "line 2, column 3 (NetworkRange): \"33\" is no whole number from 8 to 32",
            "line 3, column 3 (NetworkRange): \"7\" is no whole number from 8 to 32",
            "line 4, column 3 (NetworkRange): \"129\" is no whole number from 8 to 128",
            "line 5, column 3 (NetworkRange): \"many\" is no whole number from 8 to 32",
        ],
    );
}

#[test]
fn an_address_within_its_network() {
    told(
        &buildings(&["10.1.4.9,n,24,B,,,,,,,,,1,0,0", "2001:db8::1,n,32,B,,,,,,,,,1,0,0"]),
        &[
            "line 2, column 1 (NetworkIP): \"10.1.4.9\" is not the first address of its network, which is 10.1.4.0",
            "line 3, column 1 (NetworkIP): \"2001:db8::1\" is not the first address of its network, which is 2001:db8::",
        ],
    );
}

#[test]
fn a_flag_that_is_neither_0_nor_1_and_values_that_are_missing() {
    told(
        &buildings(&["10.1.4.0,n,24,B,,,,,,,,,yes,,2", ",n,,B,,,,,,,,,1,0,0"]),
        &[
            "line 2, column 13 (InsideCorp): \"yes\" is neither 0 nor 1",
            "line 2, column 14 (ExpressRoute): \"\" is empty, and must not be",
            "line 2, column 15 (VPN): \"2\" is neither 0 nor 1",
            "line 3, column 1 (NetworkIP): \"\" is empty, and must not be",
            "line 3, column 3 (NetworkRange): \"\" is empty, and must not be",
        ],
    );
}

#[test]
fn a_line_with_another_number_of_columns() {
    told(
        &buildings(&["10.1.4.0,n,24,B,,,,,,,,,1,0", "10.1.5.0,n,24,B", OFFICE.trim_end()]),
        &[
            "line 2: the line has 14 columns, and the file 15",
            "line 3: the line has 4 columns, and the file 15",
            "line 4, column 1 (NetworkIP): \"10.1.2.0\" stands with the same range in line 1 already",
        ],
    );
}

#[test]
fn a_file_that_is_none_of_ours() {
    told(
        "10.1.2.0;n;24\n",
        &[
            "line 1: the line has 3 columns: a file has 4, 5, 6, 7, 14 or 15, separated by commas, semicolons or tabs; it begins \"10.1.2.0;n;24\"",
        ],
    );
    // As curl's -d sends a file: its lines have become one.
    told(
        &OFFICE.trim_end().repeat(2),
        &[
            "line 1: the line has 29 columns: a file has 4, 5, 6, 7, 14 or 15, separated by commas, semicolons or tabs; it begins \"10.1.2.0,USA/Seattle/ONE,24,Building One,Contoso,Office,Engi…\"",
        ],
    );
    told_of(
        OFFICE.as_bytes(),
        Some(Kind::Endpoint),
        &[
            "line 1: the line has 15 columns: an endpoint file has 7, or 6 without EndpointMake, separated by commas, semicolons or tabs; it begins \"10.1.2.0,USA/Seattle/ONE,24,Building One,Contoso,Office,Engi…\"",
        ],
    );
    told(
        "PK\u{3}\u{4}xl",
        &["line 1: the file is a workbook or another archive: save it as CSV in UTF-8"],
    );
    for nothing in ["", "\u{feff}", "\r\n ,,\n", "NetworkIP,NetworkName\n"] {
        let (lines, _) = faults(nothing.as_bytes(), None);
        let of_columns = "line 1: the line has 2 columns: a building file";
        assert!(lines == ["line 1: the file has no rows"] || lines[0].starts_with(of_columns));
    }
    told("BSSID,APName,BuildingName,Floor\n", &["line 1: the file has no rows"]);
}

#[test]
fn text_that_is_not_utf8() {
    told_of(
        &[OFFICE.as_bytes(), b"10.1.4.0,caf\xe9,24,B,,,,,,,,,1,0,0\n"].concat(),
        None,
        &[
            "line 2, column 2 (NetworkName): \"caf\u{fffd}\" is not UTF-8 text: save the file as UTF-8, in Excel as \"CSV UTF-8\"",
        ],
    );
    let utf16: Vec<u8> = OFFICE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    told_of(
        &[b"\xff\xfe", &*utf16].concat(),
        None,
        &["line 1: the file is UTF-16: save it as UTF-8"],
    );
    told(
        &buildings(&["10.1.4.0,a\0b,24,B,,,,,,,,,1,0,0"]),
        &["line 2, column 2 (NetworkName): \"a\\0b\" holds a control character"],
    );
}

#[test]
fn a_quotation_mark_that_is_not_closed_spoils_its_line_only() {
    told(
        &buildings(&[
            "10.1.4.0,\"n,24,B,,,,,,,,,1,0,0",
            "10.1.5.0,\"n\"m,24,B,,,,,,,,,1,0,0",
            "10.1.5.0,n,24,B,,,,,,,,,1,0,x",
        ]),
        &[
            "line 2, column 2 (NetworkName): \"n,24,B,,,,,,,,,1,0,0\" begins with a quotation mark that is not closed on its line",
            "line 3, column 2 (NetworkName): \"n\" is followed by more behind its closing quotation mark",
            "line 4, column 15 (VPN): \"x\" is neither 0 nor 1",
        ],
    );
    told(
        "00:00:5e:00:53:01,one,B,\"1\n00:00:5e:00:53:02,two,B,2\n",
        &[
            "line 1, column 4 (Floor): \"1\" begins with a quotation mark that is not closed on its line",
        ],
    );
}

#[test]
fn columns_in_another_order() {
    told(
        "BSSID,BuildingName,APName,Floor\n00:00:5e:00:53:01,B,one,1\n",
        &[
            "line 1, column 2 (APName): \"BuildingName\" is the name of another column: the columns come in the order BSSID, APName, BuildingName, Floor",
            "line 1, column 3 (BuildingName): \"APName\" is the name of another column: the columns come in the order BSSID, APName, BuildingName, Floor",
        ],
    );
}

#[test]
fn a_vpn_of_more_addresses_than_a_file_may_have() {
    told(
        &buildings(&["10.0.0.0,VPN,8,VPN,,,,,,,,,1,0,1", "11.0.0.0,n,99,B,,,,,,,,,1,0,0"]),
        &[
            "line 2: the file has more than 1000000 rows; a VPN row counts once for each of its addresses",
        ],
    );
    // A million is not too many, and an IPv6 network counts once.
    let file = buildings(&[
        "10.16.0.0,V,13,V,,,,,,,,,1,0,1",
        "10.64.0.0,V,13,V,,,,,,,,,1,0,0",
        "2001:db8::,V,64,V,,,,,,,,,1,0,1",
    ]);
    assert_eq!(map(file.as_bytes()).rows(), 4);
}

#[test]
fn endpoints_that_are_told_twice_or_at_length() {
    let long = "x".repeat(65);
    told(
        &format!(
            "PC-1,Fabrikam,Model 1,Laptop,a,b,c\nPC-1,,,,,,\n,,Model,,,,\nPC-2,{long},,,,,\npc-1,,,,,,\n"
        ),
        &[
            "line 2, column 1 (EndpointName): \"PC-1\" stands in line 1 already",
            "line 3, column 1 (EndpointName): \"\" is empty, and must not be",
            &format!("line 4, column 2 (EndpointMake): \"{long}\" is longer than 64 characters"),
        ],
    );
}

#[test]
fn access_points_that_are_none_or_are_told_twice() {
    told(
        "00:00:5e:00:53:01,one,B,1\n00-00-5E-00-53-01,two,B,2\n00:00:5e:00:53,three,B,3\n",
        &[
            "line 2, column 1 (BSSID): \"00-00-5E-00-53-01\" stands in line 1 already",
            "line 3, column 1 (BSSID): \"00:00:5e:00:53\" is no BSSID, which is 12 hexadecimal digits as in 00:00:5e:00:53:01",
        ],
    );
}

#[test]
fn ranges_of_numbers_that_overlap_or_go_backwards() {
    told(
        "192.0.2.0\t192.0.2.255\t64500\tUS\tCONTOSO\n\
         192.0.2.128\t192.0.3.255\t64501\tUS\tFABRIKAM\n\
         198.51.100.9\t198.51.100.1\t64502\tUS\tX\n\
         198.51.100.0\t2001:db8::\t64502\tUS\tX\n\
         203.0.113.0\t203.0.113.255\t4294967296\tUS\tX\n",
        &[
            "line 2, column 1 (RangeStart): \"192.0.2.128\" begins a range that overlaps the one of line 1",
            "line 3, column 2 (RangeEnd): \"198.51.100.1\" does not end the range that begins with 198.51.100.9",
            "line 4, column 2 (RangeEnd): \"2001:db8::\" does not end the range that begins with 198.51.100.0",
            "line 5, column 3 (ASNumber): \"4294967296\" is no whole number from 0 to 4294967295",
        ],
    );
}

#[test]
fn a_thousand_faults_are_kept_and_all_are_counted() {
    let file = OFFICE.to_owned() + &"x,n,24,B,,,,,,,,,1,0,0\n".repeat(2_500);
    let (lines, count) = faults(file.as_bytes(), None);
    assert_eq!((lines.len(), count), (1_000, 2_500));
    let long = format!("{OFFICE}{},n,24,B,,,,,,,,,1,0,0\n", "\u{fc}".repeat(300));
    let (lines, _) = faults(long.as_bytes(), None);
    assert!(lines[0].contains(&format!("\"{}\" is no", "\u{fc}".repeat(100))), "{lines:?}");
}

#[test]
fn every_form_of_a_building_file_says_the_same() {
    let without_vpn = OFFICE.trim_end().strip_suffix(",0").unwrap();
    let header = "Network IP,Network Name,Network Range,Building Name,Ownership Type,Building Type,Building Office Type,City,Zip Code,Country,State,Region,Inside Corp,Express Route,VPN\r\n";
    let quoted: Vec<String> =
        OFFICE.trim_end().split(',').map(|cell| format!("\"{cell}\"")).collect();
    let forms = [
        OFFICE.to_owned(),
        OFFICE.replace('\n', ""),
        OFFICE.replace('\n', "\r\n\r\n"),
        OFFICE.replace(',', "\t"),
        without_vpn.to_owned(),
        without_vpn.replace(',', "\t"),
        format!("\u{feff}{OFFICE}"),
        format!("{header}{OFFICE}"),
        format!("{header}{OFFICE}").replace(',', "\t"),
        quoted.join(","),
        quoted.join("\t"),
        OFFICE.replace(',', " , "),
    ];
    for form in forms {
        let maps = maps(&[&form]);
        let place = maps.at(0).place(&by_subnet("10.1.2.0"));
        let expected = Place {
            building: Some("Building One"),
            network_name: Some("USA/Seattle/ONE"),
            ownership: Some("Contoso"),
            building_type: Some("Office"),
            office_type: Some("Engineering"),
            city: Some("Seattle"),
            zip_code: Some("98001"),
            country: Some("US"),
            state: Some("WA"),
            region: Some("MSUS"),
            is_inside: Some(true),
            has_express_route: Some(false),
            is_vpn: Some(false),
            ..Place::default()
        };
        assert_eq!(place, expected, "{form}");
        assert_eq!(maps.at(0).place(&by_subnet("10.1.3.0")), Place::default());
    }
}

#[test]
fn notes_tell_of_headers_overlaps_and_networks_without_building() {
    let file = format!(
        "Network,Name,Range,,,,,,,,,,,,\n{OFFICE}10.1.0.0,n,16,,,,,,,,,,1,0,0\n10.1.2.128,n,25,,,,,,,,,,1,0,0\n"
    );
    let outcome = read(file.as_bytes(), None);
    let notes: Vec<String> = outcome.notes.iter().map(ToString::to_string).collect();
    assert!(outcome.read.is_ok());
    assert_eq!(outcome.note_count, 4);
    assert_eq!(
        notes,
        [
            "line 1: is a header, and is left out",
            "line 2: 10.1.2.0/24 overlaps 10.1.0.0/16 of line 3; of the two, the longer prefix counts",
            "line 4: 10.1.2.128/25 overlaps 10.1.2.0/24 of line 2; of the two, the longer prefix counts",
            "line 3: names no building, as 2 rows in all",
        ]
    );
}

#[test]
fn a_vpn_is_known_by_its_addresses_and_the_longer_prefix_counts() {
    let maps = maps(&[&format!("{OFFICE}{VPN}")]);
    let place = |subnet, address| {
        let end = Whereabouts { subnet, address, ..Whereabouts::default() };
        let place = maps.at(0).place(&end);
        (place.building, place.is_vpn)
    };
    let (office, vpn) = ((Some("Building One"), Some(false)), (Some("VPN"), Some(true)));
    assert_eq!(place(Some("192.168.1.0"), Some("172.16.18.77")), vpn);
    assert_eq!(place(Some("10.1.2.0"), Some("172.16.18.77")), vpn, "as long, and more exact");
    assert_eq!(place(Some("10.1.2.0"), Some("10.1.2.77")), office);
    assert_eq!(place(Some("10.1.2.0/24"), None), office);
    assert_eq!(place(Some("172.16.18.0"), None), (None, None), "by its addresses only");
    assert_eq!(place(None, Some("10.1.2.77")), (None, None), "by its subnet only");
    assert_eq!(place(Some("here"), Some("")), (None, None));
}

#[test]
fn other_files_tell_of_floors_providers_and_endpoints() {
    let maps = maps(&[
        OFFICE,
        "bssid,AP name,building,floor\n00-00-5E-00-53-01,AP-7,Building Two,3\n",
        "192.0.2.0\t192.0.2.255\t64500\tUS\t\"CONTOSO\n198.51.100.0\t198.51.100.255\t0\tNone\tNot routed\n2001:db8::\t2001:db8::ffff\tAS64501\tDE\tFABRIKAM\n",
        "PC-1,Fabrikam,Model 1,Laptop,a,,c\n",
        "PC-2,Model 2,Desktop,d,e,f\nPC-1,Other,,,,\n",
    ]);
    let end = Whereabouts {
        subnet: Some("10.1.2.0"),
        address: None,
        bssid: Some("00:00:5e:00:53:01"),
        reflexive_address: Some("192.0.2.7"),
        endpoint: Some("PC-1"),
    };
    let place = maps.at(0).place(&end);
    assert_eq!(place.building, Some("Building One"), "the network's own");
    assert_eq!((place.floor, place.access_point), (Some("3"), Some("AP-7")));
    assert_eq!((place.isp, place.as_number), (Some("\"CONTOSO"), Some(64500)));
    assert_eq!((place.endpoint.make, place.endpoint.model), (Some("Fabrikam"), Some("Model 1")));
    assert_eq!(place.endpoint.labels, [Some("a"), None, Some("c")]);
    let end = Whereabouts {
        bssid: Some("0000.5e00.5301"),
        reflexive_address: Some("2001:db8::7"),
        endpoint: Some("PC-2"),
        ..Whereabouts::default()
    };
    let place = maps.at(0).place(&end);
    assert_eq!(place.building, Some("Building Two"));
    assert_eq!((place.isp, place.as_country), (Some("FABRIKAM"), Some("DE")));
    assert_eq!((place.endpoint.make, place.endpoint.endpoint_type), (None, Some("Desktop")));
    let unrouted =
        Whereabouts { reflexive_address: Some("198.51.100.7"), ..Whereabouts::default() };
    assert_eq!(maps.at(0).place(&unrouted), Place::default());
}

#[test]
fn a_version_holds_for_its_time_and_a_higher_one_takes_its_place() {
    let version = |name: &str, version, (from, to), building: &str| MapVersion {
        name: name.to_owned(),
        version,
        validity: Validity { from, to },
        map: map(OFFICE.replace("Building One", building).as_bytes()).into(),
    };
    let maps = Maps::new(vec![
        version("offices", 1, (None, None), "Old"),
        version("offices", 2, (Some(100), Some(200)), "New"),
        version("more", 1, (Some(150), None), "More"),
    ]);
    let building = |instant| maps.at(instant).place(&by_subnet("10.1.2.0")).building;
    assert_eq!([99, 100, 149].map(building), [Some("Old"), Some("New"), Some("New")]);
    assert_eq!(building(150), Some("More"), "valid since later");
    assert_eq!([199, 200].map(building), [Some("More"), Some("More")]);
    assert_eq!(maps.turning_points(), [100, 150, 200]);
    assert!(Maps::default().is_empty());
    assert_eq!(Maps::default().at(0).place(&by_subnet("10.1.2.0")), Place::default());
}

#[test]
fn names_of_maps_need_no_escapes_in_an_address() {
    assert!(places::is_name("offices-2026_a.b") && places::is_name("7"));
    for text in ["", ".b", "a b", "a/b", "caf\u{e9}", &"a".repeat(65)] {
        assert!(!places::is_name(text), "{text}");
    }
}

#[test]
fn the_longest_prefix_counts_among_maps_too() {
    let wide = "10.0.0.0,n,8,Everywhere,,,,,,,,,1,0\n";
    let maps = maps(&[wide, OFFICE]);
    let building = |subnet| maps.at(0).place(&by_subnet(subnet)).building;
    assert_eq!(building("10.1.2.0"), Some("Building One"));
    assert_eq!(building("10.1.3.0"), Some("Everywhere"));
}

#[test]
fn of_two_prefixes_of_the_same_length_the_vpn_counts_among_maps_too() {
    let version = |name: &str, file: &str, from| MapVersion {
        name: name.to_owned(),
        version: 1,
        validity: Validity { from, to: None },
        map: map(file.as_bytes()).into(),
    };
    let end = Whereabouts { address: Some("172.16.18.9"), ..by_subnet("10.1.2.0") };
    // Whichever holds since later.
    for [vpn, office] in [[Some(1), Some(2)], [Some(2), Some(1)]] {
        let maps = Maps::new(vec![version("a", VPN, vpn), version("b", OFFICE, office)]);
        assert_eq!(maps.at(9).place(&end).building, Some("VPN"));
    }
}
