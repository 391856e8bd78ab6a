//! The whole record: head, identities, sessions, participants.

use crate::json::{self, Instants};
use crate::plan::Call;
use crate::planted::{Targets, Truth};
use crate::population::Population;
use crate::rng::Rng;
use crate::session::{self, Writer};

/// Most participants that the legacy array holds.
const LEGACY_PARTICIPANTS: usize = 130;

/// What records are written from.
#[derive(Debug)]
pub(crate) struct RecordWriter {
    pub(crate) population: Population,
    pub(crate) instants: Instants,
    /// The tenant id as it stands in a join link.
    pub(crate) tenant_in_url: Vec<u8>,
    pub(crate) legacy: bool,
    pub(crate) targets: Targets,
    pub(crate) truth: Truth,
}

impl RecordWriter {
    /// Appends `version` (1 or 2) of `call` as one line.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, call: &Call, version: u64) {
        json::raw(out, r#"{"id":""#);
        json::guid(out, call.id);
        json::raw(out, r#"","version":"#);
        json::unsigned(out, version);
        json::raw(
            out,
            if call.is_group {
                r#","type":"groupCall","modalities":["#
            } else {
                r#","type":"peerToPeer","modalities":["#
            },
        );
        session::write_modalities(out, call.legs.iter().fold(0, |set, leg| set | leg.modalities));
        json::raw(out, r#"],"lastModifiedDateTime":"#);
        self.instants.write(out, call.published[version as usize - 1]);
        json::raw(out, r#","startDateTime":"#);
        self.instants.write(out, call.start);
        json::raw(out, r#","endDateTime":"#);
        self.instants.write(out, call.end);
        self.write_join_url(out, call);
        self.write_identities(out, call);
        json::raw(out, r#","sessions":["#);
        self.truth.open(call.id, version == 1 && call.update_lag.is_some());
        if call.fails_in_outage {
            self.truth.failure(&self.targets, call.legs[0].id);
        }
        let mut writer = Writer {
            population: &self.population,
            instants: &mut self.instants,
            legacy: self.legacy,
            version,
            targets: &self.targets,
            truth: &mut self.truth,
        };
        for (i, leg) in call.legs.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            writer.write(out, leg, i == 0 && call.update_lag.is_some());
        }
        json::raw(out, r#"],"participants_v2":["#);
        for (i, party) in call.parties.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&self.population.get(*party).participant);
        }
        json::raw(out, "]}\n");
    }

    fn write_join_url(&self, out: &mut Vec<u8>, call: &Call) {
        if !call.has_join_url {
            return json::raw(out, r#","joinWebUrl":null"#);
        }
        json::raw(out, r#","joinWebUrl":"https://teams.microsoft.com/l/meetup-join/19%3ameeting_"#);
        // The thread of the meeting: the second half of a GUID drawn from the first.
        let mut rng = Rng::of(call.half(), 0);
        for _ in 0..24 {
            out.push(b'A' + rng.below(26) as u8);
        }
        json::raw(out, "%40thread.v2/0?context=%7b%22Tid%22%3a%22");
        out.extend_from_slice(&self.tenant_in_url);
        json::raw(out, "%22%2c%22Oid%22%3a%22");
        out.extend_from_slice(&self.population.get(call.parties[0]).id);
        json::raw(out, r#"%22%7d""#);
    }

    fn write_identities(&self, out: &mut Vec<u8>, call: &Call) {
        let organizer = self.population.get(call.parties[0]);
        if self.legacy {
            json::raw(out, r#","organizer":"#);
            out.extend_from_slice(&organizer.legacy);
            json::raw(out, r#","participants":["#);
            for (i, party) in call.parties.iter().take(LEGACY_PARTICIPANTS).enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(&self.population.get(*party).legacy);
            }
            out.push(b']');
        } else {
            json::raw(out, r#","organizer":null,"participants":[]"#);
        }
        json::raw(out, r#","organizer_v2":"#);
        out.extend_from_slice(&organizer.participant);
    }
}
