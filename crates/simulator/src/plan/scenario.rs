//! The kinds of calls: who is invited, who joins, who leaves.

use odata::primitive::TICKS_PER_SECOND;

use super::{Call, Draft, HALF_HOUR, Outcome, Side, ticks};
use crate::calendar::Span;
use crate::mix::Mix;
use crate::modality;
use crate::population::{self, Party};
use crate::rng::Rng;

/// Most sessions of a record of [`Mix::Bench`].
const BENCH_SESSIONS: usize = 60;

const PEER_SECONDS: [u64; 11] = [3, 25, 60, 110, 180, 280, 430, 700, 1_200, 2_400, 5_400];
const GROUP_SECONDS: [u64; 11] =
    [60, 600, 1_300, 1_700, 1_800, 1_900, 2_700, 3_500, 3_700, 5_400, 10_800];

impl Call {
    pub(super) fn peer_to_peer(&mut self, rng: &mut Rng) {
        let caller = popular(rng);
        // Mostly somebody of the same team; sometimes a partner.
        let callee = if rng.chance(60) {
            population::external(rng.bits())
        } else {
            population::user(u64::from(caller) + rng.between(1, 40))
        };
        self.parties.extend([caller, callee]);
        let outcome = match rng.below(1000) {
            0..150 => Outcome::Unanswered,
            150..180 => Outcome::SetupFailed,
            180..205 => Outcome::Dropped,
            _ => Outcome::Completed,
        };
        let modalities = modality::AUDIO | self.mix.peer_extras(rng);
        self.single(rng, Side::Person(caller), Side::Person(callee), outcome, modalities);
    }

    pub(super) fn telephone(&mut self, rng: &mut Rng) {
        let (user, phone) = (popular(rng), population::phone(rng.bits()));
        let (caller, callee) = if rng.chance(500) { (user, phone) } else { (phone, user) };
        self.parties.extend([caller, callee]);
        let outcome = match rng.below(1000) {
            0..200 => Outcome::Unanswered,
            200..250 => Outcome::SetupFailed,
            250..275 => Outcome::Dropped,
            _ => Outcome::Completed,
        };
        self.single(rng, Side::Person(caller), Side::Person(callee), outcome, modality::AUDIO);
    }

    pub(super) fn test(&mut self, rng: &mut Rng) {
        let user = popular(rng);
        self.parties.push(user);
        let (caller, callee) = (Side::Person(user), Side::TestBot);
        self.single(rng, caller, callee, Outcome::Completed, modality::AUDIO);
        self.legs[0].is_test = true;
    }

    /// The one leg of a call of two, with the record's own id.
    fn single(&mut self, rng: &mut Rng, a: Side, b: Side, outcome: Outcome, modalities: u8) {
        let end = match outcome {
            Outcome::Unanswered => 0,
            Outcome::SetupFailed => rng.below(20 * TICKS_PER_SECOND as u64) as i64,
            Outcome::Completed | Outcome::Dropped => ticks(rng, &PEER_SECONDS),
        };
        let reported = self.mix.peer_reported();
        let span = Span { from: 0, to: end };
        self.leg(rng, Draft { caller: a, callee: b, span, outcome, modalities }, reported);
        self.legs[0].id = self.id;
    }

    /// A meeting of `size` from one team and its guests, `offset` ticks into the call.
    pub(super) fn group(&mut self, rng: &mut Rng, size: u64, offset: i64) {
        let organizer = u64::from(popular(rng));
        let (stride, other) = (rng.between(1, 60), rng.bits() >> 32);
        for k in 0..size {
            let teammate = population::user(organizer + k * stride % 61);
            let party = match if k == 0 { 0 } else { rng.below(1000) } {
                0..820 => teammate,
                820..900 => population::external(other + k),
                900..950 => population::guest(other + k),
                950..990 => population::phone(other + k),
                _ => population::communication_services(other + k),
            };
            self.parties.push(party);
        }
        let length = ticks(rng, &GROUP_SECONDS);
        for k in 0..size as usize {
            let party = self.parties[k];
            if k > 0 && rng.chance(self.mix.unanswered()) {
                let at = offset + rng.below(length as u64 / 4) as i64;
                self.conference_leg(rng, party, Span::at(at), Outcome::Unanswered, modality::AUDIO);
                continue;
            }
            let visits = 1 + u64::from(rng.chance(self.mix.rejoined()));
            let extras = self.mix.group_extras(rng);
            self.attend(rng, k, visits, extras, Span { from: offset, to: offset + length });
            if rng.chance(self.mix.shared()) {
                let start = offset + length / 4 + rng.below(length as u64 / 4) as i64;
                let end = start + length / 20 + rng.below(length as u64 / 4) as i64;
                let sharing = modality::VIDEO_BASED_SCREEN_SHARING;
                let span = Span { from: start, to: end };
                self.conference_leg(rng, party, span, Outcome::Completed, sharing);
            }
        }
    }

