//! What a bound query says that it uses.

use super::list;
use crate::bound::Query;
use crate::percent::encode_query;

fn query(text: &str) -> Query {
    let encoded: Vec<String> = text.split('&').map(encode_query).collect();
    list(&encoded.join("&")).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Whether what is expanded looks at the item of the outermost collection.
fn looks_out(text: &str) -> bool {
    query(text).expand.iter().any(|item| item.query.uses_outermost())
}

#[test]
fn the_outermost_item_is_found_in_every_option_at_any_depth() {
    for options in [
        "$filter=id eq $it/id",
        "$filter=not (isTest or length($it/id) in (1,2))",
        "$filter=segments/any(s:s/id eq $it/id)",
        "$filter=segments/$count($filter=id eq $it/id) gt 1",
        "$filter=case(isTest:true,true:$it/id eq 'x')",
        "$compute=concat($it/id,'x') as both",
        "$orderby=length($it/id) desc",
        "$expand=segments($filter=id eq $it/id)",
    ] {
        assert!(looks_out(&format!("$expand=sessions({options})")), "{options}");
    }
}

#[test]
fn text_of_a_literal_is_no_use() {
    for options in [
        "$filter=id eq '$it'",
        "$filter=contains(id,'$it/id')",
        "$search=\"$it\"",
        "$compute='$it' as it",
        "$filter=id in ('$it','$it/id')",
        "$expand=segments($filter=id eq '$it')",
    ] {
        assert!(!looks_out(&format!("$expand=sessions({options})")), "{options}");
    }
    for text in [
        "$filter=id eq 'version'",
        "$search=version",
        "$search=\"version\"",
        "$compute=1 as version2&$filter=version2 eq 1",
        "$apply=filter(id eq 'version')/search(version)",
        "$expand=sessions($filter=id eq 'version')",
    ] {
        assert!(!query(text).uses_member("version"), "{text}");
    }
}

#[test]
fn members_are_found_on_paths_and_among_those_selected_and_expanded() {
    for text in [
        "$filter=version gt 5",
        "$filter=sessions/any(s:s/id eq 'x' and $it/version gt 5)",
        "$compute=version add 1 as next",
        "$orderby=id,version desc",
        "$select=id,version",
        "$apply=filter(version gt 5)",
        "$apply=compute(version add 1 as next)",
        "$apply=orderby(version)",
        "$apply=aggregate(version with max as newest)",
        "$apply=groupby((version))",
        "$apply=groupby((rollup($all,type,version)))",
        "$apply=groupby((type),aggregate(version with max as newest))",
        "$apply=concat(identity,topcount(2,version))",
        "$expand=sessions($filter=$it/version gt 5)",
    ] {
        assert!(query(text).uses_member("version"), "{text}");
    }
    for text in [
        "$expand=sessions",
        "$select=sessions",
        "$filter=sessions/$count gt 1",
        "$apply=aggregate(sessions/$count as calls)",
    ] {
        assert!(query(text).uses_member("sessions"), "{text}");
    }
    assert!(query("$expand=sessions($expand=segments)").uses_member("segments"));
    assert!(query("$expand=sessions($select=caller/userAgent)").uses_member("userAgent"));
    assert!(!query("$expand=sessions($select=id)").uses_member("segments"));
    assert!(!Query::default().uses_member("id"));
}
