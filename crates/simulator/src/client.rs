//! Client software and machines: the members `name` to `userAgent` of a participant endpoint.

use crate::json;
use crate::persona::Clients;
use crate::rng::Rng;

/// Processors: name, cores, clock in MHz.
const PROCESSORS: [(&str, u64, u64); 8] = [
    ("11th Gen Intel(R) Core(TM) i5-1145G7 @ 2.60GHz", 4, 2611),
    ("12th Gen Intel(R) Core(TM) i7-1265U", 10, 1800),
    ("12th Gen Intel(R) Core(TM) i9-12900H", 14, 1800),
    ("13th Gen Intel(R) Core(TM) i5-1345U", 10, 1600),
    ("13th Gen Intel(R) Core(TM) i7-1365U", 10, 1800),
    ("AMD Ryzen 5 PRO 6650U with Radeon Graphics", 6, 2900),
    ("AMD Ryzen 7 PRO 7840U w/ Radeon 780M Graphics", 8, 3301),
    ("Intel(R) Core(TM) Ultra 7 165U", 12, 2100),
];

/// What desktop clients call themselves; about half tell a version too.
const DESKTOP_HEADERS: [&str; 4] =
    ["releases/CL2025.R21", "releases/CL2025.R23", "releases/CL2025.R25", "releases/CL2025.R27"];
const DESKTOP_VERSIONS: [&str; 2] = ["25153.1010.3727.5483", "25185.1602.3796.3987"];

const MOBILE_VERSIONS: [&str; 3] =
    ["1416/1.0.0.2025102603", "1416/1.0.0.2025123202", "1416/1.0.0.2025143104"];

/// The client software and machines of a person with an account.
pub(crate) fn of_user(rng: &mut Rng) -> Clients {
    let away = mobile(rng);
    let (desk, fixed) = match rng.below(100) {
        0..72 => (windows(rng), false),
        72..86 => (mac(rng), false),
        86..92 => (browser(rng), false),
        92..96 => (device(rng, "ipPhone", "SIP", "Teams-IPPhone"), true),
        96..99 => (device(rng, "roomSystem", "ROOM", "Teams-RoomSystem"), true),
        _ => (device(rng, "surfaceHub", "HUB", "Teams-SurfaceHub"), true),
    };
    Clients { desk, away, fixed }
}

/// An anonymous visitor: a browser or a mobile client.
pub(crate) fn of_guest(rng: &mut Rng) -> Clients {
    Clients { desk: browser(rng), away: mobile(rng), fixed: false }
}

/// A telephone: nothing is known of it.
pub(crate) fn of_phone() -> Clients {
    let mut desk = Vec::new();
    machine(&mut desk, None, None);
    agent(
        &mut desk,
        &Agent { header: None, version: None, platform: "unknown", family: "unknown" },
    );
    Clients { away: desk.clone(), desk, fixed: true }
}

/// An application built on Azure Communication Services resource `resource`.
pub(crate) fn of_communication_services(resource: [u8; 16]) -> Clients {
    let mut desk = Vec::new();
    machine(&mut desk, None, None);
    json::raw(
        &mut desk,
        "\"userAgent\":{\"@odata.type\":\"#microsoft.graph.callRecords.clientUserAgent\",\
         \"headerValue\":\"ACSWeb/1.27.2 (azsdk-js-communication-calling)\",\
         \"applicationVersion\":\"1.27.2\",\"platform\":\"web\",\
         \"productFamily\":\"azureCommunicationServices\",\"communicationServiceId\":\"",
    );
    json::guid(&mut desk, resource);
    json::raw(&mut desk, "\",\"azureADAppId\":null}");
    Clients { away: desk.clone(), desk, fixed: false }
}

/// A voice application: an auto attendant or a call queue, known by its agent's role.
pub(crate) fn of_voice_application(header: &str, role: &str) -> Clients {
    let mut desk = Vec::new();
    machine(&mut desk, None, None);
    json::raw(
        &mut desk,
        "\"userAgent\":{\"@odata.type\":\"#microsoft.graph.callRecords.serviceUserAgent\",\
         \"headerValue\":",
    );
    json::string(&mut desk, header);
    json::raw(&mut desk, r#","applicationVersion":null,"role":"#);
    json::string(&mut desk, role);
    desk.push(b'}');
    Clients { away: desk.clone(), desk, fixed: true }
}

struct Agent<'a> {
    header: Option<&'a str>,
    version: Option<&'a str>,
    platform: &'a str,
    family: &'a str,
}

