//! `$search` finds words with diacritics by their plain forms.

use odata::percent::encode_query;

use super::{RECORDS, record, served};

#[test]
fn plain_letters_find_those_with_diacritics_and_not_the_reverse() {
    let (callvault, _server, mut client) = served();
    let names = ["Zoë Özdemir", "Zoe Ozdemir", "Weiß Łódź", "Søren Đorđe", "Юрий Μάνος"];
    for (number, name) in names.into_iter().enumerate() {
        let text = record(&format!("r{number}"), 1, number as u64).replace("Abbie Wilkins", name);
        assert_eq!(client.post(RECORDS, text.as_bytes()).status, 201);
    }
    for (search, expected) in [
        ("Ozdemir", "r1 r0"),
        ("zoe", "r1 r0"),
        ("Özdemir", "r0"),
        ("o\u{308}zdemir", "r0"),
        ("ZOË", "r0"),
        ("ozd*", "r1 r0"),
        ("\"zoe ozdemir\"", "r1 r0"),
        ("\"zoe özdemir\"", "r0"),
        ("zoe AND NOT özdemir", "r1"),
        ("weiss", "r2"),
        ("weiß", "r2"),
        ("weis", ""),
        ("lodz", "r2"),
        ("soren AND dorde", "r3"),
        ("юрии", ""),
        ("юрий", "r4"),
        ("μανος", ""),
    ] {
        let encoded = encode_query(search);
        let found = client.get(&format!("{RECORDS}?$search={encoded}&$select=id")).json();
        let found: Vec<&str> = super::ids(found["value"].as_array().unwrap());
        assert_eq!(found.join(" "), expected, "{search}");
        // What has to be evaluated finds the same.
        let evaluated =
            format!("{RECORDS}?$apply=search({encoded})/compute(id%20as%20x)&$select=id");
        let answer = client.get(&evaluated);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut there = answer.json()["value"].as_array().unwrap().clone();
        there.sort_by_key(|item| std::cmp::Reverse(item["id"].to_string()));
        assert_eq!(super::ids(&there).join(" "), expected, "{search}");
    }
    let listed = callvault.succeed(&["list", "--search", "ozdemir"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
}
