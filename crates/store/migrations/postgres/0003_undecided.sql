-- Messages about which the condition of their subscription is still to be decided: that may take longer
-- than the reader of the change log has for it. Nodes of the version before send them undecided.
ALTER TABLE delivery ADD COLUMN is_undecided smallint NOT NULL DEFAULT 0;
