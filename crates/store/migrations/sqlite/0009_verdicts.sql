-- Verdicts on calls, sessions and streams, and more columns of ends, networks and devices. Records that were
-- stored before get theirs while the store is used. Who does such work holds a lease, whose fence grows with
-- each new holder.

ALTER TABLE call_record ADD COLUMN quality_verdict TEXT;
ALTER TABLE call_record ADD COLUMN quality_reason TEXT;
ALTER TABLE call_record ADD COLUMN quality_audio_good INTEGER;
ALTER TABLE call_record ADD COLUMN quality_audio_poor INTEGER;
ALTER TABLE call_record ADD COLUMN quality_audio_unclassified INTEGER;
ALTER TABLE call_record ADD COLUMN quality_video_good INTEGER;
ALTER TABLE call_record ADD COLUMN quality_video_poor INTEGER;
ALTER TABLE call_record ADD COLUMN quality_video_unclassified INTEGER;
ALTER TABLE call_record ADD COLUMN quality_screen_sharing_good INTEGER;
ALTER TABLE call_record ADD COLUMN quality_screen_sharing_poor INTEGER;
ALTER TABLE call_record ADD COLUMN quality_screen_sharing_unclassified INTEGER;
ALTER TABLE call_record ADD COLUMN quality_heard_good INTEGER;
ALTER TABLE call_record ADD COLUMN quality_heard_poor INTEGER;
ALTER TABLE call_record ADD COLUMN quality_heard_unclassified INTEGER;
ALTER TABLE call_record ADD COLUMN quality_was_heard_good INTEGER;
ALTER TABLE call_record ADD COLUMN quality_was_heard_poor INTEGER;
ALTER TABLE call_record ADD COLUMN quality_was_heard_unclassified INTEGER;
ALTER TABLE call_record ADD COLUMN quality_people INTEGER;
ALTER TABLE call_record ADD COLUMN quality_poor_people INTEGER;
ALTER TABLE call_record ADD COLUMN quality_poor_share REAL;
ALTER TABLE call_record ADD COLUMN quality_is_poor INTEGER;

ALTER TABLE session ADD COLUMN quality_verdict TEXT;
ALTER TABLE session ADD COLUMN quality_reason TEXT;
ALTER TABLE session ADD COLUMN quality_audio_good INTEGER;
ALTER TABLE session ADD COLUMN quality_audio_poor INTEGER;
ALTER TABLE session ADD COLUMN quality_audio_unclassified INTEGER;
ALTER TABLE session ADD COLUMN quality_video_good INTEGER;
ALTER TABLE session ADD COLUMN quality_video_poor INTEGER;
ALTER TABLE session ADD COLUMN quality_video_unclassified INTEGER;
ALTER TABLE session ADD COLUMN quality_screen_sharing_good INTEGER;
ALTER TABLE session ADD COLUMN quality_screen_sharing_poor INTEGER;
ALTER TABLE session ADD COLUMN quality_screen_sharing_unclassified INTEGER;
ALTER TABLE session ADD COLUMN quality_heard_good INTEGER;
ALTER TABLE session ADD COLUMN quality_heard_poor INTEGER;
ALTER TABLE session ADD COLUMN quality_heard_unclassified INTEGER;
ALTER TABLE session ADD COLUMN quality_was_heard_good INTEGER;
ALTER TABLE session ADD COLUMN quality_was_heard_poor INTEGER;
ALTER TABLE session ADD COLUMN quality_was_heard_unclassified INTEGER;
ALTER TABLE session ADD COLUMN quality_people INTEGER;
ALTER TABLE session ADD COLUMN quality_poor_people INTEGER;
ALTER TABLE session ADD COLUMN quality_poor_share REAL;
ALTER TABLE session ADD COLUMN quality_is_poor INTEGER;

ALTER TABLE segment ADD COLUMN caller_feedback_rating TEXT;
ALTER TABLE segment ADD COLUMN caller_service_role TEXT;
ALTER TABLE segment ADD COLUMN caller_application_version TEXT;
ALTER TABLE segment ADD COLUMN callee_feedback_rating TEXT;
ALTER TABLE segment ADD COLUMN callee_service_role TEXT;
ALTER TABLE segment ADD COLUMN callee_application_version TEXT;

ALTER TABLE media ADD COLUMN caller_network_link_speed INTEGER;
ALTER TABLE media ADD COLUMN caller_network_reflexive_ip_address TEXT;
ALTER TABLE media ADD COLUMN caller_network_relay_ip_address TEXT;
ALTER TABLE media ADD COLUMN caller_network_wifi_channel INTEGER;
ALTER TABLE media ADD COLUMN caller_network_basic_service_set_identifier TEXT;
ALTER TABLE media ADD COLUMN caller_network_wifi_signal_strength INTEGER;
ALTER TABLE media ADD COLUMN caller_network_network_transport_protocol TEXT;
ALTER TABLE media ADD COLUMN callee_network_link_speed INTEGER;
ALTER TABLE media ADD COLUMN callee_network_reflexive_ip_address TEXT;
ALTER TABLE media ADD COLUMN callee_network_relay_ip_address TEXT;
ALTER TABLE media ADD COLUMN callee_network_wifi_channel INTEGER;
ALTER TABLE media ADD COLUMN callee_network_basic_service_set_identifier TEXT;
ALTER TABLE media ADD COLUMN callee_network_wifi_signal_strength INTEGER;
ALTER TABLE media ADD COLUMN callee_network_network_transport_protocol TEXT;
ALTER TABLE media ADD COLUMN caller_device_cpu_insufficent_event_ratio REAL;
ALTER TABLE media ADD COLUMN caller_device_render_not_functioning_event_ratio REAL;
ALTER TABLE media ADD COLUMN caller_device_capture_not_functioning_event_ratio REAL;
ALTER TABLE media ADD COLUMN callee_device_cpu_insufficent_event_ratio REAL;
ALTER TABLE media ADD COLUMN callee_device_render_not_functioning_event_ratio REAL;
ALTER TABLE media ADD COLUMN callee_device_capture_not_functioning_event_ratio REAL;

ALTER TABLE stream ADD COLUMN quality_verdict TEXT;
ALTER TABLE stream ADD COLUMN quality_reason TEXT;

CREATE TABLE lease (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  fence INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Records that have no verdict yet. Where nodes of the version before write beside others, there may be such
-- records at any time.
CREATE INDEX call_record_unjudged ON call_record (record_key)
  WHERE is_current = 1 AND quality_verdict IS NULL;
