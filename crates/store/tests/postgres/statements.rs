//! How long statements may take, on a database.

use std::time::Duration;

use store::{Error, Role, Store};

use crate::calls::call;
use testkit::until;

use crate::engine::{Folder, tenant};
use crate::nodes::Client;

#[test]
fn a_statement_that_takes_too_long_is_given_up_and_the_next_one_is_not() {
    let folder = Folder::new();
    let mut options = folder.options(Role::Serve);
    options.statement_limit = Duration::from_millis(200);
    let store = Store::open(&options).unwrap();
    store.write(&tenant(), vec![call(7).shred(&store)]).wait().unwrap();
    let mut reader = store.reader().unwrap();
    // It takes as long as somebody holds the table.
    let mut other = Client::new(&folder);
    other.ask("BEGIN");
    other.ask("LOCK TABLE call_record IN ACCESS EXCLUSIVE MODE");
    let given_up = reader.record(&tenant(), &call(7).key(), None).map(|found| found.is_some());
    assert!(matches!(given_up, Err(Error::Deadline)), "{given_up:?}");
    other.ask("ROLLBACK");
    until("the next query is answered", || match reader.record(&tenant(), &call(7).key(), None) {
        Ok(found) => found.is_some(),
        // On a machine that does other things even this may take so long once.
        Err(Error::Deadline) => false,
        Err(error) => panic!("{error}"),
    });
}
