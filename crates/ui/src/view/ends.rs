//! The ends of a session, as people call what they are.

use odata::json::Node;

use crate::questions::{items, number, string};

/// The name of the first identity that has one; else its id.
pub(super) fn name_of(identity: &Node<'_>) -> Option<String> {
    let members = identity.as_object()?;
    let named = |name: &str| members.iter().find_map(|member| string(&member.value, &[name]));
    named("displayName").or_else(|| named("id"))
}

/// An end of a session, by its first segment that says something, or else by the session.
fn of_session<'n, 'a>(session: &'n Node<'a>, end: &str) -> Option<&'n Node<'a>> {
    let segments = items(session, "segments").iter();
    let all = segments.map(|segment| segment.get(end)).chain([session.get(end)]);
    all.flatten().find(|end| end.as_object().is_some())
}

/// Who is at an end of a session: a name, or the kind of a service.
pub(super) fn party(session: &Node<'_>, end: &str) -> String {
    let Some(end) = of_session(session, end) else { return "nobody known".to_owned() };
    let name = end.get("identity").and_then(name_of);
    let name = name.or_else(|| string(end, &["associatedIdentity", "displayName"]));
    name.or_else(|| string(end, &["userAgent", "role"])).unwrap_or_else(|| "a service".to_owned())
}

/// What is known of an end: of itself, and of its network and devices in the first media that tells.
pub(super) fn facts(session: &Node<'_>, end: &str) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let segments = items(session, "segments");
    let Some(own) = of_session(session, end) else { return facts };
    let mut add = |name: &'static str, value: Option<String>| {
        if let Some(value) = value {
            facts.push((name, value));
        }
    };
    add("Who", Some(party(session, end)));
    add("Computer", string(own, &["name"]));
    for (name, member) in [
        ("Platform", "platform"),
        ("Product", "productFamily"),
        ("Version", "applicationVersion"),
        ("Client", "headerValue"),
    ] {
        add(name, string(own, &["userAgent", member]));
    }
    add("Rating", string(own, &["feedback", "rating"]));
    let media: Vec<_> = segments.iter().flat_map(|segment| items(segment, "media")).collect();
    let [network, device] = ["Network", "Device"].map(|kind| {
        let member = format!("{end}{kind}");
        media.iter().find_map(|media| media.get(&member).filter(|it| it.as_object().is_some()))
    });
    for (name, member) in [
        ("Connection", "connectionType"),
        ("Subnet", "subnet"),
        ("Address", "ipAddress"),
        ("Public address", "reflexiveIPAddress"),
        ("Relay", "relayIPAddress"),
        ("Transport", "networkTransportProtocol"),
        ("Wi-Fi band", "wifiBand"),
        ("Wi-Fi driver", "wifiMicrosoftDriver"),
        ("Access point", "basicServiceSetIdentifier"),
    ] {
        add(name, network.and_then(|network| string(network, &[member])));
    }
    let strength = network.and_then(|network| number(network, &["wifiSignalStrength"]));
    add("Wi-Fi signal", strength.map(|strength| format!("{strength} %")));
    for (name, member) in [
        ("Microphone", "captureDeviceName"),
        ("Speaker", "renderDeviceName"),
        ("Microphone's driver", "captureDeviceDriver"),
        ("Speaker's driver", "renderDeviceDriver"),
    ] {
        add(name, device.and_then(|device| string(device, &[member])));
    }
    facts
}
