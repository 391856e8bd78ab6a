-- What segments say of their ends: which of them comes first (0 the caller's), whether one is a service, who
-- is there, and the endpoint's name. "person_id" has only ids that are neither "user_id" nor
-- "associated_id". Records that were stored before get these while the store is used.

ALTER TABLE segment
  ADD COLUMN first_end integer,
  ADD COLUMN caller_is_service integer,
  ADD COLUMN caller_person_kind text COLLATE "C",
  ADD COLUMN caller_person_id text COLLATE "C",
  ADD COLUMN caller_endpoint_name text COLLATE "C",
  ADD COLUMN callee_is_service integer,
  ADD COLUMN callee_person_kind text COLLATE "C",
  ADD COLUMN callee_person_id text COLLATE "C",
  ADD COLUMN callee_endpoint_name text COLLATE "C";

-- Records whose typed rows lack columns of this step or of the one with verdicts. Where nodes of the version
-- before write beside others, there may be such records at any time.
CREATE INDEX call_record_without_columns ON call_record (record_key)
  WHERE is_current = 1 AND flags & 256 = 0;
