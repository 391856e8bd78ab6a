//! Lines and cells of CSV (RFC 4180) and of text between tabs.
//!
//! No cell goes over the end of its line, so that a quotation mark that is not closed spoils one line only.

use std::borrow::Cow;

use crate::fault::Rule;

/// Cells of a line that are kept; more are counted.
const MOST_CELLS: usize = 32;

/// A line that is not blank.
#[derive(Debug)]
pub(crate) struct Row<'f> {
    /// From 1.
    pub(crate) line: u32,
    /// The first of its cells.
    pub(crate) cells: Vec<Cell<'f>>,
    /// How many there are.
    pub(crate) count: usize,
}

/// A cell without white space at its ends.
#[derive(Debug)]
pub(crate) struct Cell<'f> {
    pub(crate) text: Cow<'f, str>,
    /// Why it can't be read.
    pub(crate) broken: Option<Rule>,
}

/// How a file separates its cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    pub(crate) separator: u8,
    /// Whether cells may stand in quotation marks.
    pub(crate) has_quotes: bool,
}

/// Every line that has something in a cell.
pub(crate) fn rows(bytes: &[u8], form: Form) -> impl Iterator<Item = Row<'_>> {
    lines(bytes).filter_map(move |(line, bytes)| {
        let row = row(line, bytes, form);
        let is_blank = row.cells.iter().all(|cell| cell.text.is_empty() && cell.broken.is_none());
        (!is_blank || row.count > MOST_CELLS).then_some(row)
    })
}

/// Lines with their numbers; they end with LF, CR LF or CR.
fn lines(mut rest: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut number = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        number += 1;
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (line, behind) = match end {
            Some(end) if rest[end..].starts_with(b"\r\n") => (&rest[..end], &rest[end + 2..]),
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &[][..]),
        };
        rest = behind;
        Some((number, line))
    })
}

fn row(line: u32, bytes: &[u8], form: Form) -> Row<'_> {
    let mut row = Row { line, cells: Vec::new(), count: 0 };
    let mut rest = Some(bytes);
    while let Some(bytes) = rest {
        let (cell, behind) = cell(bytes, form);
        if row.cells.len() < MOST_CELLS {
            row.cells.push(cell);
        }
        row.count += 1;
        rest = behind;
    }
    row
}

/// The first cell, and what is behind its separator.
fn cell(bytes: &[u8], form: Form) -> (Cell<'_>, Option<&[u8]>) {
    let spaces = bytes.iter().take_while(|byte| **byte == b' ').count();
    if form.has_quotes && bytes.get(spaces) == Some(&b'"') {
        return quoted(&bytes[spaces + 1..], form.separator);
    }
    let (text, behind) = cut(bytes, form.separator);
    (read(Cow::Borrowed(text)), behind)
}

/// A cell behind its opening quotation mark.
fn quoted(bytes: &[u8], separator: u8) -> (Cell<'_>, Option<&[u8]>) {
    let mut text = Vec::new();
    let mut rest = bytes;
    loop {
        let Some(end) = rest.iter().position(|byte| *byte == b'"') else {
            text.extend_from_slice(rest);
            let cell = Cell { broken: Some(Rule::Quote), ..read(Cow::Owned(text)) };
            return (cell, None);
        };
        text.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        let Some(more) = rest.strip_prefix(b"\"") else { break };
        text.push(b'"');
        rest = more;
    }
    let (between, behind) = cut(rest, separator);
    let mut cell = read(Cow::Owned(text));
    if between.iter().any(|byte| *byte != b' ') {
        cell.broken = Some(Rule::BehindQuote);
    }
    (cell, behind)
}

fn cut(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match bytes.iter().position(|byte| *byte == separator) {
        Some(end) => (&bytes[..end], Some(&bytes[end + 1..])),
        None => (bytes, None),
    }
}

fn read(bytes: Cow<'_, [u8]>) -> Cell<'_> {
    let (text, is_utf8) = match bytes {
        Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => (Cow::Borrowed(text.trim()), true),
            Err(_) => (Cow::Owned(String::from_utf8_lossy(bytes).into_owned()), false),
        },
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) => (Cow::Owned(text.trim().to_owned()), true),
            Err(error) => {
                (Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()), false)
            }
        },
    };
    let broken = if !is_utf8 {
        Some(Rule::Utf8)
    } else if text.contains(char::is_control) {
        Some(Rule::Control)
    } else {
        None
    };
    Cell { text, broken }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Form = Form { separator: b',', has_quotes: true };
    const TSV: Form = Form { separator: b'\t', has_quotes: true };

    /// Lines of cells, each with the name of the rule that it breaks.
    fn read_all(text: &[u8], form: Form) -> Vec<(u32, Vec<String>)> {
        let told = |cell: &Cell<'_>| match &cell.broken {
            Some(rule) => format!("{}!{}", cell.text, rule.name()),
            None => cell.text.to_string(),
        };
        rows(text, form).map(|row| (row.line, row.cells.iter().map(told).collect())).collect()
    }

    fn one(text: &str) -> Vec<String> {
        read_all(text.as_bytes(), CSV).remove(0).1
    }

    #[test]
    fn lines_end_in_any_way_and_blank_ones_count_but_are_left_out() {
        let expected: Vec<(u32, Vec<String>)> =
            [1, 3, 4, 6].iter().map(|line| (*line, vec!["a".to_owned(), "b".to_owned()])).collect();
        assert_eq!(read_all(b"a,b\r\n\r\na,b\na,b\r ,\ra,b", CSV), expected);
        assert_eq!(read_all(b"a\tb\r\n\r\na\tb\na\tb\r\t\ra\tb\n", TSV), expected);
        assert!(read_all(b"", CSV).is_empty());
    }

    #[test]
    fn cells_may_stand_in_quotation_marks() {
        assert_eq!(one(r#"a, "b, c" ,"d ""e""", f ,"#), ["a", "b, c", "d \"e\"", "f", ""]);
        assert_eq!(one(r#"15" screen,x"#), ["15\" screen", "x"]);
        assert_eq!(one(r#""",x"#), ["", "x"]);
        assert_eq!(one(r#"a,"b, c"#), ["a", "b, c!quoteNotClosed"]);
        assert_eq!(one(r#""a" b,c"#), ["a!textBehindQuote", "c"]);
        let literal = Form { has_quotes: false, ..TSV };
        assert_eq!(read_all(b"\"a\tb", literal)[0].1, ["\"a", "b"]);
    }

    #[test]
    fn bytes_that_are_no_text_are_told() {
        assert_eq!(
            read_all(b"caf\xe9,a\0b,\"\xff\"", CSV)[0].1,
            ["caf\u{fffd}!notUtf8", "a\0b!controlCharacter", "\u{fffd}!notUtf8"]
        );
    }

    #[test]
    fn a_line_of_separators_is_counted_not_kept() {
        let commas = vec![b','; 100_000];
        let rows: Vec<Row<'_>> = rows(&commas, CSV).collect();
        assert_eq!((rows[0].count, rows[0].cells.len()), (100_001, MOST_CELLS));
    }
}
