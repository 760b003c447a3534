-- name: audit_trail
-- area: security
-- weight: 3
-- kind: read
-- param 1: audit_logs.entity
-- param 2: audit_logs.entity_id
SELECT a.action, a.changes, a.occurred_at, u.email FROM audit_logs a LEFT JOIN users u ON u.id = a.actor_user_id
 WHERE a.entity = $1 AND a.entity_id = $2 ORDER BY a.occurred_at DESC LIMIT 50;
