//! The body of a request: its type, its encoding, and how much of it is taken.

mod budget;
mod inflate;
mod stream;

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use hyper::body::{Body as _, Incoming};

pub(crate) use budget::{IngestBudget, Reservation};
use inflate::Inflate;
pub(crate) use stream::{BodyContent, ResponseBody, Sender, Stream, stream};

use crate::problem::Problem;

/// Most that one chunk of an encoded body may inflate to. Real data inflates ten times or so; a
/// chunk is some KiB.
const CHUNK_LIMIT: usize = 16 << 20;

/// Where the bytes of a body are.
#[derive(Debug)]
pub(crate) enum Source {
    /// On their way from the client.
    Wire(Incoming),
    /// Here: a member of a batch came with them.
    Given(Bytes),
}

/// A body that is yet to be read.
#[derive(Debug)]
pub(crate) struct Body {
    source: Source,
    encoding: Result<Option<Inflate>, ()>,
    /// Bytes as announced, 0 when not.
    announced: u64,
    /// How long the client may send nothing.
    patience: Duration,
}

impl Body {
    pub(crate) fn new(source: Source, headers: &HeaderMap, patience: Duration) -> Self {
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .unwrap_or(0);
        Self { source, encoding: encoding(headers), announced, patience }
    }

    /// The next piece, decoded; `None` at the end. Pieces may be empty.
    ///
    /// 400 when the encoding is damaged or the body cut short, 408 when it stops arriving, 413
    /// when a piece inflates beyond measure, 415 for an unknown encoding.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        let Ok(inflate) = &mut self.encoding else {
            return Err(Problem::unsupported_media_type(
                "Content-Encoding must be gzip, br, zstd or identity.",
            )
            .with_target("Content-Encoding"));
        };
        let received = self.source.next(self.patience).await?;
        match (received, inflate) {
            (Some(data), Some(inflate)) => inflate.push(&data, CHUNK_LIMIT).map(Some),
            (None, Some(inflate)) => inflate.finish().map(|()| None),
            (received, None) => Ok(received),
        }
    }

    /// The whole body, decoded, of at most `limit` bytes; 413 above. What is held is counted
    /// against `reservation` as it grows; 503 when the budget is spent.
    pub(crate) async fn read(
        &mut self,
        limit: usize,
        mut reservation: Option<&mut Reservation>,
    ) -> Result<Bytes, Problem> {
        if self.announced > limit as u64 {
            return Err(Problem::too_large(limit as u64));
        }
        let mut whole: Vec<u8> = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.len() + chunk.len() > limit {
                return Err(Problem::too_large(limit as u64));
            }
            if let Some(reservation) = reservation.as_deref_mut() {
                reservation.grow(chunk.len() as u64)?;
            }
            if whole.is_empty() && self.source.is_at_its_end() && self.is_plain() {
                // A small body comes in one piece and need not be copied.
                return Ok(chunk);
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.into())
    }

    fn is_plain(&self) -> bool {
        matches!(self.encoding, Ok(None))
    }
}

impl Source {
    /// The next piece; `None` at the end.
    async fn next(&mut self, patience: Duration) -> Result<Option<Bytes>, Problem> {
        let incoming = match self {
            Self::Given(bytes) => {
                return Ok((!bytes.is_empty()).then(|| std::mem::take(bytes)));
            }
            Self::Wire(incoming) => incoming,
        };
        tokio::time::timeout(patience, next_data(incoming))
            .await
            .map_err(|_| Problem::request_timeout())?
            .map_err(|error| {
                Problem::bad_request("The body of the request was cut short or malformed.")
                    .with_cause(error)
            })
    }

    fn is_at_its_end(&self) -> bool {
        match self {
            Self::Wire(incoming) => incoming.is_end_stream(),
            Self::Given(bytes) => bytes.is_empty(),
        }
    }
}

async fn next_data(incoming: &mut Incoming) -> Result<Option<Bytes>, hyper::Error> {
    loop {
        let frame =
            std::future::poll_fn(|context| std::pin::Pin::new(&mut *incoming).poll_frame(context))
                .await;
        match frame {
            None => return Ok(None),
            Some(Err(error)) => return Err(error),
            Some(Ok(frame)) => {
                // Trailers carry nothing that is read.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// The decoder that the header asks for. A list of several encodings is not read.
fn encoding(headers: &HeaderMap) -> Result<Option<Inflate>, ()> {
    let mut lines = headers.get_all(CONTENT_ENCODING).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return if headers.contains_key(CONTENT_ENCODING) { Err(()) } else { Ok(None) };
    };
    let name = line.to_str().map_err(drop)?.trim().to_ascii_lowercase();
    match name.as_str() {
        "" | "identity" => Ok(None),
        "gzip" | "x-gzip" => Ok(Some(Inflate::gzip())),
        "br" => Ok(Some(Inflate::brotli())),
        "zstd" => Inflate::zstd().map(Some).map_err(drop),
        _ => Err(()),
    }
}

/// Which of `types` the body is (by its place in the list); 415 when it is none of them or says
/// nothing. Parameters such as `charset=utf-8` are let through, other charsets are not.
pub(crate) fn content_type(headers: &HeaderMap, types: &[&'static str]) -> Result<usize, Problem> {
    let refuse = || {
        Problem::unsupported_media_type(format!("Content-Type must be {}.", types.join(" or ")))
            .with_target("Content-Type")
    };
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Err(refuse()) };
    let line = line.to_str().map_err(|_| refuse())?;
    let (name, parameters) = line.split_once(';').unwrap_or((line, ""));
    for parameter in parameters.split(';') {
        if let Some((key, value)) = parameter.split_once('=')
            && key.trim().eq_ignore_ascii_case("charset")
        {
            let charset = value.trim().trim_matches('"');
            if !["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| charset.eq_ignore_ascii_case(known))
            {
                return Err(refuse());
            }
        }
    }
    types.iter().position(|known| name.trim().eq_ignore_ascii_case(known)).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_told_apart_without_regard_to_case_and_parameters() {
        let types = ["application/json", "application/x-ndjson"];
        let cases = [
            ("application/json", Some(0)),
            ("APPLICATION/JSON; charset=UTF-8", Some(0)),
            ("application/json;odata.metadata=minimal", Some(0)),
            ("application/x-ndjson", Some(1)),
            ("application/json; charset=utf-16", None),
            ("text/json", None),
            ("application/jsonx", None),
            ("", None),
        ];
        for (line, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, line.parse().unwrap());
            assert_eq!(content_type(&headers, &types).ok(), expected, "{line}");
        }
        assert!(content_type(&HeaderMap::new(), &types).is_err());
    }

    #[test]
    fn encodings_we_read_are_known_and_others_refused() {
        let cases = [
            ("gzip", true, false),
            ("GZIP", true, false),
            ("br", true, false),
            ("zstd", true, false),
            ("identity", true, true),
            ("deflate", false, false),
            ("gzip, gzip", false, false),
        ];
        for (line, is_read, is_plain) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_ENCODING, line.parse().unwrap());
            let found = encoding(&headers);
            assert_eq!(found.is_ok(), is_read, "{line}");
            assert_eq!(matches!(found, Ok(None)), is_plain, "{line}");
        }
        assert!(matches!(encoding(&HeaderMap::new()), Ok(None)));
    }
}
