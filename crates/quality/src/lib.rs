//! Was it good, and if not, why? Verdicts on streams, and what follows from them for people, sessions and
//! calls.
//!
//! A [`Profile`] is a set of rules with thresholds, read from TOML and checked against the schema.
//! [`classify`](classify::classify) applies one to the [`Figures`] of a stream; [`expression`] prints it as
//! OData, so that the language of queries can give the same verdict. [`levels`] rolls verdicts up,
//! [`reliability`] looks at what failed, and [`sentence`] says in words what was found.
//!
//! Pure: no I/O, no clock, no store.

pub mod call;
pub mod classify;
pub mod expression;
pub mod figures;
pub mod function;
pub mod levels;
pub mod medium;
pub mod member;
pub mod metric;
pub mod outcome;
pub mod profile;
pub mod reliability;
pub mod sentence;
pub mod summary;
pub mod typed;
pub mod vectors;

pub use classify::classify;
pub use figures::{Figure, Figures};
pub use medium::Medium;
pub use metric::Metric;
pub use outcome::{Outcome, Verdict};
pub use profile::{Profile, ProfileError, Profiles};
pub use summary::Summary;
pub use typed::{Verdicts, judge};
