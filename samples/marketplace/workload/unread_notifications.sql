-- name: unread_notifications
-- area: support
-- weight: 25
-- kind: read
-- param 1: notifications.user_id
SELECT id, kind, payload, created_at FROM notifications WHERE user_id = $1 AND read_at IS NULL ORDER BY created_at DESC LIMIT 20;
