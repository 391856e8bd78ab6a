//! What the steps of `$apply` make of members that steps before have calculated.

use super::{Asked, RECORDS};

#[test]
fn what_is_no_number_stays_so_in_the_steps_behind() {
    let mut asked = Asked::new();
    for (apply, member, expected) in [
        ("aggregate(0 divby 0 with sum as a)/compute(a mul 2 as b)", "b", "NaN"),
        ("aggregate(1 divby 0 with sum as a)/compute(a sub a as b)", "b", "NaN"),
        ("compute(0 divby 0 as a)/compute(a add 1 as b)/aggregate(b with sum as c)", "c", "NaN"),
        ("aggregate(1 divby 0 with sum as a)/compute(a mul 2 as b)", "b", "INF"),
    ] {
        let body = asked.body(&format!("{RECORDS}?$apply={apply}"));
        assert_eq!(body["value"][0][member], expected, "{apply}: {body}");
    }
    // It is no null, and equals nothing.
    let nan = "aggregate(0 divby 0 with sum as a)";
    for (behind, expected) in [
        ("filter(a eq null)", "0"),
        ("filter(a ne a)", "1"),
        ("groupby((a),aggregate($count as m))/filter(m eq 1)", "1"),
    ] {
        let apply = format!("{nan}/{behind}/aggregate($count as n)");
        let body = asked.body(&format!("{RECORDS}?$apply={apply}"));
        assert_eq!(body["value"][0]["n"].to_string(), expected, "{apply}: {body}");
    }
    let body = asked.body(&format!("{RECORDS}?$apply={nan}/groupby((a))"));
    assert_eq!(body["value"][0]["a"], "NaN", "{body}");
}

#[test]
fn nothing_is_calculated_of_items_that_were_left_out_before() {
    let mut asked = Asked::new();
    let days = "duration'P1D' mul 1000000000000";
    for (apply, status) in [
        (format!("filter(matchesPattern(id,'^nobody$'))/compute({days} as a)"), 200),
        (format!("filter(matchesPattern(id,'^nobody$'))/compute({days} as a)/orderby(a)"), 200),
        (format!("filter(matchesPattern(id,'^r1$'))/compute({days} as a)"), 400),
        (
            "filter(matchesPattern(id,'^r2$'))/compute(1 div (version sub 3) as a)/filter(a lt 0)"
                .to_owned(),
            200,
        ),
        (format!("filter(id eq 'nobody')/compute({days} as a)"), 200),
    ] {
        let answer = asked.get(&format!("{RECORDS}?$apply={apply}"));
        assert_eq!(answer.status, status, "{apply}: {}", answer.text());
    }
}
