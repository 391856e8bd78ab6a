//! Rows of Graph's telephone logs: what each call leaves behind in them, and what happens beside.
//!
//! All that a row says is taken from the plan of the call or drawn from its id, by generators that
//! the record doesn't know. Every telephone of the population is in the United States; users may be
//! elsewhere, and then their calls to it are international.

mod beside;
mod direct_routing;
mod line;
mod pstn;
mod report;

use odata::primitive::TICKS_PER_SECOND;

use crate::calendar::Span;
use crate::json::Instants;
use crate::mix::Kind;
use crate::modality;
use crate::persona;
use crate::plan::{Call, Carrier, Leg, Side};
use crate::population::{self, Party, Population};
use crate::record::RecordWriter;
use crate::rng::Rng;

pub(crate) use report::{Dialout, Report};

/// Where the draws for the logs begin in what they are made from.
mod tag {
    /// In half of a call's id: what happens beside the call.
    pub(super) const BESIDE: u64 = 0x6265_7369_6465;
    /// In a person's number of their own: the country.
    pub(super) const COUNTRY: u64 = 0x0063_6f75_6e74_7279;
}

/// Which log a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Log {
    /// Calls through calling plans and operators: `pstnCallLogRow`.
    PstnCalls,
    /// Calls through the tenant's own session border controllers: `directRoutingLogRow`.
    DirectRoutingCalls,
    /// Text messages: `smsLogRow`.
    Sms,
    /// Users barred from the telephone network and let in again: `pstnBlockedUsersLogRow`.
    BlockedUsers,
    /// What dialling out of meetings cost: `pstnOnlineMeetingDialoutReport`, a row for each day,
    /// whose `@callvault.startDateTime` is the midnight (UTC) that it begins with.
    DialoutReport,
}

/// A row, and what the report has to know of it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) log: Log,
    pub(crate) line: Vec<u8>,
    /// Only of a call out of a meeting.
    dialout: Option<Dialout>,
}

impl Entry {
    fn new(log: Log, line: Vec<u8>) -> Self {
        Self { log, line, dialout: None }
    }
}

/// A country with telephones, or with users.
struct Country {
    code: &'static str,
    name: &'static str,
    /// The number to dial for meetings that its users organize.
    bridge: &'static str,
    /// The data centre that its users' calls go through.
    data_centre: &'static str,
}

const UNITED_STATES: Country =
    Country { code: "US", name: "United States", bridge: "+15550120001", data_centre: "USWE" };
const GERMANY: Country =
    Country { code: "DE", name: "Germany", bridge: "+15550120002", data_centre: "EUNO" };
const UNITED_KINGDOM: Country =
    Country { code: "GB", name: "United Kingdom", bridge: "+15550120003", data_centre: "EUWE" };

/// Where the tenant is, and every telephone that isn't a user's.
const HOME: &Country = &UNITED_STATES;
const CURRENCY: &str = "USD";

/// What a call or message from `country` to a telephone counts as.
fn context(country: &Country) -> &'static str {
    if country.code == HOME.code { "Domestic" } else { "International" }
}

/// The two ends of a telephone call: a user (or voice application) and a telephone.
#[derive(Clone, Copy)]
struct Ends {
    user: Party,
    phone: Party,
    /// The user's side called.
    is_outgoing: bool,
}

impl Ends {
    /// Of a call whose first two parties are the one who called and the one who was called.
    fn of(call: &Call) -> Self {
        let (caller, callee) = (call.parties[0], call.parties[1]);
        if population::is_phone(caller) {
            Self { user: callee, phone: caller, is_outgoing: false }
        } else {
            Self { user: caller, phone: callee, is_outgoing: true }
        }
    }

    /// What called and what was called, when the user's side has the number `own`.
    fn numbers(self, own: String) -> (String, String) {
        let other = population::number(self.phone);
        if self.is_outgoing { (own, other) } else { (other, own) }
    }
}

/// Writes rows.
pub(crate) struct LogWriter<'a> {
    population: &'a Population,
    instants: &'a mut Instants,
    /// When a session border controller is down on purpose.
    outage: Option<Span>,
}

impl<'a> LogWriter<'a> {
    /// With the population of `record_writer`.
    pub(crate) fn of(record_writer: &'a mut RecordWriter) -> Self {
        Self {
            population: &record_writer.population,
            instants: &mut record_writer.instants,
            outage: record_writer.targets.outage(),
        }
    }

    /// The rows that `call` leaves behind, in the order of its legs.
    pub(crate) fn after(&mut self, call: &Call) -> Vec<Entry> {
        let mut rng = call.row_draws();
        match call.kind {
            Kind::PeerToPeer | Kind::Test => Vec::new(),
            Kind::Telephone => self.telephone(&mut rng, call).into_iter().collect(),
            Kind::VoiceApplication => vec![self.voice_application(&mut rng, call)],
            Kind::Group | Kind::Grown | Kind::TownHall => self.meeting(&mut rng, call),
        }
    }

    /// Calls of a user and a telephone go one of three ways; only the tenant's own controllers tell
    /// of those that came to nothing.
    fn telephone(&mut self, rng: &mut Rng, call: &Call) -> Option<Entry> {
        match Carrier::draw(rng) {
            Carrier::DirectRouting => Some(self.direct_routing(rng, call)),
            _ if !call.legs[0].is_established() => None,
            Carrier::OperatorConnect => Some(self.operator_connect(rng, call)),
            Carrier::CallingPlan => Some(self.calling_plan(rng, call)),
        }
    }

    /// Each visit of a telephone to a meeting.
    fn meeting(&mut self, rng: &mut Rng, call: &Call) -> Vec<Entry> {
        let conference = rng.between(100_000_000, 999_999_999).to_string();
        let mut entries = Vec::new();
        for leg in &call.legs {
            if let Some(phone) = visitor(leg) {
                let is_outgoing = rng.chance(300);
                let ends = Ends { user: call.parties[0], phone, is_outgoing };
                entries.push(self.conference(rng, leg, ends, &conference));
            }
        }
        entries
    }

    /// Where `party` is; the same for ever.
    fn country(&self, party: Party) -> &'static Country {
        let persona = self.population.get(party);
        if persona.kind != persona::Kind::User {
            return HOME;
        }
        match Rng::of(persona.trait_bits, tag::COUNTRY).below(100) {
            0..88 => &UNITED_STATES,
            88..95 => &GERMANY,
            _ => &UNITED_KINGDOM,
        }
    }
}

/// The telephone that was in a meeting during `leg`.
fn visitor(leg: &Leg) -> Option<Party> {
    let has_audio = leg.modalities & modality::AUDIO != 0;
    match leg.caller {
        Side::Person(party)
            if leg.callee == Side::Conference
                && population::is_phone(party)
                && has_audio
                && leg.is_established() =>
        {
            Some(party)
        }
        _ => None,
    }
}

/// Whole seconds of `leg`.
fn seconds(leg: &Leg) -> u64 {
    ((leg.end - leg.start) / TICKS_PER_SECOND) as u64
}
