//! `$search`.

use super::{Asked, R8, RECORDS};

/// The collection with a search in the order of its ids.
fn searches(table: &[(&str, &str)]) {
    let table: Vec<(String, &str)> = table
        .iter()
        .map(|(search, names)| {
            (format!("?$search={search}&$orderby=length(id),id&$select=id"), *names)
        })
        .collect();
    let table: Vec<(&str, &str)> = table.iter().map(|(text, names)| (&**text, *names)).collect();
    Asked::new().lists(RECORDS, &table);
}

#[test]
fn words_and_phrases() {
    searches(&[
        ("jabra", "r1 r2 r7"),
        ("JABRA", "r1 r2 r7"),
        ("jab*", "r1 r2 r7"),
        ("jab", ""),
        ("\"evolve 75\"", "r1 r2 r7"),
        ("\"75 evolve\"", ""),
        ("\"Jabra Evolve 75\"", "r1 r2 r7"),
        // In the replaced version of r2 there was Bob.
        ("bob", "r1 r3 r6 r7"),
        ("\"ann lee\"", "r1 r2 r5 r7"),
        ("neil", "r2 r7"),
        ("zoë", "r2 r7"),
        ("łukasz", "r3"),
        ("größe", "r1"),
        ("nothing", ""),
        ("\"\"", ""),
    ]);
}

#[test]
fn operators() {
    searches(&[
        ("bob AND jabra", "r1 r7"),
        ("bob jabra", "r1 r7"),
        ("bob OR neil", "r1 r2 r3 r6 r7"),
        ("NOT bob", "r2 r4 r5 r8"),
        ("bob NOT jabra", "r3 r6"),
        ("bob AND NOT jabra", "r3 r6"),
        ("neil OR bob AND jabra", "r1 r2 r7"),
        ("(neil OR bob) AND jabra", "r1 r2 r7"),
        ("(neil OR bob) NOT (windows OR ios)", "r3"),
        ("NOT (bob OR ann)", "r4 r8"),
        ("NOT NOT bob", "r1 r3 r6 r7"),
        ("and", ""),
        ("\"AND\"", ""),
        ("NOT (bob AND ann)", "r2 r3 r4 r5 r6 r8"),
    ]);
}

#[test]
fn search_covers_the_documented_members() {
    searches(&[
        // Numbers of telephones, as they are and as people type them.
        ("15550100182", "r6 r8"),
        ("0182", "r6 r8"),
        ("\"+1 (555) 010-0182\"", "r6 r8"),
        ("155501*", "r6 r8"),
        // Ids.
        ("r1", "r1"),
        ("r1a1", "r1"),
        ("e8000000-0000-4000-8000-0000000000ab", "r8"),
        ("E8000000*", "r8"),
        ("a1b2c3d4-0000-4000-8000-00000000000a", "r1 r2 r5 r7"),
        ("visitor", "r2 r7"),
        // Networks; the address of a hop on the way is not searched.
        ("10.1.1.0", "r1 r2 r7"),
        ("10.1.1.5", "r1 r2"),
        ("192.168.*", "r2"),
        ("10.3.*", "r7"),
        ("198.51.100.1", ""),
        ("corp", "r1"),
        // User agents, platforms, products, endpoints, devices.
        ("sfb", "r6"),
        ("browser", "r2"),
        ("mediation", "r6"),
        ("quantumos", "r7"),
        ("skypeforbusiness", "r6"),
        ("\"1.6\"", "r7"),
        ("iphone", "r1"),
        ("holo", "r7"),
        ("\"built-in mic\"", "r6"),
        ("lukasz", "r3"),
        // Neither links nor reasons nor what people wrote.
        ("meetup", ""),
        ("midcall", ""),
        ("echo", ""),
    ]);
}

#[test]
fn together_with_other_options_and_elsewhere() {
    Asked::new().lists(
        RECORDS,
        &[
            ("?$search=jabra", "r7 r2 r1"),
            ("?$search=bob&$filter=type eq 'groupCall'", "r7 r3"),
            ("?$search=bob&$orderby=id&$top=2", "r1 r3"),
            ("?$search=bob&$orderby=id&$skip=2", "r6 r7"),
            ("/r2/sessions?$search=jabra", "r2a"),
            ("/r2/sessions?$search=NOT jabra", "r2b r2c"),
            ("/r2/participants_v2?$search=neil", "visitor-7"),
            ("/r2/sessions/r2a/segments?$search=jabra", "r2a1"),
            ("/callvault.sessions?$search=jabra&$orderby=id", "r1a r2a r7a"),
            ("/callvault.segments?$search=jabra&$orderby=id", "r1a1 r2a1 r7a1"),
            ("/callvault.streams?$search=jabra&$orderby=streamId", "11 12 21 71"),
            ("/callvault.sessions?$search=jabra AND callRecordNothing", ""),
        ],
    );
}

