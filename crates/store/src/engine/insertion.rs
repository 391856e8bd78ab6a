//! An insert of which a transaction may have many, a row at a time.

/// Inserts a row for values in the order of its columns.
#[derive(Debug)]
pub(crate) struct Insertion {
    /// The statement.
    pub(crate) text: String,
    /// What takes many rows of the same form (PostgreSQL, "COPY"), where there is such a statement.
    pub(crate) copying: Option<String>,
}

impl Insertion {
    /// Values as they are, each into its column.
    pub(crate) fn new(table: &str, columns: &[&str]) -> Self {
        let places: Vec<String> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
        let (names, places) = (columns.join(", "), places.join(", "));
        Self {
            text: format!("INSERT INTO {table} ({names}) VALUES ({places})"),
            copying: Some(format!("COPY {table} ({names}) FROM STDIN (FORMAT BINARY)")),
        }
    }

    /// One that calculates, or does something else than failing where there is such a row.
    pub(crate) fn of(text: &str) -> Self {
        Self { text: text.to_owned(), copying: None }
    }
}
