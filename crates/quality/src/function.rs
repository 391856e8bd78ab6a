//! The function `callvault.quality(profile='…')`: the verdict of a profile that a query names.

use std::sync::{Arc, LazyLock};

use model::generated::{CALL_RECORD, LEG_ROW, SESSION, STREAM_ROW};
use model::rows::QUALITY;
use odata::edm::StructuredType;
use odata::error::UnknownArgument;
use odata::functions::{Functions, Invocation, ItemFunction, ItemFunctions, Meaning};
use odata::json::Node;
use odata::literal::Literal;

use crate::call::streams;
use crate::member;
use crate::profile::{DEFAULT, Profile, Profiles};

/// The parameter with the name of a profile.
const PARAMETER: &str = "profile";
/// What judging a stream takes: each metric is looked for among the members of the stream.
const STEPS_OF_A_STREAM: u64 = 100;

/// The functions of queries, by the profiles that there are.
pub fn functions(profiles: Profiles) -> Functions {
    Functions::new(Arc::new(ProfileFunctions(profiles.into_iter().map(Arc::new).collect())))
}

/// The functions of queries, by the profiles that come with the program.
pub fn shipped() -> Functions {
    static SHIPPED: LazyLock<Functions> = LazyLock::new(|| functions(Profiles::shipped()));
    SHIPPED.clone()
}

/// Profiles that queries can name.
#[derive(Debug)]
struct ProfileFunctions(Vec<Arc<Profile>>);

/// The verdict of a profile on something.
#[derive(Debug)]
struct Judgement {
    profile: Arc<Profile>,
    on: Level,
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
enum Level {
    Stream,
    Session,
    Record,
}

impl Level {
    fn of(ty: &'static StructuredType) -> Option<Self> {
        let levels = [
            (&STREAM_ROW, Self::Stream),
            (&LEG_ROW, Self::Stream),
            (&SESSION, Self::Session),
            (&CALL_RECORD, Self::Record),
        ];
        levels.into_iter().find(|(known, _)| ty.is_a(known)).map(|(_, level)| level)
    }
}

impl ItemFunctions for ProfileFunctions {
    fn resolve(&self, invocation: &Invocation<'_>) -> Result<Option<Meaning>, UnknownArgument> {
        let is_quality =
            QUALITY.strip_prefix(invocation.namespace).and_then(|rest| rest.strip_prefix('.'))
                == Some(invocation.operation.name);
        let (true, Some(on)) = (is_quality, Level::of(invocation.on)) else { return Ok(None) };
        let given = invocation.arguments.iter().find(|(name, _)| *name == PARAMETER);
        let name = match given {
            Some((_, Literal::String(name))) if name != DEFAULT => name,
            // The one whose verdicts are kept.
            _ => return Ok(Some(Meaning::Member(QUALITY))),
        };
        match self.0.iter().find(|profile| profile.name == *name) {
            Some(profile) => {
                let profile = Arc::clone(profile);
                Ok(Some(Meaning::Function(Arc::new(Judgement { profile, on }))))
            }
            None => Err(UnknownArgument {
                parameter: PARAMETER,
                value: name.clone(),
                known: self.0.iter().map(|profile| profile.name.clone()).collect(),
            }),
        }
    }
}

impl ItemFunction for Judgement {
    fn steps(&self, item: &Node<'_>) -> u64 {
        let streams = match self.on {
            Level::Stream => 1,
            Level::Session => streams(item),
            Level::Record => {
                let sessions = item.get("sessions").and_then(Node::as_array).unwrap_or_default();
                sessions.iter().map(streams).sum()
            }
        };
        STEPS_OF_A_STREAM * (1 + streams as u64)
    }

    fn value(&self, item: &Node<'_>) -> Node<'static> {
        match self.on {
            Level::Stream => member::of_stream(item, &self.profile),
            Level::Session => member::of_session(item, &self.profile),
            Level::Record => member::of_record(item, &self.profile),
        }
    }
}

#[cfg(test)]
mod tests {
    use model::generated::BETA;
    use odata::Limits;
    use odata::primitive::DateTimeOffset;

