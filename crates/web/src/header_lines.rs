//! The header lines that answers have whatever they hold: the one list of them. Every layer adds its own
//! from here, and so does the fast way of an application, which writes them as text.

use http::HeaderMap;
use http::header::{
    CACHE_CONTROL, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
};

/// A header line that is always the same.
#[derive(Debug)]
pub struct Line {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: &'static str,
}

impl Line {
    const fn new(name: HeaderName, value: &'static str) -> Self {
        Self { name, value }
    }

    /// Adds it to the lines of an answer.
    pub fn add_to(&self, lines: &mut HeaderMap) {
        lines.insert(self.name.clone(), HeaderValue::from_static(self.value));
    }

    /// Writes it as text, with the end of the line.
    pub fn write(&self, write: &mut impl FnMut(&[u8])) {
        write(self.name.as_str().as_bytes());
        write(b": ");
        write(self.value.as_bytes());
        write(b"\r\n");
    }
}

/// The version of OData that is written.
pub static ODATA_VERSION: Line = Line::new(HeaderName::from_static("odata-version"), "4.0");
/// The same, for clients that take more than 4.0.
pub static ODATA_VERSION_401: Line = Line::new(HeaderName::from_static("odata-version"), "4.01");
/// An answer with a tag may be kept by its reader, who must ask whether it still holds.
pub static KEPT: Line = Line::new(CACHE_CONTROL, "private, no-cache");
/// An answer without a tag may not be kept.
pub static NOT_KEPT: Line = Line::new(CACHE_CONTROL, "no-store");
/// What answers depend on beside the address.
pub static VARIES_BY: Line =
    Line::new(VARY, "Accept, Accept-Encoding, Prefer, Authorization, OData-MaxVersion");
/// The same where the origin of a script decides as well.
pub static VARIES_BY_ORIGIN: Line =
    Line::new(VARY, "Accept, Accept-Encoding, Prefer, Authorization, OData-MaxVersion, Origin");
/// Browsers take the type as it is said.
pub static NO_SNIFFING: Line = Line::new(X_CONTENT_TYPE_OPTIONS, "nosniff");
/// A year of TLS alone, where there is TLS.
pub static STRICT_TRANSPORT: Line = Line::new(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
/// How long the stages of an answer took.
pub const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
