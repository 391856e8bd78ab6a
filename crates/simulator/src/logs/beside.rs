//! What happens beside calls and leaves no record: text messages, and users barred for a while.

use odata::primitive::TICKS_PER_SECOND;

use super::line::Line;
use super::{CURRENCY, Ends, Entry, HOME, Log, LogWriter, context, tag};
use crate::calendar::{self, Span};
use crate::plan::Call;
use crate::population;
use crate::rng::Rng;

/// A text message for so many calls, and a barred user.
const CALLS_PER_MESSAGE: u64 = 25;
const CALLS_PER_BARRED_USER: u64 = 400;

/// Cents of each part of a message that a user sends: in the country and abroad.
const CENTS_PER_UNIT: [u64; 2] = [1, 7];

/// How long a user is barred.
const BARRED_SECONDS: [u64; 5] = [1_800, 7_200, 21_600, 86_400, 172_800];

const REASONS: [&str; 3] = ["High Overall Usage", "High Overall Usage", "High International Usage"];

impl LogWriter<'_> {
    /// The rows of what happens beside `call` anywhere in `span`: mostly none.
    pub(crate) fn beside(&mut self, call: &Call, span: Span) -> Vec<Entry> {
        let mut rng = Rng::of(call.half(), tag::BESIDE);
        let mut entries = Vec::new();
        if rng.below(CALLS_PER_MESSAGE) == 0 {
            entries.push(self.message(&mut rng, span));
        }
        if rng.below(CALLS_PER_BARRED_USER) == 0 {
            entries.extend(self.barred(&mut rng, span));
        }
        entries
    }

    fn message(&mut self, rng: &mut Rng, span: Span) -> Entry {
        let ends = Ends {
            user: population::user(rng.bits()),
            phone: population::phone(rng.bits()),
            is_outgoing: rng.chance(550),
        };
        let country = self.country(ends.user);
        let (source, destination) = ends.numbers(population::number(ends.user));
        let is_abroad = country.code != HOME.code;
        let units = *rng.pick(&[1, 1, 1, 1, 2, 2, 3]);
        let charge =
            if ends.is_outgoing { units * CENTS_PER_UNIT[usize::from(is_abroad)] } else { 0 };
        let place = if ends.is_outgoing { HOME } else { country };
        let line = Line::new()
            .guid("id", rng.guid())
            .guid("smsId", rng.guid())
            .members(&self.population.get(ends.user).log_user)
            .text("userCountryCode", country.code)
            .text("tenantCountryCode", HOME.code)
            .text("sourceNumber", &source)
            .text("destinationNumber", &destination)
            .instant("sentDateTime", self.instants, calendar::instant(rng, span))
            .cents("callCharge", charge)
            .text("currency", CURRENCY)
            .text("smsType", if ends.is_outgoing { "sms_out" } else { "sms_in" })
            .text("destinationContext", context(country))
            .text("destinationName", place.name)
            .text("otherPartyCountryCode", HOME.code)
            .text("licenseCapability", "MCOSMS1")
            .number("smsUnits", units)
            .empty("administrativeUnitInfos");
        Entry::new(Log::Sms, line.end())
    }

    /// A user is barred and let in again; the incident is the same.
    fn barred(&mut self, rng: &mut Rng, span: Span) -> [Entry; 2] {
        let user = population::user(rng.bits());
        let incident = rng.guid();
        let reason = *rng.pick(&REASONS);
        let drawn = rng.quantile(&BARRED_SECONDS) as i64 * TICKS_PER_SECOND;
        let barred = drawn.min(span.to.saturating_sub(span.from).max(0) / 2);
        let begin = calendar::instant(rng, Span { to: span.to.saturating_sub(barred), ..span });
        let mut row = |at, mode, reason| {
            let line = Line::new()
                .members(&self.population.get(user).log_user)
                .instant("blockDateTime", self.instants, at)
                .text("userTelephoneNumber", &population::number(user))
                .text("userBlockMode", mode)
                .text("blockReason", reason)
                .guid("remediationId", incident);
            Entry::new(Log::BlockedUsers, line.end())
        };
        [row(begin, "blocked", reason), row(begin + barred, "unblocked", "Tenant Requested")]
    }
}
