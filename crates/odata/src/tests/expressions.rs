//! Expressions: what they mean, in their canonical form, and why others make no sense.

use super::{list, parse};

/// The canonical form of a condition on call records, or the sentence that refuses it.
fn filter(condition: &str) -> String {
    let query = format!("$filter={}", crate::percent::encode_query(condition));
    match list(&query) {
        Ok(query) => query.filter.map(|filter| filter.to_string()).unwrap_or_default(),
        Err(error) => error.to_string(),
    }
}

/// Conditions that are in canonical form already, and so mean what is written.
#[test]
fn every_operator_and_function_is_bound() {
    for condition in [
        "id eq 'x' or id ne 'y' and version gt 5",
        "(id eq 'x' or id ne 'y') and version le 5",
        "not (version lt 5)",
        "not contains(id,'x')",
        "version add 1 eq 3",
        "version mul 2 add 3 sub version div 4 mod 5 eq - version",
        "(version add 2) mul 3 ge 4",
        "version divby 2 eq 1.5",
        "version sub (2 sub 1) eq 0",
        "- (version add 1) lt -5",
        "startDateTime add duration'PT1H' lt endDateTime",
        "endDateTime sub startDateTime gt duration'PT1H'",
        "duration mul 2 ge duration'PT1H' add duration'PT5M'",
        "duration div 2.5 ge duration'PT1H'",
        "id in ('a','b')",
        "version in (1,2,3)",
        "type in (microsoft.graph.callRecords.callType'groupCall')",
        "'audio' in modalities",
        "type has microsoft.graph.callRecords.callType'groupCall'",
        "concat(concat(id,'x'),joinWebUrl) eq 'y'",
        "contains(id,'x') and endswith(id,'y') and startswith(id,'z')",
        "indexof(id,'x') eq 1 and length(id) eq 5",
        "substring(id,1) eq 'x' and substring(id,1,2) eq 'y'",
        "tolower(id) eq 'x' and toupper(id) eq 'X' and trim(id) eq 'x'",
        "matchesPattern(id,'^a.*b$')",
        "hassubset(modalities,['audio','video'])",
        "hassubsequence(['audio'],modalities)",
        "length(modalities) gt 1 and indexof(modalities,['video']) eq 0",
        "length(concat(modalities,['x'])) eq 2 and length(substring(modalities,1)) eq 1",
        "year(startDateTime) eq 2025 and month(startDateTime) eq 5 and day(startDateTime) eq 1",
        "hour(startDateTime) eq 1 and minute(startDateTime) eq 2 and second(startDateTime) eq 3",
        "fractionalseconds(startDateTime) eq 0.5",
        "date(startDateTime) eq 2025-05-01 and time(startDateTime) lt 12:00:00",
        "year(date(startDateTime)) eq 2025 and hour(time(startDateTime)) eq 1",
        "totaloffsetminutes(startDateTime) eq 60 and totalseconds(duration) gt 1.5",
        "ceiling(1.5) eq 2 and floor(totalseconds(duration)) eq 1 and round(version) eq 1",
        "callvault.bucket(startDateTime,duration'PT1H') gt 2025-05-01T00:00:00Z",
        "callvault.bucket(startDateTime,duration'P1D',duration'PT5H30M') le endDateTime",
        "callvault.ratio(version,2.5) gt 0.5 and callvault.wilson(version,10) lt 0.1",
        "cast(version,Edm.String) eq '5'",
        "cast(id,Edm.Int64) eq 5",
        "cast(type,Edm.String) eq 'groupCall'",
        "isof(organizer,microsoft.graph.identity)",
        "case(version gt 5:'big',true:'small') eq 'big'",
        "case(version gt 5:1,true:null) eq null",
        "organizer eq null",
        "organizer_v2 ne null",
        "organizer_v2/identity/displayName eq 'Megan'",
        "organizer/tenantId eq 'x' and organizer/anything/deep eq true",
        "organizer/anything",
        "participants_v2/any()",
        "participants_v2/all(p:p/id eq 'x')",
        "sessions/any(s:s/segments/any(g:g/startDateTime ge s/startDateTime))",
        "sessions/any(s:s/caller/microsoft.graph.callRecords.participantEndpoint/name eq 'x')",
        "modalities/any(m:m eq 'audio')",
        "sessions/$count gt 5",
        "sessions/$count($filter=isTest eq false;$search=\"a b\" AND c) gt 5",
        "sessions/$filter(isTest eq true)/$count gt 5",
        "sessions/$filter(isTest eq true)/any(s:s/id eq 'x')",
        "sessions('x')/startDateTime eq null",
        "sessions/$filter(startDateTime eq $it/startDateTime)/any()",
        "sessions/any(s:s/isTest)",
        "true",
        "null eq version",
    ] {
        assert_eq!(filter(condition), condition);
    }
}

