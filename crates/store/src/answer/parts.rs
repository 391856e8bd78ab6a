//! Which parts of a row an expression looks at: what it doesn't look at is not read.

use model::rows::QUALITY;
use odata::bound::{Expr, Path, PathStep};

/// What the JSON of a row has inside beside its own members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) sessions: bool,
    pub(super) participants: bool,
    pub(super) segments: bool,
    /// The verdict on the row, and on its sessions where they are there.
    pub(super) quality: bool,
}

impl Parts {
    /// All that `$search` looks at.
    pub(super) const SEARCHED: Self =
        Self { sessions: true, participants: true, segments: true, quality: false };

    /// Those of both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            sessions: self.sessions || other.sessions,
            participants: self.participants || other.participants,
            segments: self.segments || other.segments,
            quality: self.quality || other.quality,
        }
    }
}

/// What expressions look at beside a row's own members.
pub(super) fn parts(all: &[&Expr]) -> Parts {
    let mut found = Parts::default();
    for expr in all {
        expr.any_path(&mut |path| {
            found = found.and(parts_of_path(path));
            false
        });
    }
    found
}

/// What the steps of a path name; not what is inside their conditions.
pub(super) fn parts_of_path(path: &Path) -> Parts {
    let names = |name: &str| path.steps.iter().any(|step| is_named(step, name));
    // A function may look at all that a row has inside.
    let calls = path.steps.iter().any(|step| matches!(step, PathStep::Call(_)));
    Parts {
        sessions: calls || names("sessions"),
        participants: names("participants_v2"),
        segments: calls || names("segments"),
        quality: names(QUALITY),
    }
}

fn is_named(step: &PathStep, name: &str) -> bool {
    match step {
        PathStep::Property(property) => property.name == name,
        PathStep::Member(member) => member == name,
        PathStep::Count { search: Some(_), .. } => true,
        _ => false,
    }
}
