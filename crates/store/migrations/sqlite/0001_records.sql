-- Records, their versions and typed columns, the change log, and the keeper's own things.
-- Instants and durations are ticks of 100 ns; instants count from 1970-01-01T00:00:00Z.

CREATE TABLE tenant (
  tenant_key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE
) STRICT;

-- zstd dictionaries. A compressed fragment names its own in the frame header and in the column
-- "dictionary" (0 = none), so that no dictionary in use is ever deleted.
CREATE TABLE dictionary (
  dictionary_key INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;

-- One row for each version of a record. AUTOINCREMENT: a record_key is never used again.
CREATE TABLE call_record (
  record_key INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_key INTEGER NOT NULL,
  id TEXT NOT NULL,
  id_key BLOB NOT NULL,
  version INTEGER NOT NULL,
  is_current INTEGER NOT NULL,
  start_date_time INTEGER NOT NULL,
  end_date_time INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  content_hash BLOB NOT NULL,
  type TEXT,
  modalities TEXT,
  last_modified_date_time INTEGER,
  participant_count INTEGER,
  session_count INTEGER,
  segment_count INTEGER,
  stream_count INTEGER,
  failure_count INTEGER,
  worst_average_packet_loss_rate REAL,
  worst_average_jitter INTEGER,
  worst_average_round_trip_time INTEGER,
  worst_average_audio_degradation REAL,
  dictionary INTEGER NOT NULL,
  fragment BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX call_record_by_id ON call_record (tenant_key, id_key, version);
CREATE INDEX call_record_by_start ON call_record (tenant_key, start_date_time DESC, id)
  WHERE is_current = 1;

-- pack_key = record_key * 65536 + number of the pack.
CREATE TABLE session_pack (
  pack_key INTEGER PRIMARY KEY,
  dictionary INTEGER NOT NULL,
  fragment BLOB NOT NULL
) STRICT;

CREATE TABLE participant_pack (
  pack_key INTEGER PRIMARY KEY,
  dictionary INTEGER NOT NULL,
  fragment BLOB NOT NULL
) STRICT;

-- Who takes part in the current version of a record.
CREATE TABLE participant (
  tenant_key INTEGER NOT NULL,
  id_key BLOB NOT NULL,
  start_date_time INTEGER NOT NULL,
  record_key INTEGER NOT NULL,
  PRIMARY KEY (tenant_key, id_key, start_date_time, record_key)
) STRICT, WITHOUT ROWID;

-- Typed columns of the current version of a record. Ordinals count from 0 within what is above.
CREATE TABLE session (
  record_key INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  id_key BLOB NOT NULL,
  start_date_time INTEGER,
  end_date_time INTEGER,
  is_test INTEGER,
  failure_stage TEXT,
  PRIMARY KEY (record_key, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE segment (
  record_key INTEGER NOT NULL,
  session INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  start_date_time INTEGER,
  end_date_time INTEGER,
  failure_stage TEXT,
  PRIMARY KEY (record_key, session, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE stream (
  record_key INTEGER NOT NULL,
  session INTEGER NOT NULL,
  segment INTEGER NOT NULL,
  media INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  label TEXT,
  stream_id TEXT,
  stream_direction TEXT,
  average_audio_degradation REAL,
  average_jitter INTEGER,
  max_jitter INTEGER,
  average_packet_loss_rate REAL,
  max_packet_loss_rate REAL,
  average_ratio_of_concealed_samples REAL,
  max_ratio_of_concealed_samples REAL,
  average_round_trip_time INTEGER,
  max_round_trip_time INTEGER,
  packet_utilization INTEGER,
  average_bandwidth_estimate INTEGER,
  was_media_bypassed INTEGER,
  post_forward_error_correction_packet_loss_rate REAL,
  average_video_frame_loss_percentage REAL,
  average_received_frame_rate REAL,
  low_frame_rate_ratio REAL,
  average_video_packet_loss_rate REAL,
  average_video_frame_rate REAL,
  low_video_processing_capability_ratio REAL,
  average_audio_network_jitter INTEGER,
  max_audio_network_jitter INTEGER,
  audio_codec TEXT,
  video_codec TEXT,
  rms_freeze_duration INTEGER,
  average_freeze_duration INTEGER,
  is_audio_forward_error_correction_used INTEGER,
  PRIMARY KEY (record_key, session, segment, media, ordinal)
) STRICT, WITHOUT ROWID;

-- What was committed, in order. "id" stands only where the record can no longer be asked for it.
CREATE TABLE change_log (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_key INTEGER NOT NULL,
  record_key INTEGER NOT NULL,
  id TEXT,
  version INTEGER NOT NULL,
  change TEXT NOT NULL,
  committed_at INTEGER NOT NULL
) STRICT;

-- Applications of the built-in issuer; "roles" is separated by spaces.
CREATE TABLE app (
  client_id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  roles TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_key (
  kid TEXT PRIMARY KEY,
  algorithm TEXT NOT NULL,
  sealed_private_key BLOB NOT NULL,
  public_jwk TEXT NOT NULL,
  created INTEGER NOT NULL,
  not_after INTEGER
) STRICT, WITHOUT ROWID;

-- Sealed under the master key.
CREATE TABLE secret (
  name TEXT PRIMARY KEY,
  sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The store's own notes.
CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
