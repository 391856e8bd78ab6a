-- Words with diacritics also have a plain form in the full-text index. Records that were stored before get
-- theirs afterwards, like what other steps added, but nothing else of them is made anew.

ALTER TABLE refill ADD COLUMN words_only INTEGER NOT NULL DEFAULT 0;

INSERT INTO refill (next, last, words_only)
  SELECT 1, max(record_key), 1 FROM call_record
  HAVING count(*) > 0 AND NOT EXISTS (SELECT 1 FROM refill);
