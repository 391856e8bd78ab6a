//! The verdict on a session or a call as plain numbers: what the store keeps in columns and answers show.

use model::Value;
use odata::json::Node;

use crate::levels::{Counts, Direction, Levels};
use crate::medium::Medium;
use crate::outcome::{Outcome, Reason, Verdict};
use crate::profile::Profile;

/// The schema's `callQuality`, but for the profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The verdict on all streams.
    pub verdict: Verdict,
    /// The reason of the poor stream whose figure is furthest from its threshold.
    pub reason: Option<String>,
    /// Streams of audio, of video, of shared screens.
    pub media: [Counts; 3],
    /// People by the verdict on what they heard.
    pub heard: Counts,
    /// People by the verdict on how they were heard.
    pub was_heard: Counts,
    /// People at the ends of streams.
    pub people: u64,
    /// Those of them with a poor stream, sent or received.
    pub poor_people: u64,
    /// Their share among those with a stream that is good or poor.
    pub poor_share: Option<f64>,
    /// See [`Levels::is_poor_call`].
    pub is_poor: bool,
}

/// Media in the order of the columns.
const MEDIA: [Medium; 3] = [Medium::Audio, Medium::Video, Medium::ScreenSharing];

/// The reason that stands for many streams.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorstReason<'p>(Option<(f64, &'p str)>);

impl<'p> WorstReason<'p> {
    /// Looks at one more stream. Of equals the first stays.
    pub fn add(&mut self, outcome: &Outcome<'p>) {
        if let Some(Reason::Figure(finding)) = outcome.headline()
            && self.0.is_none_or(|(most, _)| finding.severity() > most)
        {
            self.0 = Some((finding.severity(), finding.reason));
        }
    }

    /// Its name, if any stream is poor.
    pub fn name(&self) -> Option<&'p str> {
        self.0.map(|(_, name)| name)
    }
}

impl Summary {
    /// Sums up streams.
    pub fn of(levels: &Levels, reason: &WorstReason<'_>) -> Self {
        let mut media = [Counts::default(); 3];
        for (medium, counts) in levels.media() {
            if let Some(place) = MEDIA.iter().position(|it| *it == medium) {
                media[place] = counts;
            }
        }
        let mut ends = [Counts::default(); 2];
        for (_, counts) in levels.people() {
            for (end, direction) in ends.iter_mut().zip([Direction::Heard, Direction::WasHeard]) {
                if let Some(counts) = counts.get(&(Medium::Audio, direction)) {
                    end.add(counts.verdict());
                }
            }
        }
        let [heard, was_heard] = ends;
        Self {
            verdict: levels.verdict(),
            reason: reason.name().map(str::to_owned),
            media,
            heard,
            was_heard,
            people: levels.people().count() as u64,
            poor_people: levels.poor_people() as u64,
            poor_share: levels.poor_share(),
            is_poor: levels.is_poor_call(),
        }
    }

    /// The values of [`model::columns::CALL_QUALITY`].
    pub fn columns(&self) -> Vec<Value> {
        let int = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        let reason = self.reason.clone().map_or(Value::Null, Value::Text);
        let mut columns = Vec::with_capacity(model::columns::CALL_QUALITY.len());
        columns.extend([Value::Text(self.verdict.name().to_owned()), reason]);
        for counts in self.media.iter().chain([&self.heard, &self.was_heard]) {
            columns.extend([counts.good, counts.poor, counts.unclassified].map(int));
        }
        columns.extend([int(self.people), int(self.poor_people)]);
        columns.push(self.poor_share.map_or(Value::Null, Value::Real));
        columns.push(Value::Int(i64::from(self.is_poor)));
        columns
    }

    /// What [`Summary::columns`] was made of; none where nothing was judged yet.
    pub fn of_columns(columns: &[Value]) -> Option<Self> {
        let [verdict, reason, rest @ ..] = columns else { return None };
        let (counts, rest) = rest.split_at_checked(15)?;
        let [people, poor_people, poor_share, is_poor] = rest else { return None };
        let int = |value: &Value| match value {
            Value::Int(number) => u64::try_from(*number).unwrap_or(0),
            _ => 0,
        };
        let counts = |place: usize| {
            let [good, poor, unclassified] =
                [0, 1, 2].map(|kind| counts.get(3 * place + kind).map_or(0, int));
            Counts { good, poor, unclassified }
        };
        let Value::Text(verdict) = verdict else { return None };
        let reason = match reason {
            Value::Text(reason) => Some(reason.clone()),
            _ => None,
        };
        let poor_share = match poor_share {
            Value::Real(share) => Some(*share),
            _ => None,
        };
        Some(Self {
            verdict: Verdict::ALL.into_iter().find(|it| it.name() == verdict)?,
            reason,
            media: [0, 1, 2].map(counts),
            heard: counts(3),
            was_heard: counts(4),
            people: int(people),
            poor_people: int(poor_people),
            poor_share,
            is_poor: int(is_poor) == 1,
        })
    }

    /// As the schema's `callQuality`.
    pub fn to_node(&self, profile: &Profile) -> Node<'static> {
        let int = |number: u64| Node::Number(number.to_string().into());
        let counts = |counts: &Counts| {
            Node::object([
                ("good", int(counts.good)),
                ("poor", int(counts.poor)),
                ("unclassified", int(counts.unclassified)),
            ])
        };
        let share = self.poor_share.map(|share| Node::Number(share.to_string().into()));
        let [audio, video, screen_sharing] = self.media.each_ref().map(counts);
        Node::object([
            ("profile", Node::text(&profile.id())),
            ("verdict", Node::text(self.verdict.name())),
            ("reason", self.reason.as_deref().map_or(Node::Null, Node::text)),
            ("audio", audio),
            ("video", video),
            ("screenSharing", screen_sharing),
            ("heard", counts(&self.heard)),
            ("wasHeard", counts(&self.was_heard)),
            ("people", int(self.people)),
            ("poorPeople", int(self.poor_people)),
            ("poorShare", share.unwrap_or(Node::Null)),
            ("isPoor", Node::Bool(self.is_poor)),
        ])
    }
}
