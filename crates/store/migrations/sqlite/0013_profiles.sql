-- Profiles of the owner by which streams are judged, as they were imported. Instants are ticks of 100 ns from
-- 1970-01-01T00:00:00Z.

-- "body" is the profile as TOML, "content_hash" the digest of its rules.
CREATE TABLE quality_profile (
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  content_hash BLOB NOT NULL,
  imported INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
