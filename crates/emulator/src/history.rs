//! The latest requests with their answers, and what the answers gave to each application.
//!
//! A copy of all of it is cheap, so reading it holds nobody up.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::answer_text::{self, Subscription};
use crate::chance;
use crate::recent::Recent;
use crate::requests::{Answer, Fault, Request};
use crate::target::{self, Target};

/// Requests that are kept.
const KEPT: usize = 10_000;
/// Links and ids that were given out and are remembered beyond the requests.
const REMEMBERED: usize = 100_000;
/// Subscriptions that are remembered beyond the requests.
const SUBSCRIPTIONS: usize = 1_000;

/// A request, and its answer once there is one.
#[derive(Debug, Clone)]
pub(crate) struct LoggedRequest {
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
    pub(crate) answer: Option<LoggedAnswer>,
}

impl LoggedRequest {
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

/// An answer, as the log keeps it.
#[derive(Debug, Clone)]
pub(crate) struct LoggedAnswer {
    pub(crate) at: i64,
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u32>,
    pub(crate) links: Vec<LoggedLink>,
}

/// A link that an answer gave.
#[derive(Debug, Clone)]
pub(crate) struct LoggedLink {
    /// What there is more of, nothing for the answer itself.
    pub(crate) of: String,
    /// That of the request that follows it.
    pub(crate) print: u64,
}

/// A subscription that a request created.
#[derive(Debug, Clone)]
pub(crate) struct LoggedSubscription {
    pub(crate) number: u64,
    pub(crate) application: Option<String>,
    pub(crate) subscription: Subscription,
}

/// What an answer gives to the client, before it is logged.
#[derive(Debug)]
pub(crate) struct AnswerContent {
    links: Vec<LoggedLink>,
    ids: Vec<u64>,
    pub(crate) subscription: Option<Subscription>,
}

/// See the head of this file.
#[derive(Debug, Clone)]
pub(crate) struct History {
    next: u64,
    pub(crate) entries: VecDeque<Arc<LoggedRequest>>,
    /// Links by application, and when they were asked for.
    links: Arc<Recent<u64, i64>>,
    /// Ids by application, and when they were asked for.
    ids: Arc<Recent<u64, i64>>,
    /// The first request of each application whose answer gave a link.
    first_links: Arc<HashMap<String, u64>>,
    pub(crate) subscriptions: Arc<VecDeque<LoggedSubscription>>,
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            next: 1,
            entries: VecDeque::new(),
            links: Arc::new(Recent::new(REMEMBERED)),
            ids: Arc::new(Recent::new(REMEMBERED)),
            first_links: Arc::default(),
            subscriptions: Arc::default(),
        }
    }

    /// Notes a request and gives its number.
    pub(crate) fn arrived(
        &mut self,
        request: &Request<'_>,
        target: Target,
        fault: &Fault,
        name: Option<String>,
    ) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(Arc::new(LoggedRequest {
            number,
            at: request.at,
            application: request.application.map(str::to_owned),
            method: request.method.to_owned(),
            version: request.version.to_owned(),
            url: target::shown(request.version, request.path, request.query),
            target,
            fault: name,
            is_truncated: fault.truncate.is_some(),
            answer: None,
        }));
        number
    }

    /// The request of that number, if it is still kept.
    pub(crate) fn entry(&self, number: u64) -> Option<&Arc<LoggedRequest>> {
        self.entries.get(self.place(number)?)
    }

    fn place(&self, number: u64) -> Option<usize> {
        let first = self.entries.front()?.number;
        number.checked_sub(first).and_then(|place| usize::try_from(place).ok())
    }

    /// Notes an answer.
    pub(crate) fn answered(&mut self, number: u64, answer: &Answer<'_>, content: AnswerContent) {
        let place = self.place(number);
        let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) else { return };
        let entry = Arc::make_mut(entry);
        let of = entry.key();
        let links = Arc::make_mut(&mut self.links);
        for link in &content.links {
            links.get_or(print_of(&of, link.print), entry.at);
        }
        let ids = Arc::make_mut(&mut self.ids);
        for id in &content.ids {
            ids.get_or(*id, entry.at);
        }
        if !content.links.is_empty() {
            let first = Arc::make_mut(&mut self.first_links).entry(of).or_insert(number);
            *first = (*first).min(number);
        }
        if let Some(subscription) = content.subscription {
            let subscriptions = Arc::make_mut(&mut self.subscriptions);
            if subscriptions.len() >= SUBSCRIPTIONS {
                subscriptions.pop_front();
            }
            subscriptions.push_back(LoggedSubscription {
                number,
                application: entry.application.clone(),
                subscription,
            });
        }
        let Answer { at, status, retry_after, .. } = *answer;
        entry.answer = Some(LoggedAnswer { at, status, retry_after, links: content.links });
    }

    /// Whether a request of an application goes along a link that it was given.
    pub(crate) fn was_given(&self, entry: &LoggedRequest) -> bool {
        self.links.get(&print_of(&entry.key(), entry.target.print)).is_some()
    }

    /// Whether an application had been given any link before a request.
    pub(crate) fn had_links(&self, entry: &LoggedRequest) -> bool {
        self.first_links.get(&entry.key()).is_some_and(|first| *first < entry.number)
    }

    /// When an application asked for what first gave it the id of a record, other than by a message.
    pub(crate) fn known_since(&self, application: &str, record: &str) -> Option<i64> {
        self.ids.get(&print_of_id(application, record)).copied()
    }

    /// Forgets the requests. What was given to applications stays known, since they may go on with it.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.subscriptions = Arc::default();
    }
}

/// Looks through the answer to a request.
pub(crate) fn content(entry: &LoggedRequest, answer: &Answer<'_>) -> AnswerContent {
    let mut content = AnswerContent { links: Vec::new(), ids: Vec::new(), subscription: None };
    if !(200..300).contains(&answer.status) {
        return content;
    }
    let body = std::str::from_utf8(answer.body).unwrap_or_default();
    for link in answer_text::links(body) {
        if let Some(target) = Target::of_link(&entry.version, &link.url) {
            content.links.push(LoggedLink { of: link.of.to_owned(), print: target.print });
        }
    }
    let of = entry.key();
    if entry.is_of_subscriptions() {
        let is_made = answer.status == 201 && entry.method.eq_ignore_ascii_case("POST");
        content.subscription = is_made.then(|| answer_text::subscription(body)).flatten();
    } else if entry.target.record.is_none() {
        content
            .ids
            .extend(answer_text::ids(body).map(|id| print_of_id(&of, &id.to_ascii_lowercase())));
    } else if let Some(record) = entry.target.record.as_ref().filter(|_| !entry.is_get()) {
        // Who writes a record knows it.
        content.ids.push(print_of_id(&of, record));
    }
    content
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
