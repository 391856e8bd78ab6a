//! Microphones and loudspeakers, and how they did: `deviceInfo`.

use crate::json;
use crate::rng::Rng;

/// Capture device, its driver, render device, its driver.
pub(crate) type Headset = [&'static str; 4];

static HEADSETS: [Headset; 8] = [
    [
        "Headset Microphone (Contoso H40)",
        "Microsoft: 10.0.26100.3624",
        "Headset Earphone (Contoso H40)",
        "Microsoft: 10.0.26100.3624",
    ],
    [
        "Headset Microphone (Contoso H65 UC)",
        "Microsoft: 10.0.26100.3624",
        "Headset Earphone (Contoso H65 UC)",
        "Microsoft: 10.0.26100.3624",
    ],
    [
        "Microphone Array (Realtek(R) Audio)",
        "Realtek: 6.0.9549.1",
        "Speakers (Realtek(R) Audio)",
        "Realtek: 6.0.9549.1",
    ],
    [
        "Microphone Array (Intel Smart Sound Technology)",
        "Intel: 20.40.11406.5",
        "Speakers (Realtek(R) Audio)",
        "Realtek: 6.0.9549.1",
    ],
    [
        "Echo Cancelling Speakerphone (Fabrikam S510)",
        "Microsoft: 10.0.26100.3624",
        "Echo Cancelling Speakerphone (Fabrikam S510)",
        "Microsoft: 10.0.26100.3624",
    ],
    [
        "Headset (Fabrikam Voyage 4320)",
        "Microsoft: 10.0.26100.1",
        "Headset (Fabrikam Voyage 4320)",
        "Microsoft: 10.0.26100.1",
    ],
    [
        "Microphone (Adatum Webcam C930)",
        "Microsoft: 10.0.26100.3624",
        "Monitor (Adatum HDMI)",
        "Intel: 10.27.0.12",
    ],
    ["MacBook Pro Microphone", "Apple: 16.4.2", "MacBook Pro Speakers", "Apple: 16.4.2"],
];

/// The model that is a cause of poor quality where it is planted.
pub(crate) static PLANTED: Headset = [
    "Headset Microphone (Fabrikam H20)",
    "Fabrikam: 1.2.0.7",
    "Headset Earphone (Fabrikam H20)",
    "Fabrikam: 1.2.0.7",
];

/// What somebody speaks and listens with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Devices {
    /// Nothing that is known: of a service, a telephone, or a medium that is not audio.
    Unknown,
    /// Those of a mobile client, which has no name for them and counts no glitches.
    Mobile,
    Headset(&'static Headset),
}

/// The headset of somebody with this `habit`.
pub(crate) fn headset(habit: u64) -> &'static Headset {
    &HEADSETS[(habit >> 44) as usize % HEADSETS.len()]
}

/// A device block of a medium or a side that has no devices.
const UNUSED: &str = "{\"captureDeviceName\":null,\"captureDeviceDriver\":null,\
    \"renderDeviceName\":null,\"renderDeviceDriver\":null,\"sentSignalLevel\":null,\
    \"receivedSignalLevel\":null,\"sentNoiseLevel\":null,\"receivedNoiseLevel\":null,\
    \"initialSignalLevelRootMeanSquare\":null,\"cpuInsufficentEventRatio\":null,\
    \"renderNotFunctioningEventRatio\":null,\"captureNotFunctioningEventRatio\":null,\
    \"deviceGlitchEventRatio\":null,\"lowSpeechToNoiseEventRatio\":null,\
    \"lowSpeechLevelEventRatio\":null,\"deviceClippingEventRatio\":null,\
    \"howlingEventCount\":null,\"renderZeroVolumeEventRatio\":null,\
    \"renderMuteEventRatio\":null,\"micGlitchRate\":null,\"speakerGlitchRate\":null}";

/// Appends the `deviceInfo` of a side.
pub(crate) fn write(out: &mut Vec<u8>, rng: &mut Rng, devices: Devices) {
    match devices {
        Devices::Unknown => return json::raw(out, UNUSED),
        Devices::Mobile => json::raw(
            out,
            "{\"captureDeviceName\":\"Default input device\",\"captureDeviceDriver\":null,\
             \"renderDeviceName\":\"Default output device\",\"renderDeviceDriver\":null",
        ),
        Devices::Headset([capture, capture_driver, render, render_driver]) => {
            json::raw(out, r#"{"captureDeviceName":""#);
            json::raw(out, capture);
            json::raw(out, r#"","captureDeviceDriver":""#);
            json::raw(out, capture_driver);
            json::raw(out, r#"","renderDeviceName":""#);
            json::raw(out, render);
            json::raw(out, r#"","renderDeviceDriver":""#);
            json::raw(out, render_driver);
            out.push(b'"');
        }
    }
    level(out, r#","sentSignalLevel":"#, rng.between(12, 38));
    level(out, r#","receivedSignalLevel":"#, rng.between(10, 34));
    level(out, r#","sentNoiseLevel":"#, rng.between(55, 90));
    level(out, r#","receivedNoiseLevel":"#, rng.between(55, 90));
    json::raw(out, r#","initialSignalLevelRootMeanSquare":"#);
    json::decimal(out, rng.between(8_000, 199_999), 3);
    ratio(out, r#","cpuInsufficentEventRatio":"#, rng, 60);
    ratio(out, r#","renderNotFunctioningEventRatio":"#, rng, 15);
    ratio(out, r#","captureNotFunctioningEventRatio":"#, rng, 15);
    ratio(out, r#","deviceGlitchEventRatio":"#, rng, 50);
    ratio(out, r#","lowSpeechToNoiseEventRatio":"#, rng, 120);
    ratio(out, r#","lowSpeechLevelEventRatio":"#, rng, 120);
    ratio(out, r#","deviceClippingEventRatio":"#, rng, 80);
    json::raw(out, r#","howlingEventCount":"#);
    let howls = if rng.chance(30) { rng.between(1, 5) } else { 0 };
    json::unsigned(out, howls);
    ratio(out, r#","renderZeroVolumeEventRatio":"#, rng, 70);
    ratio(out, r#","renderMuteEventRatio":"#, rng, 60);
    if matches!(devices, Devices::Mobile) {
        json::raw(out, r#","micGlitchRate":null,"speakerGlitchRate":null}"#);
        return;
    }
    json::raw(out, r#","micGlitchRate":"#);
    json::unsigned(out, rng.quantile(&[0, 0, 2, 12, 240]));
    json::raw(out, r#","speakerGlitchRate":"#);
    json::unsigned(out, rng.quantile(&[0, 0, 3, 20, 900]));
    out.push(b'}');
}

/// A level in decibels below full scale.
#[inline]
fn level(out: &mut Vec<u8>, key: &str, below: u64) {
    json::raw(out, key);
    out.push(b'-');
    json::unsigned(out, below);
}

/// A ratio that is above 0 in `per_mille` of all calls.
#[inline]
fn ratio(out: &mut Vec<u8>, key: &str, rng: &mut Rng, per_mille: u64) {
    json::raw(out, key);
    let bits = rng.bits();
    if bits % 1000 < per_mille {
        json::decimal(out, 1_000 + (bits >> 32) % 400_000, 6);
    } else {
        out.push(b'0');
    }
}
