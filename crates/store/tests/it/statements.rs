//! How long statements may take, on a file.

use std::time::Duration;

use store::{Error, Role, Store};

use crate::calls::call;
use crate::engine::{Folder, tenant};

#[test]
fn a_statement_that_takes_too_long_is_given_up_and_the_next_one_is_not() {
    let folder = Folder::new();
    let mut options = folder.options(Role::Serve);
    // Over when SQLite looks at the clock for the first time, to which a short statement does not come.
    options.statement_limit = Duration::ZERO;
    let store = Store::open(&options).unwrap();
    let records = (0..4_000).map(|number| call(number).shred(&store)).collect();
    store.write(&tenant(), records).wait().unwrap();
    let mut reader = store.reader().unwrap();
    let given_up = reader.changes(0, 4_000).map(|entries| entries.len());
    assert!(matches!(given_up, Err(Error::Deadline)), "{given_up:?}");
    assert!(reader.record(&tenant(), &call(7).key(), None).unwrap().is_some());
}
