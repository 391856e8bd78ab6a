//! Where an endpoint is attached: offices, homes, mobile networks, tunnels, services.
//!
//! Eight offices, `10.10.0.0/16` to `10.17.0.0/16`, have two wired subnets (third octet 16, 17)
//! and two of Wi-Fi (32, 33) each. Homes are `192.168.x.0`, tunnels `172.20.x.0`, mobile networks
//! `10.224.x.0`. Public addresses come from the documentation ranges of RFC 5737.

use crate::json;
use crate::persona::Persona;
use crate::quality::{Path, Quality};
use crate::rng::Rng;

/// The `subnet` of every network that is bad on purpose: all streams over them have high jitter,
/// loss and round trip together (at least 30 ms, 0.05 and 300 ms). No other network is bad in all
/// three at once.
pub const BAD_SUBNETS: [&str; 3] = ["10.12.33.0", "10.15.16.0", "10.17.32.0"];

/// [`BAD_SUBNETS`] as (office, third octet).
const BAD: [(u8, u8); 3] = [(2, 33), (5, 16), (7, 32)];

const OFFICES: u64 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connection {
    Wired,
    Wifi,
    Mobile,
    Tunnel,
    /// The far side is a service or a gateway: little is known of its network.
    Service,
}

/// Wi-Fi adapters: name and driver version.
const ADAPTERS: [(&str, &str); 4] = [
    ("Intel(R) Wi-Fi 6 AX201 160MHz", "Intel:22.250.1.2"),
    ("Intel(R) Wi-Fi 6E AX211 160MHz", "Intel:23.110.0.5"),
    ("Qualcomm(R) FastConnect 6900 Wi-Fi 6E", "Qualcomm:3.0.0.1238"),
    ("MediaTek Wi-Fi 6 MT7921 Wireless LAN Card", "MediaTek:3.4.0.1071"),
];

/// Radios: type, band, channel, bit/s.
const RADIOS: [(&str, &str, u64, u64); 6] = [
    ("wifi80211n", "frequency24GHz", 6, 144_400_000),
    ("wifi80211ac", "frequency50GHz", 36, 526_500_000),
    ("wifi80211ac", "frequency50GHz", 100, 866_700_000),
    ("wifi80211ax", "frequency50GHz", 44, 1_201_000_000),
    ("wifi80211ax", "frequency50GHz", 149, 1_201_000_000),
    ("wifi80211ax", "frequency60GHz", 37, 2_401_900_000),
];

const NO_WIFI: &str = "\"wifiMicrosoftDriver\":null,\"wifiMicrosoftDriverVersion\":null,\
    \"wifiVendorDriver\":null,\"wifiVendorDriverVersion\":null,\"wifiChannel\":null,\
    \"wifiBand\":\"unknown\",\"basicServiceSetIdentifier\":null,\"wifiRadioType\":\"unknown\",\
    \"wifiSignalStrength\":null,\"wifiBatteryCharge\":null";

/// How one side of a segment is attached; its media share it.
#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    pub(crate) connection: Connection,
    pub(crate) quality: Quality,
    address: [u8; 4],
    public: [u8; 4],
    /// Last octet of the relay, when one is used.
    relay: Option<u8>,
    trait_bits: u64,
    /// Intermediate hops that a trace route found.
    hops: u64,
    /// A Wi-Fi of an office names its access point.
    pub(crate) shows_access_point: bool,
}

impl Attachment {
    /// The network of a service.
    pub(crate) fn service(rng: &mut Rng) -> Self {
        Self {
            connection: Connection::Service,
            quality: Quality::draw(rng, Path::Backbone),
            address: [0; 4],
            public: [0; 4],
            relay: None,
            trait_bits: 0,
            hops: 0,
            shows_access_point: false,
        }
    }

    /// Where `persona` is, at the desk or on the way (`away`). Where the networks are `calm`, none
    /// stands out.
    pub(crate) fn of(persona: &Persona, away: bool, rng: &mut Rng, calm: bool) -> Self {
        let bits = persona.trait_bits;
        let office = (bits % OFFICES) as u8;
        let host = 2 + (bits >> 8) as u8 % 250;
        let home = (bits >> 16) as u8 % 64;
        let at_office = persona.fixed || rng.chance(if away { 400 } else { 620 });
        let outdoors = away && rng.chance(550);
        let (connection, address, public) = if outdoors {
            let address = [10, 224, (bits >> 24) as u8 % 16, rng.between(2, 250) as u8];
            (Connection::Mobile, address, [198, 51, 100, host / 2])
        } else if at_office {
            let at_desk = persona.fixed || !away && bits >> 32 & 3 != 0;
            let (connection, first) =
                if at_desk { (Connection::Wired, 16) } else { (Connection::Wifi, 32) };
            let subnet = first + (bits >> 40 & 1) as u8;
            (connection, [10, 10 + office, subnet, host], [203, 0, 113, 10 + office])
        } else if !away && rng.chance(260) {
            (Connection::Tunnel, [172, 20, office, host], [203, 0, 113, 30 + office])
        } else {
            let connection =
                if (bits >> 48).is_multiple_of(4) { Connection::Wired } else { Connection::Wifi };
            (connection, [192, 168, home, host], [192, 0, 2, host])
        };
        let path = match connection {
            Connection::Wired | Connection::Wifi if !calm && is_bad(address) => Path::Bad,
            Connection::Wired => Path::Wired,
            Connection::Wifi => Path::Wifi,
            Connection::Mobile if calm => Path::CalmMobile,
            Connection::Mobile => Path::Mobile,
            Connection::Tunnel if calm => Path::CalmTunnel,
            Connection::Tunnel => Path::Tunnel,
            Connection::Service => Path::Backbone,
        };
        Self {
            connection,
            quality: Quality::draw(rng, path),
            address,
            public,
            relay: rng.chance(350).then(|| rng.between(200, 215) as u8),
            trait_bits: bits,
            hops: if rng.chance(120) { rng.between(2, 6) } else { 0 },
            shows_access_point: false,
        }
    }