#[test]
fn what_is_written_out_is_decided_by_all_its_digits() {
    for (condition, decided) in [
        ("3.00000000000000000001 gt 3", "true"),
        ("3.00000000000000000001 eq 3.00000000000000000002", "false"),
        ("1 ne 1.0", "false"),
        ("1.00000000000000000001 in (1.0,2)", "false"),
        ("1 in (2,1.000)", "true"),
        ("id in ()", "false"),
    ] {
        assert_eq!(filter(condition), decided, "{condition}");
    }
    for condition in ["1.5 lt INF", "1.5 eq NaN"] {
        assert_eq!(filter(condition), condition);
    }
}

#[test]
fn what_means_the_same_is_written_the_same() {
    for (condition, canonical) in [
        ("id eq 'a' and (id eq 'b' and id eq 'c')", "id eq 'a' and id eq 'b' and id eq 'c'"),
        ("(id eq 'a' or id eq 'b') or id eq 'c'", "id eq 'a' or id eq 'b' or id eq 'c'"),
        ("type eq 'groupCall'", "type eq microsoft.graph.callRecords.callType'groupCall'"),
        ("type eq 'GROUPCALL'", "type eq microsoft.graph.callRecords.callType'groupCall'"),
        ("'2' ne type", "microsoft.graph.callRecords.callType'peerToPeer' ne type"),
        ("type eq 'brandNew'", "type eq microsoft.graph.callRecords.callType'brandNew'"),
        (
            "type in ('groupCall','peerToPeer')",
            "type in (microsoft.graph.callRecords.callType'groupCall',\
             microsoft.graph.callRecords.callType'peerToPeer')",
        ),
        (
            "type eq callRecords.callType'groupCall'",
            "type eq microsoft.graph.callRecords.callType'groupCall'",
        ),
        ("startDateTime gt 2025-05-01", "startDateTime gt 2025-05-01T00:00:00Z"),
        ("duration gt 'PT90M'", "duration gt duration'PT1H30M'"),
        (
            "endDateTime sub 'PT1H' gt startDateTime",
            "endDateTime sub duration'PT1H' gt startDateTime",
        ),
        ("2 mul duration gt 'PT1H'", "duration mul 2 gt duration'PT1H'"),
        (
            "id eq e523d2ed-2966-4b6b-925b-754a88034cc5",
            "id eq 'e523d2ed-2966-4b6b-925b-754a88034cc5'",
        ),
        ("startDateTime lt now()", "startDateTime lt 2025-05-01T12:00:00Z"),
        ("startDateTime gt mindatetime()", "startDateTime gt 0001-01-01T00:00:00Z"),
        ("startDateTime lt maxdatetime()", "startDateTime lt 9999-12-31T23:59:59.9999999Z"),
        ("$it/id eq 'x' and $this/id eq 'x'", "id eq 'x' and id eq 'x'"),
        ("ToLower(id) EQ 'x' AND NOT (true)", "tolower(id) eq 'x' and not true"),
        ("id in ['a',\"b\"]", "id in ('a','b')"),
        (
            "case(true:'groupCall') eq type",
            "case(true:microsoft.graph.callRecords.callType'groupCall') eq type",
        ),
        ("sessions(id='x')/isTest", "sessions('x')/isTest"),
        ("id in [joinWebUrl,'x']", "id in [joinWebUrl,'x']"),
    ] {
        assert_eq!(filter(condition), canonical, "{condition}");
        assert_eq!(filter(canonical), canonical, "{canonical}");
    }
}

