//! Reads a file: which kind it is, what it says, and everything that is wrong with it.

mod access_points;
mod building;
mod endpoint;
mod lines;
mod numbers;

use std::fmt;

use lines::Lines;

use crate::fault::{Column, Faults, Rule};
use crate::kind::Kind;
use crate::map::Map;
use crate::table::{self, Form, Row};

/// Bytes that a file may have.
pub const LARGEST_FILE: usize = 64 << 20;
/// Rows that a file may have; a VPN row counts once for each of its addresses, as in CQD.
pub const MOST_ROWS: usize = 1_000_000;
/// Bytes of a line of no kind that are shown.
const BEGINNING: usize = 60;

/// Notes that are kept of a file; of overlaps there may be as many as rows.
const MOST_NOTES: usize = 1_000;

/// What came of reading a file.
#[derive(Debug)]
pub struct Outcome {
    /// The kind; none if it is not to be recognised.
    pub kind: Option<Kind>,
    /// What it says, or what is wrong.
    pub read: Result<Map, Faults>,
    /// What its owner should know.
    pub notes: Vec<Note>,
    /// How many notes there are; the first thousand are kept.
    pub note_count: usize,
}

/// Something that is no fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The first line has the names of the columns.
    Header {
        /// The line.
        line: u32,
    },
    /// A network lies within that of another line: of the two, the longer prefix counts.
    Within {
        /// The line of the smaller network.
        line: u32,
        /// The smaller network.
        network: String,
        /// The line of the larger one.
        other: u32,
        /// The larger one.
        larger: String,
    },
    /// Rows of a building file that name no building.
    Unnamed {
        /// How many.
        rows: usize,
        /// The line of the first.
        line: u32,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { line } => write!(f, "line {line}: is a header, and is left out"),
            Self::Within { line, network, other, larger } => write!(
                f,
                "line {line}: {network} overlaps {larger} of line {other}; of the two, the longer prefix counts"
            ),
            Self::Unnamed { rows, line } => {
                write!(f, "line {line}: names no building, as {rows} rows in all")
            }
        }
    }
}

/// What is gathered while a file is read.
#[derive(Debug, Default)]
struct Findings {
    faults: Faults,
    notes: Vec<Note>,
    note_count: usize,
}

impl Findings {
    fn note(&mut self, note: Note) {
        self.note_count += 1;
        if self.notes.len() < MOST_NOTES {
            self.notes.push(note);
        }
    }
}

/// Reads a file of a kind, or of the kind that its columns show: CSV with commas or semicolons, or text between tabs,
/// in UTF-8.
pub fn read(bytes: &[u8], kind: Option<Kind>) -> Outcome {
    let mut findings = Findings::default();
    let (kind, map) = read_into(bytes, kind, &mut findings);
    let Findings { mut faults, notes, note_count } = findings;
    let read = match map {
        Some(map) if faults.count == 0 => Ok(map),
        _ => {
            faults.sort();
            Err(faults)
        }
    };
    Outcome { kind, read, notes, note_count }
}

