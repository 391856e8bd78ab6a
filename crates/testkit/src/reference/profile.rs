//! Profiles a second time: the published rules as tables, and random ones, as the text that Callvault reads.

use std::fmt::Write as _;

use crate::queries::Random;

/// A set of rules.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// At most one for each medium.
    pub rules: Vec<Rule>,
}

/// How streams of a medium are judged.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `audio`, `video` or `screenSharing`.
    pub medium: &'static str,
    /// The first figure that is known decides alone.
    pub is_first: bool,
    /// All figures have to be known.
    pub needs_all: bool,
    /// What has to hold before anything is judged, and the verdict if it does not.
    pub gate: Option<(Limit, &'static str)>,
    /// What makes a stream poor.
    pub poor: Vec<Limit>,
    /// What is worth a look.
    pub watch: Vec<Limit>,
}

/// A figure and a threshold for it.
#[derive(Debug, Clone)]
pub struct Limit {
    /// The name of the reason.
    pub reason: String,
    /// The property of the stream.
    pub metric: &'static str,
    /// `above`, `below`, `at_least` or `at_most`.
    pub side: &'static str,
    /// The threshold.
    pub threshold: Number,
}

/// A figure: what is whole is counted exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A count.
    Whole(i128),
    /// A length of time, in units of 100 ns.
    Ticks(i128),
    /// Anything else.
    Real(f64),
}

/// What the figures of a metric are, with the largest that can be true.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    Count,
    Time,
    UpTo(f64),
}

const SHARE: Scale = Scale::UpTo(1.0);
const PER_CENT: Scale = Scale::UpTo(100.0);
const OPINION: Scale = Scale::UpTo(5.0);
const A_SECOND: Scale = Scale::UpTo(1_000.0);

/// All figures of a stream.
pub(super) const METRICS: [(&str, Scale); 21] = [
    ("averageAudioDegradation", OPINION),
    ("averageJitter", Scale::Time),
    ("maxJitter", Scale::Time),
    ("averagePacketLossRate", SHARE),
    ("maxPacketLossRate", SHARE),
    ("averageRatioOfConcealedSamples", SHARE),
    ("maxRatioOfConcealedSamples", SHARE),
    ("averageRoundTripTime", Scale::Time),
    ("maxRoundTripTime", Scale::Time),
    ("packetUtilization", Scale::Count),
    ("averageBandwidthEstimate", Scale::Count),
    ("postForwardErrorCorrectionPacketLossRate", SHARE),
    ("averageVideoFrameLossPercentage", PER_CENT),
    ("averageReceivedFrameRate", A_SECOND),
    ("lowFrameRateRatio", SHARE),
    ("averageVideoPacketLossRate", SHARE),
    ("averageVideoFrameRate", A_SECOND),
    ("lowVideoProcessingCapabilityRatio", SHARE),
    ("averageAudioNetworkJitter", Scale::Time),
    ("averageFreezeDuration", Scale::Time),
    ("rmsFreezeDuration", Scale::Time),
];

const SIDES: [&str; 4] = ["above", "below", "at_least", "at_most"];
const MEDIA: [&str; 3] = ["audio", "screenSharing", "video"];

const MILLISECOND: i128 = 10_000;
const TRIP: &str = "averageRoundTripTime";
const LOSS: &str = "averagePacketLossRate";
const JITTER: &str = "averageJitter";

fn limit(reason: &str, metric: &'static str, side: &'static str, threshold: Number) -> Limit {
    Limit { reason: reason.to_owned(), metric, side, threshold }
}

fn milliseconds(count: i128) -> Number {
    Number::Ticks(count * MILLISECOND)
}

