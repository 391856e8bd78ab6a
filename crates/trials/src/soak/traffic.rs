//! The clients of the load: several that write, and several that read, at all nodes that live.

use std::thread;
use std::time::Duration;

use super::client::Client;
use super::load::Load;
use super::reading;
use super::writing::Writer;

const WRITERS: u64 = 3;
const READERS: u64 = 3;
/// Time between two reads of a client.
const READS_APART: Duration = Duration::from_millis(4);

/// Loads the nodes for as long as something else is done.
pub(super) fn during<T>(load: &Load<'_>, other: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        for place in 0..WRITERS {
            scope.spawn(move || Writer::new(load, place).run());
        }
        for place in 0..READERS {
            let client = Client::new(load.cluster, &load.seen, 100 + place);
            scope.spawn(move || repeat(load, client, reading::one));
        }
        let client = Client::new(load.cluster, &load.seen, 200);
        scope.spawn(move || repeat(load, client, reading::list));
        let done = other();
        load.end();
        done
    })
}

fn repeat(
    load: &Load<'_>,
    mut client: Client<'_>,
    mut read: impl FnMut(&Load<'_>, &mut Client<'_>),
) {
    while !load.is_over() {
        read(load, &mut client);
        thread::sleep(READS_APART);
    }
}
