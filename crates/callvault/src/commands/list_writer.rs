//! Writes a list as JSON, CSV or a table.

use std::io::Write;

use anyhow::Result;
use odata::json::{Node, write_node};

use super::table::{self, Fit};
use crate::cli::Output;
use crate::logging;

/// Writes JSON row by row. CSV and tables are written at the end, when all columns are known.
pub(super) struct ListWriter {
    output: Output,
    /// How a table fits its terminal.
    fit: Fit,
    first: &'static str,
    count: usize,
    /// Paths of the members of all items, in the order of their first appearance.
    columns: Vec<String>,
    rows: Vec<Node<'static>>,
    /// Columns if there are no rows.
    expected: Vec<String>,
}

impl ListWriter {
    /// A list in that format. `first` names, separated by commas, the columns that come first.
    pub(super) fn new(output: Output, fit: Fit, first: &'static str) -> Self {
        Self {
            output,
            fit,
            first,
            count: 0,
            columns: Vec::new(),
            rows: Vec::new(),
            expected: Vec::new(),
        }
    }

    /// The columns that a CSV without rows has.
    pub(super) fn expect_columns(&mut self, columns: Vec<String>) {
        self.expected = columns;
    }

    /// Adds an item.
    pub(super) fn add(&mut self, item: &Node<'_>, out: &mut impl Write) -> Result<()> {
        match self.output {
            Output::Ndjson => writeln!(out, "{}", json(item))?,
            Output::Json => {
                let before = if self.count == 0 { "[\n" } else { ",\n" };
                write!(out, "{before}{}", json(item))?;
            }
            Output::Csv | Output::Table => {
                add_columns(item, "", &mut self.columns);
                self.rows.push(item.clone().into_owned());
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Writes what is left.
    pub(super) fn end(mut self, out: &mut impl Write) -> Result<()> {
        self.drop_parent_columns();
        match self.output {
            Output::Ndjson => Ok(()),
            Output::Json if self.count == 0 => Ok(writeln!(out, "[]")?),
            Output::Json => Ok(writeln!(out, "\n]")?),
            Output::Csv => self.csv(out),
            Output::Table => self.table(out),
        }
    }

    /// Drops the columns of objects that were null in some row: their members have their own columns.
    fn drop_parent_columns(&mut self) {
        let parents: Vec<String> = self
            .columns
            .iter()
            .filter(|column| {
                let inside = format!("{column}/");
                self.columns.iter().any(|other| other.starts_with(&inside))
                    && self.rows.iter().all(|row| cell(row, column).is_empty())
            })
            .cloned()
            .collect();
        self.columns.retain(|column| !parents.contains(column));
    }

    fn csv(self, out: &mut impl Write) -> Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        let columns = if self.rows.is_empty() { &self.expected } else { &self.columns };
        if !columns.is_empty() {
            csv.write_record(columns)?;
        }
        for row in &self.rows {
            csv.write_record(self.columns.iter().map(|column| cell(row, column)))?;
        }
        csv.flush()?;
        Ok(())
    }

    fn table(mut self, out: &mut impl Write) -> Result<()> {
        let place = |column: &String| self.first.split(',').position(|name| name == column);
        self.columns.sort_by_key(|column| place(column).unwrap_or(usize::MAX));
        let cells = |row| self.columns.iter().map(|column| cell(row, column)).collect();
        let rows: Vec<Vec<String>> = self.rows.iter().map(cells).collect();
        let left_out = table::write(&self.columns, rows, self.fit, out)?;
        if left_out > 0 {
            out.flush()?;
            logging::note(&format!(
                "{left_out} more columns do not fit the terminal: --select names others, --output csv \
                 prints all members"
            ));
        }
        Ok(())
    }
}

fn json(node: &Node<'_>) -> String {
    let mut out = Vec::new();
    write_node(&mut out, node);
    String::from_utf8_lossy(&out).into_owned()
}

/// Adds the paths of an item's members. An object adds the paths of its own members instead.
fn add_columns(item: &Node<'_>, prefix: &str, columns: &mut Vec<String>) {
    let members = item.as_object().unwrap_or_default().iter();
    for member in members.filter(|member| !member.name.raw().contains('@')) {
        let path = format!("{prefix}{}", member.name.value());
        if member.value.as_object().is_some() {
            add_columns(&member.value, &format!("{path}/"), columns);
        } else if !columns.contains(&path) {
            columns.push(path);
        }
    }
}

/// The text of a cell: empty for null and for objects, whose members have their own cells; strings
/// without quotes; collections as JSON.
fn cell(row: &Node<'_>, column: &str) -> String {
    let value = column.split('/').try_fold(row, |value, name| value.get(name));
    match value {
        None | Some(Node::Null | Node::Object(_)) => String::new(),
        Some(Node::String(text)) => text.value().into_owned(),
        Some(other) => json(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(output: Output, items: &[&str]) -> String {
        let mut out = Vec::new();
        let mut list = ListWriter::new(output, Fit { width: None, is_chosen: true }, "");
        for item in items {
            list.add(&Node::parse(item).unwrap(), &mut out).unwrap();
        }
        list.end(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn members_of_objects_are_columns_of_their_own() {
        let items = [
            r#"{"id":"a,1","@odata.id":"x","network":{"subnet":"10.0.0.0"},"n":[1]}"#,
            r#"{"id":"b","network":null,"loss":0.50}"#,
        ];
        assert_eq!(
            printed(Output::Csv, &items),
            "id,network/subnet,n,loss\n\"a,1\",10.0.0.0,[1],\nb,,,0.50\n"
        );
        let table = printed(Output::Table, &items);
        assert_eq!(table.lines().count(), 3, "{table}");
        assert!(table.lines().next().unwrap().contains("network/subnet"), "{table}");
    }

    #[test]
    fn a_list_of_nothing_is_still_json() {
        assert_eq!(printed(Output::Json, &[]), "[]\n");
        assert_eq!(printed(Output::Json, &["1", "2"]), "[\n1,\n2\n]\n");
        assert_eq!(printed(Output::Ndjson, &[r#"{"a":1.0}"#]), "{\"a\":1.0}\n");
        assert_eq!(printed(Output::Csv, &[]), "");
    }
}
