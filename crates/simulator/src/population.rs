//! Who makes calls: the users of the tenant, and those they talk to.
//!
//! A seed always gives the same people, whatever the number of calls, so that a query for one
//! participant finds several calls. A party is an index into one list of [`Persona`]s.

use crate::client;
use crate::json;
use crate::names;
use crate::persona::{Kind, Name, Persona};
use crate::rng::Rng;

/// A member of the population.
pub(crate) type Party = u32;

/// Users of the tenant; a prime, so that any stride visits everybody once.
pub(crate) const USERS: u32 = 2503;
/// Users of partner tenants.
pub(crate) const EXTERNALS: u32 = 307;
/// Visitor ids.
pub(crate) const GUESTS: u32 = 1009;
/// Telephone numbers.
pub(crate) const PHONES: u32 = 401;
/// Users of Azure Communication Services.
pub(crate) const COMMUNICATION_SERVICES: u32 = 53;
/// Auto attendants.
pub(crate) const ATTENDANTS: u32 = 5;
/// Call queues.
pub(crate) const QUEUES: u32 = 9;

const FIRST_EXTERNAL: u32 = USERS;
const FIRST_GUEST: u32 = FIRST_EXTERNAL + EXTERNALS;
const FIRST_PHONE: u32 = FIRST_GUEST + GUESTS;
const FIRST_COMMUNICATION_SERVICES: u32 = FIRST_PHONE + PHONES;
const FIRST_ATTENDANT: u32 = FIRST_COMMUNICATION_SERVICES + COMMUNICATION_SERVICES;
const FIRST_QUEUE: u32 = FIRST_ATTENDANT + ATTENDANTS;

/// Names of the queues and attendants.
const DESKS: [&str; 9] =
    ["Support", "Sales", "Reception", "Billing", "Orders", "IT", "HR", "Logistics", "Warranty"];

/// Draws of the population come from tags that no call has.
const TAG: u64 = 0x706f_7075_6c61_7465;

/// Everybody.
#[derive(Debug)]
pub(crate) struct Population {
    personas: Vec<Persona>,
}

/// User number `i`, counted round.
pub(crate) fn user(i: u64) -> Party {
    (i % u64::from(USERS)) as Party
}

/// User of a partner number `i`, counted round.
pub(crate) fn external(i: u64) -> Party {
    FIRST_EXTERNAL + (i % u64::from(EXTERNALS)) as Party
}

/// Visitor number `i`, counted round.
pub(crate) fn guest(i: u64) -> Party {
    FIRST_GUEST + (i % u64::from(GUESTS)) as Party
}

/// Telephone number `i`, counted round.
pub(crate) fn phone(i: u64) -> Party {
    FIRST_PHONE + (i % u64::from(PHONES)) as Party
}

/// User of Azure Communication Services number `i`, counted round.
pub(crate) fn communication_services(i: u64) -> Party {
    FIRST_COMMUNICATION_SERVICES + (i % u64::from(COMMUNICATION_SERVICES)) as Party
}

/// Auto attendant number `i`, counted round.
pub(crate) fn attendant(i: u64) -> Party {
    FIRST_ATTENDANT + (i % u64::from(ATTENDANTS)) as Party
}

/// Call queue number `i`, counted round.
pub(crate) fn queue(i: u64) -> Party {
    FIRST_QUEUE + (i % u64::from(QUEUES)) as Party
}

/// Whether the party is a telephone.
pub(crate) fn is_phone(party: Party) -> bool {
    (FIRST_PHONE..FIRST_COMMUNICATION_SERVICES).contains(&party)
}

/// The telephone number of a telephone (`+1555010…`), a user (`+1555011…`) or any other party
/// (`+1555013…`), a different one for each.
pub(crate) fn number(party: Party) -> String {
    // Neither stride has a divisor in common with 10,000, so that no number comes twice.
    if is_phone(party) {
        format!("+1555010{:04}", (party - FIRST_PHONE) * 23 % 10_000)
    } else if party < USERS {
        format!("+1555011{:04}", party * 37 % 10_000)
    } else {
        format!("+1555013{party:04}")
    }
}

