//! String functions.

use super::{ALL, Asked, PARTICIPANT};

#[test]
fn functions_count_characters() {
    Asked::new().values(&[
        // https://teams.example/l/meetup-join/19%3ameeting_ABC
        ("r2", "length(joinWebUrl)", "52"),
        ("r3", "length(joinWebUrl)", "0"),
        ("r1", "length(joinWebUrl)", "null"),
        ("r1", "length('🦊ë')", "2"),
        ("r2", "indexof(joinWebUrl,'teams')", "8"),
        ("r2", "indexof(joinWebUrl,'zzz')", "-1"),
        ("r2", "indexof(joinWebUrl,'')", "0"),
        ("r1", "indexof('a🦊b','b')", "2"),
        ("r1", "indexof(joinWebUrl,'a')", "null"),
        ("r2", "substring(joinWebUrl,49)", "'ABC'"),
        ("r2", "substring(joinWebUrl,8,5)", "'teams'"),
        ("r2", "substring(joinWebUrl,100)", "''"),
        ("r2", "substring(joinWebUrl,-3)", "'ABC'"),
        ("r2", "substring(joinWebUrl,-3,2)", "'AB'"),
        ("r2", "substring('abc',-5)", "'abc'"),
        ("r2", "substring(joinWebUrl,50,9)", "'BC'"),
        ("r1", "substring('a🦊b',1,1)", "'🦊'"),
        ("r1", "substring(joinWebUrl,1)", "null"),
    ]);
}

#[test]
fn functions_that_make_text() {
    Asked::new().values(&[
        ("r2", "tolower(substring(joinWebUrl,49))", "'abc'"),
        ("r1", "tolower('ÄÖ ß')", "'äö ß'"),
        ("r1", "toupper('größe')", "'GRÖSSE'"),
        ("r1", "toupper(id)", "'R1'"),
        ("r1", "toupper(joinWebUrl)", "null"),
        ("r1", "trim('  x y ')", "'x y'"),
        ("r1", "trim('\u{a0}\tx\u{2003}')", "'x'"),
        ("r1", "trim(joinWebUrl)", "null"),
        ("r2", "concat(id,'-x')", "'r2-x'"),
        ("r2", "concat(concat('it''s ',id),'!')", "'it''s r2!'"),
        ("r1", "concat(joinWebUrl,'x')", "null"),
    ]);
}

#[test]
fn functions_that_test_text() {
    Asked::new().values(&[
        ("r2", "contains(joinWebUrl,'teams')", "true"),
        ("r2", "contains(joinWebUrl,'TEAMS')", "false"),
        ("r2", "contains(joinWebUrl,'')", "true"),
        ("r3", "contains(joinWebUrl,'')", "true"),
        ("r1", "contains(joinWebUrl,'')", "null"),
        ("r2", "startswith(joinWebUrl,'https://')", "true"),
        ("r2", "startswith(joinWebUrl,'http:/')", "false"),
        ("r1", "startswith(joinWebUrl,'h')", "null"),
        ("r2", "endswith(joinWebUrl,'_ABC')", "true"),
        ("r2", "endswith(joinWebUrl,'_abc')", "false"),
        ("r1", "endswith(joinWebUrl,'c')", "null"),
        ("r2", "matchesPattern(joinWebUrl,'meet.ng_[A-C]{3}$')", "true"),
        ("r2", "matchesPattern(joinWebUrl,'^meet')", "false"),
        ("r1", "matchesPattern(id,'^r%5C%5Cd$')", "false"),
        ("r1", "matchesPattern(id,'^r\\d$')", "true"),
        ("r1", "matchesPattern(joinWebUrl,'.')", "null"),
        ("r1", "contains('abc',null)", "null"),
    ]);
}

