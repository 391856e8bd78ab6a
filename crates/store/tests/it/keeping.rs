//! Applications, signing keys and secrets.

use store::{AppRow, SigningKeyRow};

use crate::engine::{Folder, serve, tenant};

#[test]
fn applications_are_put_found_and_deleted() {
    let folder = Folder::new();
    let store = serve(&folder);
    let app = AppRow {
        client_id: "5f1c1f4e-0000-4000-8000-000000000001".to_owned(),
        tenant: tenant(),
        name: "Reports".to_owned(),
        roles: vec!["CallRecords.Read.All".to_owned(), "Callvault.Admin".to_owned()],
        secret_hash: "$argon2id$1".to_owned(),
        created: 1,
    };
    let rotated = AppRow { secret_hash: "$argon2id$2".to_owned(), ..app.clone() };
    store.put_app(app.clone()).wait().unwrap();
    store.put_app(rotated.clone()).wait().unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.app(&app.client_id).unwrap(), Some(rotated.clone()));
    assert_eq!(reader.apps().unwrap(), [rotated]);
    assert!(store.delete_app(&app.client_id).wait().unwrap());
    assert!(!store.delete_app(&app.client_id).wait().unwrap());
    assert_eq!(reader.app(&app.client_id).unwrap(), None);
}

#[test]
fn signing_keys_come_oldest_first() {
    let folder = Folder::new();
    let store = serve(&folder);
    let key = |kid: &str, created| SigningKeyRow {
        kid: kid.to_owned(),
        algorithm: "RS256".to_owned(),
        sealed_private_key: vec![1, 2, 3],
        public_jwk: "{}".to_owned(),
        created,
        not_after: (created == 1).then_some(99),
    };
    store.put_signing_key(key("new", 2)).wait().unwrap();
    store.put_signing_key(key("old", 1)).wait().unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.signing_keys().unwrap(), [key("old", 1), key("new", 2)]);
    assert!(store.delete_signing_key("old").wait().unwrap());
    assert_eq!(reader.signing_keys().unwrap(), [key("new", 2)]);
}

#[test]
fn the_first_of_two_secrets_of_a_name_wins() {
    let folder = Folder::new();
    let store = serve(&folder);
    let first = store.put_secret_if_absent("page-token/1", vec![1]).wait().unwrap();
    let second = store.put_secret_if_absent("page-token/1", vec![2]).wait().unwrap();
    assert_eq!((first, second), (vec![1], vec![1]));
    store.put_secret("page-token/2", vec![3]).wait().unwrap();
    store.put_secret("page_token", vec![4]).wait().unwrap();
    let mut reader = store.reader().unwrap();
    let secrets = reader.secrets("page-token/").unwrap();
    assert_eq!(
        secrets,
        [("page-token/1".to_owned(), vec![1]), ("page-token/2".to_owned(), vec![3])]
    );
    assert_eq!(reader.secret("page_token").unwrap(), Some(vec![4]));
    assert_eq!(reader.secret("page").unwrap(), None);
}