/// Operators without operands, and parentheses and quotes without their other half (ABNF `searchExpr`).
const UNFINISHED: &[(&str, u16, &str, &str)] = &[
    (
        "?$search=a AND",
        400,
        "$search",
        "Word or phrase to search for expected at position 5 in 'a AND'.",
    ),
    (
        "?$search=a OR",
        400,
        "$search",
        "Word or phrase to search for expected at position 4 in 'a OR'.",
    ),
    (
        "?$search=a NOT",
        400,
        "$search",
        "Word or phrase to search for expected at position 5 in 'a NOT'.",
    ),
    (
        "?$search=NOT",
        400,
        "$search",
        "Word or phrase to search for expected at position 3 in 'NOT'.",
    ),
    (
        "?$search=NOT NOT",
        400,
        "$search",
        "Word or phrase to search for expected at position 7 in 'NOT NOT'.",
    ),
    (
        "?$search=AND",
        400,
        "$search",
        "Word or phrase to search for expected but found 'AND' at position 0 in 'AND'.",
    ),
    (
        "?$search=OR b",
        400,
        "$search",
        "Word or phrase to search for expected but found 'OR' at position 0 in 'OR b'.",
    ),
    (
        "?$search=AND b",
        400,
        "$search",
        "Word or phrase to search for expected but found 'AND' at position 0 in 'AND b'.",
    ),
    (
        "?$search=a OR OR b",
        400,
        "$search",
        "Word or phrase to search for expected but found 'OR' at position 5 in 'a OR OR b'.",
    ),
    (
        "?$search=a AND AND b",
        400,
        "$search",
        "Word or phrase to search for expected but found 'AND' at position 6 in 'a AND AND b'.",
    ),
    (
        "?$search=a AND OR b",
        400,
        "$search",
        "Word or phrase to search for expected but found 'OR' at position 6 in 'a AND OR b'.",
    ),
    (
        "?$search=NOT AND b",
        400,
        "$search",
        "Word or phrase to search for expected but found 'AND' at position 4 in 'NOT AND b'.",
    ),
    (
        "?$search=(a AND)",
        400,
        "$search",
        "Word or phrase to search for expected but found ')' at position 6 in '(a AND)'.",
    ),
    ("?$search=(a", 400, "$search", "')' expected at position 2 in '(a'."),
    ("?$search=((a)", 400, "$search", "')' expected at position 4 in '((a)'."),
    ("?$search=a OR (b", 400, "$search", "')' expected at position 7 in 'a OR (b'."),
    (
        "?$search=a \"b",
        400,
        "$search",
        "Phrase that ends with '\"' expected but found '\"' at position 2 in 'a \"b'.",
    ),
];

#[test]
fn unfinished_searches_are_refused_with_their_position() {
    Asked::new().refusals(UNFINISHED);
}

#[test]
fn wrong_searches_are_refused_with_their_position() {
    let many = format!("?$search={}", vec!["a"; 65].join(" "));
    let single = format!("/{R8}?$search=x");
    Asked::new().refusals(&[
        ("?$search=", 400, "$search", "Word or phrase to search for expected at position 0 in ''."),
        ("?$search=(bob", 400, "$search", "')' expected at position 4 in '(bob'."),
        (
            "?$search=bob)",
            400,
            "$search",
            "End of the search expected but found ')' at position 3 in 'bob)'.",
        ),
        (
            "?$search=\"bob",
            400,
            "$search",
            "Phrase that ends with '\"' expected but found '\"' at position 0 in '\"bob'.",
        ),
        (
            "?$search=()",
            400,
            "$search",
            "Word or phrase to search for expected but found ')' at position 1 in '()'.",
        ),
        (
            "?$search=a&$search=b",
            400,
            "$search",
            "The query option '$search' is given more than once.",
        ),
        (
            &single,
            400,
            "$search",
            "The query option '$search' on a single value is not allowed here.",
        ),
        (&many, 400, "$search", "Too much in '$search': words to search for, at most 64."),
    ]);
}
