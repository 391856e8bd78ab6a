-- For those who follow the change log from where they left it: which log it is, up to which entry the
-- log tells no longer of what is gone, and whether a change was followed by another of the same kind.

CREATE TABLE log_state (
  incarnation TEXT NOT NULL,
  cut INTEGER NOT NULL
) STRICT;

CREATE INDEX change_log_merged ON change_log (record_key, sequence) WHERE change = 'merged';
CREATE INDEX change_log_erased ON change_log (tenant_key, id, sequence) WHERE change = 'erased';
