//! Paths and options that OData knows and that nothing answers yet.

use odata::bound::Step;
use web::Problem;

/// The name of what is not built.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsupported(pub(crate) String);

impl Unsupported {
    /// The last thing on a path that has a name.
    pub(crate) fn path(steps: &[Step]) -> Self {
        let what = steps.iter().rev().find_map(|step| match step {
            Step::Operation { operation, .. } => {
                Some(format!("the operation '{}'", operation.name))
            }
            Step::Property(property) => Some(format!("the path segment '{}'", property.name)),
            Step::Cast(ty) => Some(format!("the type cast '{}'", ty.name)),
            _ => None,
        });
        Self(what.unwrap_or_else(|| "this path".to_owned()))
    }

    /// Something by its name.
    pub(crate) fn named(what: &str) -> Self {
        Self(what.to_owned())
    }
}

/// 501.
impl From<Unsupported> for Problem {
    fn from(Unsupported(what): Unsupported) -> Self {
        Self::not_supported(format!("This service does not support {what} yet."))
    }
}