    /// The first three octets of its subnet.
    pub(crate) fn network(&self) -> [u8; 3] {
        let [a, b, c, _] = self.address;
        [a, b, c]
    }

    /// Its address as the internet sees it.
    pub(crate) fn public(&self) -> [u8; 4] {
        self.public
    }

    /// The access point of a Wi-Fi in an office: second and third octet of the subnet, and one of
    /// two. Three quarters of the people sit near the first.
    pub(crate) fn access_point(&self) -> Option<[u8; 3]> {
        let [a, b, c, _] = self.address;
        let is_office = self.connection == Connection::Wifi && a == 10;
        is_office.then(|| [b, c, u8::from((self.trait_bits >> 58).is_multiple_of(4))])
    }

    /// Appends the `networkInfo` of one media: `audio` has event ratios, others null.
    pub(crate) fn write(&self, out: &mut Vec<u8>, rng: &mut Rng, audio: bool, transport: &str) {
        if self.connection == Connection::Service {
            return write_service(out, rng, transport);
        }
        json::raw(out, r#"{"ipAddress":""#);
        address(out, self.address);
        json::raw(out, r#"","subnet":""#);
        let [a, b, c, _] = self.address;
        address(out, [a, b, c, 0]);
        json::raw(out, r#"","linkSpeed":"#);
        let (radio, band, channel, wifi_speed) = self.radio();
        match self.connection {
            Connection::Wired => json::raw(out, "1000000000"),
            Connection::Wifi => json::unsigned(out, wifi_speed),
            // An adapter that doesn't know its speed tells all ones.
            Connection::Tunnel => json::raw(out, "4294967295"),
            Connection::Mobile | Connection::Service => json::raw(out, "null"),
        }
        json::raw(out, r#","connectionType":""#);
        json::raw(out, self.connection_type());
        json::raw(out, r#"","port":"#);
        json::unsigned(out, rng.between(50_000, 50_059));
        json::raw(out, r#","reflexiveIPAddress":""#);
        address(out, self.public);
        match self.relay {
            Some(relay) => {
                json::raw(out, r#"","relayIPAddress":""#);
                address(out, [198, 51, 100, relay]);
                json::raw(out, r#"","relayPort":"#);
                json::unsigned(out, rng.between(50_000, 59_999));
            }
            None => json::raw(out, r#"","relayIPAddress":"","relayPort":3481"#),
        }
        self.write_mac(out);
        if self.connection == Connection::Wifi {
            let (driver, version) = ADAPTERS[(self.trait_bits >> 50) as usize % ADAPTERS.len()];
            json::raw(
                out,
                "\"wifiMicrosoftDriver\":\"\",\
                 \"wifiMicrosoftDriverVersion\":\"Microsoft:10.0.26100.4484\",\
                 \"wifiVendorDriver\":\"",
            );
            json::raw(out, driver);
            json::raw(out, r#"","wifiVendorDriverVersion":""#);
            json::raw(out, version);
            json::raw(out, r#"","wifiChannel":"#);
            json::unsigned(out, channel);
            json::raw(out, r#","wifiBand":""#);
            json::raw(out, band);
            json::raw(out, r#"","basicServiceSetIdentifier":""#);
            if let Some(point) = self.access_point().filter(|_| self.shows_access_point) {
                json::raw(out, &access_point_text(point));
            }
            json::raw(out, r#"","wifiRadioType":""#);
            json::raw(out, radio);
            json::raw(out, r#"","wifiSignalStrength":"#);
            // Weak where the path is slow: what is lost is sent again.
            let strength = 99_u64.saturating_sub(self.quality.jitter_ms.min(60));
            json::unsigned(out, strength - rng.below(12));
            json::raw(out, r#","wifiBatteryCharge":"#);
            json::unsigned(out, rng.between(15, 100));
        } else {
            json::raw(out, NO_WIFI);
        }
        json::raw(out, r#","dnsSuffix":""#);
        if self.address[0] == 10 && self.connection != Connection::Mobile {
            json::raw(out, "corp.contoso.com");
        }
        json::raw(out, r#"","#);
        self.write_ratios(out, rng, audio);
        json::raw(out, r#","networkTransportProtocol":""#);
        json::raw(out, transport);
        json::raw(out, r#"","traceRouteHops":["#);
        self.write_hops(out, rng);
        json::raw(out, "]}");
    }

    fn radio(&self) -> (&'static str, &'static str, u64, u64) {
        RADIOS[(self.trait_bits >> 52) as usize % RADIOS.len()]
    }

    fn connection_type(&self) -> &'static str {
        match self.connection {
            Connection::Wired | Connection::Service => "wired",
            Connection::Wifi => "wifi",
            Connection::Mobile => "mobile",
            Connection::Tunnel => "tunnel",
        }
    }

    /// Half of the clients keep their hardware address to themselves.
    fn write_mac(&self, out: &mut Vec<u8>) {
        json::raw(out, r#","macAddress":""#);
        if self.trait_bits >> 55 & 1 == 0 && self.connection != Connection::Mobile {
            json::raw(out, "02-00-5e");
            for shift in [0, 8, 16] {
                out.push(b'-');
                json::hex_byte(out, (self.trait_bits >> shift) as u8);
            }
        }
        json::raw(out, r#"","#);
    }

    fn write_ratios(&self, out: &mut Vec<u8>, rng: &mut Rng, audio: bool) {
        if !audio {
            json::raw(
                out,
                "\"sentQualityEventRatio\":null,\"receivedQualityEventRatio\":null,\
                 \"delayEventRatio\":null,\"bandwidthLowEventRatio\":null",
            );
            return;
        }
        let Quality { loss_ppm, jitter_ms, round_trip_ms, bandwidth_kbps } = self.quality;
        let events = if loss_ppm + jitter_ms * 500 > 20_000 { loss_ppm * 3 } else { 0 };
        json::raw(out, r#""sentQualityEventRatio":"#);
        ratio(out, events * rng.below(100) / 100);
        json::raw(out, r#","receivedQualityEventRatio":"#);
        ratio(out, events);
        json::raw(out, r#","delayEventRatio":"#);
        ratio(out, round_trip_ms.saturating_sub(300) * 700);
        json::raw(out, r#","bandwidthLowEventRatio":"#);
        ratio(out, 400_u64.saturating_sub(bandwidth_kbps) * 1_500);
    }

    fn write_hops(&self, out: &mut Vec<u8>, rng: &mut Rng) {
        let [a, b, c, _] = self.address;
        for hop in 1..=self.hops {
            json::raw(out, if hop == 1 { r#"{"hopCount":"# } else { r#",{"hopCount":"# });
            json::unsigned(out, hop);
            json::raw(out, r#","ipAddress":""#);
            match hop {
                1 => address(out, [a, b, c, 1]),
                2 => address(out, [10, b, 0, 1]),
                _ => address(out, [198, 51, 100, 128 + rng.below(60) as u8]),
            }
            json::raw(out, r#"","roundTripTime":"#);
            let share = self.quality.round_trip_ms * hop / (self.hops + 1);
            json::milliseconds(out, share.max(1));
            out.push(b'}');
        }
    }
}

fn is_bad([a, b, c, _]: [u8; 4]) -> bool {
    a == 10 && BAD.iter().any(|(office, subnet)| (10 + office, *subnet) == (b, c))
}

/// What an access point calls itself.
pub(crate) fn access_point_text([b, c, point]: [u8; 3]) -> String {
    format!("02-00-5e-{b:02x}-{c:02x}-{point:02x}")
}

/// A ratio of `ppm` millionths, to three places, at most 1.
fn ratio(out: &mut Vec<u8>, ppm: u64) {
    json::decimal(out, (ppm / 1000).min(1000), 3);
}

fn address(out: &mut Vec<u8>, octets: [u8; 4]) {
    for (i, octet) in octets.into_iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        json::unsigned(out, u64::from(octet));
    }
}

fn write_service(out: &mut Vec<u8>, rng: &mut Rng, transport: &str) {
    json::raw(
        out,
        "{\"ipAddress\":\"\",\"subnet\":null,\"linkSpeed\":0,\"connectionType\":\"wired\",\
         \"port\":",
    );
    json::unsigned(out, rng.between(3478, 3481));
    json::raw(
        out,
        ",\"reflexiveIPAddress\":\"\",\"relayIPAddress\":null,\"relayPort\":null,\
         \"macAddress\":null,",
    );
    json::raw(out, NO_WIFI);
    json::raw(
        out,
        ",\"dnsSuffix\":null,\"sentQualityEventRatio\":null,\
         \"receivedQualityEventRatio\":null,\"delayEventRatio\":null,\
         \"bandwidthLowEventRatio\":null,\"networkTransportProtocol\":\"",
    );
    json::raw(out, transport);
    json::raw(out, r#"","traceRouteHops":[]}"#);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bad_subnets_are_the_ones_that_are_listed() {
        let listed = BAD.map(|(office, subnet)| format!("10.{}.{subnet}.0", 10 + office));
        assert_eq!(listed, BAD_SUBNETS);
        assert!(is_bad([10, 12, 33, 7]) && !is_bad([10, 12, 32, 7]) && !is_bad([172, 12, 33, 7]));
    }
}
