//! The telephone logs: which there are, and how they are called.

use odata::edm::StructuredType;

use crate::generated::{beta, v1_0};

/// The annotation that says on which day (UTC) the calls happened that a row of the dial-out report sums
/// up.
pub const COUNTED_FROM: &str = "@callvault.startDateTime";

/// A telephone log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Log {
    /// Calls through calling plans and operators.
    PstnCalls,
    /// Calls through session border controllers of one's own.
    DirectRoutingCalls,
    /// Text messages.
    Sms,
    /// Users who were barred from calling, or let in again.
    BlockedUsers,
    /// What dialling out of meetings cost.
    DialoutReport,
}

impl Log {
    /// Every log, in the order of documentation.
    pub const ALL: [Self; 5] = [
        Self::PstnCalls,
        Self::DirectRoutingCalls,
        Self::Sms,
        Self::BlockedUsers,
        Self::DialoutReport,
    ];

    /// The name by which commands and the store call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PstnCalls => "pstn",
            Self::DirectRoutingCalls => "direct-routing",
            Self::Sms => "sms",
            Self::BlockedUsers => "blocked",
            Self::DialoutReport => "dialout",
        }
    }

    /// The log that a command calls so.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|log| log.name() == name)
    }

    /// Graph's name for it: the function that reads it is `get…`, the action that fills it
    /// `callvault.import…`.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::PstnCalls => "PstnCalls",
            Self::DirectRoutingCalls => "DirectRoutingCalls",
            Self::Sms => "SmsLog",
            Self::BlockedUsers => "PstnBlockedUsersLog",
            Self::DialoutReport => "PstnOnlineMeetingDialoutReport",
        }
    }

    /// The log that a function reads.
    pub fn of_function(name: &str) -> Option<Self> {
        let title = name.strip_prefix("get")?;
        Self::ALL.into_iter().find(|log| log.title() == title)
    }

    /// The log that an action fills.
    pub fn of_action(name: &str) -> Option<Self> {
        let title = name.strip_prefix("import")?;
        Self::ALL.into_iter().find(|log| log.title() == title)
    }

    /// The most days that one request may ask for; `None` where Graph names no limit.
    pub fn most_days(self) -> Option<i64> {
        (self != Self::DirectRoutingCalls).then_some(90)
    }

    /// Whether what happened at the very end of a range belongs to it.
    pub fn includes_end(self) -> bool {
        self != Self::DirectRoutingCalls
    }

    /// The type of a row, as beta has it.
    pub fn ty(self) -> &'static StructuredType {
        match self {
            Self::PstnCalls => &beta::PSTN_CALL_LOG_ROW,
            Self::DirectRoutingCalls => &beta::DIRECT_ROUTING_LOG_ROW,
            Self::Sms => &beta::SMS_LOG_ROW,
            Self::BlockedUsers => &beta::PSTN_BLOCKED_USERS_LOG_ROW,
            Self::DialoutReport => &beta::PSTN_ONLINE_MEETING_DIALOUT_REPORT,
        }
    }

    /// The type of a row as v1.0 has it, which has only some of the logs.
    pub fn ty_of_v1(self) -> Option<&'static StructuredType> {
        match self {
            Self::PstnCalls => Some(&v1_0::PSTN_CALL_LOG_ROW),
            Self::DirectRoutingCalls => Some(&v1_0::DIRECT_ROUTING_LOG_ROW),
            _ => None,
        }
    }

    /// The member by which ranges are measured.
    pub(crate) fn time_member(self) -> &'static str {
        match self {
            Self::PstnCalls | Self::DirectRoutingCalls => "startDateTime",
            Self::Sms => "sentDateTime",
            Self::BlockedUsers => "blockDateTime",
            Self::DialoutReport => COUNTED_FROM,
        }
    }

    /// The members that identify a row of a log without ids; none: all of it does.
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::PstnCalls | Self::DirectRoutingCalls | Self::Sms => &[],
            Self::BlockedUsers => &["userId", "blockDateTime", "userBlockMode"],
            Self::DialoutReport => {
                &["userId", "usageLocation", "destinationContext", "currency", COUNTED_FROM]
            }
        }
    }
}
