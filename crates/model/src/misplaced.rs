//! What is sent as a call record and is none: it is told what it is, and where it belongs.
//!
//! A session has an id and times as a record has, and would be kept as a record of nothing, in the place of
//! the real one. A record says more of itself than that: its version, its type, who took part.

use std::fmt;

use odata::edm::StructuredType;
use odata::json::{Member, Node};

use crate::generated::CALL_RECORD;
use crate::telephone_log::Log;

/// What is no call record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misplaced {
    /// A session of a record.
    Session,
    /// A segment of a session.
    Segment,
    /// What was sent and received in a segment.
    Media,
    /// A stream of a media.
    Stream,
    /// Somebody who took part.
    Participant,
    /// A row of a telephone log.
    Row(Log),
    /// What Graph answers in place of what was asked for.
    Failure,
    /// An object around items, as an answer has it.
    List,
    /// The answer to a batch.
    Batch,
    /// One of the answers in it.
    BatchResponse,
    /// A change notification, or a lifecycle event.
    Notification,
    /// A subscription.
    Subscription,
    /// A call that is, or was, in progress.
    Call,
    /// An event of a call.
    CallEvent,
    /// What a delta query says of a record that is gone.
    Removed,
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WHOLE: &str = "export the record with $expand=sessions($expand=segments)";
        let (what, way_on) = match self {
            Self::Row(log) => {
                let (title, name) = (log.title(), log.name());
                return write!(
                    f,
                    "a row of get{title} is no call record: import it with --kind {name}, or over HTTP with \
                     callvault.import{title}"
                );
            }
            Self::Session => ("a session", WHOLE),
            Self::Segment => ("a segment", WHOLE),
            Self::Media => ("a media", WHOLE),
            Self::Stream => ("a stream", WHOLE),
            Self::Participant => {
                ("a participant", "export the record with $expand=participants_v2")
            }
            Self::Failure => ("an error", "request the record again, and import what is answered"),
            Self::List => {
                ("a list", "import its items, or send it to callvault.import as application/json")
            }
            Self::Batch => {
                ("the answer to a batch", "import the 'body' of each of its 'responses'")
            }
            Self::BatchResponse => {
                ("a response of a batch", "import its 'body' if its 'status' is 200")
            }
            Self::Notification => {
                ("a change notification", "export the record that its 'resource' names")
            }
            Self::Subscription => ("a subscription", "create it with POST /subscriptions"),
            Self::Call => ("a call", "export the record whose id is its 'callChainId'"),
            Self::CallEvent => ("an event of a call", "send it to callvault.callEvents"),
            Self::Removed => {
                ("the entry of a record that is gone", "`callvault erase` erases the record here")
            }
        };
        write!(f, "{what} is no call record: {way_on}")
    }
}

/// Members that records alone have, of all that is told apart by its members.
const OF_RECORDS: [&str; 8] = [
    "type",
    "lastModifiedDateTime",
    "joinWebUrl",
    "organizer",
    "organizer_v2",
    "participants",
    "participants_v2",
    "sessions",
];

/// Members of what stands around records or beside them.
const OTHERS: [(&str, Misplaced); 9] = [
    ("eventId", Misplaced::CallEvent),
    ("callChainId", Misplaced::Call),
    ("subscriptionId", Misplaced::Notification),
    ("notificationUrl", Misplaced::Subscription),
    ("@removed", Misplaced::Removed),
    ("responses", Misplaced::Batch),
    ("body", Misplaced::BatchResponse),
    ("error", Misplaced::Failure),
    ("value", Misplaced::List),
];

/// Members of the parts of a record, those first that tell more.
const PARTS: [(&str, Misplaced); 12] = [
    ("streamId", Misplaced::Stream),
    ("streamDirection", Misplaced::Stream),
    ("streams", Misplaced::Media),
    ("callerDevice", Misplaced::Media),
    ("media", Misplaced::Segment),
    ("segments", Misplaced::Session),
    ("isTest", Misplaced::Session),
    ("caller", Misplaced::Session),
    ("callee", Misplaced::Session),
    ("failureInfo", Misplaced::Session),
    ("callRecordId", Misplaced::Session),
    ("identity", Misplaced::Participant),
];

/// Members that only rows of a log have, by which it is one.
const LEAST_OF_ROWS: usize = 2;