fn windows(rng: &mut Rng) -> Vec<u8> {
    let name = format!("PC-{:05}", rng.below(100_000));
    let processor = *rng.pick(&PROCESSORS);
    desktop(rng, "windows", &name, processor)
}

fn mac(rng: &mut Rng) -> Vec<u8> {
    let name = format!("MAC-{:05}", rng.below(100_000));
    let processor = *rng.pick(&[("Apple M1 Pro", 10, 0), ("Apple M2", 8, 0), ("Apple M3", 8, 0)]);
    desktop(rng, "macOS", &name, processor)
}

fn desktop(rng: &mut Rng, platform: &str, name: &str, processor: (&str, u64, u64)) -> Vec<u8> {
    let mut out = Vec::new();
    machine(&mut out, Some(name), Some(processor));
    let header = Some(*rng.pick(&DESKTOP_HEADERS));
    let version = rng.chance(500).then(|| *rng.pick(&DESKTOP_VERSIONS));
    agent(&mut out, &Agent { header, version, platform, family: "teams" });
    out
}

fn browser(rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    machine(&mut out, None, None);
    let header = format!(
        "CallSignalingAgent Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
         (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
        rng.between(130, 139)
    );
    agent(
        &mut out,
        &Agent { header: Some(&header), version: None, platform: "web", family: "teams" },
    );
    out
}

fn device(rng: &mut Rng, platform: &str, prefix: &str, header: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let name = format!("{prefix}-{:04}", rng.below(10_000));
    machine(&mut out, Some(&name), None);
    let version = format!("1449/1.0.94.2025{:03}001", rng.below(365));
    let header = format!("{header} {version}");
    let of_device =
        Agent { header: Some(&header), version: Some(&version), platform, family: "teams" };
    agent(&mut out, &of_device);
    out
}

fn mobile(rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    machine(&mut out, None, None);
    let version = *rng.pick(&MOBILE_VERSIONS);
    let (platform, system) =
        if rng.chance(620) { ("iOS", "iPhone iOS 18.5") } else { ("android", "Android 15") };
    let header = format!("CallSignalingAgent ({version};{system})");
    agent(
        &mut out,
        &Agent { header: Some(&header), version: Some(version), platform, family: "teams" },
    );
    out
}

fn machine(out: &mut Vec<u8>, name: Option<&str>, processor: Option<(&str, u64, u64)>) {
    json::raw(out, r#""name":"#);
    optional(out, name);
    let Some((processor, cores, megahertz)) = processor else {
        json::raw(out, r#","cpuName":null,"cpuCoresCount":null,"cpuProcessorSpeedInMhz":null,"#);
        return;
    };
    json::raw(out, r#","cpuName":"#);
    json::string(out, processor);
    json::raw(out, r#","cpuCoresCount":"#);
    json::unsigned(out, cores);
    json::raw(out, r#","cpuProcessorSpeedInMhz":"#);
    // Apple's processors don't tell their clock.
    if megahertz > 0 {
        json::unsigned(out, megahertz);
    } else {
        json::raw(out, "null");
    }
    out.push(b',');
}

fn agent(out: &mut Vec<u8>, agent: &Agent<'_>) {
    json::raw(
        out,
        "\"userAgent\":{\"@odata.type\":\"#microsoft.graph.callRecords.clientUserAgent\",\
         \"headerValue\":",
    );
    optional(out, agent.header);
    json::raw(out, r#","applicationVersion":"#);
    optional(out, agent.version);
    json::raw(out, r#","platform":"#);
    json::string(out, agent.platform);
    json::raw(out, r#","productFamily":"#);
    json::string(out, agent.family);
    json::raw(out, r#","communicationServiceId":null,"azureADAppId":null}"#);
}

fn optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => json::string(out, text),
        None => json::raw(out, "null"),
    }
}