    /// A meeting across the whole tenant, each party different; people come and go.
    pub(super) fn town_hall(&mut self, rng: &mut Rng, size: u64) {
        let organizer = u64::from(popular(rng));
        let stride = rng.between(1, u64::from(population::USERS) - 1);
        let other = rng.bits() >> 32;
        for k in 0..size {
            self.parties.push(match k * 100 / size {
                0..85 => population::user(organizer + k * stride),
                85..91 => population::external(other + k),
                91..98 => population::guest(other + k),
                _ => population::phone(other + k),
            });
        }
        let length = (ticks(rng, &GROUP_SECONDS)).max(HALF_HOUR);
        for k in 0..size as usize {
            let visits = 1 + u64::from(rng.chance(350)) + u64::from(rng.chance(150));
            // The stage has cameras and screens; the audience mostly listens.
            let on_stage = k < 10 || rng.chance(80);
            let extras = if on_stage { self.mix.group_extras(rng) } else { 0 };
            self.attend(rng, k, visits, extras, Span { from: 0, to: length });
        }
    }

    /// The sessions of party `k` in a meeting: `visits`, one after the other.
    fn attend(&mut self, rng: &mut Rng, k: usize, visits: u64, extras: u8, meeting: Span) {
        let party = self.parties[k];
        let length = meeting.to - meeting.from;
        let minutes = |n: i64| n * 60 * TICKS_PER_SECOND;
        let late = rng.below((length / 10).min(minutes(10)) as u64) as i64;
        let join = meeting.from + if k == 0 { 0 } else { late };
        let leave = meeting.to - rng.below((length / 8).min(minutes(5)) as u64) as i64;
        let share = (leave - join) / visits as i64;
        let modalities =
            if population::is_phone(party) { modality::AUDIO } else { modality::AUDIO | extras };
        for visit in 0..visits as i64 {
            let start = join + visit * share;
            let away = if visits > 1 { rng.below(share as u64 / 10) as i64 } else { 0 };
            let dropped = visit + 1 < visits as i64 && rng.chance(250) || rng.chance(12);
            let outcome = if dropped { Outcome::Dropped } else { Outcome::Completed };
            let span = Span { from: start, to: start + share - away };
            self.conference_leg(rng, party, span, outcome, modalities);
        }
    }

    /// A call of two to which others were added: the first leg stays behind, empty.
    pub(super) fn grown(&mut self, rng: &mut Rng) {
        let size = rng.between(3, self.mix.grown_to());
        let offset = rng.between(20, 300) as i64 * TICKS_PER_SECOND;
        self.group(rng, size, offset);
        let first = Draft {
            caller: Side::Person(self.parties[0]),
            callee: Side::Person(self.parties[1]),
            span: Span::at(0),
            outcome: Outcome::Unanswered,
            modalities: modality::AUDIO,
        };
        self.leg(rng, first, 0);
        let first = self.legs.len() - 1;
        self.legs[first].id = self.id;
        self.legs.swap(0, first);
    }

    /// A caller meets an auto attendant, mostly is sent to a queue, and agents are rung.
    pub(super) fn voice_application(&mut self, rng: &mut Rng) {
        let caller = population::phone(rng.bits());
        let desk = rng.bits();
        let attendant = population::attendant(desk);
        self.parties.extend([caller, attendant]);
        let greeted = rng.between(6, 40) as i64 * TICKS_PER_SECOND;
        let leg = |callee, from, to| Draft {
            caller: Side::Person(caller),
            callee: Side::Person(callee),
            span: Span { from, to },
            outcome: Outcome::Completed,
            modalities: modality::AUDIO,
        };
        let reported = self.mix.group_reported();
        self.leg(rng, leg(attendant, 0, greeted), reported);
        self.legs[0].id = self.id;
        if rng.chance(250) {
            return;
        }
        let queue = population::queue(desk >> 8);
        self.parties.push(queue);
        let waited = greeted + rng.between(5, 180) as i64 * TICKS_PER_SECOND;
        self.leg(rng, leg(queue, greeted, waited), reported);
        let first_agent = desk >> 16;
        let rung = rng.below(self.mix.agents_rung());
        for k in 0..rung {
            let agent = population::user(first_agent % 400 + k);
            self.parties.push(agent);
            let at = greeted + rng.below((waited - greeted) as u64) as i64;
            self.leg(rng, Draft { outcome: Outcome::Unanswered, ..leg(agent, at, at) }, 0);
        }
        if rng.chance(820) {
            let agent = population::user(first_agent % 400 + rung);
            self.parties.push(agent);
            let end = waited + ticks(rng, &PEER_SECONDS);
            self.leg(rng, leg(agent, waited, end), reported);
        }
    }

    fn conference_leg(
        &mut self,
        rng: &mut Rng,
        party: Party,
        span: Span,
        outcome: Outcome,
        modalities: u8,
    ) {
        if self.mix == Mix::Bench && self.legs.len() + 1 >= BENCH_SESSIONS {
            return;
        }
        let (caller, callee) = (Side::Person(party), Side::Conference);
        let draft = Draft { caller, callee, span, outcome, modalities };
        self.leg(rng, draft, self.mix.group_reported());
    }
}

/// A user, some far more often than others.
fn popular(rng: &mut Rng) -> Party {
    let users = u64::from(population::USERS);
    let nearer = rng.below(users).min(rng.below(users));
    population::user(nearer.min(rng.below(users)))
}
