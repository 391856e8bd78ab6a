//! Streams with the verdict that each shipped profile gives them, worked out apart from the code: by the
//! classifier, and by the printed expression in the language of queries.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use odata::eval::{Environment, Item, Meter, NoSearch, Program, Scope, Value};
use odata::json::{Json, Node};
use odata::primitive::DateTimeOffset;
use proptest::prelude::*;
use quality::medium::Medium;
use quality::outcome::{Outcome, Reason};
use quality::vectors::{self, Vector};
use quality::{Figures, Profile, Profiles, Verdict, classify, expression, sentence};

/// A row of `callvault.streams()`: a mediaStream with the label of its media.
fn row(label: Option<&str>, stream: &str) -> String {
    let label = label.map_or("null".to_owned(), |label| format!("\"{label}\""));
    let inside = stream.trim_start_matches('{');
    let comma = if inside == "}" { "" } else { "," };
    format!("{{\"mediaLabel\":{label}{comma}{inside}")
}

/// A stream by short names: `pu` packets, `rtt` and `jit` seconds, `loss`, `floss` %, `fps`.
fn stream(figures: &str) -> String {
    let words: Vec<&str> = figures.split_whitespace().collect();
    let member = |pair: &[&str]| match pair {
        ["pu", value] => format!("\"packetUtilization\":{value}"),
        ["rtt", value] => format!("\"averageRoundTripTime\":\"PT{value}S\""),
        ["jit", value] => format!("\"averageJitter\":\"PT{value}S\""),
        ["loss", value] => format!("\"averagePacketLossRate\":{value}"),
        ["floss", value] => format!("\"averageVideoFrameLossPercentage\":{value}"),
        ["fps", value] => format!("\"averageVideoFrameRate\":{value}"),
        other => panic!("{other:?}"),
    };
    let members: Vec<String> = words.chunks(2).map(member).collect();
    format!("{{{}}}", members.join(","))
}

fn judge<'p>(profile: &'p Profile, row: &Node<'_>) -> Outcome<'p> {
    let label = row.get("mediaLabel").and_then(Node::as_text).map(|it| it.value());
    classify(profile, label.as_deref(), &Figures::of_json(row))
}

/// The verdict of the printed expressions.
fn asked(profile: &Profile, row: &Node<'_>) -> String {
    let is_of = |medium: &Medium| {
        value(&expression::medium(*medium, expression::LABEL), row).as_deref() == Some("true")
    };
    let media: Vec<Medium> = Medium::ALL.into_iter().filter(is_of).collect();
    assert!(media.len() <= 1, "a row is of one medium at most");
    let rule = media.first().and_then(|medium| profile.rule(*medium));
    let verdict = rule.map(|rule| value(&expression::rule(rule), row).unwrap());
    verdict.unwrap_or_else(|| Verdict::NotApplicable.name().to_owned())
}

