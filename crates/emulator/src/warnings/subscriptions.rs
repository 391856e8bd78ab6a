//! Subscriptions that are made in a way that loses something.

use super::Finding;
use crate::history::{History, LoggedSubscription, key};

/// What is said of subscriptions to first versions.
pub(super) const CREATED_ONLY: &str = "A subscription has the changeType \"created\" only. Records get \
    later versions, with sessions and participants that were missing, and no message tells of them. \
    Subscribe to \"updated\", which tells of the first version as well.";

/// What is said of subscriptions without a client state.
pub(super) const WITHOUT_STATE: &str = "A subscription was made without clientState. Whoever knows the \
    address can send messages to it, and the receiver can't tell them from real ones. Set a secret \
    and compare it in each message.";

/// Subscriptions to `created` alone, without another one to later versions of the same.
pub(super) fn created_only(history: &History) -> Vec<Finding<'_>> {
    let made = history.subscriptions.iter();
    made.filter(|made| is_created_only(made))
        .filter(|one| !history.subscriptions.iter().any(|other| tells_more(other, one)))
        .map(finding)
        .collect()
}

fn types(made: &LoggedSubscription) -> impl Iterator<Item = &str> {
    made.subscription.change_type.split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn is_created_only(made: &LoggedSubscription) -> bool {
    types(made).all(|name| name.eq_ignore_ascii_case("created"))
}

/// Whether `other` tells its application of later versions of all that `one` tells of.
fn tells_more(other: &LoggedSubscription, one: &LoggedSubscription) -> bool {
    let all = |made: &LoggedSubscription| made.subscription.resource.to_ascii_lowercase();
    let (more, less) = (all(other), all(one));
    key(other.application.as_deref()) == key(one.application.as_deref())
        && types(other).any(|name| name.eq_ignore_ascii_case("updated"))
        && (more == less || !more.contains('?'))
}

/// Subscriptions without a client state whose messages go to an address that anybody can send to.
pub(super) fn without_state(history: &History) -> Vec<Finding<'_>> {
    let made = history.subscriptions.iter().map(|made| (made, &made.subscription));
    made.filter(|(_, subscription)| subscription.is_open && !subscription.has_client_state)
        .map(|(made, _)| finding(made))
        .collect()
}

fn finding(made: &LoggedSubscription) -> Finding<'_> {
    Finding { application: made.application.as_deref(), number: made.number, detail: "" }
}
