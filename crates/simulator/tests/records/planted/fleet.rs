//! All streams of a run with their verdicts, and counts by the values that causes hit.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::LazyLock;

use odata::json::Node;
use odata::primitive::DateTimeOffset;
use quality::{Figures, Profiles, Verdict, classify};
use serde_json::Value;
use simulator::{Calls, Cause, Options};

/// Session, segment, id.
pub(super) type Key = (String, String, String);

#[derive(Debug)]
pub(super) struct Fleet {
    /// The stage at which a session failed, by its id.
    pub(super) failures: BTreeMap<String, String>,
    /// Of the newest version of each record.
    pub(super) streams: BTreeMap<Key, Stream>,
    pub(super) truth: Vec<Value>,
}

#[derive(Debug)]
pub(super) struct Stream {
    /// None if it can't be judged.
    pub(super) is_poor: Option<bool>,
    is_audio: bool,
    pub(super) start: i64,
    /// Caller and callee.
    pub(super) ends: [End; 2],
}

/// What is grouped by of one end.
#[derive(Debug)]
pub(super) struct End {
    pub(super) kind: String,
    subnet: String,
    address: String,
    public: String,
    access_point: String,
    capture: String,
    version: String,
}

/// How many of how many are poor.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    poor: u32,
    all: u32,
}

impl Share {
    pub(super) fn add(&mut self, is_poor: bool) {
        self.poor += u32::from(is_poor);
        self.all += 1;
    }

    pub(super) fn rate(self) -> f64 {
        f64::from(self.poor) / f64::from(self.all)
    }

    /// Of Wilson's interval at 95 %.
    pub(super) fn lower_bound(self) -> f64 {
        let (n, p, z) = (f64::from(self.all), self.rate(), 1.96_f64);
        let square = z * z / n;
        let spread = (p * (1.0 - p) / n + square / (4.0 * n)).sqrt();
        (p + square / 2.0 - z * spread) / (1.0 + square)
    }
}

pub(super) fn lines(bytes: &[u8]) -> Vec<Value> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("a line is JSON"))
        .collect()
}

/// Which stream a line of the truth names; of a failed session none that there is.
pub(super) fn key(line: &Value) -> Key {
    let part = |name| line[name].as_str().unwrap_or_default().to_owned();
    (part("sessionId"), part("segmentId"), part("streamId"))
}

impl Fleet {
    pub(super) fn new(options: Options, causes: &[Cause]) -> Self {
        let mut calls = Calls::with_causes(options, causes);
        let mut newest = BTreeMap::new();
        let mut line = Vec::new();
        while calls.write_next(&mut line) {
            // Every line begins with the id.
            newest.insert(line[..44].to_vec(), std::mem::take(&mut line));
        }
        let (mut failures, mut streams) = (BTreeMap::new(), BTreeMap::new());
        for line in newest.into_values() {
            let line = String::from_utf8(line).expect("a line is text");
            let record = Node::parse(&line).expect("a line is JSON");
            for session in items(&record, "sessions") {
                if let Some(stage) = session.get("failureInfo").and_then(|it| text(it, "stage")) {
                    failures.insert(id(session, "id"), stage);
                }
                add_streams(session, &mut streams);
            }
        }
        Self { failures, streams, truth: lines(&calls.take_truth()) }
    }

    /// The value that the cause hits, as the truth has it.
    pub(super) fn value(&self, cause: Cause) -> &str {
        let line = self.truth.iter().find(|line| line["cause"] == cause.name());
        line.and_then(|line| line["value"].as_str()).expect("the cause has streams")
    }

    /// All audio.
    pub(super) fn audio(&self) -> Share {
        let mut share = Share::default();
        self.judged().for_each(|(_, is_poor)| share.add(is_poor));
        share
    }

    fn judged(&self) -> impl Iterator<Item = (&Stream, bool)> {
        let audio = self.streams.values().filter(|stream| stream.is_audio);
        audio.filter_map(|stream| Some((stream, stream.is_poor?)))
    }

    /// Audio by what the cause hits one of; a stream counts at each of its ends.
    pub(super) fn by_value(&self, cause: Cause) -> BTreeMap<String, Share> {
        let mut shares: BTreeMap<String, Share> = BTreeMap::new();
        for (stream, is_poor) in self.judged() {
            for value in stream.ends.iter().filter_map(|end| end.value(cause)) {
                shares.entry(value).or_default().add(is_poor);
            }
        }
        shares
    }

