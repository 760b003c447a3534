-- name: session_lookup
-- area: security
-- weight: 110
-- kind: read
-- param 1: sessions.id
SELECT s.user_id, s.data, u.status, u.tenant_id FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND s.revoked_at IS NULL;
