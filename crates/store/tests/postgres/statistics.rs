//! What the planner knows of the tables of records.

use crate::calls::call;
use crate::engine::{Folder, serve, tenant};

#[test]
fn tables_of_records_are_analyzed_when_they_have_grown() {
    let folder = Folder::new();
    let store = serve(&folder);
    let known =
        || folder.ask("SELECT reltuples::bigint FROM pg_class WHERE relname = 'call_record'");
    assert_eq!(store.refresh_statistics().unwrap(), 0, "nothing is there");
    let write = |from: u32, to: u32| {
        for number in from..to {
            store.write(&tenant(), vec![call(number).shred(&store)]).wait().unwrap();
        }
    };
    // A connection tells what it has counted a moment later.
    let refreshed = || {
        let end = std::time::Instant::now() + std::time::Duration::from_mins(1);
        loop {
            let count = store.refresh_statistics().unwrap();
            if count > 0 || std::time::Instant::now() > end {
                return count;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    };
    write(0, 150);
    assert!(refreshed() > 0);
    assert_eq!(known(), "150");
    write(150, 160);
    assert_eq!(store.refresh_statistics().unwrap(), 0, "not twice as many");
}
