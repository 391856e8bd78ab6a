//! The figures of Graph's mediaStream that a rule can judge: its numbers and durations.

use std::sync::LazyLock;

use model::generated::MEDIA_STREAM;
use odata::edm::{Primitive, Property, Type};

/// A numeric property of mediaStream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric(usize);

/// How the values of a metric are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Whole numbers.
    Integer,
    /// Floating point numbers.
    Real,
    /// Durations, in ticks of 100 ns.
    Duration,
}

static METRICS: LazyLock<Vec<&'static Property>> = LazyLock::new(|| {
    MEDIA_STREAM.properties.iter().filter(|property| scale(property).is_some()).collect()
});

fn scale(property: &Property) -> Option<Scale> {
    match property.ty {
        _ if property.is_collection => None,
        Type::Primitive(Primitive::Int32 | Primitive::Int64) => Some(Scale::Integer),
        Type::Primitive(Primitive::Single | Primitive::Double) => Some(Scale::Real),
        Type::Primitive(Primitive::Duration) => Some(Scale::Duration),
        _ => None,
    }
}

impl Metric {
    /// All, in the order of the schema.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..METRICS.len()).map(Self)
    }

    /// The metric of a property's name.
    pub fn of_name(name: &str) -> Option<Self> {
        METRICS.iter().position(|property| property.name == name).map(Self)
    }

    /// The name of the property.
    pub fn name(self) -> &'static str {
        METRICS[self.0].name
    }

    /// The position among [`Metric::all`].
    pub fn index(self) -> usize {
        self.0
    }

    /// How many there are.
    pub fn count() -> usize {
        METRICS.len()
    }

    /// How its values are written.
    pub fn scale(self) -> Scale {
        scale(METRICS[self.0]).expect("only properties that have a scale are metrics")
    }

    /// The unit that the schema gives the property.
    pub fn unit(self) -> Option<&'static str> {
        METRICS[self.0].unit
    }

    /// The largest value that can be true; there is none for what has no natural end. The least is 0 for
    /// all of them.
    pub fn greatest(self) -> Option<f64> {
        match self.unit()? {
            "fraction" => Some(1.0),
            "%" => Some(100.0),
            "MOS" => Some(5.0),
            "frames/s" => Some(1_000.0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_the_numbers_and_durations_of_the_schema() {
        let metric = |name| Metric::of_name(name).unwrap();
        assert_eq!(metric("packetUtilization").scale(), Scale::Integer);
        assert_eq!(metric("averageJitter").scale(), Scale::Duration);
        assert_eq!(metric("averagePacketLossRate").scale(), Scale::Real);
        assert_eq!(metric("averagePacketLossRate").greatest(), Some(1.0));
        assert_eq!(metric("averageVideoFrameLossPercentage").greatest(), Some(100.0));
        assert_eq!(metric("averageJitter").greatest(), None);
        assert_eq!(Metric::of_name("streamId"), None);
        assert_eq!(Metric::of_name("wasMediaBypassed"), None);
        assert!(Metric::all().all(|metric| metric.index() < Metric::count()));
    }
}
