//! Rows of the telephone logs: nothing makes the reader panic; what was taken in reads the same again
//! and adds nothing to itself; and whatever two rows say, the second told of the first can be shown.
//! The first byte chooses the log, and a line each holds a row.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::log::{Log, LogRow, RowMerge, merge_row, read, show};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let log = Log::ALL[usize::from(*first) % Log::ALL.len()];
    let rows: Vec<LogRow> = text.lines().filter_map(|line| read(log, line, None).ok()).collect();
    for row in &rows {
        let again = read(log, &row.body, None).expect("what was taken in can be read");
        assert_eq!(&again, row);
        assert_eq!(merge_row(&row.body, &again.body), RowMerge::Unchanged);
        shown(log, &row.body);
    }
    for pair in rows.windows(2) {
        if let RowMerge::Merged(body) | RowMerge::Replaced(body) =
            merge_row(&pair[0].body, &pair[1].body)
        {
            assert_eq!(merge_row(&body, &pair[1].body), RowMerge::Unchanged, "{body}");
            shown(log, &body);
        }
    }
});

fn shown(log: Log, body: &str) {
    for ty in std::iter::once(log.ty()).chain(log.ty_of_v1()) {
        show(log, ty, body).expect("what is kept can be shown");
    }
}