#[test]
fn aliases_stand_for_values_collections_and_paths() {
    for (query, canonical) in [
        ("$filter=id in @p&@p=['a','b']", "id in ('a','b')"),
        ("$filter=id in (@p,'c')&@p='a'", "id in ('a','c')"),
        ("$filter=@p/id eq 'x'&@p=organizer_v2", "organizer_v2/id eq 'x'"),
        ("$filter=@p/any(s:s/isTest)&@p=sessions", "sessions/any(s:s/isTest)"),
        ("$filter=hassubset(modalities,@p)&@p=[\"audio\"]", "hassubset(modalities,['audio'])"),
        ("$filter=sessions(@key)/isTest&@key='x'", "sessions('x')/isTest"),
        (
            "$filter=sessions/$count($filter=id eq @p;@p='y') eq 1",
            "sessions/$count($filter=id eq 'y') eq 1",
        ),
    ] {
        let bound = list(query).map(|query| query.filter.unwrap().to_string());
        assert_eq!(bound.map_err(|error| error.to_string()), Ok(canonical.to_owned()), "{query}");
    }
}

#[test]
fn items_that_are_values_are_this() {
    let (_, query) =
        parse("communications/callRecords/x/modalities/$count", "$filter=$this eq 'audio'")
            .unwrap();
    assert_eq!(query.filter.unwrap().to_string(), "$this eq 'audio'");
}