fn audio(gate: Option<(i128, &'static str)>, poor: Vec<Limit>) -> Rule {
    let gate = gate.map(|(packets, fails)| {
        let packets = Number::Whole(packets);
        (limit("gate", "packetUtilization", "above", packets), fails)
    });
    Rule { medium: "audio", is_first: false, needs_all: false, gate, poor, watch: Vec::new() }
}

fn pictures(medium: &'static str, least: f64) -> Rule {
    let poor = vec![
        limit("frameLoss", "averageVideoFrameLossPercentage", "above", Number::Real(50.0)),
        limit("frameRate", "averageVideoFrameRate", "below", Number::Real(least)),
        limit("fecLoss", "postForwardErrorCorrectionPacketLossRate", "above", Number::Real(0.15)),
    ];
    Rule { medium, is_first: true, needs_all: false, gate: None, poor, watch: Vec::new() }
}

impl Profile {
    /// The four that come with Callvault, as their sources print them.
    pub fn shipped() -> Vec<Self> {
        let trip = || limit("roundTrip", TRIP, "above", milliseconds(500));
        let loss = || limit("packetLoss", LOSS, "above", Number::Real(0.1));
        let jitter = || limit("jitter", JITTER, "above", milliseconds(30));
        let mut today = audio(Some((500, "unclassified")), vec![trip(), loss(), jitter()]);
        today.watch = vec![
            limit("packetLoss", LOSS, "above", Number::Real(0.02)),
            limit("roundTrip", TRIP, "above", milliseconds(200)),
        ];
        let degradation =
            limit("degradation", "averageAudioDegradation", "above", Number::Real(1.0));
        let concealed =
            limit("concealed", "averageRatioOfConcealedSamples", "above", Number::Real(0.07));
        let before = audio(None, vec![degradation, trip(), loss(), jitter(), concealed]);
        let insights = audio(Some((1_000, "good")), vec![loss(), trip(), jitter()]);
        let live = audio(
            None,
            vec![
                limit("jitter", JITTER, "at_least", milliseconds(30)),
                limit("packetLoss", LOSS, "at_least", Number::Real(0.05)),
                limit("roundTrip", TRIP, "at_least", milliseconds(500)),
            ],
        );
        let profile = |name: &str, audio: Rule, has_pictures: bool| {
            let mut rules = vec![audio];
            if has_pictures {
                rules.extend([pictures("video", 7.0), pictures("screenSharing", 2.0)]);
            }
            Self { name: name.to_owned(), version: 1, rules }
        };
        vec![
            profile("cqd-2021", today, true),
            profile("cqd-2020", before, true),
            profile("cri-2", insights, true),
            profile("teams-live", live, false),
        ]
    }

    /// Any that Callvault would take.
    pub fn random(random: &mut Random) -> Self {
        let mut rules: Vec<Rule> = Vec::new();
        for medium in MEDIA {
            if rules.is_empty() && medium == "video" || random.chance(70) {
                rules.push(Rule::random(medium, random));
            }
        }
        let name = format!("random-{}", random.below(1_000_000));
        Self { name, version: 1 + random.below(9) as u32, rules }
    }

    /// As a file has it.
    pub fn to_toml(&self) -> String {
        let Self { name, version, rules } = self;
        let mut out =
            format!("[[profile]]\nname = \"{name}\"\nversion = {version}\ntitle = \"A profile\"\n");
        for rule in rules {
            rule.write(&mut out).expect("a string takes all text");
        }
        out
    }
}

impl Rule {
    fn random(medium: &'static str, random: &mut Random) -> Self {
        let is_first = random.chance(35);
        let gate = random.chance(50).then(|| {
            let fails = if random.chance(50) { "good" } else { "unclassified" };
            (Limit::random("gate".to_owned(), random), fails)
        });
        let limits = |random: &mut Random, least: usize| -> Vec<Limit> {
            let count = least + random.below(4);
            // Reasons are named after their places, so that both lists share some.
            (0..count).map(|at| Limit::random(format!("r{at}"), random)).collect()
        };
        let (poor, watch) = (limits(random, 1), limits(random, 0));
        Self { medium, is_first, needs_all: !is_first && random.chance(30), gate, poor, watch }
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let Self { medium, is_first, needs_all, gate, poor, watch } = self;
        let mode = if *is_first { "first" } else { "any" };
        write!(out, "\n[[profile.rule]]\nmedium = \"{medium}\"\nmode = \"{mode}\"\n")?;
        if *needs_all {
            writeln!(out, "needs = \"all\"")?;
        }
        if let Some((limit, fails)) = gate {
            writeln!(out, "gate = {{ {}, fails = \"{fails}\" }}", limit.compared())?;
        }
        for (name, limits) in [("poor", poor), ("watch", watch)] {
            writeln!(out, "{name} = [")?;
            for limit in limits {
                writeln!(out, "  {{ reason = \"{}\", {} }},", limit.reason, limit.compared())?;
            }
            writeln!(out, "]")?;
        }
        Ok(())
    }
}

impl Limit {
    fn random(reason: String, random: &mut Random) -> Self {
        let (metric, scale) = *random.pick(&METRICS);
        let side = *random.pick(&SIDES);
        Self { reason, metric, side, threshold: scale.random(random) }
    }

    fn compared(&self) -> String {
        let threshold = match self.threshold {
            Number::Whole(count) => count.to_string(),
            Number::Ticks(ticks) => format!("\"{}\"", seconds(ticks)),
            Number::Real(number) => format!("{number:?}"),
        };
        format!("metric = \"{}\", {} = {threshold}", self.metric, self.side)
    }
}

impl Scale {
    /// A figure that can be true, one of few, so that some are equal.
    fn random(self, random: &mut Random) -> Number {
        let step = 1 + random.below(6);
        match self {
            Self::Count => Number::Whole(step as i128 * 250),
            Self::Time => Number::Ticks(step as i128 * 15 * MILLISECOND),
            Self::UpTo(most) => Number::Real(step as f64 / 8.0 * most),
        }
    }

    /// What may stand in a stream: near the thresholds, beyond what can be, of another type.
    fn text(self, random: &mut Random) -> Option<String> {
        let text = match (random.below(14), self.random(random)) {
            (0..=2, _) => return None,
            (3, _) => "null".to_owned(),
            (4, Number::Ticks(ticks)) => format!("\"-{}\"", seconds(ticks)),
            (4, Number::Whole(count)) => format!("-{count}"),
            (4, Number::Real(number)) => format!("{:?}", number + 2_000.0),
            (5, Number::Real(_)) => "\"NaN\"".to_owned(),
            (6, Number::Real(_)) => "\"-INF\"".to_owned(),
            (7, Number::Real(_)) => "-0.5".to_owned(),
            (8, Number::Real(_)) => "0".to_owned(),
            (9, Number::Ticks(ticks)) => format!("\"{}\"", seconds(ticks + 1)),
            (_, Number::Ticks(ticks)) => format!("\"{}\"", seconds(ticks)),
            (9, Number::Whole(count)) => (count + 1).to_string(),
            (_, Number::Whole(count)) => count.to_string(),
            (_, Number::Real(number)) => format!("{number:?}"),
        };
        Some(text)
    }
}

/// The row of a random stream, as JSON.
pub fn random_stream(random: &mut Random) -> String {
    let labels = [
        "\"main-audio\"",
        "\"Main-Video\"",
        "\"applicationsharing-video\"",
        "\"applicationsharing-audio\"",
        "\"panoramic-video\"",
        "\"data\"",
        "null",
    ];
    let mut out = format!("{{\"mediaLabel\":{}", random.pick(&labels));
    for (name, scale) in METRICS {
        if let Some(text) = scale.text(random) {
            write!(out, ",\"{name}\":{text}").expect("a string takes all text");
        }
    }
    out + "}"
}

fn seconds(ticks: i128) -> String {
    format!("PT{}.{:07}S", ticks / 10_000_000, ticks % 10_000_000)
}
