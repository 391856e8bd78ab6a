//! The name of what answered a request, for metrics and the access log.

/// A label, by its place in the application's list of labels ([`crate::Options::labels`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Its place in the list.
    pub number: u8,
    /// Its text: a path with placeholders, which names no person.
    pub template: &'static str,
}

impl Route {
    /// Of a request that led nowhere: the first label of every application.
    pub const UNKNOWN: Self = Self { number: 0, template: "unknown" };
}

impl Default for Route {
    fn default() -> Self {
        Self::UNKNOWN
    }
}