fn read_into(
    bytes: &[u8],
    kind: Option<Kind>,
    findings: &mut Findings,
) -> (Option<Kind>, Option<Map>) {
    let mut refuse = |kind, line, rule| {
        let value = match rule {
            Rule::Columns { .. } => beginning(bytes, line),
            _ => String::new(),
        };
        findings.faults.add(line, None, &value, rule);
        (kind, None)
    };
    if bytes.len() > LARGEST_FILE {
        return refuse(kind, 1, Rule::Size(LARGEST_FILE));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    if is_utf16 {
        return refuse(kind, 1, Rule::Utf16);
    }
    // Zip, as workbooks are.
    if bytes.starts_with(b"PK\x03\x04") {
        return refuse(kind, 1, Rule::Archive);
    }
    // Excel's way to name the separator.
    let bytes = match bytes.get(..6) {
        Some([b's', b'e', b'p', b'=', b',' | b';' | b'\t', b'\r' | b'\n']) => &bytes[5..],
        _ => bytes,
    };
    let quoted = Form { separator: separator(bytes), has_quotes: true };
    let Some(first) = table::rows(bytes, quoted).next() else {
        return refuse(kind, 1, Rule::Empty);
    };
    let header = header_kind(&first, kind);
    let Some(kind) = kind.or(header).or_else(|| kind_of_rows(bytes, quoted)) else {
        let expected = "4, 5, 6, 7, 14 or 15";
        return refuse(None, first.line, Rule::Columns { found: first.count, kind: "a", expected });
    };
    let is_header = header == Some(kind) || is_named_first(&first, kind);
    // Between tabs, descriptions have quotation marks of their own.
    let form = Form { has_quotes: kind != Kind::Asn || quoted.separator != b'\t', ..quoted };
    let fits = |row: Row<'_>| kind.columns(row.count);
    let Some(columns) = table::rows(bytes, form).find_map(fits) else {
        let (kind_name, expected) = (article(kind), kind.counts());
        let rule = Rule::Columns { found: first.count, kind: kind_name, expected };
        return refuse(Some(kind), first.line, rule);
    };
    if is_header {
        check_header(&first, columns, findings);
        findings.note(Note::Header { line: first.line });
    }
    let mut rows = table::rows(bytes, form).skip(usize::from(is_header));
    let lines = Lines::new(&mut rows, columns, findings);
    let map = match kind {
        Kind::Building => building::read(lines),
        Kind::Endpoint => endpoint::read(lines),
        Kind::Bssid => access_points::read(lines),
        Kind::Asn => numbers::read(lines),
    };
    if map.rows == 0 && findings.faults.count == 0 {
        findings.faults.add(first.line, None, "", Rule::Empty);
    }
    (Some(kind), Some(map))
}

/// How a line begins, which shows whether it came as it stands in the file.
fn beginning(bytes: &[u8], line: u32) -> String {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let found = lines.nth(line.saturating_sub(1) as usize).unwrap_or_default();
    let start = found.get(..BEGINNING).unwrap_or(found);
    let is_cut = start.len() < found.len();
    let start = String::from_utf8_lossy(start).trim_end().trim_start_matches('\u{feff}').to_owned();
    if is_cut { format!("{}…", start.trim_end_matches('\u{fffd}')) } else { start }
}

fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Building => "a building",
        Kind::Endpoint => "an endpoint",
        Kind::Bssid => "a BSSID",
        Kind::Asn => "an ASN",
    }
}

/// Tabs if there is one in the first line that has something in it, or else what it has more of. Excel writes
/// semicolons where commas stand in numbers.
fn separator(bytes: &[u8]) -> u8 {
    let mut lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
    let first = lines.find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let cells = |separator| first.split(|byte| *byte == separator).count();
    match cells(b'\t') {
        1 if cells(b';') > cells(b',') => b';',
        1 => b',',
        _ => b'\t',
    }
}

/// The kind that the first line with a fitting number of columns shows.
fn kind_of_rows(bytes: &[u8], form: Form) -> Option<Kind> {
    table::rows(bytes, form)
        .find_map(|row| Kind::ALL.into_iter().find(|kind| kind.columns(row.count).is_some()))
}

/// Only letters and digits, in lower case.
fn bare(name: &str) -> String {
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The kind of whose columns at least half of the cells are the names, of one kind or of any.
fn header_kind(row: &Row<'_>, only: Option<Kind>) -> Option<Kind> {
    let kinds = Kind::ALL.into_iter().filter(|kind| only.is_none_or(|only| only == *kind));
    kinds
        .map(|kind| {
            let is_name = |text: &str| {
                kind.all_columns().iter().any(|name| name.to_ascii_lowercase() == bare(text))
            };
            (row.cells.iter().filter(|cell| is_name(&cell.text)).count(), kind)
        })
        .filter(|(names, _)| *names >= 2 && names * 2 >= row.cells.len())
        .max_by_key(|(names, _)| *names)
        .map(|(_, kind)| kind)
}

/// Whether the first cell is a name for the first column, and not a value of it.
fn is_named_first(row: &Row<'_>, kind: Kind) -> bool {
    let names: &[&str] = match kind {
        Kind::Building => &["networkip", "network", "subnet", "ip"],
        Kind::Endpoint => &["endpointname"],
        Kind::Bssid => &["bssid", "mac", "macaddress"],
        Kind::Asn => &["rangestart", "start", "from"],
    };
    row.cells.first().is_some_and(|cell| names.contains(&bare(&cell.text).as_str()))
}

/// Tells of columns that are named in another order than they have to stand in.
fn check_header(row: &Row<'_>, columns: &'static [&'static str], findings: &mut Findings) {
    for (at, (cell, name)) in row.cells.iter().zip(columns).enumerate() {
        let given = bare(&cell.text);
        let is_other = given != name.to_ascii_lowercase()
            && columns.iter().any(|other| other.to_ascii_lowercase() == given);
        if is_other {
            let column = Column { number: at + 1, name };
            let rule = Rule::Order(columns.join(", "));
            findings.faults.add(row.line, Some(column), &cell.text, rule);
        }
    }
}
