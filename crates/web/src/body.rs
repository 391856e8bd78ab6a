//! The body of a request: its type, its encoding, and how much of it is taken.

mod budget;
mod inflate;
mod pace;

use std::rc::Rc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use hyper::body::{Body as _, Incoming};

pub use budget::{IngestBudget, Reservation};
use inflate::{Fault, Inflate};
use pace::Pace;

use crate::activity::Activity;
use crate::blocking::elsewhere_if;
use crate::limits::Limits;
use crate::problem::Problem;

/// From so many bytes on a body is not moved any more while it grows.
const LARGE: usize = 1 << 20;

/// Where the bytes of a body are.
#[derive(Debug)]
pub enum Source {
    /// On their way from the client, by a connection.
    Wire(Incoming, Rc<Activity>),
    /// Here: a member of a batch came with them.
    Given(Bytes),
}

/// A body that is yet to be read.
#[derive(Debug)]
pub struct Body {
    source: Source,
    encoding: Result<Option<Inflate>, ()>,
    /// Bytes as announced, 0 when not.
    announced: u64,
    pace: Pace,
}

impl Body {
    /// A body with these header lines, which say how it is encoded.
    pub fn new(source: Source, headers: &HeaderMap, limits: &Limits) -> Self {
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .unwrap_or(0);
        Self { source, encoding: encoding(headers), announced, pace: Pace::new(limits) }
    }

    /// The next piece, decoded; `None` at the end. Pieces may be empty, and of an encoded body none is
    /// much larger than 64 KiB.
    ///
    /// 400 when the encoding is damaged or the body cut short, 408 when it arrives too slowly, 415 for
    /// an unknown encoding.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        self.piece(usize::MAX, usize::MAX).await
    }

    /// The whole body, decoded, of at most `limit` bytes; 413 above, as soon as that is known. What is
    /// held is counted against `reservation` as it grows; 503 when the budget is spent.
    pub async fn read(
        &mut self,
        limit: usize,
        mut reservation: Option<&mut Reservation>,
    ) -> Result<Bytes, Problem> {
        if self.announced > limit as u64 {
            return Err(Problem::too_large(limit as u64));
        }
        let mut whole: Vec<u8> = Vec::new();
        loop {
            let room = limit - whole.len();
            let Some(piece) = self.piece(room, limit).await? else { return Ok(whole.into()) };
            // What is encoded may not be longer either: it could go on for ever and hold nothing.
            if piece.len() > room || self.pace.received() > limit as u64 {
                return Err(Problem::too_large(limit as u64));
            }
            if let Some(reservation) = reservation.as_deref_mut() {
                reservation.grow(piece.len() as u64)?;
            }
            if whole.is_empty() && self.source.is_at_its_end() && self.is_plain() {
                // A small body comes in one piece and need not be copied.
                return Ok(piece);
            }
            if whole.len() >= LARGE && whole.capacity() - whole.len() < piece.len() {
                // To move what is large again and again would hold up others. Room for all that may come is
                // only an address until it is used; where it can't be had, the usual growth will do.
                let _ = whole.try_reserve_exact(room);
            }
            whole.extend_from_slice(&piece);
        }
    }

    /// The next piece of a body that may have `room` more bytes of `limit`.
    async fn piece(&mut self, room: usize, limit: usize) -> Result<Option<Bytes>, Problem> {
        let mut is_first = true;
        loop {
            let Ok(encoding) = &mut self.encoding else {
                return Err(Problem::unsupported_media_type(
                    "Content-Encoding must be gzip, br, zstd or identity.",
                )
                .with_target("Content-Encoding"));
            };
            if let Some(inflate) = encoding.take_if(|inflate| !inflate.is_done()) {
                if is_first {
                    // Others have their turn between two pieces.
                    tokio::task::yield_now().await;
                }
                let (inflate, piece) = step(inflate, room).await?;
                self.encoding = Ok(Some(inflate));
                return piece.map(Some).map_err(|fault| fault.problem(limit));
            }
            is_first = false;
            let received = self.source.next(&mut self.pace).await?;
            match (received, encoding) {
                (Some(bytes), Some(inflate)) => inflate.feed(bytes),
                (None, Some(inflate)) => {
                    return inflate.finish().map(|()| None).map_err(|fault| fault.problem(limit));
                }
                (received, None) => return Ok(received),
            }
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self.encoding, Ok(None))
    }
}

/// One step of a decoder, on another thread if it can take long.
async fn step(
    mut inflate: Inflate,
    room: usize,
) -> Result<(Inflate, Result<Bytes, Fault>), Problem> {
    let is_slow = inflate.is_slow(room);
    let work = move || {
        let piece = inflate.step(room);
        (inflate, piece)
    };
    elsewhere_if(is_slow, work).await
}

impl Source {
    /// The next piece; `None` at the end.
    async fn next(&mut self, pace: &mut Pace) -> Result<Option<Bytes>, Problem> {
        let (incoming, activity) = match self {
            Self::Given(bytes) => {
                return Ok((!bytes.is_empty()).then(|| std::mem::take(bytes)));
            }
            Self::Wire(incoming, activity) => (incoming, activity),
        };
        let waiting = activity.waits_for_body();
        let next = pace.wait(next_data(incoming)).await?;
        drop(waiting);
        let next = next.map_err(|error| {
            Problem::bad_request("The body of the request was cut short or malformed.")
                .with_cause(error)
        })?;
        pace.receive(next.as_ref().map_or(0, Bytes::len));
        Ok(next)
    }

    fn is_at_its_end(&self) -> bool {
        match self {
            Self::Wire(incoming, _) => incoming.is_end_stream(),
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

/// Characters of a Content-Type that a message shows.
const SHOWN_TYPE: usize = 60;

/// Which of `types` the body is (by its place in the list); 415 when it is none of them or says
/// nothing. Parameters such as `charset=utf-8` are let through, other charsets are not.
pub fn content_type(headers: &HeaderMap, types: &[&'static str]) -> Result<usize, Problem> {
    let refuse = || {
        let came = match headers.get(CONTENT_TYPE) {
            Some(line) => {
                let line = String::from_utf8_lossy(line.as_bytes());
                let shown: String = line.chars().take(SHOWN_TYPE).collect();
                format!("and not '{shown}{}'", if shown.len() < line.len() { "…" } else { "" })
            }
            None => "and is missing".to_owned(),
        };
        let types = types.join(" or ");
        Problem::unsupported_media_type(format!("Content-Type must be {types}, {came}."))
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
        let told =
            |headers: &HeaderMap| content_type(headers, &types).unwrap_err().message().to_owned();
        assert!(told(&HeaderMap::new()).ends_with(", and is missing."));
        let form = [(CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap())];
        let form = told(&form.into_iter().collect());
        assert!(form.ends_with(", and not 'application/x-www-form-urlencoded'."), "{form}");
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
