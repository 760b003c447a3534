-- name: session_touch
-- area: security
-- weight: 40
-- kind: write
-- param 1: sessions.id
UPDATE sessions SET last_seen_at = now() WHERE id = $1;
