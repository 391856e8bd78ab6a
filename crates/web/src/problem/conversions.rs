//! Which problem each error of a stage is to a client: the one table of it.

use std::time::Duration;

use super::{Code, Problem};

impl From<odata::error::Error> for Problem {
    fn from(error: odata::error::Error) -> Self {
        let message = error.to_string();
        match error.kind {
            odata::error::Kind::NotBuilt { .. } => Self::not_supported(message),
            odata::error::Kind::NoSchemaVersion { .. } => Self::not_there(message),
            _ => Self::bad_request(message),
        }
        .with_target(error.option)
    }
}

impl From<identity::Denial> for Problem {
    fn from(denied: identity::Denial) -> Self {
        if denied.is_forbidden() {
            Self::forbidden()
        } else if denied.is_unavailable() {
            Self::unavailable(denied.to_string(), Duration::from_secs(5))
        } else {
            Self::unauthenticated(denied.message())
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        use odata::eval::Exhausted;
        use store::Error;
        let wait = match error {
            Error::Busy | Error::Again => Duration::from_secs(1),
            Error::Unavailable(_) => Duration::from_secs(5),
            Error::Deadline => return Self::out_of_time(error),
            Error::Exhausted(Exhausted::Pool) => Duration::from_secs(1),
            Error::Exhausted(Exhausted::Calculation { place, .. }) => {
                return Self::bad_request(format!("{}.", sentence(&error)))
                    .with_target(place.option);
            }
            Error::TooManyRows { .. } | Error::TooManyGroups { .. } | Error::Exhausted(_) => {
                let setting = setting_of(&error).map(|name| format!(" (limits.{name})"));
                let setting = setting.unwrap_or_default();
                let message = format!("{}{setting}: narrow it.", sentence(&error));
                return Self::new(Code::BadRequest, message);
            }
            Error::Position => {
                let message = "The $skiptoken belongs to another request.";
                return Self::bad_request(message).with_target("$skiptoken");
            }
            Error::LogCut => {
                let message = "The link begins at changes that are told no more. Begin again at the \
                               address that Location names.";
                return Self::gone(message);
            }
            // Somebody has to make room, or to start it anew.
            Error::Full(_) | Error::Lost(_) => Duration::from_mins(1),
            Error::Corrupt(_) => return Self::damaged(error),
            _ => return Self::internal(error),
        };
        Self::unavailable(error, wait)
    }
}

/// The setting that a query went beyond, if it is one.
fn setting_of(error: &store::Error) -> Option<&'static str> {
    use odata::eval::Exhausted;
    Some(match error {
        store::Error::TooManyRows { .. } => "rows_scanned",
        store::Error::TooManyGroups { .. } => "groups",
        store::Error::Exhausted(Exhausted::Steps(_)) => "query_steps",
        store::Error::Exhausted(Exhausted::Memory(_)) => "query_bytes",
        _ => return None,
    })
}

/// What an error says, as the beginning of a sentence.
fn sentence(error: &store::Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
