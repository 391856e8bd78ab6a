//! Calls through the tenant's own session border controllers.

use odata::primitive::TICKS_PER_SECOND;

use super::line::Line;
use super::{Ends, Entry, HOME, Log, LogWriter, seconds};
use crate::calendar::Span;
use crate::plan::{Call, Outcome};
use crate::planted::DOWN_TRUNK;
use crate::population;
use crate::rng::Rng;

const OTHER_TRUNK: &str = "sbc2.contoso.com";
const TRUNKS: [&str; 3] = [DOWN_TRUNK, DOWN_TRUNK, OTHER_TRUNK];

/// What stands for a time that never came.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// How a call ended, in the words of the protocol.
struct Ending {
    code: u64,
    phrase: &'static str,
    /// Who ended it and why, as a number of Microsoft's.
    sub_reason: u64,
}

const BYE: Ending = Ending { code: 0, phrase: "BYE", sub_reason: 540_000 };
const UNAVAILABLE: Ending =
    Ending { code: 480, phrase: "Temporarily Unavailable", sub_reason: 560_480 };
const BUSY: Ending = Ending { code: 486, phrase: "Busy Here", sub_reason: 560_486 };
const CANCELLED: Ending = Ending { code: 487, phrase: "Request Terminated", sub_reason: 540_487 };
const NO_SERVICE: Ending = Ending { code: 503, phrase: "Service Unavailable", sub_reason: 560_503 };

/// How `outcome` ended, and the seconds from the invitation to the start, at least and at most:
/// of a call that nobody answers they are those in which it rang.
fn ending(rng: &mut Rng, outcome: Outcome) -> (&'static Ending, (u64, u64)) {
    let drawn = rng.below(100);
    match outcome {
        Outcome::Completed | Outcome::Dropped => (&BYE, (2, 20)),
        Outcome::Unanswered if drawn < 20 => (&BUSY, (1, 4)),
        Outcome::Unanswered if drawn < 45 => (&UNAVAILABLE, (30, 60)),
        Outcome::Unanswered => (&CANCELLED, (5, 40)),
        Outcome::SetupFailed if drawn < 25 => (&UNAVAILABLE, (1, 4)),
        Outcome::SetupFailed => (&NO_SERVICE, (1, 4)),
    }
}

impl LogWriter<'_> {
    /// The one leg of `call`, which its row is correlated with by the record's id.
    pub(super) fn direct_routing(&mut self, rng: &mut Rng, call: &Call) -> Entry {
        let (leg, ends) = (&call.legs[0], Ends::of(call));
        let country = self.country(ends.user);
        let (mut ending, (least, most)) = ending(rng, leg.outcome);
        let rung = rng.between(least * 1_000, most * 1_000) as i64 * (TICKS_PER_SECOND / 1_000);
        let established = leg.is_established();
        let mut trunk = *rng.pick(&TRUNKS);
        if call.fails_in_outage {
            (ending, trunk) = (&NO_SERVICE, DOWN_TRUNK);
        } else if self.outage.is_some_and(|Span { from, to }| (from..to).contains(&leg.start)) {
            trunk = OTHER_TRUNK;
        }
        let (caller, callee) = ends.numbers(population::number(ends.user));
        let line = Line::new()
            .guid("id", rng.guid())
            .guid("correlationId", call.id)
            .members(&self.population.get(ends.user).log_user)
            .instant("startDateTime", self.instants, leg.start)
            .instant("inviteDateTime", self.instants, leg.start - rung);
        let line = if established {
            line.text("failureDateTime", NEVER)
                .instant("endDateTime", self.instants, leg.end)
                .number("duration", seconds(leg))
        } else {
            line.instant("failureDateTime", self.instants, leg.end)
                .null("endDateTime")
                .number("duration", 0)
        };
        let line = line
            .text("callType", if ends.is_outgoing { "ByotOut" } else { "ByotIn" })
            .boolean("successfulCall", established)
            .text("callerNumber", &masked(caller))
            .text("calleeNumber", &masked(callee))
            .text("mediaPathLocation", country.data_centre)
            .text("signalingLocation", HOME.data_centre)
            .number("finalSipCode", ending.code)
            .number("callEndSubReason", ending.sub_reason)
            .text("finalSipCodePhrase", ending.phrase)
            .text("trunkFullyQualifiedDomainName", trunk)
            // Some streams of the records go past the mediation server.
            .boolean("mediaBypassEnabled", true)
            .null("transferorCorrelationId")
            .text("userCountryCode", country.code)
            .text("otherPartyCountryCode", HOME.code)
            .empty("administrativeUnitInfos");
        Entry::new(Log::DirectRoutingCalls, line.end())
    }
}

/// A telephone number without its last three digits.
fn masked(mut number: String) -> String {
    number.truncate(number.len().saturating_sub(3));
    number.push_str("***");
    number
}
