-- Blocks: the typed rows of many records column by column, for questions that go through many rows. They are
-- made of the rows of records, and can be made anew at any time. Instants are ticks of 100 ns from
-- 1970-01-01T00:00:00Z.

-- The latest start comes first among the rows of a block. AUTOINCREMENT: a block_key is never used again.
CREATE TABLE block (
  block_key INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_key INTEGER NOT NULL,
  -- What its rows are: "stream".
  grain TEXT NOT NULL,
  month INTEGER NOT NULL,
  first_start INTEGER NOT NULL,
  last_start INTEGER NOT NULL,
  -- The least and the greatest key of its records.
  first_record INTEGER NOT NULL,
  last_record INTEGER NOT NULL,
  record_count INTEGER NOT NULL,
  row_count INTEGER NOT NULL
) STRICT;

CREATE INDEX block_by_start ON block (tenant_key, grain, last_start);

-- A column of a block as a Parquet file: "stream.average_jitter". One that is null in all rows has no chunk.
CREATE TABLE block_chunk (
  block_key INTEGER NOT NULL,
  name TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX block_chunk_by_name ON block_chunk (block_key, name);

-- Records that have rows in a block which no longer count. Those of an erased record have to leave the block.
CREATE TABLE block_gone (
  block_key INTEGER NOT NULL,
  record_key INTEGER NOT NULL,
  is_erased INTEGER NOT NULL,
  PRIMARY KEY (block_key, record_key)
) STRICT, WITHOUT ROWID;

-- What the change log tells up to "sequence" is in the blocks of the tenant. "cut" is how far the log was cut
-- when that was last written; if it is cut further, the blocks may lack something. "layout" tells which columns
-- they have.
CREATE TABLE block_cursor (
  tenant_key INTEGER PRIMARY KEY,
  sequence INTEGER NOT NULL,
  cut INTEGER NOT NULL,
  layout INTEGER NOT NULL
) STRICT;

CREATE INDEX change_log_by_tenant ON change_log (tenant_key, sequence);
