//! What a store keeps beside records: tenants, dictionaries, applications, keys, subscriptions with
//! their messages, calls, maps of places, and rows of the telephone logs.

use std::ops::ControlFlow;

use crate::Error;
use crate::engine::{Connection, Field, Insertion};
use crate::store::Store;
use crate::tables::session::Session;
use crate::writer::Weight;

/// Rows that are put in together, and bytes of what is long in them, at most; but a row at least.
const ROWS: usize = 1_000;
const BYTES: usize = 8 << 20;

/// A table that is moved as it is.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The columns of its key come first.
    pub(super) columns: &'static [&'static str],
    /// How many of them.
    pub(super) keys: usize,
    /// Whether the first one is numbered by the engine.
    is_numbered: bool,
}

/// Numbers of the change log that mean something in its own store only.
pub(super) const CREATED_AFTER: &str = "created_after";

pub(super) const TENANTS: Table =
    Table { name: "tenant", columns: &["tenant_key", "id"], keys: 1, is_numbered: true };
const DICTIONARIES: Table = Table {
    name: "dictionary",
    columns: &["dictionary_key", "kind", "body"],
    keys: 1,
    is_numbered: false,
};
/// Those that are replaced with the last step.
pub(super) const REPLACED: [Table; 21] = [
    Table {
        name: "app",
        columns: &["client_id", "tenant", "name", "roles", "secret_hash", "created"],
        keys: 1,
        is_numbered: false,
    },
    Table {
        name: "app_credential",
        columns: &["client_id", "name", "kind", "body", "created"],
        keys: 2,
        is_numbered: false,
    },
    Table {
        name: "signing_key",
        columns: &["kid", "algorithm", "sealed_private_key", "public_jwk", "created", "not_after"],
        keys: 1,
        is_numbered: false,
    },
    Table { name: "secret", columns: &["name", "sealed"], keys: 1, is_numbered: false },
    Table {
        name: "subscription",
        columns: &[
            "subscription_key",
            "id",
            "tenant_key",
            "application_id",
            "creator_id",
            "resource",
            "change_type",
            "notification_url",
            "lifecycle_notification_url",
            "latest_supported_tls_version",
            "sealed_client_state",
            "sealed_secrets",
            "created",
            "expiration_date_time",
            CREATED_AFTER,
            "warned_of",
            "removed",
        ],
        keys: 1,
        is_numbered: true,
    },
    Table {
        name: "subscription_record",
        columns: &["subscription_key", "id_key", "version"],
        keys: 2,
        is_numbered: false,
    },
    Table {
        name: "subscription_endpoint",
        columns: &["subscription_key", "channel", "failures", "failing_since", "due", "last_error"],
        keys: 2,
        is_numbered: false,
    },
    Table {
        name: "delivery",
        columns: &[
            "delivery_key",
            "subscription_key",
            "channel",
            "event",
            "record_id",
            "version",
            "queued",
            "message",
            "died",
            "is_undecided",
        ],
        keys: 1,
        is_numbered: true,
    },
    Table {
        name: "call_chain",
        columns: &[
            "chain_key",
            "tenant_key",
            "id",
            "id_key",
            "open_calls",
            "received",
            "last_event",
            "recorded_event",
        ],
        keys: 1,
        is_numbered: true,
    },
    Table {
        name: "call",
        columns: &[
            "call_key",
            "tenant_key",
            "id",
            "id_key",
            "chain_key",
            "start_date_time",
            "ending",
        ],
        keys: 1,
        is_numbered: true,
    },
    Table {
        name: "place_map",
        columns: &[
            "place_map_key",
            "tenant_key",
            "name",
            "version",
            "kind",
            "valid_from",
            "valid_to",
            "content_hash",
            "row_count",
            "imported",
            "imported_by",
            "body",
        ],
        keys: 1,
        is_numbered: true,
    },
    Table {
        name: "quality_profile",
        columns: &["name", "version", "content_hash", "imported", "body"],
        keys: 2,
        is_numbered: false,
    },
    Table {
        name: "access_entry",
        columns: &["entry_key", "at", "tenant", "name", "page", "subject", "digest", "count"],
        keys: 1,
        is_numbered: true,
    },
    Table {
        name: "mirror",
        columns: &[
            "mirror_key",
            "name",
            "tenant",
            "settings",
            "is_of_file",
            "begins",
            "created",
            "skew",
            "heard",
            "problem",
            "problem_since",
        ],
        keys: 1,
        is_numbered: true,
    },
    Table {
        name: "mirror_record",
        columns: &[
            "mirror_key",
            "id_key",
            "id",
            "start_date_time",
            "hour",
            "wanted_version",
            "stored_version",
            "state",
            "due_at",
            "attempts",
            "first_heard",
            "last_tried",
            "last_status",
            "last_error",
            "request_id",
            "notified",
            "asks_version",
        ],
        keys: 2,
        is_numbered: false,
    },
    Table {
        name: "mirror_hour",
        columns: &[
            "mirror_key",
            "hour",
            "passed",
            "passes",
            "listed",
            "began",
            "read_to",
            "rows_so_far",
            "outside",
        ],
        keys: 2,
        is_numbered: false,
    },
    Table {
        name: "mirror_evidence",
        columns: &["mirror_key", "id_key", "kind", "hash", "version", "at", "place", "sealed"],
        keys: 4,
        is_numbered: false,
    },
    Table {
        name: "mirror_delay",
        columns: &["mirror_key", "day", "minutes", "records"],
        keys: 3,
        is_numbered: false,
    },
    Table {
        name: "mirror_subscription",
        columns: &[
            "mirror_key",
            "id",
            "notification_url",
            "sealed_client_state",
            "created",
            "expires",
            "ended",
            "asks_reauthorization",
        ],
        keys: 2,
        is_numbered: false,
    },
    Table {
        name: "mirror_reception",
        columns: &["mirror_key", "validated", "notified", "received", "forged"],
        keys: 1,
        is_numbered: false,
    },
    Table {
        name: "mirror_gap",
        columns: &["mirror_key", "began", "why", "ended"],
        keys: 3,
        is_numbered: false,
    },
];
/// The largest of them.
pub(super) const EVENTS: Table = Table {
    name: "call_event",
    columns: &["event_key", "tenant_key", "id_key", "call_key", "time", "is_media", "body"],
    keys: 1,
    is_numbered: true,
};

