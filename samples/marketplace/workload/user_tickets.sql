-- name: user_tickets
-- area: support
-- weight: 6
-- kind: read
-- param 1: tickets.user_id
SELECT id, subject, status, priority, created_at FROM tickets WHERE user_id = $1 AND deleted_at IS NULL ORDER BY created_at DESC;
