//! How much control information a payload carries.

/// The value of the parameter `odata.metadata` of a media type (OData JSON Format 4.01 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetadataLevel {
    /// Next links and counts only.
    None,
    /// What a client needs that knows the schema.
    #[default]
    Minimal,
    /// Everything.
    Full,
}

impl MetadataLevel {
    /// As media types write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Full => "full",
        }
    }
}
