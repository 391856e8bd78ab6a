-- Calls by the events that tell of them, before and after their record is made.
-- Instants are ticks of 100 ns from 1970-01-01T00:00:00Z.

-- Calls that hang together; the record of them has the chain's id.
CREATE TABLE call_chain (
  chain_key INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_key INTEGER NOT NULL,
  id TEXT NOT NULL,
  id_key BLOB NOT NULL,
  -- Calls of it whose end is not known.
  open_calls INTEGER NOT NULL,
  -- When its last event came in, and the number of that event.
  received INTEGER NOT NULL,
  last_event INTEGER NOT NULL,
  -- The last event that the newest version of the record knows; 0 before there is a record.
  recorded_event INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX call_chain_by_id ON call_chain (tenant_key, id_key);
-- Those with something that their record does not know.
CREATE INDEX call_chain_waiting ON call_chain (received, open_calls)
  WHERE recorded_event < last_event;

CREATE TABLE call (
  call_key INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_key INTEGER NOT NULL,
  id TEXT NOT NULL,
  id_key BLOB NOT NULL,
  chain_key INTEGER NOT NULL,
  -- The time of its first event.
  start_date_time INTEGER NOT NULL,
  -- 0: no end is known; 1: it has ended; 2: an end is not waited for any more.
  ending INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX call_by_id ON call (tenant_key, id_key);
CREATE INDEX call_by_start ON call (tenant_key, start_date_time DESC, call_key DESC);
CREATE INDEX call_by_chain ON call (chain_key);
CREATE INDEX call_open ON call (tenant_key, start_date_time DESC, call_key DESC)
  WHERE ending = 0;

-- "body" is the event as it came, without white space.
CREATE TABLE call_event (
  event_key INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_key INTEGER NOT NULL,
  id_key BLOB NOT NULL,
  call_key INTEGER NOT NULL,
  time INTEGER NOT NULL,
  is_media INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX call_event_by_id ON call_event (tenant_key, id_key);
CREATE INDEX call_event_by_call ON call_event (call_key, is_media);
