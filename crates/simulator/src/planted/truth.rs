//! The truth: which streams a cause made poor, and which sessions it made fail, a line of JSON each.

use super::{Cause, DOWN_TRUNK, Targets, Trouble};
use crate::device;
use crate::json;
use crate::network;

/// Where the streams of a segment's audio are.
pub(crate) struct StreamPlace<'a> {
    pub(crate) session: [u8; 16],
    pub(crate) segment: [u8; 16],
    pub(crate) label: &'a str,
    /// Their ids.
    pub(crate) streams: &'a [u64],
}

/// Lines that are not yet taken.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    pub(crate) lines: Vec<u8>,
    /// Id of the record that is written.
    record: [u8; 16],
    /// A later version of the record comes, which has all its streams and more.
    is_repeated: bool,
}

impl Truth {
    /// Goes on to the next record.
    pub(crate) fn open(&mut self, record: [u8; 16], is_repeated: bool) {
        (self.record, self.is_repeated) = (record, is_repeated);
    }

    /// Notes streams that the causes at one end, which is `end`, made poor.
    pub(crate) fn streams(
        &mut self,
        targets: &Targets,
        trouble: &Trouble,
        end: &str,
        place: &StreamPlace<'_>,
    ) {
        if self.is_repeated {
            return;
        }
        for cause in trouble.causes.iter() {
            for stream in place.streams {
                self.begin(targets, cause, place.session);
                json::raw(&mut self.lines, r#","segmentId":""#);
                json::guid(&mut self.lines, place.segment);
                json::raw(&mut self.lines, r#"","mediaLabel":""#);
                json::raw(&mut self.lines, place.label);
                json::raw(&mut self.lines, r#"","streamId":""#);
                json::unsigned(&mut self.lines, *stream);
                json::raw(&mut self.lines, r#"","end":""#);
                json::raw(&mut self.lines, end);
                json::raw(&mut self.lines, "\"}\n");
            }
        }
    }

    /// Notes a session that failed in the outage.
    pub(crate) fn failure(&mut self, targets: &Targets, session: [u8; 16]) {
        if !self.is_repeated {
            self.begin(targets, Cause::Sbc, session);
            json::raw(&mut self.lines, "}\n");
        }
    }

    fn begin(&mut self, targets: &Targets, cause: Cause, session: [u8; 16]) {
        let out = &mut self.lines;
        json::raw(out, r#"{"cause":""#);
        json::raw(out, cause.name());
        json::raw(out, r#"","dimension":""#);
        json::raw(out, cause.dimension());
        json::raw(out, r#"","value":"#);
        json::string(out, &targets.value(cause));
        json::raw(out, r#","callRecordId":""#);
        json::guid(out, self.record);
        json::raw(out, r#"","sessionId":""#);
        json::guid(out, session);
        out.push(b'"');
    }
}

impl Targets {
    /// What `cause` hits, as the records show it.
    fn value(&self, cause: Cause) -> String {
        match cause {
            Cause::Subnet => {
                let [a, b, c] = self.subnet;
                format!("{a}.{b}.{c}.0")
            }
            Cause::Vpn => {
                let [a, b, c] = self.vpn;
                format!("{a}.{b}.{c}.0/24")
            }
            Cause::Isp => {
                let [a, b, c, first] = self.isp;
                format!("{a}.{b}.{c}.{first}/28")
            }
            Cause::AccessPoint => network::access_point_text(self.access_point),
            Cause::Headset => device::PLANTED[0].to_owned(),
            Cause::Client => super::CLIENT_VERSION.to_owned(),
            Cause::Sbc => DOWN_TRUNK.to_owned(),
        }
    }
}
