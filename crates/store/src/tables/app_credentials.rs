//! What applications of the built-in issuer may show in place of their secrets.

use super::session::Session;
use crate::Error;
use crate::engine::Connection;
use crate::rows::record::AppCredential;

/// Keeps a credential; one of the same name is replaced.
pub(crate) fn put(session: &Session, credential: &AppCredential) -> Result<(), Error> {
    let AppCredential { client_id, name, kind, body, created } = credential;
    let text = "INSERT INTO app_credential (client_id, name, kind, body, created) \
                VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (client_id, name) DO UPDATE SET \
                kind = ?3, body = ?4, created = ?5";
    session.connection.execute(text, (client_id, name, kind, body, *created)).map(drop)
}

/// Deletes a credential; whether there was one.
pub(crate) fn delete(session: &Session, client_id: &str, name: &str) -> Result<bool, Error> {
    let text = "DELETE FROM app_credential WHERE client_id = ?1 AND name = ?2";
    Ok(session.connection.execute(text, (client_id, name))? > 0)
}

/// Deletes all credentials of an application.
pub(crate) fn delete_all(session: &Session, client_id: &str) -> Result<(), Error> {
    let text = "DELETE FROM app_credential WHERE client_id = ?1";
    session.connection.execute(text, [client_id]).map(drop)
}

/// The credentials of an application, by their names.
pub(crate) fn of_app(
    connection: &Connection,
    client_id: &str,
) -> Result<Vec<AppCredential>, Error> {
    let text = "SELECT client_id, name, kind, body, created FROM app_credential \
                WHERE client_id = ?1 ORDER BY name";
    connection.all(text, [client_id], |row| {
        Ok(AppCredential {
            client_id: row.get(0)?,
            name: row.get(1)?,
            kind: row.get(2)?,
            body: row.get(3)?,
            created: row.get(4)?,
        })
    })
}
