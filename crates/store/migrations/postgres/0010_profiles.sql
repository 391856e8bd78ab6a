-- Profiles of the owner by which streams are judged, as they were imported. Instants are ticks of 100 ns from
-- 1970-01-01T00:00:00Z.

-- "body" is the profile as TOML, "content_hash" the digest of its rules.
CREATE TABLE quality_profile (
  name text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  content_hash bytea NOT NULL,
  imported bigint NOT NULL,
  body text COLLATE "C" NOT NULL,
  PRIMARY KEY (name, version)
);
