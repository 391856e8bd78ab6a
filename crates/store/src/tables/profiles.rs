//! Profiles of the owner.

use super::session::Session;
use crate::engine::{Connection, Field};
use crate::rows::profile::{ProfileOutcome, ProfileRow};
use crate::{Cause, Error};

/// Keeps a version of a profile, if no other rules are there in its place.
pub(crate) fn import(session: &Session, profile: &ProfileRow) -> Result<ProfileOutcome, Error> {
    let (connection, now) = (&session.connection, session.now());
    let version = i64::from(profile.version);
    let text = "INSERT INTO quality_profile (name, version, content_hash, imported, body) \
                VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let values = [
        Field::Text((&profile.name).into()),
        Field::Int(version),
        Field::Bytes((&profile.content_hash[..]).into()),
        Field::Int(now),
        Field::Text((&profile.body).into()),
    ];
    if connection.execute(text, values)? > 0 {
        return Ok(ProfileOutcome::Created);
    }
    let text = "SELECT content_hash FROM quality_profile WHERE name = ?1 AND version = ?2";
    let there: Option<Vec<u8>> = connection.value(text, (&profile.name, version))?;
    match there {
        Some(hash) if hash == profile.content_hash => Ok(ProfileOutcome::Unchanged),
        Some(_) => Ok(ProfileOutcome::OtherContent),
        // Another node is about to put it in.
        None => Err(Error::Again),
    }
}

/// The newest version of each, by name.
pub(crate) fn newest(connection: &Connection) -> Result<Vec<ProfileRow>, Error> {
    let text = "SELECT name, version, content_hash, body FROM quality_profile AS p \
                WHERE version = (SELECT max(version) FROM quality_profile WHERE name = p.name) \
                ORDER BY name";
    connection.all(text, (), |row| {
        let (version, hash): (i64, Vec<u8>) = (row.get(1)?, row.get(2)?);
        let damaged = || Error::Corrupt(Cause::new("a profile is damaged"));
        Ok(ProfileRow {
            name: row.get(0)?,
            version: u32::try_from(version).map_err(|_| damaged())?,
            content_hash: hash.try_into().map_err(|_| damaged())?,
            body: row.get(3)?,
        })
    })
}
