//! One row as a line of JSON, member by member.

use crate::json::{self, Instants};

/// A row that is being written. All values are of types that are always there, or null.
pub(super) struct Line(Vec<u8>);

impl Line {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(1_024))
    }

    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        json::string(&mut self.0, value);
        self
    }

    pub(super) fn optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self.null(name),
        }
    }

    pub(super) fn null(mut self, name: &str) -> Self {
        self.name(name);
        json::raw(&mut self.0, "null");
        self
    }

    pub(super) fn boolean(mut self, name: &str, value: bool) -> Self {
        self.name(name);
        json::raw(&mut self.0, if value { "true" } else { "false" });
        self
    }

    pub(super) fn number(mut self, name: &str, value: u64) -> Self {
        self.name(name);
        json::unsigned(&mut self.0, value);
        self
    }

    pub(super) fn cents(mut self, name: &str, value: u64) -> Self {
        self.name(name);
        json::cents(&mut self.0, value);
        self
    }

    pub(super) fn guid(mut self, name: &str, value: [u8; 16]) -> Self {
        self.name(name);
        self.0.push(b'"');
        json::guid(&mut self.0, value);
        self.0.push(b'"');
        self
    }

    pub(super) fn instant(mut self, name: &str, instants: &mut Instants, ticks: i64) -> Self {
        self.name(name);
        instants.write(&mut self.0, ticks);
        self
    }

    /// Members that are finished, with commas between them only.
    pub(super) fn members(mut self, members: &[u8]) -> Self {
        self.separate();
        self.0.extend_from_slice(members);
        self
    }

    /// A collection of nothing.
    pub(super) fn empty(mut self, name: &str) -> Self {
        self.name(name);
        json::raw(&mut self.0, "[]");
        self
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        json::raw(&mut self.0, "}\n");
        self.0
    }

    fn name(&mut self, name: &str) {
        self.separate();
        json::string(&mut self.0, name);
        self.0.push(b':');
    }

    fn separate(&mut self) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
    }
}