    use super::*;

    const RECORDS: &str = "/communications/callRecords";

    fn bound(path: &str, query: &str) -> Result<String, String> {
        let limits = Limits { functions: shipped(), ..Limits::default() };
        let now = DateTimeOffset(0);
        let read = |path: &str, query: &str| {
            odata::parse_request(&BETA, path, query, &limits, now).map_err(|it| it.to_string())
        };
        let (resource, query) = read(path, query)?;
        let (path, text) = (resource.to_string(), query.to_string());
        assert_eq!(read(&path, &text)?, (resource, query), "{path}?{text}");
        Ok(format!("{path}?{text}"))
    }

    #[test]
    fn a_call_is_read_back_as_it_is_printed_and_the_default_is_the_member() {
        let filter = |written: &str| bound(RECORDS, &format!("$filter={written}"));
        let path = RECORDS.trim_start_matches('/');
        let own = "callvault.quality(profile='cri-2')/verdict eq 'poor'";
        let printed = format!(
            "{path}?$filter=callvault.quality(profile='cri-2')/verdict%20eq%20callvault.verdict'poor'"
        );
        assert_eq!(filter(own).as_deref(), Ok(printed.as_str()));
        let aliased = "callvault.quality(profile=@p)/verdict eq 'poor'&@p='cri-2'";
        assert_eq!(filter(aliased).as_deref(), Ok(printed.as_str()));
        let standard = filter("callvault.quality/isPoor");
        for call in ["callvault.quality()", "callvault.quality(profile='cqd-2021')"] {
            assert_eq!(filter(&format!("{call}/isPoor")), standard, "{call}");
        }
    }

    #[test]
    fn the_function_may_be_called_without_its_namespace() {
        let called = bound(RECORDS, "$filter=quality(profile='cri-2')/isPoor");
        assert!(called.is_ok(), "{called:?}");
        assert_eq!(called, bound(RECORDS, "$filter=callvault.quality(profile='cri-2')/isPoor"));
    }

    #[test]
    fn a_profile_that_nobody_knows_is_named_with_those_that_there_are() {
        let known = "Known: cqd-2021, cqd-2020, cri-2, teams-live.";
        let refused = bound(RECORDS, "$filter=callvault.quality(profile='cri-3')/isPoor");
        let place = "at position 26 in 'callvault.quality(profile='cri-3')/isPoor'.";
        let expected = format!("Unknown profile 'cri-3' {place} Did you mean 'cri-2'? {known}");
        assert_eq!(refused, Err(expected));
        let path = format!("{RECORDS}/a/callvault.quality(profile='mine')");
        let refused = bound(&path, "");
        let expected = format!("Unknown profile 'mine' at position 8 in 'profile='mine''. {known}");
        assert_eq!(refused, Err(expected));
    }

    #[test]
    fn what_is_no_literal_or_no_parameter_is_refused() {
        for (arguments, message) in [
            ("profile=type", "Literal expected"),
            ("'cri-2'", "Name of a parameter expected"),
            ("profil='cri-2'", "Did you mean 'profile'?"),
            ("profile=7", "Type mismatch"),
            ("profile=null", "Type mismatch"),
            ("profile='cri-2',profile='cri-2'", "twice"),
        ] {
            let query = format!("$filter=callvault.quality({arguments})/isPoor");
            let error = bound(RECORDS, &query).unwrap_err();
            assert!(error.contains(message), "{arguments}: {error}");
        }
        // Bound to one of them, not to all.
        assert!(bound(RECORDS, "$filter=sessions/callvault.quality()/isPoor").is_err());
        assert!(
            bound(&format!("{RECORDS}/callvault.segments()"), "$filter=callvault.quality()/isPoor")
                .is_err()
        );
    }
}
