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
use odata::bound::{Query, Resource};
use odata::json::{Member, Node, Text};
use odata::primitive::DateTimeOffset;
use store::{SubscriptionOutcome, SubscriptionRow, clock};
use uuid::Uuid;
use web::Problem;
use web::body;
use web::problem::special;
use web::response::Response;

use crate::caller::role;
use crate::caller::tenant;
use crate::items::{self, ItemPage};
use crate::options::Notifications;
use crate::read_request::ReadRequest;
use crate::request::Request;
use crate::routes::{Handler, Of, Rows};
use crate::unsupported::Unsupported;
use crate::worker::Worker;

/// Most bytes of a subscription that is sent.
const LARGEST: usize = 64 << 10;

/// What is asked of subscriptions.
pub(crate) struct SubscriptionRequest<'r> {
    pub(crate) rows: Rows,
    /// The subscription's id, where one is meant.
    pub(crate) id: &'r str,
    pub(crate) resource: &'r Resource,
    pub(crate) query: &'r Query,
}

/// Answers a request for a path that leads here.
pub(crate) async fn answer(
    worker: &Rc<Worker>,
    request: &mut Request,
    addressed: SubscriptionRequest<'_>,
) -> Result<Response, Problem> {
    let SubscriptionRequest { rows, id, resource, query } = addressed;
    let service = SubscriptionService { worker, caller: caller(request, rows.first().roles)? };
    let Handler::Subscriptions(of) = rows.select(&request.method)?.handler else {
        return Err(Problem::no_such_route());
    };
    match of {
        Of::List => service.list(request, resource, query).await,
        Of::Count => service.count(request, resource, query).await,
        Of::Show => {
            let row = service.find(id)?;
            show(worker, request, resource, query, &members(&row, None))
        }
        Of::Create => service.create(request).await,
        Of::Change => service.change(request, id).await,
        Of::Delete => service.delete(id).await,
        Of::Reauthorize => service.reauthorize(id).await,
        Of::RotateSecret => service.rotate(request, id).await,
        Of::Replay => service.replay(request, id).await,
    }
}

/// The caller, who must be allowed to read call records; Graph has its own words for this here.
fn caller(request: &Request, roles: &[&str]) -> Result<std::sync::Arc<Caller>, Problem> {
    request.require(roles).map_err(|problem| {
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
struct SubscriptionService<'a> {
    worker: &'a Rc<Worker>,
    caller: std::sync::Arc<Caller>,
}

impl SubscriptionService<'_> {
    fn notifications(&self) -> &Notifications {
        &self.worker.shared.notifications
    }

    fn own(&self) -> Result<Vec<SubscriptionRow>, Problem> {
        let tenant = tenant(&self.caller)?;
        let mut all =
            self.worker.web.reader.borrow_mut().subscriptions(Some(&tenant), clock::now())?;
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
            return Err(Unsupported::named("this option of subscriptions").into());
        }
        let read = ReadRequest::new(self.worker, request, resource, query, &[role::READ])?;
        let page = self.chosen(&read, query.clone()).await?;
        items::collection(&read, &model::generated::SUBSCRIPTION, &page)
    }

    async fn count(
        &self,
        request: &Request,
        resource: &Resource,
        query: &Query,
    ) -> Result<Response, Problem> {
        request.preferences.text()?;
        let read = ReadRequest::new(self.worker, request, resource, query, &[role::READ])?;
        let all = Query { count: true, top: None, skip: None, ..query.clone() };
        let count = self.chosen(&read, all).await?.count.unwrap_or_default();
        Ok(Response::text(count.to_string()))
    }

    /// Those that a query asks for.
    async fn chosen(&self, read: &ReadRequest<'_>, query: Query) -> Result<ItemPage, Problem> {
        let own = self.own()?;
        let items = own.iter().map(|row| Node::Object(members(row, None))).collect();
        ItemPage::chosen(read, query, &model::generated::SUBSCRIPTION, items).await
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
            format!("{}/subscriptions/{}", self.worker.urls().root(request.place.version), row.id);
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
        let context = self.worker.urls().context(request.place.version);
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
        let context = self.worker.urls().context(request.place.version);
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
                Some(cause) => problem.with_cause(cause),
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
        let model = request.place.version.model();
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
    let read = ReadRequest::new(worker, request, resource, query, &[role::READ])?;
    items::entity(&read, &model::generated::SUBSCRIPTION, members)
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
