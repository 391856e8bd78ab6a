//! What is wrong with a file, and where.

use std::fmt;

/// Faults that are kept of a file; more are counted.
const MOST_KEPT: usize = 1_000;
/// Characters of a value that are shown.
const LONGEST_VALUE: usize = 100;

/// A value that breaks a rule, or a line that does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: u32,
    /// None if it is the line itself.
    pub column: Option<Column>,
    /// What stands there, at most 100 characters of it; of a line that is no row the beginning.
    pub value: String,
    /// What it should be.
    pub rule: Rule,
}

/// A column of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// From 1.
    pub number: usize,
    /// Its name in the description of the kind.
    pub name: &'static str,
}

/// What a value or a line has to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Text is UTF-8.
    #[error("is not UTF-8 text: save the file as UTF-8, in Excel as \"CSV UTF-8\"")]
    Utf8,
    /// The whole file is UTF-8.
    #[error("the file is UTF-16: save it as UTF-8")]
    Utf16,
    /// The whole file is text.
    #[error("the file is a workbook or another archive: save it as CSV in UTF-8")]
    Archive,
    /// Text has no control characters.
    #[error("holds a control character")]
    Control,
    /// A quotation mark is closed on its line.
    #[error("begins with a quotation mark that is not closed on its line")]
    Quote,
    /// A cell ends with its closing quotation mark.
    #[error("is followed by more behind its closing quotation mark")]
    BehindQuote,
    /// A line has as many columns as the file.
    #[error("the line has {}, and the file {expected}", columns(*found))]
    ColumnCount {
        /// So many it has.
        found: usize,
        /// So many it should have.
        expected: usize,
    },
    /// Nothing says what the file is.
    #[error(
        "the line has {}: {kind} file has {expected}, separated by commas, semicolons or tabs",
        columns(*found)
    )]
    Columns {
        /// So many it has.
        found: usize,
        /// The kind of the file, with an article.
        kind: &'static str,
        /// So many a file has.
        expected: &'static str,
    },
    /// Columns come in the stated order.
    #[error("is the name of another column: the columns come in the order {0}")]
    Order(String),
    /// The column must have a value.
    #[error("is empty, and must not be")]
    Missing,
    /// An IP address.
    #[error("is no IP address")]
    Address,
    /// An IP address, with the length of the prefix in a column of its own.
    #[error(
        "is a network: write its first address here, and the length of its prefix in NetworkRange"
    )]
    Cidr,
    /// The length of a prefix.
    #[error("is no whole number from {least} to {most}")]
    Number {
        /// From.
        least: u64,
        /// To.
        most: u64,
    },
    /// A network is named by its first address.
    #[error("is not the first address of its network, which is {0}")]
    FirstAddress(String),
    /// A yes or no.
    #[error("is neither 0 nor 1")]
    Bit,
    /// A network stands in a file once.
    #[error("stands with the same range in line {0} already")]
    SameNetwork(u32),
    /// A name or an access point stands in a file once.
    #[error("stands in line {0} already")]
    Same(u32),
    /// At most so many characters.
    #[error("is longer than {0} characters")]
    Long(usize),
    /// A BSSID.
    #[error("is no BSSID, which is 12 hexadecimal digits as in 00:00:5e:00:53:01")]
    Bssid,
    /// A range does not end before it starts, and both ends are IPv4 or IPv6.
    #[error("does not end the range that begins with {0}")]
    RangeEnd(String),
    /// Ranges do not overlap.
    #[error("begins a range that overlaps the one of line {0}")]
    Overlap(u32),
    /// A file has at most so many rows.
    #[error("the file has more than {0} rows; a VPN row counts once for each of its addresses")]
    Rows(usize),
    /// A file has rows.
    #[error("the file has no rows")]
    Empty,
    /// A file has at most so many bytes.
    #[error("the file has more than {0} bytes")]
    Size(usize),
}

fn columns(count: usize) -> String {
    format!("{count} column{}", if count == 1 { "" } else { "s" })
}

impl Rule {
    /// A short name for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Utf8 | Self::Utf16 => "notUtf8",
            Self::Archive => "notText",
            Self::Control => "controlCharacter",
            Self::Quote => "quoteNotClosed",
            Self::BehindQuote => "textBehindQuote",
            Self::ColumnCount { .. } | Self::Columns { .. } => "columnCount",
            Self::Order(_) => "columnOrder",
            Self::Missing => "missing",
            Self::Address | Self::Cidr => "notAnAddress",
            Self::Number { .. } => "notANumber",
            Self::FirstAddress(_) => "notTheFirstAddress",
            Self::Bit => "notABit",
            Self::SameNetwork(_) | Self::Same(_) => "duplicate",
            Self::Long(_) => "tooLong",
            Self::Bssid => "notABssid",
            Self::RangeEnd(_) => "notARange",
            Self::Overlap(_) => "overlap",
            Self::Rows(_) => "tooManyRows",
            Self::Empty => "empty",
            Self::Size(_) => "tooLarge",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, value, rule } = self;
        match column {
            Some(Column { number, name }) => {
                write!(f, "line {line}, column {number} ({name}): {value:?} {rule}")
            }
            None if value.is_empty() => write!(f, "line {line}: {rule}"),
            None => write!(f, "line {line}: {rule}; it begins {value:?}"),
        }
    }
}

/// The faults of a file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Faults {
    /// The first thousand that were found, by line and column.
    pub kept: Vec<Fault>,
    /// How many there are.
    pub count: usize,
}

impl Faults {
    pub(crate) fn add(&mut self, line: u32, column: Option<Column>, value: &str, rule: Rule) {
        self.count += 1;
        if self.kept.len() < MOST_KEPT {
            let value = value.chars().take(LONGEST_VALUE).collect();
            self.kept.push(Fault { line, column, value, rule });
        }
    }

    pub(crate) fn sort(&mut self) {
        self.kept.sort_by_key(|fault| (fault.line, fault.column.map_or(0, |it| it.number)));
    }
}