const WRONG_EXPRESSIONS: &[(&str, &str)] = &[
    ("version eq 'x'", "Type mismatch: Edm.Int64 expected but found Edm.String at position 11"),
    (
        "version add 'x' eq 1",
        "Type mismatch: Edm.Duration expected but found Edm.String at position 12",
    ),
    ("id add 1 eq 2", "Type mismatch: a number expected but found Edm.String at position 0"),
    (
        "startDateTime add 1 eq now()",
        "Type mismatch: Edm.Duration expected but found Edm.Int64 at position 18",
    ),
    (
        "startDateTime mul 2 eq now()",
        "Type mismatch: a number expected but found Edm.DateTimeOffset at position 0",
    ),
    (
        "duration div duration eq 1",
        "Type mismatch: a number expected but found Edm.Duration at position 13",
    ),
    (
        "version sub startDateTime eq 1",
        "Type mismatch: a number expected but found Edm.DateTimeOffset at position 12",
    ),
    (
        "modalities eq 'audio'",
        "Type mismatch: a single value expected but found Collection(Edm.String) at position 0",
    ),
    (
        "organizer eq organizer_v2/identity",
        "Comparing an entity or complex value with anything but null is not allowed here.",
    ),
    (
        "organizer gt null",
        "Type mismatch: a value that has an order expected but found microsoft.graph.identity at position 0",
    ),
    (
        "organizer_v2",
        "Type mismatch: Edm.Boolean expected but found microsoft.graph.callRecords.participant at position 0",
    ),
    ("not id", "Type mismatch: Edm.Boolean expected but found Edm.String at position 4"),
    (
        "id eq 'x' or version",
        "Type mismatch: Edm.Boolean expected but found Edm.Int64 at position 13",
    ),
    (
        "- id eq 1",
        "Type mismatch: a number or Edm.Duration expected but found Edm.String at position 2",
    ),
    (
        "id has 'x'",
        "Type mismatch: a value of an enumeration expected but found Edm.String at position 0",
    ),
    (
        "type has 5",
        "Type mismatch: microsoft.graph.callRecords.callType expected but found Edm.Int64 at position 9",
    ),
    ("id in (1,2)", "Type mismatch: Edm.String expected but found Edm.Int64 at position 7"),
    ("id in version", "Type mismatch: a collection expected but found Edm.Int64 at position 6"),
    ("5 in modalities", "Type mismatch: Edm.String expected but found Edm.Int64 at position 0"),
    ("contains(id)", "2 arguments for 'contains' expected but found '1' at position 0"),
    ("substring(id)", "2 or 3 arguments for 'substring' expected but found '1' at position 0"),
    ("now(1) eq startDateTime", "0 arguments for 'now' expected but found '1' at position 0"),
    (
        "contains(version,'x')",
        "Type mismatch: Edm.String expected but found Edm.Int64 at position 9",
    ),
    ("contains(id,5)", "Type mismatch: Edm.String expected but found Edm.Int64 at position 12"),
    (
        "length(version) eq 5",
        "Type mismatch: Edm.String expected but found Edm.Int64 at position 7",
    ),
    (
        "substring(id,1.5) eq 'x'",
        "Type mismatch: Edm.Int64 or Edm.Int32 expected but found Edm.Decimal at position 13",
    ),
    (
        "hassubset(modalities,[1])",
        "Type mismatch: Edm.String expected but found Edm.Int64 at position 21",
    ),
    (
        "hassubset(sessions,[1])",
        "Type mismatch: a collection of values expected but found Collection(microsoft.graph.callRecords.session) at position 10",
    ),
    (
        "hassubset(id,modalities)",
        "Type mismatch: a collection expected but found Edm.String at position 10",
    ),
    (
        "year(id) eq 5",
        "Type mismatch: Edm.DateTimeOffset or Edm.Date expected but found Edm.String at position 5",
    ),
    (
        "hour(date(startDateTime)) eq 5",
        "Type mismatch: Edm.DateTimeOffset or Edm.TimeOfDay expected but found Edm.Date at position 5",
    ),
    (
        "callvault.bucket(startDateTime,duration'PT0S') eq null",
        "Literal of a duration above zero, of 366 days at most expected but found 'duration'PT0S'' at position 31",
    ),
    (
        "callvault.bucket(startDateTime,duration'-PT1H') eq null",
        "Literal of a duration above zero, of 366 days at most expected but found 'duration'-PT1H'' at position 31",
    ),
    (
        "callvault.bucket(startDateTime,duration'P367D') eq null",
        "Literal of a duration above zero, of 366 days at most expected but found 'duration'P367D'' at position 31",
    ),
    (
        "callvault.bucket(startDateTime,endDateTime sub startDateTime) eq null",
        "Literal of a duration above zero, of 366 days at most expected but found 'endDateTime sub startDateTime' at position 43",
    ),
    (
        "callvault.bucket(startDateTime,3600) eq null",
        "Type mismatch: Edm.Duration expected but found Edm.Int64 at position 31",
    ),
    (
        "callvault.ratio(version) eq 1",
        "2 arguments for 'callvault.ratio' expected but found '1' at position 0",
    ),
    (
        "callvault.wilson(id,version) eq 1",
        "Type mismatch: a number expected but found Edm.String at position 17",
    ),
    ("round(id) eq 5", "Type mismatch: a number expected but found Edm.String at position 6"),
    (
        "totalseconds(version) eq 5",
        "Type mismatch: Edm.Duration expected but found Edm.Int64 at position 13",
    ),
    (
        "cast(version,Edm.Guid) eq null",
        "Type mismatch: a value that Edm.Guid can be made of expected but found Edm.Int64 at position 5",
    ),
    ("cast(version,Edm.Strin) eq null", "Unknown type 'Edm.Strin' at position 13"),
    ("cast(version) eq 5", "Unknown type 'version'"),
    (
        "isof(modalities,Edm.String)",
        "Type mismatch: a single value expected but found Collection(Edm.String) at position 5",
    ),
    (
        "case(version:1) eq 1",
        "Type mismatch: Edm.Boolean expected but found Edm.Int64 at position 5",
    ),
    (
        "case(true:1,false:'x') eq 1",
        "Type mismatch: Edm.Int64 expected but found Edm.String at position 18",
    ),
    ("modalities/any(m:m/foo eq 1)", "Unknown property 'foo' at position 19"),
    (
        "sessions/any(s:s/segments/any(s:true))",
        "'s' as a variable inside another 's' is not allowed here.",
    ),
    (
        "sessions/any(id:id/id eq $it/id)",
        "The property 'id' inside a lambda whose variable is 'id' is not supported yet.",
    ),
    ("sessions('x','y')/isTest", "One key expected but found 'sessions' at position 0"),
    ("sessions(isTest)/isTest", "Unknown property 'isTest' at position 9"),
    ("sessions(foo='x')/isTest", "Unknown property 'foo' at position 13"),
    ("id/$count eq 1", "'$count' behind something that is no collection is not allowed here."),
    (
        "sessions/$count($top=1) eq 1",
        "The query option '$top' in the parentheses of '$count' is not allowed here.",
    ),
    ("organizer/x/any(y:y)", "A condition on items behind a dynamic member is not supported yet."),
    ("geo.length(id) eq 1", "The function 'geo.length' is not supported yet."),
    ("id eq binary'Zg'", "A value of Edm.Binary is not supported yet."),
    ("$root/communications/id eq 'x'", "A path from '$root' is not supported yet."),
];