impl Misplaced {
    /// What an object is by its members, if it is no record; with a JSON Pointer to what tells it.
    pub(crate) fn of_members(members: &[Member<'_>]) -> Option<(Self, String)> {
        let find = |name: &str| members.iter().find(|member| member.name.is(name));
        if find("version").is_some() {
            return None;
        }
        for name in ["@odata.type", "@type", "@odata.context", "@context"] {
            let text = find(name).and_then(|member| member.value.as_text());
            let Some(text) = text.map(odata::json::Text::value) else { continue };
            let found = match name {
                "@odata.type" | "@type" => Self::of_name(text.rsplit('.').next()?),
                _ => Self::of_context(&text),
            };
            if let Some(found) = found {
                return Some((found, format!("/{name}")));
            }
        }
        let of = |table: &[(&str, Self)]| {
            let mut found = table.iter().filter_map(|(name, it)| Some((*it, find(name)?)));
            found.find(|(it, member)| match it {
                // Anything may have a member of these names.
                Self::Batch | Self::List => {
                    find("id").is_none() && matches!(member.value, Node::Array(_))
                }
                Self::Failure => find("id").is_none() && member.value.as_object().is_some(),
                Self::BatchResponse => find("status").is_some(),
                _ => true,
            })
        };
        let found = of(&OTHERS).map(|(it, member)| (it, format!("/{}", member.name.value())));
        if found.is_some() || OF_RECORDS.iter().any(|name| find(name).is_some()) {
            return found;
        }
        let row = Self::row(members);
        let part = || of(&PARTS).map(|(it, member)| (it, format!("/{}", member.name.value())));
        row.or_else(part).or_else(|| Self::sole_list(members))
    }

    /// A list by whatever name, with nothing beside it but annotations.
    fn sole_list(members: &[Member<'_>]) -> Option<(Self, String)> {
        let mut own = members.iter().filter(|member| !member.name.raw().contains('@'));
        let (only, None) = (own.next()?, own.next()) else { return None };
        let is_list = matches!(only.value, Node::Array(_));
        is_list.then(|| (Self::List, format!("/{}", only.name.value())))
    }

    /// The row that has most of the members, and the first of them.
    fn row(members: &[Member<'_>]) -> Option<(Self, String)> {
        let of_rows = |ty: &'static StructuredType| {
            members.iter().map(|member| member.name.value()).filter(move |name| {
                ty.property(name).is_some_and(|property| !property.is_navigation)
                    && CALL_RECORD.property(name).is_none()
                    && name != "administrativeUnitInfos"
            })
        };
        let count = |log: &Log| of_rows(log.ty()).count();
        let log = Log::ALL.into_iter().rev().max_by_key(count)?;
        let call_type = of_rows(log.ty()).find(|name| name == "callType");
        let is_row = call_type.is_some() || count(&log) >= LEAST_OF_ROWS;
        let first = call_type.or_else(|| of_rows(log.ty()).next())?;
        is_row.then(|| (Self::Row(log), format!("/{first}")))
    }

    /// What the context of an answer (OData JSON Format, section 4.6.1) says of its items, if they are no
    /// records.
    pub fn of_context(context: &str) -> Option<Self> {
        let (_, fragment) = context.split_once('#')?;
        if let Some(ty) = fragment.strip_prefix("Collection(") {
            return Self::of_name(ty.split(')').next()?.rsplit('.').next()?);
        }
        let path = without_parentheses(fragment);
        let names = path.split('/').map(|name| name.rsplit('.').next().unwrap_or(name));
        let mut names = names.filter(|name| !name.starts_with('$') && !name.is_empty());
        Self::of_name(names.next_back()?)
    }

    /// What a type, or the member that holds values of it, is called.
    fn of_name(name: &str) -> Option<Self> {
        Some(match name.trim_start_matches('#') {
            "session" | "sessions" | "sessionRow" => Self::Session,
            "segment" | "segments" | "segmentRow" => Self::Segment,
            "media" => Self::Media,
            "mediaStream" | "streams" | "streamRow" => Self::Stream,
            "participant" | "participants_v2" | "organizer" | "organizer_v2" => Self::Participant,
            "call" | "calls" => Self::Call,
            "callEvent" => Self::CallEvent,
            "subscription" | "subscriptions" => Self::Subscription,
            "changeNotification" => Self::Notification,
            name => {
                let of = |log: &Log| log.ty().name.rsplit('.').next() == Some(name);
                Self::Row(Log::ALL.into_iter().find(of)?)
            }
        })
    }
}

/// The text without what stands in parentheses: keys, and lists of what is selected and expanded.
fn without_parentheses(text: &str) -> String {
    let (mut depth, mut is_quoted) = (0_u32, false);
    text.chars()
        .filter(|letter| {
            match letter {
                '\'' if depth > 0 => is_quoted = !is_quoted,
                '(' if !is_quoted => depth += 1,
                ')' if !is_quoted => {
                    depth = depth.saturating_sub(1);
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_tells_what_its_items_are() {
        let of = |fragment: &str| {
            Misplaced::of_context(&format!("https://graph.microsoft.com/v1.0/$metadata#{fragment}"))
        };
        for (fragment, expected) in [
            ("communications/callRecords", None),
            ("communications/callRecords/$entity", None),
            ("communications/callRecords(sessions(segments()))/$entity", None),
            ("communications/callRecords(id,version,sessions)", None),
            ("communications/callRecords/$delta", None),
            ("communications/callRecords('a')/sessions", Some(Misplaced::Session)),
            ("communications/callRecords('a')/sessions(segments())", Some(Misplaced::Session)),
            ("communications/callRecords('a''/b)')/sessions/$entity", Some(Misplaced::Session)),
            ("communications/callRecords('a')/sessions('b')/segments", Some(Misplaced::Segment)),
            ("communications/callRecords('a')/participants_v2", Some(Misplaced::Participant)),
            ("Collection(microsoft.graph.callRecords.session)", Some(Misplaced::Session)),
            (
                "Collection(microsoft.graph.callRecords.pstnCallLogRow)",
                Some(Misplaced::Row(Log::PstnCalls)),
            ),
            ("Collection(microsoft.graph.callRecords.smsLogRow)", Some(Misplaced::Row(Log::Sms))),
            ("communications/calls", Some(Misplaced::Call)),
            ("subscriptions/$entity", Some(Misplaced::Subscription)),
            ("users", None),
            ("", None),
        ] {
            assert_eq!(of(fragment), expected, "{fragment}");
        }
        assert_eq!(Misplaced::of_context("sessions"), None);
    }

    #[test]
    fn an_object_tells_by_its_members_what_it_is() {
        let row = Misplaced::Row;
        for (text, expected) in [
            (r#"{"id":"a"}"#, None),
            (r#"{"id":"a","modalities":["audio"]}"#, None),
            (r#"{"id":"a","version":1,"caller":null}"#, None),
            (r#"{"id":"a","type":"groupCall","caller":null,"duration":3}"#, None),
            (r#"{"id":"a","organizer":null,"value":[]}"#, None),
            (r#"{"id":"a","subject":"x"}"#, None),
            (r#"{"id":"a","modalities":[],"caller":null}"#, Some((Misplaced::Session, "/caller"))),
            (r#"{"id":"a","caller":{},"media":[]}"#, Some((Misplaced::Segment, "/media"))),
            (r#"{"id":"a","identity":{}}"#, Some((Misplaced::Participant, "/identity"))),
            (r#"{"label":"main-audio","streams":[]}"#, Some((Misplaced::Media, "/streams"))),
            (r#"{"streamId":"1"}"#, Some((Misplaced::Stream, "/streamId"))),
            (
                r##"{"@odata.type":"#microsoft.graph.callRecords.session","id":"a"}"##,
                Some((Misplaced::Session, "/@odata.type")),
            ),
            (
                r#"{"@odata.context":"https://x/$metadata#communications/callRecords('a')/sessions/$entity","id":"b"}"#,
                Some((Misplaced::Session, "/@odata.context")),
            ),
            (r#"{"id":"a","callType":"user_out"}"#, Some((row(Log::PstnCalls), "/callType"))),
            (
                r#"{"id":"a","correlationId":"b","finalSipCode":0}"#,
                Some((row(Log::DirectRoutingCalls), "/correlationId")),
            ),
            (r#"{"id":"a","smsId":"b","smsUnits":1}"#, Some((row(Log::Sms), "/smsId"))),
            (r#"{"userId":"a","blockDateTime":"b"}"#, Some((row(Log::BlockedUsers), "/userId"))),
            (r#"{"userId":"a","totalCalls":1}"#, Some((row(Log::DialoutReport), "/userId"))),
            (r#"{"error":{"code":"NotFound"}}"#, Some((Misplaced::Failure, "/error"))),
            (r#"{"value":[]}"#, Some((Misplaced::List, "/value"))),
            (r#"{"responses":[]}"#, Some((Misplaced::Batch, "/responses"))),
            (r#"{"id":"1","status":200,"body":{}}"#, Some((Misplaced::BatchResponse, "/body"))),
            (
                r#"{"subscriptionId":"a","changeType":"created","resource":"x"}"#,
                Some((Misplaced::Notification, "/subscriptionId")),
            ),
            (r#"{"eventId":"a","type":"started"}"#, Some((Misplaced::CallEvent, "/eventId"))),
            (r#"{"id":"a","callChainId":"b"}"#, Some((Misplaced::Call, "/callChainId"))),
            (r#"{"@removed":{},"id":"a"}"#, Some((Misplaced::Removed, "/@removed"))),
        ] {
            let node = Node::parse(text).unwrap();
            let found = Misplaced::of_members(node.as_object().unwrap());
            let found = found.as_ref().map(|(it, pointer)| (*it, pointer.as_str()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
