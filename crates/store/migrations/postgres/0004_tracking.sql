-- For those who follow the change log from where they left it: which log it is, up to which entry the
-- log tells no longer of what is gone, and whether a change was followed by another of the same kind.
-- "origin" tells the cluster and the table that the log was made in from those that a dump fills.

CREATE TABLE log_state (
  incarnation text COLLATE "C" NOT NULL,
  origin text COLLATE "C" NOT NULL,
  cut bigint NOT NULL
);

CREATE INDEX change_log_merged ON change_log (record_key, sequence) WHERE change = 'merged';
CREATE INDEX change_log_erased ON change_log (tenant_key, id, sequence) WHERE change = 'erased';
