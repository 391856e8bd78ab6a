//! A request of any form, and what is sent of it.

use crate::raw;

/// A request by its parts, none of which need be sound.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Method, target and version.
    pub(super) start: Vec<u8>,
    /// Header lines without their ends.
    pub(super) lines: Vec<Vec<u8>>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// GET of a target with a token and what every request has.
    pub(super) fn get(target: &str, token: &str) -> Self {
        let start = format!("GET {target} HTTP/1.1").into_bytes();
        Self { start, lines: Vec::new(), body: Vec::new() }
            .with("Host: callvault.example")
            .with(&format!("Authorization: Bearer {token}"))
    }

    /// Any method, with a JSON body and its length.
    pub(super) fn sending(method: &str, target: &str, token: &str, body: &[u8]) -> Self {
        let mut request = Self::get(target, token).by(method);
        request.body = body.to_vec();
        request
            .with("Content-Type: application/json")
            .with(&format!("Content-Length: {}", body.len()))
    }

    /// With one more header line.
    pub(super) fn with(self, line: &str) -> Self {
        self.with_bytes(line.as_bytes())
    }

    /// With one more header line, which need be no text.
    pub(super) fn with_bytes(mut self, line: &[u8]) -> Self {
        self.lines.push(line.to_vec());
        self
    }

    /// With another method.
    pub(super) fn by(mut self, method: &str) -> Self {
        let rest = self.start.iter().position(|byte| *byte == b' ').unwrap_or(0);
        self.start = [method.as_bytes(), &self.start[rest..]].concat();
        self
    }

    /// Without the header lines of a name.
    pub(super) fn without(mut self, name: &str) -> Self {
        let is_named = |line: &[u8]| {
            line.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()))
        };
        self.lines.retain(|line| !is_named(line));
        self
    }

    /// The bytes that are sent.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.start);
        out.extend_from_slice(b"\r\n");
        for line in &self.lines {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
    }
}

/// Requests on one connection, and where their bytes are parted when they are sent.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) requests: Vec<Request>,
    pub(super) cuts: Vec<usize>,
}

impl From<Request> for Case {
    fn from(request: Request) -> Self {
        Self { requests: vec![request], cuts: Vec::new() }
    }
}

impl Case {
    /// All bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.requests.iter().for_each(|request| request.write(&mut bytes));
        bytes
    }

    /// Whether it could change what is stored.
    pub(super) fn is_writing(&self) -> bool {
        let reads = [&b"GET "[..], b"HEAD "];
        !self.requests.iter().all(|it| reads.iter().any(|read| it.start.starts_with(read)))
    }

    /// The least that is still so: without requests, header lines, bodies and cuts that don't matter.
    pub(super) fn shrunk(mut self, is_so: impl Fn(&Self) -> bool) -> Self {
        while let Some(less) = self.smaller().into_iter().find(|less| is_so(less)) {
            self = less;
        }
        self
    }

    /// Cases like this one with one thing less.
    fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        if !self.cuts.is_empty() {
            all.push(Self { cuts: Vec::new(), ..self.clone() });
        }
        for (number, request) in self.requests.iter().enumerate() {
            if self.requests.len() > 1 {
                let mut less = self.clone();
                less.requests.remove(number);
                all.push(less);
            }
            for line in 0..request.lines.len() {
                let mut less = self.clone();
                less.requests[number].lines.remove(line);
                all.push(less);
            }
        }
        all
    }

    /// How it is sent, so that anybody can do it again.
    pub(super) fn shown(&self) -> String {
        let cuts = if self.cuts.is_empty() {
            String::new()
        } else {
            format!(" parted at {:?}", self.cuts)
        };
        format!("\"{}\"{cuts}", raw::shown(&self.bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let request = |name: &str| Request::get("/a", "t").with(name).with("Odd: 1");
        let case = Case { requests: vec![request("X: 1"), request("Y: 2")], cuts: vec![3] };
        let is_so = |case: &Case| case.bytes().windows(6).any(|six| six == b"Y: 2\r\n");
        let less = case.shrunk(is_so);
        assert_eq!(less.shown(), "\"GET /a HTTP/1.1\\r\\nY: 2\\r\\n\\r\\n\"");
    }

    #[test]
    fn only_reads_leave_everything_as_it_is() {
        let get = Request::get("/a", "t");
        assert!(!Case::from(get.clone()).is_writing());
        assert!(!Case::from(get.clone().by("HEAD")).is_writing());
        assert!(Case::from(get.by("POST")).is_writing());
    }
}
