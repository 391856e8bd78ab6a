//! `/communications/callvault.deliveries()`: what an application's subscriptions are still to be sent,
//! and what was given up.

use std::collections::BTreeMap;

use notify::reason_for_applications;
use odata::bound::{Expr, Operator};
use odata::edm::StructuredType;
use odata::json::{Member, Node, Text};
use odata::literal::Literal;
use odata::primitive::DateTimeOffset;
use store::{Channel, DeliveryRow, FailingEndpoint, Reader, clock};
use web::problem::Problem;
use web::response::Response;

use crate::demands;
use crate::lister::{self, Chunk, Position, Source, Visit};
use crate::read_request::ReadRequest;

/// Rows that are read at a time.
const AT_ONCE: usize = 256;

/// `GET communications/callvault.deliveries()`
pub(crate) async fn answer(read: &ReadRequest<'_>) -> Result<Response, Problem> {
    let source = Deliveries::of(read)?;
    lister::list(read, source).await
}

/// Which messages can meet a condition, as far as the store has an index for that.
#[derive(Default)]
struct Scope {
    /// Those of one subscription, by its id.
    subscription: Option<String>,
    /// Those that were given up, or those that were not.
    is_dead: Option<bool>,
}

impl Scope {
    fn of(condition: Option<&Expr>) -> Self {
        let mut scope = Self::default();
        if let Some(condition) = condition {
            demands::each(condition, &mut |name, operator, literal| {
                scope.narrow(name, operator, literal);
            });
        }
        scope
    }

    fn narrow(&mut self, name: &str, operator: Operator, literal: &Literal) {
        let (Literal::String(text) | Literal::Guid(text)) = literal else { return };
        match (name, operator) {
            ("subscriptionId", Operator::Eq) => self.subscription = Some(text.clone()),
            ("state", Operator::Eq) => self.is_dead = Some(text == "dead"),
            ("state", Operator::Ne) if text == "dead" => self.is_dead = Some(false),
            _ => {}
        }
    }
}

/// The messages of the caller's own subscriptions, subscription by subscription.
struct Deliveries {
    /// Ids by number.
    subscriptions: BTreeMap<i64, String>,
    failing: Vec<FailingEndpoint>,
    is_dead: Option<bool>,
}

impl Deliveries {
    fn of(read: &ReadRequest<'_>) -> Result<Self, Problem> {
        let mut reader = read.reader();
        let now = clock::now();
        let own = reader.subscriptions(Some(&read.scope.tenant), now)?.into_iter();
        let Scope { subscription, is_dead } = Scope::of(read.query.filter.as_ref());
        let own = own.filter(|row| row.application_id == read.caller.app_id);
        let own = own
            .filter(|row| subscription.as_ref().is_none_or(|id| row.id.eq_ignore_ascii_case(id)));
        let subscriptions: BTreeMap<_, _> = own.map(|row| (row.key, row.id)).collect();
        let mut failing = reader.failing_endpoints()?;
        failing.retain(|endpoint| subscriptions.contains_key(&endpoint.subscription_key));
        Ok(Self { subscriptions, failing, is_dead })
    }

    fn node(&self, id: &str, row: &DeliveryRow) -> Node<'static> {
        let channel = row.event.channel();
        let is_it = |it: &&FailingEndpoint| {
            it.subscription_key == row.subscription_key && it.channel == channel
        };
        let failing = self.failing.iter().find(is_it).filter(|_| row.died.is_none());
        let state = match (row.died, failing) {
            (Some(_), _) => "dead",
            (None, Some(_)) => "failing",
            (None, None) => "waiting",
        };
        let text = |text: &str| Node::String(Text::of(text));
        let number = |number: i64| Node::Number(number.to_string().into());
        let instant = |ticks: i64| text(&DateTimeOffset(ticks).to_string());
        let event = |of: Channel| {
            if channel == of { text(row.event.name()) } else { Node::Null }
        };
        let members = [
            ("id", number(row.key)),
            ("subscriptionId", text(id)),
            ("state", text(state)),
            ("changeType", event(Channel::Notifications)),
            ("lifecycleEvent", event(Channel::Lifecycle)),
            ("callRecordId", row.record_id.as_deref().map_or(Node::Null, text)),
            ("version", row.version.map_or(Node::Null, number)),
            ("queuedDateTime", instant(row.queued)),
            ("givenUpDateTime", row.died.map_or(Node::Null, instant)),
            ("failures", number(failing.map_or(0, |it| i64::from(it.failures)))),
            ("nextAttemptDateTime", failing.map_or(Node::Null, |it| instant(it.due))),
            ("reason", failing.map_or(Node::Null, |it| text(reason_for_applications(&it.reason)))),
        ];
        let member = |(name, value)| Member { name: Text::plain(name), value };
        Node::Object(members.into_iter().map(member).collect())
    }
}

impl Source for Deliveries {
    fn ty(&self) -> &'static StructuredType {
        &model::generated::DELIVERY
    }

    fn chunk(
        &self,
        reader: &mut Reader,
        after: Option<Position>,
        visit: &mut Visit<'_>,
    ) -> Result<Chunk, Problem> {
        let (first, mut behind) = after.unwrap_or((0, 0));
        for (key, id) in self.subscriptions.range(first..) {
            if *key != first {
                behind = 0;
            }
            let rows = reader.deliveries_of(*key, self.is_dead, behind, AT_ONCE)?;
            for row in &rows {
                if visit(self.node(id, row), (*key, row.key))?.is_break() {
                    return Ok(Chunk::Last);
                }
            }
            if rows.len() == AT_ONCE {
                return Ok(Chunk::More);
            }
        }
        Ok(Chunk::Last)
    }
}