#[test]
fn in_conditions() {
    let name = format!("s/caller/{PARTICIPANT}/name");
    let table = [
        // Neither is a wildcard here.
        ("sessions/any(s:contains({},'_100%25'))", "r6"),
        ("sessions/any(s:contains({},'%25'))", "r6"),
        ("sessions/any(s:contains({},'_'))", "r6"),
        ("sessions/any(s:matchesPattern({},'100%25$'))", "r6"),
        ("sessions/any(s:startswith({},'laptop'))", ""),
        ("sessions/any(s:startswith(tolower({}),'laptop'))", "r1 r2 r7"),
        ("sessions/any(s:endswith({},'ANN'))", "r1 r7"),
        ("sessions/any(s:endswith({},'-Ann'))", "r2"),
        ("sessions/any(s:toupper({}) eq 'LAPTOP-ANN')", "r1 r2 r7"),
        ("sessions/any(s:length({}) eq 8)", "r7"),
        ("sessions/any(s:indexof({},'-') eq 6)", "r1 r2 r7"),
        ("sessions/any(s:substring({},0,4) eq 'HOLO')", "r7"),
        ("startswith(id,'')", ALL),
        ("endswith(id,'1') or contains(id,'7')", "r1 r7"),
        ("concat(id,id) eq 'r4r4'", "r4"),
        ("contains(tolower(joinWebUrl),'xyz')", "r7"),
        ("participants_v2/any(p:contains(p/identity/guest/displayName,'''N'))", "r2 r7"),
        ("participants_v2/any(p:startswith(p/identity/user/displayName,'Ł'))", "r3"),
        ("participants_v2/any(p:startswith(p/id,'+1 (555)'))", "r6 r8"),
    ];
    let table: Vec<(String, &str)> =
        table.iter().map(|(text, names)| (text.replace("{}", &name), *names)).collect();
    let table: Vec<(&str, &str)> = table.iter().map(|(text, names)| (&**text, *names)).collect();
    Asked::new().filters(&table);
}

#[test]
fn wrong_calls_are_refused_with_their_position() {
    Asked::new().refusals(&[
        (
            "?$filter=contains(id)",
            400,
            "$filter",
            "2 arguments for 'contains' expected but found '1' at position 0 in 'contains(id)'.",
        ),
        (
            "?$filter=substring(id) eq 'x'",
            400,
            "$filter",
            "2 or 3 arguments for 'substring' expected but found '1' at position 0 in 'substring(id) eq 'x''.",
        ),
        (
            "?$filter=length(version) eq 1",
            400,
            "$filter",
            "Type mismatch: Edm.String expected but found Edm.Int64 at position 7 in 'length(version) eq 1'.",
        ),
        (
            "?$filter=lenght(id) eq 2",
            400,
            "$filter",
            "Unknown function 'lenght' at position 0 in 'lenght(id) eq 2'. Did you mean 'length'?",
        ),
        (
            "?$filter=contains(id,1)",
            400,
            "$filter",
            "Type mismatch: Edm.String expected but found Edm.Int64 at position 12 in 'contains(id,1)'.",
        ),
        (
            "?$filter=substring(id,0,-1) eq 'x'",
            400,
            "$filter",
            "Length that is not negative expected but found '-1' at position 15 in 'substring(id,0,-1) eq 'x''.",
        ),
        (
            "?$filter=substring(id,'1') eq 'x'",
            400,
            "$filter",
            "Type mismatch: Edm.Int64 or Edm.Int32 expected but found Edm.String at position 13 in 'substring(id,'1') eq 'x''.",
        ),
        (
            "?$filter=contains(id,'x'",
            400,
            "$filter",
            "')' expected at position 15 in 'contains(id,'x''.",
        ),
        (
            "?$filter=tolower(id)",
            400,
            "$filter",
            "Type mismatch: Edm.Boolean expected but found Edm.String at position 0 in 'tolower(id)'.",
        ),
        (
            "?$filter=matchesPattern(id,'(')",
            400,
            "$filter",
            "Regular expression expected but found '(' at position 18 in 'matchesPattern(id,'(')'.",
        ),
        (
            "?$filter=substringof('r',id)",
            400,
            "$filter",
            "Unknown function 'substringof' at position 0 in 'substringof('r',id)'. Did you mean 'substring'?",
        ),
    ]);
}
