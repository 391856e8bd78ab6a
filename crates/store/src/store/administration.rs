//! Writes of applications, signing keys and secrets.

use super::Store;
use crate::pending::Pending;
use crate::rows::record::{AppCredential, AppRow, SigningKeyRow};
use crate::tables::{administration, app_credentials};
use crate::writer::Weight;

impl Store {
    /// Inserts or replaces an application by its client id.
    pub fn put_app(&self, app: AppRow) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| administration::put_app(session, &app))
    }

    /// Deletes an application; whether there was one.
    pub fn delete_app(&self, client_id: &str) -> Pending<bool> {
        let client_id = client_id.to_owned();
        self.submit(Weight::SMALL, move |session| administration::delete_app(session, &client_id))
    }

    /// Keeps what an application may show in place of its secret; one of the same name is replaced.
    pub fn put_app_credential(&self, credential: AppCredential) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| app_credentials::put(session, &credential))
    }

    /// Deletes a credential of an application; whether there was one of the name.
    pub fn delete_app_credential(&self, client_id: &str, name: &str) -> Pending<bool> {
        let (client_id, name) = (client_id.to_owned(), name.to_owned());
        self.submit(Weight::SMALL, move |session| {
            app_credentials::delete(session, &client_id, &name)
        })
    }

    /// Inserts or replaces a signing key by its kid.
    pub fn put_signing_key(&self, key: SigningKeyRow) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| administration::put_signing_key(session, &key))
    }

    /// Inserts a signing key unless there is one that signs. So several processes that each make one end up
    /// with the same.
    pub fn put_first_signing_key(&self, key: SigningKeyRow) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| {
            administration::put_first_signing_key(session, &key)
        })
    }

    /// Deletes a signing key; whether there was one.
    pub fn delete_signing_key(&self, kid: &str) -> Pending<bool> {
        let kid = kid.to_owned();
        self.submit(Weight::SMALL, move |session| administration::delete_signing_key(session, &kid))
    }

    /// Inserts or replaces a secret, sealed under the master key.
    pub fn put_secret(&self, name: &str, sealed: Vec<u8>) -> Pending<()> {
        let name = name.to_owned();
        self.submit(Weight::SMALL, move |session| {
            administration::put_secret(session, &name, &sealed)
        })
    }

    /// Deletes all signing keys and secrets, and says how many of each there were.
    pub fn delete_sealed(&self) -> Pending<(usize, usize)> {
        self.submit(Weight::SMALL, administration::delete_sealed)
    }

    /// Inserts a secret unless there is one of that name; answers what is stored now. So several
    /// processes that each make one end up with the same.
    pub fn put_secret_if_absent(&self, name: &str, sealed: Vec<u8>) -> Pending<Vec<u8>> {
        let name = name.to_owned();
        self.submit(Weight::SMALL, move |session| {
            administration::put_secret_if_absent(session, &name, &sealed)
        })
    }
}
