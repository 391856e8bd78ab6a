-- Words with diacritics also have a plain form in the full-text index. Records that were stored before get
-- theirs afterwards, from "next" to "last"; the table is empty when all have it.

CREATE TABLE refill (
  next bigint NOT NULL,
  last bigint NOT NULL
);

INSERT INTO refill (next, last)
  SELECT first_key, last_key
  FROM (SELECT min(record_key) AS first_key, max(record_key) AS last_key FROM call_record) AS stored
  WHERE first_key IS NOT NULL;
