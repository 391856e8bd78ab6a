//! Mirrors: what they are set up to do, who runs them, and how it goes.

use model::TenantId;

use super::leases;
use super::session::Session;
use crate::engine::{Connection, Field, Row};
use crate::rows::mirror::{MirrorLease, MirrorRow, MirrorSetup};
use crate::{Cause, Error, clock};

/// Tables with rows of mirrors.
const OF_MIRRORS: [&str; 8] = [
    "DELETE FROM mirror_delay WHERE mirror_key = ?1",
    "DELETE FROM mirror_subscription WHERE mirror_key = ?1",
    "DELETE FROM mirror_reception WHERE mirror_key = ?1",
    "DELETE FROM mirror_gap WHERE mirror_key = ?1",
    "DELETE FROM mirror_evidence WHERE mirror_key = ?1",
    "DELETE FROM mirror_record WHERE mirror_key = ?1",
    "DELETE FROM mirror_hour WHERE mirror_key = ?1",
    "DELETE FROM mirror WHERE mirror_key = ?1",
];

/// Adds a mirror, or changes the settings of the one of that name; what it covers can only grow. False, and
/// nothing is written, if there is one of another tenant.
pub(crate) fn put(session: &Session, setup: &MirrorSetup) -> Result<bool, Error> {
    let connection = &session.connection;
    let values = [
        Field::Text((&setup.name).into()),
        Field::Text(setup.tenant.as_str().into()),
        Field::Text((&setup.settings).into()),
        Field::Int(i64::from(setup.is_of_file)),
        Field::Int(setup.begins),
        Field::Int(clock::system()),
    ];
    let text = "INSERT INTO mirror (name, tenant, settings, is_of_file, begins, created) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO UPDATE SET \
                settings = ?3, is_of_file = ?4, problem = NULL, problem_since = NULL, \
                begins = CASE WHEN mirror.begins < ?5 THEN mirror.begins ELSE ?5 END \
                WHERE mirror.tenant = ?2";
    Ok(connection.execute(text, values)? == 1)
}

/// Deletes a mirror with its ledger and its secrets (`mirror/NAME/…`); whether there was one. Records stay.
pub(crate) fn delete(session: &Session, name: &str) -> Result<bool, Error> {
    let connection = &session.connection;
    let text = "SELECT mirror_key FROM mirror WHERE name = ?1";
    let Some(key) = connection.value::<i64>(text, [name])? else { return Ok(false) };
    for text in OF_MIRRORS {
        connection.execute(text, [key])?;
    }
    connection.execute("DELETE FROM lease WHERE name = ?1", [lease(key)])?;
    let text = "DELETE FROM secret WHERE substr(name, 1, length(?1)) = ?1";
    connection.execute(text, [format!("mirror/{name}/")])?;
    Ok(true)
}

/// All mirrors, by name.
pub(crate) fn all(connection: &Connection) -> Result<Vec<MirrorRow>, Error> {
    let text = "SELECT mirror_key, name, tenant, settings, is_of_file, begins, created, skew, heard, \
                problem, problem_since FROM mirror ORDER BY name";
    connection.all(text, (), read)
}

fn read(row: &Row<'_>) -> Result<MirrorRow, Error> {
    let tenant: String = row.get(2)?;
    let problem: Option<String> = row.get(9)?;
    Ok(MirrorRow {
        key: row.get(0)?,
        setup: MirrorSetup {
            name: row.get(1)?,
            tenant: TenantId::parse(&tenant)
                .ok_or_else(|| Error::Corrupt(Cause::new("mirror: a tenant is no GUID")))?,
            settings: row.get(3)?,
            is_of_file: row.get(4)?,
            begins: row.get(5)?,
        },
        created: row.get(6)?,
        skew: row.get(7)?,
        heard: row.get(8)?,
        problem: problem.zip(row.get(10)?),
    })
}

/// Takes or renews the lease of a mirror; none while another process has it, or if the mirror is gone.
pub(crate) fn hold(
    session: &Session,
    mirror_key: i64,
    holder: &str,
) -> Result<Option<MirrorLease>, Error> {
    let connection = &session.connection;
    if !connection.exists("SELECT 1 FROM mirror WHERE mirror_key = ?1", [mirror_key])? {
        return Ok(None);
    }
    let fence = leases::hold(connection, &lease(mirror_key), holder, clock::system())?;
    Ok(fence.map(|fence| MirrorLease { mirror_key, fence }))
}

/// Whether any process holds a mirror at present.
pub(crate) fn is_held(connection: &Connection, mirror_key: i64) -> Result<bool, Error> {
    let text = "SELECT 1 FROM lease WHERE name = ?1 AND expires > ?2";
    connection.exists(text, (lease(mirror_key), clock::system()))
}

/// Whether a process still holds a lease as it got it; renews it then.
pub(crate) fn still_holds(
    session: &Session,
    lease: MirrorLease,
    holder: &str,
) -> Result<bool, Error> {
    Ok(hold(session, lease.mirror_key, holder)? == Some(lease))
}

/// Gives a lease back before it runs out.
pub(crate) fn release(session: &Session, held: MirrorLease, holder: &str) -> Result<(), Error> {
    leases::release(&session.connection, &lease(held.mirror_key), holder)
}

/// Notes an answer of the source, and what stands in the way of reading it.
pub(crate) fn note_contact(
    session: &Session,
    mirror_key: i64,
    skew: Option<i64>,
    problem: Option<&str>,
) -> Result<(), Error> {
    let (connection, now) = (&session.connection, clock::system());
    if let Some(skew) = skew {
        let text = "UPDATE mirror SET skew = ?2, heard = ?3 WHERE mirror_key = ?1";
        connection.execute(text, (mirror_key, skew, now))?;
    }
    if let Some(problem) = problem {
        let text = "UPDATE mirror SET problem = ?2, problem_since = coalesce(problem_since, ?3) \
                    WHERE mirror_key = ?1";
        connection.execute(text, (mirror_key, problem, now))?;
    } else {
        let text = "UPDATE mirror SET problem = NULL, problem_since = NULL \
                    WHERE mirror_key = ?1 AND problem IS NOT NULL";
        connection.execute(text, [mirror_key])?;
    }
    Ok(())
}

fn lease(mirror_key: i64) -> String {
    format!("mirror/{mirror_key}")
}
