//! One party of calls with the JSON that names it, rendered once: identities and client machines.

use crate::json;
use crate::rng::Rng;

/// What kind of party this is, which decides the member of the identity set that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person with an account, of this tenant or another.
    User,
    /// An anonymous visitor; Graph withholds the name.
    Guest,
    /// A telephone on the public network.
    Phone,
    /// A user of Azure Communication Services.
    CommunicationServices,
    /// The resource account of an auto attendant or a call queue.
    VoiceApplication,
}

/// Who somebody is.
pub(crate) struct Name<'a> {
    pub(crate) id: &'a str,
    pub(crate) display_name: Option<&'a str>,
    /// Already a JSON value: a quoted tenant id or null.
    pub(crate) tenant: &'a [u8],
    pub(crate) user_principal_name: Option<&'a str>,
    /// The administrative unit that the account belongs to.
    pub(crate) administrative_unit: Option<[u8; 16]>,
}

/// The keys of a legacy `identitySet` as captures have them since 2020, before `user`.
const LEGACY_KEYS: [&str; 11] = [
    "acsUser",
    "spoolUser",
    "phone",
    "guest",
    "encrypted",
    "onPremises",
    "acsApplicationInstance",
    "spoolApplicationInstance",
    "applicationInstance",
    "application",
    "device",
];

/// A party with its finished JSON.
#[derive(Debug)]
pub(crate) struct Persona {
    pub(crate) kind: Kind,
    /// A number of its own, from which its address, machine and devices follow.
    pub(crate) trait_bits: u64,
    /// The id as JSON text without quotes.
    pub(crate) id: Box<[u8]>,
    /// `identitySet` of `organizer`, `participants` and `caller.identity`.
    pub(crate) legacy: Box<[u8]>,
    /// The whole entity of `organizer_v2` and `participants_v2`.
    pub(crate) participant: Box<[u8]>,
    /// `associatedIdentity` of an endpoint.
    pub(crate) associated: Box<[u8]>,
    /// The members of a log's row that name the user: null unless it is one.
    pub(crate) log_user: Box<[u8]>,
    /// Members `name` to `userAgent` of an endpoint: at the desk, and on the way.
    pub(crate) clients: [Box<[u8]>; 2],
    /// The desk client is a room system or a desk phone: it never travels.
    pub(crate) fixed: bool,
}

impl Persona {
    pub(crate) fn new(kind: Kind, name: &Name<'_>, rng: &mut Rng, clients: Clients) -> Self {
        let mut id = Vec::new();
        json::string(&mut id, name.id);
        Self {
            kind,
            trait_bits: rng.bits(),
            id: id[1..id.len() - 1].into(),
            legacy: legacy(kind, name).into(),
            participant: participant(kind, name).into(),
            associated: associated(kind, name).into(),
            log_user: log_user(kind, name).into(),
            clients: [clients.desk.into(), clients.away.into()],
            fixed: clients.fixed,
        }
    }

    /// Whether the client at the desk is one for Windows or macOS.
    pub(crate) fn has_desktop(&self) -> bool {
        let on = |platform: &[u8]| self.clients[0].windows(platform.len()).any(|at| at == platform);
        on(b"\"platform\":\"windows\"") || on(b"\"platform\":\"macOS\"")
    }

    /// Voice applications and telephones have no client and no network of their own to tell of.
    pub(crate) fn is_service(&self) -> bool {
        matches!(self.kind, Kind::VoiceApplication | Kind::Phone)
    }
}

/// The client software and machines of a party, as JSON members.
pub(crate) struct Clients {
    pub(crate) desk: Vec<u8>,
    pub(crate) away: Vec<u8>,
    pub(crate) fixed: bool,
}

fn key(kind: Kind) -> &'static str {
    match kind {
        Kind::User | Kind::VoiceApplication => "user",
        Kind::Guest => "guest",
        Kind::Phone => "phone",
        Kind::CommunicationServices => "acsUser",
    }
}

fn legacy(kind: Kind, name: &Name<'_>) -> Vec<u8> {
    let mut out = vec![b'{'];
    for candidate in LEGACY_KEYS {
        member(&mut out, candidate, (candidate == key(kind)).then_some(name), false);
    }
    member(&mut out, "user", (key(kind) == "user").then_some(name), false);
    close(&mut out);
    out
}

fn participant(kind: Kind, name: &Name<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    json::raw(&mut out, r#"{"id":"#);
    json::string(&mut out, name.id);
    json::raw(&mut out, r#","identity":{"endpointType":null,"#);
    // What a legacy set calls acsUser has a declared member in the newer set.
    let key = if kind == Kind::CommunicationServices {
        "azureCommunicationServicesUser"
    } else {
        key(kind)
    };
    for candidate in LEGACY_KEYS {
        member(&mut out, candidate, (candidate == key).then_some(name), false);
    }
    for candidate in ["azureCommunicationServicesUser", "assertedIdentity", "user"] {
        member(&mut out, candidate, (candidate == key).then_some(name), candidate == "user");
    }
    close(&mut out);
    json::raw(&mut out, r#","administrativeUnitInfos":["#);
    if let Some(unit) = name.administrative_unit {
        json::raw(&mut out, r#"{"id":""#);
        json::guid(&mut out, unit);
        json::raw(&mut out, r#""}"#);
    }
    json::raw(&mut out, "]}");
    out
}

fn associated(kind: Kind, name: &Name<'_>) -> Vec<u8> {
    let mut out = vec![b'{'];
    identity(&mut out, name);
    if matches!(kind, Kind::User | Kind::VoiceApplication) {
        json::raw(&mut out, r#","userPrincipalName":"#);
        optional(&mut out, name.user_principal_name);
    }
    out.push(b'}');
    out
}

fn log_user(kind: Kind, name: &Name<'_>) -> Vec<u8> {
    let is_user = kind == Kind::User;
    let mut out = Vec::new();
    json::raw(&mut out, r#""userId":"#);
    optional(&mut out, is_user.then_some(name.id));
    json::raw(&mut out, r#","userPrincipalName":"#);
    optional(&mut out, name.user_principal_name.filter(|_| is_user));
    json::raw(&mut out, r#","userDisplayName":"#);
    optional(&mut out, name.display_name.filter(|_| is_user));
    out
}

/// One member of an identity set and a comma: null unless `name` is given.
fn member(out: &mut Vec<u8>, key: &str, name: Option<&Name<'_>>, typed: bool) {
    json::string(out, key);
    let Some(name) = name else {
        json::raw(out, ":null,");
        return;
    };
    json::raw(out, ":{");
    if typed {
        json::raw(out, "\"@odata.type\":\"#microsoft.graph.userIdentity\",");
    }
    identity(out, name);
    if typed {
        json::raw(out, r#","userPrincipalName":"#);
        optional(out, name.user_principal_name);
    }
    json::raw(out, "},");
}

fn identity(out: &mut Vec<u8>, name: &Name<'_>) {
    json::raw(out, r#""id":"#);
    json::string(out, name.id);
    json::raw(out, r#","displayName":"#);
    optional(out, name.display_name);
    json::raw(out, r#","tenantId":"#);
    out.extend_from_slice(name.tenant);
}

fn optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => json::string(out, text),
        None => json::raw(out, "null"),
    }
}

/// Ends an object whose last member left a comma.
fn close(out: &mut [u8]) {
    *out.last_mut().expect("members were written") = b'}';
}
