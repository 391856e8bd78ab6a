-- People who look at the pages, and what they looked at. Instants are ticks of 100 ns from
-- 1970-01-01T00:00:00Z; "roles" are separated by blanks.

-- Links by which somebody signs in, once. "code_hash" is BLAKE3 of the link's code, which stands nowhere.
CREATE TABLE sign_in_link (
  code_hash BLOB PRIMARY KEY,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  roles TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sessions of those who are signed in. "id_hash" is BLAKE3 of what the cookie holds.
CREATE TABLE page_session (
  id_hash BLOB PRIMARY KEY,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  roles TEXT NOT NULL,
  created INTEGER NOT NULL,
  used INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who saw which call, or a list of calls. "subject" is the id of the call; of a list it is none, "digest" is the
-- digest of the question and "count" the number of calls that it showed.
CREATE TABLE access_entry (
  entry_key INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  page TEXT NOT NULL,
  subject TEXT,
  digest BLOB,
  count INTEGER
) STRICT;
CREATE INDEX access_entry_by_time ON access_entry (at);
