//! Records of our own making, with what real ones seldom or never have.

use serde_json::{Value as Json, json};

use super::random::Random;

/// Texts that are easily taken for something else, or that change when folded.
const TEXTS: [&str; 26] = [
    "",
    " ",
    "a",
    "A",
    "Straße",
    "STRASSE",
    "İstanbul",
    "istanbul",
    "e\u{301}té",
    "été",
    "𝄞 clef",
    "it's",
    "back\\slash",
    "say \"hi\"",
    "100%",
    "under_score",
    "*",
    "null",
    "true",
    "0",
    "-1",
    "10.0.0.7",
    "+1 (555) 010-0182",
    "\u{a0}padded\u{2003}",
    "ΟΔΟΣ",
    "line\nbreak",
];
/// Ids, some of which are GUIDs that differ by case alone.
const IDS: [&str; 8] = [
    "e523d2ed-2966-4b6b-925b-754a88034cc5",
    "E523D2ED-2966-4B6B-925B-754A88034CC5",
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-ffff-4FFF-8fff-ffffffffffff",
    "abc",
    "ABC",
    "+15550100182",
    "8:orgid:x",
];
const INSTANTS: [&str; 10] = [
    "2023-11-14T22:13:20Z",
    "2023-11-14T22:13:20.0000001Z",
    "2023-11-15T00:13:20+02:00",
    "2023-11-14T16:43:20-05:30",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.9999999Z",
    "1969-12-31T23:59:59.9999999Z",
    "1970-01-01T00:00:00Z",
    "2024-02-29T12:00:00.5Z",
    "2023-11-14T22:13Z",
];
const DURATIONS: [&str; 8] =
    ["PT0S", "PT0.016S", "PT1S", "P1D", "-PT5M", "PT0.0000001S", "P10675199D", "PT61S"];
const WHOLES: [i64; 8] = [0, 1, -1, 2, 50, 1000, i64::MAX, i64::MIN];

struct Maker<'r>(&'r mut Random);

/// So many records; the same for the same random numbers.
pub fn odd_records(count: usize, random: &mut Random) -> Vec<Json> {
    let mut maker = Maker(random);
    (0..count).map(|number| maker.record(number)).collect()
}

/// The same without values that databases calculate with in their own way: instants in other zones than
/// UTC, numbers and durations that are very large or very small.
pub fn plain_records(count: usize, random: &mut Random) -> Vec<Json> {
    odd_records(count, random).into_iter().map(made_plain).collect()
}

fn made_plain(json: Json) -> Json {
    match json {
        Json::Array(items) => items.into_iter().map(made_plain).collect(),
        Json::Object(members) => {
            members.into_iter().map(|(name, value)| (name, made_plain(value))).collect()
        }
        Json::String(text) => match text.as_str() {
            "2023-11-15T00:13:20+02:00" => json!("2023-11-14T22:13:20+00:00"),
            "2023-11-14T16:43:20-05:30" => json!("2023-11-14T22:59:59.9Z"),
            "9999-12-31T23:59:59.9999999Z" => json!("4999-12-31T23:59:59.9999999Z"),
            "P10675199D" => json!("P10000D"),
            "INF" | "-INF" => json!("NaN"),
            _ => Json::String(text),
        },
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => json!(whole.clamp(-(1 << 53), 1 << 53)),
            (None, Some(size)) if size.abs() > 1e18 => json!(1e18),
            (None, Some(size)) if size != 0.0 && size.abs() < 1e-18 => json!(1e-18),
            _ => Json::Number(number),
        },
        other => other,
    }
}

