-- name: agent_queue
-- area: support
-- weight: 4
-- kind: read
-- param 1: tickets.tenant_id
SELECT id, subject, priority, created_at FROM tickets WHERE tenant_id = $1 AND status IN ('new', 'open') AND deleted_at IS NULL ORDER BY priority DESC, created_at LIMIT 50;
