//! The version of the protocol that an answer is written in.

/// A version of OData.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ODataVersion {
    /// 4.0.
    #[default]
    V4,
    /// 4.01. What is written is lawful in both; the description of the model says its version.
    V401,
}

impl ODataVersion {
    /// As header lines and descriptions of models write it.
    pub fn text(self) -> &'static str {
        match self {
            Self::V4 => "4.0",
            Self::V401 => "4.01",
        }
    }
}
