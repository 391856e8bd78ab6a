//! Random streams and random profiles: what is judged here, and what testkit's reference says of them, which
//! knows nothing of this crate.

use model::generated::STREAM_ROW;
use odata::edm::Type;
use odata::json::Node;
use quality::{Figures, Outcome, Profile, Profiles, classify};
use testkit::queries::Random;
use testkit::reference::{self, Judgement, judge, random_stream, typed};

const PROFILES: usize = 150;
const STREAMS: usize = 40;

/// What is judged here, in the words of the reference.
fn told(outcome: &Outcome<'_>) -> Judgement {
    let names = |metrics: &[quality::Metric]| metrics.iter().map(|it| it.name()).collect();
    Judgement {
        verdict: outcome.verdict.name(),
        reasons: outcome.reasons.iter().map(|it| it.name().to_owned()).collect(),
        headline: outcome.headline().map(|it| it.name().to_owned()),
        watch: outcome.watch.iter().map(|it| it.reason.to_owned()).collect(),
        decided_by: outcome.decided_by.map(quality::Metric::name),
        missing: names(&outcome.missing),
        implausible: names(&outcome.implausible),
        ..Judgement::default()
    }
}

/// Judges a stream by both, and says which verdict it has.
fn compare(own: &Profile, other: &reference::Profile, json: &str) -> &'static str {
    let row = Node::parse(json).expect("testkit makes JSON");
    let label = row.get("mediaLabel").and_then(Node::as_text).map(|label| label.value());
    let outcome = classify(own, label.as_deref(), &Figures::of_json(&row));
    let value = reference::json(json.as_bytes()).expect("testkit makes JSON");
    let value = typed(&value, Type::Structured(&STREAM_ROW));
    let expected = judge(other, &value);
    assert_eq!(
        told(&outcome),
        Judgement { severity: 0.0, ..expected },
        "{json}\n{}",
        other.to_toml()
    );
    outcome.verdict.name()
}

fn assert_has_all(seen: &[&str]) {
    for verdict in ["good", "poor", "unclassified", "notApplicable"] {
        let count = seen.iter().filter(|it| **it == verdict).count();
        assert!(count * 20 > seen.len(), "only {count} of {} are {verdict}", seen.len());
    }
}

#[test]
fn random_profiles_judge_random_streams_as_the_reference_does() {
    let mut random = Random::new(20);
    let mut seen = Vec::new();
    for _ in 0..PROFILES {
        let other = reference::Profile::random(&mut random);
        let text = other.to_toml();
        let read = Profiles::shipped().with_file(&text);
        let read = read.unwrap_or_else(|error| panic!("{error}\n{text}"));
        let own = read.get(&other.name).unwrap();
        seen.extend((0..STREAMS).map(|_| compare(own, &other, &random_stream(&mut random))));
    }
    assert_has_all(&seen);
}

#[test]
fn the_shipped_profiles_judge_random_streams_as_the_reference_does() {
    let (mut random, own) = (Random::new(21), Profiles::shipped());
    let others = reference::Profile::shipped();
    let names = |names: Vec<&str>| names.join(" ");
    assert_eq!(
        names(own.iter().map(|profile| profile.name.as_str()).collect()),
        names(others.iter().map(|profile| profile.name.as_str()).collect())
    );
    let mut seen = Vec::new();
    for _ in 0..1_000 {
        let stream = random_stream(&mut random);
        for (own, other) in own.iter().zip(&others) {
            seen.push(compare(own, other, &stream));
        }
    }
    assert_has_all(&seen);
}
