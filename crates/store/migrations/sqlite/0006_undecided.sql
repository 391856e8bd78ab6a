-- Messages about which the condition of their subscription is still to be decided: that may take longer
-- than the reader of the change log has for it.
ALTER TABLE delivery ADD COLUMN is_undecided INTEGER NOT NULL DEFAULT 0;
