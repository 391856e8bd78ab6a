//! Maps of places: each version has one content, whoever imports, and comes out as it went in.

use std::thread;

use store::{PlaceMapImport, PlaceMapOutcome, PlaceMapResult, Role, Store};

use crate::engine::{Folder, other_tenant, serve, tenant};

fn file(text: &str) -> PlaceMapImport {
    PlaceMapImport {
        name: "offices".to_owned(),
        version: None,
        kind: "building",
        validity: None,
        rows: 1,
        imported_by: "test".to_owned(),
        bytes: text.as_bytes().to_vec(),
        is_dry_run: false,
    }
}

fn import(store: &Store, file: PlaceMapImport) -> (PlaceMapOutcome, i64) {
    let result = store.import_place_map(&tenant(), file).unwrap().wait().unwrap();
    let PlaceMapResult { outcome, version } = result;
    (outcome, version)
}

#[test]
fn versions_follow_each_other_and_keep_their_content() {
    use PlaceMapOutcome::{Changed, Created, OtherContent, OtherKind, Unchanged};
    let folder = Folder::new();
    let store = serve(&folder);
    let mut reader = store.reader().unwrap();
    let trial = |file| PlaceMapImport { is_dry_run: true, ..file };
    assert_eq!(import(&store, trial(file("a"))), (Created, 1));
    assert!(reader.tenants().unwrap().is_empty(), "a trial leaves nothing");
    assert_eq!(import(&store, file("a")), (Created, 1));
    assert_eq!(import(&store, trial(file("a"))), (Unchanged, 1));
    assert_eq!(import(&store, file("b")), (Created, 2));
    assert_eq!(import(&store, file("a")), (Created, 3), "the newest says something else");
    let first = |text| PlaceMapImport { version: Some(1), ..file(text) };
    assert_eq!(import(&store, first("b")), (OtherContent, 1));
    let ending = PlaceMapImport { validity: Some((Some(2), Some(9))), ..first("a") };
    assert_eq!(import(&store, trial(ending.clone())), (Changed, 1));
    assert_eq!(import(&store, ending.clone()), (Changed, 1));
    assert_eq!(import(&store, ending), (Unchanged, 1));
    assert_eq!(import(&store, first("a")), (Unchanged, 1), "its time stays as it is");
    let endpoints = PlaceMapImport { kind: "endpoint", ..file("c") };
    assert_eq!(import(&store, endpoints), (OtherKind, 4));
    let rows = reader.place_maps(&tenant()).unwrap();
    let versions: Vec<_> = rows.iter().map(|row| (row.version, row.valid_from)).collect();
    assert_eq!(versions, [(1, Some(2)), (2, None), (3, None)]);
    let bytes = |reader: &mut store::Reader, version| {
        reader.place_map(&tenant(), "offices", version).unwrap().map(|(_, bytes)| bytes)
    };
    assert_eq!(bytes(&mut reader, Some(2)), Some(b"b".to_vec()));
    assert_eq!(bytes(&mut reader, None), Some(b"a".to_vec()));
    assert!(reader.place_maps(&other_tenant()).unwrap().is_empty());
    let delete = |version| store.delete_place_map(&tenant(), "offices", version).wait().unwrap();
    assert_eq!([delete(Some(3)), delete(Some(3)), delete(None)], [1, 0, 2]);
    assert_eq!(bytes(&mut reader, None), None);
    assert_eq!(store.doctor().unwrap().problems, [""; 0]);
}

#[test]
fn of_files_that_come_at_once_each_is_a_version() {
    let folder = Folder::new();
    drop(serve(&folder));
    let threads = ["a", "b", "c", "d"].map(|text| {
        let options = folder.options(Role::Tool);
        thread::spawn(move || import(&Store::open(&options).unwrap(), file(text)))
    });
    let mut results = threads.map(|thread| thread.join().unwrap());
    results.sort_by_key(|(_, version)| *version);
    let created = PlaceMapOutcome::Created;
    assert_eq!(results, [(created, 1), (created, 2), (created, 3), (created, 4)]);
}