/// The largest beside them.
pub(super) const LOGS: Table = Table {
    name: "log_row",
    columns: &[
        "log_row_key",
        "tenant_key",
        "log",
        "id_key",
        "date_time",
        "received",
        "replaced",
        "body",
    ],
    keys: 1,
    is_numbered: true,
};

type OwnRow = Vec<Field<'static>>;

impl Table {
    /// A query of all rows in their order.
    pub(super) fn selection(&self) -> String {
        let keys = self.columns[..self.keys].join(", ");
        format!("SELECT {} FROM {} ORDER BY {keys}", self.columns.join(", "), self.name)
    }

    fn insertion(&self) -> String {
        format!("{} ON CONFLICT DO NOTHING", Insertion::new(self.name, self.columns).text)
    }

    /// Copies all rows, each changed by `change`.
    fn copy(
        &self,
        source: &Connection,
        to: &Store,
        change: impl Fn(&mut OwnRow) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        source.scan(&self.selection(), (), |row| {
            let fields = (0..self.columns.len()).map(|at| Ok(row.field(at)?.into_owned()));
            let mut fields = fields.collect::<Result<OwnRow, Error>>()?;
            change(&mut fields)?;
            bytes += fields.iter().map(size).sum::<usize>();
            rows.push(fields);
            if rows.len() == ROWS || bytes >= BYTES {
                bytes = 0;
                self.put(to, std::mem::take(&mut rows))?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.put(to, rows)
    }

    fn put(&self, to: &Store, rows: Vec<OwnRow>) -> Result<(), Error> {
        let (insertion, name) = (self.insertion(), self.name);
        let numbered = self.is_numbered.then_some(self.columns[0]);
        let weight = Weight { records: rows.len(), bytes: 0 };
        let put = move |session: &mut Session| {
            for row in &rows {
                session.connection.defer(&insertion, row.as_slice())?;
            }
            match (&session.connection, numbered) {
                (Connection::Postgres(_), Some(key)) => go_on(&session.connection, name, key),
                _ => Ok(()),
            }
        };
        to.submit(weight, put).wait()
    }
}

fn size(field: &Field<'_>) -> usize {
    match field {
        Field::Text(text) => text.len(),
        Field::Bytes(bytes) => bytes.len(),
        Field::Null | Field::Int(_) | Field::Real(_) => 0,
    }
}

/// Has the engine number rows behind the last one.
fn go_on(connection: &Connection, table: &str, key: &str) -> Result<(), Error> {
    let text = format!(
        "SELECT setval(pg_get_serial_sequence('{table}', '{key}'), \
         greatest((SELECT max({key}) FROM {table}), 1))"
    );
    connection.exists(&text, ()).map(drop)
}

/// Copies tenants, which have the same numbers in both stores.
pub(super) fn tenants(source: &Connection, to: &Store) -> Result<(), Error> {
    TENANTS.copy(source, to, |_| Ok(()))
}

/// Copies what fragments are compressed with.
pub(super) fn dictionaries(source: &Connection, to: &Store) -> Result<(), Error> {
    DICTIONARIES.copy(source, to, |_| Ok(()))
}

/// Replaces everything else. The log has been copied, so its numbers can be translated.
pub(super) fn replace(source: &Connection, to: &Store) -> Result<(), Error> {
    tenants(source, to)?;
    dictionaries(source, to)?;
    let empty = |session: &mut Session| {
        for table in REPLACED.iter().chain([&EVENTS, &LOGS]) {
            session.connection.execute(&format!("DELETE FROM {}", table.name), ())?;
        }
        Ok(())
    };
    to.submit(Weight::SMALL, empty).wait()?;
    let target = to.state().opener.reader()?;
    for table in REPLACED.iter().chain([&EVENTS, &LOGS]) {
        let numbered = table.columns.iter().position(|column| *column == CREATED_AFTER);
        table.copy(source, to, |row| {
            let Some(at) = numbered else { return Ok(()) };
            if let Field::Int(number) = row[at] {
                row[at] = Field::Int(same_place(source, &target, number)?);
            }
            Ok(())
        })?;
    }
    let cursor = source.value("SELECT sequence FROM notification_cursor", ())?.unwrap_or(0);
    let cursor = same_place(source, &target, cursor)?;
    let move_on = move |session: &mut Session| {
        session.connection.execute("UPDATE notification_cursor SET sequence = ?1", [cursor])?;
        Ok(())
    };
    to.submit(Weight::SMALL, move_on).wait()
}

/// The number that the last entry of the log up to a number has in the other store: the logs have the
/// same entries.
fn same_place(source: &Connection, target: &Connection, number: i64) -> Result<i64, Error> {
    let text = "SELECT count(*) FROM change_log WHERE sequence <= ?1";
    let Some(place) = source.value::<i64>(text, [number])?.filter(|place| *place > 0) else {
        return Ok(0);
    };
    let text = "SELECT sequence FROM change_log ORDER BY sequence LIMIT 1 OFFSET ?1";
    Ok(target.value(text, [place - 1])?.unwrap_or(0))
}
