-- What reaches a mirror beside the list, and credentials of applications beside their secrets. Instants are
-- ticks of 100 ns from 1970-01-01T00:00:00Z, by the clock of the source unless said otherwise.

-- What an application may show in place of its secret: a certificate (kind "certificate", its thumbprint, PEM),
-- or tokens of another issuer (kind "federated", JSON). "created" is seconds from 1970, by our clock.
CREATE TABLE app_credential (
  client_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  body text COLLATE "C" NOT NULL,
  created bigint NOT NULL,
  PRIMARY KEY (client_id, name)
);

-- When a notification last named the record, and whether its version is to be asked for before it is read: it
-- is stored already, and notifications come more than once.
ALTER TABLE mirror_record ADD COLUMN notified bigint;
ALTER TABLE mirror_record ADD COLUMN asks_version bigint NOT NULL DEFAULT 0;

-- How long after their ends calls of a day (days from 1970) were first heard of: so many within "minutes".
CREATE TABLE mirror_delay (
  mirror_key bigint NOT NULL,
  day bigint NOT NULL,
  minutes bigint NOT NULL,
  records bigint NOT NULL,
  PRIMARY KEY (mirror_key, day, minutes)
);

-- Subscriptions that a mirror has at its source. "expires" is as the source said it; one that "ended" stays
-- for a while, since notifications of it may still be under way.
CREATE TABLE mirror_subscription (
  mirror_key bigint NOT NULL,
  id text COLLATE "C" NOT NULL,
  notification_url text COLLATE "C" NOT NULL,
  sealed_client_state bytea NOT NULL,
  created bigint NOT NULL,
  expires bigint NOT NULL,
  ended bigint,
  asks_reauthorization bigint NOT NULL,
  PRIMARY KEY (mirror_key, id)
);

-- What came to the address of a mirror: when the source last checked it and last notified.
CREATE TABLE mirror_reception (
  mirror_key bigint PRIMARY KEY,
  validated bigint,
  notified bigint,
  received bigint NOT NULL,
  forged bigint NOT NULL
);

-- Stretches in which notifications may have been lost, so that the list has to be read again.
CREATE TABLE mirror_gap (
  mirror_key bigint NOT NULL,
  began bigint NOT NULL,
  ended bigint NOT NULL,
  why text COLLATE "C" NOT NULL,
  PRIMARY KEY (mirror_key, began, why)
);