/// The value of an expression over a row; none for null.
fn value(expression: &str, row: &Node<'_>) -> Option<String> {
    let query = format!("$compute={expression} as value");
    let path = "/communications/callRecords/callvault.streams()";
    let (limits, now) = (odata::Limits::default(), DateTimeOffset(0));
    let (_, query) =
        odata::parse_request(&model::generated::BETA, path, &query, &limits, now).unwrap();
    let ty = odata::edm::Type::Structured(&model::generated::STREAM_ROW);
    let meter = Meter::unlimited();
    let environment = Environment { searcher: &NoSearch, meter: &meter };
    let scope = Scope::new(Item { node: row, ty }, environment);
    match Program::new(&query.compute[0].value).value(&scope) {
        Value::Text(text) => Some(text.into_owned()),
        Value::Bool(holds) => Some(holds.to_string()),
        Value::Null => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_profile_gives_the_vectors_their_verdicts_and_its_expression_the_same() {
    let profiles = Profiles::shipped();
    let mut count = 0;
    for vector in vectors::all() {
        assert_eq!(vector.verdict(&profiles).as_deref(), Some(vector.expected), "{vector:?}");
        let row = row(vector.label, vector.stream);
        let asked = asked(profiles.get(vector.profile).unwrap(), &Node::parse(&row).unwrap());
        assert_eq!(asked, vector.expected.split(' ').next().unwrap(), "{vector:?}");
        count += 1;
    }
    assert_eq!(count, 34 * profiles.iter().count());
}

#[test]
fn of_the_first_nineteen_eight_are_poor_and_seven_good() {
    let of_default = |vector: &Vector| vector.profile == "cqd-2021" && vector.number <= 19;
    let count = |verdict: &str| {
        let vectors = vectors::all().filter(of_default);
        vectors.filter(|vector| vector.expected.starts_with(verdict)).count()
    };
    assert_eq!((count("poor"), count("good"), count("unclassified")), (8, 7, 4));
}

#[test]
fn an_outcome_says_what_decided_and_what_was_missing() {
    let profiles = Profiles::shipped();
    let outcome = |label, figures| {
        let row = row(Some(label), &stream(figures));
        let row = Node::parse(&row).unwrap();
        Json::of(&judge(profiles.get("cqd-2021").unwrap(), &row).to_node()).as_str().to_owned()
    };
    assert_eq!(
        outcome("main-audio", "pu 1200 loss 0.1301 jit 0.031"),
        "{\"profile\":\"cqd-2021/1\",\"verdict\":\"poor\",\"reason\":\"packetLoss\",\"reasons\":[\
         {\"reason\":\"packetLoss\",\"metric\":\"averagePacketLossRate\",\"value\":0.1301,\
         \"op\":\"gt\",\"threshold\":0.1},\
         {\"reason\":\"jitter\",\"metric\":\"averageJitter\",\"value\":0.031,\
         \"op\":\"gt\",\"threshold\":0.03}],\
         \"watch\":[],\"decidedBy\":null,\"missing\":[\"averageRoundTripTime\"],\"implausible\":[]}"
    );
    assert_eq!(
        outcome("main-video", "floss 50 fps 3"),
        "{\"profile\":\"cqd-2021/1\",\"verdict\":\"good\",\"reason\":null,\"reasons\":[],\"watch\":[],\
         \"decidedBy\":\"averageVideoFrameLossPercentage\",\
         \"missing\":[\"postForwardErrorCorrectionPacketLossRate\"],\"implausible\":[]}"
    );
}

#[test]
fn the_headline_is_the_figure_furthest_from_its_threshold_and_reads_well() {
    let profiles = Profiles::shipped();
    let headline = |label, figures| {
        let row = row(Some(label), &stream(figures));
        let row = Node::parse(&row).unwrap();
        let outcome = judge(profiles.get("cqd-2021").unwrap(), &row);
        outcome.headline().map(sentence::reason).unwrap_or_default()
    };
    let audio = |figures| headline("main-audio", figures);
    let jitter = "packets came 70 ms apart from their time on average (poor above 30 ms)";
    assert_eq!(audio("pu 1200 rtt 0.62 loss 0.1301 jit 0.07"), jitter);
    let loss = "13.01 % of the packets were lost (poor above 10 %)";
    assert_eq!(audio("pu 1200 rtt 0.62 loss 0.1301 jit 0.007"), loss);
    assert_eq!(audio("pu 1200 rtt 0.62"), "620 ms there and back (poor above 500 ms)");
    let few = "only 67 packets: too few to judge (judged above 500 packets)";
    assert_eq!(audio("pu 67 jit 0.003"), few);
    assert_eq!(audio("jit 0.003"), "the number of packets is not known");
    assert_eq!(audio("pu 67"), "no figures were reported");
    assert_eq!(headline("main-video", "fps 3.5"), "3.5 pictures a second (poor below 7)");
    assert_eq!(audio("pu 1200 jit 0.003"), "");
}

/// What may stand in a record: near the thresholds, beyond what can be, of another type, absent.
fn figures() -> impl Strategy<Value = String> {
    let number = |near: &'static [&'static str]| {
        let any = prop::sample::select(near.to_vec()).prop_map(str::to_owned);
        prop::option::of(prop_oneof![
            4 => any,
            1 => Just("null".to_owned()),
            1 => Just("\"NaN\"".to_owned()),
            1 => Just("\"INF\"".to_owned()),
            1 => (-2.0..200.0_f64).prop_map(|number| number.to_string()),
        ])
    };
    let whole = prop::option::of(prop_oneof![
        4 => prop::sample::select(vec![0_i64, 499, 500, 501, 999, 1000, 1001, -1, i64::MAX])
            .prop_map(|number| number.to_string()),
        1 => Just("null".to_owned()),
    ]);
    let duration = || {
        let near = vec![
            "PT0.03S",
            "PT0.0300001S",
            "PT0.0299999S",
            "PT0.5S",
            "PT0.5000001S",
            "PT0.2S",
            "-PT1S",
            "PT9000H",
        ];
        prop::option::of(prop::sample::select(near).prop_map(|text| format!("\"{text}\"")))
    };
    let labels = vec![
        "main-audio",
        "Main-Video",
        "applicationsharing-video",
        "applicationsharing-audio",
        "data",
    ];
    let ratio: &[&str] =
        &["0", "0.05", "0.1", "0.1000001", "0.15", "0.1501", "1", "1.0001", "0.07", "0.02"];
    let parts = (
        prop::option::of(prop::sample::select(labels)),
        whole,
        (duration(), duration()),
        (number(ratio), number(ratio), number(ratio)),
        (number(&["0", "1", "1.1", "5", "6"]), number(&["50", "50.1", "100", "101"])),
        number(&["1.99", "2", "6.99", "7", "1000", "1001"]),
    );
    parts.prop_map(
        |(label, packets, (jitter, trip), (loss, concealed, fec), (degradation, frames), rate)| {
            let label = label.map_or("null".to_owned(), |label| format!("\"{label}\""));
            let members = [
                ("packetUtilization", packets),
                ("averageJitter", jitter),
                ("averageRoundTripTime", trip),
                ("averagePacketLossRate", loss),
                ("averageRatioOfConcealedSamples", concealed),
                ("postForwardErrorCorrectionPacketLossRate", fec),
                ("averageAudioDegradation", degradation),
                ("averageVideoFrameLossPercentage", frames),
                ("averageVideoFrameRate", rate),
            ];
            let known = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
            let known: Vec<String> =
                known.map(|(name, value)| format!(",\"{name}\":{value}")).collect();
            format!("{{\"mediaLabel\":{label}{}}}", known.concat())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_printed_expression_gives_random_streams_the_verdict_of_the_classifier(json in figures()) {
        let row = Node::parse(&json).unwrap();
        for profile in Profiles::shipped().iter() {
            let outcome = judge(profile, &row);
            prop_assert_eq!(asked(profile, &row), outcome.verdict.name(), "{} by {}", json, profile.name);
            let is_poor = outcome.reasons.iter().any(|reason| matches!(reason, Reason::Figure(_)));
            prop_assert_eq!(is_poor, outcome.verdict == Verdict::Poor);
            let medium = Medium::of_label(row.get("mediaLabel").and_then(Node::as_text).map(|it| it.value()).as_deref());
            let has_rule = medium.and_then(|medium| profile.rule(medium)).is_some();
            prop_assert_eq!(has_rule, outcome.verdict != Verdict::NotApplicable);
        }
    }
}
