-- Verdicts on calls, sessions and streams, and more columns of ends, networks and devices. Records that were
-- stored before get theirs while the store is used. Who does such work holds a lease, whose fence grows with
-- each new holder.

ALTER TABLE call_record
  ADD COLUMN quality_verdict text COLLATE "C",
  ADD COLUMN quality_reason text COLLATE "C",
  ADD COLUMN quality_audio_good integer,
  ADD COLUMN quality_audio_poor integer,
  ADD COLUMN quality_audio_unclassified integer,
  ADD COLUMN quality_video_good integer,
  ADD COLUMN quality_video_poor integer,
  ADD COLUMN quality_video_unclassified integer,
  ADD COLUMN quality_screen_sharing_good integer,
  ADD COLUMN quality_screen_sharing_poor integer,
  ADD COLUMN quality_screen_sharing_unclassified integer,
  ADD COLUMN quality_heard_good integer,
  ADD COLUMN quality_heard_poor integer,
  ADD COLUMN quality_heard_unclassified integer,
  ADD COLUMN quality_was_heard_good integer,
  ADD COLUMN quality_was_heard_poor integer,
  ADD COLUMN quality_was_heard_unclassified integer,
  ADD COLUMN quality_people integer,
  ADD COLUMN quality_poor_people integer,
  ADD COLUMN quality_poor_share double precision,
  ADD COLUMN quality_is_poor integer;

ALTER TABLE session
  ADD COLUMN quality_verdict text COLLATE "C",
  ADD COLUMN quality_reason text COLLATE "C",
  ADD COLUMN quality_audio_good integer,
  ADD COLUMN quality_audio_poor integer,
  ADD COLUMN quality_audio_unclassified integer,
  ADD COLUMN quality_video_good integer,
  ADD COLUMN quality_video_poor integer,
  ADD COLUMN quality_video_unclassified integer,
  ADD COLUMN quality_screen_sharing_good integer,
  ADD COLUMN quality_screen_sharing_poor integer,
  ADD COLUMN quality_screen_sharing_unclassified integer,
  ADD COLUMN quality_heard_good integer,
  ADD COLUMN quality_heard_poor integer,
  ADD COLUMN quality_heard_unclassified integer,
  ADD COLUMN quality_was_heard_good integer,
  ADD COLUMN quality_was_heard_poor integer,
  ADD COLUMN quality_was_heard_unclassified integer,
  ADD COLUMN quality_people integer,
  ADD COLUMN quality_poor_people integer,
  ADD COLUMN quality_poor_share double precision,
  ADD COLUMN quality_is_poor integer;

ALTER TABLE segment
  ADD COLUMN caller_feedback_rating text COLLATE "C",
  ADD COLUMN caller_service_role text COLLATE "C",
  ADD COLUMN caller_application_version text COLLATE "C",
  ADD COLUMN callee_feedback_rating text COLLATE "C",
  ADD COLUMN callee_service_role text COLLATE "C",
  ADD COLUMN callee_application_version text COLLATE "C";

ALTER TABLE media
  ADD COLUMN caller_network_link_speed bigint,
  ADD COLUMN caller_network_reflexive_ip_address text COLLATE "C",
  ADD COLUMN caller_network_relay_ip_address text COLLATE "C",
  ADD COLUMN caller_network_wifi_channel bigint,
  ADD COLUMN caller_network_basic_service_set_identifier text COLLATE "C",
  ADD COLUMN caller_network_wifi_signal_strength bigint,
  ADD COLUMN caller_network_network_transport_protocol text COLLATE "C",
  ADD COLUMN callee_network_link_speed bigint,
  ADD COLUMN callee_network_reflexive_ip_address text COLLATE "C",
  ADD COLUMN callee_network_relay_ip_address text COLLATE "C",
  ADD COLUMN callee_network_wifi_channel bigint,
  ADD COLUMN callee_network_basic_service_set_identifier text COLLATE "C",
  ADD COLUMN callee_network_wifi_signal_strength bigint,
  ADD COLUMN callee_network_network_transport_protocol text COLLATE "C",
  ADD COLUMN caller_device_cpu_insufficent_event_ratio double precision,
  ADD COLUMN caller_device_render_not_functioning_event_ratio double precision,
  ADD COLUMN caller_device_capture_not_functioning_event_ratio double precision,
  ADD COLUMN callee_device_cpu_insufficent_event_ratio double precision,
  ADD COLUMN callee_device_render_not_functioning_event_ratio double precision,
  ADD COLUMN callee_device_capture_not_functioning_event_ratio double precision;

ALTER TABLE stream
  ADD COLUMN quality_verdict text COLLATE "C",
  ADD COLUMN quality_reason text COLLATE "C";

CREATE TABLE lease (
  name text COLLATE "C" PRIMARY KEY,
  holder text COLLATE "C" NOT NULL,
  fence bigint NOT NULL,
  expires bigint NOT NULL
);

-- Records that have no verdict yet. Where nodes of the version before write beside others, there may be such
-- records at any time.
CREATE INDEX call_record_unjudged ON call_record (record_key)
  WHERE is_current = 1 AND quality_verdict IS NULL;
