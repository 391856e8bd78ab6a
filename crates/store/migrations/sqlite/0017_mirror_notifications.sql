-- What reaches a mirror beside the list, and credentials of applications beside their secrets. Instants are
-- ticks of 100 ns from 1970-01-01T00:00:00Z, by the clock of the source unless said otherwise.

-- What an application may show in place of its secret: a certificate (kind "certificate", its thumbprint, PEM),
-- or tokens of another issuer (kind "federated", JSON). "created" is seconds from 1970, by our clock.
CREATE TABLE app_credential (
  client_id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (client_id, name)
) STRICT, WITHOUT ROWID;

-- When a notification last named the record, and whether its version is to be asked for before it is read: it
-- is stored already, and notifications come more than once.
ALTER TABLE mirror_record ADD COLUMN notified INTEGER;
ALTER TABLE mirror_record ADD COLUMN asks_version INTEGER NOT NULL DEFAULT 0;

-- How long after their ends calls of a day (days from 1970) were first heard of: so many within "minutes".
CREATE TABLE mirror_delay (
  mirror_key INTEGER NOT NULL,
  day INTEGER NOT NULL,
  minutes INTEGER NOT NULL,
  records INTEGER NOT NULL,
  PRIMARY KEY (mirror_key, day, minutes)
) STRICT, WITHOUT ROWID;

-- Subscriptions that a mirror has at its source. "expires" is as the source said it; one that "ended" stays
-- for a while, since notifications of it may still be under way.
CREATE TABLE mirror_subscription (
  mirror_key INTEGER NOT NULL,
  id TEXT NOT NULL,
  notification_url TEXT NOT NULL,
  sealed_client_state BLOB NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  ended INTEGER,
  asks_reauthorization INTEGER NOT NULL,
  PRIMARY KEY (mirror_key, id)
) STRICT, WITHOUT ROWID;

-- What came to the address of a mirror: when the source last checked it and last notified.
CREATE TABLE mirror_reception (
  mirror_key INTEGER PRIMARY KEY,
  validated INTEGER,
  notified INTEGER,
  received INTEGER NOT NULL,
  forged INTEGER NOT NULL
) STRICT;

-- Stretches in which notifications may have been lost, so that the list has to be read again.
CREATE TABLE mirror_gap (
  mirror_key INTEGER NOT NULL,
  began INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (mirror_key, began, why)
) STRICT, WITHOUT ROWID;
