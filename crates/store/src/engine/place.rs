//! Where a store is: a file or a database.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL database, by its URL (PostgreSQL, "Connection URIs"), which may hold a password.
    Postgres(String),
}

impl Place {
    /// Reads a store's URL: `sqlite:PATH`, or `postgres://…`; `None` for anything else.
    pub fn parse(url: &str) -> Option<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return (!path.is_empty()).then(|| Self::File(path.into()));
        }
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        is_postgres.then(|| Self::Postgres(url.to_owned()))
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            // With a password, perhaps.
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}

/// Without what may be secret.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let rest = rest.split(['?', '#']).next().unwrap_or_default();
                let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
                write!(f, "postgres://{place}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_stores_are_read_and_shown_without_secrets() {
        let file = Place::parse("sqlite:/a/b.db").unwrap();
        assert_eq!(file, Place::File("/a/b.db".into()));
        assert_eq!(Place::parse("sqlite:///a/b.db"), Some(file));
        for wrong in ["", "sqlite:", "mysql://a/b", "postgres:a", "/a/b.db"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
        let url = "postgresql://ann:pa@ss@db.contoso.com:5432/calls?sslmode=require";
        let place = Place::parse(url).unwrap();
        assert_eq!(place.to_string(), "postgres://db.contoso.com:5432/calls");
        assert!(!format!("{place:?}").contains("pa@ss"), "{place:?}");
    }
}
