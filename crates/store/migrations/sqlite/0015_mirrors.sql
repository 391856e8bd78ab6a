-- Mirrors: sources that are copied here, and a ledger of every record and every hour of theirs. Instants are
-- ticks of 100 ns from 1970-01-01T00:00:00Z; those of the ledger are by the clock of the source.

-- "settings" is JSON, without secrets. "begins" is the first hour (hours from 1970) that is mirrored. "skew" is
-- how far the clock of the source was ahead of ours when it last answered ("heard", by our clock). "problem" is
-- why nothing can be read at present.
CREATE TABLE mirror (
  mirror_key INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  settings TEXT NOT NULL,
  is_of_file INTEGER NOT NULL,
  begins INTEGER NOT NULL,
  created INTEGER NOT NULL,
  skew INTEGER,
  heard INTEGER,
  problem TEXT,
  problem_since INTEGER
) STRICT;

-- A record that the source has listed. "due_at" is when it is to be read, if it is.
CREATE TABLE mirror_record (
  mirror_key INTEGER NOT NULL,
  id_key BLOB NOT NULL,
  id TEXT NOT NULL,
  start_date_time INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  wanted_version INTEGER NOT NULL,
  stored_version INTEGER,
  state TEXT NOT NULL,
  due_at INTEGER,
  attempts INTEGER NOT NULL,
  first_heard INTEGER NOT NULL,
  last_tried INTEGER,
  last_status INTEGER,
  last_error TEXT,
  request_id TEXT,
  PRIMARY KEY (mirror_key, id_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX mirror_record_due ON mirror_record (mirror_key, start_date_time) WHERE due_at IS NOT NULL;
CREATE INDEX mirror_record_hour ON mirror_record (mirror_key, hour, state);

-- What was read of the list of an hour (of starts). "passed" is when the last finished pass over it began;
-- "began" and "read_to" tell of one that is not finished.
CREATE TABLE mirror_hour (
  mirror_key INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  passed INTEGER,
  passes INTEGER NOT NULL,
  listed INTEGER NOT NULL,
  began INTEGER,
  read_to INTEGER,
  rows_so_far INTEGER NOT NULL,
  outside INTEGER NOT NULL,
  PRIMARY KEY (mirror_key, hour)
) STRICT, WITHOUT ROWID;

-- Bodies that could not be kept as records: what differs from the stored record of the same version, and what
-- can't be read. Sealed under the master key.
CREATE TABLE mirror_evidence (
  mirror_key INTEGER NOT NULL,
  id_key BLOB NOT NULL,
  kind TEXT NOT NULL,
  hash BLOB NOT NULL,
  version INTEGER NOT NULL,
  at INTEGER NOT NULL,
  place TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (mirror_key, id_key, kind, hash)
) STRICT, WITHOUT ROWID;
