//! `$apply` that keeps items, as options that mean the same.

use super::list;
use crate::bound::Query;

fn query(text: &str) -> Query {
    list(text).unwrap()
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let found = query(text).with_options_for_apply(false);
    assert_eq!(found, query(expected), "{text}: {found}");
}

#[test]
fn chains_that_keep_items_become_options() {
    check("$apply=filter(version gt 1)", "$filter=version gt 1");
    check(
        "$apply=filter(version gt 1)&$filter=sessions/$count gt 1&$expand=sessions",
        "$filter=version gt 1 and sessions/$count gt 1&$expand=sessions",
    );
    check("$apply=search(a)/filter(version gt 1)&$search=b", "$filter=version gt 1&$search=a b");
    check("$apply=orderby(version)/top(5)", "$orderby=version&$top=5");
    check("$apply=orderby(version)&$orderby=id desc", "$orderby=id desc,version");
    check("$apply=top(10)/skip(4)&$skip=1&$top=9", "$skip=5&$top=5");
    check(
        "$apply=compute(version mul 2 as n)/filter(n gt 2)&$count=true",
        "$compute=version mul 2 as n&$filter=n gt 2&$count=true",
    );
}

#[test]
fn chains_that_options_cannot_say_stay() {
    for text in [
        "$apply=aggregate($count as n)",
        "$apply=filter(version gt 1)/groupby((type))",
        "$apply=top(5)/filter(version gt 1)",
        "$apply=top(5)&$filter=version gt 1",
        "$apply=top(5)&$orderby=version",
        "$apply=top(5)&$count=true",
        "$apply=topcount(2,version)",
    ] {
        check(text, text);
    }
}

#[test]
fn chain_that_cuts_stays_where_its_items_are_counted() {
    let counted = |text| query(text).with_options_for_apply(true);
    assert_eq!(counted("$apply=top(5)"), query("$apply=top(5)"));
    assert_eq!(counted("$apply=filter(version gt 1)"), query("$filter=version gt 1"));
}

#[test]
fn condition_of_the_path_comes_before_apply() {
    let condition = query("$filter=version gt 1").filter.unwrap();
    let narrowed = |text| query(text).narrowed(condition.clone());
    assert_eq!(
        narrowed("$apply=groupby((type))"),
        query("$apply=filter(version gt 1)/groupby((type))")
    );
    assert_eq!(narrowed("$filter=id eq 'a'"), query("$filter=version gt 1 and id eq 'a'"));
}
