//! `/subscriptions`: who is told of new and changed records (Graph, "subscription resource type").
//!
//! An application sees its own subscriptions only. An address gets nothing before it has said that
//! it wants to, by the handshake.

use std::rc::Rc;

use http::header::{HeaderValue, LOCATION};
use http::{Method, StatusCode};
use identity::Caller;
use model::assemble::push_annotation;
use notify::{Changes, HandshakeError, NewSubscription, Owner, Refusal, Secrets};
use odata::bound::{Query, Resource, Step};
use odata::json::{Member, Node, Text};
use odata::primitive::DateTimeOffset;
use store::{SubscriptionOutcome, SubscriptionRow, clock};
use uuid::Uuid;

use super::ask::{Ask, tenant};
use super::shown::{self, Shown};
use crate::auth::role;
use crate::body;
use crate::options::Notifications;
use crate::problem::{Problem, special};
use crate::request::Request;
use crate::response::Response;
use crate::router::Route;
use crate::worker::Worker;

/// Most bytes of a subscription that is sent.
const LARGEST: usize = 64 << 10;

/// What a path below `/subscriptions` addresses.
enum Target<'r> {
    All,
    Count,
    One(&'r str),
    Reauthorize(&'r str),
    RotateSecret(&'r str),
    Replay(&'r str),
}

/// Answers a request for a path that leads here.
pub(super) async fn answer(
    worker: &Rc<Worker>,
    request: &mut Request,
    resource: &Resource,
    query: &Query,
) -> Result<Response, Problem> {
    let target = match &resource.steps[1..] {
        [] => Target::All,
        [Step::Count] => Target::Count,
        [Step::Key(id)] => Target::One(id),
        [Step::Key(id), Step::Operation { operation, .. }] => match operation.name {
            "reauthorize" => Target::Reauthorize(id),
            "replay" => Target::Replay(id),
            _ => Target::RotateSecret(id),
        },
        _ => return Err(super::not_built("this path of a subscription")),
    };
    request.route = match target {
        Target::All | Target::Count => Route::Subscriptions,
        _ => Route::Subscription,
    };
    let desk = Desk { worker, caller: caller(request)? };
    match (&request.method, target) {
        (&Method::GET, Target::All) => desk.list(request, resource, query).await,
        (&Method::GET, Target::Count) => desk.count(request, resource, query).await,
        (&Method::GET, Target::One(id)) => {
            let row = desk.find(id)?;
            show(worker, request, resource, query, &members(&row, None))
        }
        (&Method::POST, Target::All) => desk.create(request).await,
        (&Method::PATCH, Target::One(id)) => desk.change(request, id).await,
        (&Method::DELETE, Target::One(id)) => desk.delete(id).await,
        (&Method::POST, Target::Reauthorize(id)) => desk.reauthorize(id).await,
        (&Method::POST, Target::RotateSecret(id)) => desk.rotate(request, id).await,
        (&Method::POST, Target::Replay(id)) => desk.replay(request, id).await,
        (_, Target::All) => Err(Problem::method_not_allowed("GET, HEAD, POST")),
        (_, Target::Count) => Err(Problem::method_not_allowed("GET, HEAD")),
        (_, Target::One(_)) => Err(Problem::method_not_allowed("GET, HEAD, PATCH, DELETE")),
        _ => Err(Problem::method_not_allowed("POST")),
    }
}

/// The caller, who must be allowed to read call records; Graph has its own words for this here.
fn caller(request: &Request) -> Result<std::sync::Arc<Caller>, Problem> {
    request.require(&[role::READ]).map_err(|problem| {
        let operation = match request.method {
            Method::POST => "Create",
            Method::PATCH => "Update",
            Method::DELETE => "Delete",
            _ => return problem,
        };
        if problem.code().status() != StatusCode::FORBIDDEN {
            return problem;
        }
        let message = format!(
            "Operation: {operation}; Exception: [Status Code: Forbidden; Reason: The request is \
             not authorized for this user or application.]"
        );
        Problem::forbidden_because(message).named(special::EXTENSION_ERROR)
    })
}

/// Everything about the subscriptions of a caller.
struct Desk<'a> {
    worker: &'a Rc<Worker>,
    caller: std::sync::Arc<Caller>,
}

impl Desk<'_> {
    fn notifications(&self) -> &Notifications {
        &self.worker.shared.options.notifications
    }

    fn own(&self) -> Result<Vec<SubscriptionRow>, Problem> {
        let tenant = tenant(&self.caller)?;
        let mut all = self.worker.reader.borrow_mut().subscriptions(Some(&tenant), clock::now())?;
        all.retain(|row| row.application_id == self.caller.app_id);
        Ok(all)
    }

    fn find(&self, id: &str) -> Result<SubscriptionRow, Problem> {
        let is_it = |row: &SubscriptionRow| row.id.eq_ignore_ascii_case(id);
        self.own()?.into_iter().find(is_it).ok_or_else(|| {
            Problem::not_there("The object was not found.").named(special::RESOURCE_NOT_FOUND)
        })
    }

    async fn list(
        &self,
        request: &Request,
        resource: &Resource,
        query: &Query,
    ) -> Result<Response, Problem> {
        if query.apply.is_some() || query.skiptoken.is_some() {
            return Err(super::not_built("this option of subscriptions"));
        }
        let ask = Ask::new(self.worker, request, resource, query)?;
        let shown = self.chosen(&ask, query.clone()).await?;
        shown::collection(&ask, &model::generated::SUBSCRIPTION, &shown)
    }

    async fn count(
        &self,
        request: &Request,
        resource: &Resource,
        query: &Query,
    ) -> Result<Response, Problem> {
        request.preferences.text()?;
        let ask = Ask::new(self.worker, request, resource, query)?;
        let all = Query { count: true, top: None, skip: None, ..query.clone() };
        let count = self.chosen(&ask, all).await?.count.unwrap_or_default();
        Ok(Response::text(count.to_string()))
    }

    /// Those that a query asks for.
    async fn chosen(&self, ask: &Ask<'_>, query: Query) -> Result<Shown, Problem> {
        let own = self.own()?;
        let items = own.iter().map(|row| Node::Object(members(row, None))).collect();
        Shown::chosen(ask, query, &model::generated::SUBSCRIPTION, items).await
    }

    async fn create(&self, request: &mut Request) -> Result<Response, Problem> {
        let tenant = tenant(&self.caller)?;
        body::content_type(&request.headers, &["application/json"])?;
        let bytes = request.take_body().read(LARGEST, None).await?;
        let now = clock::now();
        let rules = &self.notifications().rules;
        let asked = NewSubscription::read(&bytes, rules, now).map_err(refused)?;
        self.validate(&asked.notification_url).await?;
        if let Some(url) = &asked.lifecycle_notification_url {
            self.validate(url).await?;
        }
        let state = asked.client_state.clone();
        let (id, secrets) = (Uuid::new_v4().to_string(), Secrets::new(identity::random_key()));
        let owner = Owner { tenant, application_id: &self.caller.app_id };
        let row = asked.into_row(owner, id, &secrets, &self.notifications().vault, now);
        let quota = rules.quota;
        match self.worker.store.add_subscription(row.clone(), quota).await? {
            SubscriptionOutcome::Added => {}
            SubscriptionOutcome::Duplicate => {
                let message = "Operation: Create; Exception: [Status Code: Conflict; Reason: A \
                               subscription already exists for this application, resource, change \
                               type and notification URL.]";
                return Err(Problem::conflict(message).named(special::EXTENSION_ERROR));
            }
            SubscriptionOutcome::QuotaReached => {
                let message = "Operation: Create; Exception: [Status Code: Forbidden; Reason: \
                               Maximum number of subscriptions has been reached]";
                return Err(Problem::forbidden_because(message).named(special::EXTENSION_ERROR));
            }
        }
        let shown = self.show_one(request, &row, state.as_deref())?;
        let address =
            format!("{}/subscriptions/{}", self.worker.urls.root(request.version), row.id);
        let created = shown.with_status(StatusCode::CREATED);
        Ok(match HeaderValue::from_str(&address) {
            Ok(address) => created.with_header(LOCATION, address),
            Err(_) => created,
        })
    }

    async fn change(&self, request: &mut Request, id: &str) -> Result<Response, Problem> {
        body::content_type(&request.headers, &["application/json"])?;
        let bytes = request.take_body().read(LARGEST, None).await?;
        let row = self.find(id)?;
        let changes = Changes::read(&bytes, clock::now(), &row.resource, &row.change_type);
        let Changes { expires, notification_url } = changes.map_err(refused)?;
        let notification_url = notification_url.unwrap_or(row.notification_url);
        self.validate(&notification_url).await?;
        // The address takes its time, in which other members may have changed.
        let mut row = self.find(id)?;
        row.expires = expires.unwrap_or(row.expires);
        row.notification_url = notification_url;
        self.keep(&row).await?;
        self.show_one(request, &row, None)
    }

    async fn delete(&self, id: &str) -> Result<Response, Problem> {
        let row = self.find(id)?;
        self.worker.store.delete_subscription(&row.id).await?;
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    async fn reauthorize(&self, id: &str) -> Result<Response, Problem> {
        self.validate(&self.find(id)?.notification_url).await?;
        // What waits is tried at once.
        self.keep(&self.find(id)?).await?;
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// Gives the subscription a new secret to sign with, which is shown this once.
    async fn rotate(&self, request: &Request, id: &str) -> Result<Response, Problem> {
        let format = request.preferences.json()?;
        let mut row = self.find(id)?;
        let vault = &self.notifications().vault;
        let secrets = vault
            .open_secrets(&row.id, &row.sealed_secrets)
            .ok_or_else(|| Problem::internal("the secret was sealed under another master key"))?
            .rotated(identity::random_key(), clock::now());
        row.sealed_secrets = vault.seal_secrets(&row.id, &secrets);
        self.keep(&row).await?;
        let context = self.worker.urls.context(request.version);
        let mut body = vec![b'{'];
        push_annotation(&mut body, "@odata.context", &[context, "Edm.String"]);
        body.push(b',');
        push_annotation(&mut body, "value", &[&secrets.shown()]);
        body.push(b'}');
        Ok(Response::json(format, body))
    }

    /// Puts what was given up back into the queue, and says how much.
    async fn replay(&self, request: &Request, id: &str) -> Result<Response, Problem> {
        let format = request.preferences.json()?;
        let row = self.find(id)?;
        let count = self.worker.store.replay(row.key, None).await?;
        let context = self.worker.urls.context(request.version);
        let mut body = vec![b'{'];
        push_annotation(&mut body, "@odata.context", &[context, "Edm.Int64"]);
        body.extend_from_slice(format!(",\"value\":{count}}}").as_bytes());
        Ok(Response::json(format, body))
    }

    async fn keep(&self, row: &SubscriptionRow) -> Result<(), Problem> {
        if self.worker.store.update_subscription(row.clone()).await? {
            return Ok(());
        }
        // Deleted meanwhile.
        self.find(&row.id).map(drop)
    }

    async fn validate(&self, address: &str) -> Result<(), Problem> {
        let token = format!(
            "Validation: Testing client application reachability for subscription Request-Id: {}",
            Uuid::new_v4()
        );
        let transports = &self.notifications().transports;
        transports.validate(address, &token).await.map_err(|error| {
            let name = match error {
                HandshakeError::TimedOut | HandshakeError::Address(_) => special::INVALID_REQUEST,
                _ => special::VALIDATION_ERROR,
            };
            let problem = Problem::bad_request(error.to_string()).named(name);
            match error.cause() {
                Some(cause) => problem.with_cause(cause.to_owned()),
                None => problem,
            }
        })
    }

    fn show_one(
        &self,
        request: &Request,
        row: &SubscriptionRow,
        client_state: Option<&str>,
    ) -> Result<Response, Problem> {
        let path = format!("/subscriptions/{}", row.id);
        let limits = odata::Limits::default();
        let now = DateTimeOffset(clock::now());
        let model = super::model(request.version);
        let (resource, query) = odata::parse_request(model, &path, "", &limits, now)?;
        show(self.worker, request, &resource, &query, &members(row, client_state))
    }
}

fn show(
    worker: &Rc<Worker>,
    request: &Request,
    resource: &Resource,
    query: &Query,
    members: &[Member<'_>],
) -> Result<Response, Problem> {
    let ask = Ask::new(worker, request, resource, query)?;
    shown::entity(&ask, &model::generated::SUBSCRIPTION, members)
}

/// A subscription as JSON, its members in Graph's order. Only the answer that makes it shows what
/// notifications repeat.
fn members(row: &SubscriptionRow, client_state: Option<&str>) -> Vec<Member<'static>> {
    let expires = DateTimeOffset(row.expires).to_string();
    let members = [
        ("id", Some(row.id.as_str())),
        ("resource", Some(&row.resource)),
        ("applicationId", Some(&row.application_id)),
        ("changeType", Some(&row.change_type)),
        ("clientState", client_state),
        ("notificationUrl", Some(&row.notification_url)),
        ("notificationQueryOptions", None),
        ("lifecycleNotificationUrl", row.lifecycle_notification_url.as_deref()),
        ("expirationDateTime", Some(&expires)),
        ("creatorId", row.creator_id.as_deref()),
        ("includeResourceData", None),
        ("latestSupportedTlsVersion", Some(&row.latest_supported_tls_version)),
        ("encryptionCertificate", None),
        ("encryptionCertificateId", None),
        ("notificationUrlAppId", None),
    ];
    let text = |value: &str| Node::String(Text::of(value));
    let member = |(name, value): (&str, Option<&str>)| Member {
        name: Text::of(name),
        value: value.map_or(Node::Null, text),
    };
    members.into_iter().map(member).collect()
}

/// What breaks a rule, in Graph's form.
fn refused(refusal: Refusal) -> Problem {
    let problem = Problem::bad_request(refusal.to_string());
    match refusal {
        Refusal::TooLong { .. } => problem.named(special::EXTENSION_ERROR),
        Refusal::Missing(member) | Refusal::Value { member, .. } => {
            problem.named(special::INVALID_REQUEST).with_target(member)
        }
        Refusal::Payload { member: Some(member) } => {
            problem.named(special::INVALID_REQUEST).with_target(member)
        }
        Refusal::Payload { member: None } => problem.named(special::INVALID_REQUEST),
    }
}
