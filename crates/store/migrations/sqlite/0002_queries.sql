-- Typed columns of ends, networks and devices, and the full-text index. What records stored before
-- have of these is filled in afterwards, record by record, and noted in "refill".

DROP TABLE segment;
DROP TABLE stream;

-- The columns of an end are null where it is not known; "is_participant" is 0 for a service.
CREATE TABLE segment (
  record_key INTEGER NOT NULL,
  session INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  start_date_time INTEGER,
  end_date_time INTEGER,
  failure_stage TEXT,
  caller_is_participant INTEGER,
  caller_user_id TEXT,
  caller_associated_id TEXT,
  caller_user_agent TEXT,
  caller_platform TEXT,
  caller_product_family TEXT,
  callee_is_participant INTEGER,
  callee_user_id TEXT,
  callee_associated_id TEXT,
  callee_user_agent TEXT,
  callee_platform TEXT,
  callee_product_family TEXT,
  PRIMARY KEY (record_key, session, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE media (
  record_key INTEGER NOT NULL,
  session INTEGER NOT NULL,
  segment INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  label TEXT,
  caller_network_ip_address TEXT,
  caller_network_subnet TEXT,
  caller_network_connection_type TEXT,
  caller_network_wifi_band TEXT,
  callee_network_ip_address TEXT,
  callee_network_subnet TEXT,
  callee_network_connection_type TEXT,
  callee_network_wifi_band TEXT,
  caller_device_capture_device_name TEXT,
  caller_device_render_device_name TEXT,
  callee_device_capture_device_name TEXT,
  callee_device_render_device_name TEXT,
  PRIMARY KEY (record_key, session, segment, ordinal)
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

-- What lists are most often narrowed by stands in the index by start, so that records that are left
-- out, or only counted, need not be read. "record_key" stands where rows below it are joined in order.
DROP INDEX call_record_by_start;
CREATE INDEX call_record_by_start ON call_record (
  tenant_key, start_date_time DESC, id, record_key, end_date_time, type, failure_count,
  worst_average_packet_loss_rate, worst_average_jitter, worst_average_round_trip_time,
  worst_average_audio_degradation
) WHERE is_current = 1;
CREATE INDEX call_record_by_end ON call_record (
  tenant_key, end_date_time DESC, start_date_time DESC, id
) WHERE is_current = 1;

-- The words of current records, each behind its tenant: "7·abbie". A rowid has the start, in
-- steps of 64 s, above the record_key, so that rows come in the order of their starts. Which words
-- there are is decided before they come here; the tokenizer only takes them apart at spaces.
CREATE VIRTUAL TABLE record_search USING fts5 (
  words,
  content = '',
  contentless_delete = 1,
  detail = none,
  tokenize = "ascii tokenchars '.:'"
);

-- Records up to "last" are still to be filled in, from "next" on; empty when all is done.
CREATE TABLE refill (
  next INTEGER NOT NULL,
  last INTEGER NOT NULL
) STRICT;

INSERT INTO refill (next, last)
  SELECT 1, max(record_key) FROM call_record HAVING count(*) > 0;
