-- Rows of the telephone logs.
-- Instants are ticks of 100 ns from 1970-01-01T00:00:00Z.

-- "log" is pstn, direct-routing, sms, blocked or dialout; "body" the row as JSON, as it came but for
-- members that say nothing.
CREATE TABLE log_row (
  log_row_key INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_key INTEGER NOT NULL,
  log TEXT NOT NULL,
  id_key BLOB NOT NULL,
  -- When it happened that ranges are measured by.
  date_time INTEGER NOT NULL,
  received INTEGER NOT NULL,
  -- When another telling took its place; such rows are kept, and shown to nobody.
  replaced INTEGER,
  body TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX log_row_by_id ON log_row (tenant_key, log, id_key) WHERE replaced IS NULL;
CREATE INDEX log_row_by_time ON log_row (tenant_key, log, date_time, log_row_key)
  WHERE replaced IS NULL;
-- For retention.
CREATE INDEX log_row_by_age ON log_row (date_time);
