//! The figures of one stream, by metric.

use std::cmp::Ordering;

use odata::json::Node;
use odata::primitive::{Duration, TICKS_PER_SECOND};

use crate::metric::{Metric, Scale};

/// A number as the metric's scale has it: durations are ticks of 100 ns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// Of [`Scale::Integer`] and [`Scale::Duration`].
    Int(i64),
    /// Of [`Scale::Real`].
    Real(f64),
}

impl Figure {
    /// As a floating point number, seconds for durations: to show it, and to say how far it is from a
    /// threshold.
    pub fn number(self, scale: Scale) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "shown, not compared")]
            Self::Int(value) if scale == Scale::Duration => value as f64 / TICKS_PER_SECOND as f64,
            #[expect(clippy::cast_precision_loss, reason = "shown, not compared")]
            Self::Int(value) => value as f64,
            Self::Real(value) => value,
        }
    }

    /// The order of two figures of one metric; none with NaN.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(&right)),
            (Self::Real(left), Self::Real(right)) => left.partial_cmp(&right),
            _ => None,
        }
    }

    /// Whether such a value can be true: not negative, and no greater than the metric's greatest.
    fn is_plausible(self, metric: Metric) -> bool {
        match self {
            Self::Int(value) => value >= 0,
            Self::Real(value) => value >= 0.0 && metric.greatest().is_none_or(|most| value <= most),
        }
    }
}

/// What is known of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FigureState {
    /// Nothing: null, or not a number.
    Missing,
    /// A value that can't be true, which counts as missing.
    Implausible,
    /// A value.
    Value(Figure),
}

/// The figures of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures(Vec<FigureState>);

impl Default for Figures {
    fn default() -> Self {
        Self(vec![FigureState::Missing; Metric::count()])
    }
}

impl Figures {
    /// Notes a value: not finite ones as missing, impossible ones as implausible.
    pub fn set(&mut self, metric: Metric, figure: Figure) {
        let figure = match figure {
            // Of -0.0 the same as of 0.0.
            Figure::Real(value) => Figure::Real(value + 0.0),
            figure @ Figure::Int(_) => figure,
        };
        let is_finite = !matches!(figure, Figure::Real(value) if !value.is_finite());
        self.0[metric.index()] = match is_finite {
            false => FigureState::Missing,
            true if figure.is_plausible(metric) => FigureState::Value(figure),
            true => FigureState::Implausible,
        };
    }

    /// What is known of a metric.
    pub fn get(&self, metric: Metric) -> FigureState {
        self.0[metric.index()]
    }

    /// The value of a metric, where there is one that can be true.
    pub fn value(&self, metric: Metric) -> Option<Figure> {
        match self.get(metric) {
            FigureState::Value(figure) => Some(figure),
            FigureState::Missing | FigureState::Implausible => None,
        }
    }

    /// Of a mediaStream in JSON. What is not of its type counts as missing, as it does in queries.
    pub fn of_json(stream: &Node<'_>) -> Self {
        let mut figures = Self::default();
        for metric in Metric::all() {
            if let Some(figure) = stream.get(metric.name()).and_then(|it| read(metric, it)) {
                figures.set(metric, figure);
            }
        }
        figures
    }
}

fn read(metric: Metric, node: &Node<'_>) -> Option<Figure> {
    match (metric.scale(), node) {
        (Scale::Duration, Node::String(text)) => {
            Duration::parse(&text.value()).map(|it| Figure::Int(it.0))
        }
        (Scale::Integer, Node::Number(digits)) => digits.parse().ok().map(Figure::Int),
        (Scale::Integer, Node::String(digits)) => digits.value().parse().ok().map(Figure::Int),
        (Scale::Real, Node::Number(digits)) => digits.parse().ok().map(Figure::Real),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(json: &str) -> Figures {
        Figures::of_json(&Node::parse(json).unwrap())
    }

    fn metric(name: &str) -> Metric {
        Metric::of_name(name).unwrap()
    }

    #[test]
    fn figures_of_json_keep_their_digits_and_ticks() {
        let figures = figures(
            r#"{"averageJitter":"PT0.0300001S","packetUtilization":709,"averagePacketLossRate":0.01381693}"#,
        );
        assert_eq!(figures.value(metric("averageJitter")), Some(Figure::Int(300_001)));
        assert_eq!(figures.value(metric("packetUtilization")), Some(Figure::Int(709)));
        assert_eq!(
            figures.value(metric("averagePacketLossRate")),
            Some(Figure::Real(0.013_816_93))
        );
        assert_eq!(figures.get(metric("averageRoundTripTime")), FigureState::Missing);
    }

    #[test]
    fn what_is_no_number_is_missing_and_what_cannot_be_is_implausible() {
        let figures = figures(
            r#"{"averagePacketLossRate":"NaN","maxPacketLossRate":1.7,"averageJitter":"-PT1S","packetUtilization":-1,
                "averageVideoFrameRate":1e999,"averageRoundTripTime":5}"#,
        );
        let implausible =
            |name| assert_eq!(figures.get(metric(name)), FigureState::Implausible, "{name}");
        let missing = |name| assert_eq!(figures.get(metric(name)), FigureState::Missing, "{name}");
        ["maxPacketLossRate", "averageJitter", "packetUtilization"]
            .into_iter()
            .for_each(implausible);
        ["averagePacketLossRate", "averageVideoFrameRate", "averageRoundTripTime"]
            .into_iter()
            .for_each(missing);
    }
}
