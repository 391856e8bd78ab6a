//! A call as its events tell of it: who took part in it, when, and how far it has come.

use model::call::{CallRow, Ending};
use model::identity::party;
use odata::json::Node;

use crate::event::{Event, Kind};

/// How far a call has come (Graph, "callState").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It has begun.
    Establishing,
    /// Somebody came in, or media went.
    Established,
    /// It failed, or all but one have gone.
    Terminating,
    /// It is over.
    Terminated,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Establishing => "establishing",
            Self::Established => "established",
            Self::Terminating => "terminating",
            Self::Terminated => "terminated",
        }
    }
}

/// A call of a chain.
#[derive(Debug, Clone)]
pub struct Leg<'e> {
    pub(crate) id: &'e str,
    pub(crate) chain_id: &'e str,
    pub(crate) ending: Ending,
    /// The time of the first event (ticks).
    pub(crate) start: i64,
    /// The time of the end, or of the last event as long as no end is known (ticks).
    pub(crate) end: i64,
    pub(crate) direction: Option<&'e Node<'e>>,
    pub(crate) subject: Option<&'e Node<'e>>,
    /// What failed of the call as a whole.
    pub(crate) failure: Option<&'e Node<'e>>,
    /// The participants, in the order in which events first name them.
    pub(crate) parties: Vec<Party<'e>>,
    pub(crate) state: State,
}

/// Somebody in a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Party<'e> {
    /// Who; none when nobody was named.
    pub(crate) identity: Option<&'e Node<'e>>,
    pub(crate) endpoint: Option<&'e Node<'e>>,
    pub(crate) is_source: bool,
    pub(crate) stays: Vec<Stay>,
    /// Media with the times of their events (ticks).
    pub(crate) media: Vec<(i64, &'e Node<'e>)>,
    pub(crate) failure: Option<&'e Node<'e>>,
    key: Option<(&'static str, String)>,
}

/// A time in a call (ticks).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stay {
    pub(crate) from: i64,
    /// None as long as nothing says that it is over.
    pub(crate) to: Option<i64>,
}

impl Party<'_> {
    pub(crate) fn is_in(&self) -> bool {
        self.stays.last().is_some_and(|stay| stay.to.is_none())
    }

    fn enter(&mut self, time: i64) {
        if !self.is_in() {
            self.stays.push(Stay { from: time, to: None });
        }
    }

    /// A participant who leaves without having joined was there from the start.
    fn leave(&mut self, time: i64, start: i64) {
        match self.stays.last_mut() {
            Some(stay) if stay.to.is_none() => stay.to = Some(time),
            Some(_) => {}
            None => self.stays.push(Stay { from: start, to: Some(time) }),
        }
    }

    /// What names the participant; none when no event does.
    pub(crate) fn key(&self) -> Option<&(&'static str, String)> {
        self.key.as_ref()
    }
}

impl<'e> Leg<'e> {
    /// Works a call out from its events, which are in order.
    pub fn of(call: &'e CallRow, events: &'e [Event<'e>]) -> Self {
        let times = || events.iter().map(|event| event.time);
        let ended = events.iter().find(|event| event.kind == Kind::Ended);
        let start = times().min().unwrap_or(call.start);
        let mut leg = Self {
            id: &call.id,
            chain_id: &call.chain_id,
            ending: call.ending,
            start,
            end: ended.map(|event| event.time).or_else(|| times().max()).unwrap_or(call.start),
            direction: events.iter().find_map(|event| event.get("direction")),
            subject: events.iter().find_map(|event| event.get("subject")),
            failure: None,
            parties: Vec::new(),
            state: State::Establishing,
        };
        for event in events {
            leg.take(event);
        }
        leg.state = leg.state(events);
        leg
    }

    fn take(&mut self, event: &'e Event<'e>) {
        let start = self.start;
        let has_source = self.parties.iter().any(|party| party.is_source);
        let is_named = event.get("participant").is_some();
        match event.kind {
            Kind::Started if is_named => {
                let party = self.party(event);
                party.is_source = !has_source;
                party.enter(event.time);
            }
            Kind::ParticipantJoined => self.party(event).enter(event.time),
            Kind::ParticipantLeft => self.party(event).leave(event.time, start),
            Kind::Media => {
                if let Some(media) = event.get("media") {
                    self.party(event).media.push((event.time, media));
                }
            }
            Kind::Failed if is_named => {
                let party = self.party(event);
                party.failure = party.failure.or(event.get("failureInfo"));
            }
            Kind::Failed => self.failure = self.failure.or(event.get("failureInfo")),
            Kind::Started | Kind::Ended => {}
        }
    }

    /// Whom an event concerns; when it names nobody, who called, or somebody without a name.
    fn party(&mut self, event: &'e Event<'e>) -> &mut Party<'e> {
        let identity = event.get("participant");
        let key = identity.and_then(party).map(|(member, id)| {
            // Ids that are the same GUID are the same, in whatever case they are written.
            (
                member,
                if odata::primitive::parse_guid(&id).is_some() { id.to_lowercase() } else { id },
            )
        });
        let known = self.parties.iter().position(|party| match identity {
            Some(_) => party.key == key,
            None => party.is_source || party.identity.is_none(),
        });
        let place = known.unwrap_or_else(|| {
            self.parties.push(Party { identity, key, ..Party::default() });
            self.parties.len() - 1
        });
        let party = &mut self.parties[place];
        party.endpoint = party.endpoint.or(event.get("endpoint"));
        party
    }

    fn state(&self, events: &[Event<'_>]) -> State {
        let has = |kind: Kind| events.iter().any(|event| event.kind == kind);
        let has_met = has(Kind::ParticipantJoined) || has(Kind::Media);
        let is_failed = |event: &Event<'_>| {
            event.kind == Kind::Failed && (!has_met || event.get("participant").is_none())
        };
        let has_gone = |party: &Party<'_>| party.stays.last().is_some_and(|it| it.to.is_some());
        let here = self.parties.iter().filter(|party| party.is_in()).count();
        if self.ending != Ending::Open {
            State::Terminated
        } else if events.iter().any(is_failed) || here <= 1 && self.parties.iter().any(has_gone) {
            State::Terminating
        } else if has_met {
            State::Established
        } else {
            State::Establishing
        }
    }

    /// What failed: of the call, or of the first of whom something failed.
    pub(crate) fn any_failure(&self) -> Option<&'e Node<'e>> {
        self.failure.or_else(|| self.parties.iter().find_map(|party| party.failure))
    }
}
