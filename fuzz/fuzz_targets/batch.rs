//! A batch as a multipart message: taken apart or refused, without a panic; no more requests than are
//! allowed come out of it, and what they consist of stands in it. The first line is the `Content-Type`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odata::multipart::{Part, PartRequest, boundary, read};

const MOST: usize = 20;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (first, body) = bytes.split_at(end);
    let Ok(content_type) = std::str::from_utf8(first) else { return };
    let Some(boundary) = boundary(content_type) else { return };
    match read(body, boundary, MOST) {
        Err(fault) => drop(std::hint::black_box(fault.to_string())),
        Ok(parts) => {
            let requests: Vec<&PartRequest<'_>> = parts
                .iter()
                .flat_map(|part| match part {
                    Part::Request(request) => std::slice::from_ref(request),
                    Part::ChangeSet(requests) => requests,
                })
                .collect();
            assert!(requests.len() <= MOST);
            for request in requests {
                assert!(!request.method.contains(char::is_whitespace));
                let delimiter = [b"\n--", boundary.as_bytes(), b"\n"].concat();
                assert!(!request.body.windows(delimiter.len()).any(|part| part == delimiter));
            }
        }
    }
});
