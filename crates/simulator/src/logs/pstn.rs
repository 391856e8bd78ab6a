//! Calls through calling plans and operators, and telephones in meetings.

use super::line::Line;
use super::{CURRENCY, Country, Dialout, Ends, Entry, HOME, Log, LogWriter, context, seconds};
use crate::json;
use crate::plan::{Call, Leg};
use crate::population;
use crate::rng::Rng;

/// Under what a telephone call is made.
struct Service {
    license: &'static str,
    inventory: &'static str,
    operator: &'static str,
    duration_source: &'static str,
    /// Cents for each minute that a call of the user's side begins: in the country and abroad.
    /// Abroad costs [`CONNECTION_CENTS`] more, if it costs anything.
    per_minute: [u64; 2],
}

const CONNECTION_CENTS: u64 = 2;

const CALLING_PLAN: Service = Service {
    license: "MCOPSTN2",
    inventory: "Subscriber",
    operator: "Microsoft",
    duration_source: "microsoft",
    per_minute: [0, 6],
};
/// The operator sends a bill of its own.
const OPERATOR_CONNECT: Service = Service {
    license: "MCOEV",
    inventory: "Subscriber",
    operator: "Contoso Telecom",
    duration_source: "operator",
    per_minute: [0, 0],
};
const VOICE_APPLICATION: Service =
    Service { license: "MCOEV_VIRTUALUSER", inventory: "Service", ..OPERATOR_CONNECT };
const CONFERENCING: Service =
    Service { license: "MCOMEETADV", inventory: "Service", per_minute: [4, 9], ..CALLING_PLAN };

/// A row to be.
struct Row<'a> {
    call_id: String,
    call_type: &'static str,
    service: &'static Service,
    leg: &'a Leg,
    ends: Ends,
    /// The number of the user's side.
    own_number: String,
    conference: Option<&'a str>,
}

impl Service {
    /// Cents of the connection and of the whole call, if the user's side in `country` calls and
    /// talks for `seconds`.
    fn charges(&self, country: &Country, seconds: u64) -> (u64, u64) {
        let is_abroad = country.code != HOME.code;
        let per_minute = self.per_minute[usize::from(is_abroad)];
        let connection = if is_abroad && per_minute > 0 { CONNECTION_CENTS } else { 0 };
        (connection, connection + seconds.div_ceil(60).max(1) * per_minute)
    }
}

impl<'a> Row<'a> {
    /// Of the first leg of a call, whose first two parties are its ends.
    fn of(
        call: &'a Call,
        call_id: String,
        call_type: &'static str,
        service: &'static Service,
    ) -> Self {
        let ends = Ends::of(call);
        Self {
            call_id,
            call_type,
            service,
            leg: &call.legs[0],
            ends,
            own_number: population::number(ends.user),
            conference: None,
        }
    }
}

impl LogWriter<'_> {
    /// The identifier of a calling plan's call opens no record.
    pub(super) fn calling_plan(&mut self, rng: &mut Rng, call: &Call) -> Entry {
        let call_type = if Ends::of(call).is_outgoing { "user_out" } else { "user_in" };
        let row = Row::of(call, foreign_id(rng), call_type, &CALLING_PLAN);
        self.pstn(rng, row)
    }

    /// The identifier of an operator's call is the record's.
    pub(super) fn operator_connect(&mut self, rng: &mut Rng, call: &Call) -> Entry {
        let call_type = if Ends::of(call).is_outgoing { "oc_user_out" } else { "oc_user_in" };
        let row = Row::of(call, json::guid_text(call.id), call_type, &OPERATOR_CONNECT);
        self.pstn(rng, row)
    }

    /// The first leg of a call to a voice application, which is no user.
    pub(super) fn voice_application(&mut self, rng: &mut Rng, call: &Call) -> Entry {
        let row = Row::of(call, json::guid_text(call.id), "oc_ucap_in", &VOICE_APPLICATION);
        self.pstn(rng, row)
    }

    /// A visit of a telephone to a meeting, at the expense of the organizer.
    pub(super) fn conference(
        &mut self,
        rng: &mut Rng,
        leg: &Leg,
        ends: Ends,
        conference: &str,
    ) -> Entry {
        let row = Row {
            call_id: foreign_id(rng),
            call_type: if ends.is_outgoing { "conf_out" } else { "conf_in" },
            service: &CONFERENCING,
            leg,
            ends,
            own_number: self.country(ends.user).bridge.to_owned(),
            conference: Some(conference),
        };
        self.pstn(rng, row)
    }

    fn pstn(&mut self, rng: &mut Rng, row: Row<'_>) -> Entry {
        let Row { call_id, call_type, service, leg, ends, own_number, conference } = row;
        let country = self.country(ends.user);
        let (connection_charge, charge) =
            if ends.is_outgoing { service.charges(country, seconds(leg)) } else { (0, 0) };
        let (caller, callee) = ends.numbers(own_number);
        let destination = if ends.is_outgoing { HOME } else { country };
        let line = Line::new()
            .guid("id", rng.guid())
            .text("callId", &call_id)
            .members(&self.population.get(ends.user).log_user)
            .instant("startDateTime", self.instants, leg.start)
            .instant("endDateTime", self.instants, leg.end)
            .number("duration", seconds(leg))
            .cents("charge", charge)
            .text("callType", call_type)
            .text("currency", CURRENCY)
            .text("calleeNumber", &callee)
            .text("usageCountryCode", country.code)
            .text("tenantCountryCode", HOME.code)
            .cents("connectionCharge", connection_charge)
            .text("callerNumber", &caller)
            .optional("destinationContext", ends.is_outgoing.then(|| context(country)))
            .text("destinationName", destination.name)
            .optional("conferenceId", conference)
            .text("licenseCapability", service.license)
            .text("inventoryType", service.inventory)
            .text("operator", service.operator)
            .text("callDurationSource", service.duration_source)
            .text("otherPartyCountryCode", HOME.code)
            .null("clientLocalIpV4Address")
            .null("clientLocalIpV6Address")
            .null("clientPublicIpV4Address")
            .null("clientPublicIpV6Address")
            .empty("administrativeUnitInfos");
        let is_dialout = conference.is_some() && ends.is_outgoing;
        let dialout = is_dialout.then(|| Dialout::of(ends.user, country, leg, charge));
        Entry { dialout, ..Entry::new(Log::PstnCalls, line.end()) }
    }
}

/// An identifier in the form of the telephone network's.
fn foreign_id(rng: &mut Rng) -> String {
    let (call, host) = (rng.below(1 << 31), rng.between(1, 254));
    format!("{call}_{}@203.0.113.{host}", rng.below(1 << 27))
}
