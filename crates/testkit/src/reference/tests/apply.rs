//! The examples of the Data Aggregation extension, on records.

use model::rows::RowSet;
use serde_json::{Value as Json, json};

use super::{asked, ids, sales, tests};
use crate::reference::agrees;

/// What `$apply` makes of [`sales`].
#[track_caller]
fn gives(apply: &str, expected: &Json) {
    let answer = asked(RowSet::Records, &sales(), &format!("$apply={apply}"));
    let expected = expected.as_array().unwrap();
    let agrees = answer.rows.len() == expected.len()
        && answer.rows.iter().zip(expected).all(|(row, json)| agrees(row, json));
    assert!(agrees, "{apply}: {:#?}", answer.rows);
}

/// The sales that `$apply` leaves, in their own order.
#[track_caller]
fn leaves(apply: &str, expected: &str) {
    let answer = asked(RowSet::Records, &sales(), &format!("$apply={apply}&$orderby=id"));
    assert_eq!(ids(&answer), expected, "{apply}");
}

#[test]
fn aggregates_leave_out_nulls() {
    gives(
        "aggregate(version with sum as T,version with max as M,$count as C)",
        &json!([{"T": 24, "M": 8, "C": 8}]),
    );
    gives(
        "aggregate(version with average as A,type with countdistinct as D)",
        &json!([{"A": 3, "D": 3}]),
    );
    gives(
        "aggregate(sessions/$count as S,sessions/isTest with countdistinct as D)",
        &json!([{"S": 0, "D": 0}]),
    );
    gives(
        "filter(version gt 99)/aggregate(version with sum as T,$count as C)",
        &json!([{"T": null, "C": 0}]),
    );
    gives("aggregate(version with callvault.median as M)", &json!([{"M": 2}]));
    let streams = asked(
        RowSet::Streams,
        &tests(),
        "$apply=aggregate(averageJitter with average as J,averagePacketLossRate with max as L,packetUtilization with callvault.percentile25 as P)",
    );
    let expected = json!({"J": "PT0.75S", "L": "INF", "P": 12.5});
    assert!(agrees(&streams.rows[0], &expected), "{:?}", streams.rows);
}

#[test]
fn groups_come_with_their_keys() {
    let by_type = json!([
        {"type": "groupCall", "T": 8}, {"type": "unknown", "T": 4}, {"type": "peerToPeer", "T": 12},
    ]);
    gives("groupby((type),aggregate(version with sum as T))", &by_type);
    gives(
        "filter(version gt 3)/groupby((type))",
        &json!([{"type": "peerToPeer"}, {"type": "groupCall"}]),
    );
    gives(
        "filter(version gt 3)/groupby((rollup($all,type,version)),aggregate($count as C))",
        &json!([
            {"type": "peerToPeer", "version": 4, "C": 1}, {"type": "peerToPeer", "version": 8, "C": 1},
            {"type": "groupCall", "version": 4, "C": 1},
            {"type": "peerToPeer", "C": 2}, {"type": "groupCall", "C": 1}, {"C": 3},
        ]),
    );
    gives(
        "groupby((type),aggregate(version with sum as T))/filter(T gt 4)/aggregate($count as N)",
        &json!([{"N": 2}]),
    );
}

#[test]
fn the_first_by_a_value_are_those_of_the_extension() {
    leaves("topcount(2,version)", "3 4");
    leaves("bottomcount(2,version)", "1 7");
    leaves("topsum(15,version)", "3 4 5");
    leaves("bottomsum(7,version)", "1 2 6 7 8");
    leaves("toppercent(50,version)", "3 4");
    // Of equal ones the earlier comes first; the extension leaves that to the service.
    leaves("bottompercent(50,version)", "1 2 3 6 7 8");
    leaves("filter(version gt 3)", "3 4 5");
    leaves("orderby(version desc)/skip(1)/top(2)", "3 5");
    leaves("identity", "1 2 3 4 5 6 7 8");
}

#[test]
fn chains_stand_one_behind_the_other() {
    gives(
        "concat(aggregate($count as C),filter(version gt 4)/aggregate($count as C))",
        &json!([{"C": 8}, {"C": 1}]),
    );
    gives("compute(version mul 2 as D)/aggregate(D with sum as T)", &json!([{"T": 48}]));
}