impl Population {
    /// Everybody who calls in `tenant` (an id, kept as it is given) under `seed`.
    pub(crate) fn new(seed: u64, tenant: &str) -> Self {
        let mut rng = Rng::of(seed, TAG);
        let mut home = Vec::new();
        json::string(&mut home, tenant);
        let partners = [("adatum.com", tenant_of(&mut rng)), ("fabrikam.com", tenant_of(&mut rng))];
        let units: Vec<[u8; 16]> = (0..12).map(|_| rng.guid()).collect();
        let first_name = rng.below(4819);
        let mut personas = Vec::with_capacity((FIRST_QUEUE + QUEUES) as usize);
        for i in 0..USERS {
            let unit = rng.chance(300).then(|| *rng.pick(&units));
            let number = first_name + u64::from(i);
            personas.push(person(&mut rng, number, "contoso.com", &home, unit));
        }
        for i in 0..EXTERNALS {
            let (domain, partner) = &partners[i as usize % partners.len()];
            let number = first_name + u64::from(FIRST_EXTERNAL + i);
            personas.push(person(&mut rng, number, domain, partner, None));
        }
        for _ in 0..GUESTS {
            let id = format!("teamsvisitor:{:016x}{:016x}", rng.bits(), rng.bits());
            let clients = client::of_guest(&mut rng);
            personas.push(Persona::new(Kind::Guest, &nameless(&id), &mut rng, clients));
        }
        for i in 0..PHONES {
            let id = number(FIRST_PHONE + i);
            let clients = client::of_phone();
            personas.push(Persona::new(Kind::Phone, &nameless(&id), &mut rng, clients));
        }
        let resource = rng.guid();
        for _ in 0..COMMUNICATION_SERVICES {
            let id = format!("8:acs:{}_{}", json::guid_text(resource), json::guid_text(rng.guid()));
            let clients = client::of_communication_services(resource);
            let kind = Kind::CommunicationServices;
            personas.push(Persona::new(kind, &nameless(&id), &mut rng, clients));
        }
        for i in 0..ATTENDANTS {
            personas.push(voice_application(&mut rng, i as usize, &home, &ATTENDANT));
        }
        for i in 0..QUEUES {
            personas.push(voice_application(&mut rng, i as usize, &home, &QUEUE));
        }
        Self { personas }
    }

    /// The persona of `party`.
    #[inline]
    pub(crate) fn get(&self, party: Party) -> &Persona {
        &self.personas[party as usize]
    }
}

/// How one kind of voice application shows itself.
struct Application {
    title: &'static str,
    prefix: &'static str,
    header: &'static str,
    role: &'static str,
}

const ATTENDANT: Application = Application {
    title: "attendant",
    prefix: "aa",
    header: "AutoAttendant",
    role: "skypeForBusinessAutoAttendant",
};

const QUEUE: Application = Application {
    title: "queue",
    prefix: "cq",
    header: "CallQueue",
    role: "skypeForBusinessCallQueues",
};

fn person(
    rng: &mut Rng,
    number: u64,
    domain: &str,
    tenant: &[u8],
    administrative_unit: Option<[u8; 16]>,
) -> Persona {
    let (first, last) = names::person(number);
    let id = json::guid_text(rng.guid());
    let mailbox = format!("{first}.{last}@{domain}").to_lowercase();
    let name = Name {
        id: &id,
        display_name: Some(&format!("{first} {last}")),
        tenant,
        user_principal_name: Some(&mailbox),
        administrative_unit,
    };
    let clients = client::of_user(rng);
    Persona::new(Kind::User, &name, rng, clients)
}

fn voice_application(rng: &mut Rng, i: usize, tenant: &[u8], what: &Application) -> Persona {
    let id = json::guid_text(rng.guid());
    let desk = DESKS[i % DESKS.len()];
    let mailbox = format!("{}-{desk}@contoso.com", what.prefix).to_lowercase();
    let name = Name {
        id: &id,
        display_name: Some(&format!("{desk} {}", what.title)),
        tenant,
        user_principal_name: Some(&mailbox),
        administrative_unit: None,
    };
    let clients = client::of_voice_application(what.header, what.role);
    Persona::new(Kind::VoiceApplication, &name, rng, clients)
}

fn nameless(id: &str) -> Name<'_> {
    Name {
        id,
        display_name: None,
        tenant: b"null",
        user_principal_name: None,
        administrative_unit: None,
    }
}

fn tenant_of(rng: &mut Rng) -> Vec<u8> {
    format!("\"{}\"", json::guid_text(rng.guid())).into_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn everybody_has_an_id_of_their_own() {
        let population = Population::new(1, "t");
        let ids: HashSet<_> = population.personas.iter().map(|p| p.id.clone()).collect();
        assert_eq!(ids.len(), population.personas.len());
        assert_eq!(ids.len() as u32, queue(0) + QUEUES);
    }

    #[test]
    fn the_tenant_shows_only_in_its_users() {
        let (one, two) = (Population::new(1, "t-1"), Population::new(1, "t-2"));
        assert_ne!(one.get(user(5)).participant, two.get(user(5)).participant);
        assert_eq!(one.get(user(5)).id, two.get(user(5)).id);
        assert_eq!(one.get(guest(5)).participant, two.get(guest(5)).participant);
        assert_eq!(one.get(external(5)).participant, two.get(external(5)).participant);
    }

    #[test]
    fn every_party_has_a_telephone_number_of_its_own() {
        let numbers: HashSet<_> = (0..queue(0) + QUEUES).map(number).collect();
        assert_eq!(numbers.len() as u32, queue(0) + QUEUES);
        assert!(numbers.iter().all(|number| number.len() == "+15550100000".len()));
    }

    #[test]
    fn indexes_find_the_kind_they_name() {
        let population = Population::new(1, "t");
        assert_eq!(population.get(guest(u64::MAX)).kind, Kind::Guest);
        assert_eq!(population.get(phone(401)).kind, Kind::Phone);
        assert!(is_phone(phone(400)) && !is_phone(communication_services(0)));
        assert_eq!(population.get(attendant(4)).kind, Kind::VoiceApplication);
        assert_eq!(&*population.get(phone(0)).id, b"+15550100000");
    }
}
