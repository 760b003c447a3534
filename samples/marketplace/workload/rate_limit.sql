-- name: rate_limit
-- area: security
-- weight: 25
-- kind: write
-- param 1: integer 1 2000
INSERT INTO rate_limits AS l (bucket, hits) VALUES ('api:' || $1::text, 1) ON CONFLICT (bucket) DO UPDATE SET hits = l.hits + 1;
