-- Maps from networks, access points, addresses and endpoints to places: the files, as they were imported.
-- Instants are ticks of 100 ns from 1970-01-01T00:00:00Z.

-- "kind" is building, endpoint, bssid or asn; "body" the file as a zstd frame, "content_hash" its BLAKE3.
CREATE TABLE place_map (
  place_map_key INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_key INTEGER NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  -- The first instant at which it holds, and the first at which it no longer does.
  valid_from INTEGER,
  valid_to INTEGER,
  content_hash BLOB NOT NULL,
  row_count INTEGER NOT NULL,
  imported INTEGER NOT NULL,
  imported_by TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX place_map_by_name ON place_map (tenant_key, name, version);