    /// The two first rows of at least 100 streams by the lower bound.
    pub(super) fn worst_two(&self, cause: Cause) -> ((String, Share), (String, Share)) {
        let mut rows: Vec<_> =
            self.by_value(cause).into_iter().filter(|(_, share)| share.all >= 100).collect();
        rows.sort_by(|a, b| b.1.lower_bound().total_cmp(&a.1.lower_bound()));
        let mut rows = rows.into_iter();
        let mut next = || rows.next().expect("there are two rows");
        (next(), next())
    }
}

fn items<'a>(node: &'a Node<'_>, name: &str) -> &'a [Node<'a>] {
    node.get(name).and_then(Node::as_array).expect("there is such an array")
}

fn text(node: &Node<'_>, name: &str) -> Option<String> {
    Some(node.get(name)?.as_text()?.value().into_owned())
}

fn id(node: &Node<'_>, name: &str) -> String {
    text(node, name).expect("there is an id")
}

static PROFILES: LazyLock<Profiles> = LazyLock::new(Profiles::shipped);

fn add_streams(session: &Node<'_>, streams: &mut BTreeMap<Key, Stream>) {
    let profile = PROFILES.get("cqd-2021").expect("it is shipped");
    let start = DateTimeOffset::parse(&id(session, "startDateTime")).expect("an instant").0;
    for segment in items(session, "segments") {
        for media in items(segment, "media") {
            let label = text(media, "label");
            for stream in items(media, "streams") {
                let key = (id(session, "id"), id(segment, "id"), id(stream, "streamId"));
                let figures = Figures::of_json(stream);
                let stream = Stream {
                    is_poor: match classify(profile, label.as_deref(), &figures).verdict {
                        Verdict::Poor => Some(true),
                        Verdict::Good => Some(false),
                        _ => None,
                    },
                    is_audio: label.as_deref() == Some("main-audio"),
                    start,
                    ends: [
                        End::of(segment, media, ["caller", "callerNetwork", "callerDevice"]),
                        End::of(segment, media, ["callee", "calleeNetwork", "calleeDevice"]),
                    ],
                };
                assert!(streams.insert(key, stream).is_none(), "a stream stands there twice");
            }
        }
    }
}

impl End {
    fn of(segment: &Node<'_>, media: &Node<'_>, [end, network, device]: [&str; 3]) -> Self {
        let agent = segment.get(end).and_then(|it| it.get("userAgent"));
        let (network, device) = (media.get(network), media.get(device));
        let member = |of: Option<&Node<'_>>, name| of.and_then(|it| text(it, name));
        let of_network = |name| member(network, name).unwrap_or_default();
        Self {
            kind: of_network("connectionType"),
            subnet: of_network("subnet"),
            address: of_network("ipAddress"),
            public: of_network("reflexiveIPAddress"),
            access_point: of_network("basicServiceSetIdentifier"),
            capture: member(device, "captureDeviceName").unwrap_or_default(),
            version: member(agent, "applicationVersion").unwrap_or_default(),
        }
    }

    pub(super) fn lies_on(&self, cause: Cause, value: &str) -> bool {
        self.value(cause).is_some_and(|own| own == value)
    }

    /// What the rows of the cause's list are grouped by; of tunnels the range, which says what they
    /// are, of providers the network.
    fn value(&self, cause: Cause) -> Option<String> {
        let range = |address: &str, bits: u32| {
            let number = address.parse::<Ipv4Addr>().ok()?.to_bits();
            Some(format!("{}/{bits}", Ipv4Addr::from_bits(number & !(u32::MAX >> bits))))
        };
        let text = match cause {
            Cause::Subnet => &self.subnet,
            Cause::Vpn => return range(&self.address, 24).filter(|it| it.starts_with("172.20.")),
            Cause::Headset => &self.capture,
            Cause::Client => &self.version,
            Cause::AccessPoint => &self.access_point,
            Cause::Isp => return range(&self.public, 28),
            Cause::Sbc => return None,
        };
        (!text.is_empty()).then(|| text.clone())
    }
}
