//! Reasons in words.

use crate::figures::Figure;
use crate::metric::{Metric, Scale};
use crate::outcome::{Finding, Reason};
use crate::profile::Comparison;

/// A reason as the second half of a sentence, with figure and threshold: `13.01 % of the packets were lost
/// (poor above 10 %)`.
pub fn reason(reason: &Reason<'_>) -> String {
    match reason {
        Reason::Figure(finding) => format!("{} ({})", statement(finding), limit("poor", finding)),
        Reason::Gate(finding) => {
            let (value, least) = (finding.value, finding.threshold);
            let [value, least] = [value, least].map(|it| shown(finding.metric, it));
            format!("only {value}: too few to judge (judged {} {least})", word_of(finding))
        }
        Reason::GateUnknown(metric) => format!("{} is not known", name(*metric)),
        Reason::NoMetrics => "no figures were reported".to_owned(),
        Reason::MissingMetrics => "not all figures were reported".to_owned(),
    }
}

/// What is worth a look, with figure and limit.
pub fn watch(finding: &Finding<'_>) -> String {
    format!("{} ({})", statement(finding), limit("worth a look", finding))
}

fn limit(what: &str, finding: &Finding<'_>) -> String {
    format!("{what} {} {}", word_of(finding), shown(finding.metric, finding.threshold))
}

fn word_of(finding: &Finding<'_>) -> &'static str {
    match finding.comparison {
        Comparison::Above => "above",
        Comparison::Below => "below",
        Comparison::AtLeast => "from",
        Comparison::AtMost => "up to",
    }
}

fn statement(finding: &Finding<'_>) -> String {
    let value = shown(finding.metric, finding.value);
    match finding.metric.name() {
        "averagePacketLossRate" => format!("{value} of the packets were lost"),
        "maxPacketLossRate" => format!("up to {value} of the packets were lost"),
        "averageJitter" => format!("packets came {value} apart from their time on average"),
        "averageRoundTripTime" => format!("{value} there and back"),
        "averageAudioDegradation" => {
            format!("the network cost {value} points of the opinion score")
        }
        "averageRatioOfConcealedSamples" => {
            format!("{value} of the sound was made up for lost packets")
        }
        "averageVideoFrameRate" => format!("{value} pictures a second"),
        "averageVideoFrameLossPercentage" => format!("{value} of the pictures were lost"),
        "postForwardErrorCorrectionPacketLossRate" => {
            format!("{value} of the packets were lost and not restored")
        }
        other => format!("{other} was {value}"),
    }
}

fn name(metric: Metric) -> String {
    match metric.name() {
        "packetUtilization" => "the number of packets".to_owned(),
        other => other.to_owned(),
    }
}

/// A figure with the unit that people use: milliseconds, percent, packets.
pub fn shown(metric: Metric, figure: Figure) -> String {
    let number = figure.number(metric.scale());
    match (metric.scale(), metric.unit()) {
        (Scale::Duration, _) => format!("{} ms", rounded(number * 1_000.0)),
        (_, Some("fraction")) => format!("{} %", rounded(number * 100.0)),
        (_, Some("%")) => format!("{} %", rounded(number)),
        (_, Some("packets")) => format!("{} packets", rounded(number)),
        (_, Some("bit/s")) => format!("{} kbit/s", rounded(number / 1_000.0)),
        _ => rounded(number),
    }
}

/// At most four digits behind the point, and none that say nothing.
fn rounded(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
