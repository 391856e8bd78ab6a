//! Believable call records from a seed, as JSON lines: what `GET …/callRecords/{id}` with
//! `$expand=sessions($expand=segments)` and `participants_v2` answers, without contexts and links.
//!
//! Pure: no clock, no I/O, no floating point. Call number `i` depends on the seed, the mix, the span
//! and `i` alone, so a longer run has every line of a shorter one, and the same seed gives the same
//! people and record ids to every tenant. All declared members are there in Graph's order, null
//! where Graph has null, and `@odata.type` stands exactly where a declared type is a base type.
//!
//! # Who
//!
//! 2,503 users of the tenant (contoso.com), 307 of two partners, 1,009 visitor ids, 401 telephone
//! numbers (`+1555010…`), 53 users of Azure Communication Services, 5 auto attendants, 9 call
//! queues. Some users call far more often than others, mostly within their team, so that a filter by
//! participant finds several calls. 72 % of the users sit at Windows, the others at macOS, browsers,
//! desk phones and room systems; 18 % of all legs come from a mobile client.
//!
//! # What ([`Mix::Realistic`])
//!
//! | share | call | leaves behind |
//! |---|---|---|
//! | 43 % | of two users | one session with the record's id; 15 % unanswered (start is end, no media), 3 % fail in set-up, 2.5 % in the middle |
//! | 11 % | of a user and a telephone | one session of two segments, the telephone's in SIP; 20 % unanswered, 5 % fail in set-up |
//! | 1 % | test call | `isTest`, answered by a bot |
//! | 38 % | meeting of 2 to 30, median 4 | a session for each visit, one more for some who share a screen; 12 % leave and come back, 6 % don't answer; 8 % partners, 5 % visitors, 4 % telephones |
//! | 2.5 % | of two that grew | the same, and the empty session of the beginning |
//! | 4.5 % | to an auto attendant | mostly on to a call queue, agents that don't answer and one who does |
//! | 0.4 % | meeting of 40 to 300 | people come and go |
//!
//! Every call whose index is 700 modulo 1,500 is a meeting of exactly 2,000 participants with about
//! 3,000 sessions (some 25 MB). 8 % of the calls have a version 2, right after version 1 or up to
//! five calls later: published later, with the telemetry that came too late and a rating by one of
//! the first two.
//!
//! # What calls leave in the logs of telephony ([`Calls::rows`], [`LogRows`])
//!
//! Rows agree with the records in times (to the tick), users and numbers; all members of beta are
//! there. They are drawn from the id of the record, which knows nothing of them.
//!
//! | what | row |
//! |---|---|
//! | a user and a telephone, 45 % | `user_in`, `user_out` of a calling plan, whose `callId` opens no record; none unless somebody answered |
//! | the same, 15 % | `oc_user_in`, `oc_user_out` of an operator, whose `callId` is the record's id; none unless somebody answered |
//! | the same, 40 % | `ByotIn`, `ByotOut` of direct routing, whose `correlationId` is the record's id; one of a failure if nobody answered or the set-up failed |
//! | each visit of a telephone to a meeting | `conf_in`, or 30 % `conf_out`, which costs; the user is the organizer |
//! | the first leg to an auto attendant | `oc_ucap_in` of no user, whose `callId` is the record's id |
//! | nothing: beside one of 25 calls | a text message in or out |
//! | nothing: beside one of 400 calls | a user is barred, and let in again |
//! | all `conf_out` of an organizer and a day | a row of the report on dialling out, with the midnight (UTC) in `@callvault.startDateTime` |
//!
//! A user's number is `+1555011…`, that of a voice application `+1555013…`, those to dial for
//! meetings are `+1555012…`. All telephones and 88 % of the users are in the United States; the
//! users in Germany and the United Kingdom call abroad.
//!
//! # When and where
//!
//! Working hours of working days (UTC); weekends have a twelfth. Meetings tend to begin on the half
//! hour. Legs come from offices, homes, mobile networks and tunnels; three office subnets are
//! bad on purpose ([`BAD_SUBNETS`]). Each path draws one severity, and jitter, loss and round trip
//! follow it together; the two ends of a call add up to the worse of both, and ratings follow too.
//!
//! # What is wrong on purpose ([`Calls::with_causes`], [`Cause`])
//!
//! Causes of poor quality can be planted: a subnet, a tunnel, a headset, a version of the client, an
//! access point, a provider, an outage of a session border controller. Then the three bad subnets
//! are like all others, and the truth ([`Calls::take_truth`]) says which streams were made poor and
//! by what.
//!
//! # For measuring ([`Mix::Bench`])
//!
//! Records of one size class: 10 KB and two sessions in the mean (69 % have one, at most 60), only
//! version 1. Null-filled sessions are big, so that both figures together ask for a choice, made
//! thus: the deprecated legacy identities are empty (as Graph announces for after 30 June 2026),
//! meetings are small, and many clients have not reported yet when the record is published, so that
//! media stand in some 43 % of the records.

mod calendar;
mod calls;
mod client;
mod device;
mod endpoint;
mod json;
mod logs;
mod media;
mod mix;
mod modality;
mod names;
mod network;
mod persona;
mod plan;
mod planted;
mod population;
mod quality;
mod record;
mod rng;
mod session;
mod stream;

pub use calls::{Calls, LogRows, Options};
pub use logs::Log;
pub use mix::Mix;
pub use network::BAD_SUBNETS;
pub use planted::Cause;
