-- Subscriptions to change notifications, what each was told, and what is still to be told.
-- Instants are ticks of 100 ns from 1970-01-01T00:00:00Z.

CREATE TABLE subscription (
  subscription_key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  tenant_key INTEGER NOT NULL,
  application_id TEXT NOT NULL,
  creator_id TEXT,
  resource TEXT NOT NULL,
  change_type TEXT NOT NULL,
  notification_url TEXT NOT NULL,
  lifecycle_notification_url TEXT,
  latest_supported_tls_version TEXT NOT NULL,
  sealed_client_state BLOB,
  sealed_secrets BLOB NOT NULL,
  created INTEGER NOT NULL,
  expiration_date_time INTEGER NOT NULL,
  -- The last entry of the change log that was committed before it.
  created_after INTEGER NOT NULL,
  -- The end of which it was told that it comes.
  warned_of INTEGER,
  -- Since when it is to be told nothing more.
  removed INTEGER
) STRICT;

CREATE INDEX subscription_by_tenant ON subscription (tenant_key, application_id);

-- The highest version of a record that a subscription was told of, or passed over.
CREATE TABLE subscription_record (
  subscription_key INTEGER NOT NULL,
  id_key BLOB NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (subscription_key, id_key)
) STRICT, WITHOUT ROWID;

-- Where a subscription's messages go ("channel" 0: notifications, 1: lifecycle events), and how it
-- went there last. "failing_since" is null after a success.
CREATE TABLE subscription_endpoint (
  subscription_key INTEGER NOT NULL,
  channel INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  failing_since INTEGER,
  due INTEGER NOT NULL DEFAULT 0,
  last_error TEXT,
  PRIMARY KEY (subscription_key, channel)
) STRICT, WITHOUT ROWID;

-- Messages in the order in which they go out. "message" is the first key of those that were sent
-- together and have to be sent together again.
CREATE TABLE delivery (
  delivery_key INTEGER PRIMARY KEY AUTOINCREMENT,
  subscription_key INTEGER NOT NULL,
  channel INTEGER NOT NULL,
  event TEXT NOT NULL,
  record_id TEXT,
  version INTEGER,
  queued INTEGER NOT NULL,
  message INTEGER,
  died INTEGER
) STRICT;

CREATE INDEX delivery_in_order ON delivery (subscription_key, channel, delivery_key)
  WHERE died IS NULL;
CREATE INDEX delivery_dead ON delivery (subscription_key, delivery_key) WHERE died IS NOT NULL;

-- Entries of the change log up to "sequence" are in the queues.
CREATE TABLE notification_cursor (
  sequence INTEGER NOT NULL
) STRICT;

INSERT INTO notification_cursor (sequence) SELECT coalesce(max(sequence), 0) FROM change_log;
