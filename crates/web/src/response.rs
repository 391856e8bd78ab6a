//! An answer as the resources make it, before the layers finish it.

use bytes::Bytes;
use http::StatusCode;
use http::header::{GetAll, HeaderName, HeaderValue};
use odata::MetadataLevel;

use crate::answer_budget::InFlight;
use crate::negotiate::{AppliedPreferences, Format};
use crate::request_id::RequestIdText;
use crate::stream::Stream;

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub content: Content,
    /// The tag of what is answered.
    pub etag: Option<ETag>,
    /// Which preferences shaped it.
    pub applied: AppliedPreferences,
    /// Further header lines.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What of its bytes is counted.
    pub in_flight: Option<InFlight>,
}

/// What the answer carries.
#[derive(Debug)]
pub enum Content {
    /// Nothing.
    Empty,
    /// Something that is there.
    Bytes(ContentType, Bytes),
    /// Something that is still being made.
    Stream(ContentType, Stream),
}

/// A media type that we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// OData's JSON in one of its forms.
    Json(Format),
    /// JSON without OData: problems, tokens, keys.
    PlainJson,
    /// A raw value.
    Text,
    /// The model.
    Xml,
    /// A page for people.
    Html,
    /// A JSON value per line.
    Ndjson,
    /// Any other, by the text of its header.
    Other(&'static str),
    /// Parts, between lines with this boundary.
    Multipart(RequestIdText),
}

impl ContentType {
    /// The header, letter for letter as Graph sends it.
    pub fn header(self) -> HeaderValue {
        match self {
            Self::Multipart(boundary) => {
                let line = format!("{}; boundary={}", self.text(), boundary.as_str());
                HeaderValue::from_str(&line).expect("an id is visible ASCII")
            }
            _ => HeaderValue::from_static(self.text()),
        }
    }

    /// The text of [`Self::header`], but for a boundary.
    pub fn text(self) -> &'static str {
        match self {
            Self::Json(Format { metadata, ieee754 }) => json_header(metadata, ieee754),
            Self::PlainJson => "application/json",
            Self::Text => "text/plain; charset=utf-8",
            Self::Xml => "application/xml; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Other(text) => text,
            Self::Multipart(_) => "multipart/mixed",
        }
    }
}

fn json_header(metadata: MetadataLevel, ieee754: bool) -> &'static str {
    macro_rules! line {
        ($level:literal, $ieee754:literal) => {
            concat!(
                "application/json; odata.metadata=",
                $level,
                "; odata.streaming=true; IEEE754Compatible=",
                $ieee754,
                "; charset=utf-8"
            )
        };
    }
    match (metadata, ieee754) {
        (MetadataLevel::None, false) => line!("none", "false"),
        (MetadataLevel::None, true) => line!("none", "true"),
        (MetadataLevel::Minimal, false) => line!("minimal", "false"),
        (MetadataLevel::Minimal, true) => line!("minimal", "true"),
        (MetadataLevel::Full, false) => line!("full", "false"),
        (MetadataLevel::Full, true) => line!("full", "true"),
    }
}

impl Response {
    fn new(status: StatusCode, content: Content) -> Self {
        Self {
            status,
            content,
            etag: None,
            applied: AppliedPreferences::default(),
            headers: Vec::new(),
            in_flight: None,
        }
    }

    /// 200 with OData's JSON.
    pub fn json(format: Format, body: impl Into<Bytes>) -> Self {
        Self::of(ContentType::Json(format), body)
    }

    /// 200 with a raw value.
    pub fn text(body: impl Into<Bytes>) -> Self {
        Self::of(ContentType::Text, body)
    }

    /// 200 with XML.
    pub fn xml(body: impl Into<Bytes>) -> Self {
        Self::of(ContentType::Xml, body)
    }

