//! The latest requests with their answers, and what the answers gave to each application.
//!
//! A copy of all of it is cheap, so that whoever reads it holds up nobody.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::answer::{self, Subscription};
use crate::chance;
use crate::recent::Recent;
use crate::requests::{Answered, Arriving, Fault};
use crate::target::{self, Target};

/// Requests that are kept.
const KEPT: usize = 10_000;
/// Links and ids that were given out and are remembered beyond the requests.
const REMEMBERED: usize = 100_000;
/// Subscriptions that are remembered beyond the requests.
const SUBSCRIPTIONS: usize = 1_000;

/// A request, and its answer once there is one.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) number: u64,
    pub(crate) at: i64,
    pub(crate) application: Option<String>,
    pub(crate) method: String,
    pub(crate) version: String,
    /// As the log shows it.
    pub(crate) url: String,
    /// What it asks for.
    pub(crate) target: Target,
    /// What was done to it.
    pub(crate) fault: Option<String>,
    pub(crate) is_truncated: bool,
    pub(crate) answer: Option<Given>,
}

impl Logged {
    /// The application in the form in which it is compared.
    pub(crate) fn key(&self) -> String {
        key(self.application.as_deref())
    }

    pub(crate) fn is_get(&self) -> bool {
        self.method.eq_ignore_ascii_case("GET")
    }

    /// Whether it is about subscriptions, which clients renew by the clock whatever else they do.
    pub(crate) fn is_of_subscriptions(&self) -> bool {
        let path = self.target.path.to_ascii_lowercase();
        path == "/subscriptions" || path.starts_with("/subscriptions/")
    }
}

/// What an answer gave.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) at: i64,
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u32>,
    pub(crate) links: Vec<GivenLink>,
}

/// A link that an answer gave.
#[derive(Debug, Clone)]
pub(crate) struct GivenLink {
    /// What there is more of, nothing for the answer itself.
    pub(crate) of: String,
    /// That of the request that follows it.
    pub(crate) print: u64,
}

/// A subscription that was made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) number: u64,
    pub(crate) application: Option<String>,
    pub(crate) subscription: Subscription,
}

/// What was found in an answer, before it is noted.
#[derive(Debug)]
pub(crate) struct Found {
    links: Vec<GivenLink>,
    ids: Vec<u64>,
    pub(crate) subscription: Option<Subscription>,
}

/// See the head of this file.
#[derive(Debug, Clone)]
pub(crate) struct History {
    next: u64,
    pub(crate) entries: VecDeque<Arc<Logged>>,
    /// Links by application, and when they were asked for.
    links: Arc<Recent<u64, i64>>,
    /// Ids by application, and when they were asked for.
    ids: Arc<Recent<u64, i64>>,
    /// The first request of each application whose answer gave a link.
    first_links: Arc<HashMap<String, u64>>,
    pub(crate) made: Arc<VecDeque<Made>>,
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            next: 1,
            entries: VecDeque::new(),
            links: Arc::new(Recent::new(REMEMBERED)),
            ids: Arc::new(Recent::new(REMEMBERED)),
            first_links: Arc::default(),
            made: Arc::default(),
        }
    }

    /// Notes a request and gives its number.
    pub(crate) fn arrived(
        &mut self,
        arriving: &Arriving<'_>,
        target: Target,
        fault: &Fault,
        name: Option<String>,
    ) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(Arc::new(Logged {
            number,
            at: arriving.at,
            application: arriving.application.map(str::to_owned),
            method: arriving.method.to_owned(),
            version: arriving.version.to_owned(),
            url: target::shown(arriving.version, arriving.path, arriving.query),
            target,
            fault: name,
            is_truncated: fault.truncate.is_some(),
            answer: None,
        }));
        number
    }

    /// The request of that number, if it is still kept.
    pub(crate) fn entry(&self, number: u64) -> Option<&Arc<Logged>> {
        self.entries.get(self.place(number)?)
    }

    fn place(&self, number: u64) -> Option<usize> {
        let first = self.entries.front()?.number;
        number.checked_sub(first).and_then(|place| usize::try_from(place).ok())
    }

    /// Notes an answer.
    pub(crate) fn answered(&mut self, number: u64, answered: &Answered<'_>, found: Found) {
        let place = self.place(number);
        let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) else { return };
        let entry = Arc::make_mut(entry);
        let of = entry.key();
        let links = Arc::make_mut(&mut self.links);
        for link in &found.links {
            links.get_or(print_of(&of, link.print), entry.at);
        }
        let ids = Arc::make_mut(&mut self.ids);
        for id in &found.ids {
            ids.get_or(*id, entry.at);
        }
        if !found.links.is_empty() {
            let first = Arc::make_mut(&mut self.first_links).entry(of).or_insert(number);
            *first = (*first).min(number);
        }
        if let Some(subscription) = found.subscription {
            let made = Arc::make_mut(&mut self.made);
            if made.len() >= SUBSCRIPTIONS {
                made.pop_front();
            }
            made.push_back(Made { number, application: entry.application.clone(), subscription });
        }
        let Answered { at, status, retry_after, .. } = *answered;
        entry.answer = Some(Given { at, status, retry_after, links: found.links });
    }

    /// Whether a request of an application goes along a link that it was given.
    pub(crate) fn was_given(&self, entry: &Logged) -> bool {
        self.links.get(&print_of(&entry.key(), entry.target.print)).is_some()
    }

    /// Whether an application had been given any link before a request.
    pub(crate) fn had_links(&self, entry: &Logged) -> bool {
        self.first_links.get(&entry.key()).is_some_and(|first| *first < entry.number)
    }

    /// When an application asked for what first gave it the id of a record, other than by a message.
    pub(crate) fn known_since(&self, application: &str, record: &str) -> Option<i64> {
        self.ids.get(&print_of_id(application, record)).copied()
    }

    /// Forgets the requests. What was given to applications stays known, since they may go on with it.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.made = Arc::default();
    }
}

/// Looks through the answer to a request.
pub(crate) fn found(entry: &Logged, answered: &Answered<'_>) -> Found {
    let mut found = Found { links: Vec::new(), ids: Vec::new(), subscription: None };
    if !(200..300).contains(&answered.status) {
        return found;
    }
    let body = std::str::from_utf8(answered.body).unwrap_or_default();
    for link in answer::links(body) {
        if let Some(target) = Target::of_link(&entry.version, &link.url) {
            found.links.push(GivenLink { of: link.of.to_owned(), print: target.print });
        }
    }
    let of = entry.key();
    if entry.is_of_subscriptions() {
        let is_made = answered.status == 201 && entry.method.eq_ignore_ascii_case("POST");
        found.subscription = is_made.then(|| answer::subscription(body)).flatten();
    } else if entry.target.record.is_none() {
        found.ids.extend(answer::ids(body).map(|id| print_of_id(&of, &id.to_ascii_lowercase())));
    } else if let Some(record) = entry.target.record.as_ref().filter(|_| !entry.is_get()) {
        // Who writes a record knows it.
        found.ids.push(print_of_id(&of, record));
    }
    found
}

/// An application in the form in which it is compared.
pub(crate) fn key(application: Option<&str>) -> String {
    application.unwrap_or_default().to_ascii_lowercase()
}

fn print_of(application: &str, print: u64) -> u64 {
    chance::of_numbers(chance::of_text(0, application), &[print])
}

fn print_of_id(application: &str, id: &str) -> u64 {
    chance::of_text(chance::of_text(1, application), id)
}