#[test]
fn expressions_that_make_no_sense_are_refused_with_their_place() {
    for (condition, message) in WRONG_EXPRESSIONS {
        let found = filter(condition);
        assert!(found.starts_with(message), "{condition}: {found}");
    }
}

#[test]
fn misspelt_names_are_answered_with_the_nearest_one() {
    for (query, suggestion) in [
        ("$filter=startDateTme ge 2025-05-01", "startDateTime"),
        ("$filter=organizer_v2/identity/displayname eq 'x'", ""),
        ("$filter=sessions/any(session:sesion/isTest)", "session"),
        ("$filter=sessions/any(s:s/istest)", "isTest"),
        (
            "$filter=sessions/any(s:s/caller/name eq 'x')",
            "microsoft.graph.callRecords.participantEndpoint/name",
        ),
        ("$filter=startwith(id,'x')", "startswith"),
        (
            "$filter=type eq microsoft.graph.callRecords.calltype'x'",
            "microsoft.graph.callRecords.callType",
        ),
        ("$filter=isof(organizer,microsoft.graph.identiy)", "microsoft.graph.identity"),
        ("$filter=cast(id,Edm.Int46) eq 1", "Edm.Int64"),
        ("$filer=id eq 'x'", "$filter"),
        ("$expand=sessions($selct=id)", "$select"),
        ("$select=modalites", "modalities"),
        ("$expand=sesions", "sessions"),
        ("$orderby=strtDateTime", "startDateTime"),
        ("$filter=type eq groupCall", "'groupCall'"),
    ] {
        let found = list(query).err().and_then(|error| error.suggestion).unwrap_or_default();
        assert_eq!(&*found, suggestion, "{query}");
    }
    let error = list("$filter=type eq groupCall").unwrap_err();
    assert!(error.to_string().ends_with("Text stands in quotes: 'groupCall'."), "{error}");
    let error = parse("communicatons/callRecords", "").unwrap_err();
    assert_eq!(error.suggestion.as_deref(), Some("communications"));
    let error = parse("communications/callRecords/x/sesions", "").unwrap_err();
    assert!(error.to_string().ends_with("'sesions'. Did you mean 'sessions'?"), "{error}");
}
