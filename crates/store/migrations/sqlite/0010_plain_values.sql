-- Records with values that no column has exactly, or that an engine doesn't calculate with as our own
-- evaluator does: few, if any. Whether they are none is looked up here. Those that were stored before count
-- among them until they get their verdicts.
CREATE INDEX call_record_with_odd_values ON call_record (tenant_key, start_date_time)
  WHERE is_current = 1 AND flags & 128 = 0;
