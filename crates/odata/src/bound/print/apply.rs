//! `$apply` as text.

use std::fmt;

use super::joined;
use crate::bound::{Aggregate, Apply, GroupKey, Method, Transformation};

impl fmt::Display for Apply {
    /// As in `$apply`, not percent-encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            step.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Transformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity"),
            Self::Filter(condition) => write!(f, "filter({condition})"),
            Self::Search(search) => write!(f, "search({search})"),
            Self::Compute(computed) => write!(f, "compute({})", joined(computed)),
            Self::OrderBy(keys) => write!(f, "orderby({})", joined(keys)),
            Self::Skip(count) => write!(f, "skip({count})"),
            Self::Top(count) => write!(f, "top({count})"),
            Self::Aggregate(figures) => write!(f, "aggregate({})", joined(figures)),
            Self::GroupBy { keys, apply } => {
                write!(f, "groupby(({})", joined(keys))?;
                match apply {
                    Some(apply) => write!(f, ",{apply})"),
                    None => f.write_str(")"),
                }
            }
            Self::Concat(chains) => write!(f, "concat({})", joined(chains)),
            Self::Join { path, alias, apply, is_outer } => {
                let name = if *is_outer { "outerjoin" } else { "join" };
                write!(f, "{name}({path} as {alias}")?;
                match apply {
                    Some(apply) => write!(f, ",{apply})"),
                    None => f.write_str(")"),
                }
            }
            Self::Extreme { kind, amount, by } => write!(f, "{}({amount},{by})", kind.name()),
        }
    }
}

impl fmt::Display for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Rollup { paths, all } => {
                write!(f, "rollup({}{})", if *all { "$all," } else { "" }, joined(paths))
            }
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, self.method) {
            (None, _) => f.write_str("$count")?,
            (Some(value), Method::Count) => write!(f, "{value}/$count")?,
            (Some(value), method) => write!(f, "{value} with {method}")?,
        }
        write!(f, " as {}", self.alias)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sum => f.write_str("sum"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Average => f.write_str("average"),
            Self::CountDistinct => f.write_str("countdistinct"),
            Self::Count => f.write_str("$count"),
            // Shares are read as whole per cent, so this gives back what was read.
            Self::Percentile(share) => write!(f, "callvault.percentile{}", (share * 100.0).round()),
        }
    }
}