impl Maker<'_> {
    fn pick<T: Copy + Into<Json>>(&mut self, choices: &[T]) -> Json {
        if self.0.chance(25) { Json::Null } else { (*self.0.pick(choices)).into() }
    }

    fn text(&mut self) -> Json {
        self.pick(&TEXTS)
    }

    fn instant(&mut self) -> &'static str {
        self.0.pick::<&'static str>(&INSTANTS)
    }

    fn whole(&mut self) -> Json {
        self.pick(&WHOLES)
    }

    fn small(&mut self) -> Json {
        self.pick(&[0, 1, -1, 7, 50, i32::MAX, i32::MIN])
    }

    fn number(&mut self) -> Json {
        let odd = [
            json!(0),
            json!(0.0),
            json!(-0.0),
            json!(0.1),
            json!(0.25),
            json!(1.5),
            json!(-2.5),
            json!(1e300),
            json!(5e-324),
            json!("INF"),
            json!("-INF"),
            json!("NaN"),
            json!(Json::Null),
            json!(9_007_199_254_740_993_i64),
            json!(1),
            json!(100),
        ];
        self.0.pick(&odd).clone()
    }

    /// An object of which some members may be missing.
    fn some(&mut self, mut object: Json, required: &[&str]) -> Json {
        if let Some(members) = object.as_object_mut() {
            let optional: Vec<_> =
                members.keys().filter(|name| !required.contains(&name.as_str())).cloned().collect();
            for name in optional {
                if self.0.chance(12) {
                    members.remove(&name);
                }
            }
        }
        object
    }

    fn list(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> Json) -> Json {
        let count = self.0.below(most + 1);
        Json::Array((0..count).map(|_| make(self)).collect())
    }

    fn record(&mut self, number: usize) -> Json {
        let case = self.0.chance(50);
        let id = if number.is_multiple_of(5) {
            format!("call {number} 'ß'")
        } else {
            let id = format!("{number:08x}-abcd-4000-8000-00000000cafe");
            if case { id.to_uppercase() } else { id }
        };
        let modalities = self.list(3, |maker| {
            (*maker.0.pick(&["audio", "video", "data", "hologram", "unknownFutureValue"])).into()
        });
        let mut modalities = modalities.as_array().cloned().unwrap_or_default();
        modalities.dedup();
        let kinds = ["unknown", "groupCall", "peerToPeer", "teleport", "unknownFutureValue"];
        let record = json!({
            "id": id,
            "version": *self.0.pick(&[0_i64, 1, 2, i64::MAX]),
            "type": self.0.pick(&kinds),
            "modalities": modalities,
            "lastModifiedDateTime": self.instant(),
            "startDateTime": self.instant(),
            "endDateTime": self.instant(),
            "joinWebUrl": self.text(),
            "organizer": self.identity_set(),
            "participants_v2": self.participants(),
            "sessions": self.sessions(),
        });
        self.some(record, &["id", "startDateTime", "endDateTime"])
    }

    fn identity_set(&mut self) -> Json {
        if self.0.chance(20) {
            return Json::Null;
        }
        let set = json!({
            "user": self.identity(),
            "phone": self.identity(),
            "application": Json::Null,
            "favouriteColour": self.text(),
        });
        self.some(set, &[])
    }

    fn identity(&mut self) -> Json {
        let identity = json!({
            "id": self.pick(&IDS),
            "displayName": self.text(),
            "tenantId": self.pick(&IDS),
            "shoeSize": self.small(),
        });
        self.some(identity, &[])
    }

    fn participants(&mut self) -> Json {
        let count = self.0.below(4);
        let each = (0..count).map(|number| {
            json!({
                "id": IDS[(number * 2 + self.0.below(2)) % IDS.len()],
                "identity": self.identity_set(),
                "administrativeUnitInfos": self.list(2, |maker| json!({"id": maker.text()})),
            })
        });
        Json::Array(each.collect())
    }

    fn sessions(&mut self) -> Json {
        let count = *self.0.pick(&[0, 1, 1, 2, 3]);
        let each = (0..count).map(|number| {
            let session = json!({
                "id": format!("s{number}"),
                "modalities": self.pick(&["audio", "video"]).as_str().map(|m| vec![m]).unwrap_or_default(),
                "startDateTime": self.instant(),
                "endDateTime": self.instant(),
                "isTest": self.pick(&[true, false]),
                "failureInfo": self.failure(),
                "caller": self.endpoint(),
                "callee": self.endpoint(),
                "segments": self.segments(),
            });
            self.some(session, &["id", "startDateTime", "endDateTime"])
        });
        Json::Array(each.collect())
    }

    fn failure(&mut self) -> Json {
        if self.0.chance(50) {
            return Json::Null;
        }
        let stage = *self.0.pick(&["unknown", "callSetup", "midcall", "afterlife"]);
        json!({"stage": stage, "reason": self.text()})
    }

    fn endpoint(&mut self) -> Json {
        let user_agent = match self.0.below(4) {
            0 => Json::Null,
            1 => json!({"headerValue": self.text(), "role": "mediationServer"}),
            2 => json!({"headerValue": self.text(), "role": "butler"}),
            _ => json!({
                "headerValue": self.text(),
                "applicationVersion": self.text(),
                "platform": self.0.pick(&["windows", "macOS", "unknown", "toaster"]),
                "productFamily": self.0.pick(&["teams", "azureCommunicationServices", "unknown"]),
            }),
        };
        match self.0.below(5) {
            0 => Json::Null,
            1 => json!({"userAgent": user_agent}),
            _ => {
                let endpoint = json!({
                    "@odata.type": "#microsoft.graph.callRecords.participantEndpoint",
                    "userAgent": user_agent,
                    "name": self.text(),
                    "cpuCoresCount": self.small(),
                    "identity": self.identity_set(),
                    "associatedIdentity": self.identity(),
                    "feedback": self.feedback(),
                });
                self.some(endpoint, &["@odata.type"])
            }
        }
    }

    fn feedback(&mut self) -> Json {
        if self.0.chance(50) {
            return Json::Null;
        }
        let token = |maker: &mut Self| {
            let kinds =
                [json!(true), json!(false), json!(1), json!(1.5), json!("true"), Json::Null];
            maker.0.pick(&kinds).clone()
        };
        let tokens = json!({"Echo": token(self), "NoSound": token(self), "Count": token(self)});
        json!({
            "text": self.text(),
            "rating": self.0.pick(&["notRated", "bad", "good", "excellent", "sublime"]),
            "tokens": if self.0.chance(20) { Json::Null } else { self.some(tokens, &[]) },
        })
    }

    fn segments(&mut self) -> Json {
        let count = self.0.below(3);
        let each = (0..count).map(|number| {
            let segment = json!({
                "id": format!("g{number}"),
                "startDateTime": self.instant(),
                "endDateTime": self.instant(),
                "failureInfo": self.failure(),
                "caller": self.endpoint(),
                "callee": self.endpoint(),
                "media": self.list(2, Self::media),
            });
            self.some(segment, &["id", "startDateTime", "endDateTime"])
        });
        Json::Array(each.collect())
    }

    fn media(&mut self) -> Json {
        let media = json!({
            "label": self.pick(&["main-audio", "main-video", "Straße", ""]),
            "callerNetwork": self.network(),
            "calleeNetwork": self.network(),
            "callerDevice": self.device(),
            "calleeDevice": self.device(),
            "streams": self.list(3, Self::stream),
        });
        self.some(media, &[])
    }

    fn network(&mut self) -> Json {
        if self.0.chance(20) {
            return Json::Null;
        }
        let network = json!({
            "ipAddress": self.pick(&["10.0.0.7", "2001:db8::1", ""]),
            "subnet": self.pick(&["10.0.0.0", "192.168.1.0"]),
            "linkSpeed": self.whole(),
            "connectionType": self.0.pick(&["unknown", "wired", "wifi", "telepathy"]),
            "port": self.small(),
            "wifiBand": self.0.pick(&["unknown", "frequency24GHz", "frequency50GHz"]),
            "dnsSuffix": self.text(),
            "sentQualityEventRatio": self.number(),
            "traceRouteHops": self.list(2, |maker| json!({
                "hopCount": maker.small(),
                "ipAddress": maker.pick(&["10.0.0.1", "10.0.0.2"]),
                "roundTripTime": maker.pick(&DURATIONS),
            })),
        });
        self.some(network, &[])
    }

    fn device(&mut self) -> Json {
        if self.0.chance(30) {
            return Json::Null;
        }
        let device = json!({
            "captureDeviceName": self.text(),
            "renderDeviceName": self.text(),
            "sentSignalLevel": self.small(),
            "micGlitchRate": self.number(),
            "howlingEventCount": self.small(),
        });
        self.some(device, &[])
    }

    fn stream(&mut self) -> Json {
        let stream = json!({
            "streamId": self.text(),
            "startDateTime": self.pick(&INSTANTS),
            "endDateTime": self.pick(&INSTANTS),
            "streamDirection": self.0.pick(&["callerToCallee", "calleeToCaller"]),
            "averageAudioDegradation": self.number(),
            "averageJitter": self.pick(&DURATIONS),
            "maxJitter": self.pick(&DURATIONS),
            "averagePacketLossRate": self.number(),
            "maxPacketLossRate": self.number(),
            "averageRoundTripTime": self.pick(&DURATIONS),
            "packetUtilization": self.whole(),
            "averageBandwidthEstimate": self.whole(),
            "wasMediaBypassed": self.pick(&[true, false]),
            "audioCodec": self.pick(&["unknown", "satin", "g722", "kazoo"]),
            "videoCodec": self.pick(&["h264", "av1"]),
            "lowFrameRateRatio": self.number(),
        });
        self.some(stream, &["streamDirection"])
    }
}
