//! A table of text that fits its terminal.

use std::io::{self, IsTerminal, Write};

use anyhow::Result;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

/// How a table fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    /// Columns of the terminal; `None` without one.
    pub(super) width: Option<u16>,
    /// Whether the user has chosen the columns: then cells are wrapped, and no column is left out.
    pub(super) is_chosen: bool,
}

/// Columns of the terminal on standard output.
pub(super) fn terminal_width() -> Option<u16> {
    let stdout = io::stdout();
    let size =
        stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(stdout).ok()).flatten()?;
    (size.ws_col > 0).then_some(size.ws_col)
}

/// Writes a table; returns the number of columns that were left out.
pub(super) fn write(
    columns: &[String],
    mut rows: Vec<Vec<String>>,
    fit: Fit,
    out: &mut impl Write,
) -> Result<usize> {
    let shown = match fit.width {
        Some(width) if !fit.is_chosen => number_that_fits(columns, &rows, width.into()),
        _ => columns.len(),
    };
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(&columns[..shown]);
    if let Some(width) = fit.width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for row in &mut rows {
        row.truncate(shown);
        table.add_row(std::mem::take(row));
    }
    writeln!(out, "{}", table.trim_fmt())?;
    Ok(columns.len() - shown)
}

/// How many columns fit side by side, at least one. Each has a space on both sides.
fn number_that_fits(columns: &[String], rows: &[Vec<String>], width: usize) -> usize {
    let mut used = 0;
    let fits = |number: &usize| {
        let cells = rows.iter().map(|row| row[*number].chars().count());
        used += 2 + cells.max().unwrap_or(0).max(columns[*number].chars().count());
        used <= width
    };
    (0..columns.len()).take_while(fits).count().max(1).min(columns.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(fit: Fit) -> (usize, String) {
        let columns = ["id", "type"].map(str::to_owned);
        let rows = vec![vec!["a".repeat(20), "b".repeat(20)], vec!["c".to_owned(), "d".to_owned()]];
        let mut out = Vec::new();
        let left_out = write(&columns, rows, fit, &mut out).unwrap();
        (left_out, String::from_utf8(out).unwrap())
    }

    #[test]
    fn columns_that_do_not_fit_are_left_out_unless_they_were_chosen() {
        for (width, is_chosen, expected) in [
            (None, false, 0),
            (Some(44), false, 0),
            (Some(43), false, 1),
            (Some(30), true, 0),
            (Some(5), false, 1),
        ] {
            let (left_out, text) = written(Fit { width, is_chosen });
            assert_eq!(left_out, expected, "{width:?}: {text}");
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(width.is_none_or(|width| widest <= width.into()), "{width:?}: {text}");
        }
    }
}