    /// 200 with a body of any type.
    pub fn of(content_type: ContentType, body: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, Content::Bytes(content_type, body.into()))
    }

    /// 200 with a body that is still being made.
    pub fn stream(content_type: ContentType, stream: Stream) -> Self {
        Self::new(StatusCode::OK, Content::Stream(content_type, stream))
    }

    /// No body.
    pub fn empty(status: StatusCode) -> Self {
        Self::new(status, Content::Empty)
    }

    /// 304.
    pub fn not_modified(etag: ETag) -> Self {
        Self::empty(StatusCode::NOT_MODIFIED).with_etag(etag)
    }

    /// Another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The tag of what is answered.
    #[must_use]
    pub fn with_etag(mut self, etag: ETag) -> Self {
        self.etag = Some(etag);
        self
    }

    /// Another header line.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Its bytes are counted so far.
    #[must_use]
    pub fn counted(mut self, in_flight: InFlight) -> Self {
        self.in_flight = Some(in_flight);
        self
    }

    /// Bytes of what is there of its body.
    pub fn bytes(&self) -> u64 {
        match &self.content {
            Content::Bytes(_, bytes) => bytes.len() as u64,
            Content::Empty | Content::Stream(..) => 0,
        }
    }

    /// Which preferences shaped it.
    #[must_use]
    pub fn applied(mut self, applied: AppliedPreferences) -> Self {
        self.applied = applied;
        self
    }
}

/// A weak entity tag: two answers with the same tag say the same, though perhaps in another
/// content encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ETag(u128);

impl ETag {
    /// A tag from a hash of all that shapes the answer.
    pub fn new(hash: u128) -> Self {
        Self(hash)
    }

    /// `W/"…"`
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_bytes(&self.text()).expect("quotes and digits are visible ASCII")
    }

    /// The bytes of [`Self::header`].
    pub fn text(self) -> [u8; 36] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = *b"W/\"00000000000000000000000000000000\"";
        let digits = text.iter_mut().skip(3).take(32);
        for (place, digit) in digits.enumerate() {
            *digit = DIGITS[(self.0 >> (124 - 4 * place)) as usize & 15];
        }
        text
    }

    /// Whether the lines of `If-None-Match` name it.
    pub fn is_named_by(self, lines: GetAll<'_, HeaderValue>) -> bool {
        lines.into_iter().any(|line| self.is_named_in(line.as_bytes()))
    }

    /// Whether one line of `If-None-Match` names it. Tags of others may hold any bytes but quotes (RFC
    /// 9110 section 8.8.3).
    pub fn is_named_in(self, line: &[u8]) -> bool {
        line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).any(|tag| {
            let tag = tag.strip_prefix(b"W/").unwrap_or(tag);
            let quoted = tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\""));
            tag == b"*" || quoted.is_some_and(|hex| self.is_written(hex))
        })
    }

    fn is_written(self, hex: &[u8]) -> bool {
        let text = std::str::from_utf8(hex).unwrap_or_default();
        text.len() == 32 && u128::from_str_radix(text, 16) == Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::IF_NONE_MATCH;

    use super::*;

    #[test]
    fn json_is_labelled_as_graph_labels_it() {
        assert_eq!(
            ContentType::Json(Format::default()).header(),
            "application/json; odata.metadata=minimal; odata.streaming=true; \
             IEEE754Compatible=false; charset=utf-8"
        );
        let format = Format { metadata: MetadataLevel::None, ieee754: true };
        assert_eq!(
            ContentType::Json(format).header(),
            "application/json; odata.metadata=none; odata.streaming=true; \
             IEEE754Compatible=true; charset=utf-8"
        );
    }

    #[test]
    fn if_none_match_is_compared_weakly() {
        let etag = ETag::new(0xab);
        let tag = "000000000000000000000000000000ab";
        let cases = [
            (format!("W/\"{tag}\""), true),
            (format!("\"{tag}\""), true),
            (format!("\"x\", W/\"{tag}\""), true),
            ("*".to_owned(), true),
            (tag.to_owned(), false),
            (format!("W/\"{}\"", tag.replace('a', "b")), false),
            ("W/\"ab\"".to_owned(), false),
            (String::new(), false),
            (format!("\"ä\", \"{tag}\""), true),
            (format!("\"{tag}\", ä"), true),
            (format!("\"ä{}\"", &tag[2..]), false),
        ];
        assert_eq!(etag.header(), cases[0].0);
        for (line, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_bytes(line.as_bytes()).unwrap());
            assert_eq!(etag.is_named_by(headers.get_all(IF_NONE_MATCH)), expected, "{line}");
        }
        assert!(!etag.is_named_by(HeaderMap::new().get_all(IF_NONE_MATCH)));
    }
}
